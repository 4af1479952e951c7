"""The Alembic environment: runs the revisions over a connection that Treadle hands in."""

from alembic import context
from sqlmodel import SQLModel

from treadle.store import tables

assert tables
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
