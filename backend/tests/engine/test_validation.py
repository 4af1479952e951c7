"""Whether steps fit together: what is refused, in which order, and what is only told."""

from __future__ import annotations

import pytest

from treadle import (
    Context,
    Event,
    HumanResponseEvent,
    InputRequiredEvent,
    StartEvent,
    StopEvent,
    Workflow,
    WorkflowValidationError,
    step,
)
from treadle.engine.events import StepFailedEvent
from treadle.engine.steps import catch_error, specs_of
from treadle.engine.table import StepTable, compile_table
from treadle.engine.validation import Finding, findings, start_class, validate, warnings_of


class A(Event):
    pass


class B(Event):
    pass


class C(Event):
    pass


class Begin(StartEvent):
    pass


class Report(StopEvent):
    pass


class Question(InputRequiredEvent):
    pass


class Answer(HumanResponseEvent):
    pass


def table_of(workflow: type[Workflow], **slots: object) -> StepTable:
    return compile_table(specs_of(workflow).values(), object(), slots=slots)


def refused(workflow: type[Workflow]) -> str:
    """What validation says of a workflow it refuses."""
    with pytest.raises(WorkflowValidationError) as caught:
        validate(table_of(workflow))
    return str(caught.value)


class Sound(Workflow):
    @step
    async def begin(self, ev: Begin) -> A | B | Begin: ...

    @step
    async def join(self, a: A, b: B) -> C | None: ...

    @step
    async def log(self, ev: C) -> None: ...

    @step
    async def finish(self, ev: C) -> Report: ...


def test_sound_workflow_passes_without_a_word():
    assert validate(table_of(Sound), strict=True) is False
    assert start_class(table_of(Sound)) is Begin
    assert findings(table_of(Sound)) == []


def test_workflow_without_a_start_or_a_stop_is_refused():
    class NoStart(Workflow):
        @step
        async def one(self, ev: A) -> StopEvent: ...

    class NoStop(Workflow):
        @step
        async def one(self, ev: StartEvent) -> None: ...

    class TwoStarts(Workflow):
        @step
        async def one(self, ev: StartEvent) -> StopEvent: ...

        @step
        async def two(self, ev: Begin) -> StopEvent: ...

    assert refused(Workflow) == "At least one step must accept StartEvent or a subclass of it."
    assert refused(NoStart) == "At least one step must accept StartEvent or a subclass of it."
    assert refused(NoStop) == "At least one step must return StopEvent or a subclass of it."
    assert refused(TwoStarts) == "Only one start event class is allowed per workflow, but found Begin, StartEvent."


class Wrong(Workflow):
    """Everything at once; each fix lets the next message come."""

    @step
    async def begin(self, ev: StartEvent, inner: Workflow, outer: Workflow) -> StopEvent | C: ...

    @step
    async def join(self, b: B, a: A, inner: Workflow) -> StopEvent: ...


class ProducesAll(Wrong):
    @step
    async def begin(self, ev: StartEvent, inner: Workflow, outer: Workflow) -> StopEvent | C | A | B: ...


class ConsumesAll(ProducesAll):
    @step
    async def log(self, ev: C) -> None: ...


def test_messages_come_in_their_order_and_name_everything():
    assert refused(Wrong) == "The following events are consumed but never produced: A, B"
    assert refused(ProducesAll) == "The following events are produced but never consumed: C"
    assert refused(ConsumesAll) == "The following services are not available: inner, outer"
    assert validate(table_of(ConsumesAll, inner=Sound(), outer=Sound())) is False


def test_people_may_be_asked_and_answer_without_a_step():
    class Asking(Workflow):
        @step
        async def ask(self, ev: StartEvent) -> Question | StopEvent: ...

    class Listening(Workflow):
        @step
        async def listen(self, ev: Answer | StartEvent) -> StopEvent: ...

    class Both(Workflow):
        @step
        async def ask(self, ev: StartEvent) -> Question: ...

        @step
        async def note(self, ev: Question) -> None: ...

        @step
        async def finish(self, ev: Answer) -> StopEvent: ...

    for workflow in (Asking, Listening, Both):
        assert validate(table_of(workflow), strict=True) is True


class Failing(Workflow):
    @step
    async def one(self, ev: StartEvent) -> A: ...

    @step
    async def two(self, ev: A) -> StopEvent: ...


