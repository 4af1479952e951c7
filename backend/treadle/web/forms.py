"""A JSON schema as a form, and a filled-in form as the fields of an event.

The schema is all the web process knows of an event class: strings are read as the types it names, then jsonschema
judges the whole. What was typed is kept as it was typed, so that a form that is refused comes back as it went.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError

MORE_FIELD = "_more"
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Field:
    """One input. `kind` is line, area, integer, number, checkbox, choice or json; `value` is what stands in it."""

    name: str
    label: str
    kind: str
    required: bool = False
    help: str = ""
    value: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    message: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """The inputs of one event, with what was typed and what is wrong with it."""

    fields: tuple[Field, ...]
    more: Field | None
    message: str = ""

    @property
    def valid(self) -> bool:
        return not self.problems

    @property
    def problems(self) -> dict[str, str]:
        """Message by field name; the empty name is the form as a whole."""
        told = {field.name: field.message for field in self.fields if field.message}
        if self.more and self.more.message:
            told[self.more.name] = self.more.message
        return told | ({"": self.message} if self.message else {})


def blank_form(schema: Mapping[str, Any], values: Mapping[str, Any] | None = None) -> Form:
    """The form of a schema, filled with `values` where given and with the schema's defaults elsewhere."""
    values = values or {}
    properties: Mapping[str, Any] = schema.get("properties", {})
    required = schema.get("required", ())
    fields = []
    for name, declared in properties.items():
        spec = _resolve(declared, schema)
        field = _field(name, spec, required=name in required)
        default = values.get(name, spec.get("default", _MISSING))
        fields.append(field if default is _MISSING else replace(field, value=_as_text(default, field.kind)))
    more = None
    if schema.get("additionalProperties"):
        rest = {name: value for name, value in values.items() if name not in properties}
        more = Field(
            MORE_FIELD,
            "More fields" if fields else "Fields",
            "json",
            help='This event takes any field: a JSON object such as {"topic": "looms"}.',
            value=json.dumps(rest, indent=2, ensure_ascii=False) if rest else "",
        )
    return Form(tuple(fields), more)


def read_form(schema: Mapping[str, Any], typed: Mapping[str, str]) -> tuple[dict[str, Any], Form]:
    """The event's fields as typed into the form, and the form with messages where they do not fit."""
    form = blank_form(schema)
    properties: Mapping[str, Any] = schema.get("properties", {})
    values: dict[str, Any] = {}
    fields = []
    for field in form.fields:
        text = typed.get(field.name, "")
        value, message = _read(field, _resolve(properties[field.name], schema), text)
        if value is not _MISSING:
            values[field.name] = value
        fields.append(replace(field, value=text, message=message))
    more = form.more
    if more is not None:
        text = typed.get(MORE_FIELD, "")
        rest, message = _read_object(text)
        more = replace(more, value=text, message=message)
        values = {**rest, **values}
    form = Form(tuple(fields), more)
    return values, with_problems(form, problems_of(schema, values), quiet=form.problems)


def problems_of(schema: Mapping[str, Any], values: Any) -> dict[str, str]:
    """What is wrong with the values, by field name; empty when they fit the schema."""
    if not isinstance(values, dict):
        return {"": "The body is a JSON object: the fields of the event."}
    try:
        errors = sorted(Draft202012Validator(schema).iter_errors(values), key=lambda error: list(map(str, error.path)))
    except SchemaError as broken:
        return {"": f"The schema of this event is broken: {broken.message}"}
    problems: dict[str, str] = {}
    for error in errors:
        name, message = _tell(error)
        problems.setdefault(name, message)
    return problems


def with_problems(form: Form, problems: Mapping[str, str], *, quiet: Mapping[str, str] | None = None) -> Form:
    """The form with each problem at its field; a field that has a message of its own keeps it."""
    quiet = quiet or {}
    names = {field.name for field in form.fields}
    fields = tuple(replace(field, message=field.message or problems.get(field.name, "")) for field in form.fields)
    rest = [f"{name}: {text}" if name else text for name, text in problems.items() if name not in names | set(quiet)]
    if not rest:
        return replace(form, fields=fields)
    if form.more is not None:
        return replace(form, fields=fields, more=replace(form.more, message=form.more.message or "; ".join(rest)))
    return replace(form, fields=fields, message="; ".join(rest))


