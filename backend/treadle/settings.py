"""Settings: what the environment and the command line say, read once. Nothing below reads configuration."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar

from treadle.errors import SettingsError
from treadle.resources import GALLERY

DEFAULT_PORT = 8765
SQLITE = "sqlite:///"

_Number = TypeVar("_Number", int, float)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the composition root needs to know. Times in seconds, paths absolute."""

    database: str
    workflows: tuple[Path, ...]
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    workers: int = 2
    token: str | None = None
    open_access: bool = False
    full_durability: bool = True
    open_browser: bool = False
    keep_days: float | None = None
    """Days after which an ended run may be deleted; None: never."""
    keep_runs: int | None = None
    """Ended runs that are kept however old they are; with `keep_days` None, the others may go at once."""

    @property
    def file(self) -> Path | None:
        """The database's file; None for one that is not a file."""
        path = self.database.removeprefix(SQLITE)
        return Path(path) if path != self.database else None

    @property
    def state(self) -> Path | None:
        """The folder the database lies in; None for one that is not a file."""
        return self.file.parent if self.file is not None else None


def read_settings(
    *,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    workers: int = 2,
    database: str | None = None,
    workflows: Sequence[Path] = (),
    no_token: bool = False,
    open_browser: bool = False,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Settings from arguments and TREADLE_* variables. Raises SettingsError, saying what to do."""
    if not _is_loopback(host):
        raise SettingsError(
            f"--host {host} would open the studio to other machines, and no login is configured."
            " Use --host 127.0.0.1 (and an SSH tunnel from elsewhere)."
        )
    if workers < 1:
        raise SettingsError("--workers must be at least 1: without a worker no run goes on.")
    durability = environment.get("TREADLE_DURABILITY", "full")
    if durability not in ("full", "process"):
        raise SettingsError(f"TREADLE_DURABILITY is {durability!r}; use full (power cuts) or process (kill -9).")
    return Settings(
        database=_database_url(database or environment.get("TREADLE_DATABASE")),
        workflows=_workflow_paths(workflows),
        host=host,
        port=port,
        workers=workers,
        token=environment.get("TREADLE_TOKEN") or None,
        open_access=no_token,
        full_durability=durability == "full",
        open_browser=open_browser,
        keep_days=_number(environment, "TREADLE_KEEP_DAYS", float),
        keep_runs=_number(environment, "TREADLE_KEEP_RUNS", int),
    )


def names_postgres(database: str | None, *, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the database that was named is one of PostgreSQL, which has tools of its own."""
    return (database or environment.get("TREADLE_DATABASE") or "").startswith("postgres")


def _database_url(given: str | None) -> str:
    if given is None:
        return f"{SQLITE}{Path('.treadle').resolve() / 'treadle.db'}"
    if "://" not in given:
        return f"{SQLITE}{Path(given).resolve()}"
    if not given.startswith(SQLITE):
        raise SettingsError(f"The database {given.split(':')[0]} is not supported yet; name a SQLite file.")
    return f"{SQLITE}{Path(given.removeprefix(SQLITE)).resolve()}"


def _number(environment: Mapping[str, str], name: str, kind: type[_Number]) -> _Number | None:
    """A variable that holds a number from 0 on; None where it is not set."""
    given = environment.get(name, "").strip()
    if not given:
        return None
    try:
        number = kind(given)
    except ValueError:
        number = kind(-1)
    if not number >= 0:
        raise SettingsError(f"{name} is {given!r}; write a number from 0 on, or unset it to keep every run.")
    return number


def _workflow_paths(given: Sequence[Path]) -> tuple[Path, ...]:
    if not given:
        local = Path("workflows").resolve()
        return (local if local.is_dir() else GALLERY,)
    for path in given:
        if not path.exists():
            raise SettingsError(f"There is no {path}; name a Python file with workflows or a folder of them.")
    return tuple(path.resolve() for path in given)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
