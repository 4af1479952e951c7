"""Texts: what the journal of a run last said of each context value, to see what has changed in place since."""

from __future__ import annotations

from typing import Any

from treadle.engine import ticks
from treadle.engine.later import Later
from treadle.engine.lending import PLAIN
from treadle.engine.limits import Limits
from treadle.engine.readers import from_record
from treadle.engine.record import Record
from treadle.engine.records import to_record
from treadle.engine.serializers import EventTypes, to_json
from treadle.engine.state import RunState
from treadle.engine.values.coding import TAG

_OPENING = '{{"key":{},"value":'


class ContextTexts:
    """The texts of the values of one run's context. `types` are the event classes that go by their names."""

    __slots__ = ("_known", "_limits", "_types")

    def __init__(self, types: EventTypes | None, limits: Limits) -> None:
        self._types = types
        self._limits = limits
        self._known: dict[str, tuple[Any, str]] = {}

    def note(self, tick: ticks.ContextChanged, record: Record, *, whole: bool) -> None:
        """The journal says so of a value; `whole` if all of it has an exact form."""
        if whole and type(tick.value) not in PLAIN:
            self._known[tick.key] = (tick.value, record.payload or "")
        else:
            self._known.pop(tick.key, None)

    def remember(self, key: str, value: Any) -> None:
        if not self._knows(key, value):
            losses: list[Any] = []
            record = self._record(key, value, losses)
            self.note(ticks.ContextChanged(0.0, None, key, value), record, whole=not losses)

    def before(self, key: str, value: Any) -> Later | None:
        if not self._knows(key, value):
            return None
        record = Record(0, 0.0, "context_changed", payload=self._known[key][1])
        types = self._types or {}

        def read() -> Any:
            tick = from_record(record, types)
            assert isinstance(tick, ticks.ContextChanged)
            return tick.value

        return Later(read)

    def differs(self, key: str, value: Any) -> bool:
        return self._knows(key, value) and self._record(key, value, []).payload != self._known[key][1]

    def context(self, state: RunState) -> str:
        """The whole context as JSON text, as the journal has it. Raises ValueNotStorable when it has not all of it."""
        if not all(key.isascii() and key != TAG for key in state.context):
            return to_json(state.context, where="Context:", outer=True)
        parts = []
        for key, value in state.context.items():
            name = to_json(key)
            if self._knows(key, value):
                parts.append(f"{name}:{self._known[key][1].removeprefix(_OPENING.format(name))[:-1]}")
            else:
                parts.append(f"{name}:{to_json(value, key, where='Context:')}")
        return f"{{{','.join(parts)}}}"

    def _knows(self, key: str, value: Any) -> bool:
        known = self._known.get(key)
        return known is not None and known[0] is value

    def _record(self, key: str, value: Any, losses: list[Any]) -> Record:
        return to_record(0, ticks.ContextChanged(0.0, None, key, value), self._types, losses, self._limits)