def test_failures_are_produced_by_the_engine_when_somebody_catches():
    class Caught(Failing):
        @catch_error
        async def save(self, ev: StepFailedEvent) -> StopEvent: ...

    class Watched(Failing):
        @step
        async def watch(self, ev: StepFailedEvent) -> StopEvent: ...

    assert validate(table_of(Caught), strict=True) is False
    assert refused(Watched) == "The following events are consumed but never produced: StepFailedEvent"


class CatchesNobody(Failing):
    @catch_error(for_steps=["too"])
    async def save(self, ev: StepFailedEvent) -> StopEvent: ...


class CatchesItself(Failing):
    @catch_error(for_steps=["one", "save"])
    async def save(self, ev: StepFailedEvent) -> StopEvent: ...


class CatchesACatcher(Failing):
    @catch_error(for_steps=["one"])
    async def save(self, ev: StepFailedEvent) -> StopEvent: ...

    @catch_error(for_steps=["two", "save"])
    async def again(self, ev: StepFailedEvent) -> StopEvent: ...


class CaughtTwice(Failing):
    @catch_error(for_steps=["one", "two", "two"])
    async def save(self, ev: StepFailedEvent) -> StopEvent: ...

    @catch_error(for_steps=["two"])
    async def again(self, ev: StepFailedEvent) -> StopEvent: ...


class CaughtByAll(Failing):
    @catch_error
    async def save(self, ev: StepFailedEvent) -> StopEvent: ...

    @catch_error()
    async def again(self, ev: StepFailedEvent) -> StopEvent: ...


@pytest.mark.parametrize(
    ("workflow", "message"),
    [
        (CatchesNobody, "@catch_error step save is for a step too, which does not exist; there are one, two."),
        (CatchesItself, "@catch_error step save cannot be for itself; take save out of its for_steps."),
        (
            CatchesACatcher,
            "@catch_error step again cannot be for save, which catches errors too; take save out of its for_steps.",
        ),
        (CaughtTwice, "Step two has two @catch_error steps, save and again; leave it in the for_steps of one."),
        (
            CaughtByAll,
            (
                "Only one @catch_error step may be for all other steps, but found save, again; "
                "name steps in for_steps of the others."
            ),
        ),
    ],
)
def test_every_step_has_one_catcher_at_most_and_it_is_no_catcher(workflow, message):
    assert refused(workflow) == message
    assert table_of(workflow), "a picture can still be drawn"


def test_workflow_has_one_state():
    class Few:
        pass

    class Many(Few):
        pass

    class Other:
        pass

    class Mixed(Workflow):
        @step
        async def one(self, ctx: Context[Many], ev: StartEvent) -> A: ...

        @step
        async def two(self, ctx: Context[Few], ev: A) -> B | StopEvent: ...

        @step
        async def three(self, ctx: Context[Other], ev: B) -> StopEvent: ...

    class Derived(Mixed):
        @step
        async def three(self, ctx: Context[Many], ev: B) -> StopEvent: ...

    assert refused(Mixed) == (
        "A workflow has one state, but its steps ask for Many (step one), Few (step two), Other (step three): "
        "annotate every Context with the same type, or with base classes of one."
    )
    assert validate(table_of(Derived)) is False


class Adrift(Workflow):
    """A circle nothing leads into, and a start that leads into another circle."""

    @step
    async def begin(self, ev: StartEvent) -> A: ...

    @step
    async def turn(self, ev: A) -> A: ...

    @step
    async def drift(self, ev: B) -> B | C: ...

    @step
    async def land(self, ev: C) -> StopEvent: ...


ADRIFT = [
    Finding(
        "dead_end",
        "begin",
        "Step begin is a dead end: no path leads from A to a StopEvent; let a step on the way return one.",
    ),
    Finding(
        "dead_end",
        "turn",
        "Step turn is a dead end: no path leads from A to a StopEvent; let a step on the way return one.",
    ),
    Finding(
        "unreachable",
        "drift",
        "Step drift can never start: no step that can returns B; let one return it, or remove this one.",
    ),
    Finding(
        "unreachable",
        "land",
        "Step land can never start: no step that can returns C; let one return it, or remove this one.",
    ),
    Finding(
        "no_stop",
        None,
        "No path leads from the start to a StopEvent, so a run never completes: lead to land, which would return one.",
    ),
]


def test_what_is_probably_not_meant_is_told():
    assert findings(table_of(Adrift)) == ADRIFT
    assert warnings_of(table_of(Adrift)) == [finding.text for finding in ADRIFT]


