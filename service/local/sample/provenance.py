"""What a run was made from and what it made: the prices it read, and the model that others use."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from service.local.sample.prices import Floats, Market, digest

SOURCE_TYPE = "code"  # MLflow's word for data that a program makes


@dataclass(frozen=True, slots=True)
class Dataset:
    """Prices as MLflow describes a dataset: source, schema and profile are JSON texts."""

    name: str
    digest: str
    source: str
    schema: str
    profile: str


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a registered model, and the aliases that it bears at the end of the session."""

    model_name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """A rule that a run has made, as MLflow's logged model; version: what it is registered as, if it is."""

    name: str
    version: Version | None = None


Context = Literal["training", "evaluation"]


def describe(market: Market, prices: Floats) -> Dataset:
    """The dataset of a market's prices, with a digest that changes if any price does."""
    columns = [{"type": "double", "name": asset, "required": True} for asset in market.assets]
    return Dataset(
        name=market.name,
        digest=digest(prices),
        source=json.dumps({"tags": {"mlflow.source.name": "service.local.sample.prices"}}),
        schema=json.dumps({"mlflow_colspec": columns}),
        profile=json.dumps({"num_rows": len(prices), "num_elements": prices.size}),
    )
