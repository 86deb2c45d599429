"""The connections to a server that speaks the Redis protocol, and whether it answers."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, NamedTuple

from redis.asyncio import Redis

from service.errors import StoreFailed, shorten
from service.store.attachment import Attachment
from service.store.connections import Server
from service.store.ending import end
from service.store.failures import SLOW, ends_attachment, kind_of
from service.store.replicas import BEAT, LEAVE, ReplicaCount
from service.store.server_clock import ServerClock
from service.store.session import Command, Session

log = logging.getLogger("service.store")

_TURN: Final = 0.002  # seconds in which the event loop sees what has come meanwhile


class Patience(NamedTuple):
    """How long is waited for the store, in seconds.

    answer: for an answer, while a caller waits. connect: for a connection. socket: until a command that
    nobody waits for any more is given up. probe: between two looks at the store. block: of a look into a log.
    lease: that a replica has to ask MLflow, before it must be extended. beat: that a replica counts after its
    last word. settle: until fewer replicas are believed.
    """

    answer: float = 0.025
    connect: float = 0.2
    socket: float = 0.5
    probe: float = 0.5
    block: float = 1.0
    lease: float = 2.0
    beat: float = 3.0
    settle: float = 10.0


class RedisLink:
    """The connections to one server, while `open()` is entered.

    Scripts run on it. After a failure of the server nobody asks it, until a probe has shown that scripts run
    there, write, and may be quick.

    server: where it is. prefix: what the link's own key begins with. clock: seconds, monotonic.
    outcomes: how many scripts were asked for, by ok, slow, failed and detached. failures: by their kind.
    """

    def __init__(
        self,
        server: Server | str,
        patience: Patience = Patience(),  # noqa: B008 - it is frozen
        clock: Callable[[], float] = time.monotonic,
        connections: int = 4,
        prefix: str = "tracking",
    ) -> None:
        self.server = Server(server) if isinstance(server, str) else server
        self.patience = patience
        self._clock = clock
        self._connections = connections
        self._set = prefix.encode() + b":beats"
        self._name = secrets.token_hex(8)
        self._attachment = Attachment()
        self._count = ReplicaCount(patience.settle)
        self._time = ServerClock()
        self._session: Session | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._was_attached: bool | None = None
        self._counted: list[Callable[[int], object]] = []
        self._lost: list[Callable[[], object]] = []
        self.failures: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()

    @property
    def is_attached(self) -> bool:
        """Whether the server answers, as far as is known."""
        return self._session is not None

    @property
    def replicas(self) -> int:
        """How many replicas use the store, this one among them, as far as it said last."""
        return self._count.number

    def watch(self, counted: Callable[[int], object]) -> None:
        """Call this with the number of replicas whenever it is another one."""
        self._counted.append(counted)

    def watch_loss(self, lost: Callable[[], object]) -> None:
        """Call this whenever the server is left alone from now on."""
        self._lost.append(lost)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Attach to the server for as long as the context lasts, as soon as it answers."""
        self._say(*await self._probe())
        watching = asyncio.create_task(self._watch_over())
        try:
            yield
        finally:
            await end(watching)
            with suppress(StoreFailed):
                await self.run(LEAVE, [self._set], [self._name])
            self._retire()
            await asyncio.gather(*self._closing)

    async def examine(self) -> tuple[str, str]:
        """Attach once and leave again; the kind of what is wrong, "" where nothing is, and why."""
        trouble = await self._probe()
        self._retire()
        await asyncio.gather(*self._closing)
        return trouble

    def connections(self, most: int, seconds: float) -> Redis:
        """A client of its own, with so many connections, whose commands may take so many seconds."""
        return self.server.client(most, connect=self.patience.connect, reply=seconds)

    def now(self) -> float:
        """The server's time in seconds, as far as this process can tell without asking."""
        return self._clock() + self._time.ahead

    async def run(
        self,
        script: str,
        keys: Sequence[bytes],
        values: Sequence[Any],
        seconds: float | None = None,
        late: Callable[[Any], object] | None = None,
    ) -> Any:
        """What a script answers; StoreFailed where it does not within the seconds.

        late: called with what it answers later, where it ran although nobody waited any more.
        """
        session, began = self._session, self._clock()
        if session is None:
            self.outcomes["detached"] += 1
            raise StoreFailed("detached")
        command = Command(script, keys, values)
        task = session.start(command, lambda error: self._failed(error, began))
        is_done = False
        try:
            is_done = await _wait(task, self.patience.answer if seconds is None else seconds)
        finally:
            if not is_done:
                command.is_awaited = False
                if late is not None:
                    task.add_done_callback(lambda ended: _tell(ended, late))
        if not is_done:
            self.outcomes["slow"] += 1
            raise self.failed("slow", began)
        if task.exception() is not None:
            self.outcomes["failed"] += 1
        elif self._clock() - began <= self.patience.answer:
            self._attachment.answered()
        reply = task.result()
        self.outcomes["ok"] += 1
        return reply

    def failed(self, kind: str, began: float | None = None, reason: str = "") -> StoreFailed:
        """Count a failure of a command that was begun then; it may be one that detaches.

        reason: what the server or the system says, for the log.
        """
        self.failures[kind] += 1
        now = self._clock()
        if kind in SLOW:
            self._attachment.slow(now if began is None else began, now)
        elif ends_attachment(kind):
            self._attachment.detach(now if began is None else began)
        if self._session is not None and not self._attachment.is_attached:
            self._retire()
            self._count.interrupted()
            self._say(kind, reason)
            for lost in self._lost:
                lost()
        return StoreFailed(kind)

    def _failed(self, error: Exception, began: float) -> StoreFailed:
        return self.failed(kind_of(error), began, str(error))

    def _retire(self) -> None:
        """Close the connections once nothing is under way on them."""
        if (session := self._session) is not None:
            self._session = None
            closing = asyncio.create_task(session.close(2 * self.patience.socket))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def _watch_over(self) -> None:
        """Look at the server at short intervals, whether it answers or not."""
        while True:
            await asyncio.sleep(self.patience.probe)
            if self.is_attached:
                await self._beat()
            else:
                self._say(*await self._probe())

    async def _beat(self) -> None:
        """Say that this replica is there, and see what the server's clock says and how many others are."""
        asked = self._clock()
        with suppress(StoreFailed):
            reply = await self.run(BEAT, [self._set], self._word())
            try:
                self._note(reply, asked)
            except (TypeError, ValueError) as error:
                raise self._failed(error, asked) from error

    async def _probe(self) -> tuple[str, str]:
        """Attach where scripts run, write, and are answered in time; else the kind of failure, and why."""
        session = Session(self.connections(self._connections, self.patience.socket), self._connections)
        try:
            await self._try(session)
        except Exception as error:  # noqa: BLE001 - whatever redis-py makes of what is no Redis
            kind = kind_of(error)
            self.failures[kind] += 1
            return kind, "" if isinstance(error, StoreFailed) else str(error)
        else:
            self._session = session
            self._attachment.attach(self._clock())
            return "", ""
        finally:
            if self._session is not session:
                await session.close(0.0)

    async def _try(self, session: Session) -> None:
        command = Command(BEAT, [self._set], self._word())
        await session.evaluate(command)  # opens a connection
        self._time.forget()
        until, is_quick = self._clock() + self.patience.socket, False
        while not is_quick:
            asked = self._clock()
            if asked >= until:
                raise StoreFailed("slow")
            look = asyncio.create_task(session.evaluate(command))
            try:
                is_quick = await _wait(look, self.patience.answer)
                self._note(await look, asked)
            finally:
                look.cancel()  # where whoever probes has left
        # The others are opened now, and not while callers wait.
        await asyncio.gather(*(session.evaluate(command) for _ in range(self._connections)))

    def _word(self) -> list[Any]:
        return [self._name, int(self.patience.beat * 1_000)]

    def _note(self, reply: Any, asked: float) -> None:
        seconds, microseconds, replicas = map(int, reply)
        now = self._clock()
        self._time.looked(asked, now, seconds + microseconds / 1_000_000)
        before = self.replicas
        self._count.seen(replicas, now)
        if self.replicas != before:
            for counted in self._counted:
                counted(self.replicas)

    def _say(self, kind: str, reason: str = "") -> None:
        """Log that it is attached, or why not; once each."""
        if self._was_attached is not (is_attached := not kind):
            self._was_attached = is_attached
            if is_attached:
                log.info("attached to the store that replicas share at %s", self.server.shown)
            else:
                why = f"{kind}: {shorten(reason, 200)}" if reason else kind
                log.warning(
                    "the store that replicas share at %s cannot be used now (%s): this replica goes on alone",
                    self.server.shown,
                    why,
                )


async def _wait(task: asyncio.Task[Any], seconds: float) -> bool:
    """Wait until the task has ended, but no longer than so many seconds; whether it has.

    Where the loop was late, the reply may have come, and only not have been seen.
    """
    clock = asyncio.get_running_loop().time
    until = clock() + seconds
    await asyncio.wait([task], timeout=seconds)
    if not task.done():
        await asyncio.wait([task], timeout=min(seconds, clock() - until) + _TURN)
    return task.done()


def _tell(task: asyncio.Task[Any], late: Callable[[Any], object]) -> None:
    if not task.cancelled() and task.exception() is None:
        late(task.result())
