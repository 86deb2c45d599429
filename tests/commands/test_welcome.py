"""The welcome text that the service prints once it listens."""

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
    async def test_names_commands_that_fit_the_runs(self, runs: int, expected: list[str]) -> None:
        """The commands use the service's address and the ids of existing runs."""
        text = await self.text(self.some(runs))
        assert [f"http://h:1{API}{path}" for path in expected] == [line[1] for line in self.commands(text)]
        assert "http://h:1/docs" in text

    async def test_the_comparison_is_a_valid_shell_command(self) -> None:
        """A shell splits the comparison into a header and a JSON body."""
        [*_, compare] = self.commands(await self.text(self.some(2)))
        assert ["-H", "Content-Type: application/json", "-d", '{"run_ids": ["r0", "r1"]}'] == compare[2:]

    async def test_names_the_address_while_mlflow_fails(self) -> None:
        """If MLflow fails, the text names the service's address and says that MLflow does not answer yet."""
        source = RunsInMemory()
        source.fails = True
        text = await self.text(source)
        assert "http://h:1" in text
        assert "does not answer yet" in text

    @pytest.mark.parametrize("fails", [False, True])
    async def test_the_console_comes_first(self, fails: bool) -> None:
        """The first line says which page to open, while MLflow fails, too."""
        source = self.some(1)
        source.fails = fails
        queries = TrackingQueries(source, "Default", Directions([]))
        text = await welcome("http://h:1", queries, console="/console/")
        assert "Open http://h:1/console/" == text.strip().splitlines()[0]
        assert "http://h:1/console/" not in await self.text(source)
