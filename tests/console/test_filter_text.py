"""What people type, as filters: the modules below js/filter/ that touch no page."""

import pytest

from service.tracking.search.parsing import parse_filter
from tests.console.modules import call
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


async def test_filters_are_left_as_they_are(watched: Watched) -> None:
    """A filter in the API's grammar is asked as it was written."""
    await watched.go("health")
    for text in FILTERS:
        assert parse_filter(text) is not None
        assert text == (await call(watched, "js/filter/translate.js", "translate", text, MORE))["filter"]


async def test_what_people_type_is_translated(watched: Watched) -> None:
    """Words, bare names and values without quotes become filters, which the service can read."""
    await watched.go("health")
    for text, filter_ in TRANSLATED.items():
        translation = await call(watched, "js/filter/translate.js", "translate", text, MORE)
        assert (text, filter_) == (text, translation["filter"])
        assert parse_filter(filter_) is not None


async def test_what_is_not_complete_is_known_from_what_is_wrong(watched: Watched) -> None:
    """A text that lacks its end says what is missing; one that no end can mend says where it is wrong."""
    await watched.go("health")
    for text, expected in OPEN.items():
        translation = await call(watched, "js/filter/translate.js", "translate", text, MORE)
        assert (text, None, True) == (text, translation["filter"], translation["problem"]["isOpen"])
        assert expected in translation["problem"]["expected"]
    for text, position in WRONG.items():
        translation = await call(watched, "js/filter/translate.js", "translate", text, MORE)
        assert (text, None) == (text, translation["filter"])
        assert (position, False) == (translation["problem"]["position"], translation["problem"]["isOpen"]), (
            text
        )


async def test_a_name_is_only_taken_for_a_field_that_has_it(watched: Watched) -> None:
    """A name that no field has, or several, is answered with those that may be meant, and asks nothing."""
    await watched.go("health")
    for text, options in UNCLEAR.items():
        translation = await call(watched, "js/filter/translate.js", "translate", text, MORE)
        assert None is translation["filter"]
        assert (text, options) == (text, [one["written"] for one in translation["choice"]["options"]])


async def test_a_search_for_words_is_shown_as_words(watched: Watched) -> None:
    """The filter that words became is shown as these words, and any other filter as it is."""
    await watched.go("health")
    for text in ("momentum", '"mean reversion"', "NOT carry", '"it\'s"', '"🎉"'):
        filter_ = (await call(watched, "js/filter/translate.js", "translate", text, None))["filter"]
        assert text == await call(watched, "js/filter/translate.js", "shortest", filter_)
    for text in FILTERS:
        assert text == await call(watched, "js/filter/translate.js", "shortest", text)


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


async def test_what_fits_at_the_caret_is_offered(watched: Watched) -> None:
    """Fields, operators, values and AND or OR are offered where each may stand, the likeliest first."""
    await watched.go("health")
    values = [{"value": "0.1", "count": 2}, {"value": "0.2", "count": 1}, {"value": None, "count": 7}]
    for text, inserts in COMPLETED.items():
        context = await call(watched, "js/filter/complete.js", "contextAt", text, len(text), MORE)
        offered = await call(watched, "js/filter/complete.js", "choicesAt", context, MORE, values)
        assert (text, inserts) == (text, [one["insert"] for one in offered][: len(inserts)])


async def test_a_choice_takes_the_place_of_the_word_at_the_caret(watched: Watched) -> None:
    """In the middle of a filter a choice replaces the whole word that the caret is in, and nothing else."""
    await watched.go("health")
    text = "lr = 1 AND oos_sh > 2"
    context = await call(watched, "js/filter/complete.js", "contextAt", text, len("lr = 1 AND oo"), MORE)
    put = await call(
        watched, "js/filter/complete.js", "chosen", text, context, {"insert": "metrics.oos_sharpe "}
    )
    assert {
        "text": "lr = 1 AND metrics.oos_sharpe > 2",
        "caret": len("lr = 1 AND metrics.oos_sharpe "),
    } == put


async def test_choices_and_the_text_make_one_filter(watched: Watched) -> None:
    """Chosen values are joined to the text, which keeps its meaning where it has an OR of its own."""
    await watched.go("health")
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
    assert expected == await call(watched, "js/filter/choices.js", "filterOf", state)
    assert parse_filter(expected) is not None
    without = await call(watched, "js/filter/choices.js", "filterOf", state, "status")
    assert "FAILED" not in without
    assert "cpcv" in without


async def test_each_part_of_a_filter_can_be_dropped(watched: Watched) -> None:
    """The parts that must all hold are those of the text between AND, and one for each facet."""
    await watched.go("health")
    state = {
        **STATE,
        "q": "lr = 1 AND (tags.a = 'x' OR tags.b = 'y') AND NOT tags.c = ' AND '",
        "user": ["ada"],
    }
    parts = await call(watched, "js/filter/choices.js", "partsOf", state)
    texts = ["lr = 1", "(tags.a = 'x' OR tags.b = 'y')", "NOT tags.c = ' AND '", "user_id = 'ada'"]
    assert texts == [part["text"] for part in parts]
    assert {"q": f"{texts[0]} AND {texts[2]}"} == parts[1]["changes"]
    assert {"user": []} == parts[3]["changes"]


async def test_choices_survive_the_address(watched: Watched) -> None:
    """Commas, dashes, empty texts, backslashes and what is not logged come back from an address as they were."""
    await watched.go("health")
    chosen = ["a,b", "-", None, "", "''", "\\", "\\-", "🎉", "x y"]
    for several in (chosen, *([one] for one in chosen)):
        printed = await call(watched, "js/filter/choices.js", "printChoices", several)
        assert several == await call(watched, "js/filter/choices.js", "parseChoices", printed)
    assert [] == await call(watched, "js/filter/choices.js", "parseChoices", "")
