"""Routing as data: what a fold needs to know of a workflow, so that a journal can be checked where its code is not.

Events are told by name and by the part they play; classes of the same name and part are made where they are needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from treadle.engine.events import (
    BASE_TYPES,
    Event,
    HumanResponseEvent,
    InputRequiredEvent,
    StartEvent,
    StepFailedEvent,
    StopEvent,
)
from treadle.engine.state import Routes

_PARTS: Mapping[str, type[Event]] = {
    "start": StartEvent,
    "stop": StopEvent,
    "input": InputRequiredEvent,
    "response": HumanResponseEvent,
    "plain": Event,
}


@dataclass(frozen=True, slots=True)
class Routing:
    """Where events go and what they are called; `source` says where that is known from.

    `doubts` are what the source does not tell: where a fold differs from what is stored, they may be why.
    """

    source: str
    routes: Routes
    types: Mapping[str, type[Event]]
    doubts: tuple[str, ...] = ()
    versions: Mapping[str, Routes] = field(default_factory=dict)
    """The routes of all known versions of the workflow, by fingerprint: a run may go on with another one."""

    def with_events(self, parts: Mapping[str, str]) -> Routing:
        """The same, knowing also the events `parts` (name to part) that no step declares."""
        more = {name: made(name, part) for name, part in parts.items() if name not in self.types}
        return replace(self, types={**self.types, **more}) if more else self


def describe(routes: Routes, types: Mapping[str, type[Event]]) -> dict[str, Any]:
    """The routes of a loaded workflow as JSON data; `types` are the event classes its runs may mention."""
    return {
        "events": {name: _part_of(kind) for name, kind in types.items() if name not in BASE_TYPES},
        "takers": {kind.__name__: list(steps) for kind, steps in routes.takers.items()},
        "workers": dict(routes.workers),
        "joins": {
            step: [[kind.__name__ for kind in accepted] for accepted in parameters]
            for step, parameters in routes.joins.items()
        },
        "catchers": dict(routes.catchers),
        "recoveries": dict(routes.recoveries),
        "at_most_once": sorted(routes.at_most_once),
    }


def described(data: Mapping[str, Any], source: str, loaded: Mapping[str, type[Event]] | None = None) -> Routing:
    """The routing that `describe` was given; of `loaded` event classes by name those, others are made."""
    types = {**_types(data["events"]), **(loaded or {})}
    types.update({name: made(name, "plain") for name in data["takers"] if name not in types})
    return Routing(
        source,
        Routes(
            takers={types[name]: tuple(steps) for name, steps in data["takers"].items()},
            workers=dict(data["workers"]),
            joins={
                step: tuple(tuple(types[name] for name in accepted) for accepted in parameters)
                for step, parameters in data["joins"].items()
            },
            catchers=dict(data["catchers"]),
            recoveries=dict(data["recoveries"]),
            at_most_once=frozenset(data["at_most_once"]),
        ),
        types,
    )


def drawn(graph: Mapping[str, Any], source: str) -> Routing:
    """The routing as far as the recorded graph of a version tells it.

    Not drawn: whether a step that takes several events takes them together, which step catches whose failures if
    several do, how often, and what may be done at most once.
    """
    nodes = {str(node["id"]): node for node in graph.get("nodes", ()) if not node.get("inside")}
    steps = [node["name"] for node in nodes.values() if node["kind"] == "step"]
    types = _types({node["name"]: node["role"] for node in nodes.values() if node["kind"] == "event"})
    accepts: dict[str, list[str]] = {step: [] for step in steps}
    emits: dict[str, list[str]] = {step: [] for step in steps}
    for edge in graph.get("edges", ()):
        if not {edge["source"], edge["target"]} <= nodes.keys():
            continue  # of a workflow inside this one
        source_node, target = nodes[edge["source"]], nodes[edge["target"]]
        if target["kind"] == "step":
            accepts[target["name"]].append(source_node["name"])
        elif source_node["kind"] == "step" and target["kind"] == "event":
            emits[source_node["name"]].append(target["name"])
    failure = StepFailedEvent.__name__
    caught = [step for step in steps if failure in emits[step]]
    catching = [step for step in steps if failure in accepts[step]]
    return Routing(
        source,
        Routes(
            takers=_takers(accepts, types),
            workers={node["name"]: node.get("num_workers") or 1 for node in nodes.values() if node["kind"] == "step"},
            catchers={step: catching[0] for step in caught if catching},
        ),
        types,
        tuple(_doubts(accepts, catching)),
    )


def joined(routing: Routing) -> Routing:
    """The same with every step that takes several events taking one of each together."""
    taken: dict[str, list[type[Event]]] = {}
    for kind, steps in routing.routes.takers.items():
        for step in steps:
            taken.setdefault(step, []).append(kind)
    routes = routing.routes
    joins = {step: tuple((kind,) for kind in kinds) for step, kinds in taken.items() if len(kinds) > 1}
    together = Routes(routes.takers, routes.workers, joins, routes.catchers, routes.recoveries, routes.at_most_once)
    return Routing(routing.source, together, routing.types, routing.doubts)


@cache
def made(name: str, part: str) -> type[Event]:
    """An event class of this name that plays this part; it takes any fields."""
    known = BASE_TYPES.get(name)
    if known is not None:
        return known
    return type(name.rpartition(":")[2].rpartition(".")[2], (_PARTS.get(part, Event),), {"__module__": __name__})


def _types(parts: Mapping[str, str]) -> dict[str, type[Event]]:
    return {**BASE_TYPES, **{name: made(name, part) for name, part in parts.items()}}


def _takers(
    accepts: Mapping[str, Sequence[str]], types: Mapping[str, type[Event]]
) -> dict[type[Event], tuple[str, ...]]:
    takers: dict[type[Event], tuple[str, ...]] = {}
    for step, names in accepts.items():
        for name in names:
            takers[types[name]] = (*takers.get(types[name], ()), step)
    return takers


def _doubts(accepts: Mapping[str, Sequence[str]], catching: Sequence[str]) -> Iterable[str]:
    for step, names in accepts.items():
        if len(names) > 1:
            yield f"whether step {step} takes {', '.join(names)} one by one or together"
    if catching:
        yield f"how often {' and '.join(catching)} may be called for failures{' of which steps' * (len(catching) > 1)}"


def _part_of(kind: type[Event]) -> str:
    return next((part for part, base in _PARTS.items() if part != "plain" and issubclass(kind, base)), "plain")
