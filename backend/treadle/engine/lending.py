"""Lending: what steps were given of the context and may change in place; told to the journal before they go further.

After `log = await ctx.get("log"); log.append(line)` every later step sees the line, so after a restart it has to be
there, too. When a step ends, waits, sends or keeps a result, what it changed in place happens first, as if it were set.
"""

from __future__ import annotations

from typing import Any, Protocol

from treadle.engine import ticks
from treadle.engine.later import Later, read_now
from treadle.engine.state import MISSING, Delivery, RunState
from treadle.engine.ticks import Key
from treadle.errors import LimitExceeded

PLAIN = frozenset({str, int, float, bool, bytes, type(None)})
"""What nobody can change in place."""
_TELLING = frozenset({
    ticks.StepFinished, ticks.StepFailed, ticks.EventSent, ticks.WaitStarted, ticks.ResultKept, ticks.ChildStarted,
})  # fmt: skip


class Texts(Protocol):
    """A journal's memory of what it last said of each value."""

    def remember(self, key: str, value: Any) -> None:
        """Know the text of `value` as it is now, unless it is known."""
        ...

    def before(self, key: str, value: Any) -> Later | None:
        """What `value` was when its text was made; None if that is not known."""
        ...

    def differs(self, key: str, value: Any) -> bool:
        """Whether `value` is no longer what its text says. Raises LimitExceeded when it has become too large."""
        ...


class Borrowed(Protocol):
    """The loop, as far as what it lends is concerned."""

    state: RunState

    def now(self) -> float: ...
    def submit(self, tick: ticks.Tick) -> None: ...


class Lending:
    """What the steps of one run have in their hands; `out` by delivery."""

    __slots__ = ("_texts", "out")

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self.out: dict[Key, set[str]] = {}

    def lend(self, key: str, value: Any, delivery: Delivery) -> None:
        """A step is given `value`."""
        if type(value) not in PLAIN:
            self._texts.remember(key, value)
            self.out.setdefault(delivery.key, set()).add(key)

    def settle(self, run: Borrowed, tick: ticks.Tick) -> None:
        """Before `tick` happens: let what its step has changed in place happen.

        Raises LimitExceeded when a value has become too large; a step that fails with one leaves it as it was.
        """
        if type(tick) not in _TELLING or (delivery := _maker(tick)) is None:
            return
        for key in sorted(self.out.get(delivery, ())):
            value = run.state.context.get(key, MISSING)
            try:
                if self._texts.differs(key, value):
                    run.submit(ticks.ContextChanged(run.now(), delivery, key, value))
            except LimitExceeded:
                if not isinstance(tick, ticks.StepFailed):
                    raise
                self.put_back(run.state, key)
                run.state.context[key] = read_now(run.state.context[key])
        if isinstance(tick, ticks.StepFinished | ticks.StepFailed):
            self.out.pop(delivery, None)

    def put_back(self, state: RunState, key: str) -> None:
        """Before `key` is set: what may be undone later is what the journal says, not what became of it since."""
        before = self._texts.before(key, state.context.get(key, MISSING))
        if before is not None:
            state.context[key] = before


def _maker(tick: Any) -> Key | None:
    maker: Key | None = tick.source if isinstance(tick, ticks.EventSent) else tick.delivery
    return maker
