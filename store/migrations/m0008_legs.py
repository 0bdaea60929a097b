"""A line for each leg that is over, and its conferences; what a script of a key may cost."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables of legs, where calls of before have none, and the columns."""
    op.create_table(
        "legs",
        sa.Column("leg_id", sa.Text, primary_key=True),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("inbound", sa.Boolean, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("own", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("ended", sa.Double, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("ended_by", sa.Text, nullable=False),
        sa.Column("bill", sa.String, nullable=False),
        sa.Column("rung", sa.Double),
        sa.Column("answered", sa.Double),
        sa.Column("seconds", sa.Integer),
        sa.Column("sip_status", sa.Integer),
        sa.Column("label", sa.Text),
        sa.Column("script", sa.Text),
        sa.Column("version", sa.Integer),
        sa.Column("conferences", sa.JSON, nullable=False),
        sa.Column("packets", sa.Integer),
        sa.Column("lost", sa.Integer),
        sa.Column("jitter_ms", sa.Double),
    )
    op.create_index("legs_of_call", "legs", ["call_id"])
    op.create_index("legs_of_key", "legs", ["key", "ended", "leg_id"])
    op.create_index("legs_by_time", "legs", ["ended", "leg_id"])
    op.create_table(
        "conference_legs",
        sa.Column("conference", sa.Text, primary_key=True),
        sa.Column("leg_id", sa.Text, primary_key=True),
    )
    op.add_column("keys", sa.Column("most_cost", sa.String))
