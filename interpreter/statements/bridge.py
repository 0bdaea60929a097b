"""What the statements between legs mean: ``connect``, ``mute``, ``transfer``, and legs that stay for them.

A leg is *idle* when it has nothing of its own to do: it stands at a ``stay``, or it has a name and
its block has ended.  Only an idle leg is connected, so that what its block says and asks comes first
(a call can be announced to whom it is for, who may turn it away), and until then the leg that waits
hears a ringing tone, unless the script plays something to it in the background.
"""

from typing import NoReturn

from attrs import define

from ringful.grammar import nodes
from ringful.interpreter import effects
from ringful.interpreter.evaluate import Fault, seconds_of, text_of
from ringful.interpreter.leg import Connection, Leg, Playback
from ringful.interpreter.running import Running, Scope
from ringful.interpreter.statements import inbound
from ringful.interpreter.statements.outcome import lasted, outcome, reason_of
from ringful.interpreter.statements.sound import RINGBACK, stop_background
from ringful.interpreter.strand import Failed, LegChanged, LegOver, Quiet, Signal, Wait, suspend
from ringful.interpreter.values import Value
from ringful.media import port


def named_legs(run_on: Scope, name: str, statement: nodes.Statement) -> list[Leg]:
    """Give the leg that *name* stands for, or all of a `call all`.  Raises Fault."""
    held = run_on.names.get(name)
    ids = held if isinstance(held, tuple) else (held,)
    legs = [run_on.run.legs.get(str(one)) for one in ids]
    found = [leg for leg in legs if leg is not None]
    if not found or len(found) < len(legs):
        raise Fault(f"`{name}` is no leg of this script", statement.span)
    return found


async def remain(run_on: Scope) -> None:
    """Keep this leg up for others to connect, for as long as anything else of the script runs."""
    idle(run_on.run, run_on.need_leg(), True)
    await suspend(Wait(lambda _: False, idle=True))


def idle(run: Running, leg: Leg, is_idle: bool) -> None:
    """Take note that *leg* has nothing of its own to do, or has again."""
    leg.idle = is_idle
    run.announce(LegChanged(leg.name))


async def connect(run_on: Scope, statement: nodes.Connect) -> None:
    """Let this leg and another hear each other; where they cannot, run ``else``."""
    others = [one for name in statement.legs for one in named_legs(run_on, name, statement)]
    await connect_with(run_on, statement, others)


async def connect_with(run_on: Scope, statement: nodes.Connect | nodes.ConnectTo, others: list[Leg]) -> None:
    """Let this leg and the first of *others* that can be connected hear each other, or run ``else``."""
    try:
        await _connect(run_on, statement, others)
    except Failed:
        run_on.run.take_way(statement, "else")
        if statement.otherwise is None:
            raise
        await run_on.block(statement.otherwise)


async def _connect(run_on: Scope, statement: nodes.Connect | nodes.ConnectTo, others: list[Leg]) -> None:
    """Connect until either leg ends, or the limit passes.  Raises Failed where it cannot be."""
    leg = run_on.need_leg()
    limit = seconds_of(statement.limit, run_on.names) if statement.limit else None
    talk = _Talk(run_on.names, statement.name)
    talk.bind(None, None)
    if leg in others:
        raise Fault("a leg cannot be connected with itself", statement.span)
    if leg.connection and not any(other.name in leg.connection.legs for other in others):
        _refuse(run_on, leg, others[0], talk, "engaged", "this leg is connected with another one")
    if leg.membership:
        where = f"this leg is in the conference {leg.membership.conference}"
        _refuse(run_on, leg, others[0], talk, "conference", where)
    other = await _first_idle(run_on, leg, others, talk)
    while leg.state == "ringing":
        await inbound.answer(run_on)
        # It may have ended meanwhile.
        other = await _first_idle(run_on, leg, others, talk)
    connection = leg.connection or _order(run_on, leg, other)
    for late in others:
        if late is not other:
            run_on.run.close(late, "taken")
    run_on.run.take_way(statement, "connected")
    await _talk(run_on, leg, other, connection, limit, talk)


