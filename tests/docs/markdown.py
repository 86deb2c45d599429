"""What the documentation's pages hold: blocks of code, links and headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").rglob("*.md"))
GUIDES = [README, *DOCS, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]  # their commands are run
PAGES = [
    *GUIDES,
    ROOT / "CHANGELOG.md",
    ROOT / "tests" / "README.md",
    ROOT / "config" / "deploy" / "README.md",
]

_FENCE = re.compile(r"^ *```(?P<language>\S*)$")
_REMARK = re.compile(r"^ *<!-- (?P<kind>not run|served with|in file): (?P<text>.+) -->$")
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ (?P<title>.+)$")


class Block(NamedTuple):
    """A fenced block of code. remarks: the HTML comments right above it, by kind. line: of its first line."""

    page: Path
    line: int
    language: str
    text: str
    remarks: dict[str, str]

    @property
    def place(self) -> str:
        """Where it stands, for a person."""
        return f"{name(self.page)}:{self.line}"


def name(page: Path) -> str:
    """The path of a page in the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, from top to bottom."""
    remarks: dict[str, str] = {}
    language, start, lines = "", 0, list[str]()
    for number, line in enumerate(page.read_text("utf-8").splitlines(), start=1):
        fence = _FENCE.match(line)
        if start and line.strip() == "```":
            yield Block(page, start, language, dedent("\n".join(lines)), remarks)
            remarks, start = {}, 0
        elif start:
            lines.append(line)
        elif fence:
            language, start, lines = fence["language"], number + 1, []
        elif remark := _REMARK.match(line):
            remarks[remark["kind"]] = remark["text"]
        elif line:
            remarks = {}
    assert not start, f"{name(page)}:{start}: the block has no end"


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^ *```.*?^ *```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def links(page: Path) -> Iterator[str]:
    """The targets of a page's links that stay inside the repository."""
    for link in _LINK.finditer(prose(page)):
        if not re.match(r"[a-z]+:", link["target"]):
            yield link["target"]


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    slugs = set[str]()
    for line in prose(page).splitlines():
        if heading := _HEADING.match(line):
            words = re.sub(r"[^\w\- ]", "", heading["title"].replace("`", "").lower())
            slugs.add(words.replace(" ", "-"))
    return slugs
