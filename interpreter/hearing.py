"""What an event of a leg means: for the leg, for who is told, and for the strand that waits.

The callbacks of media statements are told here and not where the statement waits, so that they are
told alike when the statement has been cancelled in the meantime: a recording that a hang-up ended
still has its RecordComplete.  They come before whatever the script does next.
"""

from decimal import Decimal
from functools import lru_cache
from math import ceil
from typing import assert_never

from ringful.interpreter import events, room
from ringful.interpreter.executor import Executor
from ringful.interpreter.leg import Handling, Leg, Recorded, ToneHandler, presser
from ringful.interpreter.money.rates import Rate
from ringful.interpreter.running import Running
from ringful.interpreter.statements import bridge
from ringful.interpreter.statements.conference import leave_by_end, nobody_left, pass_tone
from ringful.interpreter.statements.handlers import go_on, handler_of
from ringful.interpreter.statements.interrupting import end_resting, handle, tell_end
from ringful.interpreter.statements.sound import RINGBACK, cut_background, play_again
from ringful.interpreter.strand import BlockCut, LegChanged, LegOver, Quiet, Strand
from ringful.interpreter.tell import stamp
from ringful.interpreter.values import Value, say
from ringful.media import port


def hear(run: Running, leg: Leg, event: port.Event) -> None:
    """Take *event* of *leg*, which is not over."""
    match event:
        # The most frequent ones first: the arms are tried in their order.
        case port.PlaybackStarted() | port.PlaybackEnded() | port.PlaybackFailed():
            _hear_playback(run, leg, event)
        case port.Routed(_, trunk):
            leg.trunk = trunk
        case port.Ringing():
            leg.ringing_at = run.now
        case port.Answered():
            _answered(run, leg, event)
        case port.EarlyMedia():
            leg.early = True
            run.announce(event)
        case port.Refused(_, reason, sip_status):
            leg.refused, leg.sip_status = reason, sip_status
            over(run, leg)
        case port.HungUp(_, by, detail, quality):
            leg.ended_by, leg.quality = by, quality
            leg.lost = detail if by == "lost" else ""
            over(run, leg)
        case port.TonePressed(_, tone):
            _tone(run, leg, tone, event)
        case port.RecordingStarted() | port.RecordingEnded() | port.RecordingFailed():
            _hear_recording(run, leg, event)
        case port.TonesSent(_, sending, sent):
            leg.sendings.discard(sending)
            _pass_on(run, leg, event, ending=not sent)
        case port.Connected():
            pass
        case port.Speaking():
            room.hear_speaking(run, leg, event)
        case port.JoinFailed():
            room.hear_join_failed(run, leg, event)
        case port.Disconnected() | port.ConnectFailed():
            if isinstance(event, port.Disconnected) and event.reason == "hangup":
                run.close(leg, "far end", order=False)
            bridge.part(run, leg, event)
        case port.Transferred(_, transfer):
            leg.transfers.pop(transfer, None)
            run.close(leg, "transferred")
        case port.TransferFailed():
            bridge.transfer_failed(run, leg, event)
            _pass_on(run, leg, event, ending=event.reason == "hangup")
        case _:
            assert_never(event)


def _pass_on(run: Running, leg: Leg, event: port.Event, *, ending: bool) -> None:
    """Give *event* to its strand, unless it says that the leg is ending: then close that."""
    if ending:
        run.close(leg, "far end", order=False)
    else:
        run.signal(event)


def _answered(run: Running, leg: Leg, event: port.Answered) -> None:
    leg.state = "up"
    if leg.room:
        room.opened(run, leg)
        run.signal(event)
        return  # The conference begins with its first member.
    leg.answered_at = run.now
    if leg is run.subject:
        run.names["answered_at"] = stamp(run.now)
    run.tell(leg.notify, "CallEstablished", leg.name)
    if not leg.closing:
        limit = run.settings.max_duration
        run.set_timer(limit, lambda: run.close(leg, "max duration"))
        # Several strands may wait for it: whatever is done first answers a call that came in.
        run.announce(event)
        run.announce(LegChanged(leg.name))


