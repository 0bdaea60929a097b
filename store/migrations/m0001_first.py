"""The journal, calls, recordings, callbacks, keys and used seqs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "journal",
        sa.Column("call_id", sa.Text, primary_key=True),
        sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
    )
    _calls_and_recordings()
    _posts()
    _keys()


def _calls_and_recordings() -> None:
    op.create_table(
        "calls",
        sa.Column("call_id", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("callee", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("answered", sa.Double),
        sa.Column("ended", sa.Double),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("bill", sa.String),
    )
    op.create_index("calls_by_time", "calls", ["created"])
    op.create_index("calls_of_key", "calls", ["key", "created"])
    op.create_index("calls_by_state", "calls", ["state", "created"])
    op.create_index("bills_of_key", "calls", ["key", "bill"])
    op.create_table(
        "recordings",
        sa.Column("file", sa.Text, primary_key=True),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("duration_ms", sa.Integer, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
    )
    op.create_index("recordings_of_call", "recordings", ["call_id", "created"])


def _posts() -> None:
    op.create_table(
        "posts",
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("fields", sa.JSON, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.Double, nullable=False),
        sa.Column("last_error", sa.Text, nullable=False),
    )
    op.create_index("posts_of_call", "posts", ["call_id", "n"])
    op.create_index("posts_by_state", "posts", ["state", "call_id", "n"])


def _keys() -> None:
    op.create_table(
        "keys",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("revoked", sa.Double),
        sa.Column("signing", sa.Boolean, nullable=False),
        sa.Column("calls_per_second", sa.Double),
        sa.Column("concurrent", sa.Integer),
        sa.Column("prefixes", sa.JSON, nullable=False),
        sa.Column("spending_cap", sa.String),
    )
    op.create_table(
        "used_seqs",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    )
