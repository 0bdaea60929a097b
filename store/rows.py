"""Rows of the store's tables as its values."""

from typing import Any

import attrs
from sqlalchemy import Row

from ringful.store.port import (
    CallRecord,
    Entry,
    FragmentRow,
    Key,
    Keyword,
    LegRecord,
    Message,
    Number,
    OptOut,
    Post,
    PostState,
    RecordingFile,
    RemotePart,
    ScriptVersion,
    StoredScript,
    UsedSeq,
)

POST_FIELDS = tuple(field.name for field in attrs.fields(Post))


def to_leg(row: Row[Any]) -> LegRecord:
    """Read a row of legs."""
    values = dict(row._mapping)
    return LegRecord(**values | {"conferences": tuple(values["conferences"])})


def to_message(row: Row[Any]) -> Message:
    """Read a row of messages."""
    values = dict(row._mapping)
    return Message(**values | {"parts": tuple(values["parts"])})


def to_remote_part(row: Row[Any]) -> RemotePart:
    """Read a row of remote parts."""
    return RemotePart(**row._mapping)


def to_fragment(row: Row[Any]) -> FragmentRow:
    """Read a row of fragments."""
    return FragmentRow(**row._mapping)


def to_opt_out(row: Row[Any]) -> OptOut:
    """Read a row of opt-outs."""
    return OptOut(**row._mapping)


def to_keyword(row: Row[Any]) -> Keyword:
    """Read a row of keywords."""
    return Keyword(**row._mapping)


def to_entry(row: Row[Any]) -> Entry:
    """Read a row of the journal."""
    return Entry(**row._mapping)


def to_call(row: Row[Any]) -> CallRecord:
    """Read a row of calls."""
    return CallRecord(**row._mapping)


def to_recording(row: Row[Any]) -> RecordingFile:
    """Read a row of recordings."""
    return RecordingFile(**row._mapping)


def to_script_version(row: Row[Any]) -> ScriptVersion:
    """Read a row of scripts, but for its text."""
    return ScriptVersion(**row._mapping)


def to_script(row: Row[Any]) -> StoredScript:
    """Read a row of scripts."""
    values = dict(row._mapping)
    text = values.pop("text")
    return StoredScript(ScriptVersion(**values), text)


def to_number(row: Row[Any]) -> Number:
    """Read a row of numbers."""
    return Number(**row._mapping)


def to_key(row: Row[Any]) -> Key:
    """Read a row of keys."""
    values = dict(row._mapping)
    return Key(**values | {"prefixes": tuple(values["prefixes"])})


def to_used(row: Row[Any]) -> UsedSeq:
    """Read a row of used seqs."""
    return UsedSeq(**row._mapping)


def to_post_state(row: Row[Any]) -> PostState:
    """Read a row of posts."""
    values = dict(row._mapping)
    post = Post(**{name: values.pop(name) for name in POST_FIELDS})
    return PostState(post, **values)
