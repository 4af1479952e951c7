"""What a step asks for, read from its annotations. This module's annotations are types, not strings, unless quoted."""

import functools
from typing import Annotated, Any, Optional, Union

import pytest
from pydantic import BaseModel
from typing_extensions import TypeAliasType

from treadle import Context, Event, StartEvent, StopEvent, Workflow, WorkflowValidationError, step
from treadle.engine.resource import Resource
from treadle.engine.signature import Signature, read_signature
from treadle.engine.state import MISSING


class A(Event):
    pass


class B(Event):
    pass


class C(Event):
    pass


class Counts(BaseModel):
    n: int = 0


Either = TypeAliasType("Either", A | B)


def load() -> list[str]:
    return []


def one_event(ev: A) -> StopEvent: ...
def piped(ev: A | B) -> StopEvent | None: ...
def united(ev: Union[A, Optional[B]]) -> Optional[StopEvent]: ...  # noqa: UP007, UP045 - as people write it
def quoted(ev: "A | B") -> "StopEvent | None": ...
def half_quoted(ev: Union["A", "B"]) -> Optional["StopEvent"]: ...
def noted(ev: Annotated[A, "a note"] | Annotated[B, "another"]) -> Annotated[StopEvent, "the end"]: ...
def aliased(ev: Either) -> StopEvent: ...


@pytest.mark.parametrize(
    ("function", "accepts"),
    [
        (one_event, (A,)),
        (piped, (A, B)),
        (united, (A, B)),
        (quoted, (A, B)),
        (half_quoted, (A, B)),
        (noted, (A, B)),
        (aliased, (A, B)),
    ],
)
def test_events_are_read_however_they_are_written(function, accepts):
    signature = read_signature(function)
    assert signature.events == (("ev", accepts),)
    assert signature.accepts == accepts
    assert signature.emits == (StopEvent,)
    assert not signature.is_join


def test_several_event_parameters_are_a_join_of_one_each():
    async def join(self, first: A | B, ctx: Context, second: C) -> StopEvent: ...

    signature = read_signature(join)
    assert signature.is_join
    assert signature.events == (("first", (A, B)), ("second", (C,)))
    assert signature.accepts == (A, B, C)
    assert signature.context == "ctx"
    assert signature.is_async


def test_returning_nothing_declares_nothing():
    def quiet(ev: A) -> None: ...

    signature = read_signature(quiet)
    assert signature.emits == ()
    assert not signature.is_async


def plain_context(ctx: Context, ev: A) -> None: ...
def optional_context(ev: A, ctx: Context | None = None) -> None: ...
def typed_context(ctx: Context[Counts], ev: A) -> None: ...
def quoted_context(ctx: "Context[Counts]", ev: A) -> None: ...
def any_context(ctx: Context[Any], ev: A) -> None: ...
def dict_context(ctx: Context[dict], ev: A) -> None: ...


@pytest.mark.parametrize(
    ("function", "state"),
    [
        (plain_context, None),
        (optional_context, None),
        (typed_context, Counts),
        (quoted_context, Counts),
        (any_context, None),
        (dict_context, None),
    ],
)
def test_context_is_known_with_the_type_of_its_state(function, state):
    signature = read_signature(function)
    assert signature.context == "ctx"
    assert signature.state_type is state
    assert signature.slots == ()


def test_whatever_else_is_asked_for_is_a_slot_or_a_resource():
    fallback = object()

    def full(
        self,
        ev: A,
        words: Annotated[list[str], Resource(load)],
        inner: Workflow,
        other: Workflow = fallback,
        untyped=None,
        *rest: int,
        **more: int,
    ) -> None: ...

    signature = read_signature(full)
    ((name, resource),) = signature.resources
    assert (name, resource.factory) == ("words", load)
    assert signature.slots == (("inner", MISSING), ("other", fallback), ("untyped", None))


def test_parameters_that_only_a_position_fills_are_left_alone():
    def positional(extra: int = 1, /, *, ev: A) -> None: ...

    signature = read_signature(positional)
    assert signature.slots == ()
    assert signature.order == (), "the event must not slip into `extra`"


