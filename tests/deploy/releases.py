"""Wheels with nothing in them but metadata, and releases newer than those of a lock.

The standard library is enough, so that a machine with nothing but Python can write them, too:
python3 -m tests.deploy.releases FOLDER LOCK ...
"""

import re
import sys
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

NEWER = "99999"  # newer than any release of a locked package


class Pin(NamedTuple):
    """A line of a lock; marker: where it is installed, everywhere if empty."""

    name: str
    version: str
    marker: str


def pins(lock: Path) -> Iterator[Pin]:
    """What a lock installs, as its lines come."""
    for name, version, marker in re.findall(
        r"^([\w.-]+)==([^\s;]+)(?: ; (.*?))?(?: \\)?$", lock.read_text("utf-8"), re.MULTILINE
    ):
        yield Pin(name, version, marker)


def write_wheel(folder: Path, name: str, version: str, metadata: tuple[str, ...] = ()) -> str:
    """Write the wheel of a release, with these lines of metadata; its SHA-256 digest."""
    stem = f"{re.sub(r'[-_.]+', '_', name)}-{version}"
    head = ("Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *metadata)
    files = {
        f"{stem}.dist-info/METADATA": "\n".join([*head, ""]),
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in (*files, f"{stem}.dist-info/RECORD"))
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in {**files, f"{stem}.dist-info/RECORD": record}.items():
            wheel.writestr(file, text)
    return sha256(path.read_bytes()).hexdigest()


def main(folder: Path, *locks: Path) -> None:
    """Put a newer release of each locked package into the folder."""
    for name in sorted({pin.name for lock in locks for pin in pins(lock)}):
        write_wheel(folder, name, NEWER)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
