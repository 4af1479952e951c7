"""What is remembered, as tables. Times are seconds since the epoch; columns of JSON hold text."""

from typing import ClassVar

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

_Id = BigInteger().with_variant(Integer(), "sqlite")


class Workflow(SQLModel, table=True):
    """A workflow (or a file that failed to load) as the workers last published it."""

    __tablename__: ClassVar[str] = "workflow"

    name: str = Field(primary_key=True)
    file: str
    title: str
    doc: str = Field(default="", sa_type=Text)
    fingerprint: str = ""
    published_at: float = Field(sa_type=Float)
    num_concurrent_runs: int | None = None
    """How many of its runs may go on at a time; None: as many as there are."""
    error: str | None = Field(default=None, sa_type=Text)
    """JSON {message, file, line, traceback}: why the file could not be loaded."""


class Version(SQLModel, table=True):
    """One version of a workflow's code: what a run was recorded with."""

    __tablename__: ClassVar[str] = "version"

    workflow: str = Field(primary_key=True)
    fingerprint: str = Field(primary_key=True)
    graph: str = Field(sa_type=Text)
    """JSON of visualizer.graph.Graph."""
    start_schema: str = Field(sa_type=Text)
    """JSON schema of the start event."""
    responses: str = Field(default="{}", sa_type=Text)
    """JSON {event class: JSON schema} of the response events its steps accept."""
    source: str = Field(default="", sa_type=Text)
    published_at: float = Field(sa_type=Float)


class Run(SQLModel, table=True):
    """One execution, with the summary every page reads instead of folding the journal."""

    __tablename__: ClassVar[str] = "run"
    __table_args__ = (
        Index("ix_run_created", "created_at"),
        Index("ix_run_workflow_created", "workflow", "created_at"),
        Index("ix_run_status_created", "status", "created_at"),
        Index("ix_run_lease", "lease_owner"),
        Index("ix_run_parent_created", "parent_id", "created_at", "status"),
    )

    id: str = Field(primary_key=True)
    workflow: str
    fingerprint: str = ""
    status: str
    held: bool = False
    created_at: float = Field(sa_type=Float)
    started_at: float | None = Field(default=None, sa_type=Float)
    ended_at: float | None = Field(default=None, sa_type=Float)
    entries: int = 0
    result: str | None = Field(default=None, sa_type=Text)
    """JSON of the result of a completed run."""
    error: str | None = Field(default=None, sa_type=Text)
    """JSON {type, message, step, traceback}."""
    counts: str = Field(default="{}", sa_type=Text)
    """JSON of recorded counts: steps, events, edges, joins."""
    queue: str = Field(default="[]", sa_type=Text)
    """JSON list of queued events {id, step, event_type, payload}, the first 50."""
    idempotency_key: str | None = Field(default=None, unique=True)
    request_digest: str | None = None
    continued_from: str | None = None
    parent_id: str | None = None
    """The run whose step started this one; `parent_seq` and `parent_step` name the delivery, `parent_call` the call."""
    parent_seq: int | None = None
    parent_step: str | None = None
    parent_call: int | None = None
    remarks: str | None = Field(default=None, sa_type=Text)
    """JSON {warnings, not_resumable}: what its page says of limits that come near, and of values that are not kept."""
    lease_owner: str | None = None
    lease_until: float = Field(default=0.0, sa_type=Float)
    epoch: int = 0


class Entry(SQLModel, table=True):
    """One entry of a run's journal."""

    __tablename__: ClassVar[str] = "entry"
    __table_args__ = {"sqlite_with_rowid": False}

    run_id: str = Field(sa_column=Column(Text, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True))
    seq: int = Field(primary_key=True)
    at: float = Field(sa_type=Float)
    kind: str
    step: str | None = None
    event_type: str | None = None
    payload: str | None = Field(default=None, sa_type=Text)
    """JSON a person reads: the event's fields, the error, the changed key."""
    cause: int | None = None
    detail: str | None = Field(default=None, sa_type=Text)
    """JSON only the engine reads when it folds the journal."""


class Blob(SQLModel, table=True):
    """A text too large for the row it belongs to, which has its hash and size instead."""

    __tablename__: ClassVar[str] = "blob"

    run_id: str = Field(sa_column=Column(Text, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True))
    hash: str = Field(primary_key=True)
    """SHA-256 of the text, in hexadecimal."""
    size: int
    head: str = Field(sa_type=Text)
    """Its beginning, to be shown."""
    bytes: bytes
    """The text, compressed by zlib."""


class Snapshot(SQLModel, table=True):
    """The context of a run at one entry, saved to continue from."""

    __tablename__: ClassVar[str] = "snapshot"

    run_id: str = Field(sa_column=Column(Text, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True))
    seq: int
    context: str = Field(sa_type=Text)


class SavedState(SQLModel, table=True):
    """What the journal of a live run comes to at one entry, saved to shorten replay."""

    __tablename__: ClassVar[str] = "state"

    run_id: str = Field(sa_column=Column(Text, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True))
    seq: int
    bytes: bytes
    """JSON of engine.snapshot, compressed by zlib."""


class Prompt(SQLModel, table=True):
    """A waiting InputRequiredEvent; its id is the seq of the entry that raised it."""

    __tablename__: ClassVar[str] = "prompt"
    __table_args__ = (Index("ix_prompt_open", "status", "created_at"),)

    run_id: str = Field(sa_column=Column(Text, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True))
    id: int = Field(primary_key=True)
    event_type: str
    prefix: str = Field(default="", sa_type=Text)
    payload: str = Field(sa_type=Text)
    status: str = "open"
    """open, answered or withdrawn (the run ended first)."""
    created_at: float = Field(sa_type=Float)
    answered_at: float | None = Field(default=None, sa_type=Float)
    response_type: str | None = None
    response: str | None = Field(default=None, sa_type=Text)
    expects: str | None = Field(default=None, sa_type=Text)
    """JSON {event class: JSON schema} of what answers it, where a step waits for that; None: what the steps take."""


class Inbox(SQLModel, table=True):
    """A request the web process accepted and a worker has yet to take: its commit is the acknowledgement."""

    __tablename__: ClassVar[str] = "inbox"
    __table_args__ = (
        Index("ix_inbox_pending", "handled_at", "id"),
        UniqueConstraint("run_id", "kind", "dedupe", name="uq_inbox_dedupe"),
    )

    id: int | None = Field(default=None, sa_column=Column(_Id, primary_key=True, autoincrement=True))
    run_id: str = Field(sa_column=Column(Text, ForeignKey("run.id", ondelete="CASCADE"), nullable=False))
    kind: str
    """start, response, cancellation, step, release or reopening."""
    dedupe: str | None = None
    body: str = Field(default="{}", sa_type=Text)
    created_at: float = Field(sa_type=Float)
    handled_at: float | None = Field(default=None, sa_type=Float)


class Worker(SQLModel, table=True):
    """A worker process as it last reported itself."""

    __tablename__: ClassVar[str] = "worker"
    __table_args__ = (Index("ix_worker_ended", "ended_at"),)

    id: str = Field(primary_key=True)
    name: str
    pid: int
    started_at: float = Field(sa_type=Float)
    heartbeat_at: float = Field(sa_type=Float)
    ended_at: float | None = Field(default=None, sa_type=Float)
    exit: str | None = None
    """How it ended: "exit 3", "signal 9"."""
    workflows: str | None = Field(default=None, sa_type=Text)
    """JSON list of the names of what it can run; None: nobody has said."""
    busy_since: float | None = Field(default=None, sa_type=Float)
    busy_run: str | None = None
    busy_step: str | None = None
