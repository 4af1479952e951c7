"""The waits of a run, found by what they wait for: an event costs the same however many steps wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from treadle.engine.events import Event
from treadle.engine.ticks import Key

_ABSENT: Any = object()
_LOOSE: Any = object()
"""Stands for values that cannot be looked up, because they have no hash."""


class Expecting(Protocol):
    """What there is to know of a wait: the class name and the fields of its event, and whether a person sends it."""

    expected: str
    requirements: dict[str, Any]
    human: bool


W = TypeVar("W", bound=Expecting)

Found = dict[Key, int]
"""Deliveries, and which wait of the run theirs is."""


class Waits(dict[Key, W]):
    """The waits by delivery, in the order they began. Put in and taken out one by one.

    `others` counts those that are not for people. Those whose required fields have the same names are kept together,
    by their values.
    """

    __slots__ = ("_begun", "_shapes", "others")

    def __init__(self) -> None:
        super().__init__()
        self.others = 0
        self._begun = 0
        self._shapes: dict[str, dict[tuple[str, ...], dict[Any, Found]]] = {}

    def __setitem__(self, key: Key, wait: W) -> None:
        super().__setitem__(key, wait)
        self._begun += 1
        names, values = _shape(wait.requirements)
        self._shapes.setdefault(wait.expected, {}).setdefault(names, {}).setdefault(values, {})[key] = self._begun
        self.others += not wait.human

    def take(self, key: Key) -> W | None:
        """Take out the wait of a delivery, if it has one."""
        wait = super().pop(key, None)
        if wait is not None:
            names, values = _shape(wait.requirements)
            shapes = self._shapes[wait.expected]
            del shapes[names][values][key]
            if not shapes[names][values]:
                del shapes[names][values]
            if not shapes[names]:
                del shapes[names]
            self.others -= not wait.human
        return wait

    def takers(self, event: Event) -> list[Key]:
        """The deliveries that wait for `event`, in the order they began to."""
        found: Found = {}
        for names, groups in self._shapes.get(type(event).__name__, {}).items():
            values = _values(event, names)
            unsure = list(groups.values()) if values is _LOOSE else [groups.get(_LOOSE, {})]
            if values is not _LOOSE:
                found.update(groups.get(values, {}))
            for group in unsure:
                found.update((key, begun) for key, begun in group.items() if fits(event, self[key].requirements))
        return sorted(found, key=found.__getitem__)


def _shape(requirements: Mapping[str, Any]) -> tuple[tuple[str, ...], Any]:
    names = tuple(sorted(requirements))
    return names, _values(requirements, names)


def _values(fields: Event | Mapping[str, Any], names: tuple[str, ...]) -> Any:
    values = tuple(fields.get(name, _ABSENT) for name in names)
    try:
        hash(values)
    except TypeError:
        return _LOOSE
    return values


def fits(event: Event, requirements: Mapping[str, Any]) -> bool:
    """Whether the fields of `event` are as required."""
    return all(event.get(name, _ABSENT) == value for name, value in requirements.items())
