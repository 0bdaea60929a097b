"""TwiML: a `<Response>` and its verbs.

A document is what one request was answered.  Where it hands over to another address, the script
asks the application there (`follow`); where it hands over to itself, it goes round once more.
"""

import re
from collections.abc import Callable, Mapping

from ringful.grammar import nodes
from ringful.importing import verbs
from ringful.importing.clauses import TWIML, lose_others
from ringful.importing.draft import Body, Draft, Part, plain_name
from ringful.importing.losses import ImportFault
from ringful.importing.markup import Element, read_markup
from ringful.importing.rounds import go_round, jump, without_jumps
from ringful.importing.script import Imported, finished
from ringful.importing.speech import spoken
from ringful.importing.twiml_dial import dial, enqueue, hand_over
from ringful.importing.values import count, keys, number, seconds, sent, truth

_SPEECH = "there is no speech recognition here; ask for keys"
_TRANSCRIBE = "there is no speech recognition here; let your application transcribe the recording's `.url`"
_STREAM = "the sound of a call is not sent elsewhere; connect a phone by SIP instead"
_AGENT = "nothing here speaks with callers by itself; connect a phone by SIP"
_PAY = "nothing takes payments here; gather what you need as `secret` and `ask` your application"
_UNSAID = {
    "Stream": _STREAM,
    "Siprec": _STREAM,
    "Transcription": _SPEECH,
    "Room": "there is no video here; `join` a conference",
    "Conversation": "there are no chats here; `queue` the caller, or connect a phone",
    "VirtualAgent": _AGENT,
    "Autopilot": _AGENT,
    "AiSession": _AGENT,
    "ConversationRelay": _AGENT,
    "ConversationRelaySession": _AGENT,
    "Parameter": "a call is ended without words of one's own; `notify` says them before",
    "Pay": _PAY,
    "Prompt": _PAY,
    "Echo": "nothing sends a caller's sound back",
    "Leave": "write `break` in the block of the `queue` that this was the waiting document of",
}
_TEMPLATES = {"from": "caller", "caller": "caller", "to": "called", "called": "called", "callsid": "call_id"}
_ANY_KEY = "1234567890*#"


def import_twiml(document: bytes, address: str = "", *, outbound: bool = False) -> Imported:
    """Make a script of *document*, which was had from *address*, in the order of its verbs.

    Raises ImportFault where it is no TwiML.
    """
    root = read_markup(document)
    if root.tag != "Response":
        raise ImportFault(f"line {root.line}: TwiML is a <Response>, and this is a <{root.tag[:40]}>")
    draft = Draft(pieces, address, outbound=outbound)
    body = Body(draft, is_outer=True)
    _each(body, root)
    return finished(draft, without_jumps(body, go_round(body, "the document")), "TwiML", outbound=outbound)


def pieces(draft: Draft, said: str) -> tuple[Part, ...]:
    """Take ``{{From}}`` and such out of a text; a value that nobody knows becomes a param."""
    found: list[Part] = []
    for place, part in enumerate(re.split(r"\{\{\{?\s*#?/?([\w.]*)\s*\}?\}\}", said)):
        if place % 2 == 0:
            found.append(part)
        elif known := _TEMPLATES.get(part.lower()):
            found.append(nodes.Name(known))
        elif part and part.lower() != "e164":
            found.append(draft.param(plain_name(part)))
    return tuple(found)


def _each(body: Body, parent: Element) -> None:
    for element in parent.children:
        if body.is_over:
            body.lose(
                element.place,
                f"<{element.tag}>",
                "nothing leads here: the call is over, or elsewhere, before",
                "to do",
            )
            return
        verb = _VERBS.get(element.tag)
        if verb:
            lose_others(body, TWIML, element.tag, element.attributes, element.place, f"<{element.tag}>")
            verb(body, element)
        else:
            why = _UNSAID.get(element.tag, "this is no verb of TwiML that is known here")
            body.lose(element.place, f"<{element.tag}>", why)


def _say(body: Body, element: Element) -> None:
    said = spoken(body, element, element.place, "<Say>")
    if element.get("voice") not in ("", "alice"):
        verbs.another_voice(body, element.place, element.get("voice"))
    verbs.say(body, said, element.get("language"), _loop(element))


def _loop(element: Element) -> int:
    return verbs.ENDLESS if element.get("loop") == "0" else count(element.get("loop"), 1, verbs.ENDLESS)


