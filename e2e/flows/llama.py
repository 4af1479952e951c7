"""Written for LlamaIndex Workflows, and left as it is."""

import asyncio

from llama_index.core.workflow import Context, Event, StartEvent, StopEvent, Workflow, step
from llama_index.utils.workflow import draw_all_possible_flows


class DraftEvent(Event):
    text: str
    round: int


class ReviewedEvent(Event):
    text: str
    round: int


class LetterWorkflow(Workflow):
    @step
    async def draft(self, ctx: Context, ev: StartEvent | ReviewedEvent) -> DraftEvent | StopEvent:
        if isinstance(ev, ReviewedEvent):
            if ev.round == 2:
                return StopEvent(result=ev.text)
            return DraftEvent(text=ev.text + "!", round=ev.round + 1)
        await ctx.set("to", ev.to)
        return DraftEvent(text=f"Dear {ev.to}", round=1)

    @step
    async def review(self, ctx: Context, ev: DraftEvent) -> ReviewedEvent:
        ctx.write_event_to_stream(Event(msg=f"round {ev.round} for {await ctx.get('to')}"))
        return ReviewedEvent(text=ev.text, round=ev.round)


async def main():
    w = LetterWorkflow(timeout=10, verbose=False)
    print(await w.run(to="Ada"))
    draw_all_possible_flows(LetterWorkflow, filename="letter.html")


if __name__ == "__main__":
    asyncio.run(main())
