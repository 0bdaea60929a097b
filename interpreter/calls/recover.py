"""What was up when the server died ends properly when it starts again.

The journal is fed to a run, which then stands where the old one stood; then it is told that its
legs are lost.  What comes of that (open recordings, discarded tasks, the final event) is journalled
and posted as ever, so that every answered call has its one hang-up callback.

They ended when the server did, and not when it came back: at the last thing that their journal holds,
or at the last beat of the node that had them, which is a few seconds older than its death at most.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import structlog
from attrs import define, evolve, field, frozen

from ringful.ground.faults import fault
from ringful.interpreter import effects, events
from ringful.interpreter.calls import ends
from ringful.interpreter.calls.view import rebuild
from ringful.interpreter.hearing import begun
from ringful.interpreter.money.amounts import plain
from ringful.interpreter.money.rates import FREE, INBOUND, OUTBOUND
from ringful.interpreter.run import Run
from ringful.interpreter.settings import Settings
from ringful.media import port
from ringful.store.port import CallRecord, Entry, LegFilter, LegRecord, Post, RecordingFile, Store, Write

log = structlog.get_logger()

Repair = Callable[[Path], tuple[int, int] | None]
"""Make an unfinished recording a valid file; give its milliseconds and bytes, or None if nothing is there."""


@define
class _Farewell:
    """A door through which only callbacks leave: there are no phones behind it any more."""

    key: str
    call_id: str
    at: float
    """When the call was cut."""
    back: float
    """When the server came back: what is told is told from then on."""
    run: Run | None = None
    posts: list[Post] = field(factory=list)

    def perform(self, effect: effects.Effect) -> None:
        if self.run is None:
            return  # Still what the old run did.
        match effect:
            case effects.Notify(url, fields, n):
                self.posts.append(Post(uuid4().hex, self.key, self.call_id, n, url, fields, self.back))
            case effects.Ask(asking):
                self.run.post(events.WebFailed(asking, "the server was restarted"))
            case effects.SendMessage(message):
                refused = events.MessageRefused(message, "unavailable", "the server was restarted")
                self.run.post(refused)
            case _:
                pass

    def now(self) -> float:
        return self.at


@frozen
class _House:
    """What every call that was cut is ended with."""

    settings: Settings
    recordings: Path
    repair: Repair
    now: float
    purses: dict[str, "_Purse"] = field(factory=dict)
    """Of the keys that have a cap, what they have spent."""


@frozen
class _Purse:
    spent: Decimal
    cap: Decimal


async def recover(
    store: Store, settings: Settings, recordings: Path, repair: Repair, now: float
) -> Sequence[Post]:
    """End every call that the store believes to be live; return the callbacks to deliver, now durable."""
    posts: list[Post] = []
    house = _House(settings, recordings, repair, now)
    beats = await store.beats()
    for record in await store.calls(state="live", limit=1_000_000):
        entries = await store.journal(record.call_id)
        last = max([record.created, *(entry.at for entry in entries[-1:])])
        beat = beats.get(record.call_id.partition("-")[0], last)
        # A beat that is still to come was made by a clock that has been set back since.
        key = await store.key(record.key)
        if key and key.spending_cap is not None:
            house.purses[key.key] = _Purse(await store.spent(key.key), key.spending_cap)
        kept = frozenset(leg.leg_id for leg in await _legs_of(store, record.call_id))
        write = _end(record, entries, max(last, beat) if beat <= now else last, house)
        write["legs"] = [leg for leg in write.get("legs", ()) if leg.leg_id not in kept]
        await store.submit(write).wait()
        posts += write.get("posts", ())
        log.warning("a call that was up when the server died has been ended", call=record.call_id)
    return posts


async def _legs_of(store: Store, call_id: str) -> Sequence[LegRecord]:
    return await store.find_legs(LegFilter(call_id=call_id), limit=1_000_000)


def _end(record: CallRecord, entries: Sequence[Entry], at: float, house: _House) -> Write:
    try:
        return _ended_properly(record, entries, at, house)
    except Exception as error:
        fault("ending a call that was up when the server died", error, call=record.call_id)
    bill = seconds = None
    if record.answered is not None:
        seconds = begun(record.answered, at)
        if record.caller is None and not record.is_conference:
            bill = house.settings.rates.bill(record.callee, seconds, record.answered)
    # What came in and was not answered may have been a text, which has no leg.
    may_be_text = record.caller is not None and record.answered is None
    has_leg = bool(record.callee) and not record.is_conference and not may_be_text
    legs = [ends.of_record(record, at, seconds, bill or Decimal(0))] if has_leg else []
    return Write(calls=[evolve(record, state="ended", ended=at, outcome="lost", bill=bill)], legs=legs)


def _see_that_all_is_priced(run: Run) -> None:
    """Price the legs of a journal of old, which does not say what they cost, by the rates of today."""
    offer, rates = run.started.offer, run.settings.rates
    for leg in run.legs.values():
        if leg.answered_at is None or leg.room or leg.rate is not None:
            continue
        number, way = (offer.called, INBOUND) if offer and leg.inbound else (leg.number, OUTBOUND)
        run.post(events.priced(leg.name, rates.find(number, way, "call", leg.answered_at) or FREE))
    run.drain()


def _hold_to_cap(run: Run, purse: _Purse, last: float, at: float) -> None:
    """End what could not be paid between the last thing that the journal holds and the end, *at*.

    Until then the cap was held; of what came after, the end for want of money may be among it.
    """
    up = [leg for leg in run.legs.values() if leg.state != "over" and leg.answered_at is not None]
    # Of a leg that could pay no more, it is known already what it paid.
    held_already = sum((run.price(leg) for leg in up if leg.paid is not None), Decimal(0))
    left = purse.cap - purse.spent - run.bill - held_already
    for leg in up:
        if leg.answered_at is None or leg.rate is None or leg.paid is not None:
            continue
        paid = begun(leg.answered_at, last)
        seconds = begun(leg.answered_at, at)
        held = leg.rate.within(left, paid, seconds)
        if held < seconds:
            spent = purse.cap - left + leg.rate.price(held)
            run.post(events.Spent(leg.name, held, plain(spent), plain(purse.cap)))
        left -= leg.rate.price(held)
    run.drain()


def _ended_properly(record: CallRecord, entries: Sequence[Entry], at: float, house: _House) -> Write:
    door = _Farewell(record.key, record.call_id, at, house.now)
    run = rebuild(record.call_id, entries, house.settings, door)
    written: list[Entry] = []
    run.resume_journal(written.append, len(entries))
    door.run = run
    _see_that_all_is_priced(run)
    if purse := house.purses.get(record.key):
        _hold_to_cap(run, purse, entries[-1].at, at)
    files = []
    if run.subject is None:
        # First of all, or the run might take the end of its legs for its own proper one.
        run.post(events.Interrupted("hangup", why="lost"))
    for leg in [leg for leg in run.legs.values() if leg.state != "over"]:
        for number, recording in list(leg.recordings.items()):
            try:
                found = house.repair(house.recordings / recording.file)
            except OSError as error:
                log.error("a recording cannot be repaired", call=record.call_id, why=str(error))
                run.post(port.RecordingFailed(leg.name, number, str(error)))
                continue
            if found:
                run.post(port.RecordingEnded(leg.name, number, "lost", *found))
                files.append(RecordingFile(recording.file, record.call_id, record.key, at, *found))
            else:
                run.post(port.RecordingFailed(leg.name, number, "the server was restarted"))
        up = leg.answered_at is not None or leg.room
        run.post(port.HungUp(leg.name, "lost") if up else port.Refused(leg.name, "cancelled"))
    run.drain()
    if not run.ended:
        run.abandon("the server was restarted")
    subject = run.subject
    ended = evolve(
        record,
        state="ended",
        answered=subject.answered_at if subject else None,
        ended=(subject.ended_at if subject else None) or run.now,
        outcome=run.outcome,
        bill=run.bill,
    )
    return Write(
        entries=written,
        posts=door.posts,
        calls=[ended],
        recordings=files,
        legs=ends.take(run, record.key),
    )
