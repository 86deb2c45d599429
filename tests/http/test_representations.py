"""ETag, If-None-Match, gzip and the headers of every good answer."""

import gzip
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientResponse

from service.http.representations import accepts_gzip
from tests.api.serving import API, ROUTES, Client, ask, refused, serving
from tests.fakes.mlflow import FakeMlflow

GETS = [route for route, (method, _, _) in ROUTES.items() if method == "GET"]
LARGE = {f"metric_{number}": float(number) for number in range(60)}


@pytest.fixture
async def small(fake: FakeMlflow) -> AsyncIterator[Client]:
    """The service over two small runs."""
    for run_id in ("abc123def456", "def456ghi789"):
        fake.add_run(run_id=run_id)
    async with serving(fake.url) as api:
        yield api


@pytest.fixture(params=[1, 20], ids=["some kB", "many kB"])
async def large(request: pytest.FixtureRequest, fake: FakeMlflow) -> AsyncIterator[Client]:
    """The service over two runs whose answers are worth compressing, with responses as they come."""
    many = {f"{name}_{number}": value for name, value in LARGE.items() for number in range(request.param)}
    for run_id in ("abc123def456", "def456ghi789"):
        fake.add_run(run_id=run_id, metrics=many, params={name: str(value) for name, value in many.items()})
    for number in range(30):
        fake.add_experiment(f"experiment {number}")
    async with serving(fake.url) as api:
        yield api


async def raw(api: Client, route: str, **headers: str) -> ClientResponse:
    """A response whose body is not unpacked."""
    method, path, body = ROUTES[route]
    session = api.session
    session._auto_decompress = False
    given = {
        "Accept-Encoding": "identity",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return await api.request(method, API + path, json=body, headers=given)


@pytest.mark.parametrize("route", ROUTES)
async def test_headers_of_a_good_answer(small: Client, route: str) -> None:
    """A good answer has a strong ETag, is to be validated before reuse, and varies by encoding."""
    response = await raw(small, route)
    assert 200 == response.status
    assert response.headers["ETag"].startswith('"')
    assert response.headers["ETag"].endswith('"')
    assert "private, no-cache" == response.headers["Cache-Control"]
    assert "Accept-Encoding" in response.headers["Vary"]
    assert "0" == response.headers["Age"]
    assert response.headers["Cache-Status"].startswith("experiment-tracking; ")
    assert response.headers["X-Request-ID"]


@pytest.mark.parametrize("route", GETS)
@pytest.mark.parametrize(
    "known",
    ["{}", "W/{}", '"other", {}', '{} , "other"', 'W/"other",W/{}', "*", " {} "],
)
async def test_a_caller_who_has_the_answer(small: Client, route: str, known: str) -> None:
    """If-None-Match with the ETag, weak, in a list or as *, is a 304 with its headers and without a body."""
    first = await raw(small, route)
    response = await raw(small, route, If_None_Match=known.format(first.headers["ETag"]))
    assert (304, b"") == (response.status, await response.read())
    for name in ("ETag", "Cache-Control", "Vary"):
        assert first.headers[name] == response.headers[name]
    assert "Content-Type" not in response.headers
    assert "Content-Encoding" not in response.headers
    assert response.headers["X-Request-ID"]


@pytest.mark.parametrize("known", ['"other"', 'W/"other", "another"', "", "{bare}", '"{bare}x"'])
async def test_a_caller_who_has_another_answer(small: Client, known: str) -> None:
    """If-None-Match without the ETag is a 200."""
    bare = (await raw(small, "runs")).headers["ETag"].strip('"')
    response = await raw(small, "runs", If_None_Match=known.replace("{bare}", bare))
    assert 200 == response.status
    assert b"" != await response.read()


async def test_head_is_conditional_too(small: Client) -> None:
    """HEAD with the ETag is a 304."""
    etag = (await small.head(f"{API}/runs")).headers["ETag"]
    assert 304 == (await small.head(f"{API}/runs", headers={"If-None-Match": etag})).status


async def test_a_post_is_not_conditional(small: Client) -> None:
    """If-None-Match does not turn a comparison into a 304."""
    etag = (await raw(small, "compare")).headers["ETag"]
    assert 200 == (await raw(small, "compare", If_None_Match=etag)).status
    assert 200 == (await raw(small, "compare", If_None_Match="*")).status


async def test_a_404_is_not_conditional(small: Client) -> None:
    """If-None-Match: * does not hide that a run is missing."""
    response = await small.get(f"{API}/runs/nobody", headers={"If-None-Match": "*"})
    await refused(response, 404, "run_not_found")
    assert "ETag" not in response.headers


async def test_another_answer_has_another_etag(fake: FakeMlflow) -> None:
    """The ETag changes with the answer, and comes back with it."""
    fake.add_run(run_id="abc123def456", params={"a": "1"})
    async with serving(fake.url) as api:
        first = (await ask(api, "run")).headers["ETag"]
        fake.store.runs["abc123def456"].set_tag("reviewed", "yes")
        second = (await ask(api, "run", headers={"If-None-Match": first})).headers["ETag"]
        assert first != second
        assert second == (await ask(api, "run")).headers["ETag"]


async def test_answers_to_different_questions_are_not_confused(small: Client) -> None:
    """The same run as detail, metrics and params, and lists of one and of two, are answers of their own."""
    paths = [
        "/runs",
        "/runs?limit=1",
        "/runs/abc123def456",
        "/runs/abc123def456/metrics",
        "/runs/abc123def456/params",
    ]
    bodies = [await (await small.get(API + path)).text() for path in paths * 2]
    assert len(paths) == len(set(bodies))
    assert bodies[:5] == bodies[5:]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [("no-cache", 1), ("No-Cache", 1), ("max-age=0, no-cache", 1), ("max-age=60", 0), ("", 0)],
)
async def test_who_wants_mlflows_own_word(
    small: Client, fake: FakeMlflow, wanted: str, expected: int
) -> None:
    """Cache-Control: no-cache asks MLflow, whatever is remembered."""
    await raw(small, "run")
    before = fake.count("runs/get")
    response = await raw(small, "run", Cache_Control=wanted)
    assert expected == fake.count("runs/get") - before
    assert ("fwd=request" in response.headers["Cache-Status"]) is (expected == 1)


