"""Differences: where what is stored and what its journal comes to part, in words; and what of both is compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from treadle.store.unloaded import plain


def first_difference(stored: Any, told: Any, path: str) -> str | None:
    """Where two pieces of JSON data differ first, in words; None where they do not."""
    if isinstance(stored, dict) and isinstance(told, dict):
        keys: Iterable[str] = dict.fromkeys([*stored, *told])
        pairs = [(f"{path}.{key}", stored.get(key, _NOTHING), told.get(key, _NOTHING)) for key in keys]
    elif isinstance(stored, list) and isinstance(told, list) and len(stored) == len(told):
        pairs = [(f"{path}[{n}]", a, b) for n, (a, b) in enumerate(zip(stored, told, strict=True))]
    elif type(stored) is type(told) and stored == told:
        return None
    else:
        return f"{path} is {_short(stored)} as stored and {_short(told)} by its journal"
    return next((found for name, a, b in pairs if (found := first_difference(a, b, name))), None)


class _Nothing:
    def __repr__(self) -> str:
        return "not there"


_NOTHING: Any = _Nothing()


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def at_rest(counts: dict[str, Any] | None) -> dict[str, Any]:
    """The counts of a run without what only a run that goes on has: steps at work, and open prompts."""
    steps = {name: {**told, "running": 0, "waiting": 0} for name, told in (counts or {}).get("steps", {}).items()}
    return {**(counts or {}), "steps": steps, "prompts": 0}


def essence(saved: Mapping[str, Any]) -> dict[str, Any]:
    """A saved state without the events, which name classes that only their file has; with where each of them is."""

    def known(delivery: Mapping[str, Any]) -> list[Any]:
        return [delivery.get(name) for name in ("seq", "step", "attempt", "failures", "deaths", "paused")]

    return {
        **{name: plain(saved[name]) for name in _COMPARED},
        "running": [known(delivery) for delivery in saved["running"]],
        "queued": {step: [known(delivery) for delivery in queue] for step, queue in saved["queued"].items() if queue},
        "waiting_leave": [known(delivery) for delivery in saved["waiting_leave"]],
        "delayed": [[known(delivery), due] for delivery, due in saved["delayed"]],
        "waits": [[known(delivery), expected, due] for delivery, expected, _, due, *_ in saved["waits"]],
        "joining": {step: [[seq for seq, _ in queue] for queue in queues] for step, queues in saved["joining"].items()},
        "buffers": {step: [seq for seq, _ in events] for step, (events, *_) in saved["buffers"].items()},
        "handed": [[seq, step] for seq, step, _ in saved["handed"]],
        "prompts": [number for number, _ in saved["prompts"]],
    }


_COMPARED = (
    "seq", "held", "steps", "context", "writers", "children", "untaken", "events", "emitted", "taken", "times", "size"
)  # fmt: skip
