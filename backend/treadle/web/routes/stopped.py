"""What a person does with a run that stopped: resume it, retry it, give it up, or say whether a step was done."""

import time
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from treadle.errors import InvalidFields, NotApplicable, RunNotFound
from treadle.registry.schema import NOTHING
from treadle.store.runs import RunDetail, find_run
from treadle.store.workflows import VersionRow, find_version, find_workflow
from treadle.web.dependencies import Body, InStudio, Reading, Sent, acted, page
from treadle.web.forms import Form, problems_of, read_form
from treadle.web.problems import Refusal
from treadle.web.questions import outcomes_of, question_json, question_of

router = APIRouter()
VERDICTS = ("done", "again", "fail")


@router.post("/runs/{run_id}/resumption")
def resume_run(request: Request, run_id: str, studio: InStudio, body: Sent) -> Response:
    """Let an interrupted run go on."""
    studio.requests.reopen(run_id, "resume", epoch=_epoch(body))
    return acted(request, body, run_id, {"id": run_id, "accepted": "resumption"})


@router.post("/runs/{run_id}/retry")
def retry_run(request: Request, run_id: str, studio: InStudio, body: Sent) -> Response:
    """Let a failed or timed out run go on from where it failed."""
    studio.requests.reopen(run_id, "retry", epoch=_epoch(body))
    return acted(request, body, run_id, {"id": run_id, "accepted": "retry"})


@router.post("/runs/{run_id}/abandonment")
def give_up_run(request: Request, run_id: str, studio: InStudio, body: Sent) -> Response:
    """End an interrupted run as failed, now."""
    studio.requests.give_up(run_id, epoch=_epoch(body))
    return acted(request, body, run_id, {"id": run_id, "status": "failed"}, status=201)


@router.get("/runs/{run_id}/question.json")
def run_question(run_id: str, db: Reading) -> dict[str, object]:
    run, versions = _find(db, run_id)
    return {"question": question_json(run, outcomes_of(run, *versions))}


@router.get("/runs/{run_id}/question")
def question_page(request: Request, run_id: str, db: Reading) -> Response:
    run, versions = _find(db, run_id)
    return _page(request, db, run, versions)


@router.post("/runs/{run_id}/verdict")
def judge_run(request: Request, run_id: str, studio: InStudio, db: Reading, body: Sent) -> Response:
    """Say of a step that may be done at most once: it was done (with which event), do it again, or fail the run."""
    run, versions = _find(db, run_id)
    typed = None if body.is_json else body.form
    said = body.json() if typed is None else {name[1:]: typed[name] for name in ("_verdict", "_type") if name in typed}
    if not isinstance(said, dict) or said.get("verdict") not in VERDICTS:
        raise InvalidFields({"verdict": f"Say one of {', '.join(VERDICTS)}."})
    verdict, event = said["verdict"], None
    if verdict == "done" and run.asks:
        outcomes = outcomes_of(run, *versions)
        kind = said.get("type") or (NOTHING if NOTHING in outcomes else next(iter(outcomes), ""))
        if kind not in outcomes:
            raise InvalidFields({"type": f"Its step returns no {kind}; it returns {', '.join(outcomes) or 'nothing'}."})
        schema = outcomes[kind]
        if schema is not None and typed is not None:
            fields, form = read_form(schema, typed)
            if not form.valid:
                return _page(request, db, run, versions, refused=(kind, form), status=422)
            event = {"type": kind, "fields": fields}
        elif schema is not None:
            fields = said.get("fields", {})
            if problems := problems_of(schema, fields):
                raise InvalidFields(problems)
            event = {"type": kind, "fields": fields}
    if verdict == "fail" and run.status in ("running", "held", "waiting"):
        raise NotApplicable(f"Run {run_id} asks nothing.")
    if verdict == "fail":
        studio.requests.give_up(run_id, epoch=_epoch(body))
    else:
        studio.requests.reopen(run_id, verdict, event=event, epoch=_epoch(body))
    return acted(request, body, run_id, {"id": run_id, "accepted": "verdict", "verdict": verdict})


def _page(
    request: Request,
    db: Reading,
    run: RunDetail,
    versions: tuple[VersionRow | None, ...],
    *,
    refused: tuple[str, Form] | None = None,
    status: int = 200,
) -> Response:
    question = question_of(run, *versions, refused=refused)
    return page(request, "question.html", db=db, now=time.time(), status=status, run=run, question=question)


def _find(db: Reading, run_id: str) -> tuple[RunDetail, tuple[VersionRow | None, ...]]:
    """The run, with the version that would go on with it, and the one it was recorded with."""
    run = find_run(db, run_id)
    if run is None:
        raise RunNotFound(run_id)
    current = find_workflow(db, run.workflow)
    return run, (current.version if current else None, find_version(db, run.workflow, run.fingerprint))


def _epoch(body: Body) -> int | None:
    """Which of the run's stops is meant, if it says."""
    sent: Any = body.json() if body.is_json else body.form
    told = (sent.get("epoch") or sent.get("_epoch")) if isinstance(sent, dict) else None
    if told is None:
        return None
    if not str(told).isdigit():
        raise Refusal(422, "invalid_request", "epoch: it is the number /runs/{id}.json gives.")
    return int(told)
