"""A reader sees when a stream leaves something out, repeats it, reorders it or tells what is not on disk."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from processes.serving import Serving, until

from campaigns.reader import Readers

KEPT = [(1, "run_started", None), (2, "step_finished", "begin"), (3, "step_finished", "add")]
BREAK, END = object(), object()
"""The stream breaks off without a word; the run has ended."""


@contextmanager
def telling(folder: Path, *answers: list[Any]) -> Iterator[Serving]:
    """A server whose n-th stream tells what the n-th answer says: lists of entries, BREAK or END."""
    told = iter(answers)

    class Stream(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            for frame in next(told):
                if frame is BREAK:
                    return
                events = [] if frame is END else [{"seq": seq, "kind": kind, "step": step} for seq, kind, step in frame]
                name = "end" if frame is END else "entries"
                self.wfile.write(f"event: {name}\ndata: {json.dumps({'events': events})}\n\n".encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Stream)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        serving = Serving(folder, [])
        serving.port = server.server_port
        yield serving
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("answers", "breach"),
    [
        ([[KEPT[:2], KEPT[2:], END]], None),
        ([[KEPT[:1], BREAK], [KEPT[1:], END]], None),
        ([[KEPT[:1], KEPT[2:], END]], "got seq 3 where 2 was due"),
        ([[KEPT[:2], KEPT[1:], END]], "got seq 2 where 3 was due"),
        ([[KEPT[:2], BREAK], [KEPT, END]], "got seq 1 where 3 was due"),
        ([[[KEPT[0], KEPT[2], KEPT[1]], END]], "got seq 3 where 2 was due"),
        ([[KEPT[:2], END]], "told 2 entries unlike the 3 on disk"),
        ([[[*KEPT, (4, "run_completed", None)], END]], "told 4 entries unlike the 3 on disk"),
        ([[[*KEPT[:2], (3, "step_failed", "add")], END]], "told 3 entries unlike the 3 on disk"),
    ],
)
def test_reader_sees_each_breach(tmp_path: Path, answers: list[list[Any]], breach: str | None) -> None:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE entry (run_id, seq, kind, step)")
    database.executemany("INSERT INTO entry VALUES ('r', ?, ?, ?)", KEPT)
    with telling(tmp_path, *answers) as serving:
        readers = Readers(serving, count=1)
        readers.go()
        readers.offer("r")
        until("the stream is followed to its end", lambda: "r" in readers.told, seconds=10)
        readers.end()
    readers.judge(database)
    database.close()
    assert readers.reconnections == len(answers) - 1
    if breach is None:
        assert readers.broken == []
    else:
        assert any(breach in sentence for sentence in readers.broken), readers.broken
