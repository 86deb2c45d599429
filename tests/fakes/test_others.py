"""The fakes of other servers answer as those did, or as their source has it."""

from typing import Any

import aiohttp
import pytest

from tests.fakes import others
from tests.fakes.mlflow import FakeMlflow

SEARCH = "api/2.0/mlflow/runs/search"
EVERY = ["training", '"training"', "buy and hold", 'say "hi"', "it's", "a_b", "a-b", "'", "A_B"]


async def search(fake: FakeMlflow, **asked: Any) -> tuple[int, Any]:
    """Status and body of a search."""
    body = {"experiment_ids": ["0"], "max_results": 100, **asked}
    async with aiohttp.ClientSession(fake.url) as session, session.post(SEARCH, json=body) as reply:
        return reply.status, await reply.json()


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("tags.run_type = 'training'", ["training"]),
        ("tags.run_type = '\"training\"'", ["training"]),
        ("tags.run_type = 'buy and hold'", None),
        ("tags.run_type = 'buy\nAND\thold'", None),
        ("tags.run_type = 'say \"hi\"'", []),
        ('tags.run_type = "it\'s"', ["it's"]),
        ("tags.run_type LIKE '_training_'", ['"training"']),
        ("tags.run_type LIKE 'buy_and_hold'", ["buy and hold"]),
        ("tags.run_type LIKE 'a_b'", ["a_b", "a-b"]),
        ('tags.run_type = "\'"', []),
        ("tags.run_type = 'a_b' AND tags.other = 'x'", []),
        ("", EVERY),
    ],
)
async def test_fasttrackml(fake: FakeMlflow, written: str, expected: list[str] | None) -> None:
    """Each filter finds what FastTrackML 0.6.0 found by it; None where it refused it."""
    for text in reversed(EVERY):
        fake.add_run(tags={"run_type": text})
    fake.before = others.fasttrackml(fake)
    status, body = await search(fake, filter=written)
    if expected is None:
        assert (400, "INVALID_PARAMETER_VALUE") == (status, body["error_code"])
    else:
        tags = [{tag["key"]: tag["value"] for tag in run["data"]["tags"]} for run in body["runs"]]
        assert expected == [one["run_type"] for one in tags]


async def test_gitlab(fake: FakeMlflow) -> None:
    """A list of orders is refused, a filter does nothing, and the last page has a token of null."""
    fake.add_run(tags={"run_type": "x"})
    fake.before = others.gitlab(fake)
    assert (400, {"error": "order_by is invalid"}) == await search(fake, order_by=["start_time DESC"])
    status, body = await search(fake, filter="tags.run_type = 'y'")
    assert (200, 1, None) == (status, len(body["runs"]), body["next_page_token"])


async def test_basic_auth(fake: FakeMlflow) -> None:
    """What may not be read is 403 by its id or name, and left out of lists; an unknown run is 403, too."""
    hidden = fake.add_experiment("hidden")
    mine, theirs = fake.add_run(), fake.add_run(hidden)
    fake.before = others.basic_auth(fake, ["0"])
    async with aiohttp.ClientSession(fake.url) as session:

        async def got(path: str) -> int:
            async with session.get(f"api/2.0/mlflow/{path}") as reply:
                return reply.status

        assert [200, 403, 403] == [await got(f"runs/get?run_id={one}") for one in (mine, theirs, "nobody")]
        names = ("Default", "hidden", "nobody")
        by_name = [await got(f"experiments/get-by-name?experiment_name={name}") for name in names]
    assert [200, 403, 404] == by_name
    assert (200, {}) == await search(fake, experiment_ids=[hidden])
