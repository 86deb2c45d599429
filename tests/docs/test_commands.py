"""What the documentation tells its reader to run, run; and what it says comes of it."""

import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from service.settings.load import variables
from tests.docs.markdown import GUIDES, ROOT, blocks, name, prose
from tests.docs.pages import ANSWERS, COMMANDS, commands, run_page, sample_mlflow

PICTURES = {"", "mermaid"}
FILES = {"nginx", "toml", "yaml"}
STAND_IN = f"{shlex.quote(sys.executable)} {shlex.quote(str(Path(__file__).with_name('curl.py')))}"
CURLS = {"stand-in": STAND_IN, **({"curl": found} if (found := shutil.which("curl")) else {})}
RUN = [page for page in GUIDES if commands(page)]


@pytest.mark.parametrize("curl", CURLS)
@pytest.mark.parametrize("page", RUN, ids=name)
async def test_every_command_does_what_the_page_says(page: Path, curl: str, tmp_path: Path) -> None:
    """Each command of a page succeeds over the sample session, and its answer is the one that is shown."""
    async with sample_mlflow() as mlflow:
        await run_page(page, mlflow.url, CURLS[curl], tmp_path)


@pytest.mark.parametrize("page", GUIDES, ids=name)
def test_every_block_is_a_command_an_answer_a_picture_or_a_file(page: Path) -> None:
    """Each block names its language, and an answer stands after the command that it is the answer to."""
    before = ""
    for block in blocks(page):
        assert block.language in COMMANDS | ANSWERS | PICTURES | FILES, block.place
        if block.language in ANSWERS:
            assert before in COMMANDS, f"{block.place}: an answer to nothing"
        before = block.language


@pytest.mark.parametrize("page", GUIDES, ids=name)
def test_every_target_of_make_is_there(page: Path) -> None:
    """Whatever `make` is told to do on a page, the Makefile knows."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    code = [block.text for block in blocks(page)] + re.findall(r"`([^`\n]+)`", prose(page))
    used = {
        word
        for line in "\n".join(code).splitlines()
        if line.startswith("make ")
        for word in line.partition("#")[0].split()[1:]
        if re.fullmatch(r"[a-z-]+", word)
    }
    assert used <= targets


@pytest.mark.parametrize("page", GUIDES, ids=name)
def test_every_setting_that_is_named_is_one(page: Path) -> None:
    """Each variable TRACKING_… on a page is a setting, or the beginning of several where it ends in …."""
    settings = {setting for setting, _, _ in variables()}
    for variable, more in re.findall(r"\b(TRACKING_[A-Z_]*[A-Z_])(…?)", page.read_text("utf-8")):
        if more:
            assert any(setting.startswith(variable) for setting in settings), variable
        else:
            assert variable in settings
