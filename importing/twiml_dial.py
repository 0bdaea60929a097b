"""TwiML's `<Dial>` and `<Enqueue>`: phones, conferences and queues; and what applications are told."""

from collections.abc import Mapping

from ringful.grammar import nodes
from ringful.importing import verbs
from ringful.importing.clauses import TWIML, lose_others
from ringful.importing.draft import Body, fields
from ringful.importing.markup import Element
from ringful.importing.values import count, number, seconds, sent, truth

Sends = Mapping[str, nodes.Expression]
"""What came of a verb, as its action is told."""

_STANDARD = {"CallSid": "call_id", "From": "caller", "To": "called"}
"""What every request tells of the call."""
_UNREACHED = {
    "Client": "there are no browsers here; give its user a phone, and call that by `sip:`",
    "Sim": "call the number of the card",
    "WhatsApp": "there is no WhatsApp here",
    "Application": "there are no applications here; use `follow`",
    "SipUri": "write it as a <Sip>",
}


def hand_over(body: Body, element: Element, url: str, sends: Sends) -> bool:
    """Ask the application how it goes on; say whether it can be asked."""
    if element.get("method").upper() == "GET":
        body.lose(element.place, "GET", "`follow` posts: let the application take that", "to do")
    told = fields(**sends, **{key: nodes.Name(name) for key, name in _STANDARD.items()})
    return verbs.follow(body, element.place, url, told, "TwiML")


def dial(body: Body, element: Element) -> Sends | None:
    """Make what *element* dials; give what came of it, or None where nobody is called."""
    for noun in element.children:
        lose_others(body, TWIML, noun.tag, noun.attributes, noun.place, f"<{noun.tag}>")
    for noun in element.children:
        if noun.tag == "Conference":
            _only(body, element, noun)
            return _conference(body, element, noun)
        if noun.tag == "Queue":
            _only(body, element, noun)
            return _serve(body, element, noun)
    legs = _legs(body, element)
    if not legs:
        body.lose(element.place, "<Dial>", "it calls nobody that can be called")
        return None
    together = not truth(element.get("sequential"), False)
    if together and len({leg.block for leg in legs}) > 1:
        why = "`call all` does the same on each of them: what stands on the first that has any"
        body.lose(element.place, "what is done on each of several numbers", why)
    if together and len({leg.notify for leg in legs}) > 1:
        body.lose(
            element.place, "a statusCallback for each of several numbers", "the first one is told of all"
        )
    if element.get("ringTone"):
        body.lose(element.place, "ringTone of <Dial>", "write `start play` with a ringing tone before it")
    if element.get("referUrl"):
        body.lose(element.place, "referUrl of <Dial>", "who is connected cannot be transferred by the other")
    came = verbs.Came(body.draft.name("dialled"), body.draft.name("talk")) if element.get("action") else None
    how = _ringing(body, element)
    verbs.dial(body, [legs] if together else [[leg] for leg in legs], how, came)
    if came is None:
        return {}
    status = {"DialCallStatus": nodes.Name(came.result)}
    if how.left_by:
        return status
    return {**status, "DialCallDuration": nodes.Field(nodes.Name(came.talk), "seconds")}


