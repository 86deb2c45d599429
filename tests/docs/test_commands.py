"""What the documentation tells its reader to run, run; and what it says comes of it."""

import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.settings.load import variables
from tests.docs.markdown import GUIDES, ROOT, blocks, name, prose
from tests.docs.pages import ANSWERS, COMMANDS, commands, run_page, sample_mlflow

PICTURES = {"", "mermaid"}
FILES = {"diff", "js", "nginx", "sql", "toml", "yaml"}
STAND_IN = f"{shlex.quote(sys.executable)} {shlex.quote(str(Path(__file__).with_name('curl.py')))}"
CURL = shutil.which("curl") or STAND_IN
RUN = [page for page in GUIDES if commands(page)]


@pytest.mark.parametrize(
    "curl", [CURL, pytest.param(STAND_IN, marks=pytest.mark.slow)], ids=["curl", "stand-in"]
)
@pytest.mark.parametrize("page", RUN, ids=name)
async def test_every_command_does_what_the_page_says(page: Path, curl: str, tmp_path: Path) -> None:
    """Each command of a page succeeds over the sample session, and its answer is the one that is shown."""
    async with sample_mlflow() as mlflow:
        await run_page(page, mlflow.url, curl, tmp_path)


def test_every_block_is_a_command_an_answer_a_picture_or_a_file() -> None:
    """Each block says its language, and an answer stands right after the command that it answers."""
    listed = [block for page in GUIDES for block in blocks(page)]
    known = COMMANDS | ANSWERS | PICTURES | FILES
    assert [] == [block.place for block in listed if block.language not in known]
    assert [] == [
        block.place
        for before, block in zip([None, *listed], listed, strict=False)
        if block.language in ANSWERS
        and (before is None or before.page != block.page or before.language not in COMMANDS)
    ]


def test_every_target_of_make_is_there() -> None:
    """Whatever `make` is told to do on a page, the Makefile knows."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert [] == [(name(page), word) for page in GUIDES for word in made(page) if word not in targets]


def made(page: Path) -> Iterator[str]:
    """The targets that a page tells its reader to make."""
    code = [block.text for block in blocks(page)] + re.findall(r"`([^`\n]+)`", prose(page))
    for line in "\n".join(code).splitlines():
        if line.startswith("make "):
            words = line.partition("#")[0].split()[1:]
            yield from (word for word in words if re.fullmatch(r"[a-z-]+", word))


def test_every_setting_that_is_named_is_one() -> None:
    """Each variable TRACKING_… on a page is a setting, or the beginning of one where it ends in …."""
    settings = {setting for setting, _, _ in variables()}
    named = [
        (name(page), variable, more)
        for page in GUIDES
        for variable, more in re.findall(r"\b(TRACKING_[A-Z_]*[A-Z_])(…?)", page.read_text("utf-8"))
    ]
    assert [] == [
        (page, variable)
        for page, variable, more in named
        if variable not in settings
        and not (more and any(setting.startswith(variable) for setting in settings))
    ]
