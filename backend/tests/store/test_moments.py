"""What a run had done at any of its entries is what its journal says up to there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection

from store.remembering import Remembered
from treadle.store.database import Database
from treadle.store.moments import Trigger, moment, passages, seq_at, trigger_of
from treadle.store.passes import count_passes, pass_of
from treadle.store.reading import Reader
from treadle.store.runs import RunDetail, entries_after, find_run

ENDED = ("chain", "fan", "joined", "caught", "fails", "large", "answered", "cancelled")
OPEN = ("asking", "waiting", "held")


@contextmanager
def reading(remembered: Remembered) -> Iterator[Connection]:
    database = Database(remembered.url, full=False)
    try:
        with database.read() as db:
            yield db
    finally:
        database.close()


def found(db: Reader, remembered: Remembered, name: str) -> RunDetail:
    run = find_run(db, remembered.ids[name])
    assert run is not None
    return run


@pytest.mark.parametrize("name", [*ENDED, *OPEN])
def test_last_moment_is_what_the_run_says_of_itself(remembered: Remembered, name: str) -> None:
    with reading(remembered) as db:
        run = found(db, remembered, name)
        then = moment(db, run.id, run.workflow, run.fingerprint, seq=10_000)
    assert then is not None
    assert (then.seq, then.status, json.loads(json.dumps(then.counts))) == (run.entries, run.status, run.counts)


@pytest.mark.parametrize("name", ENDED)
def test_every_moment_counts_the_entries_up_to_it(remembered: Remembered, name: str) -> None:
    with reading(remembered) as db:
        run = found(db, remembered, name)
        entries = entries_after(db, run.id, after=0, limit=1000)
        for entry in entries:
            then = moment(db, run.id, run.workflow, run.fingerprint, seq=entry.seq)
            assert then is not None and then.seq == entry.seq
            done = [one for one in entries if one.seq <= entry.seq and one.kind == "step_finished"]
            assert sum(step["done"] for step in then.counts["steps"].values()) == len(done)
            for source, event in {(one.step, one.event_type) for one in done if one.event_type}:
                carried = sum((one.step, one.event_type) == (source, event) for one in done)
                assert then.counts["edges"][f"step:{source}>event:{event}"] >= carried


@pytest.mark.parametrize("name", [*ENDED, *OPEN])
def test_passages_are_the_moments_one_by_one(remembered: Remembered, name: str) -> None:
    with reading(remembered) as db:
        run = found(db, remembered, name)
        mine = (db, run.id, run.workflow, run.fingerprint)
        told = list(passages(*mine))
        entries = entries_after(db, run.id, after=0, limit=1000)
        assert [one.kind for one in told] == [entry.kind for entry in entries]
        for entry, one in zip(entries, told, strict=True):
            then = moment(*mine, seq=entry.seq)
            assert then is not None and (one.at, one.status, one.counts) == (then.at, then.status, then.counts)
        assert len(list(passages(*mine, seq=2))) == min(2, run.entries)
    assert json.loads(json.dumps(told[-1].counts)) == run.counts


def test_moment_of_a_forgotten_version_is_none(remembered: Remembered) -> None:
    remembered.change("DELETE FROM version")
    with reading(remembered) as db:
        run = found(db, remembered, "chain")
        assert moment(db, run.id, run.workflow, run.fingerprint, seq=3) is None
        assert list(passages(db, run.id, run.workflow, run.fingerprint)) == []


def test_moment_can_be_told_by_time(remembered: Remembered) -> None:
    with reading(remembered) as db:
        run = found(db, remembered, "chain")
        third = entries_after(db, run.id, after=2, limit=1)[0]
        assert seq_at(db, run.id, 0.0) == 0
        assert seq_at(db, run.id, third.at) >= 3
        assert seq_at(db, run.id, third.at + 1e6) == run.entries


def test_trigger_is_the_event_its_step_was_called_for(remembered: Remembered) -> None:
    with reading(remembered) as db:
        run = found(db, remembered, "chain")
        entries = entries_after(db, run.id, after=0, limit=1000)
        assert trigger_of(db, run.id, 1) is None
        finished = [entry for entry in entries if entry.kind == "step_finished"][1]
        cause = next(entry for entry in entries if entry.seq == finished.cause)
        assert trigger_of(db, run.id, finished.seq) == Trigger(finished.step, cause.event_type, cause.step)


def test_passes_through_a_loop_are_told_apart(remembered: Remembered) -> None:
    """Together they make up the run; each comes back once to where it began, but for the last."""
    with reading(remembered) as db:
        run = found(db, remembered, "chain")
        times = count_passes(db, run.id, "go_on")
        assert times == run.counts["steps"]["go_on"]["started"] > 2
        passes = [pass_of(db, run.id, "go_on", number) for number in range(1, times + 1)]
        assert pass_of(db, run.id, "go_on", times + 1) is None
    assert all(one is not None and "go_on" in one.steps for one in passes)
    back = [one for one in passes if one is not None and any(step == "go_on" for _, step in one.taken if one.sent)]
    assert len(back) == times
