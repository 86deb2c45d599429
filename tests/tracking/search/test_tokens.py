"""Page tokens: they come back as they were, or not at all."""

import base64
import hashlib
import math
import re
import subprocess
import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tracking.search.expressions import And, Comparison, Expression, Not, Operator, Or
from service.tracking.search.fields import AsNumber, Field, FieldKind
from service.tracking.search.queries import (
    Grouping,
    GroupOrder,
    GroupPosition,
    Order,
    Position,
    RunSearch,
    Selection,
)
from service.tracking.search.tokens import (
    TokenError,
    position_of_groups,
    position_of_search,
    read_token,
    token_of_groups,
    token_of_search,
    write_token,
)

X = Field(FieldKind.METRIC, "x")
P = Field(FieldKind.PARAM, "p")
A = Comparison(X, Operator.GT, 1.0)
B = Comparison(P, Operator.IN, ("a", "b"))
SEARCH = RunSearch(("0",), And((A, B)), (Order(X, descending=True), Order(P)))
POSITION = Position((1.5, "é"), 1_764_201_600_000, "r1")
GROUPS = Grouping(("0",), (P,), order=GroupOrder("mean", "x"))

scalars = st.one_of(st.none(), st.floats(allow_nan=False), st.text(st.characters(exclude_categories=["Cs"])))


def tampered(content: bytes) -> str:
    """A token with any content and the right check, as somebody would write it who has read the code."""
    check = hashlib.blake2b(content, digest_size=8, person=b"page token").digest()
    return base64.urlsafe_b64encode(check + content).decode().rstrip("=")


def content_of(token: str) -> bytes:
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))[8:]


@given(
    st.lists(scalars, max_size=4).map(tuple),
    st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
    st.text("ab-"),
)
def test_a_position_comes_back(
    values: tuple[float | str | None, ...], start_time: int | None, run_id: str
) -> None:
    """A token is text that needs no quoting in a URL, and holds the position."""
    position = Position(values, start_time, run_id)
    token = write_token("k", position, "of")
    assert re.fullmatch(r"[A-Za-z0-9_-]+", token)
    assert position == read_token("k", token, Position, "of")


def test_nan_comes_back() -> None:
    """A run whose metric is NaN can end a page, too."""
    search = RunSearch(("0",), order=(Order(X),))
    (value,) = position_of_search(search, token_of_search(search, Position((math.nan,), None, "r"))).values
    assert isinstance(value, float)
    assert math.isnan(value)


def test_a_token_with_any_character_changed_is_refused() -> None:
    """Each character in turn, replaced by each other one: none is read."""
    token = token_of_search(SEARCH, POSITION)
    for at, character in enumerate(token):
        for other in "AZaz09-_=+/ %\u00e9\ud800":
            if other != character:
                with pytest.raises(TokenError, match="damaged"):
                    position_of_search(SEARCH, token[:at] + other + token[at + 1 :])


def test_a_token_with_any_byte_changed_is_refused() -> None:
    """Each bit of what the text stands for, too."""
    token = token_of_search(SEARCH, POSITION)
    data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    for at in range(len(data) * 8):
        changed = bytearray(data)
        changed[at // 8] ^= 1 << at % 8
        with pytest.raises(TokenError, match="damaged"):
            position_of_search(SEARCH, base64.urlsafe_b64encode(changed).decode().rstrip("="))


def test_a_token_that_was_cut_or_extended_is_refused() -> None:
    """At any length."""
    token = token_of_search(SEARCH, POSITION)
    for text in (
        *(token[:end] for end in range(len(token))),
        token + "A",
        token + "=",
        f" {token}",
        "A" * 100_000,
    ):
        with pytest.raises(TokenError, match="damaged"):
            position_of_search(SEARCH, text)


@given(st.text(st.characters(), max_size=50))
def test_any_text_is_refused(text: str) -> None:
    """Nothing but TokenError comes out of any text."""
    with pytest.raises(TokenError):
        position_of_search(SEARCH, text)


@pytest.mark.parametrize(
    "other",
    [
        RunSearch(("1",), SEARCH.filter, SEARCH.order),
        RunSearch(("0", "1"), SEARCH.filter, SEARCH.order),
        RunSearch(("0",), None, SEARCH.order),
        RunSearch(("0",), Or((A, B)), SEARCH.order),
        RunSearch(("0",), Not(And((A, B))), SEARCH.order),
        RunSearch(("0",), And((B, A)), SEARCH.order),
        RunSearch(("0",), SEARCH.filter, (Order(X), Order(P))),
        RunSearch(("0",), SEARCH.filter, (Order(X, descending=True), Order(AsNumber(P)))),
    ],
)
def test_a_token_belongs_to_its_search(other: RunSearch) -> None:
    """Another experiment, filter or order is told apart, and the message says so."""
    with pytest.raises(TokenError, match="another question: filter, order"):
        position_of_search(other, token_of_search(SEARCH, POSITION))


def test_a_token_allows_another_page_size_and_other_fields() -> None:
    """What does not decide about the hits and their order may change from page to page."""
    other = RunSearch(
        ("0",), SEARCH.filter, SEARCH.order, 7, None, (P,), Selection(frozenset({"x"}), None, frozenset())
    )
    assert POSITION == position_of_search(other, token_of_search(SEARCH, POSITION))


def test_a_token_belongs_to_its_kind_of_list() -> None:
    """A token of groups is none of a search."""
    with pytest.raises(TokenError, match="another list"):
        position_of_search(SEARCH, write_token("groups", POSITION, "of"))


def test_a_token_of_another_version_says_so() -> None:
    """A later service can change what tokens hold."""
    with pytest.raises(TokenError, match="another version"):
        read_token("k", tampered(msgspec.msgpack.encode((2, "k", b"", None))), Position, "of")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xc1",
        b"\x91" * 5_000,
        b"\x94\x01\xa1\xff\xc4\x00\xc0",
        msgspec.msgpack.encode((1, "k")),
        msgspec.msgpack.encode((1, "k", b"", 1, 2)),
        msgspec.msgpack.encode({"format": 1}),
    ],
)
def test_a_forged_envelope_is_refused(content: bytes) -> None:
    """A right check does not make a token of anything."""
    with pytest.raises(TokenError, match="damaged"):
        read_token("k", tampered(content), Position, "of")