async def _talk(
    run_on: Scope, leg: Leg, other: Leg, connection: Connection, limit: float | None, talk: "_Talk"
) -> None:
    """Let the two talk until either ends, or *limit* passes, and bind what came of it."""
    run, since = run_on.run, run_on.run.now
    ended: Signal | None = None
    try:
        passed = await run_on.within(limit, connection.ends)
        ended = passed
        if passed is None:
            run.perform(effects.Disconnect(connection.leg, connection.number))
            ended = await run_on.wait(connection.ends)
    finally:
        # Cut short by its own script.
        if ended is None:
            talk.bind("hangup", other, lasted(since, run.now))
            if leg.connection is connection and not leg.closing:
                run.perform(effects.Disconnect(connection.leg, connection.number))
    if isinstance(ended, port.ConnectFailed):
        _refuse(run_on, leg, other, talk, "failed", ended.detail)
    seconds = lasted(since, run.now)
    parted = isinstance(ended, port.Disconnected) and ended.reason == "stopped"
    if passed is None or parted:
        talk.bind("limit" if passed is None else "ended", other, seconds)
        return
    talk.bind(reason_of(other), other, seconds)
    if talk.name and other.state != "over":
        # How it ended is known when it has.
        await run_on.within(run.settings.closing_limit, lambda s: s == LegOver(other.name))
        talk.bind(reason_of(other), other, seconds)


@define
class _Talk:
    """What holds what came of a connection: a name in *names*, if there is one."""

    names: dict[str, Value]
    name: str | None

    def bind(self, reason: str | None, other: Leg | None, seconds: int = 0) -> None:
        """Give it its value."""
        if self.name is not None:
            of_other: dict[str, Value] = {"leg": None, "given": None}
            status = None
            if other:
                of_other = {"leg": other.name, "given": other.given}
                status = other.sip_status
            self.names[self.name] = {**outcome(reason, seconds, status), **of_other}


def _order(run_on: Scope, leg: Leg, other: Leg) -> Connection:
    connection = Connection(leg.order(), leg.name, other.name)
    leg.connection = other.connection = connection
    run_on.run.perform(effects.Connect(leg.name, other.name, connection.number))
    # What was played to pass the time has done so.  (A ringing tone of ours has been stopped already.)
    stop_background(run_on.run, leg)
    for one in (leg, other):
        run_on.run.announce(LegChanged(one.name))
    return connection


async def _first_idle(run_on: Scope, leg: Leg, others: list[Leg], talk: _Talk) -> Leg:
    """Wait for the first of *others* that can be connected, or is.  Raises Failed where none ever can."""
    leg.awaiting = tuple(other.name for other in others)
    run_on.run.announce(LegChanged(leg.name))
    try:
        while True:
            for other in others:
                if _can_connect(leg, other):
                    return other
            hindered = [(other, why) for other in others if (why := _hindrance(leg, other))]
            if len(hindered) == len(others):
                last, (reason, detail) = max(hindered, key=lambda one: one[0].ended_at or run_on.run.now)
                _refuse(run_on, leg, last, talk, reason, detail)
            _ring_back(run_on, leg)
            await run_on.wait(lambda s: _concerns(s, leg))
    finally:
        leg.awaiting = ()
        playback = leg.background_playback
        if playback and playback.name == RINGBACK and not leg.closing:
            stop_background(run_on.run, leg)


def _concerns(signal: Signal, leg: Leg) -> bool:
    match signal:
        case LegChanged(name) | LegOver(name):
            return name in leg.awaiting
        case Quiet(name):
            return name == leg.name
    return False


def _hindrance(leg: Leg, other: Leg) -> tuple[str, str] | None:
    """Say why *other* cannot be connected any more: a stable word, and a text for a person."""
    if other.closing or other.state == "over":
        return other.refused or "ended", ""
    if other.membership:
        return "conference", f"it is in the conference {other.membership.conference}"
    if other.connection and leg.name not in other.connection.legs:
        return "engaged", "it is connected with another leg"
    return None


def _can_connect(leg: Leg, other: Leg) -> bool:
    if _hindrance(leg, other):
        return False
    if other.connection:
        return True
    return other.state == "up" and (other.idle or leg.name in other.awaiting)


