"""A run that is not going: the state behind a fresh or restored context, until `run(ctx=...)` takes it."""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn

from treadle.engine.state import Delivery, RunState
from treadle.errors import WorkflowRuntimeError


class IdleRun:
    """Keeps values for a context; refuses what needs a run."""

    is_running = False

    def __init__(self, state: RunState, state_type: type | None, run_id: str = "") -> None:
        self.run_id = run_id
        self.state = state
        self.state_type = state_type
        self._edits: asyncio.Lock | None = None

    @property
    def unfinished(self) -> bool:
        """Whether the state is one in the middle of a run."""
        return self.state.seq > 0 and self.state.outcome is None

    def saved(self) -> RunState:
        return self.state

    def context_values(self) -> dict[str, Any]:
        return self.state.context

    def lend(self, key: str, value: Any, delivery: Delivery) -> None:
        """Nothing of it is in a journal."""

    def edit_lock(self) -> asyncio.Lock:
        if self._edits is None:
            self._edits = asyncio.Lock()
        return self._edits

    def change_context(self, key: str, value: Any, *, delivery: Delivery | None) -> None:
        self.state.context[key] = value

    def remove_context(self, key: str, *, delivery: Delivery | None) -> None:
        self.state.context.pop(key, None)

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise WorkflowRuntimeError("This context has no run yet; pass it to run(ctx=...) first.")

    send = stream = collect = wait = once = nest = _refuse