@pytest.mark.parametrize("route", ROUTES)
async def test_a_large_answer_is_gzipped(large: Client, route: str) -> None:
    """Who takes gzip gets it, with another strong ETag, and the same content."""
    plain = await raw(large, route)
    packed = await raw(large, route, Accept_Encoding="gzip, deflate, br")
    assert "Content-Encoding" not in plain.headers
    assert "gzip" == packed.headers["Content-Encoding"]
    assert "application/json" == packed.headers["Content-Type"]
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert not packed.headers["ETag"].startswith("W/")
    body = await packed.read()
    assert int(packed.headers["Content-Length"]) == len(body)
    assert await plain.read() == gzip.decompress(body)
    again = await raw(large, route, Accept_Encoding="gzip")
    assert body == await again.read()
    assert packed.headers["ETag"] == again.headers["ETag"]


async def test_either_encodings_etag_is_known(large: Client) -> None:
    """A caller who has the answer gzipped has it, whatever encoding it asks for now."""
    for first in ("gzip", "identity"):
        etag = (await raw(large, "run", Accept_Encoding=first)).headers["ETag"]
        for second in ("gzip", "identity"):
            response = await raw(large, "run", Accept_Encoding=second, If_None_Match=etag)
            assert (304, b"") == (response.status, await response.read())


async def test_head_of_a_gzipped_answer(large: Client) -> None:
    """HEAD tells the length and the encoding that GET would have."""
    got = await raw(large, "run", Accept_Encoding="gzip")
    head = await large.head(API + ROUTES["run"][1], headers={"Accept-Encoding": "gzip"})
    for name in ("Content-Encoding", "Content-Length", "ETag", "Vary"):
        assert got.headers[name] == head.headers[name]


async def test_a_small_answer_is_not_gzipped(small: Client) -> None:
    """Below a packet's size compressing wins nothing."""
    response = await raw(small, "params", Accept_Encoding="gzip")
    assert "Content-Encoding" not in response.headers
    assert "Accept-Encoding" in response.headers["Vary"]


@pytest.mark.parametrize(
    ("accept_encoding", "expected"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("deflate, gzip;q=0.5", True),
        ("gzip ; q=0.5", True),
        ("gzip; q=1.0, *;q=0", True),
        ("*", True),
        ("*;q=0.1", True),
        ("br, *;q=0", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000, *", False),
        ("gzip;q=x", False),
        ("gzip;level=9", False),
        ("gzip;q=nan", False),
        ("identity", False),
        ("x-gzipped", False),
        (",;,", False),
    ],
)
def test_who_takes_gzip(accept_encoding: str, expected: bool) -> None:
    """Accept-Encoding is read as RFC 9110 says; what cannot be read is no yes."""
    assert expected is accepts_gzip(accept_encoding)


async def test_what_no_longer_fits_is_made_anew(fake: FakeMlflow) -> None:
    """Without memory for answers they are right all the same."""
    fake.add_run(run_id="abc123def456", metrics=LARGE)
    async with serving(fake.url, cache={"max_bytes": 0}) as api:
        for _ in range(2):
            response = await raw(api, "run", Accept_Encoding="gzip")
            assert "gzip" == response.headers["Content-Encoding"]
            assert b"metric_59" in gzip.decompress(await response.read())