def _ring_back(run_on: Scope, leg: Leg) -> None:
    """Let *leg* hear a ringing tone, unless it hears something already."""
    if leg.background_playback is None and (leg.state == "up" or leg.early):
        number = leg.order()
        leg.playbacks[number] = Playback(RINGBACK, background=True, number=number)
        run_on.run.perform(effects.Play(leg.name, number, port.Ringback(), background=True))


def mute(run_on: Scope, statement: nodes.Mute | nodes.Unmute) -> None:
    """Keep what a leg says from the others, or let them hear it again."""
    legs = named_legs(run_on, statement.leg, statement) if statement.leg else [run_on.need_leg()]
    living = [leg for leg in legs if not leg.closing and leg.state != "over"]
    if not living:
        raise Failed(f"`{statement.leg}` has ended")
    for leg in living:
        set_muted(run_on.run, leg, isinstance(statement, nodes.Mute))


def set_muted(run: Running, leg: Leg, muted: bool) -> None:
    """Keep what *leg* says from the others, or let them hear it again."""
    leg.muted = muted
    run.perform(effects.Mute(leg.name) if muted else effects.Unmute(leg.name))


async def transfer(run_on: Scope, statement: nodes.Transfer) -> None:
    """Hand this leg over to another number; the script goes on only where that comes to nothing."""
    leg, run, names = run_on.need_leg(), run_on.run, run_on.names
    number = leg.order()
    leg.transfers[number] = text_of(statement.number, names)
    run.perform(effects.Transfer(leg.name, number, leg.transfers[number]))
    failed: Signal | None = None
    if statement.name:
        names[statement.name] = outcome(None)
    try:
        failed = await run_on.within(
            run.settings.ring_timeout,
            lambda s: isinstance(s, port.TransferFailed) and (s.leg, s.transfer) == (leg.name, number),
        )
        if failed is None:
            failed = port.TransferFailed(leg.name, number, "noanswer")
            transfer_failed(run, leg, failed)
    finally:
        if statement.name:
            reason, status = "transferred" if leg.closing == "transferred" else "hangup", None
            if isinstance(failed, port.TransferFailed):
                reason, status = failed.reason, failed.sip_status
            names[statement.name] = outcome(reason, status=status)
    raise Failed("the transfer came to nothing")


def transfer_failed(run: Running, leg: Leg, event: port.TransferFailed) -> None:
    """Tell that a transfer came to nothing, once."""
    number = leg.transfers.pop(event.transfer, None)
    if number is not None:
        status = {} if event.sip_status is None else {"sipStatus": str(event.sip_status)}
        run.tell(leg.notify, "TransferFailed", leg.name, number=number, reason=event.reason, **status)


def relay(run: Running, leg: Leg, tone: str) -> bool:
    """Pass a key that nobody took on to whom *leg* is connected with; say whether there is anybody."""
    if leg.connection is None:
        return False
    other = run.legs[leg.connection.beside(leg.name)]
    if not leg.muted and not other.closing:
        sending = other.order()
        other.sendings.add(sending)
        run.perform(effects.SendTones(other.name, sending, tone))
    return True


def part(run: Running, leg: Leg, ended: port.Disconnected | port.ConnectFailed) -> None:
    """Take note that the connection of *leg* is over, and tell whoever waits for that."""
    connection = leg.connection
    if connection is None or not connection.ends(ended):
        return
    for name in connection.legs:
        run.legs[name].connection = None
    for name in connection.legs:
        run.announce(LegChanged(name))
    run.announce(ended)


def _refuse(run_on: Scope, leg: Leg, other: Leg, talk: _Talk, reason: str, detail: str = "") -> NoReturn:
    """Tell that the two cannot be connected: *reason* is a stable word, *detail* is for a person."""
    talk.bind(reason, other)
    run_on.run.note("NotConnected", leg, {"other": other.name, "reason": detail or reason})
    more = {"detail": detail} if detail else {}
    run_on.run.tell(leg.notify, "ConnectFailed", leg.name, leg=other.name, reason=reason, **more)
    raise Failed(f"{other.name} cannot be connected: {detail or reason}")
