"""The picture of the rooms shows what the code may do."""

import re
from collections.abc import Iterator

from tests.docs.markdown import ROOT, blocks
from tests.test_architecture import BUILDERS, MAY_IMPORT

PAGE = ROOT / "docs" / "explanation" / "architecture.md"


def arrows() -> Iterator[tuple[str, str]]:
    """The arrows of the first picture, from room to room."""
    picture = next(block.text for block in blocks(PAGE) if block.language == "mermaid")
    for line in picture.splitlines():
        ends = [re.findall(r"(\w+)(?:\[.*\])?", end) for end in line.split(" --> ")]
        if len(ends) == 2:
            yield from ((source, target) for source in ends[0] for target in ends[1])


def test_every_arrow_is_allowed() -> None:
    """The picture shows no import that the architecture forbids."""
    rooms = [(source, target) for source, target in arrows() if source in MAY_IMPORT and target in MAY_IMPORT]
    assert [] == [(source, target) for source, target in rooms if target not in MAY_IMPORT[source]]


def test_every_room_is_in_the_picture_and_in_the_table() -> None:
    """A new room has its place in the picture, and a row that says what it knows."""
    folders = {folder.parent.name for folder in (ROOT / "service").glob("*/__init__.py")}
    shown = {room for arrow in arrows() for room in arrow}
    rows = set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text("utf-8"), re.MULTILINE))
    assert folders == rows & (MAY_IMPORT.keys() | BUILDERS)
    assert folders <= shown
