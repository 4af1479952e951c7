"""A person in the loop: the run stops, asks, and goes on when somebody has answered.

A step that returns an `InputRequiredEvent` asks a question; its `prefix` is what the person reads. The step that reads
`HumanResponseEvent` goes on with the answer. In between the run may wait for minutes or months: the question is kept,
so you can close the browser, even restart the computer, and answer later at the same address. Here a label is written
for a cloth, and it is not finished before you say yes.
"""

from __future__ import annotations

from pydantic import Field

from treadle import Context, Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent, Workflow, step

YES = {"yes", "y", "ok", "okay", "good", "fine"}


class LabelStartEvent(StartEvent):
    """The cloth that needs a label."""

    cloth: str = Field(default="indigo twill", description="What the cloth is.")
    weaver: str = Field(default="Ada", description="Who wove it.")


class DraftEvent(Event):
    """A label that somebody has to approve."""

    label: str
    round: int


class HumanInTheLoopWorkflow(Workflow):
    """Writes a label and changes it until a person is content."""

    @step
    async def write_label(self, ev: LabelStartEvent) -> DraftEvent:
        """Write the first draft."""
        return DraftEvent(label=f"{ev.cloth.capitalize()}, woven by {ev.weaver}", round=1)

    @step
    async def ask_person(self, ctx: Context, ev: DraftEvent) -> InputRequiredEvent:
        """Remember the draft and ask for an opinion."""
        await ctx.set("label", ev.label)
        await ctx.set("round", ev.round)
        return InputRequiredEvent(prefix=f"The label reads: {ev.label}. Answer yes, or type a better one.")

    @step
    async def read_answer(self, ctx: Context, ev: HumanResponseEvent) -> DraftEvent | StopEvent:
        """Finish on a yes; take anything else as the new label and ask again."""
        label, rounds = await ctx.get("label"), await ctx.get("round")
        answer = ev.response.strip()
        if answer.lower().rstrip(".!") in YES:
            return StopEvent(result={"label": label, "rounds": rounds})
        return DraftEvent(label=answer or label, round=rounds + 1)
