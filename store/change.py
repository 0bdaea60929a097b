"""Make a batch of changes within one transaction.

All rows of a batch that go to one table go there in one statement, in the order they were given.
Where a row replaces another (calls, how posts stand, keys), only the last one of the batch is written.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from types import SimpleNamespace as Row
from typing import Any, TypeAlias, cast

import attrs
from sqlalchemy import Dialect, bindparam, column, delete, insert, null, or_, select, table, text, update

from ringful.store import schema
from ringful.store.port import LegRecord, Message, Post, Slice, Upload, UsedSeq, Write
from ringful.store.prepared import Form, Pen, Statements
from ringful.store.window import WINDOW

Held: TypeAlias = Mapping[str, Sequence[Any]]
"""What a `Write` holds, by its kinds, each of which has something."""

_OFTEN = {"entries", "posts", "recordings", "seqs", "calls", "legs", "post_states"}
"""What calls write; all else is seldom."""
_SELDOM = Write.__annotations__.keys() - _OFTEN
_PATIENT = {"entries", "post_states"}
PRUNE_EVERY = 64
"""How many seqs of a key are used until old ones are removed: to find them is to read a thousand."""


def held(write: Write) -> Held:
    """Give what *write* holds, by its kinds: nothing of those of which there is none."""
    return {kind: things for kind, things in cast(Held, write).items() if things}


def can_wait(found: Held) -> bool:
    """Say whether what was *found* may wait for company while nobody waits for it.

    It is lines of journals, or how callbacks stand, and no more: nothing that is to be told to anybody
    once it is on the disk, nothing that a bill is made of, and no call that begins or ends.
    """
    return found.keys() <= _PATIENT


# What is new of a post that nobody has tried to deliver: it is due at once.
_POST = Form(
    insert(schema.posts).values(
        # As text, so that all values that it is given are a post's own.
        state=text("'pending'"),
        attempts=text("0"),
        last_error=text("''"),
        resent=null(),
        gone=null(),
    ),
    keys=[one.name for one in schema.posts.columns],
    where={"next_at": "created"},
)
_STANDING = Form(
    update(schema.posts).where(schema.posts.c.event_id == bindparam("of_event")),
    keys=["state", "attempts", "next_at", "last_error", "resent", "gone"],
    where={"of_event": "post.event_id"},
)

# A bound name must not be a column's own, or Core takes it for a value to set.
_KEPT = schema.used_seqs.alias("kept")
_LAST_KEPT = (
    select(_KEPT.c.seq)
    .where(_KEPT.c.key == bindparam("of_key"))
    .order_by(_KEPT.c.seq.desc())
    .limit(1)
    .offset(WINDOW - 1)
    .scalar_subquery()
)
_PRUNE = delete(schema.used_seqs).where(
    schema.used_seqs.c.key == bindparam("of_key"), schema.used_seqs.c.seq < _LAST_KEPT
)
# Only what is parked: in the meantime it may have been taken up, or delivered.
_RESEND = (
    update(schema.posts)
    .where(schema.posts.c.event_id == bindparam("event_id"), schema.posts.c.state == "parked")
    .values(state="resend")
)
_NOT_GONE = (
    update(schema.posts)
    .where(schema.posts.c.call_id == bindparam("of_call"), schema.posts.c.url == bindparam("of_url"))
    .values(gone=None)
)
_NEWEST = (
    select(schema.scripts.c.version, schema.scripts.c.digest)
    .where(schema.scripts.c.key == bindparam("key"), schema.scripts.c.name == bindparam("name"))
    .order_by(schema.scripts.c.version.desc())
    .limit(1)
)
_FREE = delete(schema.numbers).where(schema.numbers.c.number == bindparam("number"))
_NO_KEYWORD = delete(schema.keywords).where(
    schema.keywords.c.number == bindparam("number"), schema.keywords.c.keyword == bindparam("keyword")
)
_JOINED = delete(schema.fragments).where(
    *(
        schema.fragments.c[name] == bindparam(name)
        for name in ("connection", "sender", "number", "reference", "parts")
    )
)
_OPT_IN = delete(schema.opt_outs).where(
    schema.opt_outs.c.own == bindparam("own"), schema.opt_outs.c.number == bindparam("number")
)
_REMOVE = (
    update(schema.recordings)
    .where(schema.recordings.c.file == bindparam("of_file"))
    .values(removed=bindparam("at"))
)
_LINES = delete(schema.journal).where(
    schema.journal.c.call_id == bindparam("call_id"), schema.journal.c.n <= bindparam("n")
)
_ALL_LINES = delete(schema.journal).where(schema.journal.c.call_id == bindparam("call_id"))
# The run of a request that sent no more than this message; those of calls go with their calls.
_RUN_LINES = _ALL_LINES.where(
    ~select(schema.calls.c.call_id).where(schema.calls.c.call_id == bindparam("call_id")).exists()
)
_TOLD = delete(schema.posts).where(
    schema.posts.c.call_id == bindparam("call_id"),
    or_(schema.posts.c.state == "delivered", schema.posts.c.state == "parked"),
)
_CALL_PRUNED = (
    update(schema.calls).where(schema.calls.c.call_id == bindparam("of_call")).values(pruned=bindparam("at"))
)
_MESSAGE_PRUNED = (
    update(schema.messages)
    .where(schema.messages.c.message_id == bindparam("of_message"))
    .values(text="", pruned=bindparam("at"))
)
_FORGET = [
    delete(table).where(table.c.at < bindparam("before")) for table in (schema.remote_parts, schema.fragments)
]

# A row is written although it stays as it is.
_SIGN = update(table("alembic_version", column("version_num"))).values(version_num=column("version_num"))


class Scribe:
    """Writes changes down in a database of one *dialect*."""

    def __init__(self, dialect: Dialect) -> None:
        self._statements = Statements(dialect)
        self._since: Counter[str] = Counter()
        """How many seqs of a key were used since its old ones were last removed."""

    def write(self, cursor: Any, batch: Sequence[Held]) -> None:
        """Write a *batch* in the transaction of the driver's *cursor*.  Raises what the driver raises."""
        pen = Pen(cursor, self._statements)
        found = _gathered(batch) if len(batch) > 1 else batch[0]
        pen.insert(schema.journal, found.get("entries", ()))
        pen.run(_POST, found.get("posts", ()))
        pen.insert(schema.recordings, found.get("recordings", ()))
        if "seqs" in found:
            self._use(pen, [UsedSeq(*used) for used in found["seqs"]])
        if "calls" in found:
            pen.change(schema.calls, _last(found["calls"], "call_id"))
        if "legs" in found:
            _end_legs(pen, _last(found["legs"], "leg_id"))
        if "post_states" in found:
            pen.run(_STANDING, _last(found["post_states"], "post.event_id"))
        if not found.keys() <= _OFTEN:
            _write_seldom(pen, found, batch)

    def _use(self, pen: Pen, seqs: Sequence[UsedSeq]) -> None:
        """Write *seqs* down; keep at least the newest `WINDOW` of each key: all in the window are among them.

        By their number and not by arithmetic: where a seq is a time, 1024 of them may be a second, and who
        waits in vain for an answer asks again later than that.
        """
        pen.insert(schema.used_seqs, seqs)
        for used in seqs:
            self._since[used.key] += 1
            if self._since[used.key] >= PRUNE_EVERY:
                pen.run(_PRUNE, [Row(of_key=used.key)])
                del self._since[used.key]


