"""The version stands in one place, and what repeats it agrees."""

import re
from pathlib import Path

import pytest

from service import __version__
from tests.deploy.files import ROOT

CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
REPEATING = sorted(
    file
    for pattern in ("*.md", "docs/**/*.md", "config/deploy/**/*.md", "config/deploy/**/*.yaml")
    for file in ROOT.glob(pattern)
    if re.search(r"experiment-tracking:\d", file.read_text("utf-8"))
)


@pytest.mark.parametrize("file", REPEATING, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_that_names_the_image_names_this_version(file: Path) -> None:
    """A tag of the image in a deployment file or in the documentation is the version of the service."""
    tags = re.findall(r"experiment-tracking:(\d[\w.+-]*)", file.read_text("utf-8"))
    assert {__version__} == set(tags)


def test_the_changelog_names_the_version() -> None:
    """The version has a dated section in the changelog, or is what the unreleased changes become."""
    assert re.search(rf"^## \[{re.escape(__version__)}\] - \d{{4}}-\d\d-\d\d$", CHANGELOG, re.MULTILINE) or (
        f"Becomes {__version__}," in CHANGELOG
    )
