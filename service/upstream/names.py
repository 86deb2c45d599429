"""The names of metrics, params and tags, so that all runs that have one share it."""

from __future__ import annotations

from sys import getsizeof

_MOST_BYTES = 8 * 2**20
_LONG = 2_000  # bytes of a name that is not worth a place: MLflow allows 250 characters
_PLACE_BYTES = 100  # a name's place in the table, at most


class Names(dict[str, str]):
    """`names[name]` is one object for all equal names, as sys.intern would give it.

    What is interned is never let go of on Python 3.12.0 to 3.12.6 (python/cpython#113993). This table takes
    eight mebibytes at most, some 50,000 names, and is begun anew when it is full; names that runs hold are
    theirs.
    """

    def __init__(self) -> None:
        super().__init__()
        self._bytes = 0

    def __missing__(self, name: str) -> str:
        size = getsizeof(name) + _PLACE_BYTES
        if size > _LONG:
            return name
        if self._bytes + size > _MOST_BYTES:
            self.clear()
            self._bytes = 0
        self._bytes += size
        self[name] = name
        return name
