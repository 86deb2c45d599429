"""The pure parts of the link: when it detaches, the server's clock, and how replicas are counted."""

import pytest
from redis.asyncio import Redis
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    InvalidResponse,
    NoPermissionError,
    ResponseError,
)
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import TimeoutError as NoReply

from service.errors import StoreFailed
from service.store.attachment import Attachment
from service.store.failures import ends_attachment, kind_of
from service.store.replicas import ReplicaCount
from service.store.server_clock import ServerClock
from service.store.session import Session


class TestAttachment:
    def test_three_slow_replies_in_a_row_detach(self) -> None:
        """The third one in a row detaches; one in time in between begins the row anew."""
        attachment = Attachment()
        attachment.attach(0.0)
        for began in (1.0, 2.0):
            attachment.slow(began, began + 0.1)
        attachment.answered()
        for began in (3.0, 4.0):
            attachment.slow(began, began + 0.1)
        assert attachment.is_attached
        attachment.slow(5.0, 5.1)
        assert not attachment.is_attached

    def test_commands_that_wait_together_count_once(self) -> None:
        """A command that was begun before the last slow one ended says nothing new."""
        attachment = Attachment()
        attachment.attach(0.0)
        for began in (1.0, 1.05, 1.09):
            attachment.slow(began, 1.1)
        assert attachment.is_attached

    def test_what_is_older_than_the_attachment_does_not_count(self) -> None:
        """A command from before the last loss fails late, and detaches nobody."""
        attachment = Attachment()
        attachment.attach(10.0)
        attachment.detach(9.0)
        for began in (7.0, 8.0, 9.0):
            attachment.slow(began, began + 5.0)
        assert attachment.is_attached
        attachment.detach(11.0)
        assert not attachment.is_attached


class TestSession:
    async def test_a_connection_that_cannot_be_closed_is_no_failure(self) -> None:
        """A server that hangs does not take leave of a connection over TLS; whoever closes it goes on."""

        class Hanging(Redis):
            async def aclose(self, close_connection_pool: bool | None = None) -> None:  # noqa: ARG002 - its own
                raise NoReply("Timed out closing connection")

        await Session(Hanging(), 1).close(0.0)


class TestServerClock:
    def test_a_quick_look_counts_more_than_a_slow_one(self) -> None:
        """The better look stays, until it is old."""
        clock = ServerClock()
        clock.looked(10.0, 10.002, 110.001)
        assert 100.0 == pytest.approx(clock.ahead)
        clock.looked(11.0, 11.2, 111.0)  # it may be wrong by 100 ms
        assert 100.0 == pytest.approx(clock.ahead)
        clock.looked(80.0, 80.2, 180.2)
        assert 100.1 == pytest.approx(clock.ahead)

    def test_a_clock_that_was_set_counts_at_once(self) -> None:
        """Where two looks cannot both be true, the later one is."""
        clock = ServerClock()
        clock.looked(10.0, 10.002, 110.001)
        clock.looked(11.0, 11.01, 61.005)
        assert 50.0 == pytest.approx(clock.ahead)

    def test_after_a_loss_the_next_look_counts(self) -> None:
        """The server that is back may have another clock, however little it differs."""
        clock = ServerClock()
        clock.looked(10.0, 10.002, 110.001)
        clock.forget()
        clock.looked(11.0, 11.01, 111.015)
        assert 100.01 == pytest.approx(clock.ahead)


class TestReplicaCount:
    def test_more_count_at_once_and_fewer_later(self) -> None:
        """So that all together never ask MLflow more than they may."""
        count = ReplicaCount(10.0)
        count.seen(3, 0.0)
        assert 3 == count.number
        for now in (1.0, 5.0, 10.9):
            count.seen(2, now)
            assert 3 == count.number
        count.seen(2, 11.0)
        assert 2 == count.number
        count.seen(4, 11.1)
        assert 4 == count.number

    def test_a_pause_begins_the_wait_anew(self) -> None:
        """After a loss of the store not all replicas are back at once."""
        count = ReplicaCount(10.0)
        count.seen(3, 0.0)
        count.seen(1, 1.0)
        count.interrupted()
        count.seen(1, 20.0)
        assert 3 == count.number
        count.seen(3, 21.0)
        count.seen(2, 29.0)
        count.seen(2, 38.0)
        assert 3 == count.number


class TestKinds:
    @pytest.mark.parametrize(
        ("error", "kind", "ends"),
        [
            (StoreFailed("slow"), "slow", False),
            (NoReply("no reply"), "timeout", False),
            (TimeoutError(), "timeout", False),
            (NoConnection("refused"), "unreachable", True),
            (ConnectionResetError(), "unreachable", True),
            (AuthenticationError("no"), "noauth", True),
            (BusyLoadingError("loading"), "loading", True),
            (InvalidResponse("rubbish"), "not_redis", True),
            (AttributeError("of an odd reply"), "not_redis", True),
            (ResponseError("MISCONF disk"), "misconf", True),
            (ResponseError("command not allowed", status_code="OOM"), "oom", True),
            (NoPermissionError("no", status_code="NOPERM"), "noperm", False),
            (ResponseError("WRONGTYPE no"), "wrongtype", False),
            (ResponseError("SOMETHING new"), "error", False),
        ],
    )
    def test_each_failure_has_a_kind(self, error: Exception, kind: str, *, ends: bool) -> None:
        """Kinds are few, whatever the server says; some say at once that it is of no use."""
        assert (kind, ends) == (kind_of(error), ends_attachment(kind))
