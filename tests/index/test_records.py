"""What replicas tell each other through a store is read strictly, and is what it was."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from service.errors import UpstreamFailure, UpstreamForbidden, UpstreamNotAsked, UpstreamTimeout
from service.index import records
from service.index.records import Drop, Enter, HaveRead, Leave, Put, Record, Staleness, moved
from service.index.shared import progress, wishes
from service.index.shared.progress import Failure, Progress, Tick, error_of, failure_of
from service.index.shared.wishes import Lost, MakeTick, Searched, Verify, Wish
from service.index.ticks import Marks
from service.tracking.recorded import Dataset, Recorded
from tests.tracking.values import make_run

RUN = replace(
    make_run("r", metrics={"nan": None, "inf": float("inf"), "whole": 1.0}),
    recorded=Recorded((Dataset("d", "1"),), ("m-1",), ()),
)
RECORDS: list[Record] = [
    Put(RUN, 12.5),
    Drop("r", 3.0),
    Enter(("1", "2")),
    HaveRead(("1",)),
    Leave(("2",), 1.0),
    Staleness(is_stale=True, since_ms=None),
]
WISHES: list[Wish] = [Searched(), Verify(("a", "b"), 1.5), MakeTick("t"), Lost("e", 7)]


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_comes_back(record: Record) -> None:
    """Each kind of record is the same once it has been written and read."""
    assert record == records.decode(records.encode(record))


@pytest.mark.parametrize("wish", WISHES)
def test_a_wish_comes_back(wish: Wish) -> None:
    """Each kind of wish is the same once it has been written and read."""
    assert wish == wishes.decode(wishes.encode(wish))


def test_a_progress_comes_back() -> None:
    """All that the writer says of itself is the same once it has been written and read."""
    told = Progress(
        7, ("1", "2"), ("1",), 1.5, 1_500, {"1": 0.5}, {"1": 500}, Marks(1, None), ("2",), 0.25,
        ticks=(Tick("t"), Tick("u", Failure("UpstreamTimeout", "late"))), is_stale=True, stale_ms=3,
    )  # fmt: skip
    assert told == progress.decode(progress.encode(told))


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        "x",
        [],
        [1],
        [9, "x"],
        [2, "r"],
        [2, "r", float("nan")],
        [2, "r", 1.0, 2],
        [3, ["1", 2]],
        {"a": 1},
    ],
)
def test_rubbish_is_no_record(value: Any) -> None:
    """Other values, other lengths, unknown kinds and times that are no time are refused."""
    with pytest.raises(ValueError):  # noqa: PT011 - of the decoder
        records.decode(msgspec.msgpack.encode(value))


@pytest.mark.parametrize("read", [records.decode, progress.decode, wishes.decode])
@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x00" * 100, b"\x91" * 5_000])
def test_rubbish_is_nothing(read: Any, data: bytes) -> None:
    """Bytes that are no MessagePack, or nested too deeply, are refused without any other error."""
    with pytest.raises((ValueError, RecursionError)):
        read(data)


@pytest.mark.parametrize("module", [records, progress, wishes])
def test_too_much_is_not_read(module: Any) -> None:
    """More bytes than such a value ever has are refused before they are decoded."""
    with pytest.raises(ValueError, match="are more than"):
        module.decode(b"\x00" * (module.MOST_BYTES + 1))


def test_times_of_another_clock() -> None:
    """Only times of asking are of a clock."""
    assert [Put(RUN, 14.5), Drop("r", 5.0), Leave(("2",), 3.0)] == [
        moved(record, 2.0) for record in RECORDS if not isinstance(record, Enter | HaveRead | Staleness)
    ]
    assert RECORDS[2] == moved(RECORDS[2], 2.0)


@pytest.mark.parametrize(
    "error",
    [UpstreamTimeout("c"), UpstreamNotAsked("c", retry_after=3), UpstreamForbidden("research", "c")],
)
def test_an_error_travels(error: UpstreamFailure) -> None:
    """What a caller sees of MLflow's failure is the same on another replica."""
    again = error_of(failure_of(error))
    assert (type(error), error.detail, error.retry_after) == (type(again), again.detail, again.retry_after)


def test_an_error_of_another_release() -> None:
    """A failure of an unknown kind is one of MLflow."""
    assert "upstream_error" == error_of(Failure("Unheard", "so")).code
