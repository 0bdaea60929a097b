"""jambonz' `dial` and `conference`."""

from typing import Any

from ringful.grammar import nodes
from ringful.importing import verbs
from ringful.importing.draft import Body
from ringful.importing.losses import ImportFault
from ringful.importing.values import count, number, seconds, truth, words

Verb = dict[str, Any]

_LOST = {
    "dialMusic": "the caller hears ringing; `start play` before the `connect` is heard instead",
    "amd": "nothing tells people from machines here",
    "transcribe": "there is no speech recognition here",
    "listen": "the sound of a call is not sent elsewhere",
    "dub": "several sounds at a time are not mixed",
    "dtmfCapture": '`on tone "…" { … }` takes keys while two are connected',
    "headers": "a script sends no SIP headers of its own",
    "referHook": "who is connected cannot be transferred by the other",
}


def dial(body: Body, given: Verb, place: str) -> str | None:
    """Make what *given* dials; give the name of what came of it, or None where nobody is called."""
    targets = given.get("target")
    if not isinstance(targets, list):
        raise ImportFault(f"{place}.target: `dial` needs a list of whom to call")
    legs = [leg for index, one in enumerate(targets) if (leg := _leg(body, one, f"{place}.target[{index}]"))]
    if not legs:
        body.lose(place, "`dial`", "it calls nobody that can be called")
        return None
    for option in (option for option in _LOST if option in given):
        body.lose(place, f"{option} of `dial`", _LOST[option])
    caller_id = number(body.draft, given.get("callerId")) or nodes.Name("caller")
    limit, early = seconds(given.get("timeLimit")), given.get("answerOnBridge") is True
    how = verbs.Ringing(seconds(given.get("timeout"), 60), caller_id, limit, together=True, early=early)
    _screened(body, given, legs)
    result = body.draft.name("dialled") if given.get("actionHook") else None
    verbs.dial(body, legs, how, result)
    return result


def _screened(body: Body, given: Verb, legs: list[verbs.Leg]) -> None:
    """Ask the application on the other leg first, where the dial has a hook for that."""
    hook = given.get("confirmHook")
    url = words(hook.get("url") if isinstance(hook, dict) else hook)
    for place, leg in enumerate(legs if url else ()):
        first = body.inner()
        verbs.follow(first, "confirmHook", url, None, "verbs")
        legs[place] = verbs.Leg(leg.number, first.block())


def _leg(body: Body, one: Any, place: str) -> verbs.Leg | None:
    target = one if isinstance(one, dict) else {}
    kind = words(target.get("type"))
    said = target.get("number") if kind == "phone" else target.get("sipUri") if kind == "sip" else None
    there = number(body.draft, said)
    if there is None:
        known = {"user": "a user who has registered: call its address, `sip:…`", "teams": "Microsoft Teams"}
        body.lose(place, f"a target of type {kind or 'unknown'}", known.get(kind, "it cannot be called"))
        return None
    return verbs.Leg(there)


def conference(body: Body, given: Verb, place: str) -> None:
    """Put the caller into a conference."""
    waiting = not truth(given.get("startConferenceOnEnter"), True)
    if given.get("beep") is True:
        why = 'write `in CONF { on join { play "beep" } }` with a sound of yours'
        body.lose(place, "the beep of a conference", why)
    for option in ("waitHook", "enterHook"):
        if given.get(option):
            why = "`start play` before the `join` is heard while one waits"
            body.lose(place, f"{option} of `conference`", why)
    if given.get("statusHook"):
        body.lose(place, "statusHook", "write `notify` on the `join`: it tells of it in other words", "to do")
    verbs.conference(
        body,
        verbs.Room(
            words(given.get("name")),
            truth(given.get("endConferenceOnExit"), False),
            waiting,
            truth(given.get("joinMuted"), False),
            count(given.get("maxParticipants"), 0, 1000) or None,
        ),
    )
