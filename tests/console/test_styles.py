"""Which classes a page's modules give to elements, and which of them its style sheets know."""

import posixpath
import re

import pytest

from service.console.files import contents, modules_of, styles_of
from service.console.page import PAGES

pytestmark = pytest.mark.console

LATER = re.compile(r'\bimport\("(\.[^"]+)"\)')
# class="a b" and className = "a b"; class=${`a ${b ? "c" : ""}`}
PLAIN = re.compile(r'\bclass(?:Name = |=)"([^"]*)"')
COMPUTED = re.compile(r"\bclass=\$\{((?:[^{}]|\{[^{}]*\})*)\}")
TEXT = re.compile(r'"([^"]*)"|`([^`]*)`')
NAME = re.compile(r"[a-z][a-z0-9-]*")
SELECTED = re.compile(r"\.([a-z][a-z0-9-]*)")


def all_modules(entry: str) -> set[str]:
    """An entry, the modules that it imports, and those that it loads later; no other pages."""
    modules: set[str] = set()
    waiting = {entry}
    while waiting:
        name = waiting.pop()
        for one in modules_of(name):
            if one in modules or one.startswith("vendor/"):
                continue
            modules.add(one)
            later = LATER.findall(contents()[one].decode())
            waiting |= {posixpath.normpath(f"{posixpath.dirname(one)}/{path}") for path in later}
        waiting = {one for one in waiting - modules if not one.startswith("js/pages/")}
    return modules


def classes_in(module: str) -> set[str]:
    """The classes that a module gives to elements."""
    text = contents()[module].decode()
    texts = PLAIN.findall(text)
    for code in COMPUTED.findall(text):
        texts += ["".join(one) for one in TEXT.findall(code)]
    return {name for one in texts for name in one.split() if NAME.fullmatch(name)}


def classes_of(style: str) -> set[str]:
    """The classes that a style sheet knows."""
    return set(SELECTED.findall(contents()[style].decode()))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_loads_the_style_sheets_of_its_classes(name: str) -> None:
    """Where an element of a page has a class that some style sheet knows, the page has one that knows it."""
    page = f"js/pages/{name}.js"
    sheets = [path for path in contents() if path.endswith(".css") and not path.startswith("vendor/")]
    known = set().union(*(classes_of(sheet) for sheet in sheets))
    loaded = set().union(*(classes_of(sheet) for sheet in styles_of(page)))
    modules = all_modules(page) | all_modules("js/main.js")
    used = {f"{one} in {module}" for module in modules for one in classes_in(module) & known - loaded}
    assert "failure" in classes_in("js/parts/states.js") & loaded
    assert set() == used
