"""Steps: declared in classes, added to classes and instances, bound into a table."""

from __future__ import annotations

import pytest

from treadle import (
    ConstantDelayRetryPolicy,
    Context,
    Event,
    StartEvent,
    StopEvent,
    Workflow,
    WorkflowValidationError,
    step,
)
from treadle.engine.events import StepFailedEvent
from treadle.engine.steps import add_step, catch_error, generation, specs_of
from treadle.engine.table import StepTable, compile_table


class A(Event):
    n: int = 0


class B(Event):
    n: int = 0


def table_of(workflow: Workflow, **slots: object) -> StepTable:
    return compile_table(specs_of(workflow).values(), workflow, slots=slots)


class Base(Workflow):
    @step
    async def one(self, ev: StartEvent) -> A:
        return A()

    @step(num_workers=2)
    async def two(self, ev: A) -> StopEvent:
        return StopEvent(result="base")


def test_steps_come_in_the_order_they_are_declared_bases_first():
    class Sub(Base):
        @step
        async def three(self, ev: B) -> StopEvent: ...

        @step(num_workers=7)
        async def two(self, ev: A) -> StopEvent: ...

    assert list(specs_of(Sub)) == ["one", "two", "three"]
    assert specs_of(Sub)["two"].num_workers == 7
    assert specs_of(Base)["two"].num_workers == 2


def test_override_that_is_no_step_takes_the_step_away():
    class Sub(Base):
        async def two(self, ev: A) -> StopEvent: ...

    assert list(specs_of(Sub)) == ["one"]


def test_step_may_be_shared_under_another_name():
    class Sub(Base):
        other = Base.two

    assert [(name, spec.name) for name, spec in specs_of(Sub).items()][-1] == ("other", "other")
    assert table_of(Sub()).routes.takers[A] == ("two", "other")


async def test_static_and_class_methods_can_be_steps():
    class Odd(Workflow):
        @staticmethod
        @step
        async def one(ev: StartEvent) -> A:
            return A(n=1)

        @step
        @staticmethod
        async def two(ev: A) -> B:
            return B(n=ev.n + 1)

        @classmethod
        @step
        async def three(cls, ev: B) -> StopEvent:
            return StopEvent(result=(cls.__name__, ev.n))

    assert await Odd().run() == ("Odd", 2)


async def test_function_added_to_a_class_is_inherited():
    class Empty(Workflow):
        pass

    class Heir(Empty):
        pass

    @step(workflow=Empty)
    def only(ev: StartEvent) -> StopEvent:
        return StopEvent(result="inherited")

    assert await Heir().run() == "inherited"
    assert list(specs_of(Workflow)) == []


async def test_function_added_to_an_instance_stays_with_it():
    class Plain(Workflow):
        pass

    flow, other = Plain(), Plain()

    @step(workflow=flow)
    async def generate(ev: StartEvent) -> A:
        return A(n=ev.n)

    @step(workflow=flow, num_workers=2)
    async def finish(ev: A) -> StopEvent:
        return StopEvent(result=ev.n)

    assert list(specs_of(flow)) == ["generate", "finish"]
    assert specs_of(other) == specs_of(Plain) == {}
    assert await flow.run(n=5) == 5


async def test_workflow_itself_is_enough_to_hold_functions():
    """The seed's "joke_flow": steps on an instance of Workflow, without a class of its own."""
    flow = Workflow(timeout=60)

    @step(workflow=flow)
    async def only(ev: StartEvent) -> StopEvent:
        return StopEvent(result=ev.topic)

    assert await flow.run(topic="pirates") == "pirates"
    assert specs_of(Workflow()) == {}


async def test_step_added_after_a_run_takes_part_in_the_next():
    class Growing(Workflow):
        @step
        async def one(self, ev: StartEvent) -> StopEvent:
            return StopEvent(result="short")

    flow = Growing()
    assert await flow.run() == "short"
    before = generation()

    @step(workflow=Growing)
    async def more(ev: A) -> StopEvent: ...

    assert generation() > before
    with pytest.raises(WorkflowValidationError, match="consumed but never produced: A"):
        flow.run()


