"""What each store of answers is able to that replicas share."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from service.cache.shared_store import Claim, Fill, Key, SharedStore, Wish
from tests.store.answer_stores import Stores

ONE, TWO = b"1" * 16, b"2" * 16
GROUP, OTHER = b"g" * 16, b"h" * 16


def fill(key: Key = ONE, data: bytes = b"data", fresh: float = 60.0, **fields: object) -> Fill:
    """An answer that is fresh for so long, and renewable as long again."""
    return Fill(key, data, 0.0, fresh, fresh * 2, 600.0, **fields)  # type: ignore[arg-type]


async def claimed(store: SharedStore, wish: Wish) -> Claim:
    """What the store says to one wish."""
    [claim] = await store.claim([wish])
    return claim


async def filled(store: SharedStore, *fills: Fill) -> list[int]:
    """The versions of answers that are asked for now."""
    claims = await store.claim([Wish(one.key, anew=True) for one in fills])
    return await store.fill(claims[0].moment, fills)


async def sent(store: SharedStore, known: int) -> list[bytes | None]:
    """The data that are sent to who knows this version, by either way to get them."""
    [read] = await store.read([Wish(ONE, known)])
    stored = (await claimed(store, Wish(ONE, known))).stored
    assert read is not None
    assert stored is not None
    return [read.data, stored.data]


async def test_one_replica_gets_the_lease(stores: Stores) -> None:
    """Of two that lack an answer the first is to ask, and the second to wait while the lease lasts."""
    first, second = await stores.replica(), await stores.replica()
    own = await claimed(first, Wish(ONE))
    other = await claimed(second, Wish(ONE))
    assert (True, 0.0, None) == (own.has_lease, own.wait, own.stored)
    assert (False, False, None) == (other.has_lease, other.has_failed, other.stored)
    assert 0 < other.wait <= stores.lease
    assert own.moment < other.moment


async def test_a_fill_answers_all(stores: Stores) -> None:
    """What one replica fills another gets, with the moments of its claim and of its arrival."""
    first, second = await stores.replica(), await stores.replica()
    own = await claimed(first, Wish(ONE))
    version, _ = await first.fill(own.moment, [fill(), fill(TWO, b"member")])
    claims = await second.claim([Wish(ONE), Wish(TWO)])
    assert [b"data", b"member"] == [claim.stored.data for claim in claims if claim.stored is not None]
    stored = claims[0].stored
    assert stored is not None
    assert (own.moment, version) == (stored.asked, stored.version)
    assert own.moment <= stored.arrived <= claims[0].moment
    assert [False, False] == [claim.has_lease for claim in claims]


async def test_what_a_replica_has_is_not_sent_again(stores: Stores) -> None:
    """Data of the version that a replica knows stay out of the reply; they are sent once they are others."""
    store = await stores.replica()
    [version] = await filled(store, fill())
    assert [version] == await filled(store, fill())
    assert [None, None] == await sent(store, version)
    [other] = await filled(store, fill(data=b"other"))
    assert other > version
    assert [b"other", b"other"] == await sent(store, version)


async def test_a_fill_that_was_asked_for_too_early_is_refused(stores: Stores) -> None:
    """An answer that was asked for before the stored one had arrived changes nothing."""
    first, second = await stores.replica(), await stores.replica()
    early = await claimed(first, Wish(ONE))
    await stores.passes(stores.lease + 0.05)
    late = await claimed(second, Wish(ONE))
    assert late.has_lease
    [version] = await second.fill(late.moment, [fill(data=b"new")])
    assert [0] == await first.fill(early.moment, [fill(data=b"old")])
    [stored] = await first.read([Wish(ONE)])
    assert stored is not None
    assert (b"new", version) == (stored.data, stored.version)


async def test_a_lease_ends(stores: Stores) -> None:
    """A lease that nobody extends is another's after its time; one that is extended is not."""
    first, second = await stores.replica(), await stores.replica()
    own = await claimed(first, Wish(ONE))
    await stores.passes(stores.lease * 0.7)
    await first.extend(own.moment, [ONE])
    await stores.passes(stores.lease * 0.7)
    assert not (await claimed(second, Wish(ONE))).has_lease
    await stores.passes(stores.lease * 1.1)
    taken = await claimed(second, Wish(ONE))
    assert taken.has_lease
    await first.extend(own.moment, [ONE])
    await first.give_up(own.moment, [ONE])
    assert not (await claimed(first, Wish(ONE))).has_lease


async def test_a_lease_that_is_given_up_is_free(stores: Stores) -> None:
    """A lease that is given up is the next one's; after a failure nobody gets it for a while."""
    first, second = await stores.replica(), await stores.replica()
    own = await claimed(first, Wish(ONE))
    await first.give_up(own.moment, [ONE])
    own = await claimed(second, Wish(ONE))
    assert own.has_lease
    await second.give_up(own.moment, [ONE], pause=0.3)
    rest = await claimed(first, Wish(ONE))
    assert (False, True) == (rest.has_lease, rest.has_failed)
    assert 0 < rest.wait <= 0.3
    await stores.passes(0.35)
    assert (await claimed(first, Wish(ONE))).has_lease


