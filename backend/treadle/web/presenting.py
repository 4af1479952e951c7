"""Rows as the JSON that programs read."""

from __future__ import annotations

from typing import Any

from treadle.store.prompts import PromptRow
from treadle.store.runs import EntryRow, RunDetail, RunSummary
from treadle.store.workers import WorkerRow
from treadle.store.workflows import VersionRow, WorkflowRow
from treadle.web.templating import iso, segment


def summary_json(run: RunSummary) -> dict[str, Any]:
    """A run as one item of /runs.json."""
    return {
        "id": run.id,
        "url": f"/runs/{segment(run.id)}",
        "workflow": run.workflow,
        "version": run.fingerprint,
        "status": run.status,
        "held": run.held,
        "created_at": iso(run.created_at),
        "started_at": iso(run.started_at),
        "ended_at": iso(run.ended_at),
        "entries": run.entries,
        "epoch": run.epoch,
        "continued_from": run.continued_from,
        "parent": _parent_json(run),
        "nested": run.nested,
    }


def run_json(run: RunDetail) -> dict[str, Any]:
    """A run as /runs/{id}.json."""
    return summary_json(run) | {
        "result": run.result,
        "error": run.error,
        "counts": run.counts,
        "queue": run.queue,
        "children": [summary_json(child) for child in run.children],
        "warnings": list(run.warnings),
        "not_resumable": run.not_resumable,
    }


def _parent_json(run: RunSummary) -> dict[str, Any] | None:
    if run.parent_id is None:
        return None
    return {
        "id": run.parent_id,
        "url": f"/runs/{segment(run.parent_id)}",
        "seq": run.parent_seq,
        "step": run.parent_step,
        "call": run.parent_call,
    }


def entry_json(entry: EntryRow) -> dict[str, Any]:
    """A journal entry as one item of /runs/{id}/events.json."""
    return {
        "seq": entry.seq,
        "at": iso(entry.at),
        "kind": entry.kind,
        "step": entry.step,
        "event_type": entry.event_type,
        "payload": _payload_json(entry),
        "cause": entry.cause,
        "superseded": entry.superseded,
    }


def _payload_json(entry: EntryRow) -> Any:
    """The payload; of one that is kept apart, or only by what it changed, where to get the whole."""
    form = entry.payload.get("$") if isinstance(entry.payload, dict) else None
    url = f"/runs/{segment(entry.run_id)}/events/{entry.seq}/payload"
    if form == "blob" and entry.head is not None:
        return {"$": "blob", "size": entry.size, "url": url}
    return {**entry.payload, "url": url} if form == "splice" else entry.payload


def prompt_json(prompt: PromptRow, *, responses: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A prompt as one item of /runs/{id}/prompts.json, with the schemas of the responses it takes."""
    return {
        "id": prompt.id,
        "run": prompt.run_id,
        "parent": prompt.parent_id,
        "workflow": prompt.workflow,
        "url": f"/runs/{segment(prompt.run_id)}/prompts/{prompt.id}",
        "event_type": prompt.event_type,
        "prefix": prompt.prefix,
        "payload": prompt.payload,
        "status": prompt.status,
        "created_at": iso(prompt.created_at),
        "answered_at": iso(prompt.answered_at),
        "response_type": prompt.response_type,
        "response": prompt.response,
        "responses": responses,
    }


def workflow_json(workflow: WorkflowRow) -> dict[str, Any]:
    """A workflow as one item of /workflows.json."""
    return {
        "name": workflow.name,
        "url": f"/workflows/{segment(workflow.name)}",
        "title": workflow.title,
        "doc": workflow.doc,
        "file": workflow.file,
        "version": workflow.fingerprint,
        "published_at": iso(workflow.published_at),
        "error": workflow.error,
        "offered": workflow.offered,
    }


def version_json(version: VersionRow | None) -> dict[str, Any]:
    """What a version adds to its workflow: graph, start schema, responses, source."""
    if version is None:
        return {"graph": None, "start_schema": None, "responses": {}, "source": ""}
    return {
        "graph": version.graph,
        "start_schema": version.start_schema,
        "responses": version.responses,
        "source": version.source,
    }


def worker_json(worker: WorkerRow) -> dict[str, Any]:
    """A worker as one item of /health."""
    return {
        "name": worker.name,
        "pid": worker.pid,
        "started_at": iso(worker.started_at),
        "heartbeat_at": iso(worker.heartbeat_at),
        "busy_since": iso(worker.busy_since),
        "busy_run": worker.busy_run,
        "busy_step": worker.busy_step,
    }
