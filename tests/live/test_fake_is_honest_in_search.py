"""The fake against a real MLflow, runs/search but for its filters: both answer the same."""

import math

import pytest
import pytest_asyncio

from tests.live.logbook import Logbook, names, problem, token, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ordered(mlflow: Logbook) -> str:
    """An experiment with runs 0 to 4: metrics 2, 5, 1, none, NaN; two with a parameter, four with a tag."""
    experiment = await mlflow.create_experiment(unique("ordered"))
    for index, metric in enumerate([2.0, 5.0, 1.0, None, math.nan]):
        run_id = await mlflow.create_run(experiment, f"{index}", start_time=index)
        await mlflow.log(run_id, metrics={} if metric is None else {"m": metric})
        await mlflow.log(run_id, params={"p": "b" if index == 0 else "B"} if index < 2 else {})
        await mlflow.log(run_id, tags={"t": "x" if index < 2 else "y"} if index < 4 else {})
    first = await mlflow.post("runs/search", experiment_ids=[experiment], filter="run_name = '0'")
    await mlflow.finish(first.body["runs"][0]["info"]["run_id"], "FINISHED", 9)
    return experiment


async def test_no_match_is_an_empty_object(mlflow: Logbook, experiment: str) -> None:
    """A search that finds nothing, in no experiment or in an unknown one, is 200 and {}."""
    for experiment_ids in ([], [experiment], ["987654"]):
        reply = await mlflow.post("runs/search", experiment_ids=experiment_ids)
        assert (reply.status, reply.text) == (200, "{}")
    assert (await mlflow.post("runs/search")).text == "{}"


async def test_an_experiment_id_is_an_integer_in_a_string(mlflow: Logbook, experiment: str) -> None:
    """ "x" is 400, a string instead of a list is 400, and a bare number silently finds nothing."""
    await mlflow.create_run(experiment, "n")
    reply = await mlflow.post("runs/search", experiment_ids=["x"])
    message = "Invalid experiment ID 'x'. Experiment ID must be a valid integer."
    assert (400, "INVALID_PARAMETER_VALUE", message) == problem(reply)
    assert problem(await mlflow.post("runs/search", experiment_ids=experiment))[0] == 400
    assert (await mlflow.post("runs/search", experiment_ids=[int(experiment)])).text == "{}"


async def test_several_experiments(mlflow: Logbook, experiment: str) -> None:
    """A search over several experiments is one list, newest start first, each run once."""
    other = await mlflow.create_experiment(unique("other"))
    for index, place in enumerate([experiment, other, experiment]):
        await mlflow.create_run(place, f"{index}", start_time=index)
    reply = await mlflow.post("runs/search", experiment_ids=[experiment, other, experiment])
    assert names(reply) == ["2", "1", "0"]


@pytest.mark.parametrize(
    ("max_results", "message"),
    [
        (0, "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer"),
        (-1, "Invalid value -1 for parameter 'max_results' supplied. It must be a positive integer"),
        (50_001, "Invalid value 50001 for parameter 'max_results' supplied:  Hint: Value was of type 'int'."),
        ("x", "Invalid value \"x\" for parameter 'max_results' supplied:  Hint: Value was of type 'str'."),
    ],
)
async def test_limits(mlflow: Logbook, experiment: str, max_results: object, message: str) -> None:
    """max_results is 1 to 50,000."""
    reply = await mlflow.post("runs/search", experiment_ids=[experiment], max_results=max_results)
    status, code, text = problem(reply)
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert text.startswith(message)


async def test_numbers_may_be_quoted(mlflow: Logbook, experiment: str) -> None:
    """ "1" is a max_results, and the largest that MLflow takes is 50,000."""
    for start in (1, 2):
        await mlflow.create_run(experiment, f"{start}", start_time=start)
    assert names(await mlflow.post("runs/search", experiment_ids=[experiment], max_results="1")) == ["2"]
    assert len(names(await mlflow.post("runs/search", experiment_ids=[experiment], max_results=50_000))) == 2


