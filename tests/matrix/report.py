"""The table: what each server answered to each check. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    OK = "ok"
    LIMIT = "limit"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one test.

    title: what the test says. parameter: which case of it this was; empty where it has but one. words: the
    difference, or the reason of a limit.
    """

    check: str
    title: str
    parameter: str
    verdict: Verdict
    words: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """What one server answered.

    not_tried: why this machine cannot have it. broken: why it could not be asked to the end.
    """

    name: str
    title: str
    outcomes: Sequence[Outcome] = ()
    not_tried: str = ""
    broken: str = ""

    def of(self, check: str) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.check == check]


def faults(columns: Sequence[Column], may_lack: frozenset[str]) -> list[str]:
    """Why the whole is no success, a line for each server that is to blame."""
    lines = []
    for column in columns:
        differing = [outcome for outcome in column.outcomes if outcome.verdict is Verdict.DIFFERS]
        if column.not_tried and column.name not in may_lack:
            lines.append(f"{column.name} was not tried: {column.not_tried}")
        if column.broken:
            lines.append(f"{column.name} broke off: {column.broken}")
        if differing:
            lines.append(f"{column.name}: {len(differing)} of {len(column.outcomes)} tests differ")
    return lines


def summary(columns: Sequence[Column]) -> str:
    """A table with a row a server: how many of the checks hold, and what does not."""
    lines = [_row(["server", "checks that hold", "what does not"]), _row(["---"] * 3)]
    for column in columns:
        checks = dict.fromkeys(outcome.check for outcome in column.outcomes)
        good = [check for check in checks if all(one.verdict is Verdict.OK for one in column.of(check))]
        words = dict.fromkeys(_in_short(one) for one in column.outcomes if one.verdict is not Verdict.OK)
        if column.not_tried:
            lines.append(_row([column.title, "not tried", column.not_tried]))
        else:
            lines.append(
                _row(
                    [column.title, f"{len(good)} of {len(checks)}", " ".join([*words, column.broken]).strip()]
                )
            )
    return "\n".join(lines) + "\n"


def _in_short(outcome: Outcome) -> str:
    return outcome.words if outcome.verdict is Verdict.LIMIT else f"{outcome.check} differs."


def markdown(columns: Sequence[Column]) -> str:
    """The table, a row a check and a column a server, and below it what differs in words."""
    titles = _titles(columns)
    notes: dict[str, list[str]] = {}  # what differs on which server, and in which checks
    lines = [
        _row(["", *(column.title for column in columns)]),
        _row(["---"] * (len(columns) + 1)),
    ]
    for check, title in titles.items():
        cells = [_cell(column, check, notes) for column in columns]
        lines.append(_row([title, *cells]))
    lines.append("")
    lines += [
        f"{number}. {words} ({', '.join(checks)})" for number, (words, checks) in enumerate(notes.items(), 1)
    ]
    lines += [f"- {column.title} was not tried: {column.not_tried}" for column in columns if column.not_tried]
    lines += [f"- {column.title} broke off: {column.broken}" for column in columns if column.broken]
    return "\n".join(lines).rstrip() + "\n"


def _titles(columns: Sequence[Column]) -> Mapping[str, str]:
    """Every check that a server was asked, and what it says, in the order asked."""
    return {outcome.check: outcome.title for column in columns for outcome in column.outcomes}


def _cell(column: Column, check: str, notes: dict[str, list[str]]) -> str:
    """What one server answered to one check; what is not as it should be gets a note."""
    if column.not_tried:
        return "not tried"
    outcomes = column.of(check)
    if not outcomes:
        return "not asked"
    parts = []
    for verdict in (Verdict.DIFFERS, Verdict.LIMIT):
        found = [outcome for outcome in outcomes if outcome.verdict is verdict]
        if found:
            words = f"{column.title}: {_plain(found[0].words)}"
            notes.setdefault(words, []).append(_which(found))
            some = f"{len(found)} of {len(outcomes)}: " if len(outcomes) > 1 else ""
            parts.append(f"{some}{verdict.value} ({list(notes).index(words) + 1})")
    return ", ".join(parts) or "ok"


def _which(outcomes: Sequence[Outcome]) -> str:
    """A check, and the cases of it."""
    cases = ", ".join(f"`{outcome.parameter}`" for outcome in outcomes if outcome.parameter)
    return f"{outcomes[0].check}{f': {cases}' if cases else ''}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_plain, cells))} |"


def _plain(text: str) -> str:
    """Text for one cell: no line end, no bar."""
    return " ".join(text.split()).replace("|", "\\|")
