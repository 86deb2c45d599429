"""Which experiments are indexed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from service.answer import Answer
from service.tracking.questions import GetExperiment, ListExperiments
from service.tracking.runs import Experiment
from service.tracking.source import Source

ALL: Final = "*"
_FEW = 2  # names that are asked for one by one


class Scope:
    """The experiments that are indexed, by their names; `*` alone means every one.

    An experiment that does not exist, or not yet, is none, and one that is deleted leaves. One that is
    renamed leaves, too, where it was named.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(dict.fromkeys(names))

    async def look(self, source: Source) -> tuple[tuple[Experiment, ...], float]:
        """Those that exist now, and the seconds that the question waited for MLflow; UpstreamFailure.

        It takes two calls at most.
        """
        if ALL in self.names or len(self.names) > _FEW:
            listed = await source.answer(ListExperiments())
            return self._chosen(listed.value), listed.waited
        answers: list[Answer[Experiment | None]] = [
            await source.answer(GetExperiment(name)) for name in self.names
        ]
        existing = [answer.value for answer in answers if answer.value is not None]
        return self._chosen(existing), sum(answer.waited for answer in answers)

    def _chosen(self, experiments: Sequence[Experiment]) -> tuple[Experiment, ...]:
        return tuple(
            one for one in experiments if one.is_active and (ALL in self.names or one.name in self.names)
        )
