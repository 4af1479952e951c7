"""Starts that come at the same time are one commit; one that is refused does not stop the others."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from treadle.errors import IdempotencyConflict, RunNotFound, WorkflowNotFound
from treadle.resources import MIGRATIONS
from treadle.store.database import BRIEF, Database
from treadle.store.failing import DatabaseBusy
from treadle.store.migrations import migrate
from treadle.store.starting import Accepted, Start, Starts

AT_ONCE = 12


class Gated(Database):
    """Counts its transactions, and lets the first one wait in its middle until it may `go`."""

    commits = 0
    begun: threading.Event | None = None

    @contextmanager
    def journal(self, *, seconds: float = BRIEF) -> Iterator[Any]:
        with super().journal(seconds=seconds) as cursor:
            if self.begun is not None and not self.begun.is_set():
                self.begun.set()
                assert self.go.wait(20)
            yield cursor
        self.commits += 1

    def gate(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Gated]:
    with closing(Gated(f"sqlite:///{tmp_path / 'treadle.db'}")) as made:
        migrate(made, MIGRATIONS)
        with made.write() as connection:
            connection.exec_driver_sql(
                "INSERT INTO workflow (name, file, title, doc, fingerprint, published_at)"
                " VALUES ('W', '', '', '', 'f', 0)"
            )
        yield made


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(AT_ONCE + 1) as made:
        yield made


def start(starts: Starts, run_id: str, *, workflow: str = "W", key: str | None = None, **more: Any) -> Accepted:
    body = {"workflow": workflow, "fields": {}, "held": False, "continued_from": None, **more}
    return starts.accept(Start(run_id, body, str(body), key, 1.0))


def gathered(
    database: Gated, threads: ThreadPoolExecutor, starts: Starts, asked: list[Callable[[], Accepted]]
) -> list[Future[Accepted]]:
    """What becomes of those that come, in this order, while one before them is written."""
    database.gate()
    first = threads.submit(start, starts, "r_first")
    assert database.begun is not None
    assert database.begun.wait(20)
    rest = []
    for number, act in enumerate(asked, 1):
        rest.append(threads.submit(act))
        while len(starts._together._waiting) < number:
            threading.Event().wait(0.001)
    database.go.set()
    assert first.result(20).created
    return rest


def runs(database: Database) -> list[str]:
    with database.read() as connection:
        found = connection.exec_driver_sql("SELECT run.id FROM run JOIN inbox ON run_id = run.id ORDER BY inbox.id")
        return [run_id for (run_id,) in found]


def test_what_comes_while_another_is_written_shares_the_next_commit(database: Gated, threads: ThreadPoolExecutor):
    nudges: list[tuple[str, str | None]] = []
    starts = Starts(database, nudge=lambda *nudge: nudges.append(nudge))
    ids = [f"r_{n}" for n in range(AT_ONCE)]
    found = gathered(database, threads, starts, [lambda run_id=run_id: start(starts, run_id) for run_id in ids])
    assert [future.result(20) for future in found] == [Accepted(run_id, created=True) for run_id in ids]
    assert runs(database) == ["r_first", *ids]
    assert database.commits == 2, "the first, and all that came meanwhile"
    assert nudges == [("*", None)] * 2


def test_one_that_is_refused_leaves_nothing_and_does_not_stop_its_neighbours(
    database: Gated, threads: ThreadPoolExecutor
):
    starts = Starts(database, nudge=lambda *_: None)
    good, nobody, nowhere, last = gathered(database, threads, starts, [
        lambda: start(starts, "r_1"),
        lambda: start(starts, "r_2", workflow="Nobody", key="k"),
        lambda: start(starts, "r_3", continued_from="r_nowhere"),
        lambda: start(starts, "r_4", key="k"),
    ])  # fmt: skip
    assert good.result(20).created
    assert last.result(20).created, "who was refused has not used up the key"
    with pytest.raises(WorkflowNotFound, match="Nobody"):
        nobody.result(20)
    with pytest.raises(RunNotFound, match="r_nowhere"):
        nowhere.result(20)
    assert runs(database) == ["r_first", "r_1", "r_4"]


def test_same_key_twice_in_one_commit_starts_one_run(database: Gated, threads: ThreadPoolExecutor):
    starts = Starts(database, nudge=lambda *_: None)
    first, again, other = gathered(database, threads, starts, [
        lambda: start(starts, "r_1", key="k"),
        lambda: start(starts, "r_2", key="k"),
        lambda: start(starts, "r_3", key="k", fields={"n": 1}),
    ])  # fmt: skip
    assert first.result(20) == Accepted("r_1", created=True)
    assert again.result(20) == Accepted("r_1", created=False)
    with pytest.raises(IdempotencyConflict, match="r_1"):
        other.result(20)
    assert runs(database) == ["r_first", "r_1"]


def test_error_of_the_database_is_told_to_all_and_nothing_is_written(database: Gated, threads: ThreadPoolExecutor):
    starts = Starts(database, nudge=lambda *_: None)
    same = [lambda run_id=run_id: start(starts, run_id) for run_id in ("r_1", "r_2", "r_1")]
    for future in gathered(database, threads, starts, same):
        with pytest.raises(sqlite3.IntegrityError):
            future.result(20)
    assert runs(database) == ["r_first"]
    assert start(starts, "r_1").created


def test_database_that_others_hold_is_a_503(database: Gated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("treadle.store.starting.PATIENCE", 0.02)
    starts = Starts(database, nudge=lambda *_: None)
    assert start(starts, "r_1").created
    with closing(sqlite3.connect(tmp_path / "treadle.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusy):
            start(starts, "r_2")
    assert runs(database) == ["r_1"]
