# ruff: noqa: INP001 - a script of its own, in no package
"""Writes the reference pages from the code. With --check it writes nothing, and fails where one differs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from generator.api import api_page
from generator.errors import errors_page
from generator.metrics import metrics_page
from generator.settings import settings_page

FOLDER = Path(__file__).parent / "reference"
PAGES: dict[str, Callable[[], str]] = {
    "api.md": api_page,
    "errors.md": errors_page,
    "metrics.md": metrics_page,
    "settings.md": settings_page,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages, or say which ones differ; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 where a page differs")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the pages are")
    options = parser.parse_args(arguments)
    outdated = 0
    for name, page in PAGES.items():
        file, text = options.folder / name, page()
        if file.exists() and file.read_text("utf-8") == text:
            continue
        outdated += 1
        if options.check:
            print(f"{file} is not what the code says; run .venv/bin/python docs/generate.py", file=sys.stderr)
        else:
            file.write_text(text, "utf-8")
            print(f"{file} written")
    return 1 if options.check and outdated else 0


if __name__ == "__main__":
    sys.exit(main())
