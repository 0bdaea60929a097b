"""Calls that come in: such a leg rings until the script answers or rejects it.

Any statement that needs the caller to hear or to be heard answers first, so a script that begins
with `say` needs no `answer`.  A leg that nobody takes is given up after the ring timeout.
"""

from ringful.grammar import nodes
from ringful.grammar.vocabulary import REJECTIONS
from ringful.interpreter import effects
from ringful.interpreter.evaluate import url_of
from ringful.interpreter.leg import Leg
from ringful.interpreter.running import Running, Scope
from ringful.interpreter.strand import Failed
from ringful.media import port


def begin(run: Running, header: nodes.Inbound, offer: port.Offer) -> Leg:
    """Make the leg of the call that came in, and tell of it.  Raises Fault."""
    run.names |= {
        "caller": offer.caller,
        "called": offer.called,
        "caller_name": offer.name or None,
        "diverted_from": offer.diverted_from or None,
    }
    leg = Leg(run.call_id, offer.caller, inbound=True, notify=url_of(header.notify, run.names))
    leg.trunk = offer.trunk
    leg.state, leg.created_at, leg.ringing_at = "ringing", run.now, run.now
    run.legs[leg.name] = leg
    more = {"callerName": offer.name, "divertedFrom": offer.diverted_from}
    told = {name: value for name, value in more.items() if value}
    run.tell(leg.notify, "CallReceived", leg.name, caller=offer.caller, called=offer.called, **told)
    run.set_timer(run.settings.ring_timeout, lambda: _give_up(run, leg))
    return leg


def _give_up(run: Running, leg: Leg) -> None:
    if leg.state == "ringing":
        run.close(leg, "no answer")


async def answer(run_on: Scope) -> None:
    """Answer the leg if it came in and still rings, and wait until sound can pass."""
    leg = run_on.leg
    if leg is None or not leg.inbound or leg.state != "ringing":
        return
    if not leg.answering:
        leg.answering = True
        run_on.run.perform(effects.Answer(leg.name))
    await run_on.wait(lambda s: isinstance(s, port.Answered) and s.leg == leg.name)


async def open_early(run_on: Scope) -> None:
    """Let sound pass to the leg, which came in and still rings.  Raises Failed where it cannot."""
    leg, run = run_on.need_leg(), run_on.run
    if leg.early or leg.answering:
        return
    run.perform(effects.Progress(leg.name))
    passes = await run_on.within(
        run.settings.closing_limit,
        lambda s: isinstance(s, port.EarlyMedia | port.Answered) and s.leg == leg.name,
    )
    if passes is None:
        raise Failed("no sound can pass before the answer: the caller's phone has agreed on none")


def answered(_: Scope, __: nodes.Answer) -> None:
    """Do nothing: the leg has just been answered, as before any statement that needs that."""


def reject(run_on: Scope, statement: nodes.Reject) -> None:
    """Refuse the call that came in.  Raises Failed where it is too late for that."""
    leg = run_on.need_leg()
    if not leg.inbound or leg.state != "ringing" or leg.answering:
        raise Failed("this call has been answered: `hangup` ends it")
    said = statement.reason
    status = said if isinstance(said, int) else REJECTIONS[said or "declined"]
    run_on.run.close(leg, "script", by=effects.Reject(leg.name, status))
