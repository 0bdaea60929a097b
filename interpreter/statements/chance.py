"""What no script can work out for itself: the time of day, and chance.

Both are the same however often a journal is gone through: the time is that of the event that is
being handled, and chance comes from the call's ID and how often it was asked.
"""

from datetime import UTC, datetime
from hashlib import sha256

from ringful.grammar import nodes
from ringful.grammar.zones import zone_of
from ringful.interpreter.evaluate import Fault, evaluate, text_of
from ringful.interpreter.running import Running, Scope
from ringful.interpreter.values import Value, say

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def look_at_clock(run_on: Scope, statement: nodes.Clock) -> None:
    """Bind the name to what a clock shows in the zone."""
    name = text_of(statement.zone, run_on.names) if statement.zone else "UTC"
    zone = zone_of(name)
    if zone is None:
        where = statement.zone.span if statement.zone else statement.span
        raise Fault(f"`{name}` is no time zone: write its name, e.g. `Europe/Vienna`", where)
    moment = datetime.fromtimestamp(round(run_on.run.now, 3), UTC).astimezone(zone)
    run_on.names[statement.name] = {
        "time": f"{moment:%H:%M}",
        "hour": moment.hour,
        "minute": moment.minute,
        "weekday": _WEEKDAYS[moment.weekday()],
        "date": f"{moment.year:04}-{moment:%m-%d}",
        "day": moment.day,
        "month": moment.month,
        "year": moment.year,
    }


def pick(run_on: Scope, statement: nodes.Pick) -> None:
    """Bind the name to an item of a list, or to a number of a range, by chance."""
    first = evaluate(statement.items, run_on.names)
    if statement.last is None:
        if not isinstance(first, tuple):
            raise Fault("`pick` needs a list, or two numbers as `1..6`", statement.items.span)
        value: Value = first[_chance(run_on.run, len(first))] if first else None
    else:
        last = evaluate(statement.last, run_on.names)
        whole = (one for one in (first, last) if isinstance(one, int) and not isinstance(one, bool))
        if len(list(whole)) < 2 or not isinstance(first, int) or not isinstance(last, int) or last < first:
            raise Fault("`pick` needs two whole numbers, the smaller one first", statement.items.span)
        value = first + _chance(run_on.run, last - first + 1)
    run_on.names[statement.name] = value
    run_on.run.note("Picked", run_on.leg, {"value": run_on.run.secrets.conceal(say(value))})


def _chance(run: Running, most: int) -> int:
    """Give a number from 0 that is less than *most*."""
    run.chances += 1
    seed = run.settings.chance or run.call_id
    return int.from_bytes(sha256(f"{seed} {run.chances}".encode()).digest()[:16]) % most
