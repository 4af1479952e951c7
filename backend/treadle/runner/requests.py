"""Requests: everything a person or program may ask for, committed to the inbox before it is acknowledged."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Collection
from typing import Any, TypedDict, Unpack

from treadle.engine.deadlines import Deadline, checked, due_at
from treadle.store import acceptance, reopening
from treadle.store.database import Database
from treadle.store.starting import Accepted, Start, Starts

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_run_id(now: float) -> str:
    """An id that sorts by time: `r_`, ten digits of milliseconds in base 32, ten random ones."""
    number = int(now * 1000) << 50 | secrets.randbits(50)
    return "r_" + "".join(_ALPHABET[number >> shift & 31] for shift in range(95, -1, -5))


class StartOptions(TypedDict, total=False):
    """How a run is started.

    `held` lets it wait for leave before its first step; `continued_from` names an ended run whose context it continues;
    `deadline`, counted from now, takes the place of the workflow's.
    """

    held: bool
    idempotency_key: str | None
    continued_from: str | None
    deadline: Deadline | None


class Requests:
    """Accepts requests, from any thread; `start_soon` is for a loop.

    `nudge` tells a worker, or all of them (None), to look at a run, or, by "*", for one that nobody owns; `listeners`
    are the workers that hear it: one that does not is given nothing.
    """

    def __init__(
        self,
        database: Database,
        *,
        nudge: Callable[[str, str | None], None],
        listeners: Callable[[], Collection[str]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._starts = Starts(database, nudge=nudge, listeners=listeners)
        self._nudge = nudge
        self._clock = clock

    def start(self, workflow: str, fields: dict[str, Any], **options: Unpack[StartOptions]) -> Accepted:
        """Accept a run of `workflow` whose start event has `fields`.

        Raises WorkflowNotFound, WorkflowsLoading, RunNotFound; IdempotencyConflict for a known key with other input.
        """
        return self._starts.accept(self._start(workflow, fields, **options))

    async def start_soon(self, workflow: str, fields: dict[str, Any], **options: Unpack[StartOptions]) -> Accepted:
        """`start` for a loop, which goes on while the disk is waited for; no thread waits for each."""
        return await self._starts.accept_soon(self._start(workflow, fields, **options))

    def _start(self, workflow: str, fields: dict[str, Any], **options: Unpack[StartOptions]) -> Start:
        asked: dict[str, Any] = {
            "workflow": workflow, "fields": fields, "held": options.get("held", False),
            "continued_from": options.get("continued_from"),
        }  # fmt: skip
        body = dict(asked)
        now = self._clock()
        deadline, key = options.get("deadline"), options.get("idempotency_key")
        if (due := due_at(checked(deadline), now)) is not None:
            asked["deadline"] = str(deadline)
            body["due"] = due
        return Start(new_run_id(now), body, _digest(asked) if key is not None else None, key, now)

    def respond(self, run_id: str, prompt_id: int, fields: dict[str, Any], *, response_type: str | None = None) -> None:
        """Accept a person's response to a prompt: the first one stands.

        Raises PromptNotFound, and PromptAnswered with the time of the first answer.
        """
        acceptance.accept_response(
            self._database, run_id, prompt_id, fields, response_type=response_type, now=self._clock()
        )
        self._nudge(run_id, None)

    def cancel(self, run_id: str) -> None:
        """Accept the cancellation of a run. Raises RunNotFound, RunEnded."""
        self._ask(run_id, "cancellation", {}, once="cancellation")

    def step(self, run_id: str, *, delivery: str | None = None) -> None:
        """Give a held run leave for one queued event: `delivery` ("seq:step"), else the first.

        Raises RunNotFound, RunEnded.
        """
        self._ask(run_id, "step", {"delivery": delivery})

    def release(self, run_id: str) -> None:
        """Let a held run go on by itself. Raises RunNotFound, RunEnded."""
        self._ask(run_id, "release", {})

    def reopen(
        self, run_id: str, decision: str, *, event: dict[str, Any] | None = None, epoch: int | None = None
    ) -> None:
        """Let a stopped run go on by `decision`: resume, retry; again or done where it asks whether a step was done.

        `event` ({type, fields}) is what the step counts as done with; `epoch` names the stop that is meant, so that
        asking twice is asking once. Raises RunNotFound, and NotApplicable with what can be done instead.
        """
        reopening.accept_reopening(self._database, run_id, decision, event, epoch=epoch, now=self._clock())
        self._nudge("*", None)

    def give_up(self, run_id: str, *, epoch: int | None = None) -> None:
        """End an interrupted run as failed, here and now. Raises like `reopen`."""
        reopening.give_up(self._database, run_id, epoch=epoch, now=self._clock())
        self._nudge("*", None)

    def _ask(self, run_id: str, kind: str, body: dict[str, Any], *, once: str | None = None) -> None:
        acceptance.accept(self._database, run_id, kind, body, once=once, now=self._clock())
        self._nudge(run_id, None)


def _digest(asked: dict[str, Any]) -> str:
    """What tells whether the same was asked for by the same key."""
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
