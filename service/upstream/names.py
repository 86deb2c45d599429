"""One object for each name of a metric, param or tag, which all runs share."""

from __future__ import annotations

from sys import getsizeof

_MOST_BYTES = 8 * 2**20
_LONG = 2_000  # bytes of a name that is not worth an entry: MLflow allows 250 characters
_ENTRY_BYTES = 100  # a name's entry in the table, at most


class Names(dict[str, str]):
    """`names[name]` is one object for all equal names, as sys.intern would give it.

    Python 3.12.0 to 3.12.6 never frees what is interned (python/cpython#113993). This table takes at most
    eight mebibytes, some 50,000 names, and starts empty again when it is full; runs keep the names that they
    hold.
    """

    def __init__(self) -> None:
        super().__init__()
        self._bytes = 0

    def __missing__(self, name: str) -> str:
        size = getsizeof(name) + _ENTRY_BYTES
        if size > _LONG:
            return name
        if self._bytes + size > _MOST_BYTES:
            self.clear()
            self._bytes = 0
        self._bytes += size
        self[name] = name
        return name
