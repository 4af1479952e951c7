"""What a person does to a run that is going on: cancel it, let one step go, release it."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from treadle.web.dependencies import InStudio, Sent, acted

router = APIRouter()


@router.post("/runs/{run_id}/cancellation")
def cancel_run(request: Request, run_id: str, studio: InStudio, body: Sent) -> Response:
    studio.requests.cancel(run_id)
    return acted(request, body, run_id, {"id": run_id, "accepted": "cancellation"})


@router.post("/runs/{run_id}/steps")
def run_next_step(request: Request, run_id: str, studio: InStudio, body: Sent, delivery: str | None = None) -> Response:
    """Let one queued event go: `delivery` names which, else the first."""
    sent = body.json() if body.is_json else body.form
    chosen = delivery or (sent.get("delivery") if isinstance(sent, dict) else None)
    studio.requests.step(run_id, delivery=str(chosen) if chosen else None)
    return acted(request, body, run_id, {"id": run_id, "accepted": "step"})


@router.post("/runs/{run_id}/release")
def release_run(request: Request, run_id: str, studio: InStudio, body: Sent) -> Response:
    studio.requests.release(run_id)
    return acted(request, body, run_id, {"id": run_id, "accepted": "release"})
