"""What a database error asks for, told by real disks that are full, real locks and real damage."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from store.disks import fill, small_disk
from treadle.store.care.backup import BackupFailed, back_up
from treadle.store.database import Database
from treadle.store.failing import DatabaseBusy, DatabaseFailed, DatabaseFull, accepting, kind_of, reason, room, told


@pytest.fixture(params=["tmpfs", "ext4"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path, request.param) as mounted:
        yield mounted


def table(file: Path) -> Database:
    database = Database(f"sqlite:///{file}")
    with database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE t (n INTEGER PRIMARY KEY, text TEXT)")
    return database


def write(database: Database, size: int = 200_000) -> None:
    with accepting(database) as connection:
        connection.exec_driver_sql("INSERT INTO t (text) VALUES (?)", ("x" * size,))


def count(database: Database) -> int:
    with database.read() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM t").scalar_one())


def raised_by(act: Callable[[], object]) -> BaseException:
    with pytest.raises(Exception) as error:  # noqa: PT011 - which one it is, is what the tests are about
        act()
    return error.value


def test_full_disk_takes_nothing_says_so_and_goes_on_when_there_is_room(disk):
    database = table(disk / "treadle.db")
    write(database)
    ballast = fill(disk)
    assert room(disk / "treadle.db") < 65536
    for _ in range(3):
        refusal = raised_by(lambda: write(database))
        assert isinstance(refusal, DatabaseFull)
        assert (refusal.status, refusal.code) == (507, "database_full")
        assert kind_of(refusal.__cause__) == "full"
    assert "`treadle prune`" in str(refusal)
    assert count(database) == 1, "what was there can be read"
    ballast.unlink()
    write(database)
    assert count(database) == 2
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    database.close()


def test_full_disk_is_told_from_a_broken_one_by_who_opens_the_database(tmp_path):
    """The index of the log cannot be allocated; SQLite calls that an I/O error."""
    with small_disk(tmp_path) as disk:
        table(disk / "treadle.db").close()
        ballast = fill(disk)
        late = Database(f"sqlite:///{disk / 'treadle.db'}")
        error = raised_by(lambda: count(late))
        assert "SQLITE_IOERR" in reason(error)
        assert kind_of(error) == "full"
        ballast.unlink()
        assert count(late) == 0
        late.close()


def test_backup_that_finds_no_room_leaves_nothing_behind(disk):
    database = table(disk / "treadle.db")
    write(database, 1_000_000)
    database.close()
    ballast = fill(disk)
    os.truncate(ballast, ballast.stat().st_size - 300_000)
    before = sorted(path.name for path in disk.iterdir())
    with pytest.raises(BackupFailed, match=f"there is no room for it at {disk}"):
        back_up(disk / "treadle.db", disk / "copy.db")
    assert sorted(path.name for path in disk.iterdir()) == before


def test_busy_database_is_waited_for(tmp_path):
    database = table(tmp_path / "treadle.db")
    with closing(sqlite3.connect(tmp_path / "treadle.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        def soon() -> None:
            with accepting(database) as connection:
                connection.exec_driver_sql("SELECT 1")

        with database.read() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 10")  # of the pooled connection that is used next
        error = raised_by(soon)
        assert isinstance(error, DatabaseBusy)
        assert (error.status, kind_of(error.__cause__)) == (503, "busy")
        other.execute("COMMIT")
    soon()
    database.close()


def test_file_that_may_not_grow_is_an_io_error(tmp_path):
    """The limit of the process stands for a disk that gives up: the write fails, and not for want of room."""
    script = """
import resource, sqlite3, sys
from treadle.store.failing import DatabaseFailed, kind_of, reason, told
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("CREATE TABLE t (text)")
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    connection.execute("INSERT INTO t VALUES (?)", ("x" * 500_000,))
except sqlite3.Error as error:
    print(kind_of(error), reason(error), type(told(error)).__name__)
"""
    command = [sys.executable, "-c", script, str(tmp_path / "treadle.db")]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()
    assert said == "io disk I/O error (SQLITE_IOERR_WRITE) DatabaseFailed"


@pytest.mark.parametrize("how", ["damaged", "not a database", "gone", "read only"])
def test_file_nobody_should_write_to_is_an_io_error(tmp_path, how):
    database = table(tmp_path / "treadle.db")
    write(database)
    database.close()
    file = tmp_path / "treadle.db"
    if how == "damaged":
        with file.open("r+b") as opened:
            opened.seek(4096)
            opened.write(os.urandom(4096))
    elif how == "not a database":
        file.write_bytes(b"nothing of the kind " * 1000)
    elif how == "gone":
        file = tmp_path / "nowhere" / "treadle.db"
    again = Database(f"sqlite:///{file}")

    def change() -> None:
        with again.write() as connection:
            if how == "read only":
                connection.exec_driver_sql("PRAGMA query_only = ON")
            connection.exec_driver_sql("INSERT INTO t (text) VALUES ('')")

    error = raised_by(change)
    assert kind_of(error) == "io", reason(error)
    failure = told(error)
    assert isinstance(failure, DatabaseFailed)
    assert (failure.status, "\n" in str(failure)) == (503, False)
    assert reason(error) in str(failure)
    again.close()


def test_what_is_not_the_databases_doing_stays_as_it_is(tmp_path):
    database = table(tmp_path / "treadle.db")

    def twice() -> None:
        with accepting(database) as connection:
            for _ in range(2):
                connection.exec_driver_sql("INSERT INTO t (n) VALUES (1)")

    error = raised_by(twice)
    assert isinstance(error, IntegrityError)
    assert kind_of(error) == "other"
    assert count(database) == 0

    def nowhere() -> None:
        with accepting(database) as connection:
            connection.exec_driver_sql("INSERT INTO nowhere VALUES (1)")

    assert isinstance(raised_by(nowhere), OperationalError)
    assert told(ValueError("mine")) is None
    database.close()
