"""The run page in regions: drawn once for the page and again, by the same hands, for every frame of its feed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from treadle.store.prompts import PromptRow
from treadle.store.runs import EntryRow, RunDetail
from treadle.store.workers import WorkerRow
from treadle.store.workflows import VersionRow
from treadle.web.forms import Form, blank_form
from treadle.web.questions import question_of
from treadle.web.templating import render

REGIONS = {
    "run-header": "run/_header.html",
    "run-prompts": "run/_prompts.html",
    "run-outcome": "run/_outcome.html",
    "run-queue": "run/_queue.html",
    "run-children": "run/_children.html",
    "workers": "_workers.html",
}


@dataclass(frozen=True, slots=True)
class Answering:
    """A form refused with messages, to be shown in place of the blank one."""

    prompt: int
    response_type: str
    form: Form


def response_forms(
    prompt: PromptRow, version: VersionRow | None, answering: Answering | None = None
) -> tuple[tuple[str, Form], ...]:
    """(response event class, its form) for every response this prompt takes."""
    return tuple(
        (name, answering.form)
        if answering and (answering.prompt, answering.response_type) == (prompt.id, name)
        else (name, blank_form(schema))
        for name, schema in responses_to(prompt, version).items()
    )


def responses_to(prompt: PromptRow, version: VersionRow | None) -> dict[str, dict[str, Any]]:
    """{event class: JSON schema} of what answers a prompt: what its step waits for, or what the steps take."""
    return prompt.expects or (version.responses if version else {})


def run_regions(
    run: RunDetail,
    prompts: Sequence[PromptRow],
    *,
    version: VersionRow | None,
    csrf: str,
    workers: Sequence[WorkerRow] = (),
    current: VersionRow | None = None,
    now: float | None = None,
    answering: Answering | None = None,
) -> dict[str, str]:
    """Every region of the page that changes while a run goes on, by element id."""
    waiting = [prompt for prompt in prompts if prompt.status == "open"]
    values: dict[str, Any] = {
        "run": run,
        "now": time.time() if now is None else now,
        "csrf": csrf,
        "workers": workers,
        "waiting": [(prompt, response_forms(prompt, version, answering)) for prompt in waiting],
        "question": question_of(run, current, version),
        "answered": [prompt for prompt in prompts if prompt.status == "answered"],
    }
    return {name: render(template, **values) for name, template in REGIONS.items()}


def count_open(prompts: Sequence[PromptRow]) -> int:
    """How many prompts of a run wait for an answer."""
    return sum(prompt.status == "open" for prompt in prompts)


def entry_rows(entries: Sequence[EntryRow], run: RunDetail) -> str:
    """The entries of a run as rows of the page; their times are counted from its start."""
    inside = {(child.parent_seq, child.parent_step, child.parent_call): child.id for child in run.children}
    return render("run/_entries.html", entries=entries, started=run.started_at or run.created_at, inside=inside)
