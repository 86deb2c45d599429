"""Tables as texts that other programs read, as the browser makes them."""

import asyncio
import csv
import io
import json
import subprocess
import sys
from typing import Any, Final

import pytest

from tests.api.serving import Client
from tests.console.data import sample_ids
from tests.console.modules import evaluated
from tests.console.watched import Watched

pytestmark = pytest.mark.console

TABLE: Final = """{
  columns: [{ label: "name", kind: "text" }, { label: "oos_sharpe", kind: "number" }],
  rows: values[0].map(([name, value]) => [name ?? undefined, value === "missing" ? undefined : value]),
}"""
HOSTILE: Final = "=1+1"
ODD: Final = 'a,b\\c "d" | 50%_off & <b>{x}~^#$ _y_\nsecond line'


async def written(page: Watched, form: str, rows: list[list[Any]]) -> str:
    """The table of these rows in a form. A value "missing" is one that the run lacks."""
    text = await evaluated(page, "parts/copy.js", f"m.{form}({TABLE})", rows)
    assert isinstance(text, str)
    return text


async def test_csv_has_numbers_in_full(module_page: Watched) -> None:
    """Numbers come back to the last bit, what is missing is an empty cell, and NaN is NaN."""
    values = [1 / 3, -0.0, 1e-12, 1e15, 5e-324, -1.7976931348623157e308]
    rows: list[list[Any]] = [["x", value] for value in values] + [["nan", None], ["none", "missing"]]
    lines = list(csv.reader(io.StringIO(await written(module_page, "csv", rows), newline=""), strict=True))
    cells = [value for _, value in lines[1:]]
    assert list(map(repr, values)) == [repr(float(cell)) for cell in cells[:6]]
    assert ["NaN", ""] == cells[6:]


async def test_csv_keeps_any_text(module_page: Watched) -> None:
    """Commas, quotes and line ends come back as they were, and nothing is a formula to a spreadsheet."""
    text = await written(module_page, "csv", [[ODD, 1], [HOSTILE, 1], ["-1.5", 1], [None, 1]])
    lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert [["name", "oos_sharpe"], [ODD, "1"], ["'=1+1", "1"], ["-1.5", "1"], ["", "1"]] == lines


async def test_markdown_is_one_line_a_run(module_page: Watched) -> None:
    """Nothing in a name ends a cell, a row or the text's own form; numbers are as on the screen."""
    text = await written(module_page, "markdown", [[ODD, -0.12345], ["a_b", None], [None, "missing"]])
    assert [
        "| name | oos_sharpe |",
        "| --- | ---: |",
        '| a,b\\\\c "d" \\| 50%\\_off &amp; &lt;b>{x}\\~^\\#$ \\_y\\_ second line | -0.1235 |',
        "| a_b | NaN |",
        "| \N{EN DASH} | \N{EN DASH} |",
    ] == text.splitlines()


async def test_latex_has_the_rules_of_booktabs(module_page: Watched) -> None:
    """A table for booktabs, whose special characters are escaped and whose numbers are set as such."""
    rows: list[list[Any]] = [[ODD, -0.12345], ["x", 1.5e-12], ["x", 12345.6], ["x", None], ["x", "missing"]]
    text = await written(module_page, "latex", rows)
    assert [
        r"% \usepackage{booktabs}",
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"name & oos\_sharpe \\",
        r"\midrule",
        (
            r"a,b\textbackslash{}c \textquotedbl{}d\textquotedbl{} \textbar{} 50\%\_off \& "
            r"\textless{}b\textgreater{}\{x\}\textasciitilde{}\textasciicircum{}"
            r"\#\$ \_y\_ second line & $-0.1235$ \\"
        ),
        r"x & $1.5\times10^{-12}$ \\",
        r"x & $12{,}350$ \\",
        r"x & NaN \\",
        r"x & -- \\",
        r"\bottomrule",
        r"\end{tabular}",
    ] == text.splitlines()


async def test_python_gets_the_same_runs(module_page: Watched, sampled: Client) -> None:
    """The snippet runs as it was pasted, and makes a data frame of the runs of the search, in their order."""
    search = {
        "filter": "tags.run_type = 'backtest'",
        "order_by": ["metrics.backtest_sharpe desc"],
        "fields": ["run_id", "metrics.backtest_sharpe", "params.`no such, name`"],
        "experiment_id": [],
    }
    address = str(sampled.make_url("/api/v1/tracking/runs/search"))
    code = await evaluated(module_page, "parts/copy.js", "m.python(values[0], values[1])", address, search)
    told = code + "import json\nprint(json.dumps(list(runs['run_id'])))\nprint(list(runs.columns))\n"
    lines = (await run_python(told)).splitlines()
    assert set(sample_ids("backtest")) == set(json.loads(lines[-2]))
    assert "['run_id', 'metrics.backtest_sharpe', 'params.no such, name']" == lines[-1]


async def run_python(code: str) -> str:
    """What a program of Python prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await process.communicate()
    assert 0 == process.returncode, err.decode()
    return out.decode()
