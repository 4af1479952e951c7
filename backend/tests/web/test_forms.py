"""A schema as a form, and what was typed as fields."""

from __future__ import annotations

from typing import Any

import pytest

from treadle.web.forms import blank_form, problems_of, read_form


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    ("spec", "typed", "value"),
    [
        ({"type": "string"}, " as it is ", " as it is "),
        ({"type": "integer"}, "7", 7),
        ({"type": "number"}, "7.5", 7.5),
        ({"type": "boolean"}, "true", True),
        ({"enum": ["a", 2]}, "2", 2),
        ({"type": "array", "items": {"type": "string"}}, '["x"]', ["x"]),
        ({"type": "object"}, '{"a": {"b": 1}}', {"a": {"b": 1}}),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "", None),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, "words", "words"),
        ({}, "anything", "anything"),
    ],
)
def test_form_reads_strings_as_the_schema_says(spec: dict[str, Any], typed: str, value: object) -> None:
    fields, form = read_form(schema(field=spec), {"field": typed})
    assert form.valid and fields == {"field": value}


@pytest.mark.parametrize(
    ("spec", "typed"),
    [({"type": "integer"}, "7.5"), ({"type": "number"}, "x"), ({"type": "array"}, "[1"), ({"enum": ["a"]}, "b"),
     ({"type": "integer", "maximum": 3}, "4")],
)  # fmt: skip
def test_form_puts_the_message_at_the_field(spec: dict[str, Any], typed: str) -> None:
    _, form = read_form(schema(field=spec), {"field": typed})
    assert set(form.problems) == {"field"} and form.fields[0].value == typed


def test_form_leaves_out_what_was_left_blank() -> None:
    fields, form = read_form(schema(a={"type": "string"}, b={"type": "boolean"}), {"a": ""})
    assert form.valid and fields == {"b": False}


def test_form_takes_any_other_field_as_json() -> None:
    open_schema = schema() | {"additionalProperties": True}
    fields, form = read_form(open_schema, {"_more": '{"topic": "looms"}'})
    assert form.valid and fields == {"topic": "looms"}
    assert not read_form(open_schema, {"_more": "[1]"})[1].valid


def test_form_follows_references() -> None:
    referring = schema(colour={"$ref": "#/$defs/Colour"}) | {"$defs": {"Colour": {"enum": ["red", "blue"]}}}
    assert [choice[0] for choice in blank_form(referring).fields[0].choices] == ["", "red", "blue"]


def test_problems_name_the_field_and_the_place_in_it() -> None:
    nested = schema(rows={"type": "array", "items": {"type": "integer"}}) | {"required": ["rows"]}
    assert problems_of(nested, {"rows": [1, "x"]}) == {"rows": "1: 'x' is not of type 'integer'"}
    assert set(problems_of(nested, {})) == {"rows"}
