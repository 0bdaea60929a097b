"""Callbacks that are sent again, and those whose receiver wants no more."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Note of posts when they were sent again, and when their URL was said to be gone."""
    op.add_column("posts", sa.Column("resent", sa.Double))
    op.add_column("posts", sa.Column("gone", sa.Double))
    op.execute("UPDATE posts SET gone = next_at WHERE state = 'parked' AND last_error LIKE '%410%'")
    op.create_index("posts_of_key", "posts", ["key", "state", "created"])
