"""What people type, as filters: the modules below js/filter/ that touch no page."""

from typing import Any

import pytest

from service.tracking.search.parsing import parse_filter
from tests.console.modules import evaluated
from tests.console.test_filter_bar import FIELDS, STATE, field
from tests.console.watched import Watched

pytestmark = pytest.mark.console

MORE = [
    *FIELDS,
    field("params.model", numeric=False),
    field("params.Learning Rate", numeric=True),
    field("metrics.val.loss"),
    field("metrics.depth"),
    field("params.depth", numeric=True),
    field("metrics.max_drawdown"),
    field("metrics.constructor"),
]

# Left as they are, since they are filters already.
FILTERS = (
    "metrics.oos_sharpe > 1.2 AND metrics.max_drawdown > -0.1",
    "params.model = 'lightgbm' AND (tags.run_type = 'cpcv' OR tags.run_type = 'walk_forward')",
    "number(params.lookback_days) >= 60 AND NOT tags.`data set` LIKE 'v4%'",
    "status IN ('RUNNING', 'SCHEDULED') AND start_time >= '2026-11-27T09:00:00+01:00'",
    'metrics."val/loss 1" IS NULL OR duration > 3600000',
    "tags.a = 'it''s' and not tags.b not in ('x')",
    '"Run name" = "a" OR Created > 5',
    "tags.größe = '🎉'",
)

TRANSLATED = {
    "momentum": "run_name ILIKE '%momentum%' OR run_id LIKE 'momentum%'",
    "ABC12": "run_name ILIKE '%ABC12%' OR run_id LIKE 'abc12%'",
    '"it\'s new"': "run_name ILIKE '%it''s new%' OR run_id LIKE 'it''s new%'",
    "🎉": "run_name ILIKE '%🎉%' OR run_id LIKE '🎉%'",
    "a:b": "run_name ILIKE '%a:b%' OR run_id LIKE 'a:b%'",
    "NOT carry": "NOT (run_name ILIKE '%carry%' OR run_id LIKE 'carry%')",
    "lr=0.1 momentum": "number(params.lr)=0.1 AND (run_name ILIKE '%momentum%' OR run_id LIKE 'momentum%')",
    "lr = 0.1, oos_sharpe == 1": "number(params.lr) = 0.1 AND metrics.oos_sharpe = 1",
    "max_drawdown<-0.1": "metrics.max_drawdown<-0.1",
    "constructor > 1": "metrics.constructor > 1",
    "val.loss < 2": "metrics.val.loss < 2",
    '"Learning Rate" = 0.1': "number(params.`Learning Rate`) = 0.1",
    "params.unknown > 60": "number(params.unknown) > 60",
    "params.unknown = 60": "params.unknown = '60'",
    "number(lr) > 1": "number(params.lr) > 1",
    "model like light%": "params.model like 'light%'",
    "run_type in (cpcv, training)": "tags.run_type in ('cpcv', 'training')",
    "status = finished": "status = 'FINISHED'",
    "duration > 1.5h": "duration > 5400000",
    "start_time > 2026-11-27": "start_time > '2026-11-27'",
    "metrics.oos_sharpe > '1'": "metrics.oos_sharpe > 1",
    "metrics.a:b > 1": "metrics.`a:b` > 1",
}

OPEN = {
    "metrics.": "an operator",
    "status": "an operator",
    "lr": "an operator",
    "lr =": "a value",
    "lr = 1 A": "AND or OR",
    "lr = 1 AND": "a field",
    "run_type IN (cpcv": ", or )",
    "tags.a = 'x": "a closing quote",
    "metrics.`a b": "a closing quote",
    "(momentum": ") at the end",
    "tags.a IS NOT": "NULL",
}

WRONG = {
    "momentum)": 8,
    "oos_sharpe < 10%": 13,
    "lr = = 1": 5,
    "lr =! 1": 3,
    "AND lr = 1": 0,
    "start_time > yesterday": 13,
    "tags.a IS x": 6,
}

UNCLEAR = {
    "sharpe > 1": ["metrics.oos_sharpe", "metrics.is_sharpe"],
    "depth > 1": ["metrics.depth", "params.depth"],
    "max_dd < 0": ["metrics.max_drawdown"],
    "zzz = 1": ["metrics.zzz", "params.zzz", "tags.zzz"],
    "toString = 1": ["metrics.toString", "params.toString", "tags.toString"],
}


async def translated(watched: Watched, text: str, fields: Any = MORE) -> Any:
    return await evaluated(watched, "filter/translate.js", "m.translate(...values)", text, fields)


@pytest.mark.parametrize("text", FILTERS)
async def test_filters_are_left_as_they_are(module_page: Watched, text: str) -> None:
    """A filter in the API's grammar is asked as it was written, and shown so."""
    assert parse_filter(text) is not None
    assert text == (await translated(module_page, text))["filter"]
    assert text == await evaluated(module_page, "filter/translate.js", "m.shortest(values[0])", text)


@pytest.mark.parametrize("text", TRANSLATED)
async def test_what_people_type_is_translated(module_page: Watched, text: str) -> None:
    """Words, bare names and values without quotes become filters, which the service can read."""
    assert TRANSLATED[text] == (await translated(module_page, text))["filter"]
    assert parse_filter(TRANSLATED[text]) is not None


@pytest.mark.parametrize("text", OPEN)
async def test_what_is_not_complete_says_what_is_missing(module_page: Watched, text: str) -> None:
    """A text that only lacks its end is not asked, and is not called wrong."""
    translation = await translated(module_page, text)
    assert (None, True) == (translation["filter"], translation["problem"]["isOpen"])
    assert OPEN[text] in translation["problem"]["expected"]


