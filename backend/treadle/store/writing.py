"""Writing: how what several runs add to the database is written in one transaction."""

from __future__ import annotations

import zlib
from typing import Any

from sqlalchemy import bindparam, delete, insert, literal_column, null, select, update
from sqlalchemy.dialects.sqlite import insert as insert_unless
from sqlalchemy.engine import Dialect

from treadle.engine.summary import Summary
from treadle.store.lineage import BORN_WITH
from treadle.store.prepared import Prepared
from treadle.store.share import Mark, Share
from treadle.store.tables import Blob, Entry, Inbox, Prompt, Run, SavedState, Snapshot, Version

_runs, _entries, _prompts = Run.__table__, Entry.__table__, Prompt.__table__  # type: ignore[attr-defined]
_inbox, _snapshots, _versions = Inbox.__table__, Snapshot.__table__, Version.__table__  # type: ignore[attr-defined]
_blobs, _states = Blob.__table__, SavedState.__table__  # type: ignore[attr-defined]

_INDEXED = ("status", "lease_owner")
_FACTS = ("held", "entries", "started_at", "ended_at", "counts", "queue", "result", "error")
_SOME = tuple(f"run_{n}" for n in range(32))


class Writing:
    """Writes groups of shares to one kind of database."""

    def __init__(self, dialect: Dialect) -> None:
        entry = [column.name for column in _entries.columns]
        as_row = select(*(bindparam(column.name, type_=column.type) for column in _entries.columns))
        mine = (_runs.c.id == bindparam("run"), _runs.c.epoch == bindparam("its_epoch"))
        facts: dict[str, Any] = {name: bindparam(f"new_{name}") for name in _FACTS}
        indexed: dict[str, Any] = {name: bindparam(f"new_{name}") for name in _INDEXED}
        as_before = (_runs.c[name] == value for name, value in indexed.items())
        still_open = (
            _prompts.c.run_id == bindparam("run"), _prompts.c.id == bindparam("prompt"),
            _prompts.c.status == literal_column("'open'"),
        )  # fmt: skip
        answer: dict[str, Any] = {
            "status": bindparam("new_status"), "answered_at": bindparam("at"),
            "response": bindparam("new_response"), "response_type": bindparam("kind"),
        }  # fmt: skip
        handled = update(_inbox).where(_inbox.c.id == bindparam("inbox")).values(handled_at=bindparam("at"))
        version = [column.name for column in _versions.columns]
        self.insert_run = Prepared(insert(_runs), dialect, BORN_WITH)
        self.insert_version = Prepared(insert_unless(_versions).on_conflict_do_nothing(), dialect, version)
        self.insert_entry = Prepared(insert(_entries), dialect, entry)
        self.insert_if_mine = Prepared(insert(_entries).from_select(entry, as_row.where(*mine)), dialect)
        self.go_on = Prepared(update(_runs).where(*mine, *as_before).values(facts), dialect)
        self.update_run = Prepared(update(_runs).where(*mine).values(facts | indexed), dialect)
        self.is_mine = Prepared(select(_runs.c.id).where(*mine).with_for_update(), dialect)
        some = _runs.c.id.in_([bindparam(name) for name in _SOME])
        self.epochs = Prepared(select(_runs.c.id, _runs.c.epoch).where(some).with_for_update(), dialect)
        opened = ["run_id", "id", "event_type", "prefix", "payload", "status", "created_at", "expects"]
        # The number of one that a run withdrew at its end is taken: it asks again when the run is opened again.
        again: dict[str, Any] = {
            "status": literal_column("'open'"), "created_at": literal_column("excluded.created_at"),
            "answered_at": null(), "response": null(), "response_type": null(),
        }  # fmt: skip
        reopened = insert_unless(_prompts).on_conflict_do_update(
            index_elements=[_prompts.c.run_id, _prompts.c.id], set_=again,
            where=_prompts.c.status == literal_column("'withdrawn'"),
        )  # fmt: skip
        self.open_prompt = Prepared(reopened, dialect, opened)
        self.close_prompt = Prepared(update(_prompts).where(*still_open).values(answer), dialect)
        self.handle = Prepared(handled, dialect)
        blob = [column.name for column in _blobs.columns]
        self.keep_blob = Prepared(insert_unless(_blobs).on_conflict_do_nothing(), dialect, blob)
        self.remark = Prepared(update(_runs).where(mine[0]).values(remarks=bindparam("new_remarks")), dialect)
        self.drop_snapshot = Prepared(delete(_snapshots).where(_snapshots.c.run_id == bindparam("run")), dialect)
        self.keep_snapshot = Prepared(_in_place(_snapshots), dialect, ["run_id", "seq", "context"])
        self.drop_state = Prepared(delete(_states).where(_states.c.run_id == bindparam("run")), dialect)
        self.keep_state = Prepared(_in_place(_states), dialect, ["run_id", "seq", "bytes"])

    def write(self, cursor: Any, group: list[Share]) -> set[Mark]:
        """Write the shares whose epoch still holds; return the marks of the others."""
        if len(group) == 1 and (entry := _only_entry(group[0])) is not None:
            row = (*entry, group[0].run_id, group[0].epoch)
            return set() if self.insert_if_mine.in_order(cursor, [row]) == 1 else {group[0].mark}
        known = self._known(cursor, group)
        mine = [
            share
            for share in group
            if share.mark in known or (self._bear(cursor, share) and self._touch(cursor, share))
        ]
        for share in mine:
            share.take_out_blobs()
        self.keep_blob.many(cursor, [blob for share in mine for blob in share.blobs])
        self.insert_entry.in_order(cursor, [row for share in mine for row in share.rows()])
        self.open_prompt.many(cursor, [row for share in mine for row in share.opened])
        self.close_prompt.many(cursor, [row for share in mine for row in share.closed])
        self.handle.many(cursor, [row for share in mine for row in share.handled])
        for share in mine:
            self._save(cursor, share)
        return {share.mark for share in group} - {share.mark for share in mine} if len(mine) < len(group) else set()

    def _known(self, cursor: Any, group: list[Share]) -> set[Mark]:
        """The runs whose epoch still holds, of those that need no more than that: asked for many at a time."""
        quiet = [share.run_id for share in group if share.summary is None and share.birth is None]
        found: set[Mark] = set()
        if len(quiet) > 1:  # of one `_touch` asks
            for n in range(0, len(quiet), len(_SOME)):
                asked = dict.fromkeys(_SOME, quiet[n]) | dict(zip(_SOME, quiet[n:], strict=False))
                found.update(self.epochs.all(cursor, asked))
        return found

    def _bear(self, cursor: Any, share: Share) -> bool:
        """Add the row of a run that is born with this share, if its parent is still this worker's."""
        birth = share.birth
        if birth is None:
            return True
        if not self.is_mine.finds(cursor, {"run": birth.place.parent, "its_epoch": birth.parent_epoch}):
            return False
        if birth.version is not None:
            self.insert_version.one(cursor, birth.version)
        self.insert_run.one(cursor, birth.row(share.run_id))
        return True

    def _touch(self, cursor: Any, share: Share) -> bool:
        """Whether the epoch of the run still holds; then its row is brought up to date, if there is its summary."""
        held = {"run": share.run_id, "its_epoch": share.epoch}
        if share.summary is None:
            return self.is_mine.finds(cursor, held)
        values = {**held, **_run_values(share, share.summary)}
        # Setting a column, even to what it is, writes every index it is in: three pages more for the disk to take.
        if self.go_on.one(cursor, values) == 1:
            return True
        return self.is_mine.finds(cursor, held) if share.late else self.update_run.one(cursor, values) == 1

    def _save(self, cursor: Any, share: Share) -> None:
        """Save what goes beside the journal: the context, the state, and what the page is to say."""
        if share.context:
            self.keep_snapshot.one(cursor, {"run_id": share.run_id, "seq": share.seq, "context": share.context})
        elif share.context is not None:  # it cannot be stored, and what an earlier entry said is no more true
            self.drop_snapshot.one(cursor, {"run": share.run_id})
        if share.state:
            packed = zlib.compress(share.state.encode("ascii"), 1)
            self.keep_state.one(cursor, {"run_id": share.run_id, "seq": share.seq, "bytes": packed})
        elif share.state is not None:
            self.drop_state.one(cursor, {"run": share.run_id})
        if share.remarks is not None:
            self.remark.one(cursor, {"run": share.run_id, "new_remarks": share.remarks})


def _in_place(table: Any) -> Any:
    """What puts a row in place of the one that its run has."""
    put = insert_unless(table)
    rest = {column.name: put.excluded[column.name] for column in table.columns if not column.primary_key}
    return put.on_conflict_do_update(index_elements=list(table.primary_key), set_=rest)


def _only_entry(share: Share) -> tuple[Any, ...] | None:
    """The row of the one entry of a share that has nothing else: then the insertion itself looks at the epoch."""
    if (
        len(share.entries) != 1 or share.large or share.summary is not None or share.birth is not None
        or share.context is not None or share.state is not None or share.remarks is not None
        or share.opened or share.closed or share.handled
    ):  # fmt: skip
        return None
    return (share.run_id, *share.entries[0][:8])


def _run_values(share: Share, summary: Summary) -> dict[str, Any]:
    return {
        "new_status": summary.status, "new_held": summary.held, "new_entries": summary.entries,
        "new_started_at": summary.started_at, "new_ended_at": summary.ended_at, "new_counts": summary.counts,
        "new_queue": summary.queue, "new_result": summary.result, "new_error": summary.error,
        "new_lease_owner": share.owner,
    }  # fmt: skip
