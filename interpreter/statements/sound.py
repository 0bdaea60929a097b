"""What the statements that play, say, record and send tones mean.

The leg's callbacks (PlayStart, RecordComplete …) are told by the run when the media's event comes
in; a statement here only orders, waits, and decides when it is done.
"""

from collections.abc import Callable
from decimal import Decimal

from ringful.grammar import nodes
from ringful.grammar.sounds import FASTEST, SLOWEST, STEP
from ringful.interpreter import effects
from ringful.interpreter.evaluate import (
    TONES,
    Fault,
    count_of,
    evaluate,
    seconds_of,
    text_of,
    tones_of,
    url_of,
)
from ringful.interpreter.leg import Cued, Leg, Playback, Recording
from ringful.interpreter.running import Running, Scope
from ringful.interpreter.statements.interrupting import (
    at_speed,
    end_resting,
    hold_others,
    order,
    tell_end,
)
from ringful.interpreter.strand import Failed, Quiet, Signal
from ringful.interpreter.values import Value, kind
from ringful.media import port

RINGBACK = "ringback"
"""The name of the ringing tone, which is no sound of the script."""
_LOOK_AHEAD = 8
"""How many statements ahead the next sound is looked for."""

_SHORTEST = 0.2
"""Seconds; what is shorter is not repeated for ever."""

_PASSED_OVER = (
    nodes.WaitTone
    | nodes.Record
    | nodes.StartRecord
    | nodes.StopRecord
    | nodes.Tone
    | nodes.Wait
    | nodes.StartTones
    | nodes.StopTones
    | nodes.StopPlay
    | nodes.PausePlay
    | nodes.ResumePlay
    | nodes.Skip
    | nodes.Speed
)
"""Statements behind which the next sound is already certain."""


async def play(run_on: Scope, statement: nodes.Play | nodes.Say) -> None:
    """Play or say something, in the foreground or the background."""
    leg, names = run_on.need_leg(), run_on.names
    playback = _playback_of(run_on, statement)
    until = tones_of(statement.until, names) if statement.until else None
    times = 1
    if isinstance(statement, nodes.Play) and statement.times:
        times = count_of(statement.times, names)
    playback.bind(None, run_on.run.now)
    if isinstance(statement, nodes.Play) and statement.background:
        if times or statement.forever:
            playback.background = True
            playback.again, playback.until = (-1 if statement.forever else times - 1), until or ""
            await _play_behind(run_on, leg, playback)
        return
    for turn in range(times):
        playback.tell_end = turn == times - 1
        if until and any(tone in until for tone in leg.buffer):
            # The caller knows what comes and has answered already.
            tell_end(run_on.run, leg, playback, "tone")
            return
        if not await _play_through(run_on, leg, playback, until, follow=playback.tell_end):
            return
        playback.heard, playback.begun_at = 0.0, None


def _playback_of(run_on: Scope, statement: nodes.Play | nodes.Say) -> Playback:
    """Make the playback that *statement* asks for.  Raises Fault."""
    names = run_on.names
    sound, name = sound_of(statement, names)
    speed, start = speed_of(statement.speed, names) or Decimal(1), start_of(statement, names)
    playback = Playback(name, url_of(statement.notify, names), sound=sound, speed=speed, heard=start)
    playback.result, playback.names = statement.name, names
    return playback


def sound_of(statement: nodes.Play | nodes.Say, names: dict[str, Value]) -> tuple[port.Sound, str]:
    """Give what *statement* plays, and what callbacks call it.  Raises Fault."""
    if isinstance(statement, nodes.Play):
        url = text_of(statement.audio, names)
        return port.Announcement(url), url
    text = text_of(statement.text, names)
    voice = text_of(statement.voice, names) if statement.voice else None
    return port.Speech(text, voice), text


def start_of(statement: nodes.Play | nodes.Say, names: dict[str, Value]) -> float:
    """Give where in its sound *statement* begins, in seconds.  Raises Fault."""
    if statement.start is None or evaluate(statement.start, names) is None:
        return 0.0
    return seconds_of(statement.start, names)


