"""The console's files, and which of them a page needs at once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Final

FOLDER: Final = Path(__file__).parent
TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".mjs": "text/javascript"}

_PARTS: Final = ("css", "js", "vendor")
_STYLES = re.compile(r"^export const styles = \[([^\]]*)\];$", re.MULTILINE)
_IMPORT = re.compile(r'^(?:import|export)\b[^;]*?\bfrom\s*"([^"]+)"|^import\s*"([^"]+)"', re.MULTILINE)
# What stands on lines of its own; `//` and `/*` inside of a line may be part of a text.
_COMMENT = re.compile(rb"^[ \t]*(?://.*|/\*(?:[^*]|\*(?!/))*\*/[ \t]*)$", re.MULTILINE)

# The names by which modules import the vendored packages.
PACKAGES: Final = {
    "@preact/signals": "vendor/signals/signals.mjs",
    "@preact/signals-core": "vendor/signals/signals-core.mjs",
    "htm": "vendor/htm/htm.mjs",
    "preact": "vendor/preact/preact.mjs",
    "preact/hooks": "vendor/preact/hooks.mjs",
    "uplot": "vendor/uplot/uPlot.esm.js",
}


@cache  # the files do not change while the service runs
def contents() -> Mapping[str, bytes]:
    """All files that browsers may load, by their path below the folder."""
    files = sorted(path for part in _PARTS for path in (FOLDER / part).rglob("*") if path.suffix in TYPES)
    return {path.relative_to(FOLDER).as_posix(): _content(path) for path in files}


def _content(path: Path) -> bytes:
    """A file as it is sent: a vendored one as it is, one of ours with empty lines in place of its comments.

    A sixth of what a browser loads would be comments. Lines keep their numbers.
    """
    content = path.read_bytes()
    if FOLDER / "vendor" in path.parents:
        return content
    return _COMMENT.sub(lambda comment: b"\n" * comment[0].count(b"\n"), content)


@cache
def digest() -> str:
    """What these contents are told from others by: the same on every replica of a release."""
    whole = hashlib.sha256()
    for name, content in contents().items():
        whole.update(f"{name}\0{len(content)}\0".encode())
        whole.update(content)
    return whole.hexdigest()[:16]


@cache
def modules_of(entry: str) -> tuple[str, ...]:
    """An entry, and the modules that it imports at once; not those that it loads later by `import()`."""
    modules = [entry]
    for name in modules:  # which grows meanwhile
        modules += [one for one in dict.fromkeys(_imports(name)) if one not in modules]
    return tuple(modules)


@cache
def styles_of(page: str) -> tuple[str, ...]:
    """The style sheets that a page needs at once."""
    own = _STYLES.findall(contents()[page].decode())
    return ("css/base.css", *re.findall(r'"([^"]+)"', ",".join(own)))


def _imports(name: str) -> Iterator[str]:
    if name.startswith("vendor/"):
        text = contents()[name].decode()
        yield from (path for package, path in PACKAGES.items() if f'from"{package}"' in text)
        return
    for one, other in _IMPORT.findall(contents()[name].decode()):
        imported = one or other
        yield PACKAGES.get(imported) or _joined(name, imported)


def _joined(name: str, imported: str) -> str:
    parts: list[str] = []
    for part in (PurePosixPath(name).parent / imported).parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)
