"""What is heard, and stands still: held while a handler is heard, or paused; it goes on where it was.

A sound is stopped for that, and ordered again from there.  The strand that waits for its end notices
nothing, and nor does who is told of it.
"""

from decimal import Decimal

from ringful.interpreter import effects
from ringful.interpreter.leg import Handling, Leg, Playback
from ringful.interpreter.running import Running, Scope
from ringful.media import port


def hold_others(run: Running, leg: Leg, handling: Handling | None) -> None:
    """Hold what others play in the foreground of *leg*, for as long as *handling* lasts."""
    if handling is None or handling.over:
        return
    for playback in list(leg.playbacks.values()):
        if playback.background or playback.cut or playback.held_by or not _gives_way(playback, handling):
            continue
        playback.held_by = handling
        rest(run, leg, playback)


def _gives_way(playback: Playback, handling: Handling) -> bool:
    """Say whether *playback* is held for *handling*: a script's always is, another handler's for a key."""
    return playback.handling is None or (playback.handling is not handling and handling.by_key)


async def handle(run_on: Scope, leg: Leg, handling: Handling) -> None:
    """Run the block of a handler; at its end, what it held goes on."""
    try:
        await run_on.body(handling.block)
    finally:
        handling.over = True
        # Where the leg is ending, what it held ends with that.
        for playback in [] if leg.closing else [one for one in leg.resting if one.held_by is handling]:
            playback.held_by = None
            go_on(run_on.run, leg, playback)


def rest(run: Running, leg: Leg, playback: Playback) -> None:
    """Let *playback* stand still where it is; nobody is told."""
    if playback in leg.resting:
        return
    _stop(run, leg, playback)
    leg.resting.append(playback)


def go_on(run: Running, leg: Leg, playback: Playback) -> None:
    """Let *playback*, which stands still, go on, unless something else keeps it."""
    if playback.paused or playback.held_by:
        return
    leg.resting.remove(playback)
    order(run, leg, playback)


def change(
    run: Running, leg: Leg, playback: Playback, seconds: float | None = None, speed: Decimal | None = None
) -> None:
    """Let *playback* go on *seconds* after the beginning of its sound, and at another *speed*.

    None leaves either as it is; before the beginning is the beginning, and behind the end it is over.
    Where it stands still it goes on so later.
    """
    resting = playback in leg.resting
    if not resting:
        _stop(run, leg, playback)
    playback.heard = playback.heard if seconds is None else max(0.0, seconds)
    playback.speed = playback.speed if speed is None else speed
    if not resting:
        order(run, leg, playback)


def _stop(run: Running, leg: Leg, playback: Playback) -> None:
    """Have *playback* heard no longer; what its order comes to means nothing any more."""
    playback.heard, playback.begun_at = playback.position(run.now), None
    del leg.playbacks[playback.number]
    if leg.cued and not playback.background:
        # Had it ended meanwhile, that would be heard already.
        run.perform(effects.StopPlayback(leg.name, leg.cued.playback))
        leg.cued = None
    run.perform(effects.StopPlayback(leg.name, playback.number))


def order(run: Running, leg: Leg, playback: Playback, cue: int | None = None) -> None:
    """Have *playback* heard from where it is; *cue* is the number that it was announced by."""
    assert playback.sound is not None
    playback.number = leg.order() if cue is None else cue
    leg.playbacks[playback.number] = playback
    sound, offset = at_speed(playback.sound, playback.speed), playback.heard / float(playback.speed)
    run.perform(effects.Play(leg.name, playback.number, sound, playback.background, round(offset, 3)))


def at_speed(sound: port.Sound, speed: Decimal) -> port.Sound:
    """Give *sound*, which is as fast as it was made, as it is heard at *speed*."""
    if speed == 1:
        return sound
    match sound:
        case port.Announcement(url):
            return port.Announcement(url, float(speed))
        case port.Speech(text, voice):
            return port.Speech(text, voice, float(speed))
        case port.Ringback():
            return sound


def end_resting(run: Running, leg: Leg, playback: Playback, reason: str) -> None:
    """End *playback*, which stands still, and tell of it."""
    leg.resting.remove(playback)
    tell_end(run, leg, playback, reason)


def tell_end(run: Running, leg: Leg, playback: Playback, reason: str) -> None:
    """Tell that *playback* is over."""
    playback.bind(reason, run.now)
    run.tell(playback.notify, "PlayComplete", leg.name, announcement=playback.name, reason=reason)
