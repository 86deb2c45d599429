"""Creates the default experiment where MLflow lacks it."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from difflib import get_close_matches

from service.errors import UpstreamAuth, UpstreamFailure, UpstreamForbidden, UpstreamRefused
from service.tracking.questions import GetExperiment, ListExperiments
from service.upstream.client import MlflowClient
from service.upstream.failures import NotMlflow
from service.upstream.watched_experiment import WatchedExperiment

log = logging.getLogger("service.upstream")

_FIRST_PAUSE = 0.5  # seconds
_LONGEST_PAUSE = 30.0
_ALIKE = 0.85  # of difflib: hedge-fund-reserch and hedge-fund-research are 0.97
# Answers that say nothing about the experiment: it may exist, or the service may be let in, later.
_WORTH_A_WARNING = (UpstreamAuth, UpstreamForbidden, NotMlflow)


async def ensure_experiment(
    client: MlflowClient | WatchedExperiment,
    name: str,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Create the experiment where MLflow lacks it; safe when many replicas do so at once.

    Repeated, after ever longer pauses, until MLflow itself accepts or refuses. Each other kind of answer is
    logged as a warning, once for each cause. sleep: in seconds.
    """
    pause = _FIRST_PAUSE
    causes = set()
    while True:
        try:
            if (await client.answer(GetExperiment(name))).value is None and await client.create_experiment(
                name
            ):
                log.info("created the experiment %r in MLflow", name)
                await _warn_of_similar(client, name)
        except UpstreamRefused as error:
            log.warning("MLflow refuses to create the experiment %r: %s", name, error.cause)
        except UpstreamFailure as error:
            is_news = isinstance(error, _WORTH_A_WARNING) and error.cause not in causes
            causes.add(error.cause)
            level = logging.WARNING if is_news else logging.INFO
            text = "MLflow does not say whether the experiment %r exists, next attempt in %g s: %s"
            log.log(level, text, name, pause, error.cause)
            await sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            continue
        return


def resembling(name: str, names: Sequence[str]) -> str | None:
    """The experiment whose name is so similar that it was probably intended; None where there is none.

    Names that differ only in numbers are taken as intended, names that differ only in letter case are not.
    """
    plain = {one.casefold(): one for one in names if one != name and _figures(one) != _figures(name)}
    plain |= {one.casefold(): one for one in names if one != name and one.casefold() == name.casefold()}
    matches = get_close_matches(name.casefold(), plain, 1, _ALIKE)
    return plain[matches[0]] if matches else None


def _figures(name: str) -> str:
    return re.sub(r"\d+", "0", name.casefold())


async def _warn_of_similar(client: MlflowClient | WatchedExperiment, name: str) -> None:
    with suppress(UpstreamFailure):  # it is only a courtesy
        if other := resembling(name, [one.name for one in (await client.answer(ListExperiments())).value]):
            log.warning("the experiment %r is new, but MLflow also has %r: did you mean that?", name, other)
