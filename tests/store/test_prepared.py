"""Every statement of the writer has its values, in both dialects, and no more is written than differs."""

import json
import re
from collections import Counter
from decimal import Decimal

import attrs
import pytest
from sqlalchemy.dialects import postgresql, sqlite

from ringful.store.change import PRUNE_EVERY, Scribe
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
    Slice,
    Upload,
    Write,
)
from ringful.store.schema import calls

POST = Post("e1", "K", "c", 1, "http://client.example/a", {"action": "PlayStart"}, 1.0)
CALL = CallRecord("c", "K", "+1", "ended", 1.0, bill=Decimal("0.10"))
MESSAGE = Message("m", "K", False, "+1", "+2", "text", 1.0, "queued", 1.0, parts=("sent",))
FRAGMENT = FragmentRow("smsc", "+1", "+2", "7", 1, 2, "te", 1.0)
EVERYTHING = Write(
    entries=[Entry("c", 1, 0.5, "event", "Ringing", {"leg": "c"})],
    posts=[POST],
    calls=[CALL],
    recordings=[RecordingFile("c.wav", "c", "K", 1.0, 10, 20)],
    seqs=[("K", n) for n in range(1, PRUNE_EVERY + 1)],
    post_states=[PostState(POST, "delivered", 1, 0.0)],
    resend=[POST],
    scripts=[Upload("K", "menu", "answer\n", "d", 1.0)],
    numbers=[Number("+2", "K", 1.0, params={"a": 1})],
    freed=["+3"],
    beats=[("node", 1.0)],
    removed=[("old.wav", 2.0)],
    pruned=[Slice("c", 1, 2.0, last=True)],
    secrets=[("name", "secret")],
    legs=[
        LegRecord(
            "l", "c", "K", True, "+1", "+2", 1.0, 2.0, "lost", "server", Decimal(1), conferences=("x.y",)
        )
    ],
    messages=[MESSAGE],
    remote_parts=[RemotePart("smsc", "r", "m", 1, 1.0)],
    fragments=[FRAGMENT],
    joined=[FRAGMENT],
    opt_outs=[OptOut("+2", "+1", 1.0), OptOut("+2", "+4", None)],
    keywords=[Keyword("+2", "STOP", "K", 1.0)],
    keywords_removed=[("+2", "GO")],
    pruned_messages=[(MESSAGE, 2.0)],
    forgotten=[1.0],
    keys=[Key("K", "S", "name", 1.0)],
    signs=[None],
)


@attrs.define
class Cursor:
    """A driver's cursor that finds *row*, and holds every statement against its values."""

    dialect: str
    row: object = None
    texts: list[str] = attrs.field(factory=list)

    def execute(self, text, values):
        self.executemany(text, [values])

    def executemany(self, text, each):
        assert each
        for values in each:
            if self.dialect == "sqlite":
                assert isinstance(values, tuple | list)
                assert text.count("?") == len(values)
            else:
                assert set(re.findall(r"%\((\w+)\)s", text)) == values.keys()
        self.texts.append(text)

    def fetchone(self):
        return self.row


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()], ids=["sqlite", "postgresql"])
def test_every_statement_has_its_values(dialect):
    assert EVERYTHING.keys() == Write.__annotations__.keys(), "a kind is missing above"
    dialect._json_serializer = dialect._psycopg_Json = json.dumps  # psycopg itself need not be there.
    scribe = Scribe(dialect)
    cursor = Cursor(dialect.name)
    scribe.write(cursor, [EVERYTHING])
    verbs = [text.split()[0] for text in cursor.texts]
    assert Counter(verbs) == {"INSERT": 17, "SELECT": 2, "UPDATE": 7, "DELETE": 12}
    # What was compiled once is the same again, whatever it is that a call's row has.
    again = Cursor(dialect.name)
    scribe.write(again, [EVERYTHING])
    assert again.texts == cursor.texts


def test_of_a_call_that_is_there_only_what_differs_is_written():
    scribe = Scribe(sqlite.dialect())
    values = attrs.asdict(CALL) | {"bill": "0.10"}
    row = tuple(values[column.name] for column in calls.columns)
    same, other = Cursor("sqlite", row), Cursor("sqlite", row)
    scribe.write(same, [Write(calls=[CALL])])
    scribe.write(other, [Write(calls=[attrs.evolve(CALL, trunk="t", ended=3.0)])])
    assert [text.split()[0] for text in same.texts] == ["SELECT"]
    assert other.texts[1:] == ["UPDATE calls SET ended=?, trunk=? WHERE calls.call_id = ?"]
