"""Prompts: the inbox, one prompt by its permalink, and the answer a person gives."""

import time

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from treadle.errors import InvalidFields, PromptNotFound, RunNotFound
from treadle.store.prompts import PromptRow, find_prompt, open_prompts, prompts_of
from treadle.store.questions import open_questions
from treadle.store.runs import find_run, pulse
from treadle.store.workflows import VersionRow, find_version
from treadle.web.dependencies import InStudio, Reading, Sent, acted, page
from treadle.web.forms import problems_of, read_form
from treadle.web.presenting import prompt_json
from treadle.web.running import Answering, response_forms, responses_to
from treadle.web.templating import segment

router = APIRouter()


@router.get("/inbox.json")
def inbox_json(db: Reading) -> dict[str, object]:
    found = open_prompts(db)
    prompts = [prompt_json(prompt, responses=responses_to(prompt, _version(db, prompt))) for prompt in found]
    questions = [
        {
            "run": asked.run_id,
            "workflow": asked.workflow,
            "parent": asked.parent_id,
            "step": asked.step,
            "url": f"/runs/{segment(asked.run_id)}/question",
        }
        for asked in open_questions(db)
    ]
    return {"prompts": prompts, "questions": questions}


@router.get("/inbox")
def inbox(request: Request, db: Reading) -> Response:
    return page(request, "inbox.html", db=db, now=time.time(), seen=pulse(db), prompts=open_prompts(db),
                questions=open_questions(db))  # fmt: skip


@router.get("/runs/{run_id}/prompts.json")
def run_prompts(run_id: str, db: Reading) -> dict[str, object]:
    if find_run(db, run_id) is None:
        raise RunNotFound(run_id)
    found = prompts_of(db, run_id)
    return {"prompts": [prompt_json(prompt, responses=responses_to(prompt, _version(db, prompt))) for prompt in found]}


@router.get("/runs/{run_id}/prompts/{prompt_id}")
def prompt_page(request: Request, run_id: str, prompt_id: int, db: Reading) -> Response:
    return _page(request, db, _find(db, run_id, prompt_id))


@router.post("/runs/{run_id}/prompts/{prompt_id}/response")
def answer(
    request: Request,
    run_id: str,
    prompt_id: int,
    studio: InStudio,
    db: Reading,
    body: Sent,
    response_type: str | None = Query(None, alias="type"),
) -> Response:
    """Answer a prompt from a JSON body (the fields of the response event) or from its form; the first answer stands."""
    prompt = _find(db, run_id, prompt_id)
    schemas = responses_to(prompt, _version(db, prompt))
    typed = body.form if body.media_type == "application/x-www-form-urlencoded" else None
    chosen = response_type or (typed or {}).get("_type") or next(iter(schemas), None)
    if schemas and chosen not in schemas:
        raise InvalidFields({"type": f"This prompt takes no {chosen}; it takes {', '.join(schemas)}."})
    schema = schemas.get(chosen or "", {"type": "object", "additionalProperties": True})
    if typed is None:
        fields = body.json()
        if prompt.status == "open" and (problems := problems_of(schema, fields)):
            raise InvalidFields(problems)
    else:
        fields, form = read_form(schema, typed)
        if prompt.status == "open" and not form.valid:
            return _page(request, db, prompt, answering=Answering(prompt_id, chosen or "", form), status=422)
    studio.requests.respond(run_id, prompt_id, fields, response_type=chosen)
    return acted(request, body, run_id, {"run": run_id, "prompt": prompt_id, "response_type": chosen}, status=201)


def _page(
    request: Request, db: Reading, prompt: PromptRow, *, answering: Answering | None = None, status: int = 200
) -> Response:
    forms = response_forms(prompt, _version(db, prompt), answering)
    return page(request, "prompt.html", db=db, now=time.time(), status=status, prompt=prompt, forms=forms)


def _find(db: Reading, run_id: str, prompt_id: int) -> PromptRow:
    prompt = find_prompt(db, run_id, prompt_id)
    if prompt is None:
        raise PromptNotFound(run_id, prompt_id)
    return prompt


def _version(db: Reading, prompt: PromptRow) -> VersionRow | None:
    return find_version(db, prompt.workflow, prompt.fingerprint)
