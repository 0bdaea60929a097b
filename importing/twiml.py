"""TwiML: a `<Response>` and its verbs.

A document is what one request was answered.  Where it hands over to another address, the script
asks the application there (`follow`); where it hands over to itself, it goes round once more.
"""

import re
from collections.abc import Callable, Mapping

from ringful.grammar import nodes
from ringful.importing import verbs
from ringful.importing.clauses import TWIML, lose_others
from ringful.importing.draft import Body, Draft, Part, fields, plain_name
from ringful.importing.losses import ImportFault
from ringful.importing.markup import Element, read_markup
from ringful.importing.rounds import go_round, jump, without_jumps
from ringful.importing.script import Imported, finished
from ringful.importing.twiml_dial import dial, enqueue
from ringful.importing.values import count, keys, number, seconds, sent, truth

_SPEECH = "there is no speech recognition here; ask for keys"
_STREAM = "the sound of a call is not sent elsewhere; connect a phone by SIP instead"
_PAY = "nothing takes payments here; gather what you need as `secret` and `ask` your application"
_UNSAID = {
    "Start": _STREAM,
    "Stop": _STREAM,
    "Connect": _STREAM,
    "Pay": _PAY,
    "Prompt": _PAY,
    "Echo": "nothing sends a caller's sound back",
    "Autopilot": _SPEECH,
    "VirtualAgent": _SPEECH,
}
_TEMPLATES = {"from": "caller", "caller": "caller", "to": "called", "called": "called", "callsid": "call_id"}
_STANDARD = {"CallSid": "call_id", "From": "caller", "To": "called"}
"""What every request tells of the call."""
_ANY_KEY = "1234567890*#"


def import_twiml(document: bytes, address: str = "", *, outbound: bool = False) -> Imported:
    """Make a script of *document*, which was had from *address*, in the order of its verbs.

    Raises ImportFault where it is no TwiML.
    """
    root = read_markup(document)
    if root.tag != "Response":
        raise ImportFault(f"line {root.line}: TwiML is a <Response>, and this is a <{root.tag[:40]}>")
    draft = Draft(pieces, address)
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
    words = " ".join([element.text, *(child.text for child in element.children)]).strip()
    if any(child.children or child.tag not in ("break", "Break") for child in element.children):
        body.lose(element.place, "SSML in <Say>", "speech has no marks here; the words are kept")
    if element.get("voice") not in ("", "alice", "man", "woman"):
        verbs.another_voice(body, element.place, element.get("voice"))
    verbs.say(body, words, element.get("language"), _loop(element))


def _loop(element: Element) -> int:
    return verbs.ENDLESS if element.get("loop") == "0" else count(element.get("loop"), 1, verbs.ENDLESS)


def _play(body: Body, element: Element) -> None:
    if digits := element.get("digits"):
        body.add(*sent(digits, {"W": 500}))
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
    elif not verbs.follow(body, element.place, url or own, _told(sends), "TwiML"):
        return
    body.end(nodes.Hangup())


def _longer(limit: nodes.Duration | None) -> nodes.Duration | None:
    """Give the time between keys, where it is not the usual one."""
    return limit if limit and limit.milliseconds > 5000 else None


def _told(sends: Mapping[str, nodes.Expression]) -> nodes.Map:
    return fields(**sends, **{key: nodes.Name(name) for key, name in _STANDARD.items()})


def _record(body: Body, element: Element) -> None:
    for attribute in ("transcribe", "transcribeCallback"):
        if element.get(attribute) not in ("", "false"):
            body.lose(element.place, attribute, _SPEECH)
    if element.get("recordingStatusCallback"):
        body.lose(
            element.place,
            "recordingStatusCallback",
            "write `notify` on the `record`: it tells of its beginning and end in other words",
            "to do",
        )
    given = element.attributes.get("finishOnKey")
    finish = list(_ANY_KEY) if given is None else keys(given)
    how = verbs.Voicemail(
        seconds(element.get("maxLength"), 3600),
        finish,
        seconds(element.get("timeout"), 5),
        truth(element.get("playBeep"), True),
    )
    recording = nodes.Name(verbs.record(body, how))
    spoken = body.inner()
    url, length = nodes.Field(recording, "url"), nodes.Field(recording, "duration")
    _action(spoken, element, {"RecordingUrl": url, "RecordingDuration": length})
    body.add(nodes.If(verbs.was_spoken(recording.id), spoken.block()))


def _dial(body: Body, element: Element) -> None:
    result = dial(body, element)
    if result and element.get("action"):
        _action(body, element, {"DialCallStatus": nodes.Name(result)})
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
        verbs.follow(body, element.place, element.text, _told({}), "TwiML")
        body.end(nodes.Hangup())


def _reject(body: Body, element: Element) -> None:
    if not body.is_first:
        body.lose(element.place, "<Reject>", "the call has been answered by now: it is hung up", "to do")
        body.end(nodes.Hangup())
    else:
        body.end(nodes.Reject("busy" if element.get("reason") == "busy" else "declined"))


def _hangup(body: Body, _: Element) -> None:
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
    body.add(nodes.Sms(receiver, text))
    if element.get("action") or element.get("statusCallback"):
        body.lose(
            element.place, "what came of the message", "write `notify` on the `sms`: it tells of it", "to do"
        )


def _refer(body: Body, element: Element) -> None:
    targets = [child.text for child in element.children if child.tag == "Sip"]
    there = number(body.draft, targets[0]) if targets else None
    if there is None:
        body.lose(element.place, "<Refer>", "it says nobody to transfer to")
        return
    body.add(nodes.Transfer(there))


def _leave(body: Body, element: Element) -> None:
    body.lose(element.place, "<Leave>", "nobody is in a queue here")


_VERBS: dict[str, Callable[[Body, Element], None]] = {
    "Say": _say,
    "Play": _play,
    "Pause": _pause,
    "Gather": _gather,
    "Record": _record,
    "Dial": _dial,
    "Enqueue": enqueue,
    "Redirect": _redirect,
    "Reject": _reject,
    "Hangup": _hangup,
    "Sms": _message,
    "Message": _message,
    "Refer": _refer,
    "Leave": _leave,
}
