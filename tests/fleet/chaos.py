"""What a network may do to what passes between a replica and its store."""

import asyncio
import random
from contextlib import suppress

from tests.resilience.proxy import Behaviour, Wire

_CHUNK = 65_536


def passing(dice: random.Random, *, delay: float = 0.0, slow: float = 1.0, cut: float = 0.0) -> Behaviour:
    """Pass on what comes, but delay a share of the pieces by up to some seconds, and cut at a share of them.

    delay: seconds at most. slow, cut: shares, from 0 to 1.
    """

    async def behave(wire: Wire) -> None:
        reader, writer = await asyncio.open_connection(wire.upstream.host, wire.upstream.port)

        async def pump(one: asyncio.StreamReader, other: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError):
                while data := await one.read(_CHUNK):
                    if dice.random() < cut:
                        other.write(data[: len(data) // 2])
                        wire.reset()
                        break
                    if dice.random() < slow:
                        await asyncio.sleep(dice.uniform(0, delay))
                    other.write(data)
                    await other.drain()
            other.close()

        try:
            await asyncio.gather(pump(wire.reader, writer), pump(reader, wire.writer))
        finally:
            writer.close()

    return behave
