"""Nested runs: a run knows the step that started it, a prompt the response a waiting step expects.

Columns are added in place: to rebuild `run` would take the entries of every run with it, by their foreign keys.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("run", sa.Column("parent_id", sa.String(), nullable=True))
    op.add_column("run", sa.Column("parent_seq", sa.Integer(), nullable=True))
    op.add_column("run", sa.Column("parent_step", sa.String(), nullable=True))
    op.add_column("run", sa.Column("parent_call", sa.Integer(), nullable=True))
    op.create_index("ix_run_parent_created", "run", ["parent_id", "created_at", "status"], unique=False)
    op.add_column("prompt", sa.Column("expects", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("prompt", "expects")
    op.drop_index("ix_run_parent_created", "run")
    for name in ("parent_call", "parent_step", "parent_seq", "parent_id"):
        op.drop_column("run", name)