def _gathered(batch: Iterable[Held]) -> Held:
    """Give what all of *batch* hold of each kind, in the order in which it was given."""
    found: dict[str, list[Any]] = {}
    for one in batch:
        for kind, things in one.items():
            found.setdefault(kind, []).extend(things)
    return found


def _last(things: Iterable[Any], name: str) -> Sequence[Any]:
    """Give the last one of *things* for each value of that *name*, where its first one is."""
    of = attrgetter(name)
    return list({of(one): one for one in things}.values())


def _write_seldom(pen: Pen, found: Held, batch: Sequence[Held]) -> None:
    """Write what no call needs at its turns; *found* is what all of *batch* hold."""
    if unknown := found.keys() - _OFTEN - _SELDOM:
        raise TypeError(f"nothing writes {', '.join(sorted(unknown))}")
    pen.run(_SIGN, found.get("signs", ()))
    _add_versions(pen, found.get("scripts", ()))
    _bind(pen, batch)
    _mail(pen, found, batch)
    _resend(pen, found.get("resend", ()))
    _look_after(pen, found)
    if "forgotten" in found:
        for statement in _FORGET:
            pen.run(statement, [Row(before=max(found["forgotten"]))])
    pen.replace(schema.keys, _last(found.get("keys", ()), "key"))


