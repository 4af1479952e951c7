"""What a page tells of a run: as it is now, or as it was at the entry one looks at."""

from __future__ import annotations

from treadle.store.moments import moment, trigger_of
from treadle.store.passes import pass_of
from treadle.store.prompts import prompts_of
from treadle.store.reading import Reader
from treadle.store.runs import RunDetail
from treadle.store.workflows import VersionRow
from treadle.web.drawings import Told, graph_of
from treadle.web.nesting import nested_runs
from treadle.web.running import count_open
from treadle.web.views import View


def told_of(db: Reader, run: RunDetail, version: VersionRow | None, view: View) -> Told:
    """The counts of a run and its nested runs, at `view.at` if that is asked for, and what is pointed at.

    A moment that cannot be told, because the version is not remembered, is told as now.
    """
    then = None
    if view.at is not None:
        then = moment(db, run.id, run.workflow, run.fingerprint, seq=view.at)
    return Told(
        then.counts if then is not None else run.counts,
        then.status if then is not None else run.status,
        prompts=then.counts["prompts"] if then is not None else count_open(prompts_of(db, run.id)),
        trigger=trigger_of(db, run.id, view.at) if view.at is not None else None,
        passed=pass_of(db, run.id, view.loop, view.number) if view.loop and view.number else None,
        nested=nested_runs(db, run, graph_of(version), at=then.at if then else None) if version else None,
    )
