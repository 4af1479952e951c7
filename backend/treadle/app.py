"""The composition root: settings become objects, objects become processes. The only place that wires."""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import socket
import tempfile
import webbrowser
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from treadle.errors import DatabaseInUse, SettingsError
from treadle.resources import MIGRATIONS
from treadle.runner.nudges import Nudger, listen
from treadle.runner.requests import Requests
from treadle.runner.signals import Signals
from treadle.runner.supervisor import Supervisor, python_command
from treadle.runner.worker import work
from treadle.settings import Settings
from treadle.store.catalog import clear
from treadle.store.database import Database
from treadle.store.leases import drop_leases

# A worker comes through here too, and its runs wait while it starts: only who serves the web imports it.
if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp

    from treadle.web.security import SecurityConfig

FIRST_CATALOG = 10.0
"""Seconds to wait for the first worker's catalog before the URL is shown all the same."""


def open_database(settings: Settings) -> Database:
    """The database, at the schema of this version."""
    from treadle.store.migrations import migrate

    if settings.state is not None:
        settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = Database(settings.database, full=settings.full_durability)
    migrate(database, MIGRATIONS)
    return database


def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve the studio and supervise its workers until stopped; `announce` gets the URL to open.

    Raises DatabaseInUse when another server has the database, SettingsError when it cannot be used.
    """
    import uvicorn

    from treadle.visualizer.elements import CYTOSCAPE_STYLE_SHA256
    from treadle.web.security import SecurityConfig

    with _only_server(settings) as say_where, tempfile.TemporaryDirectory(prefix="treadle-") as sockets:
        database = open_database(settings)
        clear(database)
        drop_leases(database)  # we hold the lock: whoever had them is gone, or is fenced by the epoch
        code = None if settings.open_access else secrets.token_urlsafe(16)
        listener = _bind(settings)
        port = listener.getsockname()[1]
        say_where(f"(process {os.getpid()}, at http://{settings.host}:{port}/)")
        security = SecurityConfig(
            host=settings.host,
            port=port,
            token=settings.token,
            code=code,
            secret=_secret(settings),
            open_access=settings.open_access,
            style_hashes=(CYTOSCAPE_STYLE_SHA256,),
        )
        url = f"http://{settings.host}:{port}/" + (f"login?code={code}" if code is not None else "")
        app = _site(settings, database, security, Path(sockets), lambda: _ready(settings, url, announce))
        config = uvicorn.Config(
            app, lifespan="on", log_level="warning", timeout_graceful_shutdown=5, server_header=False
        )
        try:
            asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))
        except KeyboardInterrupt:
            pass
        finally:
            database.close()


def run_worker(settings: Settings, *, worker: str, name: str, sockets: Path, supervised: bool) -> None:
    """Run one worker process until told to stop."""
    database = Database(settings.database, full=settings.full_durability)
    asyncio.run(work(database, settings.workflows, worker=worker, name=name, sockets=sockets, supervised=supervised))


def _site(
    settings: Settings, database: Database, security: SecurityConfig, sockets: Path, ready: Callable[[], None]
) -> ASGIApp:
    from treadle.web.site import make_app
    from treadle.web.warming import warm

    signals = Signals()
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
        if "*" not in topics:
            signals.notify("*")

    def changed() -> None:
        workers.send(["*"])
        received(["*"])

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        transport = await listen(sockets / "web-1.sock", received)
        supervisor = Supervisor(database, command, count=settings.workers, changed=changed)
        async with supervisor:
            # Whoever opens the URL then sees workflows.
            await asyncio.gather(signals.wait("*", timeout=FIRST_CATALOG), warm(app))
            ready()
            yield
        transport.close()
        workers.close()

    requests = Requests(database, nudge=lambda topic: workers.send([topic]))
    return make_app(database=database, requests=requests, signals=signals, security=security, lifespan=lifespan)


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


@contextmanager
def _only_server(settings: Settings) -> Iterator[Callable[[str], None]]:
    """Hold the database's lock: one web process and its workers to a file. Yields what tells others where we are."""
    if settings.state is None:
        yield lambda _: None
        return
    settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = Path(settings.database.removeprefix("sqlite:///")).with_suffix(".lock")
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise DatabaseInUse(
                f"The database {settings.database} is in use by another treadle serve {file.read().strip()};"
                " stop it first, or name another file with --database."
            ) from None
        file.truncate(0)

        def say_where(where: str) -> None:
            file.write(where)
            file.flush()

        yield say_where
