"""Calls that were cut: they end when the server died, and not when it came back, and stand as lost."""

import os
import signal
import sqlite3
from contextlib import closing
from decimal import Decimal

import pytest
import trio
from attrs import define, field

from ringful.grammar.reading.parser import parse
from ringful.interpreter import effects, events
from ringful.interpreter.calls.recover import recover
from ringful.interpreter.calls.view import rebuild, view
from ringful.interpreter.money.rates import Rate, RateTable
from ringful.interpreter.run import Run
from ringful.interpreter.settings import Settings
from ringful.media import port, wav
from ringful.store.open import open_store
from ringful.store.port import CallRecord, Entry, Key, Post, Write
from tests.server import phone, receiver, server

NUMBER = "15125551234"
SETTINGS = Settings(rates=RateTable((Rate(per_minute=Decimal("0.6")),)))
SCRIPT = f'call "{NUMBER}" notify "http://x.example/call"\nstay\n'


@define
class Door:
    """A door whose clock is set by hand; it does nothing."""

    at: float = 1000.0
    done: list[effects.Effect] = field(factory=list)

    def perform(self, effect: effects.Effect) -> None:
        self.done.append(effect)

    def now(self) -> float:
        return self.at


def lived(script: str, *happened: tuple[float, port.Event]) -> list[Entry]:
    """Give the journal of a run of *script* to which that happened."""
    entries: list[Entry] = []
    door = Door()
    run = Run(events.Started(parse(script)), "r1-a", door, SETTINGS, journal=entries.append)
    run.start()
    run.drain()
    for at, event in happened:
        door.at = at
        run.post(event)
        run.drain()
    return entries


UP = ((1001.0, port.Ringing("r1-a")), (1002.0, port.Answered("r1-a")))


@pytest.fixture
async def store(tmp_path):
    async with open_store(f"sqlite:///{tmp_path}/ringful.db") as opened:
        yield opened


async def recovered(store, tmp_path, entries, *, beat=None, now, repair=lambda _path: None):
    record = CallRecord("r1-a", "K", NUMBER, "live", 1000.0, answered=1002.0)
    beats = [("r1", beat)] if beat is not None else []
    await store.submit(Write(entries=entries, calls=[record], beats=beats)).wait()
    posts = await recover(store, SETTINGS, tmp_path, repair, now)
    return await store.call("r1-a"), posts


@pytest.mark.parametrize(
    ("beat", "ended"),
    [
        (None, 1002.0),  # Nothing but the journal.
        (1004.0, 1004.0),  # Two seconds of talk, and a beat.
        (900.0, 1002.0),  # A beat of before the call.
        (2000.0, 1002.0),  # The clock has been set back since: that beat is still to come.
    ],
)
async def test_a_call_that_was_cut_ends_at_the_last_sign_of_life(store, tmp_path, beat, ended):
    record, posts = await recovered(store, tmp_path, lived(SCRIPT, *UP), beat=beat, now=1042.0)
    seconds = int(ended - 1002.0)
    assert (record.state, record.outcome) == ("ended", "lost")
    assert (record.answered, record.ended) == (1002.0, ended)
    assert record.bill == Decimal(max(1, seconds)) / 100  # The first second is billed at least.
    last = posts[-1]
    assert (last.fields["action"], last.fields["reason"]) == ("ServerHangup", "lost")
    assert last.fields["duration"] == str(seconds)
    # It is tried for a day from now on, and not from the day of the cut.
    assert last.created == 1042.0
    run = rebuild("r1-a", await store.journal("r1-a"), SETTINGS)
    shown = view(run, 1000.0)
    assert (shown.outcome, shown.duration, shown.ended) == ("lost", seconds, ended)


async def test_a_run_without_a_call_that_was_cut_is_lost_too(store, tmp_path):
    script = f'call "{NUMBER}" as buyer {{ stay }}\n'
    entries = lived(script, (1001.0, port.Answered("r1-a.1")))
    assert entries[-1].name != "Ended"
    record, _ = await recovered(store, tmp_path, entries, beat=1003.0, now=1100.0)
    assert (record.outcome, record.ended) == ("lost", 1003.0)


async def test_a_phone_that_rang_is_not_billed(store, tmp_path):
    record, posts = await recovered(store, tmp_path, lived(SCRIPT, *UP[:1]), now=1100.0)
    assert (record.outcome, record.bill) == ("cancelled", 0)
    assert posts[-1].fields["action"] == "CallFailed"


async def test_a_recording_that_cannot_be_repaired_is_told_and_nobody_elses_end_waits(store, tmp_path):
    def repair(_path):
        raise OSError(5, "Input/output error")

    script = SCRIPT.replace("stay", 'start record notify "http://x.example/r"\nstay')
    entries = lived(script, *UP, (1002.1, port.RecordingStarted("r1-a", 1)))
    record, posts = await recovered(store, tmp_path, entries, now=1100.0, repair=repair)
    assert record.outcome == "lost"
    told = {post.fields["action"]: post.fields for post in posts}
    assert "Input/output error" in told["RecordFailed"]["reason"]
    assert "ServerHangup" in told


