"""Makes sure that the default experiment exists."""

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
from service.upstream.verdict import NotMlflow
from service.upstream.watched_experiment import WatchedExperiment

log = logging.getLogger("service.upstream")

_FIRST_PAUSE = 0.5  # seconds
_LONGEST_PAUSE = 30.0
_ALIKE = 0.85  # of difflib: hedge-fund-reserch and hedge-fund-research are 0.97
# What answers, and is no word of MLflow's on the experiment: it may be there, or let the service in, later.
_WORTH_A_WARNING = (UpstreamAuth, UpstreamForbidden, NotMlflow)


async def ensure_experiment(
    client: MlflowClient | WatchedExperiment,
    name: str,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Create the experiment where MLflow lacks it; safe when many replicas do so at once.

    Tried again and again, after ever longer pauses, until MLflow itself says yes or no; what else answers
    in its place is a warning, once for each cause.
    """
    pause = _FIRST_PAUSE
    told = set()
    while True:
        try:
            if (await client.answer(GetExperiment(name))).value is None and await client.create_experiment(
                name
            ):
                log.info("created the experiment %r in MLflow", name)
                await _warn_of_a_slip(client, name)
        except UpstreamRefused as error:
            log.warning("MLflow refuses to create the experiment %r: %s", name, error.cause)
        except UpstreamFailure as error:
            is_news = isinstance(error, _WORTH_A_WARNING) and error.cause not in told
            told.add(error.cause)
            level = logging.WARNING if is_news else logging.INFO
            log.log(level, "looking for the experiment %r again in %g s: %s", name, pause, error.cause)
            await sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            continue
        return


def resembling(name: str, names: Sequence[str]) -> str | None:
    """The experiment that was most likely meant by a name that is nearly its own; None where none is.

    Names that differ in numbers or letter case alone: the former are meant to differ, the latter are not.
    """
    plain = {one.casefold(): one for one in names if one != name and _figures(one) != _figures(name)}
    plain |= {one.casefold(): one for one in names if one != name and one.casefold() == name.casefold()}
    found = get_close_matches(name.casefold(), plain, 1, _ALIKE)
    return plain[found[0]] if found else None


def _figures(name: str) -> str:
    return re.sub(r"\d+", "0", name.casefold())


async def _warn_of_a_slip(client: MlflowClient | WatchedExperiment, name: str) -> None:
    with suppress(UpstreamFailure):  # it is only a courtesy
        if meant := resembling(name, [one.name for one in (await client.answer(ListExperiments())).value]):
            log.warning("MLflow also has the experiment %r: was that meant, and not %r?", meant, name)
