"""Measures the console and prints a table: what, figure, target.

python -m tests.console.figures [--only PART_OF_A_NAME]
"""

import argparse
import asyncio
import tempfile
from pathlib import Path
from typing import Final

from tests.bench.machine import Others
from tests.console.chromium import chromium
from tests.console.figures import drawings, lasting, lighthouse, sorting, tables
from tests.console.figures.measure import Bench, Figure, Row

ROWS: Final[tuple[Row, ...]] = (
    tables.first_load,
    tables.scrolling,
    tables.filtering,
    sorting.sorting,
    drawings.comparing,
    drawings.histories,
    lasting.idle,
    lasting.memory,
    lighthouse.scores,
)


async def measured(rows: list[Row]) -> list[Figure]:
    """All figures, each printed as soon as it is known."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        async with chromium("--enable-precise-memory-info") as browser:
            for row in rows:
                for figure in await row(Bench(browser, Path(folder))):
                    print(" | ".join(figure.row), flush=True)
                    figures.append(figure)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.console.figures", description=__doc__)
    parser.add_argument("--only", default="", help="only rows whose function has this in its name")
    only = parser.parse_args().only
    others = Others()
    figures = asyncio.run(measured([row for row in ROWS if only in row.__name__]))
    print("\n| what | figure | target | |\n| --- | --- | --- | --- |")
    for figure in figures:
        print(f"| {' | '.join(figure.row)} |")
    print(f"\nOther processes took {others.share():.0%} of the processor's time.")


if __name__ == "__main__":
    main()
