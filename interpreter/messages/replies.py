"""Which of the messages that we sent a text answers, and which script takes one that answers none.

Pure: the simulation and the server take the same rules.  What a text *wishes* comes before both (see
`words`): who writes STOP answers nothing.
"""

from collections.abc import Iterable, Mapping

from ringful.grammar import nodes
from ringful.interpreter.evaluate import Fault, text_of
from ringful.interpreter.messages.words import ANY, LONGEST_KEYWORD, plain, wish_of
from ringful.interpreter.params import bind
from ringful.interpreter.values import Value
from ringful.store.port import Message

WINDOW = 72 * 3600.0
"""Seconds after which a text from the same phone is no answer any more."""


def answered(
    sent: Iterable[Message], own: str, number: str, at: float, window: float = WINDOW
) -> Message | None:
    """Find which message of those *sent* a text answers that comes *at* from *number* to *own*.

    It is the newest one of this pair of numbers that did not fail, and whose sender wants to know.  Of two
    that were sent at the same time, it is the later one in *sent*.
    """
    found = None
    for one in sent:
        fits = not one.inbound and (one.own, one.number) == (own, number) and one.notify is not None
        recent = one.created <= at <= one.created + window
        if fits and recent and one.state != "failed" and (found is None or one.created >= found.created):
            found = one
    return found


def takes(
    script: nodes.Script, params: Mapping[str, Value], names: dict[str, Value] | None = None
) -> tuple[str, str]:
    """Give the number and the keyword (or `ANY`) whose texts *script* is for, started with *params*.

    The number is as it was written, the keyword as keywords are compared.  *names* are bound as well, and are
    given the params.  Raises Fault.
    """
    header = script.header
    if not isinstance(header, nodes.InboundSms):
        span = header.span if header else script.span
        raise Fault("this script takes no messages: it has no `inbound sms` header", span)
    names = {} if names is None else names
    bind(script, params, names)
    number = text_of(header.number, names)
    return number, _keyword(header.keyword, names) if header.keyword else ANY


def _keyword(written: nodes.Expression, names: dict[str, Value]) -> str:
    said = text_of(written, names)
    word = plain(said.strip())
    if said.strip() == ANY:
        return ANY
    if len(said.split()) > 1 or len(word) > LONGEST_KEYWORD:
        raise Fault(
            f"`{said}` is no keyword: it is one word of {LONGEST_KEYWORD} characters at most", written.span
        )
    if wish := wish_of(word):
        raise Fault(f"`{said}` cannot be a keyword: {_WISHES[wish]}, and no script is asked", written.span)
    return word


_WISHES = {
    "stop": "who writes it wants no more messages",
    "start": "who writes it wants messages again",
    "help": "who writes it is told where help is",
}