def _tone(run: Running, leg: Leg, tone: str, event: port.TonePressed) -> None:
    """Give a tone to whom it is for: who waits for it, a handler, who hears misfires, the buffer."""
    if leg.held and not (go_on(leg, leg.held + tone) or handler_of(leg, leg.held + tone)):
        release(run, leg)
    if leg.closing:
        return
    secret = _is_secret(run, leg, tone)
    if not secret:
        run.tell(leg.detector, "ToneDetected", leg.name, tone=tone, **presser(leg))
    if leg.takes_late_finish(tone, run.now):
        return
    taker = _taker(run, leg, tone)
    heard = False
    if not secret:
        cut_background(run, leg, tone)
        heard = pass_tone(run, leg, tone)
    keys = leg.held + tone
    if isinstance(taker, Strand) and not leg.held:
        run.advance(taker, event)
    elif go_on(leg, keys):
        _hold(run, leg, keys)
    elif isinstance(taker, ToneHandler):
        _run_handler(run, leg, taker, keys)
    elif not heard:
        _keep(run, leg, tone)


def _hold(run: Running, leg: Leg, keys: str) -> None:
    """Keep *keys* until it is plain what they are: they may begin what a handler wants."""
    run.cancel_timer(leg.holding)
    leg.held = keys
    leg.holding = run.set_timer(run.settings.between_keys, lambda: release(run, leg))


def release(run: Running, leg: Leg) -> None:
    """Give the keys that are held to whom they are for, now that nothing longer comes of them."""
    run.cancel_timer(leg.holding)
    keys, leg.held = leg.held, ""
    if leg.closing:
        return
    if handler := handler_of(leg, keys):
        _run_handler(run, leg, handler, keys)
        return
    elsewhere = leg.membership is not None and leg.membership.joined
    for tone in keys:
        taker = _listener(run, leg, tone)
        if taker:
            run.advance(taker, port.TonePressed(leg.name, tone))
        elif not elsewhere:
            _keep(run, leg, tone)


def _run_handler(run: Running, leg: Leg, handler: ToneHandler, keys: str) -> None:
    run.cancel_timer(leg.holding)
    leg.held = ""
    if handler.block is None:
        if handler.name:
            handler.names[handler.name] = keys
        run.signal(BlockCut(handler))
        return
    names = handler.names
    if handler.name:
        names = {**names, handler.name: keys}
    handling = Handling(handler.block, by_key=True)
    run.spawn(leg, handle(Executor(run, leg, names, handling=handling), leg, handling))


def _keep(run: Running, leg: Leg, tone: str) -> None:
    """Pass on a key that nobody takes, or keep it for who comes later."""
    # A key that was meant for others is not typed ahead for what comes after them.
    if not bridge.relay(run, leg, tone) and len(leg.buffer) < run.settings.type_ahead:
        leg.type_ahead(tone)


def _listener(run: Running, leg: Leg, tone: str) -> Strand | None:
    """Find the strand that takes *tone*, whether it waits for it or only wants to be told."""
    taker = _taker(run, leg, tone, handlers=False)
    return taker if isinstance(taker, Strand) else None


def _taker(run: Running, leg: Leg, tone: str, *, handlers: bool = True) -> Strand | ToneHandler | None:
    """Find who takes *tone*; None: it is kept for who comes later."""
    listening = [
        (strand, strand.waiting)
        for strand in reversed(run.strands)
        if strand.leg is leg and strand.waiting and strand.waiting.tones is not None
    ]
    waits = (strand for strand, wait in listening if tone in (wait.tones or ""))
    misfires = (strand for strand, wait in listening if wait.misfires)
    handler = handler_of(leg, leg.held + tone) if handlers else None
    if leg.held:
        return handler
    return next(waits, None) or handler or next(misfires, None)


def _is_secret(run: Running, leg: Leg, tone: str) -> bool:
    """Say whether *tone* belongs to a secret, or may: a key that nobody takes yet."""
    if leg.secrets or not run.secrets.any:
        return bool(leg.secrets)
    elsewhere = leg.connection is not None or (leg.membership is not None and leg.membership.joined)
    return not elsewhere and _taker(run, leg, tone) is None


