"""What ``queue`` and ``serve`` mean: to wait for somebody who takes the next one, and to take the next one.

The node keeps the lists (`calls.queues`), since the legs are of many calls.  Whoever serves opens a
conference for two; whoever is summoned joins it, and it ends when either leaves.  Until both are there
neither hears anything of it.
"""

from collections.abc import Mapping

from ringful.grammar import nodes
from ringful.interpreter import effects, events
from ringful.interpreter.evaluate import seconds_of, text_of, url_of
from ringful.interpreter.leg import Leg, Turn
from ringful.interpreter.running import Running, Scope
from ringful.interpreter.statements import conference
from ringful.interpreter.statements.control import Broke, Returned
from ringful.interpreter.statements.outcome import lasted, outcome
from ringful.interpreter.strand import BlockLeft, Cancelled, Failed, Signal
from ringful.interpreter.values import Value

_MEETING = nodes.Duration(5000)
"""How long whoever serves waits for the one who was summoned.  One who has hung up meanwhile says so by
ending the conference, so this is for one that says nothing."""
_TURN = 1.0
"""A turn of the block that waits for nothing takes so many seconds at least."""


async def wait_in(run_on: Scope, statement: nodes.Queue) -> None:
    """Wait in a queue until somebody serves it, and then until that talk is over."""
    run, leg, names = run_on.run, run_on.need_leg(), run_on.names
    name, notify = text_of(statement.queue, names), url_of(statement.notify, names)
    limit = seconds_of(statement.limit, names) if statement.limit else None
    turn = leg.queued = Turn(name, run.now)
    visit = _Visit(run, leg, turn, statement.name, names)
    visit.bind(None)
    run.perform(effects.EnterQueue(leg.name, name, leg.number))
    run.tell(notify, "QueueEntered", leg.name, queue=name)
    called: Signal | None = None
    why = "hangup"
    try:
        called, why = await _until_summoned(run_on, statement, visit, limit)
    finally:
        visit.waited = lasted(turn.since, run.now)
        leg.queued = None
        if not isinstance(called, events.Summoned):
            run.perform(effects.LeaveQueue(leg.name, name))
            visit.bind(why)
        run.tell(notify, "QueueLeft", leg.name, queue=name, reason=why, waited=str(visit.waited))
    if isinstance(called, events.Summoned):
        visit.bind(None)
        talk = await _meet(run_on, called.conference, None, visit)
        visit.bind(str(talk["reason"]), talk)
    elif why == "returned":
        raise Returned


async def _until_summoned(
    run_on: Scope, statement: nodes.Queue, visit: "_Visit", limit: float | None
) -> tuple[Signal | None, str]:
    """Run the block again and again until it is this leg's turn; give that, and why the wait is over."""
    run, leg, turn = run_on.run, visit.leg, visit.turn
    gone: list[str] = []
    # Nobody is told a place that nobody knows yet.
    first = await run_on.wait(lambda s: _is_for(s, leg, turn))
    if not isinstance(first, events.Placed) or not first.place:
        return (first, "served") if isinstance(first, events.Summoned) else (None, "full")
    if turn.put_out:
        return None, "kicked"
    strand = None
    if statement.block.statements:
        strand = run.spawn(leg, _entertain(run_on.on(leg, visit.names), statement.block, visit, gone))
    try:
        signal = await run_on.within(limit, lambda s: _is_summons(s, leg, turn) or s == BlockLeft(leg.name))
    finally:
        if strand:
            strand.cancel()
    match signal:
        case None:
            return None, "limit"
        case events.Summoned():
            return signal, "served"
        case _ if turn.put_out:
            return None, "kicked"
        case _:
            return None, gone[0] if gone else "left"


async def _entertain(run_on: Scope, block: nodes.Block, visit: "_Visit", gone: list[str]) -> None:
    """Run *block* for who waits, until it leads out of it."""
    run = run_on.run
    try:
        while True:
            began = run.now
            visit.bind(None)
            await run_on.block(block)
            if run.now - began < _TURN:
                await run_on.within(_TURN - (run.now - began), lambda _: False)
    except Broke:
        gone.append("left")
    except Returned:
        gone.append("returned")
    run.announce(BlockLeft(visit.leg.name))


def _is_for(signal: Signal, leg: Leg, turn: Turn) -> bool:
    match signal:
        case events.Summoned(name, queue) | events.Placed(name, queue):
            return (name, queue) == (leg.name, turn.queue)
    return False


def _is_summons(signal: Signal, leg: Leg, turn: Turn) -> bool:
    return isinstance(signal, events.Summoned) and _is_for(signal, leg, turn)