def _play(body: Body, element: Element) -> None:
    if digits := element.get("digits"):
        verbs.repeated(body, list(sent(digits, {"W": 500})), _loop(element))
    if element.text:
        verbs.play(body, element.place, element.text, _loop(element))
    elif not digits:
        body.lose(element.place, "<Play>", "it says nothing to play")


def _pause(body: Body, element: Element) -> None:
    if duration := seconds(element.get("length"), 1):
        body.add(nodes.Wait(duration))


def _gather(body: Body, element: Element) -> None:
    heard = (element.get("input") or "dtmf").split()
    prompt = body.inner()
    body.draft.heard = None
    for child in element.children:
        if child.tag in ("Say", "Play", "Pause"):
            lose_others(body, TWIML, child.tag, child.attributes, child.place, f"<{child.tag}>")
            _VERBS[child.tag](prompt, child)
        else:
            body.lose(child.place, f"<{child.tag}> in <Gather>", "a prompt says, plays and pauses")
    if "speech" in heard:
        body.lose(element.place, "speech in <Gather>", _SPEECH)
    if "dtmf" not in heard:
        body.add(*prompt.statements)
        return
    if element.get("bargeIn") == "false":
        body.lose(element.place, "bargeIn", "the first key always cuts a prompt short")
    if element.get("partialResultCallback"):
        body.lose(element.place, "partialResultCallback", _SPEECH)
    finish = [] if element.attributes.get("finishOnKey") == "" else keys(element.get("finishOnKey") or "#")
    limit = seconds(element.get("timeout"), 5)
    most = count(element.get("numDigits"), verbs.MOST_DIGITS, verbs.MOST_DIGITS)
    name = verbs.gather(
        body, verbs.Wanted(most, finish[:1], limit, between=_longer(limit) if most > 1 else None), prompt
    )
    sends = {"Digits": nodes.Name(name)}
    if truth(element.get("actionOnEmptyResult"), False):
        _action(body, element, sends)
        body.is_over = True
        return
    chosen = body.inner()
    _action(chosen, element, sends)
    body.add(nodes.If(nodes.Binary("!=", nodes.Name(name), nodes.Nothing()), chosen.block()))


def _action(body: Body, element: Element, sends: Mapping[str, nodes.Expression]) -> None:
    """Hand over to the action of *element*, with what came of it; there is no way back."""
    url, own = element.get("action"), body.draft.base
    if not url and not own:
        why = "it has none, so this same document would be asked for again: write what is to be done"
        body.lose(element.place, f"the action of <{element.tag}>", why, "to do")
    elif not hand_over(body, element, url or own, sends):
        return
    body.end(nodes.Hangup())


def _longer(limit: nodes.Duration | None) -> nodes.Duration | None:
    """Give the time between keys, where it is not the usual one."""
    return limit if limit and limit.milliseconds > 5000 else None


def _record(body: Body, element: Element) -> None:
    if any(element.get(one) not in ("", "false") for one in ("transcribe", "transcribeCallback")):
        body.lose(element.place, "transcribe", _TRANSCRIBE)
    if element.get("trim") == "trim-silence":
        body.lose(element.place, "trim", "a recording is kept as it was heard")
    given = element.attributes.get("finishOnKey")
    how = verbs.Voicemail(
        seconds(element.get("maxLength"), 3600),
        list(_ANY_KEY) if given is None else keys(given),
        seconds(element.get("timeout"), 5),
        truth(element.get("playBeep"), True),
        notify=verbs.told_to(
            body, element.place, element.get("recordingStatusCallback"), "recordingStatusCallback"
        ),
    )
    recording = nodes.Name(verbs.record(body, how))
    chosen = body.inner()
    length = nodes.Apply("round", (nodes.Field(recording, "duration"),))
    _action(chosen, element, {"RecordingUrl": nodes.Field(recording, "url"), "RecordingDuration": length})
    body.add(nodes.If(verbs.was_spoken(recording.id), chosen.block()))


def _dial(body: Body, element: Element) -> None:
    sends = dial(body, element)
    if sends and element.get("action"):
        _action(body, element, sends)
        body.is_over = True


def _enqueue(body: Body, element: Element) -> None:
    sends = enqueue(body, element)
    if sends and element.get("action"):
        _action(body, element, sends)
        body.is_over = True


