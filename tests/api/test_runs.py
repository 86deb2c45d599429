"""GET /runs over a fake MLflow."""

import math
from typing import Any

import pytest
from yarl import URL

from service.api import examples, schemas
from tests.api.serving import API, Client, answered, refused, serving
from tests.fakes.mlflow import FakeMlflow


async def listed(api: Client, **query: str) -> dict[str, Any]:
    return await answered(await api.get(f"{API}/runs", params=query), schemas.RunList)


async def ids(api: Client, **query: str) -> list[str]:
    return [run["run_id"] for run in (await listed(api, **query))["runs"]]


async def test_the_example_of_the_reference(api: Client, fake: FakeMlflow) -> None:
    """The run of the reference's example is listed as the reference shows it, with MLflow's own tag."""
    run = examples.RUN_LIST["runs"][0]
    fake.add_run(
        run_id=run["run_id"],
        name=run["run_name"],
        start_time=run["start_time"],
        params=run["params"],
        metrics=run["metrics"],
        tags=run["tags"],
    )
    answer = await listed(api, run_type="walk_forward", strategy_id=examples.STRATEGY, limit="20")
    assert run["run_name"] == answer["runs"][0]["tags"].pop("mlflow.runName")
    assert examples.RUN_LIST == answer


async def test_newest_start_comes_first(api: Client, fake: FakeMlflow) -> None:
    """Runs stand by descending start, whatever the order in which they were logged."""
    for start in (2, 3, 1):
        fake.add_run(run_id=f"r{start}", start_time=start)
    assert ["r3", "r2", "r1"] == await ids(api)


async def test_only_the_default_experiment_is_listed(fake: FakeMlflow) -> None:
    """MLFLOW_EXPERIMENT_NAME says which experiment's runs are listed."""
    other = fake.add_experiment("research / é")
    fake.add_run(run_id="in-default")
    fake.add_run(other, run_id="in-other")
    async with serving(fake.url) as api:
        assert ["in-default"] == await ids(api)
    async with serving(fake.url, mlflow_experiment_name="research / é") as api:
        assert ["in-other"] == await ids(api)


@pytest.mark.parametrize("stage", ["absent", "deleted"])
async def test_without_the_default_experiment_there_are_no_runs(fake: FakeMlflow, stage: str) -> None:
    """An experiment that does not exist, or not any more, is 200 with no runs."""
    if stage == "deleted":
        fake.add_run(fake.add_experiment("gone", lifecycle_stage="deleted"))
    async with serving(fake.url, mlflow_experiment_name="gone") as api:
        assert {"runs": [], "total": 0} == await listed(api)
    assert 0 == fake.count("runs/search")


async def test_a_deleted_run_is_never_listed(api: Client, fake: FakeMlflow) -> None:
    """Deleted runs are left out."""
    fake.add_run(run_id="kept")
    fake.add_run(run_id="gone", lifecycle_stage="deleted")
    assert ["kept"] == await ids(api)


async def test_filters_narrow_together(api: Client, fake: FakeMlflow) -> None:
    """run_type and strategy_id are exact and case-sensitive, and are both to be met."""
    for run_id, run_type, strategy_id in [
        ("a", "training", "s1"),
        ("b", "backtest", "s1"),
        ("c", "training", "s2"),
        ("d", "Training", "s1"),
        ("e", "trainings", "s1"),
    ]:
        fake.add_run(run_id=run_id, tags={"run_type": run_type, "strategy_id": strategy_id})
    assert ["c", "a"] == await ids(api, run_type="training")
    assert ["e", "d", "b", "a"] == await ids(api, strategy_id="s1")
    assert ["a"] == await ids(api, run_type="training", strategy_id="s1")
    assert [] == await ids(api, run_type="cpcv", strategy_id="s1")


async def test_an_empty_filter_is_none(api: Client, fake: FakeMlflow) -> None:
    """A filter with no text lets every run pass, those without the tag included."""
    fake.add_run(run_id="plain")
    fake.add_run(run_id="tagged", tags={"run_type": "training"})
    assert ["tagged", "plain"] == await ids(api, run_type="", strategy_id="")


HOSTILE = [
    "it's",
    'say "hi"',
    "both ' and \"",
    "ends in a backslash\\",
    "\\'",
    "' OR '1'='1",
    "x' AND tags.strategy_id != '",
    "a; b -- c /* d */",
    "50%_off",
    "new\nline\ttab",
    "Ünïcode ☃ 🎲",
    "`tick`",
    " padded ",
    "NOT IN (1)",
]


@pytest.mark.parametrize("value", HOSTILE)
async def test_any_text_is_safe_in_a_filter(api: Client, fake: FakeMlflow, value: str) -> None:
    """A filter finds the runs whose tag is exactly the text, be it quotes, backslashes or grammar."""
    fake.add_run(run_id="meant", tags={"run_type": value, "strategy_id": "s"})
    fake.add_run(run_id="other", tags={"run_type": value, "strategy_id": "t"})
    fake.add_run(
        run_id="alike", tags={"run_type": value.replace("'", "_").replace('"', "_").replace("\\", "_") + "x"}
    )
    fake.add_run(run_id="plain")
    assert ["other", "meant"] == await ids(api, run_type=value)
    assert ["meant"] == await ids(api, run_type=value, strategy_id="s")


async def test_two_values_that_would_swallow_a_clause_find_nothing(api: Client, fake: FakeMlflow) -> None:
    """A backslash in one filter and a comparison in the other do not widen the result."""
    fake.add_run(tags={"run_type": "a", "strategy_id": "victim"})
    assert [] == await ids(api, run_type="a\\", strategy_id=" AND tags.z != 'b")
    assert [] == await ids(api, run_type="a", strategy_id='" AND tags.z != "b')


