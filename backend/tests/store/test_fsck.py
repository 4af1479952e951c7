"""The check finds whatever is not as its journal says, names the run, and changes nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from store.remembering import FLOWS, Remembered
from treadle import terminal
from treadle.errors import RunNotFound, SettingsError
from treadle.settings import read_settings
from treadle.store.care.fsck import Report, check
from treadle.store.care.readonly import ReadOnly
from treadle.store.versions import Versions

LAST = "(SELECT entries FROM run WHERE id = :chain)"
ANOTHER = (  # a copy of an entry, and of a run, that is changed before it is put back
    "CREATE TEMP TABLE entry_copy AS SELECT * FROM entry WHERE run_id = :answered ORDER BY seq DESC LIMIT 1",
    "CREATE TEMP TABLE run_copy AS SELECT * FROM run WHERE id = :before",
    "UPDATE run_copy SET idempotency_key = NULL",
)
PUT_BACK = ("INSERT INTO entry SELECT * FROM entry_copy", "INSERT INTO run SELECT * FROM run_copy")

# What can be done to a database behind Treadle's back: the run that is hit, the proof that fails, and how it is done.
DAMAGES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "an entry is gone": ("chain", "gapless", ("DELETE FROM entry WHERE run_id = :chain AND seq = 3",)),
    "the last entry is gone": ("chain", "gapless", (f"DELETE FROM entry WHERE run_id = :chain AND seq = {LAST}",)),
    "a step finished twice": (
        "answered",
        "finished once",
        (*ANOTHER[:1], "UPDATE entry_copy SET seq = seq + 1", PUT_BACK[0]),
    ),
    "a step finished that nothing started": (
        "chain",
        "fold",
        ("UPDATE entry SET step = 'nobody' WHERE run_id = :chain AND kind = 'step_finished' AND seq < 5",),
    ),
    "an entry of no kind": (
        "chain",
        "fold",
        ("UPDATE entry SET kind = 'dreamt' WHERE run_id = :chain AND seq = 2",),
    ),
    "a payload that is no JSON": (
        "chain",
        "fold",
        ("UPDATE entry SET payload = '{' WHERE run_id = :chain AND seq = 2",),
    ),
    "another status": ("chain", "summary", ("UPDATE run SET status = 'failed' WHERE id = :chain",)),
    "another result": ("answered", "summary", ("UPDATE run SET result = '43' WHERE id = :answered",)),
    "another error": (
        "fails",
        "summary",
        ("UPDATE run SET error = json_set(error, '$.step', 'hear') WHERE id = :fails",),
    ),
    "another count": (
        "chain",
        "summary",
        ("UPDATE run SET counts = json_set(counts, '$.steps.go_on.done', 7) WHERE id = :chain",),
    ),
    "an empty queue": ("held", "summary", ("UPDATE run SET queue = '[]' WHERE id = :held",)),
    "another end": ("chain", "summary", ("UPDATE run SET ended_at = ended_at + 1 WHERE id = :chain",)),
    "a run that should go on": ("chain", "summary", ("UPDATE run SET status = 'running' WHERE id = :chain",)),
    "a parked run that does not say why": (
        "asking",
        "summary",
        ("UPDATE run SET status = 'interrupted' WHERE id = :asking",),
    ),
    "a row of nonsense": ("asking", "readable", ("UPDATE run SET counts = 'many' WHERE id = :asking",)),
    "a large value is gone": ("large", "readable", ("DELETE FROM blob WHERE run_id = :large",)),
    "a large value is damaged": (
        "large",
        "readable",
        ("UPDATE blob SET bytes = substr(bytes, 1, 100) WHERE run_id = :large",),
    ),
    "another context": (
        "chain",
        "context",
        ("UPDATE snapshot SET context = json_set(context, '$.count', 2) WHERE run_id = :chain",),
    ),
    "another value of a class": (
        "chain",
        "context",
        ("UPDATE snapshot SET context = json_set(context, '$.box.v.at.v.x', 9) WHERE run_id = :chain",),
    ),
    "a context from the future": ("chain", "context", ("UPDATE snapshot SET seq = 99 WHERE run_id = :chain",)),
    "a closed prompt": ("asking", "prompts", ("UPDATE prompt SET status = 'withdrawn' WHERE run_id = :asking",)),
    "a closed prompt of a waiting step": (
        "waiting",
        "prompts",
        ("UPDATE prompt SET status = 'withdrawn' WHERE run_id = :waiting",),
    ),
    "a prompt nobody waits for": (
        "answered",
        "prompts",
        ("UPDATE prompt SET status = 'open' WHERE run_id = :answered",),
    ),
    "no prompt": ("inside", "prompts", ("DELETE FROM prompt WHERE run_id = :inside",)),
    "a run that never starts": (
        "r_forgotten",
        "reason to wait",
        (
            ANOTHER[1],
            ANOTHER[2],
            "UPDATE run_copy SET id = 'r_forgotten', status = 'running', entries = 0, counts = '{}', parent_id = NULL",
            PUT_BACK[1],
        ),
    ),
    "a start that would happen again": (
        "asking",
        "handled once",
        ("UPDATE inbox SET handled_at = NULL WHERE run_id = :asking AND kind = 'start'",),
    ),
    "an answer that would come again": (
        "answered",
        "handled once",
        ("UPDATE inbox SET handled_at = NULL WHERE run_id = :answered AND kind = 'response'",),
    ),
    "an answer that got lost": (
        "asking",
        "handled once",
        (
            (
                "INSERT INTO inbox (run_id, kind, dedupe, body, created_at, handled_at)"
                " SELECT run_id, 'response', id, json_object('prompt', id), 1, 2 FROM prompt WHERE run_id = :asking"
            ),
        ),
    ),
    "a nested run without a parent": ("inside", "family", ("UPDATE run SET parent_id = 'r_gone' WHERE id = :inside",)),
    "a nested run its parent did not call for": (
        "inside",
        "family",
        ("UPDATE run SET parent_step = 'other' WHERE id = :inside",),
    ),
    "a nested run that was doubled": (
        "outside",
        "family",
        (ANOTHER[1], ANOTHER[2], "UPDATE run_copy SET id = 'r_doubled'", PUT_BACK[1]),
    ),
    "a nested run that ended otherwise": (
        "outside",
        "family",
        ("UPDATE run SET status = 'failed' WHERE id = :before",),
    ),
}


def checked(remembered: Remembered, **options: object) -> Report:
    with closing(ReadOnly(remembered.file)) as database:
        return check(database, Versions(), **options)  # type: ignore[arg-type]


def treadle(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "treadle", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_what_real_workers_left_is_clean(remembered):
    report = checked(remembered)
    assert (report.findings, report.notes) == ([], [])
    assert report.runs == len(remembered.ids)
    assert report.entries == remembered.rows("SELECT count(*) FROM entry")[0][0]


def test_same_is_found_with_the_code_as_with_the_recorded_version(remembered):
    """Also of values whose classes are not loaded, and of one that has no form on disk; and by the graph alone."""
    versions = Versions(terminal.routes([FLOWS]))
    with closing(ReadOnly(remembered.file)) as database:
        report = check(database, versions)
    assert (report.findings, report.notes) == ([], [])
    remembered.change("UPDATE version SET graph = json_remove(graph, '$.routes')")
    report = checked(remembered)
    assert (report.findings, report.notes) == ([], [])


def test_value_that_was_left_out_is_a_note_that_says_which(remembered):
    """As an earlier Treadle wrote it."""
    remembered.change(
        """UPDATE entry SET detail = '{"not_stored":"box is a Box, which has no exact form on disk"}'"""
        " WHERE run_id = :chain AND kind = 'context_changed' AND seq = 2"
    )
    report = checked(remembered)
    assert report.clean
    (note,) = report.notes
    assert (note.check, note.run, note.entry) == ("not compared", remembered.ids["chain"], 2)
    assert "box is a Box" in note.message


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found_in_its_run(remembered, damage):
    run, proof, statements = DAMAGES[damage]
    remembered.change(*statements)
    report = checked(remembered)
    run_id = remembered.ids.get(run, run)
    assert (proof, run_id) in {(finding.check, finding.run) for finding in report.findings}, report
    assert not checked(remembered, run_id=run_id).clean


def test_step_in_doubt_is_told_as_such_and_settled_by_the_code(remembered):
    """The recorded graph does not tell whether a step takes its events together: what differs may be due to that."""
    remembered.change(
        "UPDATE version SET graph = json_remove(graph, '$.routes')", "UPDATE run SET result = '4' WHERE id = :joined"
    )
    report = checked(remembered)
    assert report.clean
    (note,) = [note for note in report.notes if note.run == remembered.ids["joined"]]
    assert "join takes Left, Right one by one or together" in note.message
    loaded = terminal.check(read_settings(database=str(remembered.file)), run_id=None, workflows=[FLOWS])
    (finding,) = loaded.findings
    assert (finding.check, finding.run) == ("summary", remembered.ids["joined"])
    assert finding.message == "result is 4 as stored and 3 by its journal"


def test_run_that_went_on_with_later_code_agrees_with_that(remembered):
    remembered.change(
        "INSERT INTO version SELECT workflow, 'older', replace(graph, 'go_on', 'go_off'), start_schema, responses,"
        " source, 0 FROM version WHERE workflow = 'Chain'",
        "UPDATE run SET fingerprint = 'older' WHERE id = :chain",
    )
    assert checked(remembered).clean


def test_run_of_an_unknown_workflow_is_checked_as_far_as_that_goes(remembered):
    remembered.change("DELETE FROM version WHERE workflow = 'Chain'")
    report = checked(remembered)
    assert report.clean
    unknown = [note.run for note in report.notes if "no version of Chain is recorded" in note.message]
    assert set(unknown) == {remembered.ids[name] for name in ("chain", "held", "before")}
    remembered.change("DELETE FROM entry WHERE run_id = :chain AND seq = 3")
    assert not checked(remembered).clean


def test_rows_that_refer_to_nothing_are_found(remembered):
    remembered.change("PRAGMA foreign_keys = OFF", "DELETE FROM run WHERE id = :answered")
    report = checked(remembered)
    assert {finding.message for finding in report.findings} == {
        "1 rows of prompt are of runs that are not there",
        "2 rows of inbox are of runs that are not there",
        "1 rows of snapshot are of runs that are not there",
    }
    assert any("rows of entry are of runs that are gone" in note.message for note in report.notes)


def test_damaged_pages_are_found_and_the_other_runs_checked(remembered):
    ((page,),) = remembered.rows("SELECT rootpage FROM sqlite_schema WHERE name = 'ix_run_created'")
    with remembered.file.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(os.urandom(4096))
    report = checked(remembered)
    assert "integrity" in {finding.check for finding in report.findings}
    assert report.runs == len(remembered.ids)


def test_run_that_is_not_there(remembered):
    with pytest.raises(RunNotFound):
        checked(remembered, run_id="r_nowhere")


def test_nothing_is_changed_and_nothing_is_left_behind(remembered):
    before = {path.name: path.read_bytes() for path in remembered.file.parent.iterdir()}
    checked(remembered)
    assert {path.name: path.read_bytes() for path in remembered.file.parent.iterdir()} == before


def test_log_of_a_crash_is_read_and_left_alone(remembered, tmp_path):
    """A copy with the log still beside it is what `kill -9` leaves."""
    folder = tmp_path / "crashed"
    folder.mkdir()
    with remembered.connected() as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE run SET status = 'failed' WHERE id = :chain", remembered.ids)
        for name in ("treadle.db", "treadle.db-wal"):
            shutil.copy(remembered.file.with_name(name), folder)
    crashed = Remembered(folder / "treadle.db", remembered.ids)
    before = [(folder / name).read_bytes() for name in ("treadle.db", "treadle.db-wal")]
    assert [finding.run for finding in checked(crashed).findings] == [remembered.ids["chain"]]
    assert [(folder / name).read_bytes() for name in ("treadle.db", "treadle.db-wal")] == before


def test_command_exits_0_1_or_2_and_tells_programs(remembered, tmp_path):
    clean = treadle("fsck", "--database", remembered.file, "--json")
    assert clean.returncode == 0, clean.stderr
    told = json.loads(clean.stdout)
    assert (told["clean"], told["findings"], told["runs"]) == (True, [], len(remembered.ids))

    remembered.change("UPDATE run SET status = 'failed' WHERE id = :chain")
    wrong = treadle("fsck", "--database", remembered.file)
    assert wrong.returncode == 1
    assert f"WRONG  {remembered.ids['chain']}: status is 'failed' in its row and 'completed' by" in wrong.stdout
    assert treadle("fsck", "--database", remembered.file, "--run", remembered.ids["fan"]).returncode == 0

    missing = treadle("fsck", "--database", tmp_path / "nothing.db")
    assert (missing.returncode, "There is no database" in missing.stderr) == (2, True)
    assert not (tmp_path / "nothing.db").exists()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("PRAGMA user_version = 99", "newer than this Treadle"),
        ("UPDATE alembic_version SET version_num = '0999'", "newer than this Treadle"),
        ("PRAGMA user_version = 0", "treadle migrate"),
        ("PRAGMA application_id = 7", "another program"),
    ],
)
def test_database_of_another_version_or_program_is_not_checked(remembered, statement, words):
    remembered.change(statement)
    with pytest.raises(SettingsError, match=words):
        terminal.check(read_settings(database=str(remembered.file)), run_id=None, workflows=[])


def test_workflow_file_that_ends_its_process_ends_nobody_else(remembered, tmp_path):
    hostile = tmp_path / "hostile.py"
    hostile.write_text("import os\nos._exit(9)\n")
    report = terminal.check(read_settings(database=str(remembered.file)), run_id=None, workflows=[hostile])
    assert report.clean
    assert report.notes[0].message == "the workflow files did not load (exit 9); recorded versions stand in for them"
