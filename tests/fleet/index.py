"""What the indexes of a fleet hold, and who keeps them in step with MLflow."""

import json
from typing import Any

from tests.deploy.balancer import until
from tests.fleet.fleet import Call, Fleet

# As often as it may be, so that tests wait for little.
SETTINGS = {
    "INDEX__ENABLED": "true",
    "INDEX__TICK": "0.5",
    "INDEX__SHARE": "1",
    "INDEX__FIRST_SHARE": "1",
}
# With facets, so that it is never handed to MLflow, and is an error until the index has all runs.
ALL = "/runs/search?page_size=1000&facets=status&order_by=start_time+DESC"
ANY = "/runs/search?page_size=1&facets=status"
SYNC = "runs/search"
_PATIENCE_SECONDS = 30.0


async def table(fleet: Fleet, url: str) -> Any:
    """All runs that a replica finds, and how many there are of each status; None while it finds none."""
    reply = await fleet.caller.ask(url, ALL)
    return (reply.body["runs"], reply.body["facets"]) if reply.status == 200 else None


async def tables_are_equal(fleet: Fleet, urls: list[str]) -> None:
    """Wait until these replicas find the same, which is what MLflow has."""
    tables: list[Any] = []

    async def holds() -> bool:
        tables[:] = [await table(fleet, url) for url in urls]
        return all(one is not None and one == tables[0] and found(one) == held(fleet) for one in tables)

    await until(holds, "the indexes are equal", _PATIENCE_SECONDS, lambda: _differences(fleet, tables))


def found(one: Any) -> dict[str, Any]:
    """Of each run in a table, what tests change."""
    return {run["run_id"]: (run["status"], run["metrics"].get("value")) for run in one[0]}


def held(fleet: Fleet) -> dict[str, Any]:
    """The same of MLflow's runs."""
    return {
        run.run_id: (run.status, run.metrics["value"].value if "value" in run.metrics else None)
        for run in fleet.fake.store.runs.values()
        if run.lifecycle_stage == "active"
    }


async def wait_until_complete(fleet: Fleet, urls: list[str]) -> None:
    """Wait until these replicas have all runs in their indexes."""

    async def holds() -> bool:
        return all([(await fleet.caller.ask(url, ANY)).status == 200 for url in urls])

    await until(holds, "the indexes are complete", 20 * _PATIENCE_SECONDS, fleet.said)


async def writer(fleet: Fleet, calls: list[Call]) -> int:
    """The place of the replica that asks MLflow for the index."""
    await searched(fleet, calls, {replica.pid for replica in fleet.replicas})
    return [replica.pid for replica in fleet.replicas].index(last_sync(calls).pid or 0)


async def searched(fleet: Fleet, calls: list[Call], pids: set[int]) -> Call:
    """The first call for the index by one of these processes from now on."""
    known = len(calls)

    def coming() -> list[Call]:
        return [call for call in calls[known:] if call.endpoint == SYNC and call.pid in pids]

    async def holds() -> bool:
        for replica in fleet.replicas:  # somebody searches, so that new runs are looked for each tick
            if replica.pid in pids:
                await fleet.caller.ask(replica.url, ANY)
        return bool(coming())

    await until(holds, "a replica looks for new runs", _PATIENCE_SECONDS, fleet.said)
    return coming()[0]


def last_sync(calls: list[Call]) -> Call:
    """The newest call for the index."""
    return [call for call in calls if call.endpoint == SYNC][-1]


def _differences(fleet: Fleet, tables: list[Any]) -> str:
    truth = held(fleet)
    parts = []
    for number, one in enumerate(tables):
        here = {} if one is None else found(one)
        other = {
            key: (here.get(key), truth.get(key))
            for key in here.keys() | truth
            if here.get(key) != truth.get(key)
        }
        parts.append(
            f"replica {number + 1}: {len(other)} runs differ: {json.dumps(dict(list(other.items())[:5]))}"
        )
    return "\n".join(parts) + "\n" + fleet.said()
