"""SWML's methods of sound, of further legs and of messages."""

from collections.abc import Callable
from typing import Any, TypeAlias

from ringful.grammar import nodes
from ringful.importing import verbs
from ringful.importing.clauses import SWML, lose_others
from ringful.importing.draft import Body
from ringful.importing.values import count, keys, number, seconds, truth, words


def _map(given: Any, word: str) -> dict[str, Any]:
    """Give the parameters of a method, one of which may stand alone."""
    return given if isinstance(given, dict) else {word: given}


def play(body: Body, given: Any, place: str) -> None:
    """Play one sound or several: addresses, ``say: …``, ``silence: …``."""
    given = _map(given, "url")
    listed = given.get("urls") if given.get("urls") is not None else given.get("url")
    if given.get("volume"):
        body.lose(place, "`volume`", "sounds are played as loud as they are")
    if given.get("say_voice"):
        verbs.another_voice(body, place, words(given["say_voice"]))
    elif given.get("say_gender"):
        verbs.another_voice(body, place, words(given["say_gender"]))
    early = given.get("auto_answer") is False
    told = verbs.told_to(body, place, words(given.get("status_url")), "status_url")
    for one in listed if isinstance(listed, list) else [listed]:
        _sound(body, words(one), words(given.get("say_language")), place, early, told)


def _sound(
    body: Body, said: str, language: str, place: str, early: bool, told: nodes.Expression | None
) -> None:
    kind, _, rest = said.partition(":")
    match kind.strip().lower():
        case "say":
            verbs.say(body, [rest.strip()], language, early=early, notify=told)
        case "silence":
            if pause := seconds(rest.strip()):
                body.add(nodes.Wait(pause))
        case "ring":
            body.lose(
                place, "`ring:`", "who waits for a connection hears ringing anyway; else `play` a sound"
            )
        case "":
            body.lose(place, "`play`", "it says nothing to play")
        case _:
            verbs.play(body, place, said, early=early, notify=told)


def sleep(body: Body, given: Any, _: str) -> None:
    """Wait for so many milliseconds."""
    if pause := seconds(_map(given, "duration").get("duration"), unit=1):
        body.add(nodes.Wait(pause))


def hangup(body: Body, given: Any, _: str) -> None:
    """Hang up, or turn the caller away."""
    reason = words(_map(given, "reason").get("reason"))
    if body.is_first and reason in ("busy", "decline"):
        body.end(nodes.Reject("busy" if reason == "busy" else "declined"))
    else:
        body.end(nodes.Hangup())


def record(body: Body, given: Any, place: str) -> str:
    """Record the caller; give the name of the recording."""
    given = _map(given, "status_url")
    _as_recorded(body, given, place, "speak")
    finish = keys(given["terminators"]) if "terminators" in given else ["#"]
    silence = seconds(given.get("end_silence_timeout"), 5)
    limit = seconds(given.get("max_length"), 3600)
    within = seconds(given.get("initial_timeout"), 4)
    told = verbs.told_to(body, place, words(given.get("status_url")), "status_url")
    how = verbs.Voicemail(limit, finish, silence, truth(given.get("beep"), False), within, told)
    return verbs.record(body, how)


def _as_recorded(body: Body, given: dict[str, Any], place: str, direction: str) -> None:
    """Say what of a recording is not here."""
    if given.get("stereo") or words(given.get("format")) not in ("", "wav"):
        body.lose(place, "stereo and mp3 recordings", "a recording is a WAV file of one channel")
    if words(given.get("direction")) not in ("", direction):
        body.lose(place, "direction of a recording", f"it is `{direction}` here")


def record_call(body: Body, given: Any, place: str) -> None:
    """Record in the background."""
    given = _map(given, "control_id")
    if body.draft.recording:
        body.lose(place, "a second recording at a time", "a leg has one in the background")
        return
    _as_recorded(body, given, place, "both")
    body.draft.recording = True
    told = verbs.told_to(body, place, words(given.get("status_url")), "status_url")
    body.add(nodes.StartRecord(body.draft.name("recorded"), told))


