"""Doing several things at once, and waiting until all of them are done.

`start` sends three events instead of returning one, and the three steps that read them run side by side. Every one
reports with its own event to `step_three`. That step is called three times; `ctx.collect_events` gives it None until
all three reports are there, and then the whole list, in the order asked for and not in the order of arrival. On the
picture you can see `step_three` waiting with one report of three, then two, then finishing.
"""

from __future__ import annotations

import asyncio
import re

from pydantic import Field

from treadle import Context, Event, StartEvent, StopEvent, Workflow, step


class TextStartEvent(StartEvent):
    """A text to look at in three ways."""

    text: str = Field(
        default="The feet press the treadles. The hands throw the shuttle. Line by line the cloth grows.",
        description="Any text; a few sentences will do.",
        json_schema_extra={"format": "textarea"},
    )
    pause: float = Field(
        default=0.5, ge=0, le=10, description="Seconds each of the three takes, so that you can watch."
    )


class StepAEvent(Event):
    """Count the words of this text."""

    query: str
    pause: float


class StepBEvent(Event):
    """Count the sentences of this text."""

    query: str
    pause: float


class StepCEvent(Event):
    """Find the longest word of this text."""

    query: str
    pause: float


class StepACompleteEvent(Event):
    """The number of words."""

    result: int


class StepBCompleteEvent(Event):
    """The number of sentences."""

    result: int


class StepCCompleteEvent(Event):
    """The longest word."""

    result: str


class ConcurrentFlow(Workflow):
    """Looks at a text in three ways at the same time and joins what was found."""

    @step
    async def start(self, ctx: Context, ev: TextStartEvent) -> StepAEvent | StepBEvent | StepCEvent | None:
        """Hand the text to three steps at once."""
        ctx.send_event(StepAEvent(query=ev.text, pause=3 * ev.pause))
        ctx.send_event(StepBEvent(query=ev.text, pause=2 * ev.pause))
        ctx.send_event(StepCEvent(query=ev.text, pause=ev.pause))
        return None

    @step
    async def step_a(self, ev: StepAEvent) -> StepACompleteEvent:
        """Count words; the slowest of the three."""
        await asyncio.sleep(ev.pause)
        return StepACompleteEvent(result=len(_words(ev.query)))

    @step
    async def step_b(self, ev: StepBEvent) -> StepBCompleteEvent:
        """Count sentences."""
        await asyncio.sleep(ev.pause)
        return StepBCompleteEvent(result=len(re.findall(r"[.!?]+(?:\s|$)", ev.query)))

    @step
    async def step_c(self, ev: StepCEvent) -> StepCCompleteEvent:
        """Find the longest word; the quickest of the three."""
        await asyncio.sleep(ev.pause)
        return StepCCompleteEvent(result=max(_words(ev.query), key=len, default=""))

    @step
    async def step_three(
        self, ctx: Context, ev: StepACompleteEvent | StepBCompleteEvent | StepCCompleteEvent
    ) -> StopEvent | None:
        """Wait for all three, then put the report together."""
        found = ctx.collect_events(ev, [StepACompleteEvent, StepBCompleteEvent, StepCCompleteEvent])
        if found is None:
            return None
        words, sentences, longest = (report["result"] for report in found)
        return StopEvent(result={"words": words, "sentences": sentences, "longest_word": longest})


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", text)
