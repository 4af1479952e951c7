"""Assigned runs: who accepts a run gives it to a worker at once, unless its workflow allows only so many at a time."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("workflow", sa.Column("num_concurrent_runs", sa.Integer(), nullable=True))
    op.add_column("worker", sa.Column("workflows", sa.Text(), nullable=True))
    op.create_index("ix_worker_ended", "worker", ["ended_at"])


def downgrade() -> None:
    op.drop_index("ix_worker_ended", "worker")
    op.drop_column("worker", "workflows")
    op.drop_column("workflow", "num_concurrent_runs")
