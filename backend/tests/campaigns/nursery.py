"""The nursery: a process that has imported Treadle once, and forks a whole `treadle` whenever it is asked for one.

What a fork then is - its own interpreter, its own death - is what a started process is; only the second it takes to
import everything is saved, so that a short campaign can kill a hundred of them. Run as a program, this is the nursery.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

SOCKET = "CAMPAIGN_NURSERY"
"""The variable that tells a forked studio where to ask for its workers."""
WORKERS = "CAMPAIGN_WORKERS"
"""And the one that tells it, as JSON, what the environment of those is."""


class Nursery:
    """The nursery as its users see it: started once, asked for processes, ended with all of them."""

    def __init__(self, folder: Path, *, environment: Mapping[str, str] | None = None) -> None:
        self.path = folder / "nursery.sock"
        self._program = subprocess.Popen(
            [sys.executable, __file__, str(self.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "COLUMNS": "400", **(environment or {})},
        )  # fmt: skip
        assert self._program.stdout is not None
        if self._program.stdout.readline() != b"ready\n":
            raise AssertionError("the nursery did not get ready")

    @property
    def pid(self) -> int:
        return self._program.pid

    def spawn(
        self, arguments: Sequence[str], *, folder: Path, output: int, environment: Mapping[str, str] | None = None
    ) -> Nursling:
        """A `treadle` with these arguments, in `folder`, that writes to the descriptor `output`."""
        with Path(os.devnull).open() as nothing:
            known = {SOCKET: str(self.path), **(environment or {})}
            order = _order(arguments, folder, known, session=True)
            return Nursling(_ask(str(self.path), order, [nothing.fileno(), output, output]))

    def children(self) -> list[int]:
        """Everybody forked here who lives."""
        with contextlib.suppress(OSError):
            listed = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
            return [int(pid) for pid in listed if _lives(int(pid))]
        return []

    def clear(self) -> None:
        """End whoever it forked."""
        for pid in self.children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        """End it, and whoever it forked."""
        self.clear()
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.close()
        self._program.wait(10)
        self._program.stdout.close()


@cache
def shared() -> Nursery:
    """The nursery of everybody who does not need one of his own, until this process ends."""
    from treadle.runner.sockets import own_folder  # not in the nursery itself, which tidies up its path first

    ending = contextlib.ExitStack()
    made = Nursery(ending.enter_context(own_folder()))
    ending.callback(made.close)
    atexit.register(ending.close)
    return made


class Nursling:
    """One forked process, as `subprocess.Popen` would show it."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self.pid = int(_read_line(line))
        self.returncode: int | None = None
        self._ended = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        assert self.returncode is not None
        return self.returncode

    def ends_within(self, seconds: float) -> bool:
        """Wait so long at most; whether it has ended."""
        return self._ended.wait(seconds)

    def send(self, number: int) -> None:
        """Send it a signal, if it has not ended."""
        if not self._ended.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)

    def _watch(self) -> None:
        with self._line:
            told = _read_line(self._line)
        self.returncode = int(told) if told else -signal.SIGKILL
        self._ended.set()


class Ward:
    """A forked worker, as asyncio's subprocess would show it to the supervisor."""

    def __init__(self, line: socket.socket, stdin: int) -> None:
        self.pid = int(_read_line(line))
        self.stdin = _Pipe(stdin)
        self._line = line

    async def wait(self) -> int:
        self._line.setblocking(False)
        told = await asyncio.get_running_loop().sock_recv(self._line, 100)
        self._line.close()
        self.stdin.close()
        return int(told) if told else -signal.SIGKILL

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


class _Pipe:
    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


async def raise_worker(*command: str, **_: Any) -> Ward:
    """In place of `asyncio.create_subprocess_exec` where a studio starts its workers."""
    read, write = os.pipe()
    try:
        environment = json.loads(os.environ[WORKERS])
        order = _order(command[command.index("treadle") + 1 :], Path.cwd(), environment, session=False)
        return Ward(_ask(os.environ[SOCKET], order, [read, 1, 2]), write)
    finally:
        os.close(read)


def _order(arguments: Sequence[str], folder: Path, environment: Mapping[str, str], *, session: bool) -> bytes:
    return json.dumps([list(arguments), str(folder), dict(environment), session]).encode()


def _ask(path: str, order: bytes, descriptors: list[int]) -> socket.socket:
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    line.connect(path)
    socket.send_fds(line, [order], descriptors)
    return line


def _read_line(line: socket.socket) -> str:
    return line.recv(100).decode()


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# The program


def _serve(path: str) -> list[str]:
    """Fork on demand until standard input ends; returns in each child, with its arguments, and exits in the parent."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(path)
    listener.listen(100)
    awake, wake = socket.socketpair()
    wake.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    lines: dict[int, socket.socket] = {}
    os.write(1, b"ready\n")
    while True:
        ready, _, _ = select.select([listener, awake, 0], [], [])
        if 0 in ready:
            os._exit(0)
        if awake in ready:
            awake.recv(4096)
            _reap(lines)
        if listener in ready:
            line, _ = listener.accept()
            order, descriptors, _, _ = socket.recv_fds(line, 100_000, 3)
            if not order:  # whoever asked was killed before the words were out
                line.close()
                continue
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for inherited in (listener, awake, wake, line, *lines.values()):
                    inherited.close()
                return _become(order, descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
            lines[pid] = line
            with contextlib.suppress(OSError):
                line.send(str(pid).encode())


def _reap(lines: dict[int, socket.socket]) -> None:
    while lines:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with contextlib.suppress(OSError), lines.pop(pid) as line:
            line.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(order: bytes, descriptors: list[int]) -> list[str]:
    arguments, folder, environment, session = json.loads(order)
    for target, descriptor in enumerate(descriptors):
        os.dup2(descriptor, target)
        os.close(descriptor)
    os.setsid() if session else os.setpgid(0, 0)
    os.chdir(folder)
    os.environ.update(environment)
    return list(arguments)


def main() -> None:
    """Import what a studio and a worker need, then fork until told to end; a child goes on as `treadle`."""
    tests = str(Path(__file__).resolve().parent.parent)
    sys.path[:1] = [tests]  # in place of this file's own folder, whose modules hide others' of the same name
    from campaigns import rig, sabotage

    rig.wind_clock()  # before anybody takes the clock in hand

    import treadle.app
    import treadle.cli
    import treadle.runner.supervisor
    import treadle.runner.worker
    import treadle.store.migrations
    import treadle.terminal
    import treadle.web.site

    arguments = _serve(sys.argv[1])
    asyncio.create_subprocess_exec = raise_worker  # type: ignore[assignment]
    rig.apply()
    sabotage.apply()
    sys.argv = ["treadle", *arguments]
    treadle.cli.main()


if __name__ == "__main__":
    main()