async def test_method_of_another_class_can_join_a_workflow():
    class Target(Workflow):
        word = "bound"

    class Mixin:
        @step(workflow=Target)
        async def only(self, ev: StartEvent) -> StopEvent:
            return StopEvent(result=self.word)

    assert await Target().run() == "bound"


def test_second_step_of_a_name_is_refused():
    class Taken(Workflow):
        @step
        async def one(self, ev: StartEvent) -> StopEvent: ...

    told = "^A step one is already part of this workflow, please choose another name.$"
    for workflow in (Taken, Taken()):
        with pytest.raises(WorkflowValidationError, match=told):

            @step(workflow=workflow)
            async def one(ev: StartEvent) -> StopEvent: ...

    free = Workflow()
    add_step(free, specs_of(Taken)["one"])
    with pytest.raises(WorkflowValidationError, match=told):
        add_step(free, specs_of(Taken)["one"])


def test_free_function_needs_a_workflow():
    with pytest.raises(WorkflowValidationError) as caught:

        @step
        async def lonely(ev: StartEvent) -> StopEvent: ...

    assert str(caught.value) == "To decorate lonely please pass a workflow class to the @step decorator."


@pytest.mark.parametrize("workers", [0, -1, 1.5, "4", True])
def test_number_of_workers_is_checked(workers):
    with pytest.raises(WorkflowValidationError, match=r"^num_workers must be an integer greater than 0$"):

        class Wrong(Workflow):
            @step(num_workers=workers)
            async def one(self, ev: StartEvent) -> StopEvent: ...


@pytest.mark.parametrize("policy", [ConstantDelayRetryPolicy, 3, "always"])
def test_retry_policy_must_be_able_to_decide(policy):
    with pytest.raises(WorkflowValidationError, match=r"retry_policy of step one must be an object with a method next"):

        class Wrong(Workflow):
            @step(retry_policy=policy)
            async def one(self, ev: StartEvent) -> StopEvent: ...


async def test_join_is_called_with_one_event_for_each_parameter():
    class Joining(Workflow):
        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> A | B:
            ctx.send_event(B(n=2))
            return A(n=1)

        @step
        async def join(self, first: A, ctx: Context, second: B) -> StopEvent:
            return StopEvent(result=(first.n, second.n, ctx.is_running))

    flow = Joining()
    assert table_of(flow).routes.joins == {"join": ((A,), (B,))}
    assert table_of(flow).routes.takers[B] == ("join",)
    assert await flow.run() == (1, 2, True)


async def test_parameters_may_stand_in_any_order():
    class Orders(Workflow):
        @step
        async def context_first(self, ctx: Context, ev: StartEvent) -> A:
            return A(n=int(ctx.is_running))

        @step
        async def event_first(self, ev: A, ctx: Context) -> B:
            return B(n=ev.n + int(ctx.is_running))

        @step
        async def by_name(self, *, ev: B, ctx: Context) -> StopEvent:
            return StopEvent(result=ev.n + int(ctx.is_running))

    assert await Orders().run() == 3


class Inner(Workflow):
    @step
    async def only(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result=f"inner {ev.word}")


class Fallback(Inner):
    @step
    async def only(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result=f"fallback {ev.word}")


class Outer(Workflow):
    @step
    async def begin(self, ev: StartEvent, inner: Workflow, ctx: Context) -> A:
        await ctx.set("first", await inner.run(word="a"))
        return A()

    @step
    async def finish(
        self,
        ctx: Context,
        ev: A,
        inner: Workflow,
        other: Workflow = Fallback(),  # noqa: B008 - a default slot, as the tutorial fills it
        limit: int = 3,
    ) -> StopEvent:
        results = [await ctx.get("first"), await inner.run(word="b"), await other.run(word="c"), limit]
        return StopEvent(result=results)


