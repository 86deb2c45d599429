"""What the runs of a table have recorded: few have anything, and many of those the same. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

import msgspec
import numpy as np

from service.index.cells import Codes, Space
from service.tracking.recorded import Dataset, Recorded

H = TypeVar("H", bound=Hashable)

_ROW: Final = 140  # bytes of a row's place in a dict, about
_KEPT: Final = 200  # bytes of a value's place in a dict, with its count, about


class _Kept(Generic[H]):
    """Values of which equal ones are one object, as long as anybody uses it."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[H, tuple[H, int]] = {}

    def find(self, value: H) -> H | None:
        """The object that stands for a value; None where nobody uses it."""
        entry = self._kept.get(value)
        return None if entry is None else entry[0]

    def use(self, kept: H) -> None:
        """One use more of an object that stands for its value, or is to."""
        _, uses = self._kept.get(kept, (kept, 0))
        self._kept[kept] = kept, uses + 1

    def release(self, value: H) -> bool:
        """One use less; whether it was the last one."""
        kept, uses = self._kept[value]
        if uses == 1:
            del self._kept[value]
            return True
        self._kept[value] = kept, uses - 1
        return False


class Written(NamedTuple):
    """What rows have recorded, each dataset once.

    rows: those that have something. places: of its value, in values. values: places in datasets, model inputs
    and model outputs.
    """

    rows: Codes
    places: Codes
    values: Sequence[tuple[Sequence[int], tuple[str, ...], tuple[str, ...]]]
    datasets: Sequence[Dataset]


class RecordedColumn:
    """The recorded inputs and outputs by row. A row without any takes no memory."""

    __slots__ = ("_datasets", "_rows", "_space", "_values")

    def __init__(self, space: Space) -> None:
        self._space = space
        self._rows: dict[int, Recorded] = {}
        self._values: _Kept[Recorded] = _Kept()
        self._datasets: _Kept[Dataset] = _Kept()

    def __len__(self) -> int:
        return len(self._rows)

    def value(self, row: int) -> Recorded | None:
        """What the run of a row has recorded; None where it has recorded nothing."""
        return self._rows.get(row)

    def values(self, rows: Iterable[int]) -> Sequence[Recorded | None]:
        """The same of several rows."""
        return list(map(self._rows.get, rows))

    def replace(self, row: int, recorded: Recorded | None) -> None:
        """Set what the run of a row has recorded."""
        if self._rows.get(row) == recorded:
            return
        self.remove(row)
        if recorded is not None:
            self._add(row, recorded)

    def remove(self, row: int) -> None:
        """Take it from a row, which may have none."""
        old = self._rows.pop(row, None)
        if old is None:
            return
        self._space.bytes -= _ROW
        if self._values.release(old):
            self._space.bytes -= _size(old)
            for dataset in old.datasets:
                if self._datasets.release(dataset):
                    self._space.bytes -= dataset.footprint + _KEPT

    def used(self, rows: Codes) -> Written:
        """What these rows, which ascend, have recorded, as it is written into a snapshot."""
        values: dict[Recorded, int] = {}
        own = np.sort(np.fromiter(self._rows, np.int32, len(self._rows)))
        places = [values.setdefault(self._rows[row], len(values)) for row in own.tolist()]
        datasets: dict[Dataset, int] = {}
        written = [
            (
                [datasets.setdefault(one, len(datasets)) for one in value.datasets],
                value.model_inputs,
                value.model_outputs,
            )
            for value in values
        ]
        found = np.searchsorted(rows, own).astype(np.int32)
        return Written(found, np.array(places, np.int32), written, list(datasets))

    def fill(self, written: Written) -> None:
        """Set what rows have recorded, where none has anything."""
        values = [
            Recorded(tuple([written.datasets[at] for at in datasets]), inputs, outputs)
            for datasets, inputs, outputs in written.values
        ]
        for row, place in zip(written.rows.tolist(), written.places.tolist(), strict=True):
            self._add(row, values[place])

    def _add(self, row: int, recorded: Recorded) -> None:
        kept = self._values.find(recorded)
        if kept is None:
            datasets = tuple([self._kept_dataset(dataset) for dataset in recorded.datasets])
            kept = msgspec.structs.replace(recorded, datasets=datasets)
            self._space.bytes += _size(kept)
        self._values.use(kept)
        self._rows[row] = kept
        self._space.bytes += _ROW

    def _kept_dataset(self, dataset: Dataset) -> Dataset:
        kept = self._datasets.find(dataset)
        if kept is None:
            kept = dataset
            self._space.bytes += kept.footprint + _KEPT
        self._datasets.use(kept)
        return kept


def _size(recorded: Recorded) -> int:
    """Bytes of memory that a value takes beside its datasets."""
    own = sum(dataset.footprint for dataset in recorded.datasets)
    return recorded.footprint - own + _KEPT
