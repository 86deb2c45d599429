"""The page about the store that replicas share names every key that they use there."""

import re

from tests.docs.markdown import ROOT

PAGE = ROOT / "docs" / "explanation" / "store.md"
CODE = "".join(path.read_text("utf-8") for path in sorted((ROOT / "service" / "store").glob("*.py")))


def test_every_key_has_its_row() -> None:
    """Each name that stands behind the prefix is in the table of keys, and no other one."""
    [rows] = re.findall(r"^\| key \|.*\n\| --- .*\n((?:\|.*\n)+)", PAGE.read_text("utf-8"), re.MULTILINE)
    shown = {
        name for row in rows.splitlines() for name in re.findall(r"`[…:]*(\w+)[:…]*`", row.split("|")[1])
    }
    [names] = re.findall(r"names = \((.*)\)\n.*prefix", CODE)
    used = set(re.findall(r'b":(\w+)', CODE)) | set(re.findall(r"\w+", names))
    assert used == shown
