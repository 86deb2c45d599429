"""The public contract of the fields that runs have: what callers send and get, as pydantic models."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, RootModel

from service.api.analysis_schemas import MetricDirection
from service.api.requests import whole_number
from service.api.schemas import AnswerBody
from service.api.search_schemas import EXPERIMENTS, FILTER, Count, IndexState

FIELDS_DEFAULT: Final = 1_000
MAX_FIELDS: Final = 10_000
_LONGEST_TEXT: Final = 250  # of a name in MLflow


class FieldParameters(BaseModel):
    """The query parameters of the list of fields. Unknown ones are ignored; an empty one is none."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    filter: str | None = Field(None, description=FILTER)
    kind: str | None = Field(
        None,
        description="`attributes`, `params`, `metrics` or `tags`, or several with commas between; all where "
        "there is none.",
    )
    contains: str | None = Field(
        None,
        max_length=_LONGEST_TEXT,
        description="Only fields whose `name` has this text in it, in small or capital letters.",
    )
    limit: Annotated[int, BeforeValidator(whole_number), AfterValidator(lambda n: min(n, MAX_FIELDS))] = (
        Field(
            FIELDS_DEFAULT,
            ge=1,
            description=f"At most this many of each kind; above {MAX_FIELDS:,} it means {MAX_FIELDS:,}.",
        )
    )
    experiment_id: str | None = Field(None, description=f"{EXPERIMENTS} Several with commas between.")


class FieldOfRunKind(RootModel[Literal["attributes", "params", "metrics", "tags"]]):
    """Where a field of a run stands."""


class RunField(AnswerBody):
    """A field that some of the runs have, and what its values are."""

    name: str = Field(description="As in the columns and facets of a search.")
    written: str = Field(
        description="As a filter, an order or a list of fields names it: with quotes where it needs them."
    )
    kind: FieldOfRunKind
    runs: Count = Field(description="Number of the runs that have it. A metric that is NaN counts.")
    distinct: Count | None = Field(
        description="Number of different texts; null for numbers, and for `artifact_uri`."
    )
    numeric: bool | None = Field(
        description="Whether `number(…)` reads every text as a number; null for metrics and attributes."
    )
    min: float | None = Field(
        description="The least finite value; null where there is none, and where texts are no numbers."
    )
    max: float | None = Field(description="The greatest one.")
    direction: MetricDirection | None = Field(description="Null for what is no metric.")
    rule: str | None = Field(
        description="The rule that decided the direction; null where none fits the name and `max` is assumed."
    )


class FieldCounts(AnswerBody):
    """How many fields of each kind there are, listed or not; 0 where the kind was not asked for."""

    attributes: Count
    params: Count
    metrics: Count
    tags: Count


class RunFields(AnswerBody):
    """The fields of the runs that match a filter."""

    fields: list[RunField] = Field(
        description="Attributes, then params, metrics and tags: of each kind those that most runs have."
    )
    counts: FieldCounts
    total: Count = Field(description="Number of runs that match.")
    index: IndexState
