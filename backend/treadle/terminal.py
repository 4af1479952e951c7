"""What terminal commands do: run a workflow and answer its prompts, draw one, look after a database."""

from __future__ import annotations

import asyncio
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from treadle.drawing import form_of, newest_run, possible_graph, stored_run, write
from treadle.engine.events import HumanResponseEvent, InputRequiredEvent
from treadle.engine.serializers import event_text
from treadle.engine.workflow import Workflow
from treadle.errors import SettingsError, TreadleError
from treadle.registry.catalog import event_types
from treadle.registry.loader import LoadedWorkflow, load_file, load_paths, workflows_in
from treadle.resources import MIGRATIONS
from treadle.runner.supervisor import python_command
from treadle.settings import Settings
from treadle.store.care import backup, fsck, retention
from treadle.store.care.cases import Finding
from treadle.store.care.integrity import examine, expect_schema
from treadle.store.care.lock import only_one
from treadle.store.care.readonly import ReadOnly, read_through
from treadle.store.database import Database
from treadle.store.migrations import revisions
from treadle.store.routing import describe
from treadle.store.runs import FINAL
from treadle.store.versions import Versions
from treadle.visualizer.export import Look

LOADING = 60.0
"""Seconds workflow files may take to load when their routes are asked for."""


def find(target: str) -> LoadedWorkflow:
    """The workflow `FILE:CLASS` names; the class may be left out when the file has one. Raises TreadleError."""
    path, _, name = target.rpartition(":") if ":" in target else (target, "", "")
    file = Path(path)
    if not file.is_file():
        raise TreadleError(f"There is no file {path}; write FILE:CLASS, for example flows.py:MyFlow.")
    found = workflows_in(load_file(file.resolve()))
    if not name and len(found) == 1:
        name = next(iter(found))
    if name not in found:
        names = ", ".join(found) or "none"
        raise TreadleError(f"{path} has no workflow {name or 'that is the only one'}; it has: {names}.")
    return LoadedWorkflow(name, found[name], file.resolve(), file.read_text(encoding="utf-8"), "")


async def run(target: str, fields: dict[str, Any], out: Console) -> None:
    """Run a workflow to its end, printing what it streams; prompts are answered from standard input."""
    workflow = find(target).workflow
    handler = workflow.run(**fields)
    async for event in handler.stream_events():
        if isinstance(event, InputRequiredEvent):
            answer = await asyncio.to_thread(input, f"{event.prefix} ")
            handler.ctx.send_event(_response_class(workflow)(response=answer))
        else:
            told, _ = event_text(event, lost=[])
            out.print(f"{type(event).__name__} {told}", markup=False)
    out.print(str(await handler), markup=False)


def draw(
    target: str,
    output: Path,
    look: Look,
    *,
    run: bool = False,
    only: bool = False,
    at: int | None = None,
    database: str | None = None,
) -> str:
    """Draw a workflow (`FILE:CLASS`) or a run (its id) into `output`; what was drawn, in words.

    With `run` it is the newest run of the workflow in the database, with `only` nothing but what the run did is drawn,
    with `at` what it had done by that entry.
    """
    form = form_of(output)
    of_file = ":" in target or Path(target).suffix == ".py"
    if of_file and not (run or only or at is not None):
        loaded = find(target)
        graph = possible_graph(loaded.workflow, expand=look.expand)
        write(replace(graph, workflow=loaded.name), output, form, look=look, caption="All possible flows")
        return target
    run_id = newest_run(find(target).name, database=database) if of_file else target
    told = stored_run(run_id, database=database, at=at)
    write(told.graph, output, form, look=look, run=told.recording(only=only), caption=told.caption)
    return f"run {run_id}"


def check(settings: Settings, *, run_id: str | None, workflows: Sequence[Path]) -> fsck.Report:
    """Check the database, or one run; with the routes of the files `workflows` where they are those of a run.

    Raises SettingsError for a file that cannot be checked, RunNotFound.
    """
    file = _file(settings)
    examine(file, known=revisions(MIGRATIONS), left_open=False)
    loaded, problem = _routes_of(workflows) if workflows else ({}, None)
    if run_id is None:
        read_through(file)
    with closing(ReadOnly(file)) as database:
        expect_schema(database, MIGRATIONS)
        report = fsck.check(database, Versions(loaded), run_id=run_id)
    if problem is not None:
        report.notes.insert(0, Finding("workflows", problem))
    return report


def lines_of(report: fsck.Report) -> Iterator[str]:
    """A report for people: what is wrong, what could not be told, and a last line that sums up."""
    for finding in report.findings:
        yield f"WRONG  {_told(finding)}"
    for note in report.notes:
        yield f"note   {_told(note)}"
    looked_at = f"{report.runs} runs, {report.entries} entries, {report.seconds:.1f} s"
    wrong = f"{len(report.findings)} things are wrong" if report.findings else "clean"
    yield f"{report.database}: {wrong} ({looked_at}{f', {len(report.notes)} notes' if report.notes else ''})"


