"""Models as the JSON Schemas of an OpenAPI document, in the form that generators of clients understand best.

Other forms of the same schemas cost a client something: without a format, Java, C#, Kotlin, Go and Rust have
times of 32 bits, and Go metrics of 32 bits; `anyOf` with null becomes a union type of its own; a client of
closed answers fails as soon as an answer gets one more field.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

_REFERENCE = "#/components/schemas/{model}"


class ContractSchema(GenerateJsonSchema):
    """pydantic's schemas, with a list of types for what may be null, with formats, and without titles."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """The schema with null among its types; a named one beside null."""
        inner = self.generate_inner(schema["schema"])
        if isinstance(inner.get("type"), str):
            return {**inner, "type": [inner["type"], "null"]}
        return self.get_flattened_anyof([inner, {"type": "null"}])

    def float_schema(self, schema: core_schema.FloatSchema) -> JsonSchemaValue:
        """A number of 64 bits."""
        return {**super().float_schema(schema), "format": "double"}

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's signature
        """No: a property is named by its key."""
        return False


def components(answers: Sequence[type[BaseModel]], requests: Sequence[type[BaseModel]]) -> dict[str, Any]:
    """The schemas of these models, and of the models in them, by name."""
    definitions = models_json_schema(
        [
            *((model, "serialization") for model in answers),
            *((model, "validation") for model in requests),
        ],
        ref_template=_REFERENCE,
        schema_generator=ContractSchema,
    )[1]["$defs"]
    return {name: _opened(definition) for name, definition in definitions.items()}


def reference(model: type[BaseModel]) -> dict[str, str]:
    """Where the schema of a model stands."""
    return {"$ref": _REFERENCE.format(model=model.__name__)}


def query_parameters(model: type[BaseModel]) -> Iterable[dict[str, Any]]:
    """A model's fields as parameters of a query. A model among them has to be one of a body, too."""
    schema = model.model_json_schema(ref_template=_REFERENCE, schema_generator=ContractSchema)
    for name, field in schema["properties"].items():
        description = field.pop("description")
        if isinstance(field.get("type"), list):  # a query has no null: what is left out is not there
            [field["type"]] = [kind for kind in field["type"] if kind != "null"]
            field.pop("default", None)
        example = {"example": field.pop("examples")[0]} if "examples" in field else {}
        parameter = {"name": name, "in": "query", "description": description, "schema": field, **example}
        yield parameter | ({"required": True} if name in schema.get("required", ()) else {})


def _opened(definition: JsonSchemaValue) -> JsonSchemaValue:
    """A definition that allows fields of later versions, and whose name is its key."""
    opened = {name: value for name, value in definition.items() if name != "title"}
    if opened.get("additionalProperties") is False:
        del opened["additionalProperties"]
    return opened
