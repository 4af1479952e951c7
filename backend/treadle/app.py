"""The composition root: settings become objects, objects become processes. The only place that wires."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
import webbrowser
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treadle.errors import SettingsError
from treadle.resources import MIGRATIONS
from treadle.settings import Settings
from treadle.store.care.lock import Lock, only_one, sockets_beside

# What a function needs it imports itself: who finds the database taken says so before anything is loaded, and a worker,
# whose runs wait while it starts, loads no web.
if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

    from treadle.runner.requests import Requests
    from treadle.runner.signals import Signals
    from treadle.store.care.retention import Rule
    from treadle.store.care.upkeep import Upkeep
    from treadle.store.database import Database

FIRST_CATALOG = 10.0
"""Seconds to wait for the first worker's catalog before the URL is shown all the same."""


def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve the studio and supervise its workers until stopped; `announce` gets the URL to open.

    Raises DatabaseInUse when another server has the database, DatabaseDamaged or SettingsError when it cannot be used.
    """
    with _ours(settings, f"serve (process {os.getpid()}, at http://{settings.host}:{settings.port}/)") as lock:
        database = open_database(settings, left_open=lock is not None and lock.left_open)
        upkeep = _upkeep(settings)
        try:
            if upkeep is not None:
                upkeep.start()
            _serve(settings, database, announce, lock)
        finally:
            if upkeep is not None:
                upkeep.stop()
            database.close()
            if lock is not None:
                lock.closed()


def open_database(settings: Settings, *, left_open: bool = False) -> Database:
    """The database, at the schema of this version; `left_open` if its last holder did not close it.

    Raises what `examine` and `migrate` raise about a file that cannot be used.
    """
    from treadle.store.care.integrity import examine
    from treadle.store.database import Database
    from treadle.store.migrations import migrate, revisions

    if settings.file is not None:
        settings.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        examine(settings.file, known=revisions(MIGRATIONS), left_open=left_open)
    database = Database(settings.database, full=settings.full_durability, checkpoints=settings.file is None)
    try:
        migrate(database, MIGRATIONS)
    except BaseException:
        database.close()
        raise
    return database


def migrate(settings: Settings) -> str:
    """Bring the database to the schema of this version; the revision it is at. Raises as `serve` does."""
    from treadle.store.migrations import revisions

    with _ours(settings, f"migrate (process {os.getpid()})") as lock:
        open_database(settings, left_open=lock is not None and lock.left_open).close()
        if lock is not None:
            lock.closed()
    return revisions(MIGRATIONS)[-1]


def _ours(settings: Settings, who: str) -> AbstractContextManager[Lock | None]:
    """The lock on the database's file; None for a database that is not a file."""
    if settings.file is None:
        return nullcontext()
    settings.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return only_one(settings.file, who)


def _serve(settings: Settings, database: Database, announce: Callable[[str], None], lock: Lock | None) -> None:
    from treadle.runner.sockets import own_folder
    from treadle.store.catalog import clear
    from treadle.store.leases import drop_leases
    from treadle.store.presence import bury

    with own_folder() as sockets:
        clear(database)
        bury(database, now=time.time())  # we hold the lock: whoever was here is gone, or is fenced by the epoch
        drop_leases(database)
        listener = _bind(settings)
        if lock is not None:
            who = f"serve (process {os.getpid()}, at http://{settings.host}:{listener.getsockname()[1]}/)"
            lock.say(who, sockets=sockets)
        with suppress(KeyboardInterrupt):
            asyncio.run(_go(settings, database, sockets, listener, announce))


