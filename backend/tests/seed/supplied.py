"""What the plan supplies where the seed leaves something out."""

from __future__ import annotations

from seed.scene import LeftOut, Scenery, Undefined

RANDOM = LeftOut("import random")  # told in words on line 186
OPTIONAL = LeftOut("from typing import Optional")
PEOPLE = LeftOut("from llama_index.core.workflow import HumanResponseEvent, InputRequiredEvent")

STEP_THREE = Undefined("""
class StepThreeEvent(Event):
    result: str
""")
STEPS_ABC = Undefined("""
class StepAEvent(Event):
    query: str

class StepBEvent(Event):
    query: str

class StepCEvent(Event):
    query: str

class StepACompleteEvent(Event):
    result: str

class StepBCompleteEvent(Event):
    result: str

class StepCCompleteEvent(Event):
    result: str
""")
RETRIEVAL = Undefined("""
class QueryEvent(Event):
    query: str

class RetrieveEvent(Event):
    nodes: list
""")
LLM = Undefined("llm = OpenAI()")


def flaky_call(*, failures: int) -> Undefined:
    """The call of the seed's retry example: it fails that many times, and notes when it was called."""
    return Undefined(f"""
import time

calls = []

def flaky_call():
    calls.append(time.time())
    if len(calls) <= {failures}:
        raise ConnectionError(f"call {{len(calls)}} failed")
    return f"call {{len(calls)}} went through"
""")


ASKING = Scenery("""
class Asking(Workflow):
    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> MyEvent:
        await ctx.set("query", ev.query)
        return MyEvent()
""")
ANSWERING = Scenery("""
class Answering(Workflow):
    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> QueryEvent | RetrieveEvent:
        ctx.send_event(RetrieveEvent(nodes=["a rabbit", "a llama"]))
        return QueryEvent(query="Who is Peter?")
""")
POLICY = Scenery("class Policy: pass")
COUNTING = Scenery("""
class Counting(Workflow):
    @step
    async def count(self, ctx: Context, ev: StartEvent) -> StopEvent:
        await ctx.set("runs", await ctx.get("runs", default=0) + 1)
        return StopEvent(result=await ctx.get("runs"))

w = Counting()
""")
BRANCHED = Scenery("""
random.seed(1)
w = BranchWorkflow()
await w.run()
""")

WAITS = """
waits = [round(later - call) for call, later in zip(calls, calls[1:])]
"""


def retried(policy: str) -> str:
    """A workflow whose one step makes the flaky call, run under a retry policy."""
    return f"""
class Retried(Workflow):
    @step(retry_policy={policy})
    async def only_step(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result=flaky_call())

result = await Retried(timeout=60).run()
"""
