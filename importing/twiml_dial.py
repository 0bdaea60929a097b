"""TwiML's `<Dial>` and `<Enqueue>`: phones, conferences and queues."""

from ringful.grammar import nodes
from ringful.importing import verbs
from ringful.importing.clauses import TWIML, lose_others
from ringful.importing.draft import Body
from ringful.importing.markup import Element
from ringful.importing.values import count, number, seconds, sent, truth

_UNREACHED = {
    "Client": "there are no browsers here; give its user a phone, and call that by `sip:`",
    "Sim": "call the number of the card",
    "WhatsApp": "there is no WhatsApp here",
    "Application": "there are no applications here; use `follow`",
}


def dial(body: Body, element: Element) -> str | None:
    """Make what *element* dials; give the name of what came of it, or None where nobody is called."""
    for noun in element.children:
        lose_others(body, TWIML, noun.tag, noun.attributes, noun.place, f"<{noun.tag}>")
        if noun.tag == "Conference":
            _conference(body, noun, seconds(element.get("timeLimit")))
            return None
        if noun.tag == "Queue":
            verbs.serve(body, noun.place, noun.text, nodes.Duration(1000), seconds(element.get("timeLimit")))
            return None
    legs = _legs(body, element)
    if not legs:
        body.lose(element.place, "<Dial>", "it calls nobody that can be called")
        return None
    together = not truth(element.get("sequential"), False)
    if together and len({leg.block for leg in legs}) > 1:
        why = "`call all` does the same on each of them: what stands on the first that has any"
        body.lose(element.place, "what is done on each of several numbers", why)
    _attributes(body, element)
    early = truth(element.get("answerOnBridge"), False)
    recorded = element.get("record").startswith("record")
    caller = number(body.draft, element.get("callerId")) if element.get("callerId") else nodes.Name("caller")
    limit = seconds(element.get("timeLimit"), 14400)
    how = verbs.Ringing(seconds(element.get("timeout"), 30), caller, limit, recorded, together, early)
    result = body.draft.name("dialled") if element.get("action") else None
    verbs.dial(body, legs, how, result)
    return result


def _attributes(body: Body, element: Element) -> None:
    """Say what attributes of a `<Dial>` are lost."""
    if element.get("hangupOnStar") == "true":
        body.lose(
            element.place, "hangupOnStar", 'write `on tone "*" { hangup line }` before the `connect`', "to do"
        )
    for attribute in ("ringTone", "referUrl", "recordingStatusCallback"):
        if element.get(attribute):
            body.lose(element.place, f"{attribute} of <Dial>", "there is no clause for it")


def _legs(body: Body, element: Element) -> list[verbs.Leg]:
    legs = [leg for noun in element.children if (leg := _leg(body, noun))]
    if element.text:
        there = number(body.draft, element.text)
        if there is None:
            body.lose(element.place, f"the number {element.text}", "it cannot be called")
        else:
            legs.insert(0, verbs.Leg(there))
    return legs


def _leg(body: Body, noun: Element) -> verbs.Leg | None:
    there = number(body.draft, noun.text) if noun.tag in ("Number", "Sip", "Sim") else None
    if there is None:
        why = _UNREACHED.get(noun.tag, "it cannot be called")
        body.lose(noun.place, f"<{noun.tag}> {noun.text}".strip(), why)
        return None
    first = body.inner()
    first.add(*sent(noun.get("sendDigits"), {"W": 500}))
    if noun.get("url"):
        verbs.follow(first, noun.place, noun.get("url"), None, "TwiML")
    if noun.get("statusCallback"):
        why = "write `notify` on the `call`: it tells of it in other words"
        body.lose(noun.place, "statusCallback", why, "to do")
    return verbs.Leg(there, first.block() if first.statements else None)


def _conference(body: Body, noun: Element, limit: nodes.Duration | None) -> None:
    waiting = not truth(noun.get("startConferenceOnEnter"), True)
    if noun.get("beep") != "false":
        body.lose(
            noun.place,
            "the beep of a conference",
            'write `in CONF { on join { play "beep" } }` with a sound of yours',
        )
    if waiting and noun.attributes.get("waitUrl") != "":
        why = 'write `start play "…"` with a sound of yours before the `join`'
        body.lose(noun.place, "music while one waits for a conference", why)
    for attribute in ("record", "statusCallback", "coach", "recordingStatusCallback"):
        if noun.get(attribute) not in ("", "do-not-record"):
            why = "`conference … notify` and `in CONF { start record }` say it"
            body.lose(noun.place, f"{attribute} of <Conference>", why, "to do")
    most = count(noun.get("maxParticipants"), 0, 1000) or None
    muted, moderator = truth(noun.get("muted"), False), truth(noun.get("endConferenceOnExit"), False)
    verbs.conference(body, verbs.Room(noun.text, moderator, waiting, muted, most, limit))


def enqueue(body: Body, element: Element) -> None:
    """Put the caller into a queue."""
    verbs.queue(body, element.place, element.text)
    if element.get("waitUrl"):
        why = "write `start play` before the `queue`, or a block: `queue … { say … }`"
        body.lose(element.place, "waitUrl of <Enqueue>", why, "to do")
    if element.get("action"):
        why = "write `as turn` on the `queue`: `turn.reason` says what came of it"
        body.lose(element.place, "action of <Enqueue>", why, "to do")
