"""A workflow in which everything happens, and what comes to its runs from outside: for runs that hypothesis chooses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from strategies import Choices

from treadle import (
    ConstantDelayRetryPolicy,
    Context,
    Event,
    HumanResponseEvent,
    InputRequiredEvent,
    StartEvent,
    StepFailedEvent,
    StopEvent,
    Workflow,
    catch_error,
    step,
)
from treadle.engine.loop import RunLoop


class Thread(Event):
    n: int
    mood: str
    rounds: int
    fails: int


class Left(Event):
    n: int


class Right(Event):
    n: int


class Fragile(Event):
    n: int


class Scrap(Event):
    pass


class Signal(Event):
    n: int


class Woven(Event):
    n: int


class Counted(Event):
    n: int


class Stray(Event):
    pass


class Question(InputRequiredEvent):
    n: int


class Answer(HumanResponseEvent):
    n: int


class Form(InputRequiredEvent):
    n: int


class Reply(HumanResponseEvent):
    n: int


class Knit(Workflow):
    """What a thread may have nested inside its step."""

    @step
    async def purl(self, ctx: Context, ev: StartEvent) -> StopEvent:
        await asyncio.sleep(ev.turns / 10)
        return StopEvent(result=ev.turns)


PATIENCE = ConstantDelayRetryPolicy(maximum_attempts=99, delay=0.5)


class Weave(Workflow):
    """Loops, retries, joins, waits, prompts, catchers and a batch: the same result in whatever order it happens."""

    def __init__(self, pauses: Iterable[int] = ()) -> None:
        super().__init__(timeout=None)
        self.choose = Choices(pauses)
        self.began: list[str] = []
        self.made: list[str] = []

    async def pause(self, ctx: Context) -> None:
        """Let others have their turn as often as hypothesis likes, or for a while."""
        turns = self.choose(5)
        for _ in range(turns % 4):
            await asyncio.sleep(0)
        if turns > 3:
            await asyncio.sleep(turns / 8)

    @step
    async def split(self, ctx: Context, ev: StartEvent) -> Thread | None:
        self.began.append(ctx.idempotency_key)
        await ctx.set("size", len(ev.threads))
        for n, (mood, rounds, fails) in enumerate(ev.threads):
            await self.pause(ctx)
            ctx.send_event(Thread(n=n, mood=mood, rounds=rounds, fails=fails))
        return None

    @step(num_workers=2, retry_policy=PATIENCE)
    async def weave(self, ctx: Context, ev: Thread) -> Thread | Left | Right | Fragile | Form | Scrap | Woven:
        self.began.append(ctx.idempotency_key)
        await ctx.set(f"n{ev.n}", await ctx.get(f"n{ev.n}", default=0) + 1)
        await self.pause(ctx)
        if ev.mood == "once":
            made = await ctx.run_once("token", self.make, ctx.idempotency_key)
            assert made == (b"token", ctx.idempotency_key)
        if ctx.attempt <= ev.fails:
            raise OSError(f"thread {ev.n} tore")
        if ev.rounds:
            return Thread(n=ev.n, mood=ev.mood, rounds=ev.rounds - 1, fails=ev.fails)
        return await self.finish(ctx, ev)

    def make(self, key: str) -> tuple[bytes, str]:
        """Make what a step makes once."""
        self.made.append(key)
        return b"token", key

    async def finish(self, ctx: Context, ev: Thread) -> Event:
        """The last round of a thread."""
        n = ev.n
        match ev.mood:
            case "pair":
                ctx.send_event(Left(n=n))
                await self.pause(ctx)
                return Right(n=n)
            case "broken":
                return Fragile(n=n)
            case "form":
                return Form(prefix="Which colour?", n=n)
            case "ask":
                got = await ctx.wait_for_event(Answer, Question(prefix="Which colour?", n=n), requirements={"n": n})
                assert got.response == f"colour {n}"
            case "show and ask":
                ctx.write_event_to_stream(Question(prefix="Which colour?", n=n))
                got = await ctx.wait_for_event(Answer, requirements={"n": n})
                assert got.response == f"colour {n}"
            case "poll":
                try:
                    await ctx.wait_for_event(Signal, Event(msg="?"), requirements={"n": n % 2}, timeout=1 + n)
                except TimeoutError:
                    ctx.write_event_to_stream(Event(msg="nobody there"))
            case "nest":
                turns = self.choose(3)
                assert await Knit(timeout=None).run(turns=turns) == turns
            case "litter":
                for _ in range(3):
                    ctx.send_event(Scrap())
                    await self.pause(ctx)
            case "note":
                await ctx.set(f"note{n}", {"t": (1, n), 2: {3.5}})
                await self.pause(ctx)
                async with ctx.store.edit_state() as state:
                    await self.pause(ctx)
                    del state[f"note{n}"]
        await self.pause(ctx)
        return Woven(n=n)

    @step(num_workers=3)
    async def knot(self, ctx: Context, left: Left, right: Right) -> Woven:
        self.began.append(ctx.idempotency_key)
        await self.pause(ctx)
        return Woven(n=left.n)

    @step(num_workers=1, retry_policy=ConstantDelayRetryPolicy(maximum_attempts=1, delay=0))
    async def strain(self, ctx: Context, ev: Fragile) -> Woven:
        self.began.append(ctx.idempotency_key)
        await ctx.set(f"strained{ev.n}", True)
        raise ValueError(f"thread {ev.n} broke")

    @catch_error(for_steps=["strain"])
    async def mend(self, ctx: Context, ev: StepFailedEvent) -> Woven:
        self.began.append(ctx.idempotency_key)
        await self.pause(ctx)
        return Woven(n=ev.input_event.n)

    @step(num_workers=1)
    async def sweep(self, ctx: Context, ev: Scrap) -> None:
        self.began.append(ctx.idempotency_key)
        await self.pause(ctx)

    @step
    async def read(self, ctx: Context, ev: Reply) -> Woven:
        self.began.append(ctx.idempotency_key)
        return Woven(n=ev.n)

    @step(num_workers=1, retry_policy=PATIENCE)
    async def count(self, ctx: Context, ev: Woven) -> Counted:
        self.began.append(ctx.idempotency_key)
        count = await ctx.get("count", default=0)
        await self.pause(ctx)
        await ctx.set("count", count + 1)
        await self.pause(ctx)
        if ev.n == 1 and ctx.attempt == 1:
            raise OSError("miscounted")
        return Counted(n=ev.n)

    @step(retry_policy=ConstantDelayRetryPolicy(maximum_attempts=99, delay=0))
    async def gather(self, ctx: Context, ev: Counted) -> StopEvent | None:
        self.began.append(ctx.idempotency_key)
        await self.pause(ctx)
        batch = ctx.collect_events(ev, [Counted] * await ctx.get("size"))
        if ctx.attempt == 1 and ev.n % 2:
            raise OSError("dropped a thread")
        await self.pause(ctx)
        return StopEvent(result=sorted(event.n for event in batch)) if batch else None


class Outside:
    """What comes to a run from outside: people, callers, operators."""

    def __init__(self, loop: RunLoop, choose: Choices) -> None:
        self._loop = loop
        self._choose = choose
        self._stepping: list[asyncio.Task[None]] = []
        self._turn = asyncio.Lock()

    async def act(self, acts: Iterable[tuple[str, int]], ended: asyncio.Future[Any], *, rest: float = 1) -> None:
        """Do `acts`, each after a number of turns; then, after `rest` seconds at a time, what lets the run end."""
        for name, turns in acts:
            for _ in range(turns):
                await asyncio.sleep(0)
            if not self._loop.over:
                self.do(name)
        for patience in range(200):
            if ended.done():
                break
            await asyncio.sleep(rest)
            for name in ("release", "answer", "signal") if patience % 2 else ("answer",):
                if not self._loop.over:
                    self.do(name)
        await asyncio.gather(*self._stepping)
        state = self._loop.state
        assert ended.done(), f"{state.status}: waits {list(state.waits)}, prompts {list(state.prompts)}, no end"

    def do(self, name: str) -> None:
        """One act."""
        loop = self._loop
        acts: dict[str, Callable[[], None]] = {
            "nothing": lambda: None,
            "hold": loop.hold,
            "release": loop.release,
            "allow": loop.allow_step,
            "allow any": lambda: loop.allow_step(self.one_of(list(loop.state.waiting_leave)) or (99, "weave")),
            "step": lambda: self.step(name),
            "look": lambda: self.step(name),
            "keep": lambda: self.step(name),
            "answer": self.answer,
            "signal": lambda: self.send(Signal(n=self._choose(1))),
            "stray answer": self.answer_anything,
            "stray event": lambda: self.send(Stray()),
            "set": lambda: loop.outbox.change_context("count", self._choose(9), delivery=None),
            "remove": lambda: loop.outbox.remove_context("count", delivery=None),
            "cancel": loop.cancel,
            "stop": lambda: self.send(StopEvent(result="enough")),
        }
        acts[name]()

    def send(self, event: Event) -> None:
        """An event from outside."""
        self._loop.outbox.send(event, target=None, delivery=None, index=0)

    def answer(self) -> None:
        """Answer every prompt, and every step that waits for a person without one."""
        state = self._loop.state
        for number, question in list(state.prompts.items()):
            kind = Answer if isinstance(question, Question) else Reply
            self._loop.respond(kind(response=f"colour {question.n}", n=question.n), prompt=number)
        for n in [wait.requirements["n"] for wait in state.waits.values() if wait.human and not wait.prompt]:
            self.send(Answer(response=f"colour {n}", n=n))

    def answer_anything(self) -> None:
        """Answer, but no prompt."""
        n = self._choose(3)
        self.send((Answer, Reply, HumanResponseEvent)[self._choose(2)](response=f"colour {n}", n=n))

    def step(self, name: str) -> None:
        """Run one step; its event goes on by itself, or the caller looks at it and sends it on, or keeps it."""
        self._stepping.append(asyncio.get_running_loop().create_task(self._step(name)))

    async def _step(self, name: str) -> None:
        if name != "look":
            await self._loop.run_step(dispatch=name == "step")
            return
        async with self._turn:
            event = await self._loop.run_step(dispatch=False)
            if event is not None and self._loop.state.outcome is None:
                event["seen"] = True
                self.send(event)

    def one_of(self, things: list[Any]) -> Any:
        """One of `things`, None if there are none."""
        return things[self._choose(len(things) - 1)] if things else None
