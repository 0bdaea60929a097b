"""Signs of life, what is kept how long, and the store's own secrets."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables of beats and secrets, and note what of a call is no longer kept."""
    op.create_table(
        "beats",
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
    )
    op.create_table(
        "secrets",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("secret", sa.Text, nullable=False),
    )
    op.add_column("calls", sa.Column("pruned", sa.Double))
    op.create_index("calls_by_end", "calls", ["pruned", "ended"])
    op.add_column("recordings", sa.Column("removed", sa.Double))
    op.create_index("recordings_by_time", "recordings", ["removed", "created"])