async def test_pages(mlflow: Logbook, experiment: str) -> None:
    """A page that is not the last has a token, base64 of its offset; an exactly full last page has none."""
    for index in range(4):
        await mlflow.create_run(experiment, f"{index}", start_time=index)
    search = {"experiment_ids": [experiment], "max_results": 2}
    first = await mlflow.post("runs/search", **search)
    assert token({"offset": 2}) == first.body["next_page_token"]
    second = await mlflow.post("runs/search", **search, page_token=first.body["next_page_token"])
    assert (names(first), names(second)) == (["3", "2"], ["1", "0"])
    assert "next_page_token" not in second.body
    assert (await mlflow.post("runs/search", **search, page_token=token({"offset": 100}))).text == "{}"
    assert names(await mlflow.post("runs/search", **search, page_token=token({"offset": -5}))) == ["3", "2"]


@pytest.mark.parametrize(
    ("page_token", "status", "code", "message"),
    [
        ("abc", 400, "INVALID_PARAMETER_VALUE", "Invalid page token, could not base64-decode"),
        ("junk", 400, "INVALID_PARAMETER_VALUE", "Invalid page token, decoded value=b'\\x8e\\xe9\\xe4'"),
        (token({}), 400, "INVALID_PARAMETER_VALUE", "Invalid page token, parsed value={}"),
        (
            token({"offset": 0}),
            400,
            "INVALID_PARAMETER_VALUE",
            "Invalid page token, parsed value={'offset': 0}",
        ),
        (token({"offset": "x"}), 400, "INVALID_PARAMETER_VALUE", "Invalid page token, not stringable x"),
        (token([]), 500, "INTERNAL_ERROR", "'list' object has no attribute 'get'"),
        (token(None), 500, "INTERNAL_ERROR", "'NoneType' object has no attribute 'get'"),
    ],
)
async def test_junk_tokens(
    mlflow: Logbook, experiment: str, page_token: str, status: int, code: str, message: str
) -> None:
    """A page token that is junk is 400, and one that decodes to something else than an object is 500."""
    reply = await mlflow.post("runs/search", experiment_ids=[experiment], page_token=page_token)
    assert (status, code, message) == problem(reply)


async def test_ties_break_by_newest_then_by_id(mlflow: Logbook, experiment: str) -> None:
    """Runs that started together come by ascending id, whatever else they are ordered by."""
    ids = [await mlflow.create_run(experiment, "n", start_time=7) for _ in range(4)]
    for order_by in ([], ["attributes.status DESC"], ["start_time DESC"], ["metrics.m ASC"]):
        found = (await mlflow.post("runs/search", experiment_ids=[experiment], order_by=order_by)).body[
            "runs"
        ]
        assert sorted(ids) == [run["info"]["run_id"] for run in found]


@pytest.mark.parametrize(
    ("order_by", "expected"),
    [
        ([], "43210"),
        (["start_time ASC"], "01234"),
        (["attributes.start_time desc"], "43210"),
        (["created"], "01234"),
        (["metrics.m"], "20143"),
        (["metrics.`m` DESC"], "10243"),
        (["params.p"], "10432"),
        (["params.p DESC"], "01432"),
        (["tags.t DESC", "start_time ASC"], "23014"),
        (["tags.t", "metrics.m DESC"], "10234"),
        (["end_time"], "04321"),
        (["run_name DESC"], "43210"),
    ],
)
async def test_order(mlflow: Logbook, ordered: str, order_by: list[str], expected: str) -> None:
    """Runs without a value come last both ways, NaN just before them, and newest first among equals."""
    reply = await mlflow.post("runs/search", experiment_ids=[ordered], order_by=order_by)
    assert expected == "".join(names(reply))


@pytest.mark.parametrize(
    ("order_by", "status", "code"),
    [
        (["metrics.m", "metrics.m DESC"], 500, "INTERNAL_ERROR"),
        (["bogus"], 400, "INVALID_PARAMETER_VALUE"),
        (["bogus.m"], 400, "INVALID_PARAMETER_VALUE"),
        (["a b c"], 400, "INVALID_PARAMETER_VALUE"),
        (["start_time sideways"], 400, "INVALID_PARAMETER_VALUE"),
        (["start_time DESC "], 400, "INVALID_PARAMETER_VALUE"),
        ([""], 400, "INVALID_PARAMETER_VALUE"),
        (["lifecycle_stage"], 400, "INVALID_PARAMETER_VALUE"),
    ],
)
async def test_orders_that_are_refused(
    mlflow: Logbook, experiment: str, order_by: list[str], status: int, code: str
) -> None:
    """An order by something unknown is 400, and by the same key twice 500."""
    reply = await mlflow.post("runs/search", experiment_ids=[experiment], order_by=order_by)
    assert (status, code) == problem(reply)[:2]
