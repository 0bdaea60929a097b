"""What the statements between legs mean: ``connect``, ``mute``, ``transfer``, and legs that stay for them.

A leg is *idle* when it has nothing of its own to do: it stands at a ``stay``, or it has a name and
its block has ended.  Only an idle leg is connected, so that what its block says and asks comes first
(a call can be announced to whom it is for, who may turn it away), and until then the leg that waits
hears a ringing tone, unless the script plays something to it in the background.
"""

from ringful.grammar import nodes
from ringful.interpreter import effects
from ringful.interpreter.evaluate import Fault, seconds_of, text_of
from ringful.interpreter.leg import Connection, Leg, Playback
from ringful.interpreter.running import Running, Scope
from ringful.interpreter.statements.sound import RINGBACK, stop_background
from ringful.interpreter.strand import Failed, LegChanged, LegOver, Quiet, Signal, Wait, suspend
from ringful.media import port


def named_leg(run_on: Scope, name: str, statement: nodes.Statement) -> Leg:
    """Give the leg that *name* stands for.  Raises Fault."""
    leg = run_on.run.legs.get(str(run_on.names.get(name)))
    if leg is None:
        raise Fault(f"`{name}` is no leg of this script", statement.span)
    return leg


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
    try:
        await _connect(run_on, statement)
    except Failed:
        run_on.run.take_way(statement, "else")
        if statement.otherwise is None:
            raise
        await run_on.block(statement.otherwise)


async def _connect(run_on: Scope, statement: nodes.Connect) -> None:
    """Connect until either leg ends, or the limit passes.  Raises Failed where it cannot be."""
    leg = run_on.need_leg()
    other = named_leg(run_on, statement.leg, statement)
    limit = seconds_of(statement.limit, run_on.names) if statement.limit else None
    if other is leg:
        raise Fault(f"`{statement.leg}` is this leg itself", statement.span)
    if leg.connection and other.name not in leg.connection.legs:
        _refuse(run_on, leg, other, "engaged", "this leg is connected with another one")
    if leg.membership:
        _refuse(
            run_on, leg, other, "conference", f"this leg is in the conference {leg.membership.conference}"
        )
    await _until_idle(run_on, leg, other)
    connection = leg.connection or _order(run_on, leg, other)
    run_on.run.take_way(statement, "connected")
    ended: Signal | None = None
    try:
        ended = await run_on.within(limit, connection.ends)
        if ended is None:
            run_on.run.perform(effects.Disconnect(connection.leg, connection.number))
            await run_on.wait(connection.ends)
    finally:
        # Cut short by its own script.
        if ended is None and leg.connection is connection and not leg.closing:
            run_on.run.perform(effects.Disconnect(connection.leg, connection.number))
    if isinstance(ended, port.ConnectFailed):
        _refuse(run_on, leg, other, "failed", ended.detail)


def _order(run_on: Scope, leg: Leg, other: Leg) -> Connection:
    connection = Connection(leg.order(), leg.name, other.name)
    leg.connection = other.connection = connection
    run_on.run.perform(effects.Connect(leg.name, other.name, connection.number))
    # What was played to pass the time has done so.  (A ringing tone of ours has been stopped already.)
    stop_background(run_on.run, leg)
    for one in (leg, other):
        run_on.run.announce(LegChanged(one.name))
    return connection


async def _until_idle(run_on: Scope, leg: Leg, other: Leg) -> None:
    """Wait until *other* can be connected, or both are.  Raises Failed where it never can."""
    leg.awaiting = other.name
    run_on.run.announce(LegChanged(leg.name))
    try:
        while not _can_connect(run_on, leg, other):
            _ring_back(run_on, leg)
            await run_on.wait(lambda s: _concerns(s, leg, other))
    finally:
        leg.awaiting = None
        number = leg.background_playback
        if number is not None and leg.playbacks[number].name == RINGBACK and not leg.closing:
            stop_background(run_on.run, leg)


def _concerns(signal: Signal, leg: Leg, other: Leg) -> bool:
    match signal:
        case LegChanged(name) | LegOver(name):
            return name == other.name
        case Quiet(name):
            return name == leg.name
    return False


def _can_connect(run_on: Scope, leg: Leg, other: Leg) -> bool:
    if other.closing or other.state == "over":
        _refuse(run_on, leg, other, other.refused or "ended")
    if other.membership:
        _refuse(run_on, leg, other, "conference", f"it is in the conference {other.membership.conference}")
    if other.connection:
        if leg.name in other.connection.legs:
            return True
        _refuse(run_on, leg, other, "engaged", "it is connected with another leg")
    return other.state == "up" and (other.idle or other.awaiting == leg.name)


def _ring_back(run_on: Scope, leg: Leg) -> None:
    """Let *leg* hear a ringing tone, unless it hears something already."""
    if leg.background_playback is None:
        number = leg.order()
        leg.playbacks[number] = Playback(RINGBACK, background=True)
        run_on.run.perform(effects.Play(leg.name, number, port.Ringback(), background=True))


def mute(run_on: Scope, statement: nodes.Mute | nodes.Unmute) -> None:
    """Keep what a leg says from the others, or let them hear it again."""
    leg = named_leg(run_on, statement.leg, statement) if statement.leg else run_on.need_leg()
    if leg.closing or leg.state == "over":
        raise Failed(f"`{statement.leg}` has ended")
    set_muted(run_on.run, leg, isinstance(statement, nodes.Mute))


def set_muted(run: Running, leg: Leg, muted: bool) -> None:
    """Keep what *leg* says from the others, or let them hear it again."""
    leg.muted = muted
    run.perform(effects.Mute(leg.name) if muted else effects.Unmute(leg.name))


async def transfer(run_on: Scope, statement: nodes.Transfer) -> None:
    """Hand this leg over to another number; the script goes on only where that comes to nothing."""
    leg, run = run_on.need_leg(), run_on.run
    number = leg.order()
    leg.transfers[number] = text_of(statement.number, run_on.names)
    run.perform(effects.Transfer(leg.name, number, leg.transfers[number]))
    ended = await run_on.within(
        run.settings.ring_timeout,
        lambda s: isinstance(s, port.TransferFailed) and (s.leg, s.transfer) == (leg.name, number),
    )
    if ended is None:
        transfer_failed(run, leg, port.TransferFailed(leg.name, number, "noanswer"))
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


def _refuse(run_on: Scope, leg: Leg, other: Leg, reason: str, detail: str = "") -> None:
    """Tell that the two cannot be connected: *reason* is a stable word, *detail* is for a person."""
    run_on.run.note("NotConnected", leg, {"other": other.name, "reason": detail or reason})
    more = {"detail": detail} if detail else {}
    run_on.run.tell(leg.notify, "ConnectFailed", leg.name, leg=other.name, reason=reason, **more)
    raise Failed(f"{other.name} cannot be connected: {detail or reason}")
