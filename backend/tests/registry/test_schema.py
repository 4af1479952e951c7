"""A form's schema comes from the start event, and from the steps where the event declares nothing."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from treadle import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent, Workflow, step
from treadle.engine.validation import start_class
from treadle.registry.schema import event_schema, response_schemas, start_schema


class Other(Event):
    only_here: str = ""


class Undeclared(Workflow):
    @step
    async def begin(self, ev: StartEvent) -> InputRequiredEvent | Other | StopEvent:
        style = ev.get("style", "plain")
        return StopEvent(result=f"{ev.topic} {style} {ev['place']}")

    @step
    async def more(self, event: Other) -> StopEvent:
        return StopEvent(result=event.only_here)

    @step
    async def answered(self, ev: HumanResponseEvent) -> StopEvent:
        return StopEvent(result=ev.response)


class Typed(StartEvent):
    """What to weave."""

    width: int = Field(default=3, ge=1, description="In threads.")
    thing: Any = None


class Declared(Workflow):
    @step
    async def begin(self, ev: Typed) -> StopEvent:
        return StopEvent(result=ev.width)


def test_fields_a_plain_start_event_is_asked_for_are_found_in_its_steps() -> None:
    table = Undeclared().table
    schema = start_schema(table, start_class(table))
    assert set(schema["properties"]) == {"style", "topic", "place"}
    assert sorted(schema["required"]) == ["place", "topic"]


def test_declared_fields_keep_their_schema() -> None:
    table = Declared().table
    schema = start_schema(table, start_class(table))
    assert schema["properties"]["width"] == {
        "default": 3,
        "description": "In threads.",
        "minimum": 1,
        "title": "Width",
        "type": "integer",
    }
    assert schema["description"] == "What to weave."


def test_field_without_a_json_form_is_left_open() -> None:
    class Strange(StartEvent):
        call: type = int
        name: str

    schema = event_schema(Strange)
    assert schema["properties"]["name"]["type"] == "string"
    assert schema["required"] == ["name"]


def test_responses_are_those_the_steps_take() -> None:
    assert list(response_schemas(Undeclared().table)) == ["HumanResponseEvent"]


class Draft(Event):
    text: str


class Letter(Workflow):
    @step
    async def write(self, ev: StartEvent | Draft) -> Draft | StopEvent:
        return StopEvent(result=ev.text) if isinstance(ev, Draft) else Draft(text=f"Dear {ev.to}")


def test_field_read_from_a_parameter_of_several_events_is_the_start_events_if_no_other_declares_it() -> None:
    table = Letter().table
    schema = start_schema(table, start_class(table))
    assert schema["properties"] == {"to": {"title": "to", "x-read-by-steps": True}}
    assert "required" not in schema
