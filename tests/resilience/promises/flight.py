"""Promise 2: callers who ask the same at once share one call, and none of them ends it."""

import asyncio

from tests.api.serving import API
from tests.fakes.mlflow import FakeMlflow
from tests.resilience.measure import eventually
from tests.resilience.promises.figures import Figure, Figures
from tests.resilience.serving import serve


async def flight(
    *, callers: int = 200, path: str = "/runs/abc123def456", endpoint: str = "runs/get"
) -> Figures:
    """The first caller hangs up, one has too little patience: the others get their answer, by one call."""
    free = asyncio.Event()

    async def hold(_: object) -> None:
        await free.wait()

    async with FakeMlflow().serve() as fake, serve(fake.url) as service:
        for run_id in ("abc123def456", "def456ghi789", "ghi789jkl012"):  # a list of one reads two
            fake.add_run(run_id=run_id)
        assert 200 == (await service.client.get(f"{API}/runs?limit=1")).status  # the experiment is known
        fake.calls.clear()
        fake.before = hold

        async def ask(**headers: str) -> tuple[int, bytes]:
            async with service.client.get(API + path, headers=headers) as response:
                return response.status, await response.read()

        service.client.session.connector._limit = 0  # type: ignore[union-attr]
        first = asyncio.create_task(ask())
        await eventually(lambda: 1 == fake.count(endpoint), lambda: "MLflow is not asked")
        hasty = asyncio.create_task(ask(**{"X-Request-Timeout": "0.2"}))
        others = [asyncio.create_task(ask()) for _ in range(callers - 2)]
        first.cancel()
        assert 504 == (await hasty)[0]
        active = callers - 2
        await eventually(lambda: active == service.capacity.active, lambda: f"{service.capacity.active} wait")
        free.set()
        answers = await asyncio.gather(*others)

    assert {200} == {status for status, _ in answers}
    assert 1 == len({body for _, body in answers})
    return [Figure(f"upstream calls for {callers} callers", fake.count(endpoint), 1)]