def _redirect(body: Body, element: Element) -> None:
    draft, own = body.draft, body.draft.base
    there = draft.address(element.text) if element.text else None
    if (own and there == draft.address(own)) or (not element.text and own):
        body.end(jump("the document"))
    elif not element.text:
        body.lose(element.place, "<Redirect>", "it says no address", "to do")
        body.end(nodes.Hangup())
    else:
        hand_over(body, element, element.text, {})
        body.end(nodes.Hangup())


def _reject(body: Body, element: Element) -> None:
    _children(body, element)
    if not body.is_first:
        body.lose(element.place, "<Reject>", "the call has been answered by now: it is hung up", "to do")
        body.end(nodes.Hangup())
    else:
        body.end(nodes.Reject("busy" if element.get("reason") == "busy" else "declined"))


def _hangup(body: Body, element: Element) -> None:
    _children(body, element)
    body.end(nodes.Hangup())


def _message(body: Body, element: Element) -> None:
    parts = [element.text, *(child.text for child in element.children if child.tag == "Body")]
    said, to = " ".join(parts).strip(), element.get("to")
    receiver = number(body.draft, to) if to else nodes.Name("caller")
    text = body.draft.text(said)
    if any(child.tag == "Media" for child in element.children):
        body.lose(element.place, "<Media>", "a text message carries no pictures")
    if receiver is None or not text.parts:
        body.lose(element.place, f"<{element.tag}>", "it has no number that can be texted, or no text")
        return
    if element.get("from"):
        body.lose(
            element.place,
            f"from of <{element.tag}>",
            "a message goes from the number that the server is given",
        )
    told = verbs.told_to(body, element.place, element.get("statusCallback"), "statusCallback")
    body.add(nodes.Sms(receiver, text, notify=told))
    if element.get("action"):
        _action(body, element, {"SmsStatus": nodes.text("sent")})


def _refer(body: Body, element: Element) -> None:
    targets = [child for child in element.children if child.tag == "Sip"]
    there = verbs.callee(body, element.place, targets[0].text, sip=True) if targets else None
    if there is None:
        body.lose(element.place, "<Refer>", "it says nobody to transfer to")
        return
    body.add(nodes.Transfer(there))
    if element.get("action"):
        why = "the script is over where the transfer succeeds: say what is to be told in `on hangup`"
        body.lose(element.place, "the action of <Refer>", why, "to do")
        _action(body, element, {"ReferCallStatus": nodes.text("failed")})


def _start(body: Body, element: Element) -> None:
    """Begin what goes on in the background: recordings alone are here."""
    for child in element.children:
        if child.tag != "Recording" or body.draft.recording:
            why = _UNSAID.get(child.tag, "a leg has one recording in the background")
            body.lose(child.place, f"<{child.tag}> in <{element.tag}>", why)
            continue
        lose_others(body, TWIML, "Recording", child.attributes, child.place, "<Recording>")
        name = "recordingStatusCallback"
        body.draft.recording = True
        told = verbs.told_to(body, child.place, child.get(name), name)
        body.add(nodes.StartRecord(body.draft.name("recorded"), told))


def _stop(body: Body, element: Element) -> None:
    for child in element.children:
        if child.tag == "Recording" and body.draft.recording:
            body.draft.recording = False
            body.add(nodes.StopRecord())
        else:
            body.lose(
                child.place, f"<{child.tag}> in <Stop>", _UNSAID.get(child.tag, "nothing of it goes on here")
            )


def _connect(body: Body, element: Element) -> None:
    """Say what is not connected here, and hand over to what came after it."""
    for child in element.children:
        why = _UNSAID.get(child.tag, _STREAM)
        body.lose(child.place, f"<{child.tag}> in <Connect>", why)
    if element.get("action"):
        _action(body, element, {})


def _children(body: Body, element: Element) -> None:
    """Say of what stands in *element* that nothing here reads it."""
    for child in element.children:
        why = _UNSAID.get(child.tag, "nothing can stand there")
        body.lose(child.place, f"<{child.tag}> in <{element.tag}>", why)


_VERBS: dict[str, Callable[[Body, Element], None]] = {
    "Say": _say,
    "Play": _play,
    "Pause": _pause,
    "Gather": _gather,
    "Record": _record,
    "Dial": _dial,
    "Enqueue": _enqueue,
    "Redirect": _redirect,
    "Reject": _reject,
    "Hangup": _hangup,
    "Sms": _message,
    "Message": _message,
    "Refer": _refer,
    "Start": _start,
    "Stop": _stop,
    "Connect": _connect,
}