def _ringing(body: Body, element: Element) -> verbs.Ringing:
    """Say how *element* calls."""
    early = truth(element.get("answerOnBridge"), False)
    leaves = truth(element.get("hangupOnStar"), False)
    if leaves and early:
        body.lose(element.place, "hangupOnStar", "keys answer a call: leave answerOnBridge out, or this")
    caller: nodes.Expression = nodes.Name("caller")
    if said := element.get("callerId"):
        given = verbs.callee(body, element.place, said)
        if given is None:
            body.lose(element.place, f"the callerId {said}", "it is no number; the caller's own is shown")
        caller = given or caller
    record = element.get("record")
    recorded = record == "true" or record.startswith("record")
    if recorded and "ringing" not in record:
        why = "it begins before the other answers, and holds silence until then"
        body.lose(element.place, "the beginning of the recording", why, "to do")
    if recorded and record.endswith("dual"):
        body.lose(element.place, "a recording of two channels", "a recording has one, with both sides")
    if recorded and element.get("recordingTrack") not in ("", "both"):
        body.lose(element.place, "recordingTrack", "a recording has both sides")
    if recorded and element.get("trim") == "trim-silence":
        body.lose(element.place, "trim", "a recording is kept as it was heard")
    name = "recordingStatusCallback"
    return verbs.Ringing(
        seconds(element.get("timeout"), 30),
        caller,
        seconds(element.get("timeLimit"), 14400),
        recorded,
        verbs.told_to(body, element.place, element.get(name), name) if recorded else None,
        early,
        "*" if leaves and not early else "",
    )


def _only(body: Body, element: Element, noun: Element) -> None:
    """Say what of a `<Dial>` does not hold for a conference or a queue, and what else it would call."""
    for name in ("callerId", "record", "answerOnBridge", "ringTone", "referUrl", "sequential"):
        if element.get(name) not in ("", "false", "do-not-record"):
            body.lose(element.place, f"{name} of <Dial>", f"it is for phones, and this is a <{noun.tag}>")
    if any(one is not noun for one in element.children):
        body.lose(element.place, f"what stands beside a <{noun.tag}>", "one of them is called, and no other")


def _legs(body: Body, element: Element) -> list[verbs.Leg]:
    legs = [leg for noun in element.children if (leg := _leg(body, noun))]
    if element.text.strip(";,"):
        there = number(body.draft, element.text)
        if there is None:
            body.lose(element.place, f"the number {element.text}", "it cannot be called")
        else:
            legs.insert(0, verbs.Leg(there))
    return legs


def _leg(body: Body, noun: Element) -> verbs.Leg | None:
    reached = noun.tag in ("Number", "Sip", "Sim")
    there = verbs.callee(body, noun.place, noun.text, sip=noun.tag == "Sip") if reached else None
    if there is None:
        said = noun.text or " ".join(child.text for child in noun.children)
        why = (
            "it cannot be called" if noun.tag == "Number" else _UNREACHED.get(noun.tag, "it cannot be called")
        )
        body.lose(noun.place, f"<{noun.tag}> {said}".strip(), why)
        return None
    if noun.get("username") or noun.get("password"):
        body.lose(noun.place, "username and password of <Sip>", "a trunk logs in (docs/trunks.md)", "to do")
    first = body.inner()
    first.add(*sent(noun.get("sendDigits"), {"W": 500}))
    if noun.get("url"):
        hand_over(first, noun, noun.get("url"), {})
    told = verbs.told_to(body, noun.place, noun.get("statusCallback"), "statusCallback")
    return verbs.Leg(there, first.block() if first.statements else None, notify=told)


def _conference(body: Body, element: Element, noun: Element) -> Sends:
    waiting = not truth(noun.get("startConferenceOnEnter"), True)
    if noun.get("beep") != "false":
        why = 'write `in CONF { on join { play "beep" } }` with a sound of yours'
        body.lose(noun.place, "the beep of a conference", why)
    music = noun.attributes.get("waitUrl", "none said")
    if waiting and verbs.is_a_sound(music):
        verbs.background(body, noun.place, music, "waitUrl of <Conference>")
    elif waiting and music:
        why = 'write `start play "…" forever` with a sound of yours before the `join`'
        what = "waitUrl of <Conference>" if noun.get("waitUrl") else "music while one waits for a conference"
        body.lose(noun.place, what, why)
    elif not waiting and noun.get("waitUrl"):
        why = "who does not wait hears the others at once"
        body.lose(noun.place, "waitUrl of <Conference>", why)
    for name in ("record", "recordingStatusCallback", "coach", "region", "trim"):
        if noun.get(name) not in ("", "do-not-record", "do-not-trim"):
            body.lose(
                noun.place,
                f"{name} of <Conference>",
                _UNSAID_OF_CONFERENCES.get(name, "nothing here does it"),
            )
    name = "statusCallback" if noun.get("statusCallback") else "eventCallbackUrl"
    room = verbs.Room(
        noun.text,
        truth(noun.get("endConferenceOnExit"), False),
        waiting,
        truth(noun.get("muted"), False),
        count(noun.get("maxParticipants"), 0, 1000) or None,
        seconds(element.get("timeLimit")),
        verbs.told_to(body, noun.place, noun.get(name), name),
        "*" if truth(element.get("hangupOnStar"), False) else "",
    )
    verbs.conference(body, room)
    return {"DialCallStatus": nodes.text("answered")}