def speed_of(expression: nodes.Expression | None, names: dict[str, Value]) -> Decimal | None:
    """Evaluate a speed: the nearest that there is; None where nothing is said of it.  Raises Fault."""
    value = None if expression is None else evaluate(expression, names)
    if expression is None or value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Fault(f"a speed is a number from {SLOWEST} to {FASTEST}, not {kind(value)}", expression.span)
    return within_bounds(Decimal(value))


def within_bounds(speed: Decimal) -> Decimal:
    """Give the speed that there is and that is nearest to *speed*."""
    bounded = min(max(speed, SLOWEST), FASTEST)
    return (bounded / STEP).to_integral_value() * STEP


async def _play_behind(run_on: Scope, leg: Leg, playback: Playback) -> None:
    if any(tone in playback.until for tone in leg.buffer):
        tell_end(run_on.run, leg, playback, "tone")
        return
    playback.since = run_on.run.now
    order(run_on.run, leg, playback)
    begun = await run_on.wait(_is_of(leg, playback))
    if isinstance(begun, port.PlaybackFailed):
        raise Failed(begun.detail)


async def _play_through(
    run_on: Scope, leg: Leg, playback: Playback, until: str | None, *, follow: bool
) -> bool:
    """Play to the end; say whether it was reached (a tone may cut it short)."""
    playback.handling = run_on.handling
    cue = _claim_cue(run_on, leg, playback)
    hold_others(run_on.run, leg, run_on.handling)
    order(run_on.run, leg, playback, cue)
    look_ahead(run_on, follow=follow)
    wants = _is_of(leg, playback)
    try:
        while True:
            signal = await run_on.wait(
                wants,
                tones=None if playback.cut else until,
                on_queued=lambda: look_ahead(run_on, follow=follow),
            )
            match signal:
                case port.TonePressed(_, tone):
                    leg.type_ahead(tone)
                    if not _cut(run_on, leg, playback):
                        return False
                case port.PlaybackFailed(_, _, detail):
                    _drop_cue(run_on, leg)
                    raise Failed(detail)
                case port.PlaybackEnded(_, _, reason):
                    return reason == "end" and playback.cut is None
    finally:
        # Cut short by its own script: a menu's prompt, a block that ended.
        if not playback.cut and not leg.closing:
            _cut(run_on, leg, playback)


_OfPlayback = port.PlaybackStarted | port.PlaybackEnded | port.PlaybackFailed


def _is_of(leg: Leg, playback: Playback) -> Callable[[Signal], bool]:
    """Give what says whether a signal is *playback*'s, by the number that it has then."""

    def is_of(signal: Signal) -> bool:
        if not isinstance(signal, _OfPlayback):
            return False
        return signal.playback == playback.number and signal.leg == leg.name

    return is_of


def _cut(run_on: Scope, leg: Leg, playback: Playback) -> bool:
    """Cut *playback* short, if it has not ended; say whether its end is still to come."""
    if playback in leg.resting:
        # It is not heard at present, and will not be.
        playback.cut = "tone"
        end_resting(run_on.run, leg, playback, "tone")
        return False
    if playback.number not in leg.playbacks:
        return False
    playback.cut = "tone"
    playback.bind("tone", run_on.run.now)
    _drop_cue(run_on, leg)
    run_on.run.perform(effects.StopPlayback(leg.name, playback.number))
    return True


def _claim_cue(run_on: Scope, leg: Leg, playback: Playback) -> int | None:
    """Give the number of the cue that the present statement was announced by, if it was."""
    cued = leg.cued
    assert playback.sound is not None
    if (
        cued
        and cued.statement is run_on.statement
        and cued.sound == at_speed(playback.sound, playback.speed)
        and not playback.heard
    ):
        leg.cued = None
        return cued.playback
    _drop_cue(run_on, leg)
    return None


def _drop_cue(run_on: Scope, leg: Leg) -> None:
    if leg.cued:
        # It may have begun in the meantime, so it is stopped and not only forgotten.
        run_on.run.perform(effects.StopPlayback(leg.name, leg.cued.playback))
        leg.cued = None


