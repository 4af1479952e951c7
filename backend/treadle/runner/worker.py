"""A worker: the process that runs user code. It loads, publishes, claims, and goes when its supervisor goes."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from treadle.registry.catalog import Catalog
from treadle.registry.loader import load_paths
from treadle.runner.copies import end_copies_of
from treadle.runner.deadline import deadline
from treadle.runner.garbage import spare_what_is_loaded
from treadle.runner.heartbeat import Heartbeat
from treadle.runner.host import Host
from treadle.runner.meeting import MeetingPlace
from treadle.runner.publishing import publications
from treadle.store.catalog import publish
from treadle.store.database import Database
from treadle.store.failing import DatabaseFailed, kind_of
from treadle.store.presence import arrive, leave
from treadle.store.writer import Writer

log = logging.getLogger("treadle.worker")

PATIENCE = 60.0
"""Seconds a workflow file may take to import: models are loaded there, too."""


async def work(
    database: Database,
    paths: Sequence[Path],
    *,
    worker: str,
    name: str,
    find: Callable[[], Path | None],
    supervised: bool,
) -> None:
    """Run workflows from `paths` until told to stop; `supervised`: stop when standard input closes.

    `find` finds the folder in which the studio's processes nudge each other, if there is a studio.
    """
    loop = asyncio.get_running_loop()
    end_copies_of(loop)
    with deadline(PATIENCE):
        catalog = Catalog.of(load_paths(paths))
    spare_what_is_loaded()

    def show() -> None:
        publish(database, publications(catalog, now=time.time()))
        arrive(database, worker, name=name, pid=os.getpid(), workflows=catalog.workflows, now=time.time())

    def committed(runs: list[str]) -> None:
        meeting.send(runs)
        host.committed()

    def failed(error: BaseException) -> None:
        failures.append(error)
        host.stop()

    failures: list[BaseException] = []
    writer = Writer(database, committed=committed, failed=failed)
    host = Host(database, writer, catalog, worker=worker)
    os.register_at_fork(after_in_child=host.disown)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, host.stop)  # first: who is shown is told to stop by a signal
    meeting = MeetingPlace(find, worker=worker, heard=lambda topics: host.nudge(unowned="*" in topics), show=show)
    await meeting.enter()
    beat = Heartbeat(database, host, worker=worker, shown=lambda: meeting.send(["*"]))
    beat.start()
    if supervised:
        threading.Thread(target=_leave_with_parent, args=(loop, host), daemon=True).start()
    try:
        await host.serve()
    except Exception as error:
        failed(error)
    finally:
        beat.stop()
        await meeting.leave()
        await writer.close()
        try:
            leave(database, worker, now=time.time(), how=f"exit {os.EX_IOERR}" if failures else "stopped")
        except Exception as error:
            if kind_of(error) == "other":
                raise
        meeting.send(["*"])
        meeting.close()
        code = os.EX_IOERR if failures else 0
        # A step may have left a thread behind that never ends, and the interpreter would wait for it.
        threading.Thread(target=_exit_in_the_end, args=(code,), daemon=True).start()
    for failure in failures:
        raise DatabaseFailed(failure) if kind_of(failure) == "io" else failure


def _exit_in_the_end(code: int) -> None:
    time.sleep(3.0)
    os._exit(code)


def _leave_with_parent(loop: asyncio.AbstractEventLoop, host: Host) -> None:
    # The descriptor, not `sys.stdin`: a thread that holds that one's lock aborts the interpreter's own end.
    while os.read(0, 1024):
        pass
    with suppress(RuntimeError):  # the loop is closed: the worker has stopped, and its process is about to end
        loop.call_soon_threadsafe(host.stop)
    time.sleep(3.0)  # a blocked loop does not hear that; nobody supervises us any more
    os.kill(os.getpid(), signal.SIGKILL)  # not an exit: that would be laid at the door of the step
