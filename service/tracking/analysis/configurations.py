"""Runs as configurations: what each was set to, level by level, and what its metric came to. Pure.

Runs of one configuration are one: however often it was run again, it counts once, with the mean of its runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from service.tracking.analysis.typed import canonical, number_of
from service.tracking.runs import Run
from service.tracking.search.fields import Field, FieldKind

Level = float | str | None
Codes = NDArray[np.int32]
Floats = NDArray[np.float64]

# Tags that say what a run was made from: they are compared as parameters are.
CAUSES: Final = ("dataset_version", "feature_version", "git_commit")
# Tags that name what came out of one run and goes into others: they are a cause only where no parameter
# already decides them.
PRODUCTS: Final = ("model_version", "signal_version")

_EXACT: Final = 2.0**53  # whole numbers from here on are compared as texts
_NUMERIC: Final = re.compile(r"[0-9.eE+\-]*")
_LARGEST: Final = 1e150  # squares of larger values are no doubles


class Factor(msgspec.Struct, frozen=True, gc=False):
    """A parameter or a tag that may be a cause.

    levels: its values in order: missing (None) first, then numbers, ascending, then texts in the order in
    which they were first tried. codes: for each configuration, the place of its level among them.
    """

    field: Field
    levels: tuple[Level, ...]
    codes: Codes

    @property
    def has_missing(self) -> bool:
        """Whether some configuration lacks it."""
        return self.levels[0] is None

    @property
    def is_number(self) -> bool:
        """Whether all its values are numbers, where it is not missing."""
        return isinstance(self.levels[-1], float)

    @property
    def has_number(self) -> NDArray[np.bool_]:
        """Of each configuration, whether its level is a number."""
        is_number = np.array([isinstance(level, float) for level in self.levels])
        return is_number[self.codes]


class Configurations(msgspec.Struct, frozen=True, gc=False):
    """The configurations of one run type that have a value of the metric.

    factors: what varies. constants: what never did, with its only level. ignored: products that say no more
    than the rest, or that name their runs. values: the mean of the metric. runs: how many there are of each.
    run_ids: of each, its newest run.
    """

    run_type: str
    factors: tuple[Factor, ...]
    constants: tuple[tuple[Field, Level], ...]
    ignored: tuple[Field, ...]
    values: Floats
    runs: NDArray[np.intp]
    run_ids: tuple[str, ...]


def value_of(run: Run, metric: str) -> float | None:
    """The metric of a run that has finished: None where it has no value that can be reckoned with."""
    value = run.metrics.get(metric)
    is_usable = run.status == "FINISHED" and value is not None and abs(value) <= _LARGEST  # NaN is not
    return value if is_usable else None


def configurations_of(
    runs: Iterable[Run], metric: str, ignore: Collection[Field] = ()
) -> tuple[Configurations, ...]:
    """The configurations of the finished runs that have the metric, by run type: the most frequent first.

    ignore: parameters and tags that are to be looked over, since they are results and not causes. The order
    of the runs does not count.
    """
    by_type: dict[str, list[tuple[Run, float]]] = {}
    for run in sorted(runs, key=lambda run: run.place.rank, reverse=True):
        value = value_of(run, metric)
        if value is not None:
            by_type.setdefault(run.run_type, []).append((run, value))
    strata = [_stratum(run_type, valued, ignore) for run_type, valued in by_type.items()]
    return tuple(sorted(strata, key=lambda each: (-len(each.values), each.run_type)))


def _stratum(run_type: str, valued: Sequence[tuple[Run, float]], ignore: Collection[Field]) -> Configurations:
    """The configurations of runs of one type, which are given oldest first."""
    runs = [run for run, _ in valued]
    params = [run.params for run in runs]
    tags = [run.tags for run in runs]
    factors = [
        *_factors(FieldKind.PARAM, sorted({name for held in params for name in held}), params, ignore),
        *_factors(FieldKind.TAG, CAUSES, tags, ignore),
    ]
    factors, names = _apart(factors, lambda factor: _names_runs(factor, runs))
    varied, constant = _apart(factors, lambda factor: len(factor.levels) == 1)
    for product in _factors(FieldKind.TAG, PRODUCTS, tags, ignore):
        if len(product.levels) == 1:
            constant.append(product)
        elif _says_more(product, varied, len(runs)):
            varied.append(product)
        else:
            names.append(product)
    first, inverse, counts = _distinct(varied, len(runs))
    newest = np.empty(len(first), np.intp)
    newest[inverse] = np.arange(len(runs))  # the last one that is written stays
    values = np.array([value for _, value in valued])
    return Configurations(
        run_type,
        tuple(Factor(each.field, each.levels, each.codes[first]) for each in varied),
        tuple((each.field, each.levels[0]) for each in constant),
        tuple(each.field for each in names),
        np.bincount(inverse, values) / counts,
        counts,
        tuple(runs[place].run_id for place in newest),
    )


def _factors(
    kind: FieldKind, names: Sequence[str], held: Sequence[Mapping[str, str]], ignore: Collection[Field]
) -> list[Factor]:
    fields = [field for name in names if (field := Field(kind, name)) not in ignore]
    columns = ((field, [texts.get(field.key) for texts in held]) for field in fields)
    return [_factor(field, column) for field, column in columns if any(text is not None for text in column)]


def _factor(field: Field, column: Sequence[str | None]) -> Factor:
    texts = [text for text in column if text is not None]
    numbers = _numbers(texts)
    levels, codes = _of_texts(texts) if numbers is None else _of_numbers(numbers)
    if len(texts) == len(column):
        return Factor(field, levels, codes)
    whole = np.zeros(len(column), np.int32)
    whole[np.array([text is not None for text in column])] = codes + 1
    return Factor(field, (None, *levels), whole)


def _numbers(texts: Sequence[str]) -> Floats | None:
    """The numbers that all these texts are; None where one is something else.

    They are read at once, for a random search draws a hundred thousand of them.
    """
    if not _NUMERIC.fullmatch("".join(texts)):
        return None
    try:  # of these characters float() reads decimal numbers only
        numbers = np.fromiter(map(float, texts), np.float64, len(texts))
    except ValueError:
        return None
    return numbers if (np.abs(numbers) < _EXACT).all() else None


def _of_numbers(numbers: Floats) -> tuple[tuple[Level, ...], Codes]:
    levels, codes = np.unique(numbers + 0.0, return_inverse=True)  # -0 is 0
    return tuple(levels.tolist()), codes.ravel().astype(np.int32)


def _of_texts(texts: Sequence[str]) -> tuple[tuple[Level, ...], Codes]:
    meanings = {text: _meaning(text) for text in dict.fromkeys(texts)}
    distinct = dict.fromkeys(meanings.values())
    numbers = sorted(level for level in distinct if isinstance(level, float))
    levels: tuple[Level, ...] = (*numbers, *(level for level in distinct if isinstance(level, str)))
    places = {level: place for place, level in enumerate(levels)}
    codes = {text: places[level] for text, level in meanings.items()}
    return levels, np.fromiter(map(codes.__getitem__, texts), np.int32, len(texts))


def _meaning(text: str) -> float | str:
    number = number_of(text)
    return canonical(text) if number is None or abs(number) >= _EXACT else number


def _names_runs(factor: Factor, runs: Sequence[Run]) -> bool:
    """Whether each run has a text of its own with its id within, such as the path of its output."""
    if len(factor.levels) != len(runs) or factor.is_number or len(runs) == 1:
        return False
    texts = (factor.levels[code] for code in factor.codes)
    return all(isinstance(text, str) and run.run_id in text for text, run in zip(texts, runs, strict=True))


def _says_more(product: Factor, others: Sequence[Factor], runs: int) -> bool:
    """Whether a product differs where all else is equal, and is not just the name of each run."""
    without = len(_distinct(others, runs)[0])
    if len(_distinct([*others, product], runs)[0]) == without:
        return False
    return len(product.levels) < runs or without == 1


def _distinct(factors: Sequence[Factor], runs: int) -> tuple[NDArray[np.intp], ...]:
    """Of runs that differ in some factor: the first of each kind, each run's kind, and how many it has."""
    if not factors:
        return np.zeros(1, np.intp), np.zeros(runs, np.intp), np.array([runs])
    matrix = np.ascontiguousarray(np.stack([factor.codes for factor in factors], axis=1))
    rows = matrix.view(np.dtype((np.void, matrix.itemsize * matrix.shape[1]))).ravel()
    _, first, inverse, counts = np.unique(rows, return_index=True, return_inverse=True, return_counts=True)
    return first, inverse.ravel(), counts


def _apart(factors: Iterable[Factor], belongs: Callable[[Factor], bool]) -> tuple[list[Factor], list[Factor]]:
    """Those that do not belong, and those that do."""
    apart: tuple[list[Factor], list[Factor]] = ([], [])
    for factor in factors:
        apart[belongs(factor)].append(factor)
    return apart