def stop_record_call(body: Body, _: Any, place: str) -> None:
    """End what is recorded in the background."""
    if not body.draft.recording:
        body.lose(place, "`stop_record_call`", "nothing is recorded here")
        return
    body.draft.recording = False
    body.add(nodes.StopRecord())


Confirms: TypeAlias = Callable[[Any, str], nodes.Block | None]
"""Makes what is done on the other leg before it is connected, of a `confirm` and its place."""


def connect(body: Body, given: dict[str, Any], place: str, result: str | None, confirms: Confirms) -> None:
    """Call one or several phones, and connect the first that can be; *result* is to hold whether."""
    if words(given.get("to")).startswith("queue:"):
        _serve(body, given, place, result)
        return
    told = _told(body, given, place)
    confirmed = confirms(given.get("confirm"), f"{place}.confirm")
    groups: list[list[verbs.Leg]] = []
    for row in _targets(given):
        legs = [leg for one in row if (leg := _leg(body, one, place, confirmed, confirms, told))]
        groups += [legs] if legs else []
        if len({(leg.block, leg.caller_id, leg.notify) for leg in legs}) > 1:
            why = "`call all` does the same on each of them: what the first says"
            body.lose(place, "what is otherwise for each of several at a time", why)
    if not groups:
        if result:
            body.add(nodes.Let(result, nodes.text("failed")))
        body.lose(place, "`connect`", "it calls nobody that can be called")
        return
    if given.get("headers") or given.get("codecs"):
        body.lose(
            place, "headers and codecs of `connect`", "a trunk has its codecs, and no headers of a script"
        )
    if given.get("username") or given.get("password"):
        body.lose(place, "username and password of `connect`", "a trunk logs in (docs/trunks.md)", "to do")
    caller = number(body.draft, given.get("from")) or nodes.Name("caller")
    limit, early = seconds(given.get("max_duration"), 14400), given.get("answer_on_bridge") is True
    how = verbs.Ringing(seconds(given.get("timeout"), 60), caller, limit, early=early)
    came = verbs.Came(result, body.draft.name("talk"), "connected", ()) if result else None
    plays = _ringback(body, given, place, early=early)
    verbs.dial(body, groups, how, came)
    if plays:
        body.add(nodes.StopPlay())


def _ringback(body: Body, given: dict[str, Any], place: str, *, early: bool) -> bool:
    """Play what the caller is to hear instead of ringing; say whether it does."""
    listed = given.get("ringback")
    sounds = [words(one) for one in listed] if isinstance(listed, list) else [words(listed)] if listed else []
    if len(sounds) > 1:
        body.lose(place, "several sounds of `ringback`", "one of them is played again and again")
    return bool(sounds) and verbs.background(body, place, sounds[0], "`ringback`", early=early)


def _serve(body: Body, given: dict[str, Any], place: str, result: str | None) -> None:
    """Talk to who waits in a queue."""
    came = body.draft.name("talk") if result else None
    limit = seconds(given.get("max_duration"), 14400)
    queue = words(given.get("to")).removeprefix("queue:")
    served = verbs.serve(body, place, queue, seconds(given.get("timeout"), 60), limit, came)
    if result and not (served and came):
        body.add(nodes.Let(result, nodes.text("failed")))
    elif result and came:
        nobody = nodes.Binary("==", nodes.Field(nodes.Name(came), "reason"), nodes.text("nobody"))
        body.add(nodes.Let(result, nodes.text("connected")))
        body.add(nodes.If(nobody, nodes.Block((nodes.Let(result, nodes.text("failed")),))))


def _targets(given: dict[str, Any]) -> list[list[Any]]:
    """Give whom to call: those of a row at the same time, one row after another."""
    match given:
        case {"parallel": list() as found}:
            return [found]
        case {"serial": list() as found}:
            return [[one] for one in found]
        case {"serial_parallel": list() as rows}:
            return [row if isinstance(row, list) else [row] for row in rows]
        case _:
            return [[{"to": given.get("to")}]]