def test_static_method_has_no_self():
    class Holder:
        @staticmethod
        async def alone(ev: A) -> None: ...

    signature = read_signature(Holder.__dict__["alone"])
    assert signature.event == "ev"
    assert signature.is_async


def no_event(x: int) -> StopEvent: ...
def no_return(ev: A): ...
def twice_the_same(a: A, b: A | B) -> StopEvent: ...
def thrice(a: A, b: B, c: A) -> StopEvent: ...
def two_contexts(ev: A, a: Context, b: Context) -> StopEvent: ...


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (no_event, "Step signature must have at least one parameter annotated as type Event"),
        (no_return, "Return types of workflows step functions must be annotated with their type."),
        (twice_the_same, "Step signature must contain exactly one parameter of type Event but found 2."),
        (thrice, "Step signature must contain exactly one parameter of type Event but found 3."),
        (two_contexts, "Step signature must contain at most one parameter of type Context but found 2."),
    ],
)
def test_signature_that_is_not_a_steps_is_refused_in_the_known_words(function, message):
    with pytest.raises(WorkflowValidationError) as caught:
        read_signature(function)
    assert str(caught.value) == message


def signature_of(workflow: type[Workflow], name: str) -> Signature:
    return workflow().table.steps[name].spec.signature


class EarlyBird(Workflow):
    @step
    async def begin(self, ev: StartEvent) -> "Worm":
        return Worm()

    @step
    async def end(self, ev: "Worm") -> StopEvent:
        return StopEvent(result="caught")


class Worm(Event):
    """Defined after the workflow that needs it."""


async def test_forward_reference_resolves_when_the_workflow_is_put_together():
    assert await EarlyBird().run() == "caught"


async def test_forward_reference_resolves_within_a_function():
    class Local(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> "Later":
            return Later()

        @step
        async def end(self, ev: "Later") -> "Nested":
            return self.Nested(result="here")

        class Nested(StopEvent):
            pass

    class Later(Event):
        pass

    assert (await Local().run()).result == "here"
    assert signature_of(Local, "begin").emits == (Later,)


def test_names_of_the_function_around_go_before_those_of_the_module():
    def make() -> type[Workflow]:
        class A(Event):
            pass

        class Shadowed(Workflow):
            own = A

            @step
            async def begin(self, ev: StartEvent) -> "A | StopEvent": ...

        return Shadowed

    workflow = make()
    assert signature_of(workflow, "begin").emits == (workflow.own, StopEvent)


def test_name_of_a_caller_means_nothing():
    """A function that only happens to call is not a scope: its local A is another A."""

    def call() -> type[Workflow]:
        A = B  # noqa: N806, F841
        return _declared_elsewhere()

    assert signature_of(call(), "begin").emits == (A, StopEvent)


def _declared_elsewhere() -> type[Workflow]:
    class Elsewhere(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> "A | StopEvent": ...

    return Elsewhere


def test_name_that_nobody_defines_is_told_with_its_step():
    class Lost(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> "Nowhere": ...  # noqa: F821

    with pytest.raises(WorkflowValidationError, match=r"annotations of step begin .* 'Nowhere' is not defined"):
        _ = Lost().table


async def test_parameter_with_a_default_may_name_what_only_a_type_checker_knows():
    class Checked(Workflow):
        @step
        async def begin(self, ev: StartEvent, client: "OnlyForTypeCheckers" = None) -> StopEvent:  # noqa: F821
            return StopEvent(result=client)

    assert signature_of(Checked, "begin").slots == (("client", None),)
    assert await Checked().run() is None


async def test_decorated_function_keeps_its_signature_and_is_called_by_name():
    """A wrapper often looks into its keywords."""
    seen = []

    def traced(function):
        @functools.wraps(function)
        async def wrapper(self, **arguments):
            seen.append(sorted(arguments))
            return await function(self, **arguments)

        return wrapper

    class Traced(Workflow):
        @step
        @traced
        async def begin(self, ctx: Context, ev: StartEvent) -> StopEvent:
            return StopEvent(result="done")

    assert await Traced().run() == "done"
    assert seen == [["ctx", "ev"]]
