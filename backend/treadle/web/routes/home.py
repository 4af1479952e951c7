"""Home: what needs a person, what runs, what failed, and the workflows to start from."""

import time

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from treadle.store.prompts import open_prompts
from treadle.store.questions import open_questions
from treadle.store.runs import failed_since, page_of_runs, pulse, recent_statuses
from treadle.store.workers import last_death
from treadle.store.workflows import all_workflows
from treadle.web.dependencies import Reading, page
from treadle.web.pictures import card_picture
from treadle.web.presenting import workflow_json

router = APIRouter()
DAY = 24 * 3600
FAILED = 5
STRIP = 14
ACTIVE = ("running", "held", "interrupted")


@router.get("/")
def home(request: Request, db: Reading) -> Response:
    now = time.time()
    workflows = all_workflows(db)
    failed = failed_since(db, now - DAY, limit=FAILED + 1)
    return page(
        request,
        "home.html",
        db=db,
        now=now,
        seen=pulse(db),
        prompts=open_prompts(db, limit=10),
        questions=open_questions(db, limit=10),
        active=page_of_runs(db, statuses=ACTIVE, limit=10),
        failed=failed[:FAILED],
        more_failed=len(failed) > FAILED,
        death=last_death(db, since=now - 3600),
        cards=[(item, card_picture(item.version), recent_statuses(db, item.name, limit=STRIP)) for item in workflows],
    )


@router.get("/workflows.json")
def workflows_json(db: Reading) -> dict[str, object]:
    return {"workflows": [workflow_json(workflow) for workflow in all_workflows(db)]}


@router.get("/workflows")
def workflows() -> Response:
    return RedirectResponse("/#workflows", status_code=303)
