"""The tables, as the newest migration leaves them.

Money is kept as decimal text, so that what is read is exactly what was written; times are Unix
seconds.  A change here needs a migration beside it, and a test holds the two together.
"""

from decimal import Decimal

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)


class Money(TypeDecorator[Decimal]):
    """A Decimal, exact to its last digit, as text."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        """Write *value* down."""
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        """Read it back."""
        return None if value is None else Decimal(value)


metadata = MetaData()

journal = Table(
    "journal",
    metadata,
    Column("call_id", Text, primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("data", JSON, nullable=False),
)

calls = Table(
    "calls",
    metadata,
    Column("call_id", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("callee", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("answered", Double),
    Column("ended", Double),
    Column("outcome", Text, nullable=False),
    Column("bill", Money),
    Column("caller", Text),
    Column("pruned", Double),
    Index("calls_by_end", "pruned", "ended"),
    Column("label", Text),
    Column("trunk", Text),
    Index("calls_by_time", "created"),
    # Each way that a key's calls are looked for, in the order that they are listed in.
    Index("calls_of_key", "key", "created", "call_id"),
    Index("calls_of_outcome", "key", "outcome", "created", "call_id"),
    Index("calls_of_label", "key", "label", "created", "call_id"),
    Index("calls_of_callee", "key", "callee", "created", "call_id"),
    Index("calls_of_caller", "key", "caller", "created", "call_id"),
    Index("calls_by_state", "state", "created"),
    Index("bills_of_key", "key", "bill"),
)

legs = Table(
    "legs",
    metadata,
    Column("leg_id", Text, primary_key=True),
    Column("call_id", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("inbound", Boolean, nullable=False),
    Column("number", Text, nullable=False),
    Column("own", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("ended", Double, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("ended_by", Text, nullable=False),
    Column("bill", Money, nullable=False),
    Column("rung", Double),
    Column("answered", Double),
    Column("seconds", Integer),
    Column("sip_status", Integer),
    Column("label", Text),
    Column("script", Text),
    Column("version", Integer),
    Column("conferences", JSON, nullable=False),
    Column("packets", Integer),
    Column("lost", Integer),
    Column("jitter_ms", Double),
    Column("trunk", Text),
    Index("legs_of_call", "call_id"),
    Index("legs_of_key", "key", "ended", "leg_id"),
    Index("legs_by_time", "ended", "leg_id"),
)

conference_legs = Table(
    "conference_legs",
    metadata,
    Column("conference", Text, primary_key=True),
    Column("leg_id", Text, primary_key=True),
)

recordings = Table(
    "recordings",
    metadata,
    Column("file", Text, primary_key=True),
    Column("call_id", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("removed", Double),
    Index("recordings_by_time", "removed", "created"),
    Index("recordings_of_call", "call_id", "created"),
)

posts = Table(
    "posts",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("n", Integer, nullable=False),
    Column("url", Text, nullable=False),
    Column("fields", JSON, nullable=False),
    Column("created", Double, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Double, nullable=False),
    Column("last_error", Text, nullable=False),
    Column("resent", Double),
    Column("gone", Double),
    Index("posts_of_call", "call_id", "n"),
    Index("posts_by_state", "state", "call_id", "n"),
    Index("posts_of_key", "key", "state", "created"),
)

scripts = Table(
    "scripts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("digest", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("size", Integer, nullable=False),
    Column("text", Text, nullable=False),
)

numbers = Table(
    "numbers",
    metadata,
    Column("number", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("script", Text),
    Column("version", Integer),
    Column("params", JSON, nullable=False),
    Column("callback_url", Text),
)

keys = Table(
    "keys",
    metadata,
    Column("key", Text, primary_key=True),
    Column("secret", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("revoked", Double),
    Column("signing", Boolean, nullable=False),
    Column("calls_per_second", Double),
    Column("concurrent", Integer),
    Column("prefixes", JSON, nullable=False),
    Column("spending_cap", Money),
    Column("old_secret", Text),
    Column("old_until", Double),
    Column("generation", Integer, nullable=False, server_default="0"),
    Column("most_cost", Money),
)

used_seqs = Table(
    "used_seqs",
    metadata,
    Column("key", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", Text),
    Column("answer", JSON(none_as_null=True)),
)

beats = Table(
    "beats",
    metadata,
    Column("node", Text, primary_key=True),
    Column("at", Double, nullable=False),
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("secret", Text, nullable=False),
)

messages = Table(
    "messages",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("inbound", Boolean, nullable=False),
    Column("number", Text, nullable=False),
    Column("own", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("state", Text, nullable=False),
    Column("changed", Double, nullable=False),
    Column("reason", Text, nullable=False),
    Column("segments", Integer, nullable=False),
    Column("parts", JSON, nullable=False),
    Column("carrier", Text, nullable=False),
    Column("operator", Text, nullable=False),
    Column("notify", Text),
    Column("call_id", Text, nullable=False),
    Column("reply_to", Text),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Double, nullable=False),
    Column("expires", Double, nullable=False),
    Column("twice", Integer, nullable=False),
    Column("bill", Money),
    Column("label", Text),
    Column("lines", Integer, nullable=False),
    Column("told", Integer, nullable=False),
    Column("pruned", Double),
    Index("messages_by_change", "pruned", "changed"),
    Index("messages_of_key", "key", "created", "message_id"),
    Index("messages_by_time", "created"),
    Index("messages_by_state", "state", "created", "message_id"),
    Index("messages_of_pair", "number", "own", "created"),
    Index("message_bills_of_key", "key", "bill"),
)

remote_parts = Table(
    "remote_parts",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("remote_id", Text, primary_key=True),
    Column("message_id", Text, nullable=False),
    Column("part", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Index("remote_parts_by_time", "at"),
)

fragments = Table(
    "fragments",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("sender", Text, primary_key=True),
    Column("number", Text, primary_key=True),
    Column("reference", Text, primary_key=True),
    Column("parts", Integer, primary_key=True, autoincrement=False),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    Column("at", Double, nullable=False),
    Index("fragments_by_time", "at"),
)

opt_outs = Table(
    "opt_outs",
    metadata,
    Column("own", Text, primary_key=True),
    Column("number", Text, primary_key=True),
    Column("at", Double, nullable=False),
)

keywords = Table(
    "keywords",
    metadata,
    Column("number", Text, primary_key=True),
    Column("keyword", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("script", Text),
    Column("version", Integer),
    Column("params", JSON, nullable=False),
    Column("callback_url", Text),
)
