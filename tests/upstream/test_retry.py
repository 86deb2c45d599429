"""Whether and when a call is made again: the rules, and the door that follows them."""

from datetime import UTC, datetime

import pytest

from service.errors import UpstreamAuth, UpstreamError, UpstreamFailure, UpstreamUnavailable
from service.http.problems import problem_response
from service.upstream.door import Door, Limits
from service.upstream.retry import RetryBudget, pause_before, retry_after
from service.upstream.wire import read_experiments
from tests.fakes.faults import Hook, answering, first, half_a_body, only, reset
from tests.fakes.mlflow import FakeMlflow

NOW = datetime(2026, 10, 21, 7, 28, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("0", 0),
        ("7", 7),
        (" 7 ", 7),
        ("3600", 60),
        ("9" * 5_000, 60),
        ("-1", 0),
        ("1.5", 0),
        ("٣", 0),
        ("soon", 0),
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30),
        ("Wed, 21 Oct 2026 07:28:30 -0000", 30),
        ("Wed, 21 Oct 2026 09:28:05 +0200", 5),
        ("Wed, 21 Oct 2026 07:00:00 GMT", 0),
        ("Wed, 21 Oct 2027 07:00:00 GMT", 60),
        ("Wed, 21 Oct 99999999999999999999 07:00:00 GMT", 0),
        ("Wed, 21 Oct 2026 07:00:00 +99999999999999999999", 0),
    ],
)
def test_retry_after(text: str, expected: int) -> None:
    """Whole seconds or a date, a minute at most; what is neither asks for nothing."""
    assert expected == retry_after(text, NOW)


@pytest.mark.parametrize(
    ("attempt", "jitter", "expected"),
    [(2, 1.0, 0.1), (2, 0.5, 0.05), (3, 1.0, 0.2), (5, 1.0, 0.8), (9, 1.0, 1.0), (9, 0.0, 0.0)],
)
def test_pauses(attempt: int, jitter: float, expected: float) -> None:
    """Pauses double up to a second, and are shortened by chance."""
    assert expected == pause_before(attempt, lambda: jitter)


def test_the_budget() -> None:
    """Ten retries are free, then ten calls earn one, and no more than ten are saved up."""
    budget, question = RetryBudget(), 1
    budget.answered(question)
    assert [True] * 10 + [False] == [budget.spend(question) for _ in range(11)]
    for _ in range(9):
        budget.earn()
    assert not budget.spend(question)
    for _ in range(2):
        budget.earn()
    assert [True, False] == [budget.spend(question), budget.spend(question)]
    for _ in range(1_000):
        budget.earn()
    assert 10 == sum(budget.spend(question) for _ in range(20))


def test_what_was_never_answered_leaves_retries_to_the_others() -> None:
    """Questions that may always fail take half of the budget, however many different ones there are."""
    budget = RetryBudget()
    budget.answered(-1)
    assert 5 == sum(budget.spend(question) for question in range(1_000))
    assert 5 == sum(budget.spend(-1) for _ in range(20))


def test_what_is_known_to_be_answered_is_bounded() -> None:
    """Of several thousand questions the one that was asked longest ago is forgotten."""
    budget = RetryBudget()
    for question in (1, 2, 1, *range(10, 10 + 4_095)):
        budget.answered(question)
    for unknown in range(-10, 0):
        budget.spend(unknown)
    assert [False, True] == [budget.spend(2), budget.spend(1)]


class Clock:
    """Seconds that pass only while something sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


async def knock(fake: FakeMlflow, clock: Clock, limits: Limits | None = None, times: int = 1) -> Door:
    """Call as often as told, through one door; the door, for what it counted."""
    async with Door(fake.url, limits or Limits(), clock=clock, sleep=clock.sleep) as door:
        for _ in range(times):
            await door.call("POST", "experiments/search", lambda body: body, json={"max_results": 1})
        return door


@pytest.mark.parametrize("fault", [answering(500), answering(503), answering(429), half_a_body, reset])
async def test_a_failure_is_tried_again(fake: FakeMlflow, fault: Hook) -> None:
    """Two failures of MLflow's, a broken connection included, are not the caller's."""
    fake.before, clock = first(2, fault), Clock()
    door = await knock(fake, clock)
    assert (2, 3) == (door.retries, fake.count("experiments/search"))
    assert 2 == len(clock.slept)


async def test_the_last_failure_is_told(fake: FakeMlflow) -> None:
    """After the attempts that are allowed the failure is the caller's."""
    fake.before, clock = answering(500), Clock()
    with pytest.raises(UpstreamError):
        await knock(fake, clock, Limits(attempts=4))
    assert 4 == fake.count("experiments/search")


