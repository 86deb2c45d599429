"""The recorded samples against what an MLflow answers today, and against the fake."""

import re

import pytest

from tests.live.logbook import Logbook, unique
from tests.live.record import SAMPLES, record

pytestmark = pytest.mark.asyncio(loop_scope="module")

# What differs from one server to the next: run ids, experiment ids, and the times at which it was asked.
VARYING = {
    r"\b[0-9a-f]{32}\b": "RUN",
    r'"experiment_id": "\d+"': '"experiment_id": "ID"',
    r"mlflow-artifacts:/\d+": "mlflow-artifacts:/ID",
    r'"(creation_time|last_update_time)": \d+': r'"\1": TIME',
}


def comparable(text: str, suffix: str = "") -> str:
    text = text.replace(suffix, "")
    for pattern, word in VARYING.items():
        text = re.sub(pattern, word, text)
    return text


async def test_samples_are_what_a_server_answers(mlflow: Logbook) -> None:
    """Each sample is, byte for byte but for ids and times, what the fake and a real MLflow answer."""
    suffix = unique("")
    answered = {name: comparable(text, suffix) for name, text in (await record(mlflow, suffix)).items()}
    recorded = {
        path.relative_to(SAMPLES).as_posix(): comparable(path.read_text(encoding="utf-8"))
        for path in SAMPLES.glob("*/*")
    }
    assert recorded == answered