@pytest.mark.parametrize("broken", ["nothing", "no script", "unknown"])
async def test_a_journal_that_cannot_be_read_ends_as_lost_and_is_billed_by_its_record(
    store, tmp_path, broken
):
    entries = lived(SCRIPT, *UP)
    if broken == "nothing":
        entries = []
    elif broken == "no script":
        entries[0] = Entry("r1-a", 1, 1000.0, "event", "Started", {"script": "pley", "params": {}})
    else:
        entries.append(Entry("r1-a", len(entries) + 1, 1003.0, "event", "NewThing", {}))
    record, posts = await recovered(store, tmp_path, entries, beat=1005.0, now=1100.0)
    assert (record.state, record.outcome, record.ended) == ("ended", "lost", 1005.0)
    assert record.bill == Decimal("0.03")
    assert not posts


async def test_recovering_twice_does_it_once(store, tmp_path):
    _, first = await recovered(store, tmp_path, lived(SCRIPT, *UP), now=1042.0)
    assert isinstance(first[0], Post)
    assert await recover(store, SETTINGS, tmp_path, wav.repair, 1050.0) == []


def test_a_worker_that_dies_leaves_a_call_that_is_lost_while_the_server_lives():
    entries = lived(SCRIPT, *UP, (1005.0, port.HungUp("r1-a", "lost", "the media process died")))
    run = rebuild("r1-a", entries, SETTINGS)
    assert (run.outcome, run.duration) == ("lost", 3)


# Real ones


def beat_of(ringful) -> float:
    with closing(sqlite3.connect(ringful.folder / "ringful.db")) as connection:
        found = connection.execute("SELECT at FROM beats").fetchone()
    return found[0] if found else 0.0


async def test_a_server_that_is_killed_bills_until_its_last_beat(tmp_path):
    with (
        receiver({}) as web,
        phone("--answer-after", "0s") as (address, _),
        server(tmp_path, address) as ringful,
    ):
        assert beat_of(ringful) == 0.0
        call_id = ringful.ask("Call", callee=NUMBER, callbackUrl=f"{web.url}/call")
        web.until("CallEstablished")
        with trio.fail_after(60):
            while not beat_of(ringful):  # noqa: ASYNC110
                await trio.sleep(0.05)
        os.kill(ringful.process.pid, signal.SIGKILL)
        ringful.gone()
        beat = beat_of(ringful)
        with closing(sqlite3.connect(ringful.folder / "ringful.db")) as connection, connection:
            # As if it had been down for an hour: all that it knows is an hour older.
            connection.execute("UPDATE journal SET at = at - 3600")
            connection.execute("UPDATE beats SET at = at - 3600")
            connection.execute("UPDATE calls SET created = created - 3600, answered = answered - 3600")
        ringful.start()
        told = web.until("ServerHangup")[-1][1]
        assert told["reason"] == "lost"
        known = ringful.query(call_id)
        assert (known["state"], known["outcome"]) == ("ended", "lost")
        assert known["duration"] == int(told["duration"]) <= 60
        with closing(sqlite3.connect(ringful.folder / "ringful.db")) as connection:
            (ended,) = connection.execute("SELECT ended FROM calls").fetchone()
        assert ended == pytest.approx(beat - 3600)
        assert "lost" in ringful.command("calls", "list")


async def test_a_message_that_a_cut_call_would_send_is_told_as_failed(store, tmp_path):
    script = f'call "{NUMBER}"\non hangup {{ sms "1" "Sorry." notify "http://x.example/sms" }}\nstay\n'
    record, posts = await recovered(store, tmp_path, lived(script, *UP), now=1100.0)
    assert (record.state, record.outcome) == ("ended", "lost")
    (told,) = posts
    assert (told.url, told.fields["status"]) == ("http://x.example/sms", "failed")
    assert (told.fields["reason"], told.fields["detail"]) == ("unavailable", "the server was restarted")


async def test_a_leg_that_could_pay_no_more_is_billed_what_it_had_paid_whatever_came_after(store, tmp_path):
    await store.put_key(Key("K", "c2VjcmV0", "test", 0.0, spending_cap=Decimal("0.02")))
    spent = (1004.0, events.Spent("r1-a", 2, "0.02", "0.02"))
    # The far end took its time to hang up, and the server was killed before it had.
    late = (1006.5, port.PlaybackEnded("r1-a", 1, "hangup"))
    record, posts = await recovered(store, tmp_path, lived(SCRIPT, *UP, spent, late), beat=1008.0, now=1042.0)
    assert record.bill == Decimal("0.02")
    assert posts[-1].fields["billAmount"] == "0.02"
    assert [post.fields["action"] for post in posts].count("SpendingCapReached") == 0
