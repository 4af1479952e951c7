"""The reducer as a film script: what happens (`>>`), what has to be done then (`<<`), what is true after it (`--`).

The scenes are in scripts/, a file for each room of the rules; other lines tell the story. The cast is below.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import pytest

from treadle import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StepFailedEvent
from treadle.engine import commands, ticks
from treadle.engine.commands import ClosePrompt, EndRun, OpenPrompt, Publish, RunStep, WaitForRetry, WatchWait
from treadle.engine.events import BASE_TYPES
from treadle.engine.reducer import _RULES, apply
from treadle.engine.rules.changing import overwritten
from treadle.engine.rules.collecting import join_progress
from treadle.engine.state import Routes, RunState
from treadle.engine.ticks import ErrorFacts, Key, Tick


class Work(Event):
    n: int = 0


class Both(Event):
    pass


class Left(Event):
    n: int = 0


class Right(Event):
    n: int = 0


class Other(Event):
    n: int = 0


class Part(Event):
    n: int = 0


class Crumb(Event):
    n: int = 0


class Query(Event):
    n: int = 0


class Ask(InputRequiredEvent):
    pass


class Answer(HumanResponseEvent):
    to: str = ""


class Ping(Event):
    to: str = ""


class Risk(Event):
    pass


class Charge(Event):
    pass


class Lost(Event):
    pass


CAST = {kind.__name__: kind for kind in (Work, Both, Left, Right, Other, Part, Crumb, Query, Ask, Answer, Ping, Risk,
                                         Charge, Lost)}  # fmt: skip
TYPES = {**BASE_TYPES, **CAST}
ROUTES = Routes(
    takers={
        StartEvent: ("begin",), Work: ("work",), Both: ("one", "two"), Left: ("marry",), Right: ("marry",),
        Other: ("marry",), Part: ("gather",), Crumb: ("gather",), Query: ("ask",), Answer: ("read",), Ping: ("pong",),
        Risk: ("risk",), StepFailedEvent: ("mend",), Charge: ("charge",),
    },
    workers={"begin": 4, "work": 2, "one": 1, "two": 1, "marry": 2, "gather": 4, "ask": 1, "read": 1, "pong": 1,
             "risk": 1, "mend": 4, "charge": 1},
    joins={"marry": ((Left,), (Right, Other))},
    catchers={"risk": "mend"},
    at_most_once=frozenset({"charge"}),
)  # fmt: skip


@dataclass
class Scene:
    """A story: its lines, each with the number it has in its file."""

    title: str
    file: str
    lines: list[tuple[int, str]] = field(default_factory=list)


def scenes() -> Iterator[Scene]:
    """All scenes of all scripts."""
    for path in sorted((Path(__file__).parent / "scripts").glob("*.txt")):
        scene: Scene | None = None
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if line.startswith("# "):
                if scene is not None:
                    yield scene
                scene = Scene(line[2:], path.stem)
            elif scene is not None and line.strip():
                scene.lines.append((number, line))
        assert scene is not None
        yield scene


SCENES = list(scenes())


def event(text: str) -> Event:
    """`Work(n=1)`, `Work` for short."""
    return eval(text if "(" in text else f"{text}()", dict(TYPES))


def key(text: str) -> Key:
    """`2.work`: the delivery of entry 2 to step work."""
    seq, _, step = text.partition(".")
    return int(seq), step


KEY, EVENT = r"(\d+\.\w+)", r"(\w+(?:\(.*?\))?)"
MADE: dict[str, Any] = {
    r"start(?: (held))?": lambda s, held: ticks.RunStarted(s.at, StartEvent(), {"given": 1}, held is not None),
    rf"{KEY} sends {EVENT}(?: to (\w+))?": lambda s, k, e, to: ticks.EventSent(
        s.at, event(e), to, key(k), s.sent(key(k))
    ),
    rf"somebody sends {EVENT}(?: to (\w+))?": lambda s, e, to: ticks.EventSent(s.at, event(e), to),
    rf"prompt (\d+) is answered {EVENT}": lambda s, n, e: ticks.EventSent(s.at, event(e), prompt=int(n)),
    rf"{KEY} streams {EVENT}": lambda s, k, e: ticks.EventStreamed(s.at, event(e), key(k)),
    rf"{KEY} returns nothing": lambda s, k: ticks.StepFinished(s.at, key(k), None),
    rf"{KEY} returns {EVENT}": lambda s, k, e: ticks.StepFinished(s.at, key(k), event(e)),
    rf"{KEY} hands over {EVENT}": lambda s, k, e: ticks.StepFinished(s.at, key(k), event(e), handed=True),
    rf"{KEY} raises (\w+): (.*?)(?:, again at (\d+))?": lambda s, k, kind, text, due: ticks.StepFailed(
        s.at, key(k), ErrorFacts(kind, text), float(due) if due else None, getattr(__import__("builtins"), kind)(text)
    ),
    rf"{KEY} may try again": lambda s, k: ticks.StepRetried(s.at, key(k)),
    rf"{KEY} collects the same": lambda s, k: ticks.EventsCollected(s.at, key(k), None),
    rf"{KEY} collects ((?:\w+ x \d+(?:, )?)+)": lambda s, k, runs: ticks.EventsCollected(
        s.at, key(k), [(name, int(count)) for name, count in re.findall(r"(\w+) x (\d+)", runs)]
    ),
    rf"{KEY} waits for (\w+)(?:\((.*?)\))?(?: until (\d+))?(?:, asking {EVENT})?": lambda s, k, name, where, due, e: (
        ticks.WaitStarted(
            s.at, key(k), name, eval(f"dict({where or ''})"), float(due) if due else None, event(e) if e else None,
            human=issubclass(TYPES[name], HumanResponseEvent) or e is not None,
        )
    ),
    rf"{KEY} has waited long enough": lambda s, k: ticks.WaitTimedOut(s.at, key(k)),
    rf"{KEY} keeps (\w+) = (.*)": lambda s, k, name, value: ticks.ResultKept(s.at, key(k), name, eval(value)),
    rf"{KEY} starts its run (\d+) of (\w+)": lambda s, k, call, name: ticks.ChildStarted(
        s.at, key(k), int(call), name, f"r{call}"
    ),
    rf"run (\d+) of {KEY} is (\w+)": lambda s, call, k, status: ticks.ChildChanged(s.at, key(k), int(call), status),
    rf"run (\d+) of {KEY} ends (\w+)": lambda s, call, k, status: ticks.ChildEnded(s.at, key(k), int(call), status),
    rf"(?:{KEY}|somebody) sets (\w+) = (.*)": lambda s, k, name, value: ticks.ContextChanged(
        s.at, key(k) if k else None, name, eval(value)
    ),
    rf"(?:{KEY}|somebody) removes (\w+)": lambda s, k, name: ticks.ContextRemoved(s.at, key(k) if k else None, name),
    r"hold": lambda s: ticks.RunHeld(s.at),
    rf"allow(?: {KEY})?": lambda s, k: ticks.StepAllowed(s.at, key(k) if k else None),
    r"release": lambda s: ticks.RunReleased(s.at),
    r"resume(?: (after a crash)(, out of memory)?)?": lambda s, crash, short: ticks.RunResumed(
        s.at, "w", f"it ended{short or ''}", crash is not None
    ),
    r"reopen to (retry|resume)": lambda s, decision: ticks.RunReopened(s.at, decision),
    rf"{KEY} may be done again": lambda s, k: ticks.RunReopened(s.at, "again", key(k)),
    rf"{KEY} counts as done(?: with {EVENT})?": lambda s, k, e: ticks.RunReopened(
        s.at, "done", key(k), event(e) if e else None
    ),
    r"give up: (\w+): (.*)": lambda s, kind, text: ticks.RunGivenUp(s.at, ErrorFacts(kind, text)),
    rf"{KEY} outgrows its limits: (.*)": lambda s, k, text: ticks.RunFailed(
        s.at, ErrorFacts("WorkflowRuntimeError", text), key(k)[1]
    ),
    r"cancel": lambda s: ticks.RunCancelled(s.at),
    r"time is up after (\d+)": lambda s, seconds: ticks.RunTimedOut(s.at, float(seconds)),
}  # fmt: skip


class Clapper:
    """What a scene needs to know while its lines are read: the time, and how often a delivery has sent."""

    def __init__(self) -> None:
        self.at = 0.0
        self._sent: dict[Key, int] = {}

    def sent(self, source: Key) -> int:
        """Which event of `source` this is."""
        self._sent[source] = self._sent.get(source, -1) + 1
        return self._sent[source]

    def tick(self, line: str) -> Tick:
        """The tick a line stands for; `@ 5` before it sets the time."""
        words = line.removeprefix(">>").strip()
        if words.startswith("@"):
            at, _, words = words.removeprefix("@").strip().partition(" ")
            self.at = float(at)
        for pattern, make in MADE.items():
            if found := re.fullmatch(pattern, words):
                return make(self, *found.groups())
        raise AssertionError(f"No tick is written like this: {words}")


def ticks_of(scene: Scene) -> list[Tick]:
    """What happens in a scene."""
    clapper = Clapper()
    return [clapper.tick(line) for _, line in scene.lines if line.startswith(">>")]


def words(command: commands.Command) -> str:
    """What a script says for a command."""
    match command:
        case RunStep(delivery):
            again = f", attempt {delivery.attempt}" if delivery.attempt else ""
            given = f" with {' '.join(repr(each) for each in delivery.inputs)}" if delivery.inputs else ""
            return f"run {delivery.seq}.{delivery.step}{given}{again}"
        case WaitForRetry(delivery, due):
            return f"retry {delivery.seq}.{delivery.step} at {due:g}"
        case WatchWait(delivery, due):
            return f"wake {delivery.seq}.{delivery.step} at {due:g}"
        case Publish(shown):
            return f"publish {type(shown).__name__}"
        case OpenPrompt(prompt, _):
            return f"open prompt {prompt}"
        case ClosePrompt(prompt, response):
            return f"close prompt {prompt}, {'answered' if response is not None else 'withdrawn'}"
        case EndRun(outcome):
            because = f": {outcome.error.type}: {outcome.error.message}" if outcome.error else ""
            return f"end {outcome.status}{because}"
    raise AssertionError(command)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: f"{scene.file}: {scene.title}")
def test_scene(scene):
    run, clapper, done = RunState(ROUTES), Clapper(), []
    for number, line in [*scene.lines, (0, ">> ")]:
        place = f"scripts/{scene.file}.txt:{number}: {line}"
        if line.startswith(">>"):
            assert done == [], f"{place}: before this, too: {done}"
            if number:
                done = [words(command) for command in apply(run, clapper.tick(line))]
        elif line.startswith("<<"):
            assert [line.removeprefix("<<").strip()] == done[:1], f"{place}: {done}"
            del done[0]
        elif line.startswith("--"):
            known = {"run": run, "deque": deque, "join_progress": join_progress, "overwritten": overwritten, **TYPES}
            assert eval(line.removeprefix("--").strip(), known), f"{place}: {run}"


def test_every_tick_and_every_command_has_a_scene():
    seen = {type(tick) for scene in SCENES for tick in ticks_of(scene)}
    assert seen == set(get_args(ticks.Tick)) == set(_RULES)
    done = set()
    for scene in SCENES:
        run = RunState(ROUTES)
        done.update(type(command) for tick in ticks_of(scene) for command in apply(run, tick))
    assert done == set(get_args(commands.Command))


def test_every_room_of_the_rules_has_a_script():
    rooms = {rule.__module__.rpartition(".")[2] for rule in _RULES.values()} | {"collecting"}
    assert {scene.file for scene in SCENES} == rooms
