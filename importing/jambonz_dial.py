"""jambonz' `dial`, `conference` and `enqueue`, and the hooks of all its verbs."""

import re
from typing import Any

from ringful.grammar import nodes
from ringful.importing import verbs
from ringful.importing.clauses import JAMBONZ, lose_others
from ringful.importing.draft import Body, fields
from ringful.importing.losses import ImportFault
from ringful.importing.values import count, listed, number, seconds, truth, words

Verb = dict[str, Any]

_LOST = {
    "amd": "nothing tells people from machines here",
    "transcribe": "there is no speech recognition here",
    "listen": "the sound of a call is not sent elsewhere",
    "stream": "the sound of a call is not sent elsewhere",
    "dub": "several sounds at a time are not mixed",
    "headers": "a script sends no SIP headers of its own",
    "referHook": "who is connected cannot be transferred by the other",
    "tag": "a call has its ID and what you `notify` of it",
    "proxy": "a trunk says by which way it is called (docs/trunks.md)",
}
_STANDARD = {"call_sid": "call_id", "from": "caller", "to": "called"}


def told(sends: dict[str, nodes.Expression]) -> nodes.Map:
    """Give what every hook is told, after *sends*."""
    return fields(**sends, **{key: nodes.Name(name) for key, name in _STANDARD.items()})


def hooked(body: Body, hook: Any, place: str) -> str:
    """Give the address of a hook, or none; say what of it is not here."""
    given = hook if isinstance(hook, dict) else {"url": hook}
    if words(given.get("method")).upper() == "GET":
        body.lose(place, "GET", "requests are posted: let the application take that", "to do")
    if given.get("username") or given.get("password"):
        body.lose(place, "username and password of a hook", "requests are signed instead (docs/api.md)")
    return words(given.get("url"))


def dial(body: Body, given: Verb, place: str) -> dict[str, nodes.Expression] | None:
    """Make what *given* dials; give what came of it, or None where nobody is called."""
    targets = given.get("target")
    if not isinstance(targets, list):
        raise ImportFault(f"{place}.target: `dial` needs a list of whom to call")
    legs = [leg for index, one in enumerate(targets) if (leg := _leg(body, one, f"{place}.target[{index}]"))]
    if not legs:
        body.lose(place, "`dial`", "it calls nobody that can be called")
        return None
    for option in (option for option in _LOST if option in given):
        body.lose(place, f"{option} of `dial`", _LOST[option])
    _screened(body, given, legs, place)
    if len({leg.block for leg in legs}) > 1 or len({leg.caller_id for leg in legs}) > 1:
        why = "`call all` does the same on each of them: what the first says"
        body.lose(place, "what is otherwise for each of several targets", why)
    caller_id = verbs.callee(body, place, given.get("callerId")) if given.get("callerId") else None
    if given.get("callerId") and caller_id is None:
        body.lose(
            place, f"the callerId {words(given['callerId'])}", "it is no number; the caller's own is shown"
        )
    limit, early = seconds(given.get("timeLimit")), given.get("answerOnBridge") is True
    named = body.draft.value(words(given["callerName"])) if given.get("callerName") else None
    how = verbs.Ringing(
        seconds(given.get("timeout"), 60), caller_id or nodes.Name("caller"), limit, early=early, named=named
    )
    came = (
        verbs.Came(body.draft.name("dialled"), body.draft.name("talk")) if given.get("actionHook") else None
    )
    _keys(body, given, place)
    music = words(given.get("dialMusic"))
    plays = bool(music) and verbs.background(body, place, music, "dialMusic of `dial`", early=early)
    verbs.dial(body, [legs], how, came)
    if plays:
        body.add(nodes.StopPlay())
    if came is None:
        return {}
    return {
        "dial_call_status": nodes.Name(came.result),
        "duration": nodes.Field(nodes.Name(came.talk), "seconds"),
    }


