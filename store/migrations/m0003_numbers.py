"""Numbers that calls come in at, and who called."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table of numbers, and note of calls who called."""
    op.create_table(
        "numbers",
        sa.Column("number", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("script", sa.Text),
        sa.Column("version", sa.Integer),
        sa.Column("params", sa.JSON, nullable=False),
        sa.Column("callback_url", sa.Text),
    )
    op.add_column("calls", sa.Column("caller", sa.Text))
