"""What a run of the bench found, as a table for people and as JSON."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from tests.bench.load import Spread

Figures = Mapping[str, Any]


class Row(NamedTuple):
    """One line of the table.

    shown: the figure that the target is about. by_cpu: the same by CPU time a request, which suffers less
    from whatever else the machine does. met: None where there is no target. figures: all that was measured.
    """

    name: str
    measured: str
    target: str = ""
    shown: str = ""
    by_cpu: str = ""
    met: bool | None = None
    figures: Figures = MappingProxyType({})


class Table(NamedTuple):
    """A table of its own, for what is more than one line."""

    title: str
    header: Sequence[str]
    lines: Sequence[Sequence[str]]
    figures: Sequence[Figures] = ()


class Findings(NamedTuple):
    """What a group of rows brings."""

    rows: Sequence[Row] = ()
    tables: Sequence[Table] = ()


def at_least(ratio: Spread, target: float, unit: str = "") -> tuple[str, str, bool]:
    """Target, figure and verdict of a ratio that should be high."""
    places = ".2f" if ratio.median < 10 else ",.0f"
    return f"≥ {target:,g}{unit}", f"{ratio:{places}}", ratio.median >= target


def at_most(value: Spread, target: float, unit: str = "") -> tuple[str, str, bool]:
    """Target, figure and verdict of a figure that should be low."""
    return f"≤ {target:g}{unit}", f"{value:.2f}{unit}", value.median <= target


def markdown(findings: Sequence[Findings], machine: Mapping[str, str]) -> str:
    """All findings, the rows in one table and the rest below."""
    return "\n".join(_lines(findings, machine)) + "\n"


def as_json(findings: Sequence[Findings], machine: Mapping[str, str]) -> dict[str, Any]:
    """The same with every figure."""
    rows = [{**row._asdict(), "figures": dict(row.figures)} for found in findings for row in found.rows]
    tables = [
        {"title": table.title, "figures": list(table.figures)} for found in findings for table in found.tables
    ]
    return {"machine": dict(machine), "rows": rows, "tables": tables}


def _lines(findings: Sequence[Findings], machine: Mapping[str, str]) -> Iterator[str]:
    yield "; ".join(f"{name}: {value}" for name, value in machine.items()) + "."
    yield ""
    rows = [row for found in findings for row in found.rows]
    if rows:
        header = ("row", "measured", "target", "shown", "by CPU", "")
        yield from _table(header, [[*row[:5], _verdict(row)] for row in rows])
        short = [row.name for row in rows if row.met is False]
        yield ""
        yield f"Short of its target: {'; '.join(short) or 'nothing'}."
    for table in (table for found in findings for table in found.tables):
        yield ""
        yield f"**{table.title}**"
        yield ""
        yield from _table(table.header, table.lines)


def _verdict(row: Row) -> str:
    return "" if row.met is None else "pass" if row.met else "SHORT"


def _table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> Iterator[str]:
    cell: Callable[[str], str] = lambda text: text.replace("|", "\\|")  # noqa: E731 - shorter than its name
    yield f"| {' | '.join(header)} |"
    yield f"|{' --- |' * len(header)}"
    for line in lines:
        yield f"| {' | '.join(map(cell, line))} |"
