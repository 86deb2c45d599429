"""Matched pairs as one would find them by hand: every two configurations are looked at."""

import math
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations

from service.tracking.analysis.configurations import CAUSES
from service.tracking.analysis.pairs import FEW_LEVELS
from service.tracking.analysis.typed import canonical, number_of
from service.tracking.runs import Run
from tests.tracking.analysis.trials import METRIC

Settings = Mapping[str, str]  # by "p:name" or "t:name", the canonical text
Key = tuple[str, str, str | None, str | None]  # run type, name, before, after


def settings_of(run: Run) -> Settings:
    params = {f"p:{name}": canonical(text) for name, text in run.params.items()}
    return params | {f"t:{name}": canonical(run.tags[name]) for name in CAUSES if name in run.tags}


def differences(runs: Sequence[Run]) -> dict[Key, list[float]]:
    """The differences of all matched pairs, by change, sorted."""
    oldest_first = sorted(runs, key=lambda run: run.place.rank, reverse=True)
    measured: dict[str, dict[frozenset[tuple[str, str]], list[float]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for run in oldest_first:
        value = run.metrics.get(METRIC)
        if run.status == "FINISHED" and value is not None and math.isfinite(value):
            measured[run.run_type][frozenset(settings_of(run).items())].append(value)
    changes: dict[Key, list[float]] = defaultdict(list)
    for run_type, configurations in measured.items():
        order = _orders([dict(each) for each in configurations])
        means = {each: statistics.fmean(values) for each, values in configurations.items()}
        for one, other in combinations(configurations, 2):
            names = [name for name in order if dict(one).get(name) != dict(other).get(name)]
            if len(names) != 1:
                continue
            (name,) = names
            before, after = sorted((one, other), key=lambda each: order[name].index(dict(each).get(name)))
            if len(order[name]) > FEW_LEVELS and _between(before, after, name, order[name], configurations):
                continue
            key = run_type, name, dict(before).get(name), dict(after).get(name)
            changes[key].append(means[after] - means[before])
    return {key: sorted(values) for key, values in changes.items()}


def _orders(configurations: Sequence[Settings]) -> dict[str, list[str | None]]:
    """The levels of each name in order: missing, numbers, texts as they came."""
    names = sorted({name for each in configurations for name in each})
    return {
        name: sorted(dict.fromkeys(each.get(name) for each in configurations), key=_rank) for name in names
    }


def _rank(level: str | None) -> tuple[int, float]:
    if level is None:
        return 0, 0.0
    number = number_of(level)
    return (2, 0.0) if number is None else (1, number)


def _between(
    before: frozenset[tuple[str, str]],
    after: frozenset[tuple[str, str]],
    name: str,
    order: Sequence[str | None],
    configurations: Mapping[frozenset[tuple[str, str]], list[float]],
) -> bool:
    """Whether the same setting was tried with a level between the two."""
    rest = {each: text for each, text in before if each != name}
    low, high = order.index(dict(before).get(name)), order.index(dict(after).get(name))
    return any(
        {each: text for each, text in other if each != name} == rest
        and low < order.index(dict(other).get(name)) < high
        for other in configurations
    )
