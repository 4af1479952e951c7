"""What several threads write at the same time is one commit; what one of them is refused does not stop the others."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from treadle.errors import RunNotFound
from treadle.store.database import Database
from treadle.store.failing import DatabaseBusy
from treadle.store.together import Together

AT_ONCE = 12


class Counted(Database):
    """Counts its transactions."""

    commits = 0

    @contextmanager
    def journal(self, *, patient: bool = False) -> Iterator[Any]:
        with super().journal(patient=patient) as cursor:
            yield cursor
        self.commits += 1


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Counted]:
    with closing(Counted(f"sqlite:///{tmp_path / 'together.db'}")) as made:
        with made.write() as connection:
            connection.exec_driver_sql("CREATE TABLE fact (n INTEGER PRIMARY KEY)")
        yield made


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(AT_ONCE + 1) as made:
        yield made


def add(n: int) -> Callable[[Any], int]:
    def act(cursor: Any) -> int:
        cursor.execute("INSERT INTO fact VALUES (?)", (n,))
        return -n

    return act


def facts(database: Database) -> list[int]:
    with database.read() as connection:
        return [n for (n,) in connection.exec_driver_sql("SELECT n FROM fact ORDER BY n")]


def gathered(together: Together, threads: ThreadPoolExecutor, acts: list[Callable[[Any], Any]]) -> list[Future[Any]]:
    """What becomes of `acts`, all of which came while one before them was being written."""
    begun, go = threading.Event(), threading.Event()

    def slow(cursor: Any) -> None:
        begun.set()
        assert go.wait(20)

    first = threads.submit(together.write, slow)
    assert begun.wait(20)
    rest = [threads.submit(together.write, act) for act in acts]
    while len(together._waiting) < len(acts):
        threading.Event().wait(0.001)
    go.set()
    first.result(20)
    return rest


def test_what_comes_while_another_is_written_shares_the_next_commit(database: Counted, threads: ThreadPoolExecutor):
    together = Together(database)
    found = gathered(together, threads, [add(n) for n in range(AT_ONCE)])
    assert [future.result(20) for future in found] == [-n for n in range(AT_ONCE)]
    assert facts(database) == list(range(AT_ONCE))
    assert database.commits == 2, "the slow one, and all the others"


def test_one_that_is_refused_leaves_nothing_and_does_not_stop_its_neighbours(
    database: Counted, threads: ThreadPoolExecutor
):
    def refused(cursor: Any) -> None:
        add(99)(cursor)
        raise RunNotFound("r_nobody")

    first, bad, last = gathered(Together(database), threads, [add(1), refused, add(2)])
    assert (first.result(20), last.result(20)) == (-1, -2)
    with pytest.raises(RunNotFound, match="r_nobody"):
        bad.result(20)
    assert facts(database) == [1, 2]


def test_error_of_the_database_is_told_to_all_and_nothing_is_written(database: Counted, threads: ThreadPoolExecutor):
    found = gathered(Together(database), threads, [add(1), add(2), add(1), add(3)])
    for future in found:
        with pytest.raises(sqlite3.IntegrityError):
            future.result(20)
    assert facts(database) == []


def test_one_alone_is_refused_like_one_among_others(database: Counted):
    def refused(cursor: Any) -> None:
        add(99)(cursor)
        raise RunNotFound("r_nobody")

    together = Together(database)
    with pytest.raises(RunNotFound):
        together.write(refused)
    assert together.write(add(5)) == -5
    assert facts(database) == [5]


def test_database_that_others_hold_is_a_503(database: Counted, tmp_path: Path):
    together = Together(database)
    together.write(add(1))
    database._kept[True].cursor().execute("PRAGMA busy_timeout = 20")
    with closing(sqlite3.connect(tmp_path / "together.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusy):
            together.write(add(2))
    assert facts(database) == [1]
