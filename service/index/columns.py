"""The columns of a table: numbers, texts by their code, and texts that contain the run's own id. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.index.cells import MISSING, Cells, CodeCells, Codes, Numbers, Space
from service.index.texts import Dictionary, Texts, note_change

_BYTES = 600  # that a column takes before it holds anything, about


class NumberColumn:
    """A metric or a time. NaN is a value as any other; cells.MISSING stands where there is none."""

    __slots__ = ("cells",)

    def __init__(self, space: Space, phase: float = 0.0) -> None:
        self.cells: Cells[float] = Cells(space, MISSING, phase)
        space.bytes += _BYTES

    def add(self, row: int, value: float | None) -> None:
        """Set the value of a row that has none; None is NaN."""
        self.cells.add(row, np.nan if value is None else value)

    def replace(self, row: int, value: float | None) -> None:
        """Set the value of a row that has one."""
        self.cells.replace(row, np.nan if value is None else value)

    def remove(self, row: int) -> None:
        """Take the value from a row that has one."""
        self.cells.remove(row)

    def value(self, row: int) -> float | None:
        """The value of a row that has one: None for NaN."""
        value = self.cells.value(row)
        return None if value != value else value  # noqa: PLR0124  # NaN

    def values(self, rows: NDArray[np.intp]) -> Sequence[float | None]:
        """The values of rows that have one."""
        return [None if value != value else value for value in self.cells.values(rows)]  # noqa: PLR0124

    def numbers(self) -> Numbers:
        """The values of all rows."""
        return self.cells.array()

    def discard(self) -> None:
        """The column is not needed any more."""
        self.cells.discard(_BYTES)


class TimeColumn:
    """Unix epoch milliseconds, of each row that has a run; they may be missing."""

    __slots__ = ("cells",)

    def __init__(self, space: Space, phase: float = 0.0) -> None:
        self.cells: Cells[float] = Cells(space, MISSING, phase)

    def add(self, row: int, value: int | None) -> None:
        """Set the time of a row that has no run."""
        self.cells.add(row, MISSING if value is None else value)

    def replace(self, row: int, value: int | None) -> None:
        """Set the time of a row that has a run."""
        self.cells.replace(row, MISSING if value is None else value)

    def remove(self, row: int) -> None:
        """Take the time from a row that has a run."""
        self.cells.remove(row)

    def value(self, row: int) -> int | None:
        """The time of a row that has a run."""
        value = self.cells.value(row)
        return None if value != value else int(value)  # noqa: PLR0124

    def values(self, rows: NDArray[np.intp]) -> Sequence[int | None]:
        """The times of rows that have a run."""
        return [None if value != value else int(value) for value in self.cells.values(rows)]  # noqa: PLR0124

    def numbers(self) -> Numbers:
        """The times of all rows."""
        return self.cells.array()


class TextColumn:
    """A parameter, a tag or an attribute."""

    __slots__ = ("cells", "dictionary")

    def __init__(self, space: Space, phase: float = 0.0) -> None:
        self.cells = CodeCells(space, phase)
        self.dictionary = Dictionary(space)
        space.bytes += _BYTES

    def add(self, row: int, value: str) -> None:
        """Set the value of a row that has none."""
        self.cells.add(row, self.dictionary.acquire(value))

    def replace(self, row: int, value: str) -> None:
        """Set the value of a row that has one."""
        old = self.cells.value(row)
        self.cells.replace(row, self.dictionary.acquire(value))
        self.dictionary.release(old)

    def remove(self, row: int) -> None:
        """Take the value from a row that has one."""
        self.dictionary.release(self.cells.value(row))
        self.cells.remove(row)

    def value(self, row: int) -> str:
        """The value of a row that has one."""
        return self.dictionary.text(self.cells.value(row))  # type: ignore[return-value] # it has one

    def values(self, rows: NDArray[np.intp]) -> Sequence[str]:
        """The values of rows that have one."""
        return self.dictionary.of(self.cells.values(rows))  # type: ignore[return-value] # they have one

    def codes(self) -> Codes:
        """The codes of all rows."""
        return self.cells.array()

    @property
    def texts(self) -> Texts:
        """The texts of the codes."""
        return self.dictionary

    def discard(self) -> None:
        """The column is not needed any more."""
        self.cells.discard(_BYTES)


class RunIds:
    """The ids of the runs; the code of a run's id is its row + 1, so that a row is found by its id."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self.dictionary = Dictionary(space)

    def add(self, run_id: str) -> int:
        """The row of a new run: one that is free, or one at the end."""
        row = self.dictionary.acquire(run_id) - 1
        self._space.rows = max(self._space.rows, row + 1)
        return row

    def row(self, run_id: str) -> int:
        """The row of a run, below 0 where there is none."""
        return self.dictionary.find(run_id) - 1

    def fill(self, run_ids: Sequence[str]) -> None:
        """The rows of runs, where there are none: one after another."""
        self.dictionary.fill(run_ids, [1] * len(run_ids))
        self._space.rows = len(run_ids)

    def remove(self, row: int) -> None:
        """Free a row."""
        self.dictionary.release(row + 1)

    def value(self, row: int) -> str:
        """The id of the run of a row."""
        return self.dictionary.text(row + 1)  # type: ignore[return-value] # it has one

    def values(self, rows: NDArray[np.intp]) -> Sequence[str]:
        """The ids of the runs of rows that have one."""
        return self.dictionary.of((rows + 1).tolist())  # type: ignore[return-value] # they have one

    def codes(self) -> Codes:
        """The codes of all rows; a free row's code stands for no text."""
        return np.arange(1, self._space.rows + 1, dtype=np.int32)

    def among(self, codes: Sequence[int]) -> NDArray[np.bool_]:
        """Which rows have one of these codes."""
        mask = np.zeros(self._space.rows, np.bool_)
        mask[[code - 1 for code in codes]] = True
        return mask

    @property
    def texts(self) -> Texts:
        """The texts of the codes."""
        return self.dictionary


