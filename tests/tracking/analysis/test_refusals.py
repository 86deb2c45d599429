"""Values that cannot be had, with their reasons."""

import pytest

from service.tracking.analysis.computed import Computed, Input, Method, Reason
from service.tracking.analysis.refusals import Attempt, Refusal, computed, value_of

METHOD = Method("m", "r")
INPUT = Input("n", 1, "", "query")


def refuse() -> float:
    raise Refusal("missing_input", "Say it.")


def refuse_an_input() -> Input:
    raise Refusal("missing_input", "Say it.")


def test_a_refusal_becomes_the_reason_of_a_null() -> None:
    """The inputs that can be had stand beside it, and its warnings."""
    expected = Computed(None, METHOD, (INPUT,), Reason("missing_input", "Say it."), ("w",))
    assert expected == computed(METHOD, refuse, [lambda: INPUT, refuse_an_input], ["w"])


def test_a_value_has_no_reason() -> None:
    """And the inputs that it was computed from."""
    assert Computed(2.0, METHOD, (INPUT,)) == computed(METHOD, lambda: 2.0, [lambda: INPUT])


def test_an_attempt_is_made_once() -> None:
    """However often it is called, with a value or without."""
    calls: list[int] = []

    def compute() -> float:
        calls.append(1)
        return refuse()

    attempt = Attempt(compute)
    for _ in range(3):
        with pytest.raises(Refusal, match="Say it"):
            attempt()
    assert [1] == calls
    assert 5 == Attempt(lambda: 5)()


def test_what_was_not_computed_is_refused_for_the_same_reason() -> None:
    """So that what follows from it has the same reason."""
    assert 2.0 == value_of(Computed(2.0, METHOD))
    with pytest.raises(Refusal, match="Say it") as refusal:
        value_of(computed(METHOD, refuse))
    assert "missing_input" == refusal.value.reason.code
