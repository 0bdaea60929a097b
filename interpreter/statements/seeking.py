"""What is done with a sound while it is heard: ``pause play``, ``resume play``, ``skip``, ``speed``.

They are for what the leg hears: the newest sound of its foreground, also one that is held while a
handler is heard; and where there is none, what plays in the background.
"""

from contextlib import suppress
from decimal import Decimal
from typing import assert_never

from ringful.grammar import nodes
from ringful.grammar.sounds import UP_OR_DOWN
from ringful.interpreter.evaluate import seconds_of
from ringful.interpreter.leg import Leg, Playback
from ringful.interpreter.running import Running, Scope
from ringful.interpreter.statements.interrupting import change, go_on, rest
from ringful.interpreter.statements.sound import sounding, speed_of, within_bounds
from ringful.interpreter.strand import Failed
from ringful.interpreter.values import Value


def steer_here(run_on: Scope, statement: nodes.Steering) -> None:
    """Do *statement* with what is heard where it stands."""
    steer(run_on.run, run_on.need_leg(), run_on.names, statement)


def steer_now(run: Running, leg: Leg, statement: nodes.Steering) -> None:
    """Do *statement*, which holds its values, with what *leg* hears; nothing, where that is over."""
    with suppress(Failed):
        steer(run, leg, {}, statement)


def steer(run: Running, leg: Leg, names: dict[str, Value], statement: nodes.Steering) -> None:
    """Do *statement* with what *leg* hears.  Raises Failed where that is nothing, Fault."""
    match statement:
        case nodes.PausePlay(name):
            _pause(run, leg, names, name)
        case nodes.ResumePlay():
            _resume(run, leg)
        case nodes.Skip(time, way):
            seconds, playback = seconds_of(time, names), _needed(leg)
            here = playback.position(run.now)
            places = {"to": seconds, "on": here + seconds, "back": here - seconds}
            change(run, leg, playback, places[way])
        case nodes.Speed(speed):
            playback = _needed(leg)
            wanted = _wanted(playback, speed, names)
            if wanted != playback.speed:
                change(run, leg, playback, speed=wanted)
        case _:
            assert_never(statement)


def _pause(run: Running, leg: Leg, names: dict[str, Value], name: str | None) -> None:
    """Let what is heard stand still, and give *name* where that is."""
    playback = _heard(leg)
    if name is not None:
        names[name] = None if playback is None else playback.place(run.now)
    if playback is None:
        raise Failed("nothing is being played")
    playback.paused = True
    rest(run, leg, playback)


def _resume(run: Running, leg: Leg) -> None:
    """Let what was paused last go on."""
    paused = [one for one in leg.resting if one.paused]
    if not paused:
        raise Failed("nothing was paused")
    paused[-1].paused = False
    go_on(run, leg, paused[-1])


def _wanted(playback: Playback, speed: "nodes.Expression | str", names: dict[str, Value]) -> Decimal:
    if isinstance(speed, str):
        return within_bounds(playback.speed + (UP_OR_DOWN if speed == "up" else -UP_OR_DOWN))
    return speed_of(speed, names) or playback.speed


def _needed(leg: Leg) -> Playback:
    playback = _heard(leg)
    if playback is None:
        raise Failed("nothing is being played")
    return playback


def _heard(leg: Leg) -> Playback | None:
    """Give what *leg* hears, or what stands still there."""
    on = [one for one in sounding(leg) if not one.cut and not one.stopping]
    before = [one for one in on if not one.background] or on
    return max(before, key=lambda one: one.number, default=None)
