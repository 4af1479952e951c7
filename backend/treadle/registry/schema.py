"""Schemas: what a form asks for, read from an event class and, where it declares nothing, from its steps."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable
from typing import Any

from pydantic import TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema

from treadle.engine.events import Event, HumanResponseEvent, StartEvent
from treadle.engine.steps import StepSpec
from treadle.engine.table import StepTable

NOTHING = "None"
"""The name under which a step may return no event."""

_METHODS = frozenset(name for name in dir(Event) if not name.startswith("__"))


def start_schema(table: StepTable, start: type[StartEvent]) -> dict[str, Any]:
    """The JSON schema of the start event; a field only its steps know of is added, of any type."""
    schema = event_schema(start)
    properties = schema.setdefault("properties", {})
    specs = [table.steps[name].spec for name in table.routes.takers.get(start, ())]
    for name, required in _read_fields(specs, start).items():
        if name not in properties:
            properties[name] = {"title": name, "x-read-by-steps": True}
            if required:
                schema.setdefault("required", []).append(name)
    return schema


def response_schemas(table: StepTable) -> dict[str, dict[str, Any]]:
    """The JSON schemas of the response events the steps take, by class name."""
    return {kind.__name__: event_schema(kind) for kind in table.routes.takers if issubclass(kind, HumanResponseEvent)}


def outcome_schemas(table: StepTable) -> dict[str, dict[str, dict[str, Any] | None]]:
    """What each step that may be done at most once may return, by event class; NOTHING stands for no event."""
    outcomes: dict[str, dict[str, dict[str, Any] | None]] = {}
    for name in sorted(table.routes.at_most_once):
        signature = table.steps[name].spec.signature
        outcomes[name] = {kind.__name__: event_schema(kind) for kind in signature.emits}
        if signature.may_be_nothing:
            outcomes[name][NOTHING] = None
    return outcomes


def event_schema(kind: type[Event]) -> dict[str, Any]:
    """The JSON schema of an event class; a field with no JSON form is left open."""
    try:
        schema = kind.model_json_schema()
    except PydanticInvalidForJsonSchema:
        schema = {"title": kind.__name__, "type": "object", "properties": {}, "required": []}
        for name, field in kind.model_fields.items():
            try:
                schema["properties"][name] = TypeAdapter[Any](field.annotation or Any).json_schema()
            except PydanticInvalidForJsonSchema:
                schema["properties"][name] = {"title": name}
            if field.is_required():
                schema["required"].append(name)
    if kind in (StartEvent, HumanResponseEvent):
        schema.pop("description", None)  # the base class's own docstring tells a form's reader nothing
    return schema


def _read_fields(specs: Iterable[StepSpec], start: type[StartEvent]) -> dict[str, bool]:
    """Fields that steps read from the start event; True where they cannot do without.

    A field read from a parameter that takes other events too is the start event's if none of those declares it.
    """
    fields: dict[str, bool] = {}
    for spec in specs:
        event, kinds = next((name, kinds) for name, kinds in spec.signature.events if start in kinds)
        others = [kind for kind in kinds if kind is not start]
        if not all(kind.model_fields for kind in others):
            continue  # an event that declares nothing may have any field
        declared = {name for kind in others for name in kind.model_fields}
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(spec.function)))
        except (OSError, SyntaxError, TypeError):
            continue
        for node in ast.walk(tree):
            name, required = _field_read(node, event)
            if name is not None and name not in declared:
                fields[name] = fields.get(name, False) or (required and not others)
    return fields


def _field_read(node: ast.AST, event: str) -> tuple[str | None, bool]:
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id=name), attr="get"), args=[ast.Constant(value=str(field)), *_]
        ) if name == event:
            return field, False
        case ast.Attribute(value=ast.Name(id=name), attr=field, ctx=ast.Load()) if name == event:
            return (field, True) if field not in _METHODS else (None, False)
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str(field))) if name == event:
            return field, True
    return None, False