_AS_IT_IS: Final = "="
_WITH_ID: Final = "~"
_ID: Final = "\0"


class UriColumn:
    """The artifact URIs. Nearly each contains the run's id, and is kept as what stands around the id.

    A row's code is its row + 1, so several codes may have the same text.
    """

    is_unique = False

    def __init__(self, space: Space, id_of: Callable[[int], str | None], phase: float = 0.0) -> None:
        self._space = space
        self._id_of = id_of  # by the row
        self._column = TextColumn(space, phase)
        self._counted = 0  # rows that somebody knows of
        self.changes: list[int] = []
        self.generation = 0

    @property
    def templates(self) -> TextColumn:
        """What is kept of each URI."""
        return self._column

    def add(self, row: int, uri: str, run_id: str) -> None:
        """Set the URI of a row that has none."""
        self._column.add(row, _template(uri, run_id))
        if row < self._counted:
            note_change(self, row + 1)

    def replace(self, row: int, uri: str, run_id: str) -> None:
        """Set the URI of a row that has one."""
        self._column.replace(row, _template(uri, run_id))
        note_change(self, row + 1)

    def remove(self, row: int) -> None:
        """Take the URI from a row that has one."""
        self._column.remove(row)
        note_change(self, row + 1)

    def value(self, row: int) -> str:
        """The URI of a row that has one."""
        return self.text(row + 1)  # type: ignore[return-value] # it has one

    def values(self, rows: NDArray[np.intp], run_ids: Sequence[str]) -> Sequence[str]:
        """The URIs of rows that have one. run_ids: of their runs."""
        return list(map(_uri, self._column.values(rows), run_ids))

    def codes(self) -> Codes:
        """The codes of all rows; a free row's code stands for no text."""
        return np.arange(1, self._space.rows + 1, dtype=np.int32)

    @property
    def texts(self) -> Texts:
        """The texts of the codes."""
        return self

    def __len__(self) -> int:
        self._counted = self._space.rows
        return self._counted + 1

    def find(self, text: str) -> int:
        """Not to be called: codes may share a text."""
        raise NotImplementedError(text)

    def text(self, code: int) -> str | None:
        """The URI of the row of this code, None for a free one."""
        run_id = self._id_of(code - 1) if code else None
        if run_id is None:
            return None
        return _uri(self._column.value(code - 1), run_id)

    def of(self, codes: Iterable[int]) -> Sequence[str | None]:
        """The same for several."""
        return [self.text(code) for code in codes]


def _uri(template: str, run_id: str) -> str:
    return template[1:] if template[0] == _AS_IT_IS else template[1:].replace(_ID, run_id)


def _template(uri: str, run_id: str) -> str:
    if not run_id or run_id not in uri or _ID in uri:
        return _AS_IT_IS + uri
    return _WITH_ID + uri.replace(run_id, _ID)
