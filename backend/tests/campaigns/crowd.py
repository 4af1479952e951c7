"""The crowd: clients that start runs and answer prompts over HTTP, and ask again whenever nobody answers them."""

from __future__ import annotations

import contextlib
import http.client
import random
import threading
from collections import defaultdict

from processes.serving import Answer, Serving

from campaigns.journal import Expected

SIZES = {"KillChain": (3, 26), "KillFan": (2, 16), "KillPrompt": (1, 3)}
IN_FLIGHT = 24


class Crowd:
    """Starters and answerers, each in a thread of its own, until told to end."""

    def __init__(self, serving: Serving, *, seed: int, starters: int = 3, answerers: int = 2) -> None:
        self.runs: dict[str, Expected] = {}
        self.answers: dict[str, dict[int, str]] = defaultdict(dict)
        self.broken: list[str] = []
        self.retries = 0
        self.refused = 0
        self._serving = serving
        self._unsure: dict[tuple[str, int, int], set[str]] = defaultdict(set)
        self._lock = threading.Lock()
        self._enough = threading.Event()
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._guarded, args=(work, random.Random(f"{seed}/{work.__name__}/{n}"), n))
            for work, count in ((self._start_runs, starters), (self._answer_prompts, answerers))
            for n in range(count)
        ]

    def go(self) -> None:
        for thread in self._threads:
            thread.start()

    def start_no_more(self) -> None:
        self._enough.set()

    def end(self) -> None:
        self._enough.set()
        self._over.set()
        for thread in self._threads:
            thread.join(30)

    def unfinished(self) -> int:
        query = "SELECT count(*) FROM run WHERE status IN ('running', 'held', 'waiting')"
        return int(self._serving.rows(query)[0][0])

    def settle_doubts(self) -> None:
        """An answer whose acknowledgement was lost may have been accepted: the row says which was."""
        for (run_id, prompt, n), sent in self._unsure.items():
            if n not in self.answers[run_id]:
                query = "SELECT json_extract(response, '$.response') FROM prompt WHERE run_id = ? AND id = ?"
                kept = self._serving.rows(query, run_id, prompt)[0][0]
                self._expect(kept in sent, f"{run_id}: prompt {prompt} holds {kept}, which nobody sent")
                self.answers[run_id][n] = kept

    def _guarded(self, work, *arguments) -> None:
        try:
            work(*arguments)
        except Exception as error:
            self.broken.append(f"a client met {type(error).__name__}: {error}")
            raise

    def _expect(self, true: bool, otherwise: str) -> None:
        if not true:
            self.broken.append(otherwise)

    def _persist(self, method: str, path: str, body: object, headers: dict[str, str]) -> tuple[Answer, bool]:
        """Ask until somebody answers; whether an earlier try may have been heard."""
        unsure = False
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                answer = self._serving.ask(method, path, body, headers=headers)
                if answer.status < 500:
                    return answer, unsure
            unsure = True
            self.retries += 1
            self._over.wait(0.1)

    def _start_runs(self, rng: random.Random, me: int) -> None:
        number = 0
        while not self._enough.wait(rng.uniform(0.0, 0.12)):
            if self.unfinished() >= IN_FLIGHT:
                continue
            number += 1
            workflow = rng.choice(["KillChain", "KillChain", "KillFan", "KillPrompt"])
            expected = Expected(f"{me}-{number}", workflow, rng.randint(*SIZES[workflow]))
            body = {"tag": expected.tag, "size": expected.size, "nap": rng.choice([0.0, 0.0, 0.004, 0.03])}
            path, headers = f"/workflows/{workflow}/runs", {"Idempotency-Key": f"key-{expected.tag}"}
            answer, unsure = self._persist("POST", path, body, headers)
            good = answer.status == 201 or (unsure and answer.status == 200)
            self._expect(good, f"starting {expected}: {answer.status} {answer.text}")
            if not good:
                continue
            run_id = answer.json["id"]
            self.runs[run_id] = expected
            if rng.random() < 0.2:  # a client that forgot that it had been told
                again, _ = self._persist("POST", path, body, headers)
                same = again.status == 200 and again.json["id"] == run_id
                self._expect(same, f"the key of {run_id} started {again.text}")

    def _answer_prompts(self, rng: random.Random, me: int) -> None:
        while not self._over.wait(rng.uniform(0.02, 0.15)):
            answer, _ = self._persist("GET", "/inbox.json", None, {})
            for prompt in answer.json["prompts"]:
                self._answer(prompt["run"], prompt["id"], prompt["payload"], f"{me}-{rng.randrange(10**6)}")

    def _answer(self, run_id: str, prompt: int, asked: dict[str, object], value: str) -> None:
        body = {"response": value, "tag": asked["tag"], "n": asked["n"]}
        answer, unsure = self._persist("POST", f"/runs/{run_id}/prompts/{prompt}/response", body, {})
        n = int(str(asked["n"]))
        with self._lock:
            if 200 <= answer.status < 300:
                self._expect(n not in self.answers[run_id], f"{run_id}: prompt {prompt} took two answers")
                self.answers[run_id][n] = value
            else:
                self._expect(answer.status == 409, f"{run_id}: answering {prompt}: {answer.status} {answer.text}")
                self.refused += 1
                if unsure:
                    self._unsure[run_id, prompt, n].add(value)
