"""jambonz: a list of verbs as JSON.

Where a verb has an `actionHook`, the application answers with more verbs, or with none, and then the
list goes on; so it is with `follow`.
"""

from collections.abc import Callable
from typing import Any

from ringful.grammar import nodes
from ringful.importing import verbs
from ringful.importing.clauses import JAMBONZ, lose_others
from ringful.importing.draft import Body, Draft, fields
from ringful.importing.jambonz_dial import conference, dial
from ringful.importing.losses import ImportFault
from ringful.importing.objects import read_objects
from ringful.importing.script import Imported, finished
from ringful.importing.values import count, keys, number, seconds, sent, words

Verb = dict[str, Any]

_SPEECH = "there is no speech recognition here; ask for keys"
_AGENT = "nothing here speaks with callers by itself; connect a phone by SIP"
_STREAM = "the sound of a call is not sent elsewhere; connect a phone by SIP instead"
_UNSAID = {
    "dialogflow": _AGENT,
    "lex": _AGENT,
    "rasa": _AGENT,
    "llm": _AGENT,
    "agent": _AGENT,
    "pipeline": _AGENT,
    "listen": _STREAM,
    "stream": _STREAM,
    "transcribe": _SPEECH,
    "dub": "several sounds at a time are not mixed; `start play` is one in the background",
    "config": "settings of a session are clauses of the statements here",
    "tag": "a call has its ID and what you `notify` of it",
    "alert": "a ringing call has no text for a display",
    "sip:request": "a script sends no SIP of its own",
    "leave": "nobody is in a queue here",
    "rest:dial": "a call is begun by the header of a script, or by `call`",
    "answer": "",
}
MAX_VERBS = 2_000


def import_jambonz(document: bytes, address: str = "", *, outbound: bool = False) -> Imported:
    """Make a script of *document*, which was had from *address*.  Raises ImportFault."""
    read = read_objects(document)
    if isinstance(read, dict) and ("verb" in read or (len(read) == 1 and _known(*read))):
        read = [read]
    if not isinstance(read, list):
        raise ImportFault('a jambonz application is a list of verbs: `[{"verb": "say", …}]`')
    draft = Draft(lambda _, said: (said,), address)
    body = Body(draft, is_outer=True)
    each(body, read, "")
    return finished(draft, body.block(), "jambonz", outbound=outbound)


def _known(name: str) -> bool:
    return name in _VERBS or name in _UNSAID


def each(body: Body, listed: list[Any], place: str) -> None:
    """Make the verbs of a list; *place* is where it stands."""
    for index, one in enumerate(listed[:MAX_VERBS]):
        here = f"{place}[{index}]"
        name, given = _verb(one)
        if body.is_over:
            body.lose(here, f"`{name}`", "nothing leads here: the call is over before", "to do")
            return
        if name in _VERBS:
            lose_others(body, JAMBONZ, name, given, here, f"`{name}`")
            _VERBS[name](body, given, here)
        elif name == "answer":
            body.add(nodes.Answer())
        elif not name:
            raise ImportFault(f'{here}: this is no verb: write `{{"verb": "say", …}}`')
        else:
            body.lose(here, f"`{name}`", _UNSAID.get(name, "this is no verb of jambonz that is known here"))


def _verb(one: Any) -> tuple[str, Verb]:
    """Give a verb's name, and what it says, in either of the two forms."""
    match one:
        case {"verb": str(name)}:
            return name, one
        case {"verb": _}:
            return "", {}
        case dict() if len(one) == 1:
            ((name, given),) = one.items()
            return name, given if isinstance(given, dict) else {}
        case _:
            return "", {}


def _say(body: Body, given: Verb, place: str) -> None:
    said, voice = given.get("text"), given.get("synthesizer")
    if isinstance(said, list):
        body.lose(place, "one of several texts by chance", "the first one is said")
        said = said[0] if said else ""
    voice = voice if isinstance(voice, dict) else {}
    if voice.get("voice"):
        verbs.another_voice(body, place, words(voice["voice"]))
    verbs.say(body, words(said), words(voice.get("language")), _loop(given))


def _loop(given: Verb) -> int:
    forever = words(given.get("loop")).lower() in ("0", "forever", "-1")
    return verbs.ENDLESS if forever else count(given.get("loop"), 1, verbs.ENDLESS)


def _play(body: Body, given: Verb, place: str) -> None:
    urls = given.get("url")
    for option in ("seekOffset", "timeoutSecs"):
        if given.get(option):
            body.lose(place, f"{option} of `play`", "a sound is played from its beginning to its end")
    for url in urls if isinstance(urls, list) else [urls]:
        verbs.play(body, place, words(url), _loop(given))
    _hook(body, given, place, {})


def _pause(body: Body, given: Verb, place: str) -> None:
    if duration := seconds(given.get("length")):
        body.add(nodes.Wait(duration))
    else:
        body.lose(place, "`pause`", "it has no length")


