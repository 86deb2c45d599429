"""The fake against a real MLflow, the filter grammar: both find the same runs, or both refuse."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.mlflow import FakeMlflow
from tests.live.logbook import Logbook, Reply, names, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

# The tag k of run 0, 1, 2 …
VALUES = (
    *(
        "a",
        "A",
        "a'b",
        'a"b',
        "a\\",
        "\\",
        "a''b",
        "a%b",
        "a_b",
        "axb",
        "é",
        "É",
        "",
        "NULL",
        "a\nb",
        "`",
        "a;b",
        "--",
    ),
    *("a b", "x\\'y", 'x\\"y', "ax\\b", "a' AND tags.z = 'c", "a\\' AND tags.s = "),
)
EVERY = tuple(range(len(VALUES)))


async def seeded(logbook: Logbook) -> str:
    """An experiment whose run N started at N, has VALUES[N] as tag k and b as tag z, and some numbers."""
    experiment = await logbook.create_experiment(unique("filters"))
    for index, value in enumerate(VALUES):
        tags = {"k": value, "z": "b", "a-b": "x", "dotted.key": f"{index}"}
        run_id = await logbook.create_run(experiment, f"{index}", tags=tags, start_time=index)
        metrics = {"m": float(index)} if index < 4 else {"m": float("nan")} if index == 4 else {}
        await logbook.log(run_id, metrics=metrics, params={"p": "1"} if index < 2 else {})
        if index == 0:
            await logbook.finish(run_id, "FINISHED", 50)
    return experiment


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def experiment(mlflow: Logbook) -> str:
    return await seeded(mlflow)


async def search(logbook: Logbook, experiment: str, text: str) -> Reply:
    return await logbook.post("runs/search", experiment_ids=[experiment], filter=text)


def indexes(reply: Reply) -> tuple[int, ...]:
    return tuple(sorted(int(name) for name in names(reply)))


MATCHES: dict[str, tuple[int, ...]] = {
    "": EVERY,
    # Where a key may stand in which quotes.
    "tags.k = 'a'": (0,),
    'tags.k = "a"': (0,),
    "tags.`k` = 'a'": (0,),
    "tags.\"k\" = 'a'": (0,),
    "tag.k='a'": (0,),
    "`tags`.k\t=\n'a'": (0,),
    "tags.`a-b` = 'x'": EVERY,
    "tags.dotted.key = '7'": (7,),
    "tags.`dotted.key` = '7'": (7,),
    "tags.`Z` = 'b'": (),
    "tags.order = 'x'": (),
    # AND in any case, doubled, alone, or left out.
    "tags.k='a'AND tags.z='b'": (0,),
    "tags.k = 'a' and\ttags.z = 'b'": (0,),
    "tags.k = 'a' AND AND tags.z = 'b' AND": (0,),
    "tags.k = 'a' tags.z = 'b'": (0,),
    "AND": EVERY,
    "tags.k LIKE 'a%' AND tags.k LIKE '%b'": (2, 3, 6, 7, 8, 9, 14, 16, 18, 21),
    # Quotes within quotes: nothing escapes.
    "tags.k = \"a'b\"": (2,),
    "tags.k = 'a\"b'": (3,),
    "tags.k = 'a''b'": (6,),
    "tags.k = 'a\\'b'": (),
    "tags.k = 'x\\'y'": (19,),
    'tags.k = "x\\"y"': (20,),
    "tags.k = 'a\nb'": (14,),
    "tags.k = '`'": (15,),
    "tags.k = 'a;b'": (16,),
    "tags.k = '--'": (17,),
    "tags.k = ''": (12,),
    "tags.k = 'NULL'": (13,),
    # A backslash before the last quote of all is a backslash; before another quote it swallows a clause.
    "tags.k = 'a\\'": (4,),
    "tags.k = 'a\\' AND tags.s = ' AND tags.z = 'b'": (23,),
    # A quote in a single-quoted value ends it.
    "tags.k = 'a' AND tags.z = 'b'": (0,),
    # Case, Unicode and LIKE, which knows no escape and folds only ASCII.
    "tags.k = 'é'": (10,),
    "tags.k = 'É'": (11,),
    "tags.k like 'a_b'": (2, 3, 7, 8, 9, 14, 16, 18),
    "tags.k LIKE \"a%\"": (0, 2, 3, 4, 6, 7, 8, 9, 14, 16, 18, 21, 22, 23),
    "tags.k LIKE 'A'": (1,),
    "tags.k ILIKE 'A'": (0, 1),
    "tags.k ILIKE 'É'": (11,),
    "tags.k LIKE ''": (12,),
    "tags.k LIKE '%'": EVERY,
    "tags.k LIKE 'a\\%b'": (),
    "tags.k LIKE '_'": (0, 1, 5, 10, 11, 15),
    # A run without the tag matches no comparison of it.
    "tags.k != 'a'": EVERY[1:],
    "tags.nokey != 'a'": (),
    "tags.nokey IS NULL": EVERY,
    "tags.k IS NULL": (),
    "tags.k IS NOT NULL": EVERY,
    "params.p IS NULL AND start_time < 4": (2, 3),
    "params.p = '1'": (0, 1),
    "parameter.`p` LIKE '_'": (0, 1),
    # Attributes: names, states and times.
    "run_name = '3'": (3,),
    "attributes.run_name LIKE '2_'": (20, 21, 22, 23),
    "attribute.status != 'RUNNING'": (0,),
    "run.status LIKE 'FIN%'": (0,),
    "user_id = ''": EVERY,
    "start_time > 21": (22, 23),
    "attributes.`start_time` >= 21.5": (22, 23),
    "created = 1e1": (10,),
    "start_time < 1 AND start_time > -1": (0,),
    "end_time < 60": (0,),
    "end_time != 50": (),
    "attributes.run_id IN ('a', \"b\")": (),
    "run_id NOT IN ('a',)": EVERY,
    # Metrics: NaN matches nothing but !=.
    "metrics.m > 0": (1, 2, 3),
    "metrics.m <= 1.": (0, 1),
    "metric.`m` < .5": (0,),
    "metrics.m != 3": (0, 1, 2, 4),
    "metrics.m = 0": (0,),
}  # fmt: skip


@pytest.mark.parametrize("text", MATCHES)
async def test_a_filter_matches(mlflow: Logbook, experiment: str, text: str) -> None:
    """A filter finds the runs that MLflow's grammar and SQLite's comparisons say."""
    assert MATCHES[text] == indexes(await search(mlflow, experiment, text))


@pytest.mark.parametrize(
    "text",
    [
        *(
            "   ",
            "tags.k = 'a' OR tags.z = 'b'",
            "(tags.k = 'a')",
            "NOT tags.k = 'a'",
            "tags.k = 'a';",
            "tags.k = 'a",
        ),
        *(
            "tags.k = 'a' -- c",
            "tags.k = 'a' /* c */",
            "tags.k='a' # c",
            "tags.k = 'a', tags.z = 'b'",
            "tags.k = 'a' \\",
        ),
        *(
            "tags.k",
            "tags.k =",
            "tags.k = a",
            "tags.k = `a`",
            "tags.k = 5",
            "tags.k = tags.z",
            "'a' = tags.k",
        ),
        *(
            "tags.k = 'a' 'b'",
            "tags.k = N'a'",
            "tags.k <> 'a'",
            "tags.k == 'a'",
            "tags.k > 'a'",
            "tags.k NOT LIKE 'a'",
        ),
        *(
            "tags.k IN ('a')",
            "tags.k BETWEEN 'a' AND 'b'",
            "tags.a-b = 'x'",
            "tags.1 = 'x'",
            "tags . k = 'a'",
        ),
        *(
            "tags.`a`b` = 'x'",
            "bogus.k = 'a'",
            "TAGS.k = 'a'",
            "k = 'a'",
            "attributes.lifecycle_stage = 'active'",
        ),
        *(
            "attributes.experiment_id = '1'",
            "attributes.status IN ('RUNNING')",
            "status > 'A'",
            "start_time > '5'",
        ),
        *(
            "start_time LIKE '1'",
            "start_time IN (1)",
            "start_time IS NULL",
            "metrics.m > '1'",
            "metrics.m > 1e+3",
        ),
        *(
            "metrics.m LIKE 1",
            "metrics.m > 0x10",
            "params.p > '1'",
            "run_id IN ()",
            "run_id IN (1)",
            "run_id IN 'a'",
        ),
        *(
            "run_id IN ('a'",
            "run_id IN",
            "tags.k = 'a' AND (tags.z = 'b')",
            "tags.k = 'a\\' AND tags.z = 'b'",
        ),
        *("tags.k = 'a'b'", 'tags.k = "a"b"', "tags.k = ''a''"),
    ],
)
async def test_a_filter_is_refused(mlflow: Logbook, experiment: str, text: str) -> None:
    """What the grammar does not know is INVALID_PARAMETER_VALUE."""
    reply = await search(mlflow, experiment, text)
    assert (reply.status, reply.body.get("error_code")) == (400, "INVALID_PARAMETER_VALUE")


async def test_a_list_of_bare_words_is_an_internal_error(mlflow: Logbook, experiment: str) -> None:
    """An IN list is read as Python: bare words make it a 500."""
    reply = await search(mlflow, experiment, "run_id IN (a, b)")
    assert (reply.status, reply.body["error_code"]) == (500, "INTERNAL_ERROR")


async def test_a_list_of_ids(mlflow: Logbook, experiment: str) -> None:
    """run_id IN finds the runs of a list, in the order of a search; Python's escapes are read."""
    found = (await search(mlflow, experiment, "start_time < 3")).body["runs"]
    ids = {run["info"]["run_name"]: run["info"]["run_id"] for run in found}
    assert indexes(await search(mlflow, experiment, f"run_id IN ('{ids['0']}', 'x', \"{ids['2']}\")")) == (
        0,
        2,
    )
    escaped = f"\\x{ord(ids['1'][0]):x}{ids['1'][1:]}"
    assert indexes(await search(mlflow, experiment, f"attributes.run_id IN ('{escaped}')")) == (1,)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(real_mlflow: str) -> AsyncIterator[tuple[tuple[Logbook, str], tuple[Logbook, str]]]:
    """The fake and a real MLflow, each with the id of an experiment of the same runs."""
    async with (
        FakeMlflow().serve() as fake,
        aiohttp.ClientSession(fake.url) as to_fake,
        aiohttp.ClientSession(real_mlflow) as to_real,
    ):
        books = Logbook(to_fake), Logbook(to_real)
        first, second = [(book, await seeded(book)) for book in books]
        yield first, second


