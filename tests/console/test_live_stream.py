"""The format of event streams, and when to ask again: the modules below js/live/ that touch no page."""

from typing import Any

import pytest

from service.api.event_hub import BEAT_SECONDS
from service.http.event_stream import COMMENT
from tests.console.modules import evaluated
from tests.console.watched import Watched

pytestmark = pytest.mark.console

# What a stream holds, and the events in it: id, name, data.
STREAMS: dict[str, list[list[str]]] = {
    "data: a\n\n": [["", "message", "a"]],
    "data:a\ndata: b\ndata:  c\n\n": [["", "message", "a\nb\n c"]],
    "id: 1\nevent: run.created\ndata: {}\n\ndata: x\n\n": [["1", "run.created", "{}"], ["1", "message", "x"]],
    "event: a\r\ndata: 1\r\n\r\nevent: b\rdata: 2\r\r": [["", "a", "1"], ["", "b", "2"]],
    ":\n\n: a comment\n\ndata: x\n\n": [["", "message", "x"]],
    "event: nothing\n\ndata: x\n\n": [["", "message", "x"]],
    "id: 1\n\n:\nid: 2\n\ndata: x\n\n": [["2", "message", "x"]],
    "id: 1\nid: a\0b\ndata: x\n\n": [["1", "message", "x"]],
    "id: 1\ndata: x\n\nid\ndata: y\n\n": [["1", "message", "x"], ["", "message", "y"]],
    "data\n\ndata\ndata\n\n": [["", "message", ""], ["", "message", "\n"]],
    "data: not ended\n": [],
    "unknown: x\nDATA: y\ndata: ü🎉\n\n": [["", "message", "ü🎉"]],
}
_READ = """
values[1].map((size) => {
  const reader = new m.EventReader();
  const events = [];
  for (let at = 0; at < values[0].length; at += size) {
    events.push(...reader.read(values[0].slice(at, at + size)));
  }
  return events.map(({ id, event, data }) => [id, event, data]);
})
"""


@pytest.mark.parametrize("text", STREAMS)
async def test_events_are_read_as_the_standard_says(module_page: Watched, text: str) -> None:
    """The events of a stream are the same in whatever pieces it comes."""
    sizes = [1, 2, 3, 5, len(text)]
    read = await evaluated(module_page, "live/stream.js", _READ, text, sizes)
    assert [STREAMS[text]] * len(sizes) == read


async def test_a_stream_says_when_to_come_back_and_from_where(module_page: Watched) -> None:
    """The last id is that of the last blank line, an event or not; a retry that is no number is none."""
    script = "(() => { const r = new m.EventReader('0'); r.read(values[0]); return [r.lastId, r.retry]; })()"

    async def read(text: str) -> Any:
        return await evaluated(module_page, "live/stream.js", script, text)

    assert ["0", None] == await read(":\n\nid: 7\ndata: x\n")
    assert ["7", 1500] == await read("retry: 1500\nid: 7\n\nretry: soon\n\n")


async def test_waits_grow_to_a_minute_and_are_drawn(module_page: Watched) -> None:
    """After each failure the wait is twice as long, at most a minute, and half of it at least."""
    wait = "m.waitAfter(n, {limits: m.LIMITS, draw: () => drawn})"
    waits = f"[1, 2, 3, 20].map((n) => [0, 1].map((drawn) => {wait}))"
    expected = [[500, 1000], [1000, 2000], [2000, 4000], [30_000, 60_000]]
    assert expected == await evaluated(module_page, "live/timing.js", waits)


async def test_nobody_comes_back_before_the_service_wants_it(module_page: Watched) -> None:
    """Retry-After is waited for, and a little longer by chance."""
    wait = "[0, 1].map((drawn) => m.waitAfter(1, {limits: m.LIMITS, retryAfter: 90, draw: () => drawn}))"
    assert [90_000, 108_000] == await evaluated(module_page, "live/timing.js", wait)


async def test_polls_that_bring_nothing_become_rare(module_page: Watched) -> None:
    """Where nothing happens, a poll is made every three minutes, which is less than 20 kB an hour."""
    polls = "[0, 1, 2, 9].map((empty) => m.pollAfter(empty, {limits: m.LIMITS, draw: () => 0.5}))"
    assert [5_000, 10_000, 20_000, 180_000] == await evaluated(module_page, "live/timing.js", polls)


async def test_an_idle_stream_costs_less_than_20_kb_an_hour(module_page: Watched) -> None:
    """The signs of life of an hour, and coming back every 13 minutes, are less than 20 kB."""
    beats = 3600 / BEAT_SECONDS * len(COMMENT.chunk)
    reconnects = 3600 / 780 * 2_000  # the heads of a request and of its answer, with a long filter
    assert beats + reconnects < 20_000
    silence = await evaluated(module_page, "live/timing.js", "[m.LIMITS.silence, m.LIMITS.quiet]")
    assert all(ms > 1_500 * BEAT_SECONDS for ms in silence)