def look_ahead(run_on: Scope, *, follow: bool) -> None:
    """Have the next sound fetched; with *follow*, let it be heard without a hole where it comes next."""
    leg = run_on.leg
    if leg is None or leg.closing:
        return
    for statement in run_on.upcoming()[:_LOOK_AHEAD]:
        match statement:
            case nodes.Play() | nodes.Say():
                _announce(run_on, leg, statement, follow=follow)
                return
            case nodes.Notify():
                continue
            case _ if isinstance(statement, _PASSED_OVER):
                follow = False
            case _:
                return


def _announce(run_on: Scope, leg: Leg, statement: nodes.Play | nodes.Say, *, follow: bool) -> None:
    try:
        sound, _ = sound_of(statement, run_on.names)
        sound = at_speed(sound, speed_of(statement.speed, run_on.names) or Decimal(1))
        follow = follow and not start_of(statement, run_on.names)
    except Fault:
        return  # It will be told in its place.
    behind = isinstance(statement, nodes.Play) and statement.background
    alone = sum(not playback.background for playback in leg.playbacks.values()) <= 1
    if follow and alone and not behind and leg.cued is None:
        leg.cued = Cued(leg.order(), sound, statement)
        leg.prepared.add(sound)
        run_on.run.perform(effects.Cue(leg.name, leg.cued.playback, sound))
    elif sound not in leg.prepared:
        leg.prepared.add(sound)
        run_on.run.perform(effects.Prepare(sound))


def play_again(run: Running, leg: Leg, playback: Playback) -> bool:
    """Play again what has ended in the background, where it is to be heard again; say whether it is."""
    if not playback.again or playback.sound is None or playback.stopping or leg.closing:
        return False
    playback.again -= playback.again > 0
    if playback.again < 0 and run.now - playback.since < _SHORTEST:
        return False
    playback.since = run.now
    playback.tell_start = False
    playback.heard, playback.begun_at = 0.0, None
    order(run, leg, playback)
    return True


def cut_background(run: Running, leg: Leg, tone: str) -> None:
    """End what plays in the background of *leg* where *tone* is to end it, whoever takes the tone."""
    playback = leg.background_playback
    if playback and tone in playback.until:
        playback.cut = "tone"
        stop_background(run, leg)


def stop_background(run: Running, leg: Leg) -> Playback | None:
    """Tell what plays in the background of *leg* to end, and give it; None where nothing plays."""
    playback = leg.background_playback
    if playback in leg.resting:
        _end_standing(run, leg, playback)
    elif playback:
        playback.stopping = True
        run.perform(effects.StopPlayback(leg.name, playback.number))
    return playback


def _end_standing(run: Running, leg: Leg, playback: Playback) -> None:
    """End *playback*, which stands still, for whoever waits for its end as well."""
    end_resting(run, leg, playback, playback.cut or "stopped")
    run.announce(port.PlaybackEnded(leg.name, playback.number, "stopped"))
    if playback.background:
        run.announce(Quiet(leg.name))


async def stop_play(run_on: Scope, _: nodes.StopPlay) -> None:
    """End the background playback, and wait until it has ended."""
    leg = run_on.need_leg()
    playback = stop_background(run_on.run, leg)
    if playback is None:
        raise Failed("nothing is being played in the background")
    if playback.stopping:
        await run_on.wait(_is_of(leg, playback))


def stop_sounds(run: Running, leg: Leg) -> None:
    """End everything that is played on *leg* now, in the background or not."""
    if leg.cued:
        # It comes in its turn, and until then it is not to begin by itself.
        run.perform(effects.StopPlayback(leg.name, leg.cued.playback))
        leg.cued = None
    for playback in sounding(leg):
        if playback in leg.resting:
            _end_standing(run, leg, playback)
        else:
            playback.stopping = True
            run.perform(effects.StopPlayback(leg.name, playback.number))


def sounding(leg: Leg) -> list[Playback]:
    """Give what is played on *leg* for its script, or stands still there."""
    return [one for one in (*leg.playbacks.values(), *leg.resting) if one.name != RINGBACK]


