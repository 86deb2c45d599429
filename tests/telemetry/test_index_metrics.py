"""What the service tells Prometheus of its index and of searches."""

from pathlib import Path
from typing import Any

import pytest

from service.index import snapshot_keeper
from tests.api.serving import API, serving
from tests.api.test_index_at_start import complete, with_index
from tests.fakes.mlflow import FakeMlflow
from tests.telemetry.test_metrics import Samples, scrape, value


def of_index(samples: Samples) -> dict[str, float]:
    """The metrics of the index that have no labels, by what follows their common name."""
    return {
        name.removeprefix("tracking_index_"): number
        for (name, labels), number in samples.items()
        if name.startswith("tracking_index_") and not labels
    }


async def test_what_the_index_holds_and_costs(fake: FakeMlflow) -> None:
    """Runs, bytes, the state, both ages, and MLflow's time by the kind of step are there."""
    for _ in range(4):
        fake.add_run()
    async with serving(fake.url, **with_index()) as api:
        await complete(api)
        samples = await scrape(api)
    numbers = of_index(samples)
    states = {
        dict(labels)["state"]: number
        for (name, labels), number in samples.items()
        if name == "tracking_index_state"
    }
    assert {"reading": 0, "complete": 1, "too_large": 0, "failing": 0} == states
    assert 4 == numbers["runs"]
    assert numbers["bytes"] > 1_000
    assert 0 <= numbers["synced_age_seconds"] < 60
    assert 0 <= numbers["swept_age_seconds"] < 60
    assert value(samples, "tracking_index_mlflow_seconds_total", step="first") > 0
    assert value(samples, "tracking_index_mlflow_seconds_total", step="tick") > 0
    assert value(samples, "tracking_index_steps_total", step="first", outcome="done") >= 1
    assert not [name for name in numbers if name.startswith("snapshot")]


async def test_before_anything_was_read_there_is_no_age(fake: FakeMlflow) -> None:
    """An age that is not known is no number, not zero."""
    await fake.stop()
    async with serving(fake.url, **with_index()) as api:
        numbers = of_index(await scrape(api))
    assert {"runs", "bytes"} <= numbers.keys()
    assert not [name for name in numbers if name.endswith("age_seconds")]


async def test_the_snapshot(fake: FakeMlflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its age and size are those of what was read or written; a failure is counted."""

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    fake.add_run()
    async with serving(fake.url, **with_index(tmp_path)) as api:
        await complete(api)
        before = of_index(await scrape(api))
        assert api.service.indexing is not None
        keeper = api.service.indexing.snapshot
        assert keeper is not None
        await keeper.write()
        after = of_index(await scrape(api))
        monkeypatch.setattr(snapshot_keeper, "write_snapshot", full)
        fake.add_run()
        await api.service.indexing.index.refresh(("0",))
        await keeper.write()
        failed = of_index(await scrape(api))
    assert "snapshot_age_seconds" not in before
    assert (0, 0) == (before["snapshot_bytes"], before["snapshot_failures_total"])
    assert 0 <= after["snapshot_age_seconds"] < 60
    assert after["snapshot_bytes"] > 500
    assert 1 == failed["snapshot_failures_total"]


def queries(samples: Samples) -> dict[str, float]:
    """How many queries were answered, by their kind."""
    name = "tracking_query_duration_seconds_count"
    return {dict(labels)["kind"]: number for (one, labels), number in samples.items() if one == name}


async def test_queries_by_what_answered(fake: FakeMlflow) -> None:
    """Searches, groups and fields of the index are told from searches that MLflow answered."""

    async def ask(api: Any, path: str) -> None:
        async with api.get(API + path) as response:
            assert 200 == response.status, await response.text()

    fake.add_run()
    async with serving(fake.url, **with_index()) as api:
        await complete(api)
        await ask(api, "/runs/search?page_size=1")
        await ask(api, "/runs/search?page_size=2")
        await ask(api, "/runs/groups?by=tags.strategy_id")
        await ask(api, "/runs/fields")
        assert {"search": 2, "groups": 1, "fields": 1, "mlflow": 0} == queries(await scrape(api))
    async with serving(fake.url) as api:
        await ask(api, "/runs/search")
        assert {"search": 0, "groups": 0, "fields": 0, "mlflow": 1} == queries(await scrape(api))
