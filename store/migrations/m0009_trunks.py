"""The trunk that carried a call, and a leg."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the columns; of what was before, nobody knows."""
    for table in ("calls", "legs"):
        op.add_column(table, sa.Column("trunk", sa.Text))
