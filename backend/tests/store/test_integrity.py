"""A file is looked at before it is served: whose it is, how old, whether it is whole; one server to a file."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from treadle.errors import DatabaseInUse, SettingsError
from treadle.resources import MIGRATIONS
from treadle.store.care.backup import keep_copy
from treadle.store.care.integrity import DatabaseDamaged, examine, expect_schema
from treadle.store.care.lock import lock_file, only_one, sockets_beside
from treadle.store.care.upkeep import LARGE, SMALL, checkpoint
from treadle.store.database import Database
from treadle.store.migrations import revisions

KNOWN = revisions(MIGRATIONS)


def ruin(file: Path, page_of: str = "ix_run_created") -> None:
    """Random bytes where a page was."""
    with closing(sqlite3.connect(file)) as connection:
        query = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        ((page,),) = connection.execute(query, (page_of,)).fetchall()
    with file.open("r+b") as opened:
        opened.seek((page - 1) * 4096)
        opened.write(os.urandom(4096))


def whole(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_a_server_closed_is_not_checked_again(remembered):
    ruin(remembered.file)
    examine(remembered.file, known=KNOWN, left_open=False)


def test_damage_after_an_unclean_stop_is_refused_and_says_what_to_do(remembered):
    examine(remembered.file, known=KNOWN, left_open=True)
    copy = keep_copy(remembered.file, "0001", now=0.0)
    ruin(remembered.file)
    before = whole(remembered.file.parent)
    with pytest.raises(DatabaseDamaged) as refusal:
        examine(remembered.file, known=KNOWN, left_open=True)
    told = str(refusal.value)
    for words in (str(remembered.file), "Copy it away with its -wal", "treadle fsck", ".recover", str(copy.path)):
        assert words in told
    assert "\n" not in told
    assert whole(remembered.file.parent) == before


def test_log_that_was_left_behind_is_reason_enough_to_check(remembered, tmp_path):
    """A copy with its log, as after a power cut that took the lock's mark."""
    folder = tmp_path / "cut"
    folder.mkdir()
    with remembered.connected() as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE prompt SET prefix = 'later'")
        for name in ("treadle.db", "treadle.db-wal"):
            shutil.copy(remembered.file.with_name(name), folder)
    ruin_in_place = folder / "treadle.db"
    with closing(sqlite3.connect(remembered.file)) as connection:
        ((page,),) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'ix_run_created'").fetchall()
    with ruin_in_place.open("r+b") as opened:
        opened.seek((page - 1) * 4096)
        opened.write(os.urandom(4096))
    with pytest.raises(DatabaseDamaged):
        examine(ruin_in_place, known=KNOWN, left_open=False)


def test_first_page_gone_is_damage_to_who_knows_the_file(remembered):
    with remembered.file.open("r+b") as file:
        file.write(b"\0" * 100)
    with pytest.raises(DatabaseDamaged, match="file is not a database"):
        examine(remembered.file, known=KNOWN, left_open=True)
    with pytest.raises(SettingsError, match="is not a SQLite database; name another file"):
        examine(remembered.file, known=KNOWN, left_open=False)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("PRAGMA user_version = 99", "is at schema 99, newer than this Treadle knows"),
        ("UPDATE alembic_version SET version_num = '0999'", "is at schema 0999, newer than this Treadle knows"),
        ("PRAGMA application_id = 1", "is the database of another program"),
    ],
)
def test_newer_or_foreign_file_is_refused_untouched(remembered, statement, words):
    remembered.change(statement)
    before = whole(remembered.file.parent)
    with pytest.raises(SettingsError, match=words):
        examine(remembered.file, known=KNOWN, left_open=False)
    assert whole(remembered.file.parent) == before


def test_foreign_file_without_a_name_is_refused_too(tmp_path):
    file = tmp_path / "bookmarks.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE bookmark (url TEXT)")
    with pytest.raises(SettingsError, match="another program"):
        examine(file, known=KNOWN, left_open=False)