async def test_what_is_no_longer_fresh(stores: Stores) -> None:
    """A stale answer goes to who takes one; to others beside the lease, or beside the wait for it."""
    store = await stores.replica()
    await filled(store, fill(fresh=0.2))
    await stores.passes(0.25)
    stale = await claimed(store, Wish(ONE, stale=True))
    lease = await claimed(store, Wish(ONE))
    wait = await claimed(store, Wish(ONE))
    assert [False, True, False] == [claim.has_lease for claim in (stale, lease, wait)]
    assert [0.0, 0.0] == [stale.wait, lease.wait]
    assert 3 * [b"data"] == [claim.stored.data for claim in (stale, lease, wait) if claim.stored is not None]
    assert wait.wait > 0
    await stores.passes(0.2)
    assert (await claimed(store, Wish(ONE, stale=True))).wait > 0


async def test_what_arrived_meanwhile_will_do(stores: Stores) -> None:
    """Who waited takes what arrived since his first claim, however short it is fresh."""
    store = await stores.replica()
    first = await claimed(store, Wish(ONE))
    waiting = await claimed(store, Wish(ONE))
    await store.fill(first.moment, [fill(fresh=0.0)])
    again = await claimed(store, Wish(ONE, since=waiting.moment))
    assert again.stored is not None
    assert (b"data", False) == (again.stored.data, again.has_lease)
    assert (await claimed(store, Wish(ONE))).has_lease


async def test_anew_takes_only_what_was_asked_for_since(stores: Stores) -> None:
    """Who wants MLflow's own word gets no answer that was asked for before, and waits for who asks."""
    first, second = await stores.replica(), await stores.replica()
    await filled(first, fill())
    early = await claimed(first, Wish(ONE, anew=True))
    assert (True, None) == (early.has_lease, early.stored)
    mine = await claimed(second, Wish(ONE, anew=True))
    assert (False, None) == (mine.has_lease, mine.stored)
    await first.fill(early.moment, [fill(data=b"early")])
    again = await claimed(second, Wish(ONE, since=mine.moment, anew=True))
    assert again.has_lease
    other = await claimed(first, Wish(ONE, since=mine.moment, anew=True))
    assert other.wait > 0
    await second.fill(again.moment, [fill(data=b"late")])
    last = await claimed(first, Wish(ONE, since=mine.moment, anew=True))
    assert last.stored is not None
    assert (b"late", again.moment) == (last.stored.data, last.stored.asked)


async def test_notices(stores: Stores) -> None:
    """Each replica hears of what is new and of leases that end, and which of it was its own doing."""
    first, second = await stores.replica(), await stores.replica()
    heard: list[tuple[Key, bool]] = []
    news = asyncio.Event()

    def told(keys: Sequence[Key] | None, is_own: bool) -> None:
        heard.extend((key, is_own) for key in keys or ())
        news.set()

    second.watch(told)

    async def until(*expected: tuple[Key, bool]) -> None:
        async with asyncio.timeout(10):
            while list(expected) != heard:
                news.clear()
                await news.wait()
        heard.clear()

    await filled(first, fill(ONE), fill(TWO))
    await until((ONE, False), (TWO, False))
    own = await claimed(second, Wish(ONE, anew=True))
    await second.fill(own.moment, [fill(ONE), fill(TWO)])  # the same data: only a lease has ended
    await until((ONE, True))
    other = await claimed(first, Wish(TWO, anew=True))
    await first.give_up(other.moment, [ONE, TWO])
    await until((TWO, False))


async def test_groups(stores: Stores) -> None:
    """Who gets the lease hears what the groups of the question have, the newest of each first."""
    store = await stores.replica()
    for name in (b"a", b"b", b"a"):
        await filled(store, fill(TWO, name, group=GROUP, name=name))
        await stores.passes(0.001)
    await filled(store, fill(TWO, b"c", group=OTHER, name=b"c"))
    lease = await claimed(store, Wish(ONE, groups=(GROUP, OTHER)))
    wait = await claimed(store, Wish(ONE, groups=(GROUP, OTHER)))
    assert [b"a", b"b", b"c"] == list(lease.near)
    assert [] == list(wait.near)


async def test_a_group_has_no_more_than_some(stores: Stores) -> None:
    """Of many lists a group has the newest."""
    store = await stores.replica()
    names = [b"%03d" % number for number in range(80)]
    for name in names:
        await filled(store, fill(TWO, name, group=GROUP, name=name))
    lease = await claimed(store, Wish(ONE, groups=(GROUP,)))
    assert names[:15:-1] == list(lease.near)


@pytest.mark.parametrize(
    "data",
    [b"", b"xt1\n", b"xt1\n" + b"\xff" * 60, b"their own text" * 10],
    ids=["empty", "short", "of the future", "text"],
)
async def test_what_another_service_wrote_is_written_over(stores: Stores, data: bytes) -> None:
    """Whatever lies under the names of a question counts as nothing, and is replaced by the next fill."""
    store = await stores.replica()
    await filled(store, fill())
    await stores.spoil(ONE, data)
    assert [None] == await store.read([Wish(ONE)])
    claim = await claimed(store, Wish(ONE))
    assert (True, None) == (claim.has_lease, claim.stored)
    assert [0] != await store.fill(claim.moment, [fill()])
    stored = (await claimed(store, Wish(ONE))).stored
    assert stored is not None
    assert b"data" == stored.data
