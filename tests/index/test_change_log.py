"""The log of changes keeps the last ones, in order, and says where some are missing."""

import pytest
from msgspec.structs import replace

from service.index.change_log import ChangeLog
from service.tracking.events import Entry, EventName, RunChange, SyncChange
from tests.tracking.values import make_run


def made(number: int) -> RunChange:
    """A run that comes."""
    return RunChange(None, make_run(f"r{number}"))


def numbers(log: ChangeLog, number: int) -> list[int] | None:
    """The numbers of what came after one."""
    entries = log.since(number)
    return None if entries is None else [entry.number for entry in entries]


def test_a_listener_gets_what_came_after_its_number() -> None:
    """Numbers rise by one from what the log begins with, and nothing came after the last."""
    log = ChangeLog("e", last=7)
    for number in range(3):
        log.changed(made(number))
    assert ("e", 10) == (log.epoch, log.last)
    assert ([8, 9, 10], [10], []) == (numbers(log, 7), numbers(log, 9), numbers(log, 10))


def test_a_number_that_never_was_is_not_known() -> None:
    """Neither a number of the future nor one before the log began tells what came after it."""
    log = ChangeLog("e", last=7)
    log.changed(made(1))
    assert (None, None) == (log.since(9), log.since(6))


def test_the_oldest_are_dropped() -> None:
    """Of more than 100 changes at most 100 are kept, and whoever knows only older ones is told so."""
    log = ChangeLog(most_entries=100)
    for number in range(1_000):
        log.changed(made(number))
        assert len(log) <= 100
    assert len(log) >= 90
    first = 1_000 - len(log)
    assert (None, list(range(first + 1, 1_001))) == (numbers(log, first - 1), numbers(log, first))


def test_large_runs_are_dropped_sooner() -> None:
    """The log takes so many bytes at most, and with room for none it keeps none."""
    large = replace(make_run(), params={f"p{number}": "x" * 500 for number in range(100)})
    log, none = ChangeLog(most_bytes=1_000_000), ChangeLog(most_bytes=10)
    for number in range(100):
        for one in (log, none):
            one.changed(RunChange(None, replace(large, run_id=f"r{number}")))
        assert log.bytes_used <= 1_000_000
    assert 10 <= len(log) < 20
    assert (0, 0, []) == (len(none), none.bytes_used, numbers(none, 100))


def test_a_run_is_kept_once() -> None:
    """What a run was before a change is the very run that it was after the change before."""
    log = ChangeLog("e")
    first, second = make_run(), make_run(name="other")
    log.changed(RunChange(None, first))
    log.changed(RunChange(make_run(), second))
    last = (log.since(1) or ())[0].change
    assert isinstance(last, RunChange)
    assert last.before is first


def test_numbers_of_others_may_have_gaps() -> None:
    """A log that is fed from elsewhere takes the numbers as they are, so long as they rise."""
    log = ChangeLog("e", last=3)
    log.append(Entry(10, made(1)))
    log.append(Entry(25, made(2)))
    assert ([10, 25], [25], [25], []) == tuple(numbers(log, one) for one in (3, 10, 12, 25))
    with pytest.raises(ValueError, match="25"):
        log.append(Entry(25, made(3)))


def test_two_logs_have_other_epochs() -> None:
    """After a restart the numbers begin anew, under another epoch."""
    assert ChangeLog().epoch != ChangeLog().epoch


def test_whoever_watches_is_told_until_it_leaves() -> None:
    """A watcher is called after each change that it is there for."""
    log = ChangeLog()
    seen: list[int] = []
    leave = log.watch(lambda: seen.append(log.last))
    log.changed(made(1))
    log.lost(["1"])
    leave()
    log.changed(made(2))
    assert [1, 2] == seen


def test_the_log_says_whether_mlflow_answers() -> None:
    """From the time that it does not until it does again, whoever comes is told since when."""
    log = ChangeLog()
    assert log.staleness is None
    log.stale(5)
    log.changed(RunChange(None, make_run()))
    assert SyncChange(EventName.STALE, 5) == log.staleness
    log.fresh(9)
    assert log.staleness is None
