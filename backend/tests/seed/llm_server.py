"""A language model on this machine: an OpenAI-compatible server that says back what it was told."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def answer_to(prompt: str) -> str:
    return f"You said: {prompt}"


def words_of(answer: str) -> list[str]:
    """The pieces in which the answer is streamed."""
    return re.findall(r"\S+\s*", answer)


@contextmanager
def language_model() -> Iterator[str]:
    """Serve the model and yield its base address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        finally:
            server.shutdown()
            thread.join()


class _Endpoint(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/v1/chat/completions":
            self.send_error(404)
        elif asked.get("stream"):
            self._stream(asked["model"], answer_to(asked["messages"][-1]["content"]))
        else:
            message = {"role": "assistant", "content": answer_to(asked["messages"][-1]["content"])}
            self._send("application/json", _completion(asked["model"], "chat.completion", message=message))

    def _stream(self, model: str, answer: str) -> None:
        """Server-sent events as the real service sends them: the role first, then words, then the reason to stop."""
        deltas = [{"role": "assistant", "content": ""}, *({"content": word} for word in words_of(answer)), {}]
        chunks = [_completion(model, "chat.completion.chunk", delta=delta) for delta in deltas]
        self._send("text/event-stream", *(f"data: {chunk}\n\n" for chunk in chunks), "data: [DONE]\n\n")

    def _send(self, content_type: str, *parts: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.end_headers()
        for part in parts:
            self.wfile.write(part.encode())

    def log_message(self, format: str, *args: Any) -> None:
        return


def _completion(model: str, kind: str, **said: dict[str, str]) -> str:
    reason = None if said.get("delta") else "stop"
    choice = {"index": 0, "finish_reason": reason, **said}
    return json.dumps({"id": "1", "object": kind, "created": 0, "model": model, "choices": [choice]})
