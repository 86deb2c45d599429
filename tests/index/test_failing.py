"""The index when MLflow fails, and when it is well again."""

from collections.abc import Callable

import pytest

from service.errors import (
    UpstreamAuth,
    UpstreamError,
    UpstreamFailure,
    UpstreamForbidden,
    UpstreamNotAsked,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamTooLarge,
    UpstreamUnavailable,
)
from tests.index.scripted import BASE_MS, World

FAILURES: list[tuple[Callable[[], UpstreamFailure], float]] = [
    (lambda: UpstreamError("cause"), 0.01),
    (lambda: UpstreamRefused("cause"), 0.01),
    (lambda: UpstreamTooLarge("cause"), 1.0),
    (lambda: UpstreamAuth("cause"), 0.01),
    (lambda: UpstreamForbidden("1", "cause"), 0.01),
    (lambda: UpstreamTimeout("cause"), 8.0),
    (lambda: UpstreamUnavailable("cause", retry_after=20), 0.01),
    (lambda: UpstreamNotAsked("cause"), 0.0),
]


def world_of(runs: int = 500) -> World:
    world = World()
    for each in range(runs):
        start = BASE_MS - 10**9 + each * 1_000
        world.mlflow.add(f"r{each}", status="FINISHED", start_time=start, end_time=start + 1)
    return world


@pytest.mark.parametrize(("failure", "seconds"), FAILURES)
async def test_in_the_end_the_index_is_as_mlflow_is(
    failure: Callable[[], UpstreamFailure], seconds: float
) -> None:
    """However MLflow fails, what happened meanwhile is in the index row by row once it has recovered."""
    world = world_of()
    await world.read()
    world.mlflow.fails, world.mlflow.failing_seconds = failure(), seconds
    for each in range(10):
        world.mlflow.add(f"new{each}")
        world.mlflow.tag(f"r{each}", "champion")
        del world.mlflow.stored[f"r{490 + each}"]
        await world.pass_time(30)
    world.mlflow.end("new3")
    conditions = [world.index.condition]
    world.mlflow.fails = None
    await world.pass_time(600)
    assert world.mlflow.visible() == world.indexed()
    assert ["failing", "complete"] == [*conditions, world.index.condition]


@pytest.mark.parametrize(("failure", "seconds"), FAILURES)
async def test_the_first_read_goes_on_where_it_was(
    failure: Callable[[], UpstreamFailure], seconds: float
) -> None:
    """A failure in the middle of the first read costs no run, and what was read is not read again."""
    world = world_of(1_000)
    while world.index.status(("1",)).share_read < 0.3:
        await world.pass_time(1, in_use=False)
    share = world.index.status(("1",)).share_read
    world.mlflow.fails, world.mlflow.failing_seconds = failure(), seconds
    await world.pass_time(120, in_use=False)
    assert share == world.index.status(("1",)).share_read
    world.mlflow.fails = None
    await world.read()
    assert world.mlflow.visible() == world.indexed()


@pytest.mark.parametrize(("failure", "seconds"), FAILURES)
async def test_a_failing_mlflow_is_left_alone(failure: Callable[[], UpstreamFailure], seconds: float) -> None:
    """Attempts become rare, and none follows another at once, whatever fails."""
    world = world_of(100)
    await world.read()
    world.mlflow.fails, world.mlflow.failing_seconds = failure(), seconds
    began = world.clock.now
    await world.pass_time(1_800)
    attempts = [at for at, _, _ in world.mlflow.calls if at >= began]
    most = 1_800 * 5 if isinstance(world.mlflow.fails, UpstreamNotAsked) else 1_800 / 60 * 5 + 40
    assert 10 < len(attempts) <= most


async def test_a_defect_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever else a step raises is logged with its traceback, and the next steps are made."""
    world = world_of(100)
    await world.read()

    def break_down() -> None:
        raise ZeroDivisionError

    world.mlflow.meanwhile = break_down
    await world.pass_time(60)
    world.mlflow.add("new")
    await world.pass_time(30)
    assert world.has("new")
    assert [ZeroDivisionError] == [one.exc_info[0] for one in caplog.records if one.exc_info]


async def test_a_server_that_sorts_otherwise_is_refused() -> None:
    """Where runs do not come newest first, windows mean nothing: the index does not get complete."""
    world = world_of(300)
    world.mlflow.is_oldest_first = True
    await world.pass_time(300)
    assert "failing" == world.index.condition
    assert not world.index.covers(("1",))