def copy(settings: Settings, target: Path) -> backup.Backup:
    """Copy the database to the new file `target`. Raises BackupFailed, SettingsError."""
    return backup.back_up(_file(settings), target)


def rule(*, older_than: str | None, keep: int | None, status: str) -> retention.Rule:
    """The rule that these options make. Raises SettingsError for what cannot be read or would delete everything."""
    if older_than is None and keep is None:
        raise SettingsError("Say which runs may go: --older-than 30d, --keep 1000, or both.")
    statuses = tuple(name.strip() for name in status.split(","))
    for name in statuses:
        if name not in (*FINAL, "interrupted"):
            raise SettingsError(f"{name!r} is not how a run ends: {', '.join(sorted(FINAL))} or interrupted.")
    return retention.Rule(_seconds(older_than) if older_than is not None else None, keep, statuses)


def prune(settings: Settings, rule: retention.Rule, *, dry_run: bool, vacuum: bool, say: Callable[[str], None]) -> None:
    """Delete the runs that `rule` lets go and say what went; `vacuum` also makes the file smaller.

    Raises DatabaseInUse when it is to be made smaller while a server has it.
    """
    file = _file(settings)
    examine(file, known=revisions(MIGRATIONS), left_open=False)
    if not vacuum or dry_run:
        say(_pruned(settings, rule, dry_run=dry_run))
        return
    with only_one(file, "prune") as lock:
        say(_pruned(settings, rule, dry_run=False))
        say(f"Gave {size(retention.vacuum(file))} back to the disk.")
        if not lock.left_open:
            lock.closed()


def _pruned(settings: Settings, rule: retention.Rule, *, dry_run: bool) -> str:
    with closing(Database(settings.database, full=settings.full_durability, cascades=False)) as database:
        expect_schema(database, MIGRATIONS)
        if dry_run:
            found = retention.would_go(database, rule, now=time.time())
            return f"Would delete {found.runs} runs with {found.entries} entries."
        done = retention.prune(database, rule, now=time.time())
        free = size(retention.free_bytes(database))
        return f"Deleted {done.runs} runs with {done.entries} entries; {free} of the file are free for new ones."


def routes(paths: Sequence[Path]) -> dict[str, Any]:
    """The routes of the workflows in `paths` as data, by name."""
    return {
        item.name: {
            "fingerprint": item.fingerprint,
            "routes": describe(item.workflow.table.routes, event_types(item.workflow)),
        }
        for item in load_paths(paths)
        if isinstance(item, LoadedWorkflow)
    }


def size(count: int) -> str:
    """A number of bytes as people read it."""
    amount = float(count)
    for unit in ("bytes", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"


def _seconds(age: str) -> float:
    """An age in seconds: a number with s, m, h, d or w behind it."""
    number, unit = age[:-1], {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}.get(age[-1:])
    try:
        seconds = float(number) * unit if unit is not None else -1.0
    except ValueError:
        seconds = -1.0
    if not seconds >= 0.0:
        raise SettingsError(f"{age!r} is not an age; write for example 30d, 12h or 90m.")
    return seconds


def _told(finding: Finding) -> str:
    place = " ".join(filter(None, (finding.run, f"#{finding.entry}" if finding.entry is not None else None)))
    return f"{place + ': ' if place else ''}{finding.message} [{finding.check}]"


def _file(settings: Settings) -> Path:
    file = settings.file
    if file is None or not file.is_file():
        raise SettingsError(f"There is no database {file or settings.database}; name one with --database.")
    return file


def _routes_of(paths: Sequence[Path]) -> tuple[Mapping[str, Any], str | None]:
    """The routes of the workflows in `paths`, loaded by a process of their own; and why not, if they were not."""
    with tempfile.TemporaryDirectory(prefix="treadle-") as folder:
        told = Path(folder) / "routes.json"
        command = python_command("routes", "--output", str(told), *map(str, paths))
        try:
            ended = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                timeout=LOADING, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return {}, f"the workflow files did not load within {LOADING:g} s; recorded versions stand in for them"
        if ended.returncode or not told.exists():
            return {}, f"the workflow files did not load (exit {ended.returncode}); recorded versions stand in for them"
        loaded: Mapping[str, Any] = json.loads(told.read_text(encoding="utf-8"))
        return loaded, None


def _response_class(workflow: Workflow) -> type[HumanResponseEvent]:
    taken = [kind for kind in workflow.table.routes.takers if issubclass(kind, HumanResponseEvent)]
    return taken[0] if len(taken) == 1 else HumanResponseEvent