async def test_slots_are_filled_by_name_or_by_their_defaults():
    flow = Outer()
    flow.add_workflows(inner=Inner())
    assert await flow.run() == ["inner a", "inner b", "fallback c", 3]
    flow.add_workflows(other=Inner())
    assert await flow.run() == ["inner a", "inner b", "inner c", 3]


def test_table_tells_which_slots_hold_which_workflows():
    inner = Inner()
    table = table_of(Outer(), inner=inner, typo=inner)
    assert table.missing == ()
    assert table.unused == ("typo",)
    assert list(table.children) == ["inner", "other"]
    assert table.children["inner"] is inner
    assert isinstance(table.children["other"], Fallback)
    assert table_of(Outer()).missing == ("inner",)


def test_state_type_is_the_most_derived():
    class Few:
        pass

    class Many(Few):
        pass

    class Typed(Workflow):
        @step
        async def one(self, ctx: Context[Many], ev: StartEvent) -> A: ...

        @step
        async def two(self, ctx: Context[Few], ev: A) -> StopEvent: ...

    assert table_of(Typed()).state_type is Many
    assert table_of(Base()).state_type is None


def test_steps_to_try_once_are_known_to_the_rules():
    class Paying(Workflow):
        @step(at_most_once=True)
        async def pay(self, ev: StartEvent) -> A: ...

        @step
        async def thank(self, ev: A) -> StopEvent: ...

    assert table_of(Paying()).routes.at_most_once == {"pay"}


class Caught(Workflow):
    @step
    async def one(self, ev: StartEvent) -> A: ...

    @step
    async def two(self, ev: A) -> StopEvent: ...

    @catch_error(for_steps=["two"], num_workers=1)
    async def excuse(self, ev: StepFailedEvent) -> StopEvent: ...

    @catch_error
    async def otherwise(self, ev: StepFailedEvent) -> StopEvent: ...


def test_catchers_are_spread_over_the_steps_they_are_for():
    table = table_of(Caught())
    assert table.routes.catchers == {"two": "excuse", "one": "otherwise"}
    assert table.routes.workers["excuse"] == 1
    assert table.steps["excuse"].spec.catches == ("two",)
    assert not table.steps["two"].spec.is_catcher


async def test_catcher_goes_on_after_the_last_attempt():
    class Saved(Workflow):
        tries = 0

        @step(retry_policy=ConstantDelayRetryPolicy(maximum_attempts=2, delay=0))
        async def shaky(self, ev: StartEvent) -> A:
            self.tries += 1
            raise OSError("no")

        @step
        async def finish(self, ev: A) -> StopEvent:
            return StopEvent(result=ev.n)

        @catch_error()
        async def save(self, ctx: Context, ev: StepFailedEvent) -> A:
            return A(n=ev.attempts)

    flow = Saved()
    assert await flow.run() == 3
    assert flow.tries == 3


async def test_catcher_may_be_a_free_function():
    class Bare(Workflow):
        @step
        async def fail(self, ev: StartEvent) -> StopEvent:
            raise OSError("no")

    flow = Bare()

    @catch_error(workflow=flow, for_steps=["fail"])
    async def save(ev: StepFailedEvent) -> StopEvent:
        return StopEvent(result=f"{ev.step}: {ev.exception}")

    assert await flow.run() == "fail: no"
    with pytest.raises(OSError, match="no"):
        await Bare().run()


def test_catcher_must_accept_what_it_gets():
    told = "The event parameter of save must accept StepFailedEvent"
    with pytest.raises(WorkflowValidationError, match=told):

        class Wrong(Workflow):
            @catch_error
            async def save(self, ev: A) -> StopEvent: ...

    with pytest.raises(WorkflowValidationError, match=told):

        class Joining(Workflow):
            @catch_error
            async def save(self, ev: StepFailedEvent, also: A) -> StopEvent: ...


def test_catcher_names_steps_in_a_list():
    with pytest.raises(WorkflowValidationError, match=r"write for_steps=\['fetch'\]"):
        catch_error(for_steps="fetch")


