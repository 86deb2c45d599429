"""Makes sure that the default experiment exists."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from service.errors import UpstreamAuth, UpstreamFailure, UpstreamForbidden, UpstreamRefused
from service.upstream.client import MlflowClient

log = logging.getLogger("service.upstream")

_FIRST_PAUSE = 0.5  # seconds
_LONGEST_PAUSE = 30.0


async def ensure_experiment(
    client: MlflowClient, name: str, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
) -> None:
    """Create the experiment where MLflow lacks it; safe when many replicas do so at once.

    Tried again and again, after ever longer pauses, while MLflow does not answer; a refusal is a warning.
    """
    pause = _FIRST_PAUSE
    while True:
        try:
            if (await client.experiment(name)).value is None and await client.create_experiment(name):
                log.info("created the experiment %r in MLflow", name)
        except (UpstreamRefused, UpstreamAuth, UpstreamForbidden) as error:
            log.warning("MLflow refuses to create the experiment %r: %s", name, error.cause)
        except UpstreamFailure as error:
            log.info("looking for the experiment %r again in %g s: %s", name, pause, error.cause)
            await sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            continue
        return
