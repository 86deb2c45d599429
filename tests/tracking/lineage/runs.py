"""Runs with lineage tags, as tests of lineage make them."""

from collections.abc import Mapping

from service.tracking.recorded import Dataset, Recorded
from service.tracking.runs import Run

COMMIT = "3f9a1c2d4e5f60718293a4b5c6d7e8f901234567"
WHOLE = {
    "strategy_id": "s1",
    "git_commit": COMMIT,
    "dataset_version": "d1",
    "feature_version": "f1",
    "model_version": "v1",
    "signal_version": "g1",
}


def lineage_run(  # noqa: PLR0913 - a run reads best with every field a keyword
    run_id: str = "r",
    run_type: str = "backtest",
    tags: Mapping[str, str] | None = None,
    *,
    start_time: int | None = 1,
    status: str = "FINISHED",
    params: Mapping[str, str] | None = None,
    metrics: Mapping[str, float | None] | None = None,
    recorded: Recorded | None = None,
    is_deleted: bool = False,
) -> Run:
    """A run of the type with these tags, by default all that a complete run has."""
    own = WHOLE if tags is None else tags
    return Run(
        run_id,
        run_id,
        status,
        start_time,
        None,
        f"s3://bucket/1/{run_id}/artifacts",
        {"lookback": "20"} if params is None else params,
        metrics or {},
        {"run_type": run_type, **own},
        "1",
        is_deleted=is_deleted,
        recorded=recorded,
    )


def without(*tags: str) -> dict[str, str]:
    """The tags of a complete run but for some."""
    return {name: value for name, value in WHOLE.items() if name not in tags}


def with_dataset(digest: str, name: str = "prices", context: str = "training") -> Recorded:
    """What a run has recorded that has used one dataset."""
    return Recorded((Dataset(name, digest, "s3", "s3://bucket/prices", context),))
