"""A real `treadle serve` in a process of its own, as a person would start it, for the tests to mistreat."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
PRINTED = re.compile(r"https?://[^\s\"'\x1b]+")


class Studio:
    """One studio: its address, its printed login URL, its process group and everything it wrote to the terminal.

    A studio that was stopped or killed can be started again: it keeps its port, database and workflows, so that pages
    open in a browser stay valid (the login cookie may not).
    """

    def __init__(self, folder: Path, *, workflows: tuple[Path, ...] = (), args: tuple[str, ...] = (),
                 env: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.workflows = workflows or (ROOT / "workflows",)
        self.args = args
        self.env = env or {}
        self.port = _free_port()
        self.lines: list[str] = []
        self.login_url = ""
        self.process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """The address without a path, as `http://127.0.0.1:PORT`."""
        parts = urlsplit(self.login_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def start(self, *, timeout: float = 60) -> Studio:
        """Start it and wait until it has printed its URL; `timeout` in seconds."""
        command = [sys.executable, "-c", "from treadle.cli import main; main()", "serve",
                   "--port", str(self.port), "--database", f"sqlite:///{self.folder / 'treadle.db'}"]
        for path in self.workflows:
            command += ["--workflows", str(path)]
        # A group of its own: whatever it starts can be ended with it, and the terminal's Ctrl-C does not reach it.
        self.process = subprocess.Popen(
            [*command, *self.args], cwd=self.folder, text=True, start_new_session=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "COLUMNS": "400", **self.env},
        )
        printed: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, args=(self.process, printed), daemon=True).start()
        try:
            url = printed.get(timeout=timeout)
        except queue.Empty:
            url = None
        if url is None:
            self.kill()
            raise RuntimeError(f"the studio printed no URL; it wrote:\n{self.output}")
        self.login_url = url
        return self

    def stop(self, *, timeout: float = 15) -> int:
        """End it as Ctrl-C in a terminal would; return its exit code."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(timeout)
        finally:
            self.kill()

    def kill(self) -> None:
        """`kill -9` the web process and every worker it started."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def _read(self, process: subprocess.Popen[str], printed: queue.Queue[str | None]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.lines.append(line)
            for url in PRINTED.findall(line):
                if f":{self.port}" in url:
                    printed.put(url)
        process.stdout.close()
        printed.put(None)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