def test_new_file_and_none_are_fine(tmp_path):
    examine(tmp_path / "nothing.db", known=KNOWN, left_open=False)
    (tmp_path / "empty.db").touch()
    examine(tmp_path / "empty.db", known=KNOWN, left_open=True)


def test_command_refuses_with_an_exit_code_and_a_sentence(remembered):
    remembered.change("PRAGMA user_version = 99")
    before = whole(remembered.file.parent)
    for command in (["migrate"], ["serve", "--port", "0"], ["worker"], ["fsck"], ["prune", "--keep", "0"]):
        asked = [sys.executable, "-m", "treadle", *command, "--database", str(remembered.file)]
        ended = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 2, (command, ended)
        assert ended.stderr.startswith("treadle: The database "), (command, ended)
        assert len(ended.stderr.splitlines()) == 1, (command, ended)
    after = whole(remembered.file.parent)
    assert after["treadle.db"] == before["treadle.db"]


def test_worker_of_another_version_is_told_the_way(remembered):
    with closing(Database(remembered.url)) as database:
        expect_schema(database, MIGRATIONS)
    remembered.change("PRAGMA user_version = 1")
    with closing(Database(remembered.url)) as database, pytest.raises(SettingsError, match="with `treadle migrate`"):
        expect_schema(database, MIGRATIONS)


def test_lock_is_one_to_a_file_and_names_its_holder(tmp_path):
    file = tmp_path / "treadle.db"
    with only_one(file, "serve (process 1, at http://127.0.0.1:8765/)") as lock:
        assert not lock.left_open
        lock.say("serve (process 1, at http://127.0.0.1:9/)")
        words = r"in use by treadle serve \(process 1, at http://127.0.0.1:9/\); stop"
        with pytest.raises(DatabaseInUse, match=words), only_one(file, "migrate (process 2)"):
            pass
        assert sockets_beside(file) is None
        lock.say("serve (process 1, at http://127.0.0.1:9/)", sockets=tmp_path / "sockets")
        with pytest.raises(DatabaseInUse, match=words), only_one(file, "migrate (process 2)"):
            pass
        assert sockets_beside(file) == tmp_path / "sockets"
        with only_one(tmp_path / "other.db", "serve (process 2)") as other:
            other.closed()
        lock.closed()
        assert sockets_beside(file) is None
    assert sockets_beside(tmp_path / "none.db") is None
    with only_one(file, "serve") as lock:
        assert not lock.left_open
    with only_one(file, "serve") as lock:
        assert lock.left_open, "the last one did not say that it had closed the file"
    assert lock_file(file).name == "treadle.lock"


def test_log_is_moved_into_the_file_by_one_alone_and_stays_short(tmp_path):
    """Two writers that leave it alone, and who keeps the file looking at it now and then."""
    file = tmp_path / "treadle.db"
    wal = tmp_path / "treadle.db-wal"
    writers = [Database(f"sqlite:///{file}", full=False, checkpoints=False) for _ in range(2)]
    with writers[0].write() as connection:
        connection.exec_driver_sql("CREATE TABLE t (n INTEGER PRIMARY KEY, text TEXT)")

    def write(database: Database, first: int, count: int) -> None:
        for n in range(first, first + count):
            with database.write() as connection:
                connection.exec_driver_sql("INSERT INTO t VALUES (?, ?)", (n, "x" * 100_000))

    write(writers[0], 0, 10)
    checkpoint(file)
    assert file.stat().st_size < 20_000, "a short log is left alone"
    threads = [threading.Thread(target=write, args=(one, 1000 * n, 200)) for n, one in enumerate(writers, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wal.stat().st_size > SMALL
    checkpoint(file)
    assert file.stat().st_size > SMALL
    write(writers[0], 5000, 1)
    assert wal.stat().st_size > SMALL, "the log begins anew in the space it has"
    write(writers[0], 6000, LARGE // 25 + 10)
    checkpoint(file)
    assert wal.stat().st_size == 0, "a long one is cut"
    with writers[0].read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM t").scalar() == 10 + 400 + 1 + LARGE // 25 + 10
    for writer in writers:
        writer.close()