@pytest.mark.parametrize("text", WRONG)
async def test_what_is_wrong_says_where(module_page: Watched, text: str) -> None:
    """A text that no end can mend is not asked, and its place is known."""
    translation = await translated(module_page, text)
    assert None is translation["filter"]
    assert (WRONG[text], False) == (translation["problem"]["position"], translation["problem"]["isOpen"])


@pytest.mark.parametrize("text", UNCLEAR)
async def test_a_name_is_only_taken_for_a_field_that_has_it(module_page: Watched, text: str) -> None:
    """A name that no field has, or several, is answered with those that may be meant, and asks nothing."""
    translation = await translated(module_page, text)
    assert None is translation["filter"]
    assert UNCLEAR[text] == [one["written"] for one in translation["choice"]["options"]]


@pytest.mark.parametrize("text", ["momentum", '"mean reversion"', "NOT carry", '"it\'s"', '"🎉"'])
async def test_a_search_for_words_is_shown_as_words(module_page: Watched, text: str) -> None:
    """The filter that words became is shown as these words."""
    filter_ = (await translated(module_page, text, None))["filter"]
    assert text == await evaluated(module_page, "filter/translate.js", "m.shortest(values[0])", filter_)


COMPLETED = {
    "": ["metrics.oos_sharpe ", "metrics.is_sharpe ", "params.lr "],
    "sha": ["metrics.oos_sharpe ", "metrics.is_sharpe "],
    "metrics.oo": ["metrics.oos_sharpe "],
    "Learning": ["params.`Learning Rate` "],
    "lr ": ["= ", "!= ", "IN ("],
    "oos_sharpe ": ["> ", ">= ", "< "],
    "lr=": ["'0.1' ", "'0.2' "],
    "lr = 0.2": ["'0.2' "],
    "status IN ('FI": ["'FINISHED'"],
    "lr = 1 ": ["AND ", "OR "],
    "lr = 1 O": ["OR ", "metrics.oos_sharpe "],
    "tags.a IS ": ["NULL ", "NOT NULL "],
    "number(l": ["params.lr"],
}
VALUES = [{"value": "0.1", "count": 2}, {"value": "0.2", "count": 1}, {"value": None, "count": 7}]


@pytest.mark.parametrize("text", COMPLETED)
async def test_what_fits_at_the_caret_is_offered(module_page: Watched, text: str) -> None:
    """Fields, operators, values and AND or OR are offered where each may stand, the likeliest first."""
    choices = "m.choicesAt(m.contextAt(values[0], values[0].length, values[1]), values[1], values[2])"
    offered = await evaluated(module_page, "filter/complete.js", choices, text, MORE, VALUES)
    assert COMPLETED[text] == [one["insert"] for one in offered][: len(COMPLETED[text])]


async def test_a_choice_takes_the_place_of_the_word_at_the_caret(module_page: Watched) -> None:
    """In the middle of a filter a choice replaces the whole word that the caret is in, and nothing else."""
    text, caret = "lr = 1 AND oos_sh > 2", len("lr = 1 AND oo")
    chosen = "m.chosen(values[0], m.contextAt(...values), {insert: 'metrics.oos_sharpe '})"
    put = await evaluated(module_page, "filter/complete.js", chosen, text, caret, MORE)
    assert "lr = 1 AND metrics.oos_sharpe > 2" == put["text"]
    assert len("lr = 1 AND metrics.oos_sharpe ") == put["caret"]


async def test_choices_and_the_text_make_one_filter(module_page: Watched) -> None:
    """Chosen values are joined to the text, which keeps its meaning where it has an OR of its own."""
    state = {
        **STATE,
        "q": "tags.a = '1' OR tags.b = '2'",
        "type": ["cpcv", "it's"],
        "status": ["FAILED"],
        "model": ["v1", None],
        "signal": [None],
    }
    expected = (
        "(tags.a = '1' OR tags.b = '2') AND tags.run_type IN ('cpcv', 'it''s') AND status = 'FAILED' "
        "AND tags.signal_version IS NULL AND (tags.model_version = 'v1' OR tags.model_version IS NULL)"
    )
    assert expected == await evaluated(module_page, "filter/choices.js", "m.filterOf(values[0])", state)
    assert parse_filter(expected) is not None
    without = await evaluated(module_page, "filter/choices.js", "m.filterOf(values[0], 'status')", state)
    assert expected.replace(" AND status = 'FAILED'", "") == without


async def test_each_part_of_a_filter_can_be_dropped(module_page: Watched) -> None:
    """The parts that must all hold are those of the text between AND, and one for each facet."""
    texts = ["lr = 1", "(tags.a = 'x' OR tags.b = 'y')", "NOT tags.c = ' AND '", "user_id = 'ada'"]
    state = {**STATE, "q": " AND ".join(texts[:3]), "user": ["ada"]}
    parts = await evaluated(module_page, "filter/choices.js", "m.partsOf(values[0])", state)
    assert texts == [part["text"] for part in parts]
    assert {"q": f"{texts[0]} AND {texts[2]}"} == parts[1]["changes"]
    assert {"user": []} == parts[3]["changes"]


@pytest.mark.parametrize(
    "chosen", [["a,b", "-", None, "", "x"], [""], [None], ["-"], ["''"], ["\\", "\\-"], ["🎉"], []]
)
async def test_choices_survive_the_address(module_page: Watched, chosen: list[str | None]) -> None:
    """Commas, dashes, empty texts and what is not logged come back from an address as they were."""
    again = "m.parseChoices(m.printChoices(values[0]))"
    assert chosen == await evaluated(module_page, "filter/choices.js", again, chosen)