def _hook(body: Body, given: Verb, place: str, sends: dict[str, nodes.Expression]) -> None:
    """Ask the application how it goes on, if the verb has a hook for that."""
    hook = given.get("actionHook")
    url = words(hook.get("url") if isinstance(hook, dict) else hook)
    if url:
        verbs.follow(body, place, url, told(sends), "verbs")


def told(sends: dict[str, nodes.Expression]) -> nodes.Map:
    """Give what every hook is told, after *sends*."""
    standard = {"call_sid": "call_id", "from": "caller", "to": "called"}
    return fields(**sends, **{key: nodes.Name(name) for key, name in standard.items()})


def _gather(body: Body, given: Verb, place: str) -> None:
    inputs = words(given.get("input")).split() or ["digits"]
    if isinstance(given.get("input"), list):
        inputs = [words(one) for one in given["input"]]
    prompt = body.inner()
    body.draft.heard = None
    for name, verb in (("say", _say), ("play", _play)):
        if isinstance(given.get(name), dict):
            verb(prompt, given[name], f"{place}.{name}")
    if "speech" in inputs or "recognizer" in given:
        body.lose(place, "speech in `gather`", _SPEECH)
    if "digits" not in inputs and "dtmf" not in inputs:
        body.add(*prompt.statements)
        return
    if given.get("listenDuringPrompt") is False or given.get("dtmfBargein") is False:
        body.lose(place, "a prompt that no key cuts short", "the first key always does")
    exact = count(given.get("numDigits"), 0, verbs.MOST_DIGITS)
    most = exact or count(given.get("maxDigits"), verbs.MOST_DIGITS, verbs.MOST_DIGITS)
    least = min(most, exact or count(given.get("minDigits"), 1, verbs.MOST_DIGITS))
    finish = keys(given.get("finishOnKey"))[:1]
    wanted = verbs.Wanted(most, finish, seconds(given.get("timeout")), least)
    name = verbs.gather(body, wanted, prompt)
    _hook(body, given, place, {"digits": nodes.Name(name)})


def _dial(body: Body, given: Verb, place: str) -> None:
    if result := dial(body, given, place):
        _hook(body, given, place, {"dial_call_status": nodes.Name(result)})


def _conference(body: Body, given: Verb, place: str) -> None:
    conference(body, given, place)
    _hook(body, given, place, {})


def _redirect(body: Body, given: Verb, place: str) -> None:
    if not given.get("actionHook"):
        body.lose(place, "`redirect`", "it has no `actionHook`")
        return
    _hook(body, given, place, {})
    body.end(nodes.Hangup())


def _hangup(body: Body, _: Verb, __: str) -> None:
    body.end(nodes.Hangup())


def _decline(body: Body, given: Verb, place: str) -> None:
    if not body.is_first:
        body.lose(place, "`sip:decline`", "the call has been answered by now: it is hung up", "to do")
        body.end(nodes.Hangup())
        return
    if words(given.get("status")) not in ("486", "600", "603"):
        body.lose(place, f"the status {words(given.get('status'))}", "`reject` says busy or declined")
    body.end(nodes.Reject("busy" if words(given.get("status")) in ("486", "600") else "declined"))


def _dtmf(body: Body, given: Verb, _: str) -> None:
    body.add(*sent(given.get("dtmf"), {"W": 500, ",": 500}))


def _message(body: Body, given: Verb, place: str) -> None:
    receiver, text = number(body.draft, given.get("to")), body.draft.text(words(given.get("text")))
    if receiver is None or not text.parts:
        body.lose(place, "`message`", "it has no number that can be texted, or no text")
        return
    body.add(nodes.Sms(receiver, text))


def _refer(body: Body, given: Verb, place: str) -> None:
    there = number(body.draft, given.get("referTo"))
    if there is None:
        body.lose(place, "`sip:refer`", "it says nobody to transfer to who can be called")
        return
    body.add(nodes.Transfer(there))
    _hook(body, given, place, {})


def _enqueue(body: Body, given: Verb, place: str) -> None:
    verbs.queue(body, place, words(given.get("name")))
    if given.get("waitHook"):
        why = "write `start play` before the `queue`, or a block: `queue … { say … }`"
        body.lose(place, "waitHook of `enqueue`", why, "to do")
    _hook(body, given, place, {})


def _dequeue(body: Body, given: Verb, place: str) -> None:
    verbs.serve(body, place, words(given.get("name")), seconds(given.get("timeout")), None)
    _hook(body, given, place, {})


_VERBS: dict[str, Callable[[Body, Verb, str], None]] = {
    "say": _say,
    "play": _play,
    "pause": _pause,
    "gather": _gather,
    "dial": _dial,
    "conference": _conference,
    "redirect": _redirect,
    "enqueue": _enqueue,
    "dequeue": _dequeue,
    "hangup": _hangup,
    "sip:decline": _decline,
    "dtmf": _dtmf,
    "message": _message,
    "sip:refer": _refer,
}
