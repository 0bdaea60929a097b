"""SWML's methods of sound, of further legs and of messages."""

from typing import Any

from ringful.grammar import nodes
from ringful.importing import verbs
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
    for one in listed if isinstance(listed, list) else [listed]:
        _sound(body, words(one), words(given.get("say_language")), place)


def _sound(body: Body, said: str, language: str, place: str) -> None:
    kind, _, rest = said.partition(":")
    match kind.strip().lower():
        case "say":
            verbs.say(body, rest.strip(), language)
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
            verbs.play(body, place, said)


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
    if given.get("stereo") or words(given.get("format")) not in ("", "wav"):
        body.lose(place, "stereo and mp3 recordings", "a recording is a WAV file of one channel")
    finish = keys(given["terminators"]) if "terminators" in given else ["#"]
    silence = seconds(given.get("end_silence_timeout"), 5)
    limit = seconds(given.get("max_length"), 3600)
    return verbs.record(body, verbs.Voicemail(limit, finish, silence, truth(given.get("beep"), False)))


def record_call(body: Body, given: Any, place: str) -> None:
    """Record in the background."""
    given = _map(given, "control_id")
    if body.draft.recording:
        body.lose(place, "a second recording at a time", "a leg has one in the background")
        return
    if given.get("stereo") or words(given.get("format")) not in ("", "wav"):
        body.lose(place, "stereo and mp3 recordings", "a recording is a WAV file of one channel")
    body.draft.recording = True
    body.add(nodes.StartRecord(body.draft.name("talk")))


def stop_record_call(body: Body, _: Any, place: str) -> None:
    """End what is recorded in the background."""
    if not body.draft.recording:
        body.lose(place, "`stop_record_call`", "nothing is recorded here")
        return
    body.draft.recording = False
    body.add(nodes.StopRecord())


def connect(body: Body, given: dict[str, Any], place: str, result: str | None) -> None:
    """Call one or several phones, and connect the first that can be; *result* is to hold whether."""
    targets, together = _targets(body, given, place)
    legs = [verbs.Leg(there) for one in targets if (there := _number(body, one, place)) is not None]
    if result and not legs:
        body.add(nodes.Let(result, nodes.text("failed")))
    if not legs:
        body.lose(place, "`connect`", "it calls nobody that can be called")
        return
    for option in ("headers", "codecs", "ringback", "confirm", "session_timeout"):
        if given.get(option):
            body.lose(place, f"{option} of `connect`", "there is no clause for it")
    caller = number(body.draft, given.get("from")) or nodes.Name("caller")
    limit, early = seconds(given.get("max_duration"), 14400), given.get("answer_on_bridge") is True
    how = verbs.Ringing(seconds(given.get("timeout"), 60), caller, limit, together=together, early=early)
    verbs.dial(body, legs, how, result, ("connected", "failed"))


def _targets(body: Body, given: dict[str, Any], place: str) -> tuple[list[Any], bool]:
    """Give whom to call, and whether at the same time."""
    match given:
        case {"parallel": list() as found}:
            return list(found), True
        case {"serial": list() as found}:
            return list(found), False
        case {"serial_parallel": list() as rows}:
            if any(isinstance(row, list) and len(row) > 1 for row in rows):
                why = "they are called one after another, not at the same time"
                body.lose(place, "several at a time in `serial_parallel`", why)
            return [one for row in rows if isinstance(row, list) for one in row], False
        case _:
            return [given], False


def _number(body: Body, one: Any, place: str) -> nodes.Expression | None:
    said = _map(one, "to").get("to")
    there = number(body.draft, said)
    if there is None:
        body.lose(place, f"the number {words(said)}", "it cannot be called: give its number or its `sip:`")
    return there


def join_conference(body: Body, given: Any, place: str) -> None:
    """Put the caller into a conference."""
    given = _map(given, "name")
    if truth(given.get("beep"), True):
        why = 'write `in CONF { on join { play "beep" } }` with a sound of yours'
        body.lose(place, "the beep of a conference", why)
    room = verbs.Room(
        words(given.get("name")),
        truth(given.get("end_on_exit"), False),
        not truth(given.get("start_on_enter"), True),
        truth(given.get("muted"), False),
        count(given.get("max_participants"), 0, 1000) or None,
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
    body.add(nodes.Sms(receiver, text))


def sip_refer(body: Body, given: Any, place: str) -> None:
    """Send the caller to another number."""
    there = number(body.draft, _map(given, "to_uri").get("to_uri"))
    if there is None:
        body.lose(place, "`sip_refer`", "it says nobody to transfer to who can be called")
        return
    body.add(nodes.Transfer(there))


def enter_queue(body: Body, given: Any, place: str) -> None:
    """Put the caller into a queue."""
    given = _map(given, "queue_name")
    verbs.queue(body, place, words(given.get("queue_name")))
    if given.get("wait_url"):
        why = "write `start play` before the `queue`, or a block: `queue … { say … }`"
        body.lose(place, "wait_url of `enter_queue`", why, "to do")