async def record(run_on: Scope, statement: nodes.Record) -> None:
    """Record as voicemail does: until a key, a silence, or the limit."""
    leg, names, settings = run_on.need_leg(), run_on.names, run_on.run.settings
    limit = seconds_of(statement.limit, names) if statement.limit else settings.record_limit
    silence = seconds_of(statement.silence, names) if statement.silence else settings.record_silence
    within = seconds_of(statement.within, names) if statement.within else None
    until = tones_of(statement.until, names) if statement.until else "#"
    recording = Recording(leg.next_file(), url_of(statement.notify, names), statement.name, names)
    recording.bind(None)
    number = leg.order()
    order = effects.StartRecording(leg.name, number, recording.file, silence, statement.beep, within)
    _order_recording(run_on, leg, recording, order)
    look_ahead(run_on, follow=False)
    try:
        begun = await run_on.wait(lambda s: _is_recording(s, leg, number))
        if isinstance(begun, port.RecordingStarted):
            ended = await run_on.within(limit, lambda s: _is_recording(s, leg, number), tones=until)
            if ended is None or isinstance(ended, port.TonePressed):
                recording.cut = "tone" if ended else "limit"
                run_on.run.perform(effects.StopRecording(leg.name, number))
                ended = await run_on.wait(lambda s: _is_recording(s, leg, number))
            begun = ended
    finally:
        recording.left = number in leg.recordings
        if recording.left and not recording.cut and not leg.closing:
            recording.cut = "tone"
            run_on.run.perform(effects.StopRecording(leg.name, number))
    # What was pressed until now, a slip on the keys while speaking, answers nothing that was not asked yet.
    leg.forget_tones()
    if isinstance(begun, port.RecordingFailed):
        raise Failed(begun.detail)


async def start_record(run_on: Scope, statement: nodes.StartRecord) -> None:
    """Start the background recorder: the REST Record."""
    leg = run_on.need_leg()
    notify = url_of(statement.notify, run_on.names)
    if leg.background_recording is not None:
        reason = "this leg is being recorded already: stop that recording first"
        run_on.run.tell(notify, "RecordFailed", leg.name, reason=reason)
        raise Failed(reason)
    recording = Recording(leg.next_file(), notify, statement.name, run_on.names, background=True)
    recording.bind(None)
    number = leg.order()
    _order_recording(run_on, leg, recording, effects.StartRecording(leg.name, number, recording.file))
    begun = await run_on.wait(lambda s: _is_recording(s, leg, number))
    if isinstance(begun, port.RecordingFailed):
        raise Failed(begun.detail)


def _order_recording(run_on: Scope, leg: Leg, recording: Recording, order: effects.StartRecording) -> None:
    leg.recordings[order.recording] = recording
    run_on.run.perform(order)


async def stop_record(run_on: Scope, _: nodes.StopRecord) -> None:
    """Stop the background recorder, and wait until its file is complete."""
    leg = run_on.need_leg()
    number = leg.background_recording
    if number is None:
        raise Failed("nothing is being recorded")
    run_on.run.perform(effects.StopRecording(leg.name, number))
    ended = await run_on.wait(lambda s: _is_recording(s, leg, number))
    if isinstance(ended, port.RecordingFailed):
        raise Failed(ended.detail)


def _is_recording(signal: Signal, leg: Leg, recording: int) -> bool:
    match signal:
        case (
            port.RecordingStarted(name, number)
            | port.RecordingEnded(name, number)
            | port.RecordingFailed(name, number)
        ):
            return name == leg.name and number == recording
    return False


async def tone(run_on: Scope, statement: nodes.Tone) -> None:
    """Send DTMF to the far end, and wait until it is out."""
    leg = run_on.need_leg()
    tones = text_of(statement.tones, run_on.names).upper().replace(",", "").replace(" ", "")
    wrong = [mark for mark in tones if mark not in TONES]
    if wrong:
        raise Fault(f"`{wrong[0]}` is no tone: a tone is one of 0-9 * # A-D", statement.span)
    number = leg.order()
    leg.sendings.add(number)
    run_on.run.perform(effects.SendTones(leg.name, number, tones))
    await run_on.wait(lambda s: isinstance(s, port.TonesSent) and (s.leg, s.sending) == (leg.name, number))
