"""A search as CSV: all hits, streamed."""

import csv
import io
import math
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientPayloadError, ClientResponse

from service.answer import Answer
from service.tracking.runs import Run
from service.tracking.search import searches
from service.tracking.search.queries import RunSearch, SearchPage
from tests.api.searching import RUNS, SEARCH, HeldIndex, make_run, searching
from tests.api.serving import Client, refused
from tests.fakes.mlflow import FakeMlflow
from tests.http.raw import connected

CSV = {"Accept": "text/csv"}


@pytest.fixture
def index() -> HeldIndex:
    """An index of sixty runs."""
    return HeldIndex(RUNS)


@pytest.fixture
async def api(index: HeldIndex, fake: FakeMlflow) -> AsyncIterator[Client]:
    """The service over that index."""
    async with searching(index, fake) as client:
        yield client


async def table(response: ClientResponse) -> list[dict[str, str]]:
    """The lines of a CSV answer by the names of its columns, read strictly."""
    text = (await response.read()).decode()
    assert (200, "text/csv; charset=utf-8") == (response.status, response.headers["Content-Type"])
    assert text.endswith("\r\n")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


async def rows(api: Client, **query: str) -> list[dict[str, str]]:
    return await table(await api.get(SEARCH, params=query, headers=CSV))


async def line(api: Client, index: HeldIndex, run: Run, **query: str) -> dict[str, str]:
    """The line of one run that the index gets."""
    index.put(run)
    [found] = await rows(api, filter=f"run_id = '{run.run_id}'", **query)
    return found


async def test_all_hits_are_lines(api: Client) -> None:
    """Every hit is a line, in the order of the search, whatever the page size."""
    found = await rows(api, filter="params.method = 'rolling'", order_by="metrics.sharpe", page_size="3")
    expected = [run for run in RUNS if run.params["method"] == "rolling"]
    assert [(run.run_id, str(run.metrics["sharpe"])) for run in expected] == [
        (one["run_id"], one["metrics.sharpe"]) for one in found
    ]


async def test_the_columns_are_what_the_hits_have(api: Client, index: HeldIndex) -> None:
    """Without `fields` there is a column for each part of the detail, and each name that some hit has."""
    index.put(make_run(60, metrics={"only here": 1.0}), make_run(61, metrics={"elsewhere": 1.0}))
    [found] = await rows(api, filter="run_id = 'run060'")
    assert [
        *("run_id", "run_name", "status", "start_time", "end_time", "artifact_uri", "experiment_id"),
        *("params.depth", "params.method", "metrics.only here", "tags.run_type", "tags.strategy_id"),
    ] == list(found)


async def test_the_columns_that_are_asked_for(api: Client) -> None:
    """With `fields` these are the columns, in their order, and run_id is the first whatever was asked for."""
    found = await rows(api, fields="metrics.sharpe,attributes.status,params.none,metrics.*", page_size="1")
    assert ["run_id", "metrics.sharpe", "status", "params.none", "metrics.max_drawdown"] == list(found[0])
    assert {"run_id": "run059", "metrics.sharpe": "5.9", "status": "FINISHED", "params.none": ""} == {
        name: value for name, value in found[0].items() if name != "metrics.max_drawdown"
    }


async def test_numbers_read_back_as_they_were(api: Client, index: HeldIndex) -> None:
    """A metric has all its digits; NaN and infinity are words that floats are read from; missing is empty."""
    metrics = {"pi": math.pi, "nan": None, "up": math.inf, "down": -math.inf, "small": -5e-324}
    found = await line(api, index, make_run(60, metrics=metrics, end_time=None), fields="metrics.*,end_time")
    assert math.pi == float(found["metrics.pi"])
    assert math.isnan(float(found["metrics.nan"]))
    assert (math.inf, -math.inf) == (float(found["metrics.up"]), float(found["metrics.down"]))
    assert -5e-324 == float(found["metrics.small"])
    assert "" == found["end_time"]


