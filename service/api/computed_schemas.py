"""What every statistic says of itself, as pydantic models."""

from __future__ import annotations

from pydantic import Field

from service.api.schemas import AnswerBody
from service.api.search_schemas import FieldValue


class StatisticReason(AnswerBody):
    """Why there is no value."""

    code: str = Field(description="For a program, such as `missing_input`; later versions may add codes.")
    text: str = Field(description="For a person: what to do about it.")


class StatisticMethod(AnswerBody):
    """How a value is computed."""

    name: str
    reference: str = Field(description="Author, year and title of where it is published.")
    conventions: dict[str, FieldValue] = Field(description="Such as `ddof`, `alpha`, `kurtosis` and `unit`.")


class StatisticInput(AnswerBody):
    """What a value is computed from."""

    name: str
    value: FieldValue
    unit: str
    source: str = Field(
        description="Where it comes from: a field of the run such as `metrics.n_obs`, `query`, `assumed` or "
        "`derived`."
    )


class Statistic(AnswerBody):
    """A value that was computed, with all that it depends on."""

    value: float | None = Field(description="Null where it cannot be had; then `reason` says why.")
    method: StatisticMethod
    inputs: list[StatisticInput]
    reason: StatisticReason | None
    warnings: list[str] = Field(description="What makes the value doubtful.")
