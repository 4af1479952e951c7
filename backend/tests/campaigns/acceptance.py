"""The acceptance campaign: the web process dies around the commit that accepts a request, and the client asks again."""

from __future__ import annotations

import http.client
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from processes.serving import Answer

from campaigns.expected import Expected
from campaigns.journal import Judgement, Promises, judge
from campaigns.studio import Studio

FLOWS = [Path(__file__).parent / "flows.py"]
KINDS = ("start", "response", "cancellation", "step", "release")


@dataclass(frozen=True, slots=True)
class Case:
    """A request of this kind, whose acceptance is cut short `when`: before or after its commit."""

    kind: str
    when: str


class AcceptanceCampaign:
    """A studio whose web process dies once in every case."""

    def __init__(self, folder: Path) -> None:
        self.studio = Studio(folder, FLOWS, workers=1)
        self.broken: list[str] = []
        self.counts = {"web processes that died at a commit": 0, "requests repeated": 0}
        self._runs: dict[str, Expected] = {}
        self._answers: dict[str, dict[int, str]] = {}
        self._cancelled: set[str] = set()

    def case(self, case: Case) -> None:
        """Prepare a run, die, come back, ask again, and see the run end."""
        number = len(self._runs)
        mark, armed = self.studio.folder / f"died-{number}", self.studio.folder / f"armed-{number}"
        of = "journal" if case.kind == "start" else "write"
        crash = {"of": of, "at": 1, "when": case.when, "mark": str(mark), "armed": str(armed)}
        self.studio.web_rig = {"crash": crash}
        self.studio.start()
        ask = self._prepare(case.kind, f"{case.kind}-{case.when}-{number}")
        armed.touch()
        try:
            answer = ask()
            self.broken.append(f"{case}: somebody answered {answer.status} {answer.text}")
        except (OSError, http.client.HTTPException):
            self.counts["web processes that died at a commit"] += mark.exists()
        self.studio.web_rig = {}
        self.studio.kill_web()
        self.studio.start()
        answer = ask()
        self.counts["requests repeated"] += 1
        first = {"start": 200, "response": 409}.get(case.kind, 202)
        allowed = {first} if case.when == "after" else {201 if case.kind in ("start", "response") else 202}
        if case.kind in ("cancellation", "step", "release") and case.when == "after":
            allowed.add(409)  # it has been done, and the run has ended
        if answer.status not in allowed:
            self.broken.append(f"{case}: repeated, it got {answer.status} {answer.text}, not {allowed}")
        self._see_it_end(case, answer)
        self.studio.kill()

    def judge(self) -> Judgement:
        with self.studio.reading() as database:
            judgement = judge(
                database, self.studio.side_log, Promises(self._runs, self._answers, self._cancelled)
            )
        code, said = self.studio.check()
        judgement.claim(code == 0, f"treadle fsck: exit {code}:\n{said[-3000:]}", as_count="fsck not clean")
        judgement.counts |= self.counts
        judgement.broken += self.broken
        return judgement

    def _prepare(self, kind: str, tag: str) -> Callable[[], Answer]:
        """The request, to be made as often as one likes."""
        studio = self.studio
        if kind == "start":
            headers = {"Idempotency-Key": f"key-{tag}"}
            body = {"tag": tag, "size": 3}
            return lambda: studio.ask("POST", "/workflows/KillChain/runs", body, headers=headers)
        if kind in ("step", "release"):
            path = "/workflows/KillChain/runs?held=true"
            run_id = self._begun(studio.ask("POST", path, {"tag": tag, "size": 3}), Expected(tag, "KillChain", 3))
            noun = "steps" if kind == "step" else "release"
            return lambda: studio.ask("POST", f"/runs/{run_id}/{noun}", {})
        path = "/workflows/KillPrompt/runs"
        run_id = self._begun(studio.ask("POST", path, {"tag": tag, "size": 1}), Expected(tag, "KillPrompt", 1))
        prompt = studio.prompt(run_id)
        if kind == "cancellation":
            self._cancelled.add(run_id)
            return lambda: studio.ask("POST", f"/runs/{run_id}/cancellation", {})
        self._answers[run_id] = {0: "mine"}
        body = {"response": "mine", "tag": tag, "n": 0}
        return lambda: studio.ask("POST", f"{prompt['url']}/response", body)

    def _begun(self, answer: Answer, expected: Expected) -> str:
        run_id: str = answer.json["id"]
        self._runs[run_id] = expected
        return run_id

    def _see_it_end(self, case: Case, answer: Answer) -> None:
        told: dict[str, Any] = answer.json
        if case.kind == "start" and "id" in told:
            tag = f"{case.kind}-{case.when}-{len(self._runs)}"
            self._begun(answer, Expected(tag, "KillChain", 3))
        run_id = list(self._runs)[-1]
        if case.kind == "step":
            self.studio.ask("POST", f"/runs/{run_id}/release", {})
        self.studio.ended(run_id)


def campaign(folder: Path, *, seed: int, most: int | None = None) -> Judgement:
    """Every case, or `most` of them, one of each kind first, in an order and a choice drawn by `seed`."""
    rng = random.Random(seed)
    whens = {kind: rng.sample(("before", "after"), 2) for kind in rng.sample(KINDS, len(KINDS))}
    order = [Case(kind, when[n]) for n in (0, 1) for kind, when in whens.items()]
    made = AcceptanceCampaign(folder)
    try:
        for case in order[:most]:
            made.case(case)
        return made.judge()
    finally:
        made.studio.close()
