"""Where a value cannot be had: a refusal with its reason, which becomes the reason of a `Computed`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from service.tracking.analysis.computed import NOT_COMPUTABLE, Computed, Input, Method, Reason

T = TypeVar("T")


class Refusal(Exception):
    """A value cannot be had. It never leaves the analysis: `computed` turns it into an answer.

    code: one of those in computed.py. text: a sentence that says what to do.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.reason = Reason(code, text)


class Attempt(Generic[T]):
    """A value that is computed once, at once. To call it gives the value, or raises why there is none."""

    def __init__(self, compute: Callable[[], T]) -> None:
        self._refusal: Refusal | None = None
        try:
            self._value = compute()
        except Refusal as refusal:
            self._refusal = refusal

    def __call__(self) -> T:
        """Raises a Refusal of its own each time."""
        if self._refusal is not None:
            raise Refusal(self._refusal.reason.code, self._refusal.reason.text)
        return self._value


def computed(
    method: Method,
    compute: Callable[[], float],
    inputs: Sequence[Callable[[], Input]] = (),
    warnings: Sequence[str] = (),
) -> Computed:
    """What `compute` returns, or null with the reason of the Refusal that it raises.

    inputs: those that raise a Refusal are left out.
    """
    known = tuple(found for one in inputs for found in _known(one))
    try:
        return Computed(compute(), method, known, warnings=tuple(warnings))
    except Refusal as refusal:
        return Computed(None, method, known, refusal.reason, tuple(warnings))


def value_of(result: Computed) -> float:
    """What was computed. Where it was not, the Refusal has the same reason."""
    if result.value is None:
        reason = result.reason or Reason(NOT_COMPUTABLE, "There is no value.")
        raise Refusal(reason.code, reason.text)
    return result.value


def _known(one: Callable[[], Input]) -> tuple[Input, ...]:
    try:
        return (one(),)
    except Refusal:
        return ()
