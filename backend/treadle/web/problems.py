"""What went wrong, told as the asker wants it: a page to people, a fragment to htmx, {code, message} to programs."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from treadle.errors import InvalidFields, PromptAnswered, TreadleError
from treadle.web.templating import iso, render


class Refusal(Exception):  # noqa: N818 - what is sent, not what went wrong here
    """Raised where no route is reached; carries its own answer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def response(self, headers: Headers, path: str) -> Response:
        return problem(self.status, self.code, self.message, headers=headers, path=path)


def problem(
    status: int, code: str, message: str, *, headers: Headers, path: str, extra: dict[str, object] | None = None
) -> Response:
    """One problem as a response."""
    if not wants_page(headers, path):
        return JSONResponse({"code": code, "message": message, **(extra or {})}, status_code=status)
    template = "_notice.html" if headers.get("hx-request") == "true" else "problem.html"
    html = render(template, status=status, code=code, message=message, phrase=HTTPStatus(status).phrase)
    return Response(html, status_code=status, media_type="text/html")


def wants_page(headers: Headers, path: str) -> bool:
    """Whether a person reads the answer."""
    if path.endswith(".json") or "text/html" not in headers.get("accept", ""):
        return False
    return headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json"


def install_problems(app: FastAPI) -> None:
    """Answer every error of the routes in the same voice."""
    app.add_exception_handler(TreadleError, _treadle_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(Refusal, _refusal)
    app.add_exception_handler(Exception, _unexpected)


def _treadle_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, TreadleError)
    extra: dict[str, object] = {}
    message = str(error)
    if isinstance(error, InvalidFields):
        extra["fields"] = error.problems
    if isinstance(error, PromptAnswered) and error.at is not None:
        at = datetime.fromtimestamp(error.at, UTC)
        message = f"This prompt was already answered at {at:%H:%M:%S} UTC on {at:%d %B %Y}; the first answer stands."
        extra["answered_at"] = iso(error.at)
    return _problem(request, error.status, error.code, message, extra)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    message = "There is no such page." if error.detail == "Not Found" else str(error.detail)
    return _problem(request, error.status_code, code, message)


def _bad_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    told = "; ".join(f"{'.'.join(map(str, item['loc'][1:]))}: {item['msg']}" for item in error.errors())
    return _problem(request, 422, "invalid_request", told)


def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return error.response(request.headers, request.url.path)


def _unexpected(request: Request, error: Exception) -> Response:
    return _problem(request, 500, "internal_error", "Something went wrong in the studio; its log has the traceback.")


def _problem(
    request: Request, status: int, code: str, message: str, extra: dict[str, object] | None = None
) -> Response:
    return problem(status, code, message, headers=request.headers, path=request.url.path, extra=extra)
