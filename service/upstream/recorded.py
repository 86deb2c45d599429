"""Reads the inputs and outputs of a run. Pure: bytes in, values out.

The shapes are those of RunInputs and RunOutputs in
https://mlflow.org/docs/latest/api_reference/rest-api.html. A dataset's schema and profile may be long, and
are not kept. What cannot be read is left out: a run is not lost for it.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from service.tracking.recorded import Dataset, Recorded

CONTEXT_TAG: Final = "mlflow.data.context"

NOTHING: Final = msgspec.Raw()

_Text = str | int | float | bool | None


class _Dataset(msgspec.Struct, gc=False):
    name: _Text = None
    digest: _Text = None
    source_type: _Text = None
    source: _Text = None


class _Tag(msgspec.Struct, gc=False):
    key: _Text = None
    value: _Text = None


class _DatasetInput(msgspec.Struct, gc=False):
    dataset: _Dataset | None = None
    tags: list[_Tag | None] | None = None


class _Model(msgspec.Struct, gc=False):
    model_id: _Text = None


class _Inputs(msgspec.Struct, gc=False):
    dataset_inputs: list[_DatasetInput | None] | None = None
    model_inputs: list[_Model | None] | None = None


class _Outputs(msgspec.Struct, gc=False):
    model_outputs: list[_Model | None] | None = None


_inputs = msgspec.json.Decoder(_Inputs)
_outputs = msgspec.json.Decoder(_Outputs)


def read_recorded(inputs: msgspec.Raw, outputs: msgspec.Raw, shared: dict[Any, Any]) -> Recorded | None:
    """What a run has recorded; None where it has recorded nothing.

    inputs, outputs: the members of these names, NOTHING where the run has none. shared: values of other runs
    of the same reply, of which equal ones become one object.
    """
    of_inputs, of_outputs = _decode(_inputs, inputs, _Inputs()), _decode(_outputs, outputs, _Outputs())
    datasets = tuple(
        [
            shared.setdefault(dataset, dataset)
            for one in of_inputs.dataset_inputs or ()
            if one is not None and (dataset := _dataset(one)) is not None
        ]
    )
    recorded = Recorded(datasets, _ids(of_inputs.model_inputs), _ids(of_outputs.model_outputs))
    if not (recorded.datasets or recorded.model_inputs or recorded.model_outputs):
        return None
    same: Recorded = shared.setdefault(recorded, recorded)
    return same


def _decode(decoder: msgspec.json.Decoder[Any], raw: msgspec.Raw, nothing: Any) -> Any:
    if not raw:
        return nothing
    try:
        return decoder.decode(raw)
    except (ValueError, RecursionError):
        return nothing


def _dataset(one: _DatasetInput) -> Dataset | None:
    dataset = one.dataset
    if dataset is None or (dataset.name is None and dataset.digest is None):
        return None
    context = next((tag.value for tag in one.tags or () if tag is not None and tag.key == CONTEXT_TAG), None)
    return Dataset(
        _text(dataset.name),
        _text(dataset.digest),
        _text(dataset.source_type),
        _text(dataset.source),
        _text(context),
    )


def _ids(models: list[_Model | None] | None) -> tuple[str, ...]:
    ids = [_text(model.model_id) for model in models or () if model is not None]
    return tuple(dict.fromkeys(one for one in ids if one))


def _text(value: _Text) -> str:
    return "" if value is None else str(value)
