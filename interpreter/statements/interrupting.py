"""What a handler plays is heard at once: what is heard meanwhile is held, and goes on where it was.

A sound is held by being stopped, and goes on by being ordered again from there; the strand that waits for
its end notices nothing, and nor does who is told of it.
"""

from ringful.interpreter import effects
from ringful.interpreter.leg import Handling, Leg, Playback
from ringful.interpreter.running import Running, Scope


def hold_others(run: Running, leg: Leg, handling: Handling | None) -> None:
    """Hold what others play in the foreground of *leg*, for as long as *handling* lasts."""
    if handling is None or handling.over:
        return
    for number, playback in list(leg.playbacks.items()):
        if playback.background or playback.cut or playback.held_by or not _gives_way(playback, handling):
            continue
        playback.held_by = handling
        if playback.begun_at is not None:
            playback.heard += run.now - playback.begun_at
        run.perform(effects.StopPlayback(leg.name, number))


def _gives_way(playback: Playback, handling: Handling) -> bool:
    """Say whether *playback* is held for *handling*: a script's always is, another handler's for a key."""
    return playback.handling is None or (playback.handling is not handling and handling.by_key)


def is_held(run: Running, leg: Leg, playback: Playback) -> bool:
    """Take it that *playback* was stopped; say whether that was only to hold it."""
    if playback.held_by is None or leg.closing:
        return False
    if playback.held_by.over:
        _go_on(run, leg, playback)
    else:
        leg.held_sounds.append(playback)
    return True


async def handle(run_on: Scope, leg: Leg, handling: Handling) -> None:
    """Run the block of a handler; at its end, what it held goes on."""
    try:
        await run_on.body(handling.block)
    finally:
        handling.over = True
        # Where the leg is ending, what it held ends with that.
        for playback in [] if leg.closing else [one for one in leg.held_sounds if one.held_by is handling]:
            leg.held_sounds.remove(playback)
            _go_on(run_on.run, leg, playback)


def _go_on(run: Running, leg: Leg, playback: Playback) -> None:
    assert playback.sound is not None
    playback.held_by = playback.begun_at = None
    playback.number = leg.order()
    leg.playbacks[playback.number] = playback
    run.perform(effects.Play(leg.name, playback.number, playback.sound, offset=round(playback.heard, 3)))
