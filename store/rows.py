"""The store's values as rows of its tables, and back."""

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
    Upload,
    UsedSeq,
)

Values = dict[str, Any]
POST_FIELDS = tuple(field.name for field in attrs.fields(Post))
FRESH: Values = {"state": "pending", "attempts": 0, "last_error": "", "resent": None, "gone": None}


def plain(value: attrs.AttrsInstance) -> Values:
    """Give the fields of *value*, by the names of its columns."""
    return {field.name: getattr(value, field.name) for field in attrs.fields(type(value))}


def entry_values(entry: Entry) -> Values:
    """Give the row of *entry*."""
    return plain(entry) | {"data": dict(entry.data)}


def key_values(key: Key) -> Values:
    """Give the row of *key*."""
    return plain(key) | {"prefixes": list(key.prefixes)}


def number_values(number: Number) -> Values:
    """Give the row of *number*."""
    return plain(number) | {"params": dict(number.params)}


def post_values(post: Post) -> Values:
    """Give the row of a *post* that nobody has tried to deliver: it is due at once."""
    values = {name: getattr(post, name) for name in POST_FIELDS}
    return values | {"fields": dict(post.fields), "next_at": post.created} | FRESH


def post_state_values(state: PostState) -> Values:
    """Give the row of a post as its delivery stands."""
    return post_values(state.post) | {
        "state": state.state,
        "attempts": state.attempts,
        "next_at": state.next_at,
        "last_error": state.last_error,
        "resent": state.resent,
        "gone": state.gone,
    }


def used_values(used: UsedSeq | tuple[str, int]) -> Values:
    """Give the row of a seq."""
    return UsedSeq(*used)._asdict()


def upload_values(upload: Upload, version: int) -> Values:
    """Give the row of *upload* as that version."""
    return plain(upload) | {"version": version, "size": len(upload.text.encode())}


def leg_values(leg: LegRecord) -> Values:
    """Give the row of *leg*."""
    return plain(leg) | {"conferences": list(leg.conferences)}


def message_values(message: Message) -> Values:
    """Give the row of *message*."""
    return plain(message) | {"parts": list(message.parts)}


def keyword_values(keyword: Keyword) -> Values:
    """Give the row of *keyword*."""
    return plain(keyword) | {"params": dict(keyword.params)}


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
