"""What a newcomer reads once the service is up."""

import shlex

import pytest

from service.commands.welcome import welcome
from service.tracking.directions import Directions
from service.tracking.queries import TrackingQueries
from tests.api.serving import API
from tests.tracking.values import RunsInMemory, make_run


class TestWelcome:
    def commands(self, text: str) -> list[list[str]]:
        """The curl lines, as a shell would split them."""
        return [shlex.split(line) for line in text.splitlines() if line.lstrip().startswith("curl ")]

    async def text(self, source: RunsInMemory) -> str:
        return await welcome("http://h:1", TrackingQueries(source, "Default", Directions([])))

    def some(self, number: int) -> RunsInMemory:
        return RunsInMemory(make_run(f"r{index}") for index in range(number))

    @pytest.mark.parametrize(
        ("runs", "expected"),
        [
            (0, ["/runs?limit=5", "/experiments"]),
            (1, ["/runs?limit=5", "/runs/r0", "/experiments"]),
            (2, ["/runs?limit=5", "/runs/r0", "/runs/compare"]),
        ],
    )
    async def test_commands(self, runs: int, expected: list[str]) -> None:
        """Three commands where there are runs, all with addresses of this service."""
        text = await self.text(self.some(runs))
        assert [f"http://h:1{API}{path}" for path in expected] == [line[1] for line in self.commands(text)]
        assert "http://h:1/docs" in text

    async def test_the_comparison_can_be_pasted(self) -> None:
        """A shell makes of the last line a header and a body of JSON."""
        [*_, compare] = self.commands(await self.text(self.some(2)))
        assert ["-H", "Content-Type: application/json", "-d", '{"run_ids": ["r0", "r1"]}'] == compare[2:]

    async def test_an_mlflow_that_does_not_answer_yet(self) -> None:
        """The address is said though MLflow fails."""
        source = RunsInMemory()
        source.fails = True
        text = await self.text(source)
        assert "http://h:1" in text
        assert "does not answer yet" in text
