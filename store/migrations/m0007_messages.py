"""Text messages, both ways: how each stands, what others call it, who wants none, and who takes which."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables of messages."""
    op.create_table(
        "messages",
        sa.Column("message_id", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("inbound", sa.Boolean, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("own", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("changed", sa.Double, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("segments", sa.Integer, nullable=False),
        sa.Column("parts", sa.JSON, nullable=False),
        sa.Column("carrier", sa.Text, nullable=False),
        sa.Column("operator", sa.Text, nullable=False),
        sa.Column("notify", sa.Text),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("reply_to", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.Double, nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
        sa.Column("twice", sa.Integer, nullable=False),
        sa.Column("bill", sa.String),
        sa.Column("label", sa.Text),
        sa.Column("lines", sa.Integer, nullable=False),
        sa.Column("told", sa.Integer, nullable=False),
        sa.Column("pruned", sa.Double),
    )
    op.create_index("messages_of_key", "messages", ["key", "created", "message_id"])
    op.create_index("messages_by_change", "messages", ["pruned", "changed"])
    op.create_index("messages_by_time", "messages", ["created"])
    op.create_index("messages_by_state", "messages", ["state", "created", "message_id"])
    op.create_index("messages_of_pair", "messages", ["number", "own", "created"])
    op.create_index("message_bills_of_key", "messages", ["key", "bill"])
    op.create_table(
        "remote_parts",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("remote_id", sa.Text, primary_key=True),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("part", sa.Integer, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
    op.create_index("remote_parts_by_time", "remote_parts", ["at"])
    op.create_table(
        "fragments",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("sender", sa.Text, primary_key=True),
        sa.Column("number", sa.Text, primary_key=True),
        sa.Column("reference", sa.Text, primary_key=True),
        sa.Column("parts", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
    op.create_index("fragments_by_time", "fragments", ["at"])
    op.create_table(
        "opt_outs",
        sa.Column("own", sa.Text, primary_key=True),
        sa.Column("number", sa.Text, primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
    )
    op.create_table(
        "keywords",
        sa.Column("number", sa.Text, primary_key=True),
        sa.Column("keyword", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("script", sa.Text),
        sa.Column("version", sa.Integer),
        sa.Column("params", sa.JSON, nullable=False),
        sa.Column("callback_url", sa.Text),
    )
