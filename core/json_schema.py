"""JSON schema of the typed answers, so that the API's own description cannot drift from them."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

NAMES = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}


def schema_of(kind: Any) -> dict[str, Any]:
    """The JSON schema of a type.

    Args:
        kind: str, int, float, bool, None, Literal of texts, list, union or TypedDict of these;
            the text of an Annotated is its description.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return {**schema_of(arguments[0]), "description": arguments[1]}
    if origin in (Union, UnionType):
        return {"anyOf": [schema_of(choice) for choice in arguments]}
    if origin is Literal:
        return {"type": "string", "enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": schema_of(arguments[0])}
    if is_typeddict(kind):
        fields = get_type_hints(kind, include_extras=True)
        properties = {name: schema_of(field) for name, field in fields.items()}
        return {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": NAMES[kind]}