@pytest.mark.parametrize(
    ("status", "expected"),
    [(400, UpstreamError), (404, UpstreamError), (401, UpstreamAuth), (403, UpstreamAuth)],
)
async def test_a_refusal_is_not_tried_again(
    fake: FakeMlflow, status: int, expected: type[UpstreamFailure]
) -> None:
    """What MLflow refuses, it would refuse again."""
    fake.before, clock = answering(status), Clock()
    with pytest.raises(expected):
        await knock(fake, clock)
    assert 1 == fake.count("experiments/search")


async def test_silence_is_not_tried_again(fake: FakeMlflow) -> None:
    """An MLflow that is too slow is not helped by being asked more."""
    fake.latency, clock = 5.0, Clock()
    with pytest.raises(UpstreamFailure):
        await knock(fake, clock, Limits(deadline=0.1))
    assert 1 == fake.count("experiments/search")


@pytest.mark.parametrize(("status", "seconds"), [(429, 1), (503, 2)])
async def test_retry_after_is_honoured(fake: FakeMlflow, status: int, seconds: int) -> None:
    """MLflow's own word on when to come back is the shortest pause."""
    fake.before, clock = first(1, answering(status, headers={"Retry-After": str(seconds)})), Clock()
    await knock(fake, clock)
    assert [seconds] == clock.slept


@pytest.mark.parametrize("seconds", [2, 7, 60])
async def test_a_long_pause_is_the_callers(fake: FakeMlflow, seconds: int) -> None:
    """Where MLflow wants a pause of more than a second, the caller is told so at once."""
    fake.before, clock = answering(429, headers={"Retry-After": str(seconds)}), Clock()
    with pytest.raises(UpstreamUnavailable) as caught:
        await knock(fake, clock)
    assert ([], 1) == (clock.slept, fake.count("experiments/search"))
    assert str(seconds) == problem_response(caught.value, "").headers["Retry-After"]


FINAL: dict[str, tuple[int, str, str, dict[str, str]]] = {
    "MLflow's own failure": (
        500,
        '{"error_code": "INTERNAL_ERROR", "message": "NUL"}',
        "application/json",
        {},
    ),
    "what MLflow cannot do": (501, '{"error_code": "NOT_IMPLEMENTED"}', "application/json", {}),
    "a redirect": (302, "", "text/plain", {"Location": "https://sso/login"}),
    "a login page": (200, "<html><title>Sign in</title>", "text/html", {}),
    "a page that says it is JSON": (200, "<html><title>Sign in</title>", "application/json", {}),
    "a page of a proxy": (404, "<html><title>404</title>", "text/html", {}),
    "words of a proxy": (404, "404 page not found", "text/plain", {}),
    "JSON of another server": (200, '{"detail": "hello"}', "application/json", {}),
    "a large answer": (200, '"' + "x" * 2_000 + '"', "application/json", {}),
}


@pytest.mark.parametrize("name", FINAL)
async def test_what_would_fail_again_is_not_tried_again(fake: FakeMlflow, name: str) -> None:
    """One attempt, no token of the budget, and no step towards an open breaker."""
    status, text, content_type, headers = FINAL[name]
    fake.before = only(
        "experiments/search", answering(status, text, content_type=content_type, headers=headers)
    )
    clock = Clock()
    limits = Limits(max_body_bytes=1_000)
    async with Door(fake.url, limits, clock=clock, sleep=clock.sleep) as door:
        for number in range(50):
            with pytest.raises(UpstreamError):
                await door.call("POST", "experiments/search", read_experiments, json={"max_results": number})
        assert (0, 10.0, "closed", 0) == (
            door.retries,
            door.budget.tokens,
            door.breaker.state,
            door.breaker.openings,
        )
    assert 50 == fake.count("experiments/search")


async def test_nothing_is_tried_beyond_the_deadline(fake: FakeMlflow) -> None:
    """A pause that would take longer than the caller waits is not made."""
    fake.before, clock = first(1, answering(429, headers={"Retry-After": "30"})), Clock()
    with pytest.raises(UpstreamUnavailable) as caught:
        await knock(fake, clock, Limits(deadline=10))
    assert ([], 30) == (clock.slept, caught.value.retry_after)


async def test_an_outage_is_not_multiplied(fake: FakeMlflow) -> None:
    """When the budget is spent, each call is one attempt."""
    fake.before, clock = answering(500), Clock()
    async with Door(fake.url, Limits(breaker_failures=1_000), clock=clock, sleep=clock.sleep) as door:
        door.breaker.report = lambda *_, **__: None  # type: ignore[method-assign]
        for _ in range(20):
            with pytest.raises(UpstreamError):
                await door.call("POST", "experiments/search", lambda body: body, json={"max_results": 1})
    assert 20 + 5 <= fake.count("experiments/search") <= 20 + 8
