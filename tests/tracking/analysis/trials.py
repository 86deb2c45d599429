"""Runs of trials that tests make up."""

from collections.abc import Mapping, Sequence

from service.tracking.runs import Run
from service.tracking.search.fields import Field, FieldKind
from tests.tracking.values import make_run

METRIC = "oos_sharpe"


def param(name: str) -> Field:
    return Field(FieldKind.PARAM, name)


def tag(name: str) -> Field:
    return Field(FieldKind.TAG, name)


def trial(
    number: int,
    value: float | None,
    params: Mapping[str, object] | None = None,
    *,
    run_type: str = "backtest",
    status: str = "FINISHED",
    **tags: str,
) -> Run:
    """A run that started after those of lower numbers. value: of the metric."""
    return make_run(
        f"r{number}",
        status=status,
        start_time=number,
        params={name: str(each) for name, each in (params or {}).items()},
        metrics={} if value is None else {METRIC: value},
        tags={"run_type": run_type, **tags},
    )


def trials(*tried: tuple[float, Mapping[str, object]]) -> Sequence[Run]:
    """Runs of one type: of each the value of the metric and the parameters, oldest first."""
    return [trial(number, value, params) for number, (value, params) in enumerate(tried)]
