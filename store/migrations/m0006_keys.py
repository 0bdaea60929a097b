"""Labels of calls, a second secret of keys, answers that are given again, and the ways to find a call."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns, and an index for each way that calls are looked for."""
    op.add_column("calls", sa.Column("label", sa.Text))
    op.drop_index("calls_of_key", "calls")
    op.create_index("calls_of_key", "calls", ["key", "created", "call_id"])
    for name in ("outcome", "label", "callee", "caller"):
        op.create_index(f"calls_of_{name}", "calls", ["key", name, "created", "call_id"])
    op.add_column("keys", sa.Column("old_secret", sa.Text))
    op.add_column("keys", sa.Column("old_until", sa.Double))
    op.add_column("keys", sa.Column("generation", sa.Integer, nullable=False, server_default="0"))
    op.add_column("used_seqs", sa.Column("digest", sa.Text))
    op.add_column("used_seqs", sa.Column("answer", sa.JSON))
