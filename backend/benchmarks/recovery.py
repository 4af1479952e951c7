"""R1 and R2: `kill -9` with many runs in flight, start again at once, and see what becomes of them.

Everything is seen from outside: each step writes a line when it begins, and each library's own database says which runs
are finished.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.engine import scaled
from benchmarks.findings import Finding, log
from benchmarks.folders import fresh_folder
from benchmarks.peers import DBOS, SERVER, TREADLE, Peer, PeerInstallError
from benchmarks.processes import ChildError
from benchmarks.servers import Server
from benchmarks.texts import STEPS, work_text, working_text

COMPLETED = {
    TREADLE: ("treadle.db", "SELECT count(*) FROM run WHERE status = 'completed'"),
    SERVER: ("server.db", "SELECT count(*) FROM handlers WHERE status = 'completed'"),
    DBOS: ("dbos.db", "SELECT count(*) FROM workflow_status WHERE status = 'SUCCESS'"),
}
GRACE = 31.0
"""llama-agents-server leaves runs alone that are younger than 30 seconds when it starts."""
UNDER_WAY = 180.0
STILL = 15.0
LOOK = 0.1


@dataclass(frozen=True, slots=True)
class Side:
    """Who is killed, what of it, how many seconds it then stays dead, and whether only the first round has it."""

    name: str
    peer: Peer
    workers_only: bool = False
    dead: float = 0.0
    once: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """So many runs, so many steps; how long each step pauses before the kill and after it; the step all must reach."""

    runs: int
    before: tuple[float, ...]
    after: tuple[float, ...]
    reached: int
    to_the_end: bool

    @property
    def steps(self) -> int:
        return len(self.before)


@dataclass(frozen=True, slots=True)
class Line:
    """A step of a run began."""

    at: float
    run: int
    step: int


@dataclass(slots=True)
class Aftermath:
    """What became of the runs of one kill. Times are seconds from the start of the new process."""

    completed: int = 0
    finished_again: int = 0
    in_flight_again: int = 0
    first: float | None = None
    going: list[float] = field(default_factory=list)


def measure(name: str, *, rounds: int, scale: float = 1.0) -> list[Finding]:
    """The findings of R1 or R2."""
    return _r1(rounds, scale) if name == "R1" else _r2(rounds, scale)


def _r1(rounds: int, scale: float) -> list[Finding]:
    """A hundred runs of ten steps, killed in the midst of them, until all are finished or nothing happens any more."""
    runs = scaled(100, max(scale, 0.1))
    # The last pause keeps the first run from ending before the last one is under way.
    plan = Plan(runs, before=(*[0.5] * (STEPS - 1), 20.0), after=(0.05,) * STEPS, reached=2, to_the_end=True)
    sides = [
        Side("treadle", TREADLE),
        Side("treadle, workers only", TREADLE, workers_only=True),
        Side(SERVER.name, SERVER),
        *([Side(f"{SERVER.name} after {GRACE:.0f} s", SERVER, dead=GRACE, once=True)] if scale == 1 else []),
        Side(DBOS.name, DBOS),
    ]
    outcomes, failed = _kill_all("R1", sides, plan, rounds)

    def values(of: Callable[[Aftermath], float | None]) -> dict[str, list[float]]:
        found = {name: [of(one) for one in all_of_it] for name, all_of_it in outcomes.items()}
        counts = {name: [value for value in values if value is not None] for name, values in found.items()}
        return {name: values for name, values in counts.items() if values}

    never = failed | {
        name: "none of its runs went on" for name, found in outcomes.items() if all(one.first is None for one in found)
    }
    return [
        Finding(
            f"R1 finished of {runs}", "runs", values(lambda found: found.completed), limit=runs, more_is_better=True,
            compared=False, always=True, missing=failed,
            notes=["treadle and the peers are killed whole and started at once; in the second line only its workers"],
        ),
        Finding(
            "R1 finished steps done again", "steps", values(lambda found: found.finished_again), limit=0,
            compared=False, always=True, missing=failed,
            notes=["finished: the step after it had begun before the kill"],
        ),
        Finding(
            "R1 steps in flight done again", "steps", values(lambda found: found.in_flight_again), compared=False,
            missing=failed, notes=["the step each run was in: nobody can know how far it had come"],
        ),
        Finding("R1 restart to first step", "s", values(lambda found: found.first), limit=2.0, missing=never),
    ]  # fmt: skip


def _r2(rounds: int, scale: float) -> list[Finding]:
    """A thousand runs in their second step at start-up: seconds until half of them, and all, have begun a step."""
    runs = scaled(1000, scale)
    # Their second step does not end before the kill, and at once after it.
    plan = Plan(runs, before=(0.0, 3600.0, 0.0), after=(0.0,) * 3, reached=2, to_the_end=False)
    server, dbos = Side(SERVER.name, SERVER, dead=GRACE, once=True), Side(DBOS.name, DBOS, once=True)
    sides = [Side("treadle", TREADLE), *([server] if scale == 1 else []), dbos]
    outcomes, failed = _kill_all("R2", sides, plan, rounds)
    halves: dict[str, list[float]] = {}
    alls: dict[str, list[float]] = {}
    never = dict(failed)
    for name, found in outcomes.items():
        for one in found:
            if len(one.going) < runs:
                never[name] = f"{len(one.going):,} of {runs:,} runs were going when nothing more happened"
            else:
                alls.setdefault(name, []).append(one.going[-1])
            if len(one.going) >= runs // 2:
                halves.setdefault(name, []).append(one.going[runs // 2 - 1])
    note = f"{SERVER.name} was started {GRACE:.0f} s after the kill: it leaves younger runs alone; peers in one round"
    return [
        Finding(f"R2 {runs:,} unfinished runs, all going", "s", alls, limit=5.0, missing=never, notes=[note]),
        Finding(f"R2 {runs:,} unfinished runs, half of them", "s", halves),
    ]


def _kill_all(
    name: str, sides: list[Side], plan: Plan, rounds: int
) -> tuple[dict[str, list[Aftermath]], dict[str, str]]:
    outcomes: dict[str, list[Aftermath]] = {}
    failed: dict[str, str] = {}
    for turn in range(rounds):
        for side in sides:
            if side.name in failed or (side.once and turn):
                continue
            log(f"{name}: {side.name}, round {turn + 1} of {rounds}")
            try:
                outcomes.setdefault(side.name, []).append(_kill(side, plan))
            except (ChildError, PeerInstallError, OSError) as failure:
                failed[side.name] = str(failure)
                log(f"  failed: {failure}")
    return {side: found for side, found in outcomes.items() if found}, failed


def _kill(side: Side, plan: Plan) -> Aftermath:
    """Start the runs, kill what is to be killed, start it again, and watch until all is done or nothing happens."""
    with fresh_folder() as folder:
        text = work_text(str(folder))
        if side.peer is not DBOS:
            text = working_text(side.peer.imports, str(folder), steps=plan.steps)
        _set_pauses(folder, plan.before)
        (folder / "seen").touch()
        with Server(side.peer, folder, text=text, workflow="Working") as server:
            server.start(runs=plan.runs)
            server.wait_until_ready()
            if side.peer is not DBOS:
                server.begin(range(plan.runs))
            _wait_until_under_way(folder, side, plan)
            if completed := _completed(folder, side.peer):
                raise ChildError(f"{completed} of {plan.runs} runs were over before the kill")
            _set_pauses(folder, plan.after)
            if side.workers_only:
                server.kill_workers()
                started = time.time()
            else:
                server.kill()
                time.sleep(side.dead)
                started = server.start()
            _watch(folder, side, plan, started)
            return _outcome(_lines(folder), started, completed=_completed(folder, side.peer))


def _wait_until_under_way(folder: Path, side: Side, plan: Plan) -> None:
    deadline = time.monotonic() + UNDER_WAY
    while (under_way := len({line.run for line in _lines(folder) if line.step >= plan.reached})) < plan.runs:
        if time.monotonic() > deadline:
            raise ChildError(f"{side.peer.name}: {under_way} of {plan.runs} runs were under way in {UNDER_WAY:.0f} s")
        time.sleep(LOOK)


def _watch(folder: Path, side: Side, plan: Plan, started: float) -> None:
    seen, changed = (-1, -1), time.monotonic()
    while time.monotonic() - changed < STILL:
        lines = _lines(folder)
        completed = _completed(folder, side.peer) if plan.to_the_end else 0
        going = len({line.run for line in lines if line.at >= started})
        if completed == plan.runs or (not plan.to_the_end and going == plan.runs):
            return
        if (len(lines), completed) != seen:
            seen, changed = (len(lines), completed), time.monotonic()
        time.sleep(LOOK)


def _outcome(lines: list[Line], started: float, *, completed: int) -> Aftermath:
    reached: dict[int, int] = {}
    for line in lines:
        if line.at < started:
            reached[line.run] = max(reached.get(line.run, 0), line.step)
    found = Aftermath(completed)
    begun: dict[int, set[int]] = {}
    for line in sorted((line for line in lines if line.at >= started), key=lambda line: line.at):
        if line.run not in begun:
            found.going.append(line.at - started)
        steps = begun.setdefault(line.run, set())
        if line.step < reached.get(line.run, 0) or line.step in steps:
            found.finished_again += 1
        elif line.step == reached.get(line.run):
            found.in_flight_again += 1
        steps.add(line.step)
    found.first = found.going[0] if found.going else None
    return found


def _lines(folder: Path) -> list[Line]:
    whole = (folder / "seen").read_text().rpartition("\n")[0]
    return [Line(float(at), int(run), int(step)) for at, run, step in (line.split() for line in whole.splitlines())]


def _completed(folder: Path, peer: Peer) -> int:
    file, query = COMPLETED[peer]
    with closing(sqlite3.connect(f"file:{folder / file}?mode=ro", uri=True, timeout=10)) as connection:
        return int(connection.execute(query).fetchone()[0])


def _set_pauses(folder: Path, pauses: tuple[float, ...]) -> None:
    (folder / "pauses").write_text(json.dumps(pauses))
