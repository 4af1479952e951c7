"""The workshop: workers alone on a database file, hired and lost one by one, without a web process or a supervisor.

Nothing here goes over HTTP: requests are accepted by the code behind the routes, so that a case costs a second.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import sqlite3
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from processes.serving import until

from campaigns.expected import Expected
from campaigns.journal import Judgement, Promises, judge
from campaigns.nursery import Nursery, Nursling
from campaigns.rig import RIG
from campaigns.sabotage import inherited
from treadle.errors import PromptAnswered
from treadle.runner.requests import Requests
from treadle.store.database import Database
from treadle.store.presence import leave

HERE = Path(__file__).parent
FLOWS = (HERE / "flows.py", HERE / "mix.py", HERE / "nests.py")
LIVE = ("running", "held", "waiting")


class Workshop:
    """A folder with a database, a side log and what its workers wrote; a copy of it is another one."""

    def __init__(
        self, nursery: Nursery, folder: Path, *, flows: Sequence[Path] = FLOWS, durability: str = "full"
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.file = folder / "treadle.db"
        self.side_log = folder / "side.log"
        self.output = folder / "output.log"
        self.side_log.touch()
        self.output.touch()
        self.runs: dict[str, Expected] = {}
        self.answers: dict[str, dict[int, str]] = defaultdict(dict)
        self.clock = time.time
        self._nursery = nursery
        self._flows = flows
        self._durability = durability
        self._hired = 0

    def open(self) -> None:
        """Make the database, and have the workflows published."""
        assert self._call("migrate").wait(30) == 0, self.output.read_text()
        assert self.dismiss(self.hire()) == 0, self.output.read_text()

    def copy(self, folder: Path) -> Workshop:
        """Another one that stands where this one does, with nobody at work."""
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("*.sock"))
        made = Workshop(self._nursery, folder, flows=self._flows, durability=self._durability)
        made.runs, made._hired = dict(self.runs), self._hired
        return made

    # Workers

    def hire(self, *, rig: Mapping[str, Any] | None = None) -> Worker:
        """A worker, rigged as rig.py says."""
        self._hired += 1
        name = f"w_{self._hired}"
        return Worker(name, self._call("worker", "--id", name, "--name", name, *map(str, self._flows), rig=rig))

    def dismiss(self, worker: Worker) -> int:
        """Tell a worker to stop, once it is at work; its exit code."""
        ended = worker.process.poll
        until(f"{worker.name} is at work", lambda: ended() is not None or self._hears(worker))
        worker.process.send(signal.SIGTERM)
        return worker.process.wait(20)

    def _hears(self, worker: Worker) -> int:
        return self.count("SELECT count(*) FROM worker WHERE id = ? AND heartbeat_at != started_at", worker.name)

    def bury(self, worker: Worker) -> str:
        """Say how a dead worker ended, as a supervisor would."""
        code = worker.process.wait(20)
        how = f"signal {-code}" if code < 0 else f"exit {code}"
        with self._database() as database:
            leave(database, worker.name, now=self.clock(), how=how)
        return how

    def _call(self, command: str, *arguments: str, rig: Mapping[str, Any] | None = None) -> Nursling:
        environment = {
            "CAMPAIGN_SIDE_LOG": str(self.side_log), "TREADLE_DURABILITY": self._durability,
            RIG: json.dumps(rig or {}), **inherited(),
        }  # fmt: skip
        with self.output.open("a") as output:
            return self._nursery.spawn(
                [command, "--database", str(self.file), *arguments], folder=self.folder, output=output.fileno(),
                environment=environment,
            )  # fmt: skip

    # Requests

    def start(self, workflow: str, size: int, *, nap: float = 0.0, tag: str | None = None, **how: Any) -> str:
        """Accept a run; its id."""
        expected = Expected(tag or f"{workflow}-{len(self.runs)}", workflow, size)
        with self._requests() as requests:
            fields = {"tag": expected.tag, "size": size, "nap": nap}
            run_id = requests.start(workflow, fields, idempotency_key=expected.tag, **how).run_id
        self.runs[run_id] = expected
        return run_id

    def answer(self) -> int:
        """Answer every open prompt; how many there were."""
        asked = self.rows("SELECT run_id, id, payload FROM prompt WHERE status = 'open'")
        if not asked:
            return 0
        with self._requests() as requests:
            for run_id, number, payload in asked:
                told = json.loads(payload)
                value = f"{told['tag']}-{told['n']}"
                with contextlib.suppress(PromptAnswered):
                    fields = {"response": value, "tag": told["tag"], "n": told["n"]}
                    requests.respond(run_id, number, fields, response_type="Reply")
                    self.answers[run_id][told["n"]] = value
        return len(asked)

    @contextmanager
    def _requests(self) -> Any:
        with self._database() as database:
            yield Requests(database, nudge=lambda *_: None, clock=self.clock)

    @contextmanager
    def _database(self) -> Any:
        database = Database(f"sqlite:///{self.file}", full=False)
        try:
            yield database
        finally:
            database.close()

    # Looking

    def rows(self, query: str, *values: Any) -> list[Any]:
        with contextlib.closing(sqlite3.connect(self.file, timeout=10, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(query, values).fetchall()

    def count(self, query: str, *values: Any) -> int:
        return int(self.rows(query, *values)[0][0])

    def status(self, run_id: str) -> str:
        return str(self.rows("SELECT status FROM run WHERE id = ?", run_id)[0][0])

    def unfinished(self) -> list[str]:
        marks = ", ".join("?" * len(LIVE))
        rows = self.rows(f"SELECT id, workflow, status, lease_owner FROM run WHERE status IN ({marks})", *LIVE)
        return [str(tuple(row)) for row in rows]

    def notes(self, tag: str, step: str) -> list[str]:
        """What the side log has of this step, in the order it was written."""
        lines = [json.loads(line) for line in self.side_log.read_text().splitlines()]
        return [phase for its_tag, its_step, _, phase, *_ in lines if (its_tag, its_step) == (tag, step)]

    def until_ended(self, *, seconds: float = 30.0) -> None:
        """Answer what is asked until every run is over."""
        try:
            until("every run has ended", lambda: not (self.answer() or self.unfinished()), seconds=seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.unfinished()}\n{self.output.read_text()[-3000:]}") from None

    def judge(self, *, timed: bool = True) -> Judgement:
        """Hold what was accepted against what is on disk."""
        with contextlib.closing(sqlite3.connect(self.file, timeout=10, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            judgement = judge(connection, self.side_log, Promises(self.runs, self.answers, timed=timed))
        code = self._call("fsck").wait(60)
        judgement.claim(code == 0, f"fsck: exit {code}:\n{self.output.read_text()[-3000:]}", as_count="fsck not clean")
        return judgement


@dataclass(frozen=True, slots=True)
class Worker:
    """A hired worker: its name in the database, and its process."""

    name: str
    process: Nursling