def test_strict_validation_refuses_what_is_only_told_otherwise():
    assert validate(table_of(Adrift)) is False
    with pytest.raises(WorkflowValidationError) as caught:
        validate(table_of(Adrift), strict=True)
    assert str(caught.value).splitlines()[1:] == [finding.text for finding in ADRIFT]
    with pytest.raises(WorkflowValidationError, match="Step turn is a dead end"):
        Adrift().validate(strict=True)


def told(workflow: type[Workflow], **slots: object) -> dict[str | None, str]:
    """What is told of a workflow that passes, by step."""
    table = table_of(workflow, **slots)
    validate(table)
    return {finding.step: finding.text for finding in findings(table)}


def test_join_that_one_of_its_events_never_reaches():
    class Half(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> A | StopEvent: ...

        @step
        async def join(self, a: A, b: B | C) -> B | C | StopEvent: ...

    assert told(Half) == {
        "join": "Step join can never start: no step that can returns B or C; let one return it, or remove this one."
    }


def test_step_that_accepts_the_end():
    class Late(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> Report: ...

        @step
        async def after(self, ev: Report) -> StopEvent: ...

    assert told(Late) == {
        "after": "Step after can never start: Report ends the run before a step can take it; "
        "let it accept another event."
    }


def test_catcher_of_nothing_and_of_what_never_starts():
    class Idle(Failing):
        @step
        async def never(self, ev: B) -> B | StopEvent: ...

        @catch_error(for_steps=["never"])
        async def save(self, ev: StepFailedEvent) -> StopEvent: ...

    assert told(Idle)["save"] == (
        "Step save can never start: it catches the errors of no step that can; correct its for_steps, or remove it."
    )


def test_catcher_leads_on_from_a_failure_only():
    """What a catcher returns is reachable, yet a circle is not saved from being one by failing."""

    class Saved(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> A: ...

        @step
        async def turn(self, ev: A) -> A: ...

        @catch_error
        async def save(self, ev: StepFailedEvent) -> B: ...

        @step
        async def finish(self, ev: B) -> StopEvent: ...

    assert list(told(Saved)) == ["begin", "turn"]


def test_answers_come_from_outside_at_any_time():
    class Told(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> None: ...

        @step
        async def listen(self, ev: Answer) -> StopEvent: ...

    assert told(Told) == {}


def test_question_leads_to_its_answer():
    class Asking(Workflow):
        @step
        async def ask(self, ev: StartEvent | A) -> Question: ...

        @step
        async def answer(self, ev: Answer) -> A | StopEvent: ...

    class Unheard(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> A | StopEvent: ...

        @step
        async def ask(self, ev: A) -> Question: ...

    assert told(Asking) == {}
    assert told(Unheard) == {
        "ask": "Step ask is a dead end: no step takes the answer to Question; let one accept HumanResponseEvent."
    }


def test_step_that_declares_nothing_may_send_anything():
    class Sending(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> A | B: ...

        @step
        async def branch(self, ev: A) -> C: ...

        @step
        async def sink(self, ev: C) -> None: ...

        @step
        async def finish(self, ev: B) -> StopEvent: ...

    assert told(Sending) == {}


def test_workflow_given_to_no_slot_is_told():
    class Nesting(Workflow):
        @step
        async def begin(self, ev: StartEvent, reflection: Workflow | None = None) -> StopEvent: ...

    assert told(Nesting, reflection=Sound()) == {}
    assert told(Nesting, reflexion=Sound()) == {
        None: "No step takes the workflow reflexion of add_workflows: give one a parameter reflexion, "
        "or correct the name."
    }


def test_workflow_that_cannot_run_can_still_be_told_about():
    class Stub(Workflow):
        @step
        async def one(self, ev: A) -> B: ...

    assert [finding.kind for finding in findings(table_of(Stub))] == ["unreachable", "no_stop"]
    assert findings(table_of(Workflow))[0].text == (
        "No path leads from the start to a StopEvent, so a run never completes: let a step return one."
    )


async def test_nothing_starts_before_everything_is_checked():
    started = []

    class Unready(Workflow):
        @step
        async def begin(self, ev: StartEvent, inner: Workflow) -> StopEvent:
            started.append(inner)
            return StopEvent()

    flow = Unready()
    with pytest.raises(WorkflowValidationError, match="The following services are not available: inner"):
        flow.run()
    assert started == []
    flow.add_workflows(inner=Sound())
    await flow.run()
    assert len(started) == 1
