"""What a replica does next about an answer that it needs, by what the store says to its claim. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Generic, TypeVar

from service.answer import Origin
from service.cache.memory import Entry
from service.cache.remembering import DatedAnswer
from service.cache.shared_store import Claim
from service.tracking.questions import Question

T = TypeVar("T")

_DOUBTS = 2  # that end the trust in what the store has of a question


class Next(Enum):
    """What to do about a question.

    TAKE: the store has the answer. LEAD: ask MLflow for all. WAIT: another replica asks. REST: MLflow has
    just failed another replica: give what was said last, or wait. ALONE: ask MLflow without a lease.
    """

    TAKE = auto()
    LEAD = auto()
    WAIT = auto()
    REST = auto()
    ALONE = auto()


@dataclass(eq=False)
class Need(Generic[T]):
    """A question on its way through the store.

    anew: whether only an answer will do that was asked for at `since` or later. since: the moment of the
    first claim. held: what was remembered at the last claim. rested_at: when MLflow, which failed another
    replica, may be asked again. refused: MLflow's answer that the store did not take for
    it has a newer one, and when it came. doubts: how often what the store had was no answer.
    """

    question: Question[T]
    anew: bool
    since: int = 0
    held: Entry[Any] | None = None
    rested_at: float | None = None
    refused: tuple[DatedAnswer[T], float] | None = None
    doubts: int = 0

    def next(self, claim: Claim, now: float) -> Next:
        """What to do after this claim. now: seconds, by the clock of rested_at."""
        self.since = self.since or claim.moment
        if claim.has_lease:
            return Next.LEAD
        if not claim.wait:
            return Next.TAKE if claim.stored is not None and self.doubts < _DOUBTS else Next.ALONE
        if not claim.has_failed:
            return Next.WAIT
        if self.rested_at is None:
            self.rested_at = now + claim.wait
        # Whoever has waited for one failure of another replica to pass asks for himself.
        return Next.REST if now < self.rested_at else Next.ALONE

    def origin(self, claim: Claim) -> Origin:
        """How the store came by its answer: it was there, or came while another replica asked."""
        if self.since == claim.moment:
            return Origin.SHARED
        return Origin.COLLAPSED if self.refused is None else Origin.MISS

    def distrust(self, claim: Claim) -> None:
        """What is stored now is no answer: only a later one may be."""
        self.doubts += 1
        self.anew, self.since = True, claim.moment
