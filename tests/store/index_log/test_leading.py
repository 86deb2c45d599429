"""Who writes a log that replicas share: one of them, until its lease ends."""

from service.index.shared.log import SharedLog
from tests.store.index_log.stores import Store, records


class TestLead:
    async def test_one_replica_has_the_lease(self, store: Store) -> None:
        """The first replica that asks gets the lease, and keeps it however often another one asks."""
        first, second = await store.replica(), await store.replica()
        assert [True, False, True, False] == [
            (await log.lead()).is_writer for log in (first, second, first, second)
        ]

    async def test_there_is_no_log_at_first(self, store: Store) -> None:
        """Before somebody begins a log there is none, and no snapshot."""
        head = await (await store.replica()).lead()
        assert ("", 0, None) == (head.epoch, head.last, head.snapshot)

    async def test_all_see_how_the_log_ends(self, writer: SharedLog, follower: SharedLog) -> None:
        """The epoch and the number of the last record are the same for all replicas."""
        await writer.publish("one", 0, records(1, 3))
        for log in (writer, follower):
            head = await log.lead()
            assert ("one", 3) == (head.epoch, head.last)

    async def test_a_lease_that_is_given_back_is_free(self, writer: SharedLog, follower: SharedLog) -> None:
        """Another replica need not wait for the end of a lease that is given back."""
        await writer.resign()
        assert (await follower.lead()).is_writer
        assert not (await writer.lead()).is_writer

    async def test_who_has_no_lease_gives_none_back(self, follower: SharedLog) -> None:
        """What another replica has is not given back."""
        await follower.resign()
        assert not (await follower.lead()).is_writer

    async def test_a_lease_that_ended_is_free(
        self, store: Store, writer: SharedLog, follower: SharedLog
    ) -> None:
        """A replica that does not prolong its lease loses it, and the log goes on as it was."""
        await writer.publish("one", 0, records(1, 2))
        await store.end_lease()
        head = await follower.lead()
        assert ("one", 2, True) == (head.epoch, head.last, head.is_writer)
        assert 3 == await follower.publish("one", 2, records(3, 3))