_UNSAID_OF_CONFERENCES = {
    "record": "write `conference room named …`, and `in room { start record }`",
    "recordingStatusCallback": "write `in room { start record notify … }`",
    "coach": "nobody is heard by one member alone",
    "region": "a conference is where the server is",
    "trim": "a recording is kept as it was heard",
}


def _serve(body: Body, element: Element, noun: Element) -> Sends | None:
    if noun.get("url"):
        why = "who waits is told nothing before; let the block of the `queue` say it"
        body.lose(noun.place, "url of <Queue>", why)
    came = body.draft.name("talk") if element.get("action") else None
    limit = seconds(element.get("timeLimit"))
    if truth(element.get("hangupOnStar"), False):
        body.lose(element.place, "hangupOnStar", 'write `until "*" { serve … }`', "to do")
    if not verbs.serve(body, noun.place, noun.text, nodes.Duration(1000), limit, came):
        return None
    if came is None:
        return {}
    result = body.draft.name("dialled")
    body.add(nodes.Let(result, nodes.text("answered")))
    nobody = nodes.Binary("==", nodes.Field(nodes.Name(came), "reason"), nodes.text("nobody"))
    body.add(nodes.If(nobody, nodes.Block((nodes.Let(result, nodes.text("no-answer")),))))
    return {"DialCallStatus": nodes.Name(result)}


def enqueue(body: Body, element: Element) -> Sends | None:
    """Put the caller into a queue; give what came of it, or None where there is no queue."""
    for child in element.children:
        body.lose(child.place, f"<{child.tag}> in <Enqueue>", "a queue is served in the order of who came")
    url, sound = element.get("waitUrl"), verbs.is_a_sound(element.get("waitUrl"))
    wait = body.inner()
    turn = body.draft.name("turn") if element.get("action") or (url and not sound) else None
    came = turn if element.get("action") else None
    if sound:
        verbs.background(body, element.place, url, "waitUrl of <Enqueue>")
    elif url:
        if element.get("waitUrlMethod").upper() == "GET":
            body.lose(element.place, "GET", "`follow` posts: let the application take that", "to do")
        at = nodes.Name(turn or "")
        place = {"QueuePosition": nodes.Field(at, "place"), "QueueTime": nodes.Field(at, "waited")}
        standard = {key: nodes.Name(name) for key, name in _STANDARD.items()}
        verbs.follow(wait, element.place, url, fields(**place, **standard), "TwiML")
    if not verbs.queue(body, element.place, element.text, verbs.Waiting(block=wait.block(), came=turn)):
        return None
    if came is None:
        return {}
    result = body.draft.name("queue_result")
    body.add(nodes.Let(result, nodes.text("bridged")))
    reason = nodes.Field(nodes.Name(came), "reason")
    chain: nodes.Block | None = None
    for why, word in (("full", "queue-full"), ("left", "leave")):
        block = nodes.Block((nodes.Let(result, nodes.text(word)),))
        chain = nodes.Block((nodes.If(nodes.Binary("==", reason, nodes.text(why)), block, chain),))
    body.add(*(chain.statements if chain else ()))
    return {"QueueResult": nodes.Name(result), "QueueTime": nodes.Field(nodes.Name(came), "waited")}
