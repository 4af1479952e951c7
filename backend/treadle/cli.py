"""The command `treadle`: arguments only; what they ask for is done elsewhere."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from treadle import terminal
from treadle.engine.traces import trace_of
from treadle.errors import DatabaseInUse, TreadleError
from treadle.settings import DEFAULT_PORT, read_settings

cli = typer.Typer(
    name="treadle",
    help="Event-driven workflows, and the studio around them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)

DatabaseOption = Annotated[str | None, typer.Option(help="SQLite file or sqlite:/// URL. [default: ./.treadle]")]
WorkflowsOption = Annotated[
    list[Path] | None, typer.Option(help="File or folder with workflows; may be given more than once.")
]
PathsArgument = Annotated[
    list[Path] | None, typer.Argument(help="Files or folders with workflows.", show_default=False)
]
TargetArgument = Annotated[str, typer.Argument(metavar="FILE:CLASS", help="The workflow, for example flows.py:MyFlow.")]


@cli.command()
def serve(  # noqa: PLR0917 - typer reads options from parameters
    paths: PathsArgument = None,
    host: Annotated[str, typer.Option(help="Address to listen on: of this machine only.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 picks a free one.")] = DEFAULT_PORT,
    database: DatabaseOption = None,
    workflows: WorkflowsOption = None,
    workers: Annotated[int, typer.Option(help="Worker processes.")] = 2,
    no_token: Annotated[
        bool, typer.Option("--no-token", help="No login: anybody on this machine may come in.")
    ] = False,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the studio in a browser.")] = False,
) -> None:
    """Serve the studio on this machine."""
    from treadle.app import serve as run

    settings = read_settings(
        host=host, port=port, database=database, workflows=[*(paths or []), *(workflows or [])], workers=workers,
        no_token=no_token, open_browser=open_browser,
    )  # fmt: skip
    run(settings, lambda url: _out.print(f"Treadle is at [bold]{url}[/bold]\nStop it with Ctrl+C."))


@cli.command()
def worker(
    paths: PathsArgument = None,
    database: DatabaseOption = None,
    workflows: WorkflowsOption = None,
    name: Annotated[str, typer.Option(help="What people call this worker.")] = "worker",
    worker_id: Annotated[str | None, typer.Option("--id", hidden=True)] = None,
    sockets: Annotated[Path | None, typer.Option(hidden=True)] = None,
    supervised: Annotated[bool, typer.Option("--supervised", hidden=True)] = False,
) -> None:
    """Run one more worker on the database of a studio on this machine."""
    import tempfile

    from treadle.app import run_worker

    logging.basicConfig(level=logging.WARNING, format=f"{name}: %(message)s")
    settings = read_settings(database=database, workflows=[*(paths or []), *(workflows or [])])
    with tempfile.TemporaryDirectory(prefix="treadle-") as own:
        run_worker(
            settings,
            worker=worker_id or f"w_{secrets.token_hex(6)}",
            name=name,
            sockets=sockets or Path(own),
            supervised=supervised,
        )


@cli.command()
def run(
    target: TargetArgument,
    fields: Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Fields of the start event.")] = None,
) -> None:
    """Run a workflow in the terminal: print what it streams, answer its prompts, print its result."""
    try:
        asyncio.run(terminal.run(target, _fields(fields or []), _out))
    except (TreadleError, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001 - the workflow's own, sys.exit() included: say where
        _err.print(trace_of(error), markup=False)
        raise SystemExit(1) from None


@cli.command()
def draw(
    target: TargetArgument,
    output: Annotated[Path, typer.Option("-o", "--output", help="HTML file to write.")] = Path("workflow.html"),
) -> None:
    """Draw all possible flows of a workflow into one HTML file that needs no network."""
    output.write_text(terminal.draw(target), encoding="utf-8")
    _out.print(f"Drew {target} into {output}.")


@cli.command()
def migrate(database: DatabaseOption = None) -> None:
    """Bring the database to the schema of this version."""
    from treadle.app import open_database

    open_database(read_settings(database=database)).close()
    _out.print("The database is up to date.")


def _fields(pairs: list[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals:
            raise TreadleError(f"{pair} is not KEY=VALUE; write for example topic=pirates.")
        try:
            fields[key] = json.loads(text)
        except ValueError:
            fields[key] = text
    return fields


def main() -> None:
    """Run the command; errors on purpose end it with one clear line."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        cli()
    except DatabaseInUse as error:
        _err.print(f"treadle: {error}", markup=False)
        raise SystemExit(3) from None
    except TreadleError as error:
        _err.print(f"treadle: {error}", markup=False)
        raise SystemExit(2) from None