def is_secret(run: Running, event: events.Event) -> bool:
    """Say whether *event*, which is about to be handled, holds a secret that nobody may read."""
    match event:
        case port.TonePressed(name, tone):
            leg = run.legs.get(name)
            return leg is not None and _is_secret(run, leg, tone)
        case events.WebAnswered(_, value):
            return run.secrets.said_in(value)
        case _:
            return False


def _hear_playback(
    run: Running, leg: Leg, event: port.PlaybackStarted | port.PlaybackEnded | port.PlaybackFailed
) -> None:
    playback = leg.playbacks.get(event.playback)
    if playback is None:
        return
    match event:
        case port.PlaybackStarted():
            playback.begun_at = run.now
            if playback.tell_start:
                run.tell(playback.notify, "PlayStart", leg.name, announcement=playback.name)
                playback.tell_start = False  # It may be held, and begin again.
            _pass_on(run, leg, event, ending=False)
        case port.PlaybackEnded(_, _, reason):
            del leg.playbacks[event.playback]
            if reason == "end" and play_again(run, leg, playback):
                return
            if playback.tell_end or reason != "end":
                tell_end(run, leg, playback, playback.cut or reason)
            if reason == "end" and not playback.background:
                leg.late_finish = None  # What is pressed now answers what was heard.
            _pass_on(run, leg, event, ending=reason == "hangup")
        case port.PlaybackFailed(_, _, detail):
            del leg.playbacks[event.playback]
            run.note_failure("play", detail)
            playback.bind("failed", run.now)
            run.tell(playback.notify, "PlayFailed", leg.name, announcement=playback.name, reason=detail)
            _pass_on(run, leg, event, ending=False)
            if playback.name == RINGBACK:
                return  # It would fail again.
    if playback.background and leg.background_playback is None and not leg.closing:
        run.announce(Quiet(leg.name))


def _hear_recording(
    run: Running, leg: Leg, event: port.RecordingStarted | port.RecordingEnded | port.RecordingFailed
) -> None:
    recording = leg.recordings.get(event.recording)
    if recording is None:
        return
    url = run.settings.links.to(recording.file, run.now)
    match event:
        case port.RecordingStarted():
            run.tell(recording.notify, "RecordStart", leg.name, recordFile=url)
            _pass_on(run, leg, event, ending=False)
        case port.RecordingEnded(_, _, ended, duration_ms, size, level):
            del leg.recordings[event.recording]
            reason = recording.cut or ("stop" if ended == "stopped" else ended)
            done = Recorded(recording.file, duration_ms, size, reason, level)
            leg.recorded.append(done)
            recording.bind(_result(url, done))
            seconds = say(_seconds(duration_ms))
            run.tell(
                recording.notify,
                "RecordComplete",
                leg.name,
                recordFile=url,
                duration=seconds,
                reason=reason,
            )
            _pass_on(run, leg, event, ending=ended in ("hangup", "lost"))
        case port.RecordingFailed(_, _, detail):
            del leg.recordings[event.recording]
            if detail != port.NOT_BEGUN:
                run.note_failure("record", detail)
            run.tell(recording.notify, "RecordFailed", leg.name, recordFile=url, reason=detail)
            _pass_on(run, leg, event, ending=False)


def _seconds(milliseconds: int) -> int | Decimal:
    whole, rest = divmod(milliseconds, 1000)
    return Decimal(milliseconds) / 1000 if rest else whole


def _result(url: str, done: Recorded) -> Value:
    """Give what a recording's name holds: see `record` in docs/language.md."""
    # What its callback says, to the millisecond.
    return {"url": url, "duration": _seconds(done.duration_ms), "reason": done.reason, "silent": done.silent}


def rate_of(priced: events.Priced) -> Rate:
    """Give the rate that was told."""
    return _rate(priced.per_minute, priced.connection, priced.first, priced.following)


@lru_cache(maxsize=1024)
def _rate(per_minute: str, connection: str, first: int, following: int) -> Rate:
    # The many legs with one price share it.
    return Rate("", Decimal(per_minute), Decimal(connection), first, following)


