"""JSON schema out of the types of the answers."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

import pytest

from core.answer import schema_of


class Inner(TypedDict):
    share: Annotated[int | None, "in per cent"]


class Outer(TypedDict):
    kind: Literal["a", "b"]
    inner: list[Inner]


def test_typed_dictionaries_become_objects_whose_fields_are_all_required() -> None:
    assert schema_of(Outer) == {
        "type": "object",
        "properties": {
            "kind": {"type": "string", "enum": ["a", "b"]},
            "inner": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "share": {
                            "anyOf": [{"type": "integer"}, {"type": "null"}],
                            "description": "in per cent",
                        }
                    },
                    "required": ["share"],
                },
            },
        },
        "required": ["kind", "inner"],
    }


def test_a_type_without_a_json_form_is_refused() -> None:
    with pytest.raises(KeyError):
        schema_of(bytes)
