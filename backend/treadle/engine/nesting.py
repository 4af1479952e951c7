"""Nested runs: what a loop needs to know of a workflow and of a run that one of its steps starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from treadle.engine.events import Event


class Live(Protocol):
    """What a parent needs of its child's handler."""

    run_id: str

    @property
    def status(self) -> str: ...
    @property
    def only_waits(self) -> bool: ...
    def watch(self, look: Callable[[], None]) -> None: ...
    def stop(self) -> None: ...
    def add_done_callback(self, callback: Callable[[Any], object]) -> None: ...


class Nestable(Protocol):
    """A workflow, as far as starting it inside another's run goes."""

    workflow_name: str

    def launch(
        self, event: Event, *, ctx: Any = None, stepwise: bool = False, run_id: str | None = None
    ) -> Any: ...


class ChildRun:
    """A nested run this loop started; `attempt` is the last one of the step that called for it."""

    __slots__ = ("attempt", "event", "handler", "workflow")

    def __init__(self, workflow: Nestable, event: Event, handler: Live, attempt: int) -> None:
        self.workflow = workflow
        self.event = event
        self.handler = handler
        self.attempt = attempt

    @property
    def status(self) -> str:
        """Its state, in the words of the glossary."""
        return self.handler.status

    @property
    def good(self) -> bool:
        """Whether it goes on or has completed; one that has not is started anew by the next attempt."""
        return self.status in ("running", "held", "waiting", "completed")

    def is_for(self, workflow: Nestable, event: Event) -> bool:
        """Whether it is what a step gets that starts `workflow` with `event` again."""
        return self.good and type(self.workflow) is type(workflow) and event == self.event

    def stop(self) -> None:
        """Cancel it, unless it is over."""
        if self.status in ("running", "held", "waiting"):
            self.handler.stop()


Launch = Callable[[Any, Event, tuple[int, str, int]], Any]
"""How the owner of durable runs starts a nested one: (workflow, start event, (seq, step, call)) to a handler."""
