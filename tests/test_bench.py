"""What `make bench` puts beside the service answers the same, or it would compare different work."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.bench import sides
from tests.bench.load import Question, ask
from tests.bench.machine import Server
from tests.bench.rows import questions
from tests.bench.runs import finished, run_id_of

pytestmark = pytest.mark.thorough

TEN = finished(10, [run_id_of(number) for number in range(50)])
ASKED = {
    "detail": questions.detail(TEN[0]),
    "list of 50": questions.runs(50),
    "compare of 10": questions.compare(TEN),
}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    """The service and the façade that a team would write first, over the same fake MLflow."""
    folder: Path = tmp_path_factory.mktemp("bench")
    with ExitStack() as stack:
        upstream = stack.enter_context(sides.fake(folder, runs=50))
        service = stack.enter_context(sides.service(folder, upstream))
        yield service, stack.enter_context(sides.naive(folder, upstream))


@pytest.mark.parametrize("question", ASKED.values(), ids=ASKED)
def test_the_facade_gives_the_services_answers(both: tuple[Server, Server], question: Question) -> None:
    """Field for field, so that its rate is that of the same work."""
    service, facade = (json.loads(asyncio.run(ask(side, question)).body) for side in both)
    assert service == facade
