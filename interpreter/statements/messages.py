"""What ``sms`` means, and how a run begins that a message has begun.

Whether a message is taken is answered at once, and nobody waits for more: what becomes of it is told to
its URL.  That it was refused is told here and not where the statement waits, so that it is told alike
when the statement has been cancelled in the meantime.
"""

from ringful.grammar import nodes
from ringful.interpreter import effects, events
from ringful.interpreter.evaluate import text_of, url_of
from ringful.interpreter.messages.letter import digits
from ringful.interpreter.running import Running, Scope, Sending
from ringful.interpreter.strand import Failed

STEPS = 100
"""As so many statements a message counts, so that a loop that sends without end is soon found out."""


def begin(run: Running, header: nodes.InboundSms, arrival: events.Arrival) -> None:
    """Bind what a message brings, and tell of it.  Raises Fault."""
    run.names |= {
        "caller": arrival.sender,
        "called": arrival.number,
        "message": arrival.text,
        "keyword": arrival.keyword,
    }
    fields = {
        "messageId": arrival.message_id,
        "from": digits(arrival.sender),
        "to": digits(arrival.number),
        "message": arrival.text,
    }
    if arrival.keyword:
        fields["keyword"] = arrival.keyword
    run.tell(url_of(header.notify, run.names), "MessageReceived", run.call_id, **fields)


async def send(run_on: Scope, statement: nodes.Sms) -> None:
    """Send a message, and go on when it is taken.  Raises Failed where it is not, and Fault."""
    run, names = run_on.run, run_on.names
    number, text = text_of(statement.number, names), text_of(statement.text, names)
    operator = text_of(statement.operator, names) if statement.operator else ""
    notify = url_of(statement.notify, names)
    arrival = run.started.message
    run.steps += STEPS - 1
    message = run.new_id("sms")
    run.sendings[message] = Sending(number, notify)
    run.perform(
        effects.SendMessage(message, number, text, operator, notify, arrival.number if arrival else "")
    )
    answer = await run_on.wait(
        lambda s: isinstance(s, events.MessageTaken | events.MessageRefused) and s.message == message
    )
    if isinstance(answer, events.MessageRefused):
        raise Failed(_why(answer))


def hear(run: Running, event: events.MessageTaken | events.MessageRefused) -> None:
    """Take what is answered to a message that this run sends."""
    sending = run.sendings.pop(event.message, None)
    if sending and isinstance(event, events.MessageRefused):
        run.note_failure("sms", _why(event))
        fields = {
            "messageId": event.message,
            "callee": digits(sending.number),
            "status": "failed",
            "reason": event.reason,
        }
        detail = {"detail": event.detail} if event.detail else {}
        run.tell(sending.notify, "MessageStatus", run.call_id, **fields, **detail)
    run.signal(event)


def _why(refused: events.MessageRefused) -> str:
    return f"{refused.reason}: {refused.detail}" if refused.detail else refused.reason
