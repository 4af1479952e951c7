"""A backup is whole, as of one moment, one file, and never in place of anything."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from store.remembering import Remembered
from treadle.store.care.backup import KEPT, BackupFailed, back_up, keep_copy, newest_copy
from treadle.store.care.fsck import check
from treadle.store.care.readonly import ReadOnly
from treadle.store.versions import Versions


def treadle(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "treadle", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_copy_says_what_the_database_says(remembered, tmp_path):
    made = back_up(remembered.file, tmp_path / "copy.db")
    assert made.size == (tmp_path / "copy.db").stat().st_size
    copy = Remembered(made.path, remembered.ids)
    for table in ("run", "entry", "prompt", "inbox", "snapshot", "version"):
        query = f"SELECT * FROM {table} ORDER BY 1, 2"
        assert [tuple(row) for row in copy.rows(query)] == [tuple(row) for row in remembered.rows(query)]
    with closing(ReadOnly(made.path)) as database:
        assert check(database, Versions()).clean


def test_copy_made_while_others_write_is_of_one_moment(tmp_path):
    """Two tables that grow together in every transaction are of the same length in every copy."""
    file = tmp_path / "busy.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for name in ("a", "b"):
            connection.execute(f"CREATE TABLE {name} (n INTEGER PRIMARY KEY, text TEXT)")
    written, enough = threading.Semaphore(0), threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(file, isolation_level=None, timeout=10)) as connection:
            n = 0
            while not enough.is_set():
                n += 1
                connection.execute("BEGIN IMMEDIATE")
                for name in ("a", "b"):
                    connection.execute(f"INSERT INTO {name} VALUES (?, ?)", (n, "x" * 2000))
                connection.execute("COMMIT")
                written.release()

    thread = threading.Thread(target=write)
    thread.start()
    lengths = []
    try:
        for n in range(5):
            for _ in range(50):
                assert written.acquire(timeout=10)
            copy = back_up(file, tmp_path / f"copy-{n}.db").path
            with closing(sqlite3.connect(copy)) as connection:
                a, b = (connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("a", "b"))
            assert a == b
            lengths.append(a)
    finally:
        enough.set()
        thread.join()
    assert lengths == sorted(set(lengths)), "the writer went on while it was copied"


def test_copy_needs_no_file_beside_it(remembered, tmp_path):
    with remembered.connected() as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE run SET workflow = 'Renamed'")  # stands only in the log
        made = back_up(remembered.file, tmp_path / "copy.db")
    assert made.path.read_bytes()[18:20] == b"\1\1", "a file with a rollback journal: no log belongs to it"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("copy")) == ["copy.db"]
    assert {row["workflow"] for row in Remembered(made.path, {}).rows("SELECT workflow FROM run")} == {"Renamed"}


def test_nothing_is_overwritten(remembered, tmp_path):
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")
    with pytest.raises(BackupFailed, match=r"precious\.txt is there already"):
        back_up(remembered.file, precious)
    assert precious.read_text() == "mine"


def test_damaged_database_leaves_no_copy(remembered, tmp_path):
    ((page,),) = remembered.rows("SELECT rootpage FROM sqlite_schema WHERE name = 'entry'")
    with remembered.file.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(os.urandom(4096))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(BackupFailed):
        back_up(remembered.file, tmp_path / "copy.db")
    assert sorted(tmp_path.iterdir()) == before


def test_target_that_cannot_be_written_is_named(remembered, tmp_path):
    with pytest.raises(BackupFailed, match=r"nowhere/copy\.db cannot be written: No such file or directory"):
        back_up(remembered.file, tmp_path / "nowhere" / "copy.db")


def test_few_copies_from_before_migrations_are_kept(remembered):
    day = 86400.0
    made = [keep_copy(remembered.file, f"000{n}", now=day * n).path for n in range(1, KEPT + 3)]
    assert made[0].name == "treadle.0001.19700102-000000.db"
    assert [path.exists() for path in made] == [False, False] + [True] * KEPT
    assert newest_copy(remembered.file) == made[-1]
    unrelated = remembered.file.with_name("treadle.mine.db")
    unrelated.write_text("not a copy of ours")
    keep_copy(remembered.file, "0009", now=day * 9)
    assert unrelated.exists()


def test_command_tells_size_and_time(remembered, tmp_path):
    ended = treadle("backup", tmp_path / "copy.db", "--database", remembered.file)
    assert ended.returncode == 0, ended.stderr
    assert f"Wrote {tmp_path / 'copy.db'}: " in ended.stdout
    assert " MiB in " in ended.stdout
    assert " s, checked." in ended.stdout
    again = treadle("backup", tmp_path / "copy.db", "--database", remembered.file)
    assert (again.returncode, "overwrites nothing" in again.stderr) == (2, True)


def test_command_sends_postgres_to_its_own_tool(tmp_path):
    ended = treadle("backup", tmp_path / "copy.db", "--database", "postgresql://somewhere/treadle")
    assert (ended.returncode, "pg_dump" in ended.stderr) == (2, True)