def _field(name: str, spec: Mapping[str, Any], *, required: bool) -> Field:
    # Pydantic's titles are the names in capitals; a field is better known by its own name.
    title = str(spec.get("title") or "")
    label = title if title and title.replace(" ", "_").lower() != name.lower() else name
    kind = _kind(name, spec)
    choices: tuple[tuple[str, str], ...] = ()
    if kind == "choice":
        options = spec.get("enum", ["true", "false"])
        choices = tuple((_as_text(option, "choice"), str(option)) for option in options)
        if not required or _nullable(spec):
            choices = (("", "—"), *choices)
    told = str(spec.get("description") or "")
    return Field(name, label, kind, required and kind != "checkbox", told, choices=choices)


def _kind(name: str, spec: Mapping[str, Any]) -> str:
    if spec.get("x-read-by-steps"):
        return "line"  # nobody declared what it is, and people mostly type words
    if "enum" in spec or "const" in spec:
        return "choice" if "enum" in spec else "line"
    types = _types(spec)
    if types == {"boolean"}:
        return "choice" if _nullable(spec) else "checkbox"
    if types == {"integer"}:
        return "integer"
    if types and types <= {"integer", "number"}:
        return "number"
    if types == {"string"}:
        long = spec.get("format") in ("textarea", "multiline") or spec.get("maxLength", 0) > 200
        return "area" if long or name in ("text", "body", "document", "story") else "line"
    return "json"


def _read(field: Field, spec: Mapping[str, Any], text: str) -> tuple[Any, str]:
    if field.kind == "checkbox":
        return text not in ("", "false", "off"), ""
    if text.strip() == "":
        if field.required and not _nullable(spec):
            return _MISSING, "Please fill in this field."
        return (None if _nullable(spec) else "" if field.required else _MISSING), ""
    try:
        return _parse(field, spec, text), ""
    except ValueError:
        wanted = {"integer": "a whole number", "number": "a number"}.get(field.kind, "JSON")
        return _MISSING, f"This is not {wanted}."


def _parse(field: Field, spec: Mapping[str, Any], text: str) -> Any:
    if field.kind in ("line", "area"):
        return text
    if field.kind == "integer":
        return int(text)
    if field.kind == "number":
        number = float(text)
        return int(text) if text.strip().lstrip("+-").isdigit() and "integer" in _types(spec) else number
    if field.kind == "choice":
        options = spec.get("enum", [True, False])
        return next((option for option in options if _as_text(option, "choice") == text), text)
    try:
        return json.loads(text)
    except ValueError:
        # A field of any type, or of string among others, may be plain words.
        if not _types(spec) or "string" in _types(spec):
            return text
        raise


def _read_object(text: str) -> tuple[dict[str, Any], str]:
    if not text.strip():
        return {}, ""
    try:
        value = json.loads(text)
    except ValueError as error:
        return {}, f"This is not JSON: {error}."
    if not isinstance(value, dict):
        return {}, 'This must be a JSON object, such as {"topic": "looms"}.'
    return value, ""


def _tell(error: ValidationError) -> tuple[str, str]:
    if error.validator == "required" and not error.path:
        required: Any = error.validator_value
        given: Any = error.instance
        return next((str(name) for name in required if name not in given), ""), "Please fill in this field."
    path = list(error.path)
    where = ".".join(map(str, path[1:]))
    return (str(path[0]) if path else ""), f"{where}: {error.message}" if where else error.message


def _types(spec: Mapping[str, Any]) -> set[str]:
    named = spec.get("type")
    types = {named} if isinstance(named, str) else set(named or ())
    for branch in spec.get("anyOf", ()):
        types |= _types(branch) or {"object"}
    return types - {"null"}


def _nullable(spec: Mapping[str, Any]) -> bool:
    named = spec.get("type")
    named = named if isinstance(named, list) else [named]
    return "null" in named or any(map(_nullable, spec.get("anyOf", ())))


def _resolve(spec: Any, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(spec, dict):
        return {}
    reference = spec.get("$ref", "")
    if not reference.startswith("#/$defs/"):
        return spec
    found = schema.get("$defs", {}).get(reference.removeprefix("#/$defs/"), {})
    return {**found, **{key: value for key, value in spec.items() if key != "$ref"}}


def _as_text(value: Any, kind: str) -> str:
    if kind == "checkbox":
        return "true" if value else ""
    if kind in ("line", "area") or (kind == "choice" and isinstance(value, str)):
        return "" if value is None else str(value)
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, indent=2 if isinstance(value, dict | list) else None)