def _add_versions(pen: Pen, uploads: Iterable[Upload]) -> None:
    # One by one: what an upload is the next version of may be the one before it in the batch.
    for upload in uploads:
        version, digest = pen.first(_NEWEST, upload) or (0, "")
        if digest != upload.digest:
            more = {"version": version + 1, "size": len(upload.text.encode())}
            pen.insert(schema.scripts, [Row(**attrs.asdict(upload), **more)])


def _bind(pen: Pen, batch: Iterable[Held]) -> None:
    # One by one: a number may be freed and bound again within the batch.
    for write in batch:
        pen.run(_FREE, [Row(number=number) for number in write.get("freed", ())])
        pen.replace(schema.numbers, _last(write.get("numbers", ()), "number"))


def _mail(pen: Pen, found: Held, batch: Sequence[Held]) -> None:
    """Write what is new of messages."""
    pen.replace(schema.messages, _last(found.get("messages", ()), "message_id"))
    parts = {(one.connection, one.remote_id): one for one in found.get("remote_parts", ())}
    pen.replace(schema.remote_parts, list(parts.values()))
    for write in batch:
        # One by one: what is put down in one write may be taken away in the next.
        pen.replace(schema.fragments, write.get("fragments", ()))
        pen.run(_JOINED, write.get("joined", ()))
        for one in write.get("opt_outs", ()):
            if one.at is None:
                pen.run(_OPT_IN, [one])
            else:
                pen.replace(schema.opt_outs, [one])
        removed = write.get("keywords_removed", ())
        pen.run(_NO_KEYWORD, [Row(number=number, keyword=keyword) for number, keyword in removed])
        pen.replace(schema.keywords, write.get("keywords", ()))


def _end_legs(pen: Pen, legs: Sequence[LegRecord]) -> None:
    """Write *legs* down, and which conferences they were in, unless that is known."""
    pen.replace(schema.legs, legs)
    pairs = [(one, leg.leg_id) for leg in legs for one in dict.fromkeys(leg.conferences)]
    pen.insert_new(schema.conference_legs, [Row(conference=one, leg_id=leg_id) for one, leg_id in pairs])


def _resend(pen: Pen, posts: Sequence[Post]) -> None:
    pen.run(_RESEND, posts)
    urls = dict.fromkeys((post.call_id, post.url) for post in posts)
    pen.run(_NOT_GONE, [Row(of_call=call_id, of_url=url) for call_id, url in urls])


def _look_after(pen: Pen, found: Held) -> None:
    """Write what the server keeps for itself, and remove what is too old."""
    pen.replace(schema.beats, [Row(node=node, at=at) for node, at in dict(found.get("beats", ())).items()])
    pen.insert(schema.secrets, [Row(name=name, secret=secret) for name, secret in found.get("secrets", ())])
    pen.run(_REMOVE, [Row(of_file=file, at=at) for file, at in found.get("removed", ())])
    slices: Sequence[Slice] = found.get("pruned", ())
    for one in slices:
        pen.run(_LINES, [one])
        if one.last:
            pen.run(_TOLD, [one])
            pen.run(_CALL_PRUNED, [Row(of_call=one.call_id, at=one.at)])
    pruned: Sequence[tuple[Message, float]] = found.get("pruned_messages", ())
    for message, at in pruned:
        pen.run(_ALL_LINES, [Row(call_id=message.message_id)])
        pen.run(_RUN_LINES, [message])
        pen.run(_TOLD, [Row(call_id=message.message_id)])
        pen.run(_MESSAGE_PRUNED, [Row(of_message=message.message_id, at=at)])