def _told(body: Body, given: dict[str, Any], place: str) -> nodes.Expression | None:
    return verbs.told_to(body, place, words(given.get("call_state_url")), "call_state_url")


def _leg(
    body: Body,
    one: Any,
    place: str,
    confirmed: nodes.Block | None,
    confirms: Confirms,
    told: nodes.Expression | None,
) -> verbs.Leg | None:
    target = _map(one, "to")
    said = words(target.get("to"))
    there = verbs.callee(body, place, said)
    lose_others(body, SWML, "destination", target, place, "a destination")
    if there is None:
        why = "it cannot be called: give its number or its `sip:`"
        if said.startswith("stream:"):
            why = "the sound of a call is not sent elsewhere; connect a phone by SIP instead"
        body.lose(place, f"the number {said}", why)
        return None
    if target.get("headers") or target.get("codecs") or target.get("timeout"):
        why = "all of one `connect` ring so long, and have the codecs of their trunk"
        body.lose(place, "headers, codecs and timeout of a destination", why)
    block = confirms(target.get("confirm"), f"{place}.confirm") if target.get("confirm") else confirmed
    return verbs.Leg(there, block, number(body.draft, target.get("from")), _told(body, target, place) or told)


def join_conference(body: Body, given: Any, place: str) -> None:
    """Put the caller into a conference."""
    given = _map(given, "name")
    if truth(given.get("beep"), True):
        why = 'write `in CONF { on join { play "beep" } }` with a sound of yours'
        body.lose(place, "the beep of a conference", why)
    if given.get("record") not in (None, "do-not-record"):
        why = "write `conference room named …`, and `in room { start record }`"
        body.lose(place, "record of `join_conference`", why)
    if given.get("recording_status_callback"):
        why = "write `in room { start record notify … }`"
        body.lose(place, "recording_status_callback of `join_conference`", why)
    if given.get("wait_url"):
        why = 'write `start play "…" forever` with a sound of yours before the `join`'
        body.lose(place, "wait_url of `join_conference`", why)
    told = verbs.told_to(body, place, words(given.get("status_callback")), "status_callback")
    room = verbs.Room(
        words(given.get("name")),
        truth(given.get("end_on_exit"), False),
        not truth(given.get("start_on_enter"), True),
        truth(given.get("muted"), False),
        count(given.get("max_participants"), 0, 1000) or None,
        notify=told,
    )
    verbs.conference(body, room)


def send_sms(body: Body, given: Any, place: str) -> None:
    """Send a text message."""
    given = _map(given, "body")
    receiver, text = number(body.draft, given.get("to_number")), body.draft.text(words(given.get("body")))
    if given.get("media"):
        body.lose(place, "`media`", "a text message carries no pictures")
    if receiver is None or not text.parts:
        body.lose(place, "`send_sms`", "it has no number that can be texted, or no text")
        return
    if given.get("from_number"):
        body.lose(
            place, "from_number of `send_sms`", "a message goes from the number that the server is given"
        )
    body.add(nodes.Sms(receiver, text))


def sip_refer(body: Body, given: dict[str, Any], place: str) -> None:
    """Send the caller to another number."""
    there = verbs.callee(body, place, given.get("to_uri"), sip=True)
    if there is None:
        body.lose(place, "`sip_refer`", "it says nobody to transfer to who can be called")
        return
    if given.get("username") or given.get("password"):
        body.lose(place, "username and password of `sip_refer`", "a trunk logs in (docs/trunks.md)", "to do")
    body.add(nodes.Transfer(there))


def enter_queue(body: Body, given: dict[str, Any], place: str, wait: nodes.Block, turn: str | None) -> None:
    """Put the caller into a queue, and do what *wait* says meanwhile; *turn* is what came of it."""
    told = verbs.told_to(body, place, words(given.get("status_url")), "status_url")
    how = verbs.Waiting(seconds(given.get("wait_time"), 3600), wait, told, turn)
    verbs.queue(body, place, words(given.get("queue_name")), how)
