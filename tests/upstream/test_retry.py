"""Whether and when another attempt is made: the budget, the pauses, and the transport that keeps to them."""

import pytest

from service.errors import UpstreamAuth, UpstreamError, UpstreamFailure, UpstreamUnavailable
from service.http.problems import problem_response
from service.upstream.retry import RetryBudget, pause_before
from service.upstream.transport import Limits, MlflowTransport
from service.upstream.wire import read_experiments
from tests.fakes.faults import Hook, answering, first, half_a_body, only, reset
from tests.fakes.mlflow import FakeMlflow


@pytest.mark.parametrize(
    ("attempt", "jitter", "expected"),
    [(2, 1.0, 0.1), (2, 0.5, 0.05), (3, 1.0, 0.2), (5, 1.0, 0.8), (9, 1.0, 1.0), (9, 0.0, 0.0)],
)
def test_pauses_double_with_jitter(attempt: int, jitter: float, expected: float) -> None:
    """Pauses double up to a second, and a random factor shortens them."""
    assert expected == pause_before(attempt, lambda: jitter)


def test_the_budget_is_a_tenth_of_the_calls() -> None:
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


def test_unanswered_questions_leave_retries_to_the_others() -> None:
    """Questions that were never answered take half of the budget, however many different ones there are."""
    budget = RetryBudget()
    budget.answered(-1)
    assert 5 == sum(budget.spend(question) for question in range(1_000))
    assert 5 == sum(budget.spend(-1) for _ in range(20))


def test_remembers_a_bounded_number_of_answered_questions() -> None:
    """Of several thousand questions the one that was answered longest ago is forgotten."""
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


async def knock(
    fake: FakeMlflow, clock: Clock, limits: Limits | None = None, times: int = 1
) -> MlflowTransport:
    """Call as often as told, through one transport, which is returned for what it counted."""
    async with MlflowTransport(fake.url, limits or Limits(), clock=clock, sleep=clock.sleep) as transport:
        for _ in range(times):
            await transport.call("POST", "experiments/search", lambda body: body, json={"max_results": 1})
        return transport


@pytest.mark.parametrize("fault", [answering(500), answering(503), answering(429), half_a_body, reset])
async def test_retries_failures(fake: FakeMlflow, fault: Hook) -> None:
    """A caller does not notice two failures of MLflow or of the connection."""
    fake.before, clock = first(2, fault), Clock()
    transport = await knock(fake, clock)
    assert (2, 3) == (transport.layers.retrying.retries, fake.count("experiments/search"))
    assert 2 == len(clock.slept)


async def test_raises_the_last_failure(fake: FakeMlflow) -> None:
    """After the last attempt that is allowed, the caller gets its failure."""
    fake.before, clock = answering(500), Clock()
    with pytest.raises(UpstreamError):
        await knock(fake, clock, Limits(attempts=4))
    assert 4 == fake.count("experiments/search")


@pytest.mark.parametrize(
    ("status", "expected"),
    [(400, UpstreamError), (404, UpstreamError), (401, UpstreamAuth), (403, UpstreamAuth)],
)
async def test_does_not_retry_refusals(
    fake: FakeMlflow, status: int, expected: type[UpstreamFailure]
) -> None:
    """A call that MLflow refuses is made once."""
    fake.before, clock = answering(status), Clock()
    with pytest.raises(expected):
        await knock(fake, clock)
    assert 1 == fake.count("experiments/search")


async def test_does_not_retry_timeouts(fake: FakeMlflow) -> None:
    """A call that times out is made once: more requests do not help a slow MLflow."""
    fake.latency, clock = 5.0, Clock()
    with pytest.raises(UpstreamFailure):
        await knock(fake, clock, Limits(deadline=0.1))
    assert 1 == fake.count("experiments/search")


@pytest.mark.parametrize(("status", "seconds"), [(429, 1), (503, 2)])
async def test_honours_retry_after(fake: FakeMlflow, status: int, seconds: int) -> None:
    """The next attempt waits for as long as MLflow's Retry-After says."""
    fake.before, clock = first(1, answering(status, headers={"Retry-After": str(seconds)})), Clock()
    await knock(fake, clock)
    assert [seconds] == clock.slept


@pytest.mark.parametrize("seconds", [2, 7, 60])
async def test_leaves_a_long_pause_to_the_caller(fake: FakeMlflow, seconds: int) -> None:
    """Where MLflow wants a pause of more than a second after a 429, the caller gets it at once."""
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
async def test_does_not_retry_what_would_fail_again(fake: FakeMlflow, name: str) -> None:
    """A failure that would repeat costs one attempt and no retry of the budget, and opens no breaker."""
    status, text, content_type, headers = FINAL[name]
    fake.before = only(
        "experiments/search", answering(status, text, content_type=content_type, headers=headers)
    )
    clock = Clock()
    limits = Limits(max_body_bytes=1_000)
    async with MlflowTransport(fake.url, limits, clock=clock, sleep=clock.sleep) as transport:
        for number in range(50):
            with pytest.raises(UpstreamError):
                await transport.call(
                    "POST", "experiments/search", read_experiments, json={"max_results": number}
                )
        assert (0, 10.0, "closed", 0) == (
            transport.layers.retrying.retries,
            transport.layers.retrying.budget.tokens,
            transport.layers.breaker.state,
            transport.layers.breaker.openings,
        )
    assert 50 == fake.count("experiments/search")


async def test_does_not_retry_past_the_deadline(fake: FakeMlflow) -> None:
    """There is no further attempt where the pause before it would end after the deadline."""
    fake.before, clock = first(1, answering(503, headers={"Retry-After": "12"})), Clock()
    with pytest.raises(UpstreamError) as caught:
        await knock(fake, clock, Limits(deadline=10))
    assert ([], 1, 12) == (clock.slept, fake.count("experiments/search"), caught.value.retry_after)


async def test_does_not_multiply_an_outage(fake: FakeMlflow) -> None:
    """When the budget is spent, each call is one attempt."""
    fake.before, clock = answering(500), Clock()
    async with MlflowTransport(
        fake.url, Limits(breaker_failures=1_000), clock=clock, sleep=clock.sleep
    ) as transport:
        transport.layers.breaker.record = lambda *_: None  # type: ignore[method-assign]
        for _ in range(20):
            with pytest.raises(UpstreamError):
                await transport.call("POST", "experiments/search", lambda body: body, json={"max_results": 1})
    assert 20 + 5 <= fake.count("experiments/search") <= 20 + 8
