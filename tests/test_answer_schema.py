"""JSON schema out of the forms of the answers."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from core.answer import ActorJson, AnswerJson, Form, HealthJson, NoAnswerJson, schema_of

FORMS: list[Any] = [AnswerJson | NoAnswerJson, list[ActorJson], HealthJson]


def objects(schema: dict[str, Any]) -> list[dict[str, Any]]:
    found = [*schema.get("$defs", {}).values(), schema]
    return [entry for entry in found if entry.get("type") == "object"]


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_every_field_is_required_and_described(form: Any) -> None:
    schema = schema_of(form)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert objects(schema)
    for entry in objects(schema):
        assert list(entry["properties"]) == entry["required"]
        for name, field in entry["properties"].items():
            assert "description" in field or "$ref" in field, name
            assert "title" not in field


def test_choices_are_enumerated() -> None:
    gender = schema_of(ActorJson)["properties"]["gender"]
    assert gender["anyOf"] == [{"enum": ["women", "men"], "type": "string"}, {"type": "null"}]
    assert schema_of(HealthJson)["properties"]["gallery"]["enum"] == ["gallery", "starter"]


def test_another_value_is_refused() -> None:
    form: type[Form] = HealthJson
    with pytest.raises(ValueError, match="gallery"):
        form(status="ok", pack="", gallery="cache", actors=1, portraits=1, built="")
