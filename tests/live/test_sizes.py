"""The contract at its edges, over the fake and over a real MLflow: large runs, many experiments, odd keys."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from pydantic import BaseModel
from yarl import URL

from service.api import schemas
from service.upstream import client
from tests.api.serving import API, ROUTES, answered, refused
from tests.live.contract import FRESH, Page, page_of
from tests.live.logbook import LARGEST, Logbook, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODELS: dict[str, type[BaseModel]] = {
    "runs": schemas.RunList,
    "run": schemas.RunDetail,
    "metrics": schemas.RunMetrics,
    "params": schemas.RunParams,
    "compare": schemas.Comparison,
    "experiments": schemas.ExperimentList,
}


@pytest_asyncio.fixture(loop_scope="module")
async def page(mlflow: Logbook) -> AsyncIterator[Page]:
    async with page_of(mlflow) as page:
        yield page


async def test_long_params(page: Page) -> None:
    """A parameter of 6,000 characters comes back whole, in a list, a detail and a comparison."""
    first, second = [await page.mlflow.create_run(page.experiment, "n") for _ in range(2)]
    await page.mlflow.log(first, params={"universe": "é" * 6_000})
    expected = {"universe": "é" * 6_000}
    assert expected in [run["params"] for run in await page.listed()]
    assert expected == (await page.detail(first))["params"]
    body = await page.compare(second, first)
    assert {second: None, first: "é" * 6_000} == body["param_diff"]["universe"]["values"]


async def test_the_largest_numbers(page: Page) -> None:
    """The largest double stands for infinity, and is null; the one before it and the smallest are numbers."""
    run_id = await page.mlflow.create_run(page.experiment, "n")
    numbers = {"before": 1.7976931348623155e308, "smallest": 5e-324, "third": 1 / 3, "large": 2.0**63}
    await page.mlflow.log(run_id, metrics={**numbers, "largest": LARGEST, "lowest": -LARGEST})
    assert {**numbers, "largest": None, "lowest": None} == (await page.detail(run_id))["metrics"]


@pytest.mark.parametrize(
    "run_id", ["a%20b", "%2e%2e", "%27", "%00", "%5C", "caf%C3%A9", "a%2Fb", "%25", "-", "*"]
)
async def test_a_malformed_id(page: Page, run_id: str) -> None:
    """What is no run id at all is unknown: a 404 as a detail, and {} inside a 200 otherwise."""
    await refused(await page.api.get(URL(f"{API}/runs/{run_id}", encoded=True)), 404, "run_not_found")
    for route in ("metrics", "params"):
        response = await page.api.get(URL(f"{API}/runs/{run_id}/{route}", encoded=True))
        assert (200, {}) == (response.status, (await response.json())[route])


async def test_many_tags(page: Page) -> None:
    """A run with 500 tags of its own shows them all, in a list and in its detail."""
    tags = {f"tag.{number}": f"value {number}" for number in range(500)}
    run_id = await page.mlflow.create_run(page.experiment, "n")
    for start in range(0, 500, 100):
        await page.mlflow.log(run_id, tags=dict(list(tags.items())[start : start + 100]))
    assert tags.items() <= (await page.detail(run_id))["tags"].items()
    assert tags.items() <= (await page.listed())[0]["tags"].items()


async def test_many_metrics(page: Page) -> None:
    """A run with 1,000 metrics shows them all, in a list, a detail and a comparison."""
    metrics = {f"fold_{number}/sharpe": number / 8 for number in range(1_000)}
    first, second = [await page.mlflow.create_run(page.experiment, "n") for _ in range(2)]
    for start in range(0, 1_000, 500):
        await page.mlflow.log(first, metrics=dict(list(metrics.items())[start : start + 500]))
    assert metrics == (await page.detail(first))["metrics"]
    assert metrics in [run["metrics"] for run in await page.listed()]
    body = await page.compare(second, first)
    assert metrics == {name: diff["values"][first] for name, diff in body["metric_diff"].items()}


async def test_the_highest_step_counts(page: Page) -> None:
    """Of the values of a metric the one of the highest step counts, then the one of the latest time stamp."""
    run_id = await page.mlflow.create_run(page.experiment, "n")
    for value, step, timestamp in [(1.0, 1, 50), (3.0, 3, 10), (2.0, 2, 99), (0.5, 3, 5), (-4.0, -1, 999)]:
        await page.mlflow.log(run_id, metrics={"loss": value}, step=step, timestamp=timestamp)
    assert {"loss": 3.0} == (await page.detail(run_id))["metrics"]
    assert {"loss": 3.0} == (await page.listed())[0]["metrics"]


@pytest.mark.parametrize("steps", [(5, 2), (2, 5)], ids=["first", "last"])
async def test_the_highest_step_counts_over_all_contexts(page: Page, steps: tuple[int, int]) -> None:
    """Where a server keeps a metric's values by context, too, the value of the highest step counts."""
    run_id = await page.mlflow.create_run(page.experiment, "n")
    for step, mode in zip(steps, ["train", "val"], strict=True):
        metric = {"key": "loss", "value": step / 10, "timestamp": 1, "step": step, "context": {"mode": mode}}
        await page.mlflow.write("runs/log-batch", run_id=run_id, metrics=[metric])
    assert {"loss": 0.5} == (await page.detail(run_id))["metrics"]
    assert {"loss": 0.5} == (await page.listed())[0]["metrics"]


