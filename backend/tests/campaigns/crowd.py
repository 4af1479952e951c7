"""The crowd: clients that start runs and answer prompts."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Callable

from processes.serving import Answer, Serving

from campaigns.clients import Clients
from campaigns.expected import SIZES, Expected

IN_FLIGHT = 24
CANCELLED, HELD = 0.3, 0.3
"""How many of the chains somebody cancels, or starts held, so that others step through them."""


class Crowd(Clients):
    """Starters and answerers. What they were promised is in `runs` and `answers`, for the judge.

    `started` is told of every accepted run, `mix` says how often each workflow is started, and `controls` whether there
    is somebody who steps through held runs and cancels others.
    """

    def __init__(
        self,
        serving: Serving,
        *,
        seed: int,
        mix: dict[str, int],
        started: Callable[[str, Expected], None] = lambda *_: None,
        controls: bool = True,
        starters: int = 3,
        answerers: int = 2,
    ) -> None:
        super().__init__(serving, seed=seed, works={self._start_runs: starters, self._answer_prompts: answerers})
        self.runs: dict[str, Expected] = {}
        self.answers: dict[str, dict[int, str]] = defaultdict(dict)
        self.refused = 0
        self.conflicts = 0
        self._mix = mix
        self._started = started
        self._controls = controls
        self._probes = 0
        self._unsure: dict[tuple[str, int, int], set[str]] = defaultdict(set)
        self._lock = threading.Lock()
        self._enough = threading.Event()
        self._quiet = threading.Event()

    def start_no_more(self) -> None:
        self._enough.set()

    def answer_nobody(self, quiet: bool) -> None:
        """Whether prompts are left open for now."""
        (self._quiet.set if quiet else self._quiet.clear)()

    def end(self) -> None:
        self._enough.set()
        super().end()

    def probe(self) -> Answer:
        """Try to start one run, once, as somebody who takes a refusal for an answer."""
        self._probes += 1
        expected = Expected(f"probe-{self._probes}", "KillChain", 3)
        body, headers = {"tag": expected.tag, "size": 3}, {"Idempotency-Key": f"key-{expected.tag}"}
        answer = self._serving.ask("POST", "/workflows/KillChain/runs", body, headers=headers, seconds=30)
        if answer.status == 201:
            self.runs[answer.json["id"]] = expected
        return answer

    def unfinished(self) -> int:
        query = "SELECT count(*) FROM run WHERE status IN ('running', 'held', 'waiting')"
        return int(self._serving.rows(query)[0][0])

    def settle_doubts(self) -> None:
        """An answer whose acknowledgement was lost may have been accepted: the row says which was."""
        for (run_id, prompt, n), sent in self._unsure.items():
            if n not in self.answers[run_id]:
                query = "SELECT status, json_extract(response, '$.response') FROM prompt WHERE run_id = ? AND id = ?"
                status, kept = self._serving.rows(query, run_id, prompt)[0]
                if status == "answered":
                    self.expect(kept in sent, f"{run_id}: prompt {prompt} holds {kept}, which nobody sent")
                    self.answers[run_id][n] = kept

    def _start_runs(self, rng: random.Random, me: int) -> None:
        number = 0
        names, weights = list(self._mix), list(self._mix.values())
        while not self._enough.wait(rng.uniform(0.0, 0.12)):
            if self.unfinished() >= IN_FLIGHT:
                continue
            number += 1
            self._start(rng, f"{me}-{number}", rng.choices(names, weights)[0])

    def _start(self, rng: random.Random, tag: str, workflow: str) -> None:
        lot = rng.random() if workflow == "KillChain" and self._controls else 1.0
        expected = Expected(
            tag, workflow, rng.randint(*SIZES[workflow]), held=lot < HELD, to_cancel=HELD <= lot < HELD + CANCELLED
        )
        body = {"tag": tag, "size": expected.size, "nap": rng.choice([0.0, 0.0, 0.004, 0.03])}
        path, headers = f"/workflows/{workflow}/runs", {"Idempotency-Key": f"key-{tag}"}
        if expected.held:
            path += "?held=true"
        answer, unsure = self.persist("POST", path, body, headers)
        good = answer.status == 201 or (unsure and answer.status == 200)
        self.expect(good, f"starting {expected}: {answer.status} {answer.text}")
        if not good:
            return
        run_id = answer.json["id"]
        self.runs[run_id] = expected
        self._started(run_id, expected)
        lot = rng.random()
        if lot < 0.15:  # a client that forgot that it had been told
            again, _ = self.persist("POST", path, body, headers)
            self.expect(
                again.status == 200 and again.json["id"] == run_id, f"the key of {run_id} started {again.text}"
            )
        elif lot < 0.3:  # and one that forgot what it had asked for
            other, _ = self.persist("POST", path, body | {"size": expected.size + 1}, headers)
            self.expect(other.status == 409, f"the key of {run_id} with other input: {other.status} {other.text}")
            self.conflicts += other.status == 409

    def _answer_prompts(self, rng: random.Random, me: int) -> None:
        while not self._over.wait(rng.uniform(0.02, 0.15)):
            if self._quiet.is_set():
                continue
            answer, _ = self.persist("GET", "/inbox.json", None, {})
            for prompt in answer.json["prompts"]:
                self._answer(prompt["run"], prompt["id"], prompt["payload"], f"{me}-{rng.randrange(10**6)}")

    def _answer(self, run_id: str, prompt: int, asked: dict[str, object], value: str) -> None:
        body = {"response": value, "tag": asked["tag"], "n": asked["n"]}
        answer, unsure = self.persist("POST", f"/runs/{run_id}/prompts/{prompt}/response", body, {})
        n = int(str(asked["n"]))
        with self._lock:
            if 200 <= answer.status < 300:
                self.expect(n not in self.answers[run_id], f"{run_id}: prompt {prompt} took two answers")
                self.answers[run_id][n] = value
            else:
                self.expect(answer.status == 409, f"{run_id}: answering {prompt}: {answer.status} {answer.text}")
                self.refused += 1
                if unsure:
                    self._unsure[run_id, prompt, n].add(value)