def _keys(body: Body, given: Verb, place: str) -> None:
    """Tell the application of the keys that are pressed while two are connected."""
    capture = given.get("dtmfCapture")
    if isinstance(capture, dict):
        if capture.get("childCall"):
            body.lose(place, "dtmfCapture of the other leg", "write `on tone` in the block of its `call`")
        capture = capture.get("parentCall")
    named = [words(one).upper() for one in capture] if isinstance(capture, list) else []
    rows = [one for one in named if re.fullmatch(r"[0-9*#A-D]{1,16}", one)]
    if len(rows) < len(named):
        body.lose(place, "keys of `dtmfCapture`", "there are no such keys")
    url = hooked(body, given.get("dtmfHook"), place) if rows else ""
    address = body.draft.address(url) if url else None
    if rows and address is None:
        body.lose(place, "dtmfCapture of `dial`", "it has no `dtmfHook` that can be told")
    elif address is not None:
        why = "they are told of and no more: what the application answers is not read"
        body.lose(place, "the keys of `dtmfCapture`", why, "to do")
        pressed = body.draft.name("pressed")
        post = nodes.Notify(address, told({"dtmf": nodes.Name(pressed)}))
        body.add(nodes.OnTone(listed(rows), nodes.Block((post,)), pressed))
    elif given.get("dtmfHook"):
        body.lose(place, "dtmfHook of `dial`", "it has no keys of `dtmfCapture` to tell of")


def _screened(body: Body, given: Verb, legs: list[verbs.Leg], place: str) -> None:
    """Ask the application on the other leg first, where the dial has a hook for that."""
    url = hooked(body, given.get("confirmHook"), place)
    for index, leg in enumerate(legs if url else ()):
        if leg.block is None:
            first = body.inner()
            verbs.follow(first, "confirmHook", url, told({}), "verbs")
            legs[index] = verbs.Leg(leg.number, first.block(), leg.caller_id)


def _leg(body: Body, one: Any, place: str) -> verbs.Leg | None:
    target = one if isinstance(one, dict) else {}
    kind = words(target.get("type"))
    lose_others(body, JAMBONZ, "target", target, place, "a target")
    if kind == "user":
        why = "who has registered is called by this address: let a trunk lead there"
        body.lose(place, "a target of type user", why, "to do")
    said = {"phone": target.get("number"), "user": target.get("name")}.get(kind)
    if kind == "sip":
        said = target.get("sipUri") or target.get("number")
    there = verbs.callee(body, place, said, sip=kind in ("sip", "user"))
    if there is None:
        known = {"teams": "Microsoft Teams"}
        body.lose(place, f"a target of type {kind or 'unknown'}", known.get(kind, "it cannot be called"))
        return None
    if target.get("auth") or target.get("trunk"):
        body.lose(
            place, "auth and trunk of a target", "a trunk logs in, and is chosen (docs/trunks.md)", "to do"
        )
    if target.get("headers"):
        body.lose(place, "headers of a target", _LOST["headers"])
    first = body.inner()
    hook = target.get("confirmHook")
    hook = {"url": hook, "method": target.get("method")} if isinstance(hook, str) else hook
    if url := hooked(body, hook, place):
        verbs.follow(first, place, url, told({}), "verbs")
    caller_id = number(body.draft, target["from"]) if target.get("from") else None
    return verbs.Leg(there, first.block() if first.statements else None, caller_id)


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
    status = hooked(body, given.get("statusHook"), place)
    room = verbs.Room(
        words(given.get("name")),
        truth(given.get("endConferenceOnExit"), False),
        waiting,
        truth(given.get("joinMuted"), False),
        count(given.get("maxParticipants"), 0, 1000) or None,
        notify=verbs.told_to(body, place, status, "statusHook"),
    )
    verbs.conference(body, room)


def enqueue(body: Body, given: Verb, place: str) -> dict[str, nodes.Expression] | None:
    """Put the caller into a queue; give what came of it, or None where there is no queue."""
    hook = hooked(body, given.get("waitHook"), place)
    wait = body.inner()
    turn = body.draft.name("turn") if hook or given.get("actionHook") else None
    if hook and turn:
        at = nodes.Name(turn)
        sends = {"queue_position": nodes.Field(at, "place"), "queue_time": nodes.Field(at, "waited")}
        verbs.follow(wait, place, hook, told({**sends}), "verbs")
    how = verbs.Waiting(block=wait.block(), came=turn)
    if not verbs.queue(body, place, words(given.get("name")), how):
        return None
    if turn is None or not given.get("actionHook"):
        return {}
    result = body.draft.name("queue_result")
    body.add(nodes.Let(result, nodes.text("bridged")))
    left = nodes.Binary("==", nodes.Field(nodes.Name(turn), "reason"), nodes.text("left"))
    full = nodes.Binary("==", nodes.Field(nodes.Name(turn), "reason"), nodes.text("full"))
    other = nodes.If(full, nodes.Block((nodes.Let(result, nodes.text("error")),)))
    body.add(nodes.If(left, nodes.Block((nodes.Let(result, nodes.text("leave")),)), nodes.Block((other,))))
    return {
        "queue_result": nodes.Name(result),
        "queue_time": nodes.Field(nodes.Name(turn), "waited"),
    }
