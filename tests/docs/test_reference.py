"""The reference pages say what the code says."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from service.settings.load import variables
from tests.docs.markdown import ROOT

REFERENCE = ROOT / "docs" / "reference"


def generate(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The generator, as a person starts it."""
    return subprocess.run(
        [sys.executable, "docs/generate.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_pages_are_what_the_generator_writes() -> None:
    """Whoever changes a setting, an error, a route or a metric has generated the reference pages anew."""
    done = generate("--check")
    assert 0 == done.returncode, done.stderr


def test_a_page_that_differs_is_named_and_written_anew(tmp_path: Path) -> None:
    """The check fails for an edited page and names it; without the check the page is mended."""
    folder = shutil.copytree(REFERENCE, tmp_path / "reference")
    page = folder / "settings.md"
    text = page.read_text("utf-8")
    page.write_text(text.replace("8080", "8081"))
    done = generate("--check", "--folder", folder)
    assert 1 == done.returncode
    assert [str(page)] == re.findall(r"^(\S+) is not what", done.stderr, re.MULTILINE)
    assert 0 == generate("--folder", folder).returncode
    assert text == page.read_text("utf-8")


def test_every_setting_has_its_row() -> None:
    """The page of settings has each setting of the models once, with its meaning."""
    page = (REFERENCE / "settings.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \|.*\| (.*) \|$", page, re.MULTILINE)
    assert sorted((name, meaning) for name, _, meaning in variables()) == sorted(rows)
