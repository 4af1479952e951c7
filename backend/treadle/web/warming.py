"""Warming: the first request of each kind, made by ourselves, because it loads what the later ones find loaded.

Left to the first visitor it would hold up everybody else for a quarter of a second.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message

from treadle.web.security import Session

_REQUESTS = (
    ("GET", "/health", b""),
    ("GET", "/", b""),
    ("GET", "/runs", b""),
    ("GET", "/runs.json", b""),
    ("POST", "/workflows/-/runs", b"{}"),
)
"""None changes anything: there is no workflow of that name."""


async def warm(app: ASGIApp) -> None:
    """Send the requests through `app`, inside the gate, and forget the answers."""
    for method, path, body in _REQUESTS:
        await _request(app, method, path, body)


async def _request(app: ASGIApp, method: str, path: str, body: bytes) -> None:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(_: Message) -> None:
        pass

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/json"), (b"accept", b"text/html")],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 0),
        "state": {"session": Session("", "")},
    }
    await app(scope, receive, send)
