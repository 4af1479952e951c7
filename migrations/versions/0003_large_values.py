"""Large values: payloads too large for an entry are kept beside the journal; a run has remarks."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("run", sa.Column("remarks", sa.Text(), nullable=True))
    op.create_table(
        "blob",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "hash"),
    )


def downgrade() -> None:
    op.drop_table("blob")
    op.drop_column("run", "remarks")
