"""Streaming: show how far a run has come while it is still running.

`ctx.write_event_to_stream` shows an event to everyone who is watching: the studio lists it on the run's page, and
Python reads it with `async for ev in handler.stream_events()`. No step receives it, so a stream never changes where
the run goes. Here `step_two` streams a short rhyme word by word, the way the words of a language model arrive.
"""

from __future__ import annotations

import asyncio

from pydantic import Field

from treadle import Context, Event, StartEvent, StopEvent, Workflow, step


class StreamingStartEvent(StartEvent):
    """What to say, and how fast."""

    first_input: str = Field(
        default="Over and under the shuttle goes, line upon line the patterned cloth grows.",
        description="The text that is streamed, one word at a time.",
    )
    pause: float = Field(default=0.15, ge=0, le=5, description="Seconds between two words.")


class FirstEvent(Event):
    """The text, ready to be streamed."""

    first_output: str
    pause: float


class SecondEvent(Event):
    """The whole text, after the last word was streamed."""

    second_output: str
    response: str


class ProgressEvent(Event):
    """One message to those who watch."""

    msg: str


class StreamingWorkflow(Workflow):
    """Streams a text word by word and returns it whole."""

    @step
    async def step_one(self, ctx: Context, ev: StreamingStartEvent) -> FirstEvent:
        """Say that the work begins."""
        ctx.write_event_to_stream(ProgressEvent(msg="Step one is happening"))
        return FirstEvent(first_output=ev.first_input, pause=ev.pause)

    @step
    async def step_two(self, ctx: Context, ev: FirstEvent) -> SecondEvent:
        """Stream every word as soon as it is there."""
        words = ev.first_output.split()
        for word in words:
            ctx.write_event_to_stream(ProgressEvent(msg=word))
            await asyncio.sleep(ev.pause)
        return SecondEvent(second_output="Step two is complete, full response attached", response=" ".join(words))

    @step
    async def step_three(self, ctx: Context, ev: SecondEvent) -> StopEvent:
        """Say that the work ends, and return the whole text."""
        ctx.write_event_to_stream(ProgressEvent(msg="Step three is happening"))
        return StopEvent(result=ev.response)
