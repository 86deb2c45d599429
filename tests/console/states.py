"""The states that a page may be in, and the way into each of them."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from tests.console.data import sample_ids, sample_strategies
from tests.console.watched import Watched

API: Final = "**/api/v1/tracking/**"
UNKNOWN: Final = "ffffffffffffffffffffffffffffffff"


def addresses() -> dict[str, str]:
    """The address of each page with data of the sample."""
    folds, backtests = sample_ids("walk_forward"), sample_ids("backtest")
    return {
        "runs": "runs",
        "run": f"run?id={folds[0]}",
        "compare": f"compare?ids={','.join((*folds[:2], backtests[0]))}",
        "strategies": "strategy",
        "strategy": f"strategy?id={sample_strategies()[0]}",
        "lineage": "lineage",
        "lineage of a run": f"lineage?ref={backtests[0]}",
        "health": "health",
    }


async def has_data(watched: Watched, address: str) -> None:
    """The page as it mostly is."""
    await watched.go(address)
    await watched.is_settled()


async def fails(watched: Watched, address: str) -> None:
    """The service says of each request why it fails."""
    watched.expected.append("502")
    problem = (
        '{"type": "about:blank", "title": "Bad Gateway", "status": 502, "code": "upstream_error", '
        '"detail": "MLflow answered with status 500.", "request_id": "0123456789abcdef"}'
    )
    headers = {"X-Request-ID": "0123456789abcdef", "Retry-After": "2"}

    async def refuse(route: Any) -> None:
        await route.fulfill(
            status=502, content_type="application/problem+json", body=problem, headers=headers
        )

    await watched.page.route(API, refuse)
    await has_data(watched, address)


async def is_stale(watched: Watched, address: str) -> None:
    """MLflow has not answered for two minutes; what is remembered is shown."""
    headers = {"age": "120", "cache-status": "experiment-tracking; hit; ttl=-90; detail=stale"}

    async def grow_old(route: Any) -> None:
        response = await route.fetch()
        await route.fulfill(response=response, headers={**response.headers, **headers})

    await watched.page.route(API, grow_old)
    await has_data(watched, address)


async def is_offline(watched: Watched, address: str) -> None:
    """The service is not reached."""
    watched.expected.append("ERR_INTERNET_DISCONNECTED")
    await watched.page.route(API, lambda route: route.abort("internetdisconnected"))
    await has_data(watched, address)


async def loads(watched: Watched, address: str) -> None:
    """No answer has come yet."""
    await watched.page.route(API, lambda _route: None)
    await watched.go(address)
    await watched.page.locator("main > *").first.wait_for()


# Those of the service over the sample.
STATES: Final[dict[str, Callable[[Watched, str], Awaitable[None]]]] = {
    "data": has_data,
    "error": fails,
    "stale": is_stale,
    "offline": is_offline,
    "loading": loads,
}
