"""What a newcomer reads first, over a real MLflow that holds the sample session."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.markdown import README, ROOT
from tests.docs.pages import run_page
from tests.docs.test_commands import STAND_IN
from tests.live.server import running_mlflow

PAGES = [README, ROOT / "docs" / "tutorial.md", ROOT / "docs" / "explanation" / "freshness.md"]


@pytest.fixture
def mlflow_url(tmp_path: Path) -> Iterator[str]:
    """A real MLflow with the sample session in its default experiment."""
    with running_mlflow(tmp_path) as url:
        sample = [sys.executable, "-m", "service.local.sample", url, "Default"]
        subprocess.run(sample, cwd=ROOT, check=True, timeout=120, stdout=subprocess.DEVNULL)
        yield url


@pytest.mark.live
@pytest.mark.slow
async def test_a_real_mlflow_answers_as_the_pages_say(mlflow_url: str, tmp_path: Path) -> None:
    """The commands of the first pages give the answers that are shown, to the last digit of a metric."""
    for page in PAGES:
        await run_page(page, mlflow_url, STAND_IN, tmp_path)
