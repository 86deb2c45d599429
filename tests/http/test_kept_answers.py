"""Answers that are kept as bytes: made once, gzipped once, bounded in memory."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import make_mocked_request

from service.answer import Answer
from service.http import representations
from service.http.aiohttp_internals import EncodedResponse
from service.http.representations import Encoded, Representations, WithLines
from tests.api.serving import API, Client, ask, serving
from tests.fakes.mlflow import FakeMlflow
from tests.fakes.store import Metric

SMALL, LARGE = "small", "large"
GZIP = {"Accept-Encoding": "gzip"}


class Press:
    """Stands in for what gzips, and notes how much it gzipped, in which thread."""

    def __init__(self) -> None:
        self.pressed: list[tuple[int, threading.Thread]] = []
        self._gzip = representations._gzip

    def __call__(self, body: bytes) -> bytes:
        self.pressed.append((len(body), threading.current_thread()))
        return self._gzip(body)

    @property
    def threads(self) -> list[threading.Thread]:
        return [thread for _, thread in self.pressed]


@pytest.fixture
def press(monkeypatch: pytest.MonkeyPatch) -> Press:
    """What gzips, watched."""
    watched = Press()
    monkeypatch.setattr(representations, "_gzip", watched)
    return watched


@pytest.fixture
async def api(fake: FakeMlflow) -> AsyncIterator[Client]:
    """The service over a run of some kB and one of many, with responses as they come."""
    for run_id, metrics in ((SMALL, 60), (LARGE, 1_000)):
        fake.add_run(run_id=run_id, metrics={f"metric_{number}": number / 7 for number in range(metrics)})
    async with serving(fake.url) as client:
        yield client


@pytest.mark.parametrize("run_id", [SMALL, LARGE])
async def test_a_hot_answer_is_gzipped_once(api: Client, fake: FakeMlflow, press: Press, run_id: str) -> None:
    """However often it is asked for, and renewed without a change, an answer is gzipped once."""
    first = await api.get(f"{API}/runs/{run_id}", headers=GZIP)
    assert "gzip" == first.headers["Content-Encoding"]
    for headers in (GZIP, GZIP | {"Cache-Control": "no-cache"}, {"Accept-Encoding": "identity"}, GZIP):
        response = await api.get(f"{API}/runs/{run_id}", headers=headers)
        assert await first.read() == await response.read()
    assert 1 == len(press.pressed)
    fake.store.runs[run_id].log_metric("metric_0", Metric(2.0, 2_000_000_000_000, 1))
    changed = await api.get(f"{API}/runs/{run_id}", headers=GZIP | {"Cache-Control": "no-cache"})
    assert await first.read() != await changed.read()
    assert 2 == len(press.pressed)


async def test_a_change_that_an_answer_does_not_show(api: Client, fake: FakeMlflow, press: Press) -> None:
    """An answer that says the same of a run that changed is the same bytes, and not gzipped again."""
    for number in range(3):
        fake.store.runs[LARGE].set_tag("reviewed", str(number))
        response = await api.get(f"{API}/runs/{LARGE}/metrics", headers=GZIP | {"Cache-Control": "no-cache"})
        assert "gzip" == response.headers["Content-Encoding"]
    assert 1 == len(press.pressed)


async def test_an_answer_that_nobody_wants_gzipped_is_not(api: Client, press: Press) -> None:
    """Nothing is gzipped ahead of time, nor for a caller who does not take it, nor where it wins nothing."""
    await api.get(f"{API}/runs/{LARGE}", headers={"Accept-Encoding": "identity"})
    await api.get(f"{API}/runs/{SMALL}/params", headers=GZIP)
    assert [] == press.pressed


async def test_a_herd_shares_one_gzipping(api: Client, press: Press) -> None:
    """Many who ask for one cold answer at once have it gzipped once."""
    responses = await asyncio.gather(*(api.get(f"{API}/runs/{LARGE}", headers=GZIP) for _ in range(50)))
    assert {200} == {response.status for response in responses}
    assert 1 == len(press.pressed)


async def test_a_large_answer_is_gzipped_off_the_loop(api: Client, press: Press) -> None:
    """What takes long to gzip is left to a thread, what does not is gzipped where it is."""
    await api.get(f"{API}/runs/{LARGE}", headers=GZIP)
    await api.get(f"{API}/runs/{SMALL}", headers=GZIP)
    large, small = press.threads
    assert threading.main_thread() is small
    assert threading.main_thread() is not large


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
@pytest.mark.parametrize("max_bytes", [0, 20_000, 200_000])
async def test_kept_answers_are_bounded(encoding: str, max_bytes: int) -> None:
    """Answers of all sizes, new ones and such that changed, never take more than their bytes together."""
    kept = Representations(max_bytes)
    request = make_mocked_request("GET", "/", headers={"Accept-Encoding": encoding})
    for number in range(200):
        run = ("x" * (number * 37 % 5_000), number)
        key = number % 50
        response = await kept.respond(request, Answer(run), key, (run,), lambda run=run: run)  # type: ignore[misc] # mypy cannot infer a default
        assert 200 == response.status
        assert sum(one.size for one in kept._kept.values()) == kept.used
        assert kept.used <= max_bytes
    assert (max_bytes > 0) == bool(kept._kept)


async def test_the_answer_asked_for_last_is_kept_longest() -> None:
    """What is dropped for want of room is what nobody has asked for the longest."""
    request = make_mocked_request("GET", "/")
    made: list[str] = []
    values = {name: ("x" * 1_000, name) for name in "abc"}

    async def asked(name: str) -> None:
        value = values[name]

        def build() -> object:
            made.append(name)
            return value

        await kept.respond(request, Answer(value), name, (value,), build)

    kept = Representations(2**20)
    await asked("a")
    made.clear()
    kept = Representations(kept.used * 2)
    for name in "abacabb":
        await asked(name)
    assert ["a", "b", "c", "b"] == made


async def test_an_answer_belongs_to_its_values(api: Client, fake: FakeMlflow) -> None:
    """A renewal that changes nothing keeps the bytes; another value of the same run is another answer."""
    first = await ask(api, "runs")
    second = await ask(api, "runs")
    assert await first.read() == await second.read()
    fake.store.runs[SMALL].set_tag("run_type", "cpcv")
    assert await first.read() != await (await ask(api, "runs")).read()


async def test_what_is_held_need_not_be_built() -> None:
    """An answer is held for exactly its key and the objects that it was made from."""
    request = make_mocked_request("GET", "/")
    value, kept = object(), Representations(2**20)
    assert not kept.holds("key", (value,))
    await kept.respond(request, Answer(value), "key", (value,), lambda: {"a": 1})
    assert kept.holds("key", (value,))
    assert not kept.holds("key", (object(),))
    assert not kept.holds("another", (value,))


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_headers_of_its_own_are_kept_with_an_answer(encoding: str) -> None:
    """Lines that an answer was made with are in its head, in whichever encoding, and in that of a 304."""
    kept, of = Representations(2**20), (object(),)

    async def head(lines: str, **headers: str) -> bytes:
        request = make_mocked_request("GET", "/", headers={"Accept-Encoding": encoding, **headers})
        response = await kept.respond(request, Answer(of), "key", of, lambda: WithLines("x" * 2_000, lines))
        assert isinstance(response, EncodedResponse)
        return response._head

    for answer in (await head("Link: <a>\r\n"), await head(""), await head("", **{"If-None-Match": "*"})):
        assert 1 == answer.count(b"\r\nLink: <a>\r\n")


async def test_an_answer_that_is_too_large_to_be_kept_displaces_none() -> None:
    """What would not fit even alone is answered and forgotten; what is kept stays."""
    answers = Representations(max_bytes=100_000)
    request = make_mocked_request("GET", "/")
    one, large = ("one",), ("large",)
    await answers.respond(request, Answer(one), "one", one, lambda: one)
    response = await answers.respond(request, Answer(large), "large", large, lambda: ["x" * 100_000])
    assert 200 == response.status
    assert (True, False, 0) == (
        answers.holds("one", one),
        answers.holds("large", large),
        answers.evictions,
    )


async def test_a_body_that_is_encoded_already() -> None:
    """It is answered as it is, with the ETag that its value would have."""
    request = make_mocked_request("GET", "/")
    value = {"a": [1, 2]}
    plain, encoded = [
        await Representations(100_000).respond(request, Answer(value), "key", (value,), build)
        for build in (lambda: value, lambda: Encoded(b'{"a":[1,2]}'))
    ]
    assert isinstance(plain, EncodedResponse)
    assert isinstance(encoded, EncodedResponse)
    assert (plain._head, plain._bytes) == (encoded._head, encoded._bytes)
