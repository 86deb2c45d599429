"""What a replica of a shared index does next, as a table."""

import pytest

from service.index.shared.log import Head
from service.index.shared.roles import ALONE_AFTER, Kept, Move, Role, Sight, Stand, is_snapshot_due, next_move

NOW = 100.0
IN_STEP = Stand(Role.FOLLOWING, "e", 7, NOW, has_index=True, refused=("", -1))
NEW = Stand(Role.STARTING, "", 0, NOW, has_index=False, refused=("", -1))
ALONE = NEW._replace(role=Role.ALONE)
LOST = IN_STEP._replace(epoch="", refused=("e", 7))


def head(epoch: str = "e", last: int = 7, snapshot: int | None = 5, *, is_writer: bool = False) -> Sight:
    """A look at a log whose replica had as much."""
    return Sight(Head(epoch, last, snapshot, is_writer, 3), 0)


WRITER = head(is_writer=True)


@pytest.mark.parametrize(
    ("stand", "sight", "expected"),
    [
        # nothing was seen since the last surprise
        (IN_STEP, None, Move.WAIT),
        # the store does not answer
        (NEW, Sight(None, 0), Move.BE_ALONE),
        (ALONE, Sight(None, 0), Move.BE_ALONE),
        (IN_STEP, Sight(None, 7), Move.WAIT),
        (IN_STEP._replace(role=Role.WRITING), Sight(None, 7), Move.WAIT),
        (IN_STEP._replace(in_step=NOW - ALONE_AFTER - 1), Sight(None, 7), Move.BE_ALONE),
        # a replica that starts
        (NEW, head(), Move.LOAD),
        (NEW, WRITER, Move.LOAD),
        (NEW, head("", 0, None), Move.WAIT),
        (NEW, head("", 0, None, is_writer=True), Move.BEGIN),
        (NEW, head(snapshot=None), Move.WAIT),
        (NEW, head(snapshot=None, is_writer=True), Move.BEGIN),
        (NEW._replace(in_step=NOW - ALONE_AFTER - 1), head(snapshot=None), Move.BE_ALONE),
        # in step
        (IN_STEP, head(), Move.READ),
        (IN_STEP, head(last=9), Move.READ),
        (IN_STEP, head(last=9, is_writer=True), Move.READ),
        (IN_STEP, WRITER, Move.WRITE),
        (IN_STEP._replace(role=Role.WRITING, last=9), WRITER, Move.WRITE),
        (IN_STEP._replace(role=Role.WRITING), head(), Move.READ),
        # another epoch
        (IN_STEP, head("f"), Move.LOAD),
        (IN_STEP, head("f", is_writer=True), Move.LOAD),
        (IN_STEP, head("", 0, None, is_writer=True), Move.BEGIN),
        # the log is older than what the replica had before it looked
        (IN_STEP, head()._replace(last=9), Move.LOAD),
        (IN_STEP, WRITER._replace(last=9), Move.BEGIN),
        # a gap: that snapshot is of no use, a newer one is
        (LOST, head(snapshot=7), Move.WAIT),
        (LOST, head(snapshot=8, last=9), Move.LOAD),
        (LOST, WRITER, Move.BEGIN),
        (LOST._replace(in_step=NOW - ALONE_AFTER - 1), head(snapshot=7), Move.BE_ALONE),
        # back from being alone
        (ALONE, head(), Move.LOAD),
        (ALONE, WRITER, Move.LOAD),
        (ALONE._replace(has_index=True), WRITER, Move.BEGIN),
        (ALONE._replace(has_index=True), head(), Move.LOAD),
        (ALONE, head("", 0, None), Move.BE_ALONE),
    ],
)
def test_the_next_move(stand: Stand, sight: Sight | None, expected: Move) -> None:
    """What a replica knows of itself and of the log decides what it does next."""
    assert expected is next_move(stand, sight, NOW)


@pytest.mark.parametrize(
    ("kept", "last", "is_wished", "expected"),
    [
        (Kept(None, -100.0), 0, False, True),
        (Kept(None, NOW - 5), 0, False, False),
        (Kept(None, NOW - 11), 0, False, True),
        (Kept(0, NOW - 1_000), 4_999, False, False),
        (Kept(0, NOW - 1_000), 5_000, False, True),
        (Kept(0, NOW - 30), 50_000, False, False),
        (Kept(0, NOW - 11), 0, True, True),
        (Kept(0, NOW - 5), 9_999, True, False),
    ],
)
def test_when_a_snapshot_is_due(kept: Kept, last: int, is_wished: bool, expected: bool) -> None:
    """Without one at once, else where the log since is long, or somebody needs one; never too often."""
    assert expected is is_snapshot_due(kept, last, NOW, is_wished=is_wished)
