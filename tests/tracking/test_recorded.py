"""What a run has recorded is a part of it: in stores, and in what it takes of memory."""

from msgspec.structs import replace

from service.tracking.questions import GetRun
from service.tracking.recorded import Dataset, Recorded
from tests.tracking.values import make_run

RECORDED = Recorded((Dataset("prices", "d1", "s3", "s3://b", "training"),), ("m-1",), ("m-2",))


def test_a_store_gives_it_back() -> None:
    """A run that becomes bytes and comes back has what it had recorded."""
    run = replace(make_run(), recorded=RECORDED)
    assert run == GetRun.codec.decode(GetRun.codec.encode(run))


def test_a_run_of_before_has_recorded_nothing() -> None:
    """Bytes of a release whose runs had no such field are still a run."""
    written = GetRun.codec.encode(replace(make_run(), recorded=RECORDED))
    without = GetRun.codec.encode(make_run())
    assert len(without) < len(written)
    assert (
        GetRun.codec.decode(without.replace(b"\xa8recorded\xc0", b"").replace(b"\x8d", b"\x8c", 1))
        == make_run()
    )


def test_it_counts_as_memory() -> None:
    """A long source of a dataset and a model's id are in the footprint of the run."""
    bare = make_run().footprint
    dataset = Dataset("prices", "d1", source="x" * 5_000)
    assert 5_000 < replace(make_run(), recorded=Recorded((dataset,))).footprint - bare < 6_000
    one = replace(make_run(), recorded=Recorded((), ("m" * 100,))).footprint
    assert 100 < replace(make_run(), recorded=Recorded((), ("m" * 100,), ("n" * 100,))).footprint - one
