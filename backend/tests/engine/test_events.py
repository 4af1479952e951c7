"""Events: declared fields are validated, the rest is kept and reachable in every usual way."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from treadle import Event, HumanResponseEvent, InputRequiredEvent, StopEvent


class Query(Event):
    text: str
    limit: int = 3


def test_event_reads_as_attributes_and_as_a_mapping():
    event = Query(text="warp", lang="en")
    assert (event.text, event["limit"], event.lang) == ("warp", 3, "en")
    assert list(event) == ["text", "limit", "lang"]
    assert dict(event.items()) == {"text": "warp", "limit": 3, "lang": "en"}
    assert event.get("limit") == 3
    assert event.get("nothing", "default") == "default"
    assert "lang" in event
    assert "nothing" not in event


def test_event_set_changes_declared_and_extra_fields():
    event = Query(text="warp")
    event.set("text", "weft")
    event["lang"] = "de"
    assert event == Query(text="weft", lang="de")
    assert repr(event) == "Query(text='weft', limit=3, lang='de')"


def test_event_is_true_even_when_empty():
    assert bool(Event()) is True


def test_event_refuses_what_does_not_fit():
    with pytest.raises(ValidationError):
        Query(text=["not", "text"])
    with pytest.raises(AttributeError, match="'Query' object has no attribute 'colour'"):
        Query(text="warp").colour  # noqa: B018 - reading is the act


def test_human_events_declare_their_fields_with_defaults():
    assert InputRequiredEvent().prefix == ""
    assert HumanResponseEvent().response == ""
    assert StopEvent().result is None
