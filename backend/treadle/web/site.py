"""The studio as one ASGI application: the gate outside, the routes inside."""

import json
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from treadle.resources import STATIC
from treadle.runner.requests import Requests
from treadle.runner.signals import Signals
from treadle.store.database import Database
from treadle.web.dependencies import Studio
from treadle.web.frames import Streams
from treadle.web.problems import install_problems
from treadle.web.routes import controls, feeds, health, home, login, prompts, run, runs, stopped, workflows
from treadle.web.security import Gate, Security, SecurityConfig


def make_app(
    *,
    database: Database,
    requests: Requests,
    signals: Signals,
    security: SecurityConfig,
    lifespan: Callable[[FastAPI], Any] | None = None,
) -> ASGIApp:
    """The web process's application. It reads the database and hands every wish to `requests`; it runs no workflow."""
    app = FastAPI(
        title="Treadle",
        default_response_class=AsciiJSON,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
    )
    guard = Security(security)
    app.state.studio = Studio(database, requests, signals, guard, Streams())
    install_problems(app)
    for module in (home, workflows, runs, run, controls, stopped, prompts, feeds, login, health):
        app.include_router(module.router)
    app.mount("/static", Assets(directory=STATIC), name="static")
    return Gate(app, security=guard)


class AsciiJSON(JSONResponse):
    """JSON in ASCII: strings no encoding can carry, such as lone surrogates, travel as escapes."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")


class Assets(StaticFiles):
    """Static files; those asked for by their fingerprint never change and may be kept for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        kept = b"v=" in scope.get("query_string", b"")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if kept else "no-cache"
        return response
