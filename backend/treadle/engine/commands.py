"""Commands: what the loop has to do once a tick is on disk."""

from __future__ import annotations

from dataclasses import dataclass

from treadle.engine.events import Event
from treadle.engine.state import Delivery, Outcome


@dataclass(slots=True)
class RunStep:
    delivery: Delivery


@dataclass(slots=True)
class WaitForRetry:
    delivery: Delivery
    due: float


@dataclass(slots=True)
class WatchWait:
    """Wake the waiting delivery at `due`, unless its event comes first."""

    delivery: Delivery
    due: float


@dataclass(slots=True)
class Publish:
    event: Event


@dataclass(slots=True)
class OpenPrompt:
    prompt: int
    event: Event


@dataclass(slots=True)
class ClosePrompt:
    prompt: int
    response: Event | None


@dataclass(slots=True)
class EndRun:
    outcome: Outcome


Command = RunStep | WaitForRetry | WatchWait | Publish | OpenPrompt | ClosePrompt | EndRun