async def _go(
    settings: Settings, database: Database, sockets: Path, listener: socket.socket, announce: Callable[[str], None]
) -> None:
    """Keep the workers and serve the pages: those load their workflows while this process loads the web."""
    from treadle.runner.nudges import Nudger, listen
    from treadle.runner.requests import Requests
    from treadle.runner.shortages import Shortages, counter
    from treadle.runner.signals import Signals
    from treadle.runner.supervisor import Supervisor, python_command

    signals, shown = Signals(), asyncio.Event()
    workers = Nudger(sockets, "worker-*.sock")

    def command(worker: str, name: str) -> list[str]:
        paths = [argument for path in settings.workflows for argument in ("--workflows", str(path))]
        return python_command(
            "worker", "--database", settings.database, "--sockets", str(sockets), "--id", worker, "--name", name,
            "--supervised", *paths,
        )  # fmt: skip

    def received(topics: list[str]) -> None:
        for topic in topics:
            signals.notify(topic)
        if "*" in topics:
            shown.set()
        else:
            signals.notify("*")

    def changed() -> None:
        workers.send(["*"])
        signals.notify("*")

    async with AsyncExitStack() as studio:
        studio.callback(workers.close)
        studio.callback((await listen(sockets / "web-1.sock", received)).close)
        supervisor = Supervisor(
            database, command, count=settings.workers, changed=changed, shortages=Shortages(counter())
        )
        await studio.enter_async_context(supervisor)

        async def workflows() -> None:
            with suppress(TimeoutError):
                async with asyncio.timeout(FIRST_CATALOG):
                    await shown.wait()

        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncIterator[None]:
            from treadle.web.warming import warm

            await asyncio.gather(workflows(), warm(app))  # whoever opens the URL then sees workflows
            _ready(settings, url, announce)
            yield
            await studio.aclose()  # here: afterwards the server ends by the signal that told it to stop

        code = None if settings.open_access else secrets.token_urlsafe(16)
        port = listener.getsockname()[1]
        url = f"http://{settings.host}:{port}/" + (f"login?code={code}" if code is not None else "")
        requests = Requests(
            database, nudge=lambda topic, worker: workers.send([topic], to=worker), listeners=workers.listeners
        )
        server = await asyncio.to_thread(_server, settings, database, requests, signals, port, code, lifespan)
        await server.serve(sockets=[listener])


def _server(
    settings: Settings,
    database: Database,
    requests: Requests,
    signals: Signals,
    port: int,
    code: str | None,
    lifespan: Callable[[FastAPI], Any],
) -> uvicorn.Server:
    import uvicorn

    from treadle.visualizer.elements import CYTOSCAPE_STYLE_SHA256
    from treadle.web.security import SecurityConfig
    from treadle.web.site import make_app

    security = SecurityConfig(
        host=settings.host,
        port=port,
        token=settings.token,
        code=code,
        secret=_secret(settings),
        open_access=settings.open_access,
        style_hashes=(CYTOSCAPE_STYLE_SHA256,),
    )
    app = make_app(database=database, requests=requests, signals=signals, security=security, lifespan=lifespan)
    return uvicorn.Server(
        uvicorn.Config(app, lifespan="on", log_level="warning", timeout_graceful_shutdown=5, server_header=False)
    )


def _upkeep(settings: Settings) -> Upkeep | None:
    """What keeps the served file; None for a database that is not a file."""
    from treadle.store.care.upkeep import Upkeep

    if settings.file is None:
        return None
    return Upkeep(settings.file, full=settings.full_durability, rule=_rule(settings))


def _rule(settings: Settings) -> Rule | None:
    from treadle.store.care.retention import Rule

    if settings.keep_days is None and settings.keep_runs is None:
        return None
    older_than = settings.keep_days * 86400.0 if settings.keep_days is not None else None
    return Rule(older_than=older_than, keep=settings.keep_runs)


def run_worker(settings: Settings, *, worker: str, name: str, sockets: Path | None, supervised: bool) -> None:
    """Run one worker process until told to stop. Raises SettingsError for a database of another version.

    Without `sockets` it looks for those of the studio that has the database, whenever there is one.
    """
    from treadle.runner.sockets import is_ours
    from treadle.runner.worker import work
    from treadle.store.care.integrity import expect_schema
    from treadle.store.database import Database

    database = Database(settings.database, full=settings.full_durability, checkpoints=settings.file is None)
    expect_schema(database, MIGRATIONS)

    def find() -> Path | None:
        found = sockets if sockets is not None or settings.file is None else sockets_beside(settings.file)
        return found if found is not None and is_ours(found) else None

    asyncio.run(work(database, settings.workflows, worker=worker, name=name, find=find, supervised=supervised))


def _bind(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # The protocol is named, because asyncio turns off Nagle's delay only where it stands: 40 ms an answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(512)
        return listener
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"Cannot listen on {settings.host}:{settings.port} ({error.strerror}); choose another --port, or 0 for any."
        ) from None


def _ready(settings: Settings, url: str, announce: Callable[[str], None]) -> None:
    announce(url)
    if settings.open_browser:
        webbrowser.open(url)


def _secret(settings: Settings) -> bytes:
    """The key that signs cookies; kept beside the database, so that a restart keeps people signed in."""
    if settings.state is None:
        return secrets.token_bytes(32)
    path = settings.state / "secret"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(descriptor, "wb") as file:
        key = secrets.token_bytes(32)
        file.write(key)
    return key
