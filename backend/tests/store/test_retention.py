"""Old runs go with all that is theirs, in small pieces; what somebody may still need stays."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest

from store.remembering import Remembered
from treadle.errors import SettingsError
from treadle.settings import read_settings
from treadle.store.care import retention, upkeep
from treadle.store.care.fsck import Report, check
from treadle.store.care.lock import only_one
from treadle.store.care.readonly import ReadOnly
from treadle.store.care.retention import KEY_LIFE, PIECE, Pruned, Rule, prune, would_go
from treadle.store.care.upkeep import Upkeep
from treadle.store.database import Database
from treadle.store.versions import Versions
from treadle.terminal import rule

LATER = 40 * 86400.0
MONTH = 30 * 86400.0
OLD = Rule(older_than=MONTH)
ENDED = {"chain", "fan", "joined", "caught", "fails", "unkept", "large", "answered", "cancelled"}
ROOTS = {"asking", "waiting", "outside", "held", *ENDED}


def pruned(remembered: Remembered, rule: Rule, *, after: float = LATER, **options: object) -> Pruned:
    with closing(Database(remembered.url, cascades=False)) as database:
        expected = would_go(database, rule, now=time.time() + after)
        options.setdefault("rest", lambda seconds: None)
        done = prune(database, rule, now=time.time() + after, **options)  # type: ignore[arg-type]
    if options.get("whole", True):
        assert (done.runs, done.entries) == (expected.runs, expected.entries)
    return done


def left(remembered: Remembered) -> set[str]:
    there = {row["id"] for row in remembered.rows("SELECT id FROM run")}
    return {name for name, run_id in remembered.ids.items() if run_id in there}


def checked(remembered: Remembered) -> Report:
    with closing(ReadOnly(remembered.file)) as database:
        return check(database, Versions())


def add_runs(remembered: Remembered, count: int, *, like: str = "chain", at: float = 1000.0) -> list[str]:
    """More runs like one there is, without idempotency keys, a second apart."""
    ids = [f"r_more{n:06}" for n in range(count)]
    with remembered.connected() as connection:
        connection.execute("BEGIN")
        for table, key in (("run", "id"), ("entry", "run_id"), ("snapshot", "run_id")):
            connection.execute(
                f"CREATE TEMP TABLE {table}_copy AS SELECT * FROM {table} WHERE {key} = ?", (remembered.ids[like],)
            )
        connection.execute("UPDATE run_copy SET idempotency_key = NULL")
        for n, run_id in enumerate(ids):
            connection.execute("UPDATE run_copy SET id = ?, created_at = ?, ended_at = ?", (run_id, at + n, at + n))
            for table in ("entry", "snapshot"):
                connection.execute(f"UPDATE {table}_copy SET run_id = ?", (run_id,))
            for table in ("run", "entry", "snapshot"):
                connection.execute(f"INSERT INTO {table} SELECT * FROM {table}_copy")
        connection.execute("COMMIT")
    return ids


def grow(remembered: Remembered, run: str, entries: int) -> None:
    """Give a run many entries; what they say is of no consequence here."""
    with remembered.connected() as connection:
        connection.execute(
            "WITH RECURSIVE n(n) AS (SELECT 1000 UNION ALL SELECT n + 1 FROM n WHERE n < 999 + ?)"
            " INSERT INTO entry (run_id, seq, at, kind, payload) SELECT ?, n, 0, 'event_streamed', hex(zeroblob(200))"
            " FROM n",
            (entries, remembered.ids[run]),
        )
        connection.execute(
            "UPDATE run SET entries = (SELECT count(*) FROM entry WHERE run_id = id) WHERE id = ?",
            (remembered.ids[run],),
        )


def test_ended_runs_go_with_all_that_is_theirs(remembered):
    done = pruned(remembered, OLD)
    assert left(remembered) == {"asking", "waiting", "outside", "held", "before", "inside"}
    assert done.runs == len(ENDED)
    for table in ("entry", "prompt", "inbox", "snapshot", "blob"):
        gone = remembered.rows(f"SELECT DISTINCT run_id FROM {table} WHERE run_id NOT IN (SELECT id FROM run)")
        assert gone == [], table
    assert checked(remembered).clean


def test_age_counts_from_the_end(remembered):
    remembered.change(
        "UPDATE run SET idempotency_key = NULL, created_at = created_at - 1000000",
        "UPDATE run SET ended_at = ended_at - 1000000 WHERE id IN (:chain, :fan)",
    )
    pruned(remembered, Rule(older_than=500000.0), after=0.0)
    assert ROOTS - left(remembered) == {"chain", "fan"}


def test_newest_are_kept_however_old(remembered):
    newest = [row["id"] for row in remembered.rows(
        "SELECT id FROM run WHERE parent_id IS NULL AND status IN ('completed', 'failed', 'cancelled')"
        " ORDER BY created_at DESC LIMIT 3"
    )]  # fmt: skip
    pruned(remembered, Rule(older_than=MONTH, keep=3))
    ended = left(remembered) & ENDED
    assert {remembered.ids[name] for name in ended} == set(newest)


def test_many_go_by_count_alone_oldest_first(remembered):
    ids = add_runs(remembered, 50)
    pruned(remembered, Rule(keep=20))
    there = {row["id"] for row in remembered.rows("SELECT id FROM run")} & set(ids)
    assert there == set(ids[-(20 - len(ENDED)) :])


def test_only_runs_that_ended_so(remembered):
    pruned(remembered, Rule(older_than=MONTH, statuses=("failed", "cancelled")))
    assert ENDED - left(remembered) == {"fails", "cancelled"}


def test_family_goes_together_or_not_at_all(remembered):
    """The parent waits for a child that asks somebody; another child is long over."""
    pruned(remembered, OLD)
    assert {"outside", "before", "inside"} <= left(remembered)
    remembered.change("UPDATE run SET status = 'completed' WHERE id = :outside")
    pruned(remembered, OLD)
    assert {"outside", "before", "inside"} <= left(remembered), "a nested run goes on"
    remembered.change(
        "UPDATE run SET status = 'waiting' WHERE id = :outside", "UPDATE run SET status = 'failed' WHERE id = :inside"
    )
    pruned(remembered, OLD)
    assert {"outside", "before", "inside"} <= left(remembered), "the parent goes on"
    remembered.change("UPDATE run SET status = 'cancelled' WHERE id = :outside")
    assert pruned(remembered, OLD).runs == 3
    assert not {"outside", "before", "inside"} & left(remembered)


def test_nested_run_whose_parent_is_gone_goes_like_any_other(remembered):
    remembered.change("UPDATE run SET parent_id = 'r_gone', status = 'completed' WHERE id = :inside")
    pruned(remembered, OLD)
    assert "inside" not in left(remembered)


def test_parked_run_goes_only_when_it_is_named(remembered):
    remembered.change("UPDATE run SET status = 'interrupted' WHERE id = :chain")
    pruned(remembered, OLD)
    assert "chain" in left(remembered)
    pruned(remembered, Rule(older_than=MONTH, statuses=("completed", "interrupted")))
    assert "chain" not in left(remembered)


def test_idempotency_key_is_remembered_for_a_day(remembered):
    """Whoever asks again within a day gets the run he started, however few are kept."""
    pruned(remembered, Rule(keep=0), after=KEY_LIFE - 3600)
    keyed = ENDED - {"answered", "cancelled"}
    assert left(remembered) & ENDED == keyed
    pruned(remembered, Rule(keep=0), after=KEY_LIFE + 3600)
    assert left(remembered) & ENDED == set()


def test_run_that_another_is_about_to_continue_stays(remembered):
    remembered.change(
        "CREATE TEMP TABLE next AS SELECT * FROM run WHERE id = :held",
        "UPDATE next SET id = 'r_next', status = 'running', entries = 0, continued_from = :chain",
        "INSERT INTO run SELECT * FROM next",
    )
    pruned(remembered, OLD)
    assert ENDED & left(remembered) == {"chain"}


def test_run_of_many_entries_goes_in_pieces_and_nobody_waits_long(remembered):
    grow(remembered, "chain", 20 * PIECE)
    waits: list[float] = []
    over = threading.Event()

    def write() -> None:
        with closing(Database(remembered.url, full=False)) as database:
            while not over.wait(0.001):
                began = time.perf_counter()
                with database.write() as connection:
                    connection.exec_driver_sql("UPDATE run SET lease_until = lease_until + 1 WHERE status = 'held'")
                waits.append(time.perf_counter() - began)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        done = pruned(remembered, OLD, rest=time.sleep)
    finally:
        over.set()
        thread.join()
    assert done.entries > 20 * PIECE
    assert remembered.rows("SELECT count(*) FROM entry WHERE run_id = ?", remembered.ids["chain"])[0][0] == 0
    assert len(waits) > 20, "others wrote all the while"
    late = sorted(waits)[len(waits) * 9 // 10]  # a shared machine itself stalls now and then
    assert late < 0.25, f"one in ten waited {late:.2f} s"
    assert done.longest < 1.0


def test_pruning_that_was_cut_short_is_finished_by_the_next(remembered, monkeypatch):
    monkeypatch.setattr(retention, "HOLD", 0.0)
    grow(remembered, "chain", 5 * PIECE)
    transactions = iter(range(100))
    with closing(Database(remembered.url, cascades=False)) as database:
        prune(database, OLD, now=time.time() + LATER, rest=lambda seconds: next(transactions) >= 2)
    assert "chain" not in left(remembered)
    assert remembered.rows("SELECT count(*) FROM entry WHERE run_id = ?", remembered.ids["chain"])[0][0] > 0
    report = checked(remembered)
    assert report.clean
    assert any("takes them away" in note.message for note in report.notes)
    pruned(remembered, OLD)
    assert remembered.rows("SELECT count(*) FROM entry WHERE run_id = ?", remembered.ids["chain"])[0][0] == 0
    assert checked(remembered).notes == []


def test_versions_and_workers_nobody_asks_for_go_too(remembered):
    remembered.change(
        "CREATE TEMP TABLE v AS SELECT * FROM version WHERE workflow = 'Chain'",
        "UPDATE v SET fingerprint = 'forgotten', published_at = 0",
        "INSERT INTO version SELECT * FROM v",
        "INSERT INTO worker (id, name, pid, started_at, heartbeat_at, ended_at, exit) VALUES"
        " ('w_old', 'worker', 1, 0, 0, 1, 'exit 0'), ('w_owner', 'worker', 1, 0, 0, 1, 'exit 0')",
        "UPDATE run SET lease_owner = 'w_owner' WHERE id = :asking",
    )
    before = {row[0] for row in remembered.rows("SELECT workflow FROM version")}
    pruned(remembered, OLD)
    assert remembered.rows("SELECT * FROM version WHERE fingerprint = 'forgotten'") == []
    assert {row[0] for row in remembered.rows("SELECT workflow FROM version")} == before, "of each the newest is kept"
    assert [row["id"] for row in remembered.rows("SELECT id FROM worker")] == ["w_owner"]


def test_vacuum_gives_the_space_back(remembered):
    grow(remembered, "chain", 5 * PIECE)
    remembered.change("UPDATE run SET created_at = 1, ended_at = 1, status = 'failed' WHERE id = :chain")
    remembered.change("PRAGMA wal_checkpoint(TRUNCATE)")
    full = remembered.file.stat().st_size
    command = [sys.executable, "-m", "treadle", "prune", "--database", str(remembered.file), "--older-than", "30d"]
    dry = subprocess.run([*command, "--dry-run"], capture_output=True, text=True, timeout=60, check=False)
    assert (dry.returncode, dry.stdout.startswith("Would delete 1 runs with 50")) == (0, True), dry
    assert "chain" in left(remembered)
    with only_one(remembered.file, "serve (somewhere)"):
        refused = subprocess.run([*command, "--vacuum"], capture_output=True, text=True, timeout=60, check=False)
    assert (refused.returncode, "serve (somewhere)" in refused.stderr) == (3, True)
    assert "chain" in left(remembered)
    done = subprocess.run([*command, "--vacuum"], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "MiB back to the disk." in done.stdout) == (0, True), done
    assert remembered.file.stat().st_size < full - (2 << 20)
    assert checked(remembered).clean


def test_studio_prunes_by_itself(remembered, monkeypatch):
    monkeypatch.setattr(upkeep, "BEAT", 0.01)
    monkeypatch.setattr(upkeep, "FIRST_PRUNED", 0.0)
    done = threading.Event()

    def finished(*arguments, **options):
        pruned = retention.prune(*arguments, **options)
        done.set()
        return pruned

    monkeypatch.setattr(upkeep, "prune", finished)
    keeping = Upkeep(remembered.file, rule=OLD, clock=lambda: time.time() + LATER)
    keeping.start()
    try:
        assert done.wait(20)
    finally:
        keeping.stop()
    assert ENDED & left(remembered) == set()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, (None, None)),
        ({"TREADLE_KEEP_DAYS": "30"}, (30.0, None)),
        ({"TREADLE_KEEP_DAYS": "0.5", "TREADLE_KEEP_RUNS": "1000"}, (0.5, 1000)),
        ({"TREADLE_KEEP_RUNS": ""}, (None, None)),
    ],
)
def test_settings_say_what_is_kept(environment, expected):
    settings = read_settings(environment=environment)
    assert (settings.keep_days, settings.keep_runs) == expected


@pytest.mark.parametrize("value", ["-1", "many", "nan", "1.5"])
def test_setting_that_is_no_count_is_refused(value):
    with pytest.raises(SettingsError, match=r"TREADLE_KEEP_RUNS is .* write a number from 0 on"):
        read_settings(environment={"TREADLE_KEEP_RUNS": value})


def test_options_make_a_rule():
    assert rule(older_than="36h", keep=5, status="failed") == Rule(129600.0, 5, ("failed",))
    for options, words in (
        ({"older_than": None, "keep": None, "status": "failed"}, "Say which runs may go"),
        ({"older_than": "30", "keep": None, "status": "failed"}, "'30' is not an age"),
        ({"older_than": "-1d", "keep": None, "status": "failed"}, "'-1d' is not an age"),
        ({"older_than": "1d", "keep": None, "status": "running"}, "'running' is not how a run ends"),
    ):
        with pytest.raises(SettingsError, match=words):
            rule(**options)