def hear_spent(run: Running, leg: Leg, event: events.Spent) -> None:
    """End *leg*, for which its key can pay no more; only what was paid is billed, however long that takes."""
    if leg.state != "up" or leg.answered_at is None:
        return
    leg.paid = event.seconds
    if not leg.closing:
        run.tell(leg.notify, "SpendingCapReached", leg.name, spent=event.spent, cap=event.cap)
        run.close(leg, "spending cap")


def over(run: Running, leg: Leg) -> None:
    """Settle the end of *leg*: what is open, its final event, its farewell."""
    run.close(leg, "far end", order=False)
    leg.state, leg.ended_at = "over", run.now
    _settle_orders(run, leg)
    if leg.room:
        room.dismiss_all(run, leg)
    else:
        run.over.append(leg)
    leave_by_end(run, leg)
    _tell_end(run, leg)
    for block, names in leg.hangup_handlers:
        run.spawn(None, Executor(run, None, names).body(block))
    if leg is run.subject:
        for other in list(run.legs.values()):
            run.close(other, "the script's own leg has ended")
        if leg.hangup_handlers:
            run.set_timer(run.settings.farewell_limit, run.cut_farewell)
    for other in list(run.legs.values()):
        if other.placed_by == leg.name:
            run.close(other, "the leg that placed it has ended")
    nobody_left(run, leg)
    run.announce(LegOver(leg.name))


def _settle_orders(run: Running, leg: Leg) -> None:
    """Tell the end of what the media left open, which it promises not to."""
    for number in list(leg.playbacks):
        _hear_playback(run, leg, port.PlaybackEnded(leg.name, number, "hangup"))
    for playback in list(leg.resting):
        end_resting(run, leg, playback, "hangup")
    if leg.connection:
        ended = port.Disconnected(leg.connection.leg, leg.connection.number, "other")
        bridge.part(run, leg, ended)
    for transfer in list(leg.transfers):
        bridge.transfer_failed(run, leg, port.TransferFailed(leg.name, transfer, "hangup"))
    for number in list(leg.recordings):
        _hear_recording(run, leg, port.RecordingFailed(leg.name, number, "the media process was lost"))


def _tell_conference_end(run: Running, leg: Leg) -> None:
    seconds = str(started_seconds(leg, run.now) or 0)
    run.tell(
        leg.notify,
        "ConfCallCompleted",
        leg.name,
        confCallId=leg.name,
        duration=seconds,
        reason=room.end_of(leg),
    )


def _tell_end(run: Running, leg: Leg) -> None:
    if leg.room:
        _tell_conference_end(run, leg)
        return
    bill = say(run.price(leg))
    if leg.answered_at is None:
        # Cancelled by our own ring timeout is, to the client, a phone that nobody answered.
        reason = leg.refused or "unreachable"
        if leg.closing == "no answer" and reason == "cancelled":
            reason = leg.refused = "noanswer"
        status = {} if leg.sip_status is None else {"sipStatus": str(leg.sip_status)}
        run.tell(leg.notify, "CallFailed", leg.name, reason=reason, **status, billAmount=bill)
        return
    # Who was handed over may hang up before we do.
    by_callee = leg.ended_by == "callee" and leg.closing != "transferred"
    action = "CalleeHangUp" if by_callee else "ServerHangup"
    was_in = {"confCallId": leg.last_conference} if leg.last_conference else {}
    why = {} if by_callee else {"reason": "lost" if leg.ended_by == "lost" else leg.closing or "script"}
    why |= {"detail": leg.lost} if leg.lost else {}
    seconds = str(started_seconds(leg, run.now))
    run.tell(leg.notify, action, leg.name, duration=seconds, billAmount=bill, **was_in, **why)


def started_seconds(leg: Leg, now: float) -> int | None:
    """How many seconds of *leg* have begun since its answer; None where it had none."""
    if leg.answered_at is None:
        return None
    return begun(leg.answered_at, leg.ended_at or now)


def begun(since: float, until: float) -> int:
    """How many seconds have begun between two times."""
    return max(0, ceil(round(until - since, 3)))


def billed_seconds(leg: Leg, now: float) -> int | None:
    """How many seconds of *leg* are billed at most: those that have begun, and that its key could pay."""
    seconds = started_seconds(leg, now)
    return seconds if seconds is None or leg.paid is None else min(seconds, leg.paid)