async def test_comparing_ten(page: Page) -> None:
    """Ten runs, of which one is deleted and one is in another experiment, stand in the order asked for."""
    elsewhere = await page.mlflow.create_experiment(unique("elsewhere"))
    places = [page.experiment] * 9 + [elsewhere]
    ids = [await page.mlflow.create_run(place, f"n{number}") for number, place in enumerate(places)]
    for number, run_id in enumerate(ids):
        await page.mlflow.log(run_id, metrics={"rmse": 10.0 - number}, params={"n": f"{number % 2}"})
    await page.mlflow.delete_run(ids[4])
    asked = [*ids[5:], *ids[:5]]
    body = await page.compare(*asked)
    assert asked == [run["run_id"] for run in body["runs"]]
    assert ids[9] == body["metric_diff"]["rmse"]["best_run_id"]
    assert asked == list(body["metric_diff"]["rmse"]["values"])
    assert body["param_diff"]["n"]["varies"]


async def test_names_with_outer_space(page: Page) -> None:
    """A name with a space at its end or start, or in other case, is another name."""
    values = ["s1", "s1 ", " s1", "S1", "s1\u00a0", "s1\t"]
    ids = {
        value: await page.mlflow.create_run(page.experiment, "n", tags={"strategy_id": value})
        for value in values
    }
    assert ids == {value: (await page.ids(strategy_id=value))[0] for value in values}
    assert [1] * len(values) == [len(await page.ids(strategy_id=value)) for value in values]


@pytest.mark.parametrize(
    "value", ["buy and hold", "buy AND hold", '"training"', "'training'", "x or 1=1", "a, b", "(a)", "مرحبا"]
)
async def test_names_with_words_of_the_grammar(page: Page, value: str) -> None:
    """A name with quotes or words of MLflow's filters finds its own runs only, alone or with another."""
    tags = {"run_type": value, "strategy_id": value}
    run_id = await page.mlflow.create_run(page.experiment, "n", tags=tags)
    await page.mlflow.create_run(page.experiment, "n", tags={"run_type": "training", "strategy_id": "buy"})
    assert [run_id] == await page.ids(run_type=value)
    assert [run_id] == await page.ids(strategy_id=value, run_type=value)
    assert [] == await page.ids(strategy_id=value, run_type="training")


async def test_asking_for_nul(page: Page) -> None:
    """A dozen questions for names with a NUL find nothing or fail, and all others are answered meanwhile."""
    run_id = await page.mlflow.create_run(page.experiment, "n", tags={"run_type": "training"})
    for number in range(12):
        for query in ({"run_type": f"a\0{number}"}, {"strategy_id": "\0", "run_type": "training"}):
            response = await page.api.get(f"{API}/runs", params=query, headers=FRESH)
            assert response.status in {200, 502}, await response.text()
            if response.status == 200:
                assert [] == (await response.json())["runs"]
        assert [run_id] == await page.ids(run_type="training")


async def test_experiments_on_several_pages(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every active experiment is listed once, oldest first, also where MLflow gives them on several pages."""
    before = await experiment_ids(page)
    made = [await page.mlflow.create_experiment(unique("paged")) for _ in range(5)]
    await page.mlflow.delete_experiment(made.pop(2))
    monkeypatch.setattr(client, "_PAGE", 2)
    assert before + made == await experiment_ids(page)


async def experiment_ids(page: Page) -> list[str]:
    listed = await page.ask("/experiments", schemas.ExperimentList)
    return [one["experiment_id"] for one in listed["experiments"]]


async def test_cold_and_warm(page: Page) -> None:
    """What is remembered is what MLflow said: each route answers from memory as it did from MLflow."""
    ids = [
        await page.mlflow.create_run(page.experiment, f"n{number}", tags={"run_type": "it's"})
        for number in range(2)
    ]
    for number, run_id in enumerate(ids):
        await page.mlflow.log(run_id, metrics={"sharpe": number / 3, "nan": float("nan")}, params={"p": "1"})
        await page.mlflow.finish(run_id)
    for route in ROUTES:
        cold = await ask(page, route, ids, FRESH)
        assert cold == await ask(page, route, ids, {})
    narrowed = f"{API}/runs?run_type=it's"
    await page.ask("/runs", schemas.RunList)  # which a narrower list may be made from
    warm = (await (await page.api.get(narrowed)).json())["runs"]
    assert sorted(ids) == sorted(run["run_id"] for run in warm)
    assert warm == await page.listed(run_type="it's")


async def ask(page: Page, route: str, ids: list[str], headers: dict[str, str]) -> dict[str, Any]:
    method, path, body = ROUTES[route]
    json = {"run_ids": ids} if body else None
    response = await page.api.request(
        method, API + path.replace("abc123def456", ids[0]), json=json, headers=headers
    )
    return await answered(response, MODELS[route])
