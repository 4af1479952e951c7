"""What the gallery's tests need: lessons loaded by path, and a language model that is a small local server."""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

WORKFLOWS = Path(__file__).parents[3] / "workflows"


@pytest.fixture(autouse=True)
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches a model that the developer's shell happens to name."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def lesson() -> Iterator[Callable[[str], ModuleType]]:
    """Loads a lesson by its path under a private module name, as the registry does."""
    loaded: list[str] = []

    def load(name: str) -> ModuleType:
        private = f"_gallery_test_{name}"
        spec = importlib.util.spec_from_file_location(private, WORKFLOWS / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[private] = module
        loaded.append(private)
        spec.loader.exec_module(module)
        return module

    yield load
    for private in loaded:
        sys.modules.pop(private, None)


@dataclass(slots=True)
class ModelServer:
    """An OpenAI-compatible endpoint that answers by `reply(task, text)` and keeps what it was asked."""

    reply: Callable[[str, str], str]
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def model_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A model server, already named in the environment."""
    state = ModelServer(reply=lambda task, text: "")

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.requests.append({"path": self.path, **asked})
            task, text = (message["content"] for message in asked["messages"])
            message = {"role": "assistant", "content": state.reply(task, text)}
            choice = {"index": 0, "finish_reason": "stop", "message": message}
            answer = {"id": "1", "object": "chat.completion", "created": 0, "model": "loom-1", "choices": [choice]}
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        monkeypatch.setenv("OPENAI_BASE_URL", state.url)
        monkeypatch.setenv("OPENAI_MODEL", "loom-1")
        yield state
        server.shutdown()
        thread.join()