@pytest.mark.parametrize(
    "text", ['say "x", twice', "two\r\nlines", "a\nb", "a\rb", "日本", "a,b", " ", "-1.5", "+2"]
)
async def test_texts_read_back_as_they_were(api: Client, index: HeldIndex, text: str) -> None:
    """Commas, quotes, line ends and any characters of Unicode are quoted as RFC 4180 wants it."""
    found = await line(api, index, make_run(60, params={text: text}), fields="params.*")
    assert {"run_id": "run060", f"params.{text}": text} == found


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
async def test_no_text_is_a_formula(api: Client, index: HeldIndex, text: str) -> None:
    """A text that a spreadsheet might take for a formula has an apostrophe before it."""
    found = await line(api, index, make_run(60, tags={"note": text}), fields="tags.note")
    assert f"'{text}" == found["tags.note"]


async def test_it_says_how_many_there_are(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Headers say how many hits there are and how many lines there may be, beyond which it ends."""
    monkeypatch.setattr(searches, "EXPORT_LIMIT", 7)
    monkeypatch.setattr(searches, "_PER_EXPORTED_PAGE", 5)
    response = await api.get(SEARCH, headers=CSV)
    assert [run.run_id for run in RUNS[:-8:-1]] == [one["run_id"] for one in await table(response)]
    assert ("60", "100000") == (response.headers["X-Total-Count"], response.headers["X-Run-Limit"])
    assert 'attachment; filename="runs.csv"' == response.headers["Content-Disposition"]


async def test_a_body_asks_for_csv_as_a_query_does(api: Client) -> None:
    """POST gives the same lines."""
    response = await api.post(
        SEARCH, json={"fields": ["status"], "filter": "metrics.sharpe < 1"}, headers=CSV
    )
    assert await rows(api, fields="status", filter="metrics.sharpe < 1") == await table(response)


async def test_no_hits_are_a_head_alone(api: Client) -> None:
    """Where nothing matches there is the line with the names of the columns."""
    response = await api.get(SEARCH, params={"filter": "status = 'KILLED'", "fields": "status"}, headers=CSV)
    assert b"run_id,status\r\n" == await response.read()


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("text/csv", "text/csv"),
        ("text/csv;q=0.9, application/json;q=0.5", "text/csv"),
        ("TEXT/CSV", "text/csv"),
        ("application/json, text/csv;q=0.9", "application/json"),
        ("text/csv;q=0", "application/json"),
        ("text/csv;q=x", "application/json"),
        ("*/*", "application/json"),
        ("text/html", "application/json"),
    ],
)
async def test_the_accept_header_decides(api: Client, accept: str, media_type: str) -> None:
    """CSV is for callers who name it and like nothing better."""
    response = await api.get(SEARCH, params={"fields": "status"}, headers={"Accept": accept})
    assert media_type == response.content_type


async def test_faults_are_refused_before_the_first_line(api: Client) -> None:
    """What is wrong with a search is a 422 of the usual form."""
    await refused(await api.get(SEARCH, params={"filter": "x"}, headers=CSV), 422, "invalid_request")


class Failing(HeldIndex):
    """An index that fails once it has answered a few searches."""

    async def search(self, search: RunSearch) -> Answer[SearchPage]:
        if self.searches == 3:
            raise ZeroDivisionError
        return await super().search(search)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports are read in pages of twenty runs."""
    monkeypatch.setattr(searches, "_PER_EXPORTED_PAGE", 20)


@pytest.mark.usefixtures("small_pages")
async def test_an_answer_that_fails_midway_is_cut_off(fake: FakeMlflow) -> None:
    """A failure after the first lines leaves an answer that no client takes for a complete one."""
    async with searching(Failing(RUNS), fake) as api:
        with pytest.raises(ClientPayloadError):
            await api.get(SEARCH, params={"fields": "status"}, headers=CSV)


@pytest.mark.usefixtures("small_pages")
async def test_an_old_client_gets_all_or_nothing(fake: FakeMlflow) -> None:
    """Over HTTP/1.0, where the end of a stream says nothing, lines are sent once all are there."""

    async def asked(api: Client) -> Any:
        async with connected(api.port) as connection:
            target = f"GET {SEARCH}?fields=status HTTP/1.0\r\nHost: x\r\nAccept: text/csv\r\n\r\n"
            connection.send(target.encode())
            return await connection.answer()

    async with searching(Failing(RUNS), fake) as api:
        assert 500 == (await asked(api)).status
    async with searching(HeldIndex(RUNS), fake) as api:
        answer = await asked(api)
    assert (200, len(answer.body)) == (answer.status, int(answer.headers["content-length"]))
    assert 61 == answer.body.count(b"\r\n")