async def test_a_filter_that_cannot_be_exact_reads_on_over_pages(api: Client, fake: FakeMlflow) -> None:
    """Where a value cannot be quoted, look-alikes are left out, be they more than fill a page of MLflow's."""
    fake.add_run(run_id="oldest", tags={"run_type": "a'b\"c"})
    for _ in range(1_000):
        fake.add_run(tags={"run_type": "a_b_c"})
    fake.add_run(run_id="newest", tags={"run_type": "a'b\"c"})
    assert ["newest", "oldest"] == await ids(api, run_type="a'b\"c")
    assert [51, 204, 816] == [
        call.json["max_results"] for call in fake.calls if call.endpoint == "runs/search"
    ]
    assert ["newest"] == await ids(api, run_type="a'b\"c", limit="1")


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (None, 50),
        ("1", 1),
        ("007", 7),
        ("100", 100),
        ("101", 100),
        (str(10**30), 100),
        ("0" * 30 + "7", 7),
    ],
)
async def test_limits(api: Client, fake: FakeMlflow, limit: str | None, expected: int) -> None:
    """A limit is 50 when not given, and 100 at the most."""
    for _ in range(120):
        fake.add_run()
    found = await listed(api, **({} if limit is None else {"limit": limit}))
    assert expected == found["total"]
    assert expected == len(found["runs"])


@pytest.mark.parametrize(
    "limit",
    [
        "abc",
        "0",
        "-0",
        "-1",
        "1e3",
        "1_0",
        "5.0",
        "",
        " ",
        " 5",
        "+5",
        "٣",
        "²",
        "0x10",
        "5,",
        "null",
        str(-(10**30)),
        "1" * 500 + "x",
    ],
)
async def test_limits_that_are_refused(
    api: Client, fake: FakeMlflow, caplog: pytest.LogCaptureFixture, limit: str
) -> None:
    """A limit below 1, or no integer in plain digits, is a 422 that names it, and is not logged."""
    body = await refused(await api.get(f"{API}/runs", params={"limit": limit}), 422, "invalid_request")
    assert ["query.limit"] == [error["location"] for error in body["errors"]]
    assert all(error["message"] for error in body["errors"])
    assert [] == fake.calls
    assert [] == [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]


async def test_unknown_query_parameters_are_ignored(api: Client, fake: FakeMlflow) -> None:
    """What is no parameter of the route changes nothing."""
    fake.add_run(run_id="r")
    assert ["r"] == await ids(api, offset="7", Limit="x", order_by="junk")


@pytest.mark.parametrize(
    "query", ["run_type=%ED%A0%80", "run_type=%00", "run_type=%FF%FE", "limit=5&&=&run_type", "%"]
)
async def test_odd_queries_are_answered(api: Client, fake: FakeMlflow, query: str) -> None:
    """Bytes that are no UTF-8, NUL and stray separators are no errors; they find what they find."""
    fake.add_run()
    response = await api.get(URL(f"{API}/runs?{query}", encoded=True))
    assert (await answered(response, schemas.RunList))["total"] in {0, 1}


async def test_values_that_json_lacks_are_null(api: Client, fake: FakeMlflow) -> None:
    """A metric that is NaN or infinite is null."""
    fake.add_run(metrics={"nan": math.nan, "inf": math.inf, "ninf": -math.inf, "one": 1.0, "big": 1e308})
    [run] = (await listed(api))["runs"]
    assert {"nan": None, "inf": None, "ninf": None, "one": 1.0, "big": 1e308} == run["metrics"]


async def test_a_run_with_nothing_logged_has_empty_objects(api: Client, fake: FakeMlflow) -> None:
    """Objects that MLflow leaves out are there and empty; the only tag is MLflow's own, the name."""
    fake.add_run(run_id="r", name="bare", start_time=0, status="SCHEDULED")
    assert [
        {
            "run_id": "r",
            "run_name": "bare",
            "status": "SCHEDULED",
            "start_time": 0,
            "params": {},
            "metrics": {},
            "tags": {"mlflow.runName": "bare"},
        }
    ] == (await listed(api))["runs"]


@pytest.mark.parametrize(
    "different",
    [
        FakeMlflow(string_int64=True),
        FakeMlflow(name_in_tag_only=True),
        FakeMlflow(bare_nan=True),
        FakeMlflow(infinity_strings=True),
        FakeMlflow(pretty=False),
    ],
    ids=["quoted int64", "name in a tag", "bare NaN", "infinity in words", "compact"],
)
async def test_other_servers_of_the_same_api_read_alike(different: FakeMlflow) -> None:
    """Quoted int64, names in tags only, bare NaN, infinity in words and compact JSON make no difference."""
    bodies = []
    for server in (FakeMlflow(), different):
        async with server.serve() as fake, serving(fake.url) as api:
            fake.add_run(run_id="r", name="n", metrics={"nan": math.nan, "inf": -math.inf, "one": 1.0})
            bodies.append(await listed(api))
    assert bodies[0] == bodies[1]


async def test_experiment_and_runs_are_asked_for_below_a_prefix() -> None:
    """A proxy's path prefix in MLflow's address is kept."""
    async with FakeMlflow(prefix="/mlflow").serve() as fake, serving(fake.url) as api:
        fake.add_run(run_id="r")
        assert ["r"] == await ids(api)
