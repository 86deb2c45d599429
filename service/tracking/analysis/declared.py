"""What the query or the run declares of a Sharpe ratio: unit, number of returns, moments. Pure.

Nothing is guessed. What the query declares holds for every run. Else a run may declare it itself, in metrics,
params or tags of these names, where the part of the metric's name before "sharpe" may stand before each of
them: `oos_n_obs` goes before `n_obs` for `oos_sharpe`.

| what | names |
| --- | --- |
| unit of the Sharpe ratio: annual or period | sharpe_unit |
| periods a year | periods_per_year |
| number of returns | n_obs, n_observations, observations, n_returns |
| skewness of the returns | skewness, skew |
| raw kurtosis of the returns | raw_kurtosis, kurtosis_raw |
| excess kurtosis | excess_kurtosis, kurtosis_excess |
| kurtosis with a convention: raw or excess | kurtosis, kurt with kurtosis_convention |
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping
from typing import Final

import msgspec

from service.tracking.analysis.computed import MISSING_INPUT, NOT_COMPUTABLE, UNIT_UNKNOWN, Input
from service.tracking.analysis.refusals import Refusal
from service.tracking.analysis.sharpe import NORMAL_KURTOSIS, NORMAL_SKEWNESS
from service.tracking.runs import Run

ANNUAL: Final = "annual"
PERIOD: Final = "period"
RAW: Final = "raw"
EXCESS: Final = "excess"
QUERY: Final = "query"
ASSUMED: Final = "assumed"
# Of one period. Returns that vary have none so high; those of a constant series have, by rounding.
IMPLAUSIBLE_SHARPE: Final = 100.0

Names = tuple[str, ...]

_UNIT: Final = ("sharpe_unit",)
_PERIODS: Final = ("periods_per_year",)
_OBSERVATIONS: Final = ("n_obs", "n_observations", "observations", "n_returns")
_SKEWNESS: Final = ("skewness", "skew")
_RAW_KURTOSIS: Final = ("raw_kurtosis", "kurtosis_raw")
_EXCESS_KURTOSIS: Final = ("excess_kurtosis", "kurtosis_excess")
_KURTOSIS: Final = ("kurtosis", "kurt")
_CONVENTION: Final = ("kurtosis_convention",)
_ALL_NAMES: Final[tuple[Names, ...]] = (
    *(_UNIT, _PERIODS, _OBSERVATIONS, _SKEWNESS, _RAW_KURTOSIS, _EXCESS_KURTOSIS, _KURTOSIS, _CONVENTION),
)
_FEWEST_OBSERVATIONS: Final = 2
# MLflow keeps an infinite value as this one (mlflow/store/tracking/sqlalchemy_store.py).
_INFINITY: Final = sys.float_info.max
_KINDS: Final = {"metrics", "params", "tags"}


class Declaration(msgspec.Struct, frozen=True, gc=False):
    """What the query declares of every run; None where it says nothing.

    unit: "annual" or "period". observations, skewness and kurtosis: a number, or the field of a run that
    holds it (`metrics.n_days`, or the name of a metric). kurtosis_convention: "raw" or "excess".
    """

    unit: str | None = None
    periods_per_year: float | None = None
    observations: float | str | None = None
    skewness: float | str | None = None
    kurtosis: float | str | None = None
    kurtosis_convention: str | None = None


class Declared:
    """What is declared of a metric, run by run. Its methods raise a Refusal for a missing or wrong input."""

    def __init__(self, metric: str, declaration: Declaration) -> None:
        self._metric = metric
        self._declaration = declaration
        before = re.match(r"(.*?)sharpe", metric, re.IGNORECASE)
        prefixes = dict.fromkeys((before[1] if before else "", ""))
        self._candidates: Mapping[Names, Names] = {
            names: tuple(prefix + name for name in names for prefix in prefixes) for names in _ALL_NAMES
        }

    def value(self, run: Run) -> float | None:
        """The metric as the run logged it; None where it is missing or no finite number."""
        value = run.metrics.get(self._metric)
        return value if value is not None and abs(value) < _INFINITY else None

    def unit(self, run: Run) -> Input:
        """ "annual" or "period"."""
        unit = self._text("unit", self._declaration.unit, run, _UNIT)
        if unit is None:
            raise Refusal(
                UNIT_UNKNOWN,
                f"Say whether {self._metric} is annual or of one period: unit=annual or unit=period, or a "
                "tag sharpe_unit on the runs.",
            )
        if unit.value not in {ANNUAL, PERIOD}:
            raise Refusal(
                UNIT_UNKNOWN, f"{unit.source} says {unit.value!r}, which is neither annual nor period."
            )
        return unit

    def periods(self, run: Run) -> Input:
        """Periods a year."""
        periods = self._number(
            "periods_per_year", self._declaration.periods_per_year, run, _PERIODS, "1/year"
        )
        if periods is None:
            raise Refusal(
                UNIT_UNKNOWN,
                "Say how many returns a year has: periods_per_year=252 for daily ones, or a tag "
                "periods_per_year on the runs.",
            )
        if not _number_of(periods) > 0:
            raise Refusal(
                UNIT_UNKNOWN, f"{periods.source} says {periods.value}, and a year has more periods."
            )
        return periods

    def observations(self, run: Run) -> Input:
        """The number of returns that the Sharpe ratio was computed from."""
        found = self._number("observations", self._declaration.observations, run, _OBSERVATIONS, "returns")
        if found is None:
            raise Refusal(
                MISSING_INPUT,
                "Say how many returns the Sharpe ratio comes from: observations=1250, or the name of the "
                "metric, param or tag that holds it, or a metric n_obs on the runs.",
            )
        if not _number_of(found) >= _FEWEST_OBSERVATIONS:
            raise Refusal(
                MISSING_INPUT, f"{found.source} says {found.value} returns, and it takes at least two."
            )
        return found

    def skewness(self, run: Run) -> Input:
        """Of the returns; that of a normal distribution where the run has none."""
        found = self._number("skewness", self._declaration.skewness, run, _SKEWNESS, "")
        return found or Input("skewness", NORMAL_SKEWNESS, "", ASSUMED)

    def kurtosis(self, run: Run) -> Input:
        """Raw, of the returns; that of a normal distribution where the run has none."""
        found, convention = self._kurtosis(run)
        if found is None:
            found, convention = Input("kurtosis", NORMAL_KURTOSIS, RAW, ASSUMED), RAW
        skewness = _number_of(self.skewness(run))
        least = 1 + skewness * skewness
        value = _number_of(found)
        if convention is None:
            hint = f" As raw kurtosis {value:g} is impossible." if value < least else ""
            raise Refusal(
                UNIT_UNKNOWN,
                f"Say whether the kurtosis in {found.source} is raw (normal: 3) or excess (normal: 0): "
                f"kurtosis_convention=raw or excess, or a tag of this name.{hint}",
            )
        raw = value + NORMAL_KURTOSIS if convention == EXCESS else value
        if raw < least:
            raise Refusal(
                NOT_COMPUTABLE,
                f"A raw kurtosis of {raw:g} is impossible with a skewness of {skewness:g}: it is at least "
                f"1 + skewness² = {least:g}. "
                + (
                    "Declare the kurtosis, too."
                    if found.source == ASSUMED
                    else f"Check whether {found.source} is {'excess' if convention == RAW else 'raw'}."
                ),
            )
        return Input("kurtosis", raw, RAW, found.source)

    def _kurtosis(self, run: Run) -> tuple[Input | None, str | None]:
        """The kurtosis as it was logged, and its convention, None where nobody says it."""
        given = self._declaration.kurtosis
        if given is None:
            for names, convention in ((_RAW_KURTOSIS, RAW), (_EXCESS_KURTOSIS, EXCESS)):
                if found := self._number("kurtosis", None, run, names, convention):
                    return found, convention
        found = self._number("kurtosis", given, run, _KURTOSIS, "")
        said = self._text("kurtosis_convention", self._declaration.kurtosis_convention, run, _CONVENTION)
        return found, said.value if said and said.value in {RAW, EXCESS} else None

    def _number(
        self, name: str, given: float | str | None, run: Run, names: Names, unit: str
    ) -> Input | None:
        """A number that the query says or points to, or that the run has under one of the names."""
        if isinstance(given, str):
            return Input(name, _field(run, given), unit, given)
        if given is not None:
            return Input(name, given, unit, QUERY)
        for candidate in self._candidates[names]:
            for kind, values in (("metrics", run.metrics), ("params", run.params), ("tags", run.tags)):
                if candidate in values and (number := _finite(values[candidate])) is not None:
                    return Input(name, number, unit, f"{kind}.{candidate}")
        return None

    def _text(self, name: str, given: str | None, run: Run, names: Names) -> Input | None:
        """A text that the query says, or that the run has under one of the names."""
        if given is not None:
            return Input(name, given, "", QUERY)
        for candidate in self._candidates[names]:
            for kind, values in (("tags", run.tags), ("params", run.params)):
                if candidate in values:
                    return Input(name, values[candidate].strip().lower(), "", f"{kind}.{candidate}")
        return None


def number_in(found: Input) -> float:
    """The number of an input that is one."""
    return _number_of(found)


def _number_of(found: Input) -> float:
    assert isinstance(found.value, int | float), found.name  # noqa: S101 - as it was read
    return float(found.value)


def _field(run: Run, name: str) -> float:
    """The number in a field of the run that the query names."""
    kind, dot, key = name.partition(".")
    if not dot or kind not in _KINDS:
        kind, key = "metrics", name
    number = _finite({"metrics": run.metrics, "params": run.params, "tags": run.tags}[kind].get(key))
    if number is None:
        raise Refusal(MISSING_INPUT, f"The run {run.run_id} has no number in {kind}.{key}.")
    return number


def _finite(value: float | str | None) -> float | None:
    """The finite number that a metric holds or a text says."""
    try:
        number = float(value) if value is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None