class _Visit:
    """What a name holds of a leg that waits in a queue."""

    def __init__(self, run: Running, leg: Leg, turn: Turn, name: str | None, names: dict[str, Value]) -> None:
        self.run, self.leg, self.turn, self.name, self.names = run, leg, turn, name, names
        self.waited = 0

    def bind(self, reason: str | None, talk: Mapping[str, Value] | None = None) -> None:
        """Give the name what is so now."""
        if self.name is None:
            return
        turn = self.turn
        if self.leg.queued is turn:
            self.waited = lasted(turn.since, self.run.now)
        of_queue: dict[str, Value] = {
            "place": turn.place,
            "waited": self.waited,
            "expected": turn.expected,
        }
        self.names[self.name] = {**(talk or outcome(reason)), **of_queue}


async def serve(run_on: Scope, statement: nodes.Serve) -> None:
    """Take the next one who waits in a queue, and talk until either leaves or the time is over."""
    run, leg, names = run_on.run, run_on.need_leg(), run_on.names
    queue, notify = text_of(statement.queue, names), url_of(statement.notify, names)
    within = seconds_of(statement.within, names) if statement.within else None
    limit = seconds_of(statement.limit, names) if statement.limit else None
    if statement.name:
        names[statement.name] = {**outcome(None), **_of_caller(None, run)}
    until = run.now + within if within is not None else None
    while True:
        came = await _next(run_on, leg, queue, None if until is None else max(0.0, until - run.now))
        if came is None:
            break
        waited = str(lasted(came.since, run.now))
        run.tell(
            notify, "QueueServed", leg.name, queue=queue, leg=came.caller, number=came.number, waited=waited
        )
        about = _of_caller(came, run)
        meeting = run.new_id("talk")
        run.conferences[meeting] = None
        run.perform(effects.OpenConference(meeting, events.Plan(waiting=True, holder=run.call_id), meeting))
        run.perform(effects.Summon(queue, came.call, came.caller, meeting))
        talk = await _meet(run_on, meeting, limit, None)
        if talk["reason"] == "nobody" or (talk["reason"] == "ended" and not talk["seconds"]):
            continue  # The caller has hung up as it was summoned.
        if statement.name:
            names[statement.name] = {**talk, **about}
        run.take_way(statement, "served")
        return
    if statement.name:
        names[statement.name] = {**outcome("nobody"), **_of_caller(None, run)}
    run.take_way(statement, "else")
    if statement.otherwise:
        await run_on.block(statement.otherwise)


def _of_caller(came: events.NextCame | None, run: Running) -> dict[str, Value]:
    if came is None:
        return {"leg": None, "number": None, "waited": 0}
    return {"leg": came.caller, "number": came.number, "waited": lasted(came.since, run.now)}


async def _next(run_on: Scope, leg: Leg, queue: str, seconds: float | None) -> events.NextCame | None:
    """Wait for the next one in *queue*; None when *seconds* have passed."""
    run = run_on.run
    run.perform(effects.ServeQueue(leg.name, queue))
    came: Signal | None = None
    try:
        came = await run_on.within(
            seconds, lambda s: isinstance(s, events.NextCame) and (s.leg, s.queue) == (leg.name, queue)
        )
    finally:
        if came is None:
            run.perform(effects.LeaveQueue(leg.name, queue))
    return came if isinstance(came, events.NextCame) else None


async def _meet(
    run_on: Scope, meeting: str, limit: float | None, visit: "_Visit | None"
) -> Mapping[str, Value]:
    """Join the conference *meeting*, which ends when either leaves; give what came of it."""
    held: dict[str, Value] = {}
    joining = nodes.Join(
        nodes.text(meeting),
        moderator=True,
        within=_MEETING,
        limit=nodes.Duration(round(limit * 1000)) if limit is not None else None,
        name="talk",
    )
    try:
        await conference.join(run_on.on(run_on.leg, held), joining)
    except Failed:
        pass
    except Cancelled:
        if visit and isinstance(talk := held.get("talk"), Mapping):
            visit.bind(str(talk["reason"]), talk)
        raise
    talk = held["talk"]
    assert isinstance(talk, Mapping)
    return talk


def put_out(run: Running) -> None:
    """Put every leg of *run* that waits in a queue out of it: its script goes on."""
    for leg in list(run.legs.values()):
        if leg.queued and not leg.queued.put_out:
            leg.queued.put_out = True
            run.announce(BlockLeft(leg.name))


def hear(run: Running, event: events.QueueEvent) -> None:
    """Take what a queue says to a leg."""
    leg = run.legs.get(event.leg)
    turn = leg.queued if leg else None
    if isinstance(event, events.Placed) and turn and turn.queue == event.queue:
        turn.place, turn.expected = event.place, event.expected
    if run.signal(event):
        return
    match event:
        case events.NextCame():
            # Whoever wanted it does so no more: the next one is to have it.
            run.perform(effects.PutBack(event.queue, event.call, event.caller, event.number, event.since))
        case events.Summoned():
            # It waits no more: whoever serves is not to wait for it.
            run.perform(effects.EndConference(event.conference))
