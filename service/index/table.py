"""All runs that the index knows, a row each. Pure: times are handed in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.index.cells import MISSING, Cells, Codes, Numbers, Space, among
from service.index.columns import NumberColumn, RunIds, TextColumn, TimeColumn, UriColumn
from service.index.doubles import with_doubles
from service.index.drops import Drops
from service.index.names import NamedValues
from service.index.recorded import RecordedColumn
from service.tracking.events import RunChange
from service.tracking.runs import TERMINAL, Run
from service.tracking.search.fields import Field, FieldKind
from service.tracking.search.queries import Selection

ALL: Final = Selection()

# With the phases of their columns.
_TEXTS: Final = (("run_name", 0.1), ("status", 0.3), ("user_id", 0.5), ("experiment_id", 0.7))
_TIMES: Final = (("start_time", 0.2), ("end_time", 0.4))


class Columns(NamedTuple):
    """All that a table holds beside the ids of its runs."""

    asked: Cells[float]
    times: Mapping[str, TimeColumn]
    texts: Mapping[str, TextColumn]
    metrics: NamedValues[NumberColumn]
    params: NamedValues[TextColumn]
    tags: NamedValues[TextColumn]
    recorded: RecordedColumn


class RunTable:
    """Runs in columns, each found by its id, of any number of experiments.

    Times of asking are seconds of one clock: an answer that was asked for earlier changes nothing that is
    known from one that was asked for later.
    """

    def __init__(self) -> None:
        self._space = Space()
        self.ids = RunIds(self._space)
        self._texts = {name: TextColumn(self._space, phase) for name, phase in _TEXTS}
        self._uris = UriColumn(self._space, lambda row: self.ids.texts.text(row + 1), 0.9)
        self._times = {name: TimeColumn(self._space, phase) for name, phase in _TIMES}
        self._asked: Cells[float] = Cells(self._space, MISSING, 0.6)
        self.metrics: NamedValues[NumberColumn] = NamedValues(self._space, NumberColumn, 0.15)
        self.params: NamedValues[TextColumn] = NamedValues(self._space, TextColumn, 0.35)
        self.tags: NamedValues[TextColumn] = NamedValues(self._space, TextColumn, 0.55)
        self._recorded = RecordedColumn(self._space)
        self.drops = Drops()
        self._count = 0
        self.changes = 0

    def __len__(self) -> int:
        return self._count

    @property
    def rows(self) -> int:
        """Rows, free ones included."""
        return self._space.rows

    @property
    def bytes_used(self) -> int:
        """Bytes of memory that the runs take, about."""
        return self._space.bytes

    @property
    def columns(self) -> Columns:
        """Its columns, for whoever copies all of them at once."""
        texts = {**self._texts, "artifact_uri": self._uris.templates}
        return Columns(self._asked, self._times, texts, self.metrics, self.params, self.tags, self._recorded)

    def occupied(self) -> Codes:
        """The rows that have a run, in ascending order."""
        return np.flatnonzero(self._asked.array() == self._asked.array()).astype(np.int32)

    def filled(self) -> None:
        """Its columns have been filled, where it was empty."""
        self._count = self._space.rows
        self.changes += 1

    def put(self, run: Run, asked: float) -> RunChange | None:
        """Take a run as it was when it was asked for. What that changes; None where it changes nothing."""
        if run.is_deleted:
            return self.drop(run.run_id, asked)
        run = with_doubles(run)
        row = self.ids.row(run.run_id)
        before = None
        if row < 0:
            if self.drops.asked(run.run_id) > asked:
                return None
            self.drops.forget(run.run_id)
            self._add(run, asked)
        else:
            if asked < self._asked.value(row):
                return None
            self._asked.replace(row, asked)
            before = self._at(row)
            if before == run:
                return None
            self._replace(row, run)
        self.changes += 1
        return RunChange(before, run)

    def is_news(self, run: Run, asked: float) -> bool:
        """Whether `put` would change a row. Where the run is known just so, only when it was asked for is."""
        row = self.ids.row(run.run_id)
        if row < 0:
            return not run.is_deleted and self.drops.asked(run.run_id) <= asked
        if asked < self._asked.value(row):
            return False
        if not run.is_deleted and self._at(row) == with_doubles(run):
            self._asked.replace(row, asked)
            return False
        return True

    def drop(self, run_id: str, asked: float) -> RunChange | None:
        """Drop a run that was not there any more when it was asked for. What that changes, as of `put`."""
        row = self.ids.row(run_id)
        if row >= 0 and asked < self._asked.value(row):
            return None
        self.drops.add(run_id, asked)
        if row < 0:
            return None
        before = self._at(row)
        for text in self._texts.values():
            text.remove(row)
        for time in self._times.values():
            time.remove(row)
        for named in (self.metrics, self.params, self.tags):
            named.remove(row)
        self._recorded.remove(row)
        self._asked.remove(row)
        self._uris.remove(row)
        self.ids.remove(row)
        self._count -= 1
        self.changes += 1
        return RunChange(before, None)

    def run(self, run_id: str) -> Run | None:
        """The run of an id; None where it is not known."""
        row = self.ids.row(run_id)
        return None if row < 0 else self._at(row)

    def runs_at(self, rows: Sequence[int], selection: Selection = ALL) -> tuple[Run, ...]:
        """The runs of rows that have one, each with the metrics, params and tags of the selection."""
        places = np.array(rows, np.intp)
        run_ids = self.ids.values(places)
        names, statuses, users, experiments = (text.values(places) for text in self._texts.values())
        starts, ends = (time.values(places) for time in self._times.values())
        columns = (  # in the order of a run's fields
            run_ids,
            names,
            statuses,
            starts,
            ends,
            self._uris.values(places, run_ids),
            self.params.values(places, selection.params),
            self.metrics.values(places, selection.metrics),
            self.tags.values(places, selection.tags),
            experiments,
            repeat(False),  # is_deleted
            users,
            self._recorded.values(rows),
        )
        return tuple(map(Run, *columns))

    @property
    def attributes(self) -> Mapping[str, TextColumn]:
        """The columns of the attributes that are texts, but for run_id and artifact_uri."""
        return self._texts

    @property
    def status(self) -> TextColumn:
        """The column of the statuses."""
        return self._texts["status"]

    def start_time(self, row: int) -> int | None:
        """The start time of the run of a row."""
        return self._times["start_time"].value(row)

    def run_ids(self) -> Iterable[str]:
        """The ids of all runs."""
        return self.ids.dictionary.known()

    def asked_of(self, run_id: str) -> float | None:
        """When a run was last asked for; None where it is not known."""
        row = self.ids.row(run_id)
        return None if row < 0 else self._asked.value(row)

    def count(self, experiment_ids: Iterable[str]) -> int:
        """How many runs these experiments have."""
        return sum(map(self._texts["experiment_id"].dictionary.uses, set(experiment_ids)))

    def known_between(self, experiment_ids: Iterable[str], start_lo: float, start_hi: float) -> list[str]:
        """The ids of these experiments' runs that started at start_lo or later, and before start_hi.

        Both are Unix epoch milliseconds.
        """
        start = self.numbers("start_time")
        mask = self.of_experiments(experiment_ids) & (start >= start_lo) & (start < start_hi)
        return self._ids_where(mask)

    def ended_since(self, experiment_ids: Iterable[str], end_lo: float) -> list[str]:
        """The ids of these experiments' runs that ended at end_lo or later, in Unix epoch milliseconds."""
        return self._ids_where(self.of_experiments(experiment_ids) & (self.numbers("end_time") >= end_lo))

    def ids_of(self, experiment_ids: Iterable[str]) -> list[str]:
        """The ids of all runs of these experiments."""
        return self._ids_where(self.of_experiments(experiment_ids))

    def active_ids(self) -> list[str]:
        """The ids of the runs that have not ended."""
        status = self._texts["status"]
        active = np.ones(len(status.dictionary), np.bool_)
        active[[0, *(code for each in TERMINAL if (code := status.dictionary.find(each)) > 0)]] = False
        return self._ids_where(active[status.codes()])

    def of_experiments(self, experiment_ids: Iterable[str]) -> NDArray[np.bool_]:
        """Which rows have a run of these experiments."""
        column = self._texts["experiment_id"]
        codes = [code for each in set(experiment_ids) if (code := column.dictionary.find(each)) > 0]
        return among(column.codes(), codes, len(column.dictionary))

    def numbers(self, attribute: str) -> Numbers:
        """An attribute that is a number, of all rows: start_time, end_time, or duration."""
        if attribute != "duration":
            return self._times[attribute].numbers()
        duration = self._times["end_time"].numbers() - self._times["start_time"].numbers()
        duration[np.isnan(duration)] = MISSING  # whichever of the two is missing
        return duration

    def text_column(self, field: Field) -> TextColumn | RunIds | UriColumn | None:
        """The column of a field whose values are texts; None where no run has it."""
        if field.kind is FieldKind.PARAM:
            return self.params.column(field.key)
        if field.kind is FieldKind.TAG:
            return self.tags.column(field.key)
        if field.key == "run_id":
            return self.ids
        return self._uris if field.key == "artifact_uri" else self._texts[field.key]

    def _ids_where(self, mask: NDArray[np.bool_]) -> list[str]:
        return [self.ids.value(row) for row in np.flatnonzero(mask).tolist()]

    def _at(self, row: int) -> Run:
        names, statuses, users, experiments = (text.value(row) for text in self._texts.values())
        start, end = (time.value(row) for time in self._times.values())
        return Run(
            self.ids.value(row),
            names,
            statuses,
            start,
            end,
            self._uris.value(row),
            self.params.value(row),
            self.metrics.value(row),
            self.tags.value(row),
            experiments,
            user_id=users,
            recorded=self._recorded.value(row),
        )

    def _add(self, run: Run, asked: float) -> None:
        row = self.ids.add(run.run_id)
        for name, text in self._texts.items():
            text.add(row, getattr(run, name))
        for name, time in self._times.items():
            time.add(row, getattr(run, name))
        self._uris.add(row, run.artifact_uri, run.run_id)
        self._asked.add(row, asked)
        self.metrics.add(row, run.metrics)
        self.params.add(row, run.params)
        self.tags.add(row, run.tags)
        self._recorded.replace(row, run.recorded)
        self._count += 1

    def _replace(self, row: int, run: Run) -> None:
        for name, text in self._texts.items():
            text.replace(row, getattr(run, name))
        for name, time in self._times.items():
            time.replace(row, getattr(run, name))
        self._uris.replace(row, run.artifact_uri, run.run_id)
        self.metrics.replace(row, run.metrics)
        self.params.replace(row, run.params)
        self.tags.replace(row, run.tags)
        self._recorded.replace(row, run.recorded)
