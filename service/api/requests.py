"""What callers ask for: the queries and bodies of requests, as pydantic models."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from service.tracking.runs import MAX_LIMIT, RUN_ID_PATTERN

LIMIT_DEFAULT = 50
COMPARE_MIN = 2
COMPARE_MAX = 10

_INTEGER = re.compile(r"-?[0-9]+", re.ASCII)
_LONGEST_INTEGER = 100  # characters: a Link repeats them


def whole_number(value: object) -> object:
    """The integer that a text of a query is. ValueError."""
    if isinstance(value, str):
        if not _INTEGER.fullmatch(value) or len(value) > _LONGEST_INTEGER:
            raise ValueError("must be an integer")
        digits = value.lstrip("-0")[:20]  # what is longer is beyond 64 bits in any case
        return int(digits or 0) * (-1 if value[0] == "-" else 1)
    return value


def distinct(values: list[str]) -> list[str]:
    """The values, each of which may be there once. ValueError."""
    if repeated := sorted({value for value in values if values.count(value) > 1}):
        raise ValueError(f"each run once; repeated: {', '.join(repeated)}")
    return values


RunIds = Annotated[
    list[Annotated[str, Field(strict=True, pattern=RUN_ID_PATTERN)]],
    Field(min_length=COMPARE_MIN, max_length=COMPARE_MAX, json_schema_extra={"uniqueItems": True}),
    AfterValidator(distinct),
]


class RunListQuery(BaseModel):
    """The query parameters of the list of runs. Unknown ones are ignored; an empty one is none."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run_type: str | None = Field(
        None,
        description="Only runs whose run_type tag is exactly this: training, walk_forward, cpcv, backtest.",
    )
    strategy_id: str | None = Field(None, description="Filter by the strategy_id tag (a UUID), exactly.")
    limit: Annotated[int, BeforeValidator(whole_number), AfterValidator(lambda n: min(n, MAX_LIMIT))] = Field(
        LIMIT_DEFAULT,
        ge=1,
        description=f"At most this many runs; above {MAX_LIMIT} it means {MAX_LIMIT}.",
    )
    experiment_id: str | None = Field(
        None, description="List the runs of this experiment instead of those of the default one."
    )
    cursor: str | None = Field(
        None,
        description="The next page of a list: the `cursor` in the `Link` of the page before, beside the same "
        "other parameters. The limit may be another one.",
    )


class CompareRequest(BaseModel):
    """Which runs to compare. Unknown members are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run_ids: RunIds = Field(description=f"{COMPARE_MIN} to {COMPARE_MAX} distinct run ids.")


class CompareQuery(BaseModel):
    """The query parameters of a comparison. Unknown ones are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run_id: RunIds = Field(
        description=f"{COMPARE_MIN} to {COMPARE_MAX} distinct run ids: the parameter is repeated.",
        examples=[["abc123def456", "def456ghi789", "ghi789jkl012"]],
    )