@pytest.mark.parametrize(
    "position",
    [
        None,
        1,
        {},
        {"values": [1.0, "a"], "start_time": "soon", "run_id": "r"},
        {"values": [1.0, "a"], "start_time": 2**70 // 2**8, "run_id": 1},
        {"values": [1.0], "start_time": 1, "run_id": "r"},
        {"values": [1.0, "a", "b"], "start_time": 1, "run_id": "r"},
        {"values": ["a", "a"], "start_time": 1, "run_id": "r"},
        {"values": [1.0, 1.0], "start_time": 1, "run_id": "r"},
        {"values": [[[]], "a"], "start_time": 1, "run_id": "r"},
    ],
)
def test_a_forged_position_is_refused(position: object) -> None:
    """What a token holds has the types and the number of values that its order needs."""
    version, kind, of, _ = msgspec.msgpack.decode(content_of(token_of_search(SEARCH, POSITION)))
    forged = tampered(msgspec.msgpack.encode((version, kind, of, position)))
    with pytest.raises(TokenError, match="damaged"):
        position_of_search(SEARCH, forged)


@pytest.mark.parametrize(
    ("order", "value"),
    [
        (GroupOrder("mean", "x"), 1.5),
        (GroupOrder("mean", "x"), None),
        (GroupOrder("runs"), 3.0),
        (GroupOrder("key"), ("a",)),
    ],
)
def test_a_group_comes_back(order: GroupOrder, value: float | tuple[str] | None) -> None:
    """The last group's key, and the value that it was sorted by."""
    grouping = Grouping(("0",), (P,), order=order)
    position = GroupPosition(("a",), value)
    assert position == position_of_groups(grouping, token_of_groups(grouping, position))


@pytest.mark.parametrize(
    ("order", "position"),
    [
        (GroupOrder("mean", "x"), GroupPosition(("a", "b"), 1.0)),
        (GroupOrder("mean", "x"), GroupPosition((1.0,), 1.0)),
        (GroupOrder("mean", "x"), GroupPosition(("a",), "b")),
        (GroupOrder("mean", "x"), GroupPosition(("a",), ("b",))),
        (GroupOrder("key"), GroupPosition(("a",), 1.0)),
        (GroupOrder("key"), GroupPosition(("a",), (1.0,))),
    ],
)
def test_a_forged_group_is_refused(order: GroupOrder, position: GroupPosition) -> None:
    """A key has a value for each field that is grouped by, and is sorted by a value of the right type."""
    grouping = Grouping(("0",), (P,), order=order)
    with pytest.raises(TokenError, match="damaged"):
        position_of_groups(grouping, token_of_groups(grouping, position))


def test_a_token_belongs_to_its_grouping() -> None:
    """Another field to group by, or another order, is another question."""
    token = token_of_groups(GROUPS, GroupPosition(("a",), 1.0))
    for other in (Grouping(("0",), (X,), order=GROUPS.order), Grouping(("0",), (P,))):
        with pytest.raises(TokenError, match="another question"):
            position_of_groups(other, token)


def test_another_process_writes_the_same_token() -> None:
    """A token is good after a restart and on another replica, whatever order its sets have there."""
    code = (
        "from service.tracking.search.queries import Position, Selection\n"
        "from service.tracking.search.tokens import write_token\n"
        "of = Selection(frozenset('abcdefghij'))\n"
        "print(write_token('k', Position((1.0,), 1, 'r'), of))"
    )
    tokens = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert 1 == len(tokens)


def test_trees_that_look_alike_are_told_apart() -> None:
    """AND and OR of the same comparisons have different digests."""
    expressions: list[Expression] = [And((A, B)), Or((A, B))]
    tokens = {token_of_search(RunSearch(("0",), each, SEARCH.order), POSITION) for each in expressions}
    assert 2 == len(tokens)
