"""What the server writes of one call that does the main job: turn by turn, as it was once taken down.

Call, two announcements, a key, a recording, seven requests and nine callbacks are 33 writes.
"""

from collections.abc import Iterator
from decimal import Decimal

from attrs import evolve

from ringful.store.port import CallRecord, Entry, LegRecord, Post, PostState, RecordingFile, UsedSeq, Write

TURNS = (
    *("3 call seq", "1 call", "1", "2 seq", "", "1 seq", "", "1 seq", "", "1 seq", ""),
    *("7 post call", "2 post", "told", "told", "4 post", "told", "2 post", "told", "3 post", "told"),
    *("4 post", "3 post", "told", "told", "2 seq", "", "3 post file", "4 seq", ""),
    *("5 post call leg", "told", "told"),
)
"""How many lines of the journal each write has, and what else; ``told``: the next callback was delivered."""
_DATA = {"leg": "r1-tw3eky4zg4ixvyje", "playback": "2", "files": ["announcements/welcome.wav"], "ms": 1980}
_ANSWER = {"text": "r1-tw3eky4zg4ixvyje\n", "members": {"callId": "r1-tw3eky4zg4ixvyje"}}


def main_job(number: int) -> Iterator[Write]:
    """Give the writes of the call of that *number*, in their order."""
    call_id, at, lines = f"r1-{number:016}", 1e9 + number, 0
    record = CallRecord(call_id, "K", "+15125551234", "live", at, trunk="trunk")
    changes = iter((record, record, evolve(record, answered=at), _ended(record)))
    posts = [_post(call_id, n, at) for n in range(1, 10)]
    new, told = iter(posts), iter(posts)
    for turn, words in enumerate(TURNS):
        count = int(words[0]) if words[:1].isdigit() else 0
        entries = [Entry(call_id, lines + n, at, "effect", "Play", _DATA) for n in range(1, count + 1)]
        lines += count
        yield Write(
            entries=entries,
            posts=[next(new)] if "post" in words else (),
            calls=[next(changes)] if "call" in words else (),
            recordings=[RecordingFile(f"{call_id}.wav", call_id, "K", at, 2000, 32044)]
            if "file" in words
            else (),
            seqs=[UsedSeq("K", 100 * number + turn + 1, "d" * 64, _ANSWER)] if "seq" in words else (),
            legs=[_leg(record)] if "leg" in words else (),
            post_states=[PostState(next(told), "delivered", 1, at)] if "told" in words else (),
        )


def _ended(record: CallRecord) -> CallRecord:
    at = record.created
    return evolve(record, state="ended", answered=at, ended=at + 8, outcome="completed", bill=Decimal("0.02"))


def _leg(record: CallRecord) -> LegRecord:
    at = record.created
    about = (record.callee, "", at, at + 8, "completed", "script", Decimal("0.02"), at, at, 8)
    return LegRecord(record.call_id, record.call_id, record.key, False, *about)


def _post(call_id: str, n: int, at: float) -> Post:
    url = "http://client.example/notify.php"
    fields = {"action": "PlayComplete", "callId": call_id, "at": "2026-11-27T05:58:38.670Z", "n": str(n)}
    fields |= {"announcement": "http://client.example/welcome_message.wav", "reason": "end"}
    return Post(f"evt-{call_id}-{n}", "K", call_id, n, url, fields, at)
