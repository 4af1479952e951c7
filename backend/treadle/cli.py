"""The command `treadle`: arguments only; what they ask for is done elsewhere."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console

from treadle.errors import DatabaseInUse, TreadleError
from treadle.settings import DEFAULT_PORT, names_postgres, read_settings

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
    from treadle.app import run_worker

    logging.basicConfig(level=logging.WARNING, format=f"{name}: %(message)s")
    settings = read_settings(database=database, workflows=[*(paths or []), *(workflows or [])])
    run_worker(
        settings,
        worker=worker_id or f"w_{secrets.token_hex(6)}",
        name=name,
        sockets=sockets,
        supervised=supervised,
    )


@cli.command()
def run(
    target: TargetArgument,
    fields: Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Fields of the start event.")] = None,
) -> None:
    """Run a workflow in the terminal: print what it streams, answer its prompts, print its result."""
    from treadle import terminal
    from treadle.engine.traces import trace_of

    try:
        asyncio.run(terminal.run(target, _fields(fields or []), _out))
    except (TreadleError, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001 - the workflow's own, sys.exit() included: say where
        _err.print(trace_of(error), markup=False)
        raise SystemExit(1) from None


@cli.command()
def draw(
    target: Annotated[str, typer.Argument(metavar="FILE:CLASS|RUN_ID", help="The workflow, or a run by its id.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="File to write: .html, .svg, .png, .mmd (Mermaid) or .json.")
    ] = Path("workflow.html"),
    *,
    run: Annotated[bool, typer.Option("--run", help="The newest run of the workflow, drawn on all flows.")] = False,
    only: Annotated[bool, typer.Option("--only", help="Nothing but what the run did.")] = False,
    compact: Annotated[bool, typer.Option("--compact", help="Events as words on the edges.")] = False,
    at: Annotated[int | None, typer.Option(min=0, metavar="SEQ", help="What the run had done by this entry.")] = None,
    expand: Annotated[bool, typer.Option(help="Draw what is inside nested workflows.")] = True,
    direction: Annotated[
        Literal["TB", "LR"], typer.Option(help="From top to bottom or from left to right.", case_sensitive=False)
    ] = "TB",
    theme: Annotated[
        Literal["auto", "light", "dark", "print"] | None,
        typer.Option(help="auto follows the reader. [default: auto for .html, else light]", show_default=False),
    ] = None,
    legend: Annotated[
        bool | None, typer.Option("--legend/--no-legend", help="Say what the shapes mean. [default: in .html]")
    ] = None,
    caption: Annotated[str | None, typer.Option(help="A line below the picture.")] = None,
    title: Annotated[str, typer.Option(help="What the picture is called.")] = "",
    scale: Annotated[float, typer.Option(min=0.1, max=8.0, help="Pixels of a .png for each of the drawing's.")] = 2.0,
    database: DatabaseOption = None,
) -> None:
    """Draw all possible flows of a workflow, or what a run did, into one file that needs no network."""
    from treadle import terminal
    from treadle.visualizer.export import Look

    look = Look(theme, direction, compact, legend, caption, title, scale, expand)
    drawn = terminal.draw(target, output, look, run=run, only=only, at=at, database=database)
    _out.print(f"Drew {drawn} into {output}.", markup=False)


@cli.command()
def migrate(database: DatabaseOption = None) -> None:
    """Bring the database to the schema of this version; a copy of it as it was stays beside it."""
    from treadle.app import migrate as run

    _out.print(f"The database is at schema {run(read_settings(database=database))}.")


@cli.command()
def fsck(
    database: DatabaseOption = None,
    run_id: Annotated[str | None, typer.Option("--run", metavar="ID", help="Check this run only.")] = None,
    workflows: WorkflowsOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Fold every run again from its journal and compare: exit 0 clean, 1 something is wrong, 2 could not check."""
    from treadle import terminal

    report = terminal.check(read_settings(database=database), run_id=run_id, workflows=workflows or [])
    if as_json:
        typer.echo(json.dumps(report.to_dict(), indent=2))
    else:
        for line in terminal.lines_of(report):
            typer.echo(line)
    raise SystemExit(0 if report.clean else 1)


@cli.command()
def backup(
    target: Annotated[Path, typer.Argument(help="The file to write; it must not be there yet.")],
    database: DatabaseOption = None,
) -> None:
    """Copy the database into one file, also while a studio writes to it."""
    from treadle import terminal

    if names_postgres(database):
        raise TreadleError("PostgreSQL makes its own copies: pg_dump --format=custom --file=FILE DATABASE.")
    made = terminal.copy(read_settings(database=database), target)
    typer.echo(f"Wrote {made.path}: {terminal.size(made.size)} in {made.seconds:.1f} s, checked.")


@cli.command()
def prune(
    older_than: Annotated[
        str | None, typer.Option(metavar="AGE", help="Runs that ended longer ago: 30d, 12h, 90m.")
    ] = None,
    keep: Annotated[int | None, typer.Option(min=0, help="Keep this many of the newest ended runs.")] = None,
    status: Annotated[
        str, typer.Option(metavar="STATUSES", help="Only runs that ended so.")
    ] = "completed,failed,cancelled,timed_out",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many would go.")] = False,
    vacuum: Annotated[bool, typer.Option("--vacuum", help="Make the file smaller; no studio may have it.")] = False,
    database: DatabaseOption = None,
) -> None:
    """Delete ended runs with all that belongs to them; a run goes only if every option given lets it."""
    from treadle import terminal

    rule = terminal.rule(older_than=older_than, keep=keep, status=status)
    terminal.prune(read_settings(database=database), rule, dry_run=dry_run, vacuum=vacuum, say=typer.echo)


@cli.command(hidden=True)
def routes(paths: list[Path], output: Annotated[Path, typer.Option()]) -> None:
    """Write the routes of workflow files as JSON: `fsck` asks a process of its own for them."""
    from treadle import terminal

    output.write_text(json.dumps(terminal.routes(paths)), encoding="utf-8")


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
        raise _end(error) from None
    except Exception as error:
        from treadle.store.failing import told

        clear = told(error)  # a database that is busy, full or broken is nobody's bug
        if clear is None:
            raise
        raise _end(clear) from None


def _end(error: TreadleError) -> SystemExit:
    """The exit with one clear line; that of a broken disk is a code of its own, for who would start us again."""
    _err.print(f"treadle: {error}", markup=False)
    return SystemExit(os.EX_IOERR if error.code == "database_failed" else 2)
