"""The how-to about a new resource works: done to a copy of the code, it gives a route that callers use."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, Block, blocks

PAGE = ROOT / "docs" / "how-to" / "add-a-resource.md"
MOST_FILES = 5
HELD = ("tests/test_architecture.py", "tests/api/test_openapi.py", "tests/tracking/test_questions.py")
COPIED = ("service", "tests", "config", "pyproject.toml")


@pytest.mark.thorough
def test_the_steps_of_the_page_make_a_resource(tmp_path: Path) -> None:
    """The steps touch at most five files, and what they make passes its tests and those of all routes."""
    for name in COPIED:
        if (source := ROOT / name).is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("bench"))
        else:
            shutil.copy(source, tmp_path / name)
    touched = {name for name, block in steps() if change(tmp_path / name, block)}
    assert len(touched) <= MOST_FILES
    run(tmp_path, "ruff", "check", *sorted(touched))
    run(tmp_path, "ruff", "format", "--check", *sorted(touched))
    added = [name for name in touched if name.startswith("tests/")]
    run(tmp_path, "pytest", "-q", *added, *HELD)


def steps() -> Iterator[tuple[str, Block]]:
    """The file that each step of the page changes, and the change."""
    for block in blocks(PAGE):
        if "in file" in block.remarks:
            yield block.remarks["in file"], block


def change(file: Path, block: Block) -> bool:
    """Add a block to the end of a file, or replace what a diff replaces."""
    text = file.read_text("utf-8") if file.exists() else ""
    if block.language == "diff":
        lines = [line or " " for line in block.text.splitlines()]
        before = "".join(f"{line[1:]}\n" for line in lines if line[0] != "+")
        after = "".join(f"{line[1:]}\n" for line in lines if line[0] != "-")
        assert 1 == text.count(before), f"{block.place}: the file has these lines not once:\n{before}"
        text = text.replace(before, after)
    else:
        text = f"{text}\n\n{block.text}\n" if text else f"{block.text}\n"
    file.write_text(text, "utf-8")
    return True


def run(folder: Path, module: str, *arguments: str) -> None:
    """Run a tool in the copy."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