Both = tuple[tuple[Logbook, str], tuple[Logbook, str]]
EXAMPLES = settings(max_examples=60, derandomize=True, deadline=None, database=None)
quotes = st.sampled_from(["'", '"'])
comparators = st.sampled_from(["=", "!=", "LIKE", "ILIKE"])
values = st.sampled_from(VALUES) | st.text("a'\"\\%_ `é;-\nB", max_size=6)


async def assert_same(both: Both, text: str) -> None:
    fake, real = [await search(logbook, experiment, text) for logbook, experiment in both]
    assert real.status == fake.status, (text, real.text)
    if real.status == 200:
        assert indexes(real) == indexes(fake), text
    else:
        assert real.body["error_code"] == fake.body["error_code"], text


@pytest.mark.live
@given(quote=quotes, comparator=comparators, value=values)
@EXAMPLES
async def test_any_quoted_value_finds_the_same(both: Both, quote: str, comparator: str, value: str) -> None:
    """A comparison with any text between quotes finds the same runs in both, or is refused by both."""
    await assert_same(both, f"tags.k {comparator} {quote}{value}{quote}")


@pytest.mark.live
@given(first=values, second=values)
@EXAMPLES
async def test_two_quoted_values_find_the_same(both: Both, first: str, second: str) -> None:
    """Two comparisons in one filter are read alike, even where the first text swallows the second."""
    await assert_same(both, f"tags.k = '{first}' AND tags.z != '{second}'")
