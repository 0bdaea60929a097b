"""jambonz: a list of verbs as JSON.

Where a verb has an `actionHook`, the application answers with more verbs, or with none, and then the
list goes on; so it is with `follow`.
"""

from collections.abc import Callable
from typing import Any, cast

from ringful.grammar import nodes
from ringful.grammar.vocabulary import REJECTIONS, STATUSES
from ringful.importing import verbs
from ringful.importing.clauses import JAMBONZ, lose_others
from ringful.importing.draft import Body, Draft
from ringful.importing.jambonz_dial import conference, dial, enqueue, hooked, told
from ringful.importing.losses import ImportFault
from ringful.importing.objects import read_objects
from ringful.importing.script import Imported, finished
from ringful.importing.speech import marked_up
from ringful.importing.values import count, keys, number, seconds, sent, words

Verb = dict[str, Any]

_SPEECH = "there is no speech recognition here; ask for keys"
_AGENT = "nothing here speaks with callers by itself; connect a phone by SIP"
_STREAM = "the sound of a call is not sent elsewhere; connect a phone by SIP instead"
_UNSAID = {
    **dict.fromkeys(("dialogflow", "lex", "rasa", "llm", "s2s", "agent", "pipeline", "transfer"), _AGENT),
    "listen": f"{_STREAM}, or keep a message with `record as message beep`",
    "stream": f"{_STREAM}, or keep a message with `record as message beep`",
    "transcribe": _SPEECH,
    "dub": "several sounds at a time are not mixed; `start play` is one in the background",
    "tag": "a call has its ID and what you `notify` of it",
    "alert": "a ringing call has no text for a display",
    "sip:request": "a script sends no SIP of its own",
    "leave": "nobody is in a queue here",
    "rest:dial": "a call is begun by the header of a script, or by `call`",
    "sip:notify": "a script sends no SIP of its own",
    "sip:redirect": "a call that has not been answered is not sent elsewhere: `connect to` who is meant",
    "room": "there is no video here; `join` a conference",
}
_HEADERS = "a script sends no SIP headers of its own"
_UNKNOWN = "this is no verb of jambonz that is known here"
_SAMPLES = 8
"""So many samples of a sound are a millisecond: an offset is counted in them."""
MAX_VERBS = 2_000


def import_jambonz(document: bytes, address: str = "", *, outbound: bool = False) -> Imported:
    """Make a script of *document*, which was had from *address*.  Raises ImportFault."""
    read = read_objects(document)
    if isinstance(read, dict) and ("verb" in read or (len(read) == 1 and _known(*read))):
        read = [read]
    if not isinstance(read, list):
        raise ImportFault('a jambonz application is a list of verbs: `[{"verb": "say", …}]`')
    draft = Draft(lambda _, said: (said,), address, outbound=outbound)
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
        elif not name:
            raise ImportFault(f'{here}: this is no verb: write `{{"verb": "say", …}}`')
        else:
            why = _AGENT if name.endswith("_s2s") else _UNSAID.get(name, _UNKNOWN)
            body.lose(here, f"`{name}`", why)


def _verb(one: Any) -> tuple[str, Verb]:
    """Give a verb's name, and what it says, in either of the two forms, and in the words of today."""
    match one:
        case {"verb": str(name)}:
            return name, _of_today(one)
        case {"verb": _}:
            return "", {}
        case dict() if len(one) == 1:
            ((name, given),) = one.items()
            return name, _of_today(given) if isinstance(given, dict) else {}
        case _:
            return "", {}


_ONCE = {"action": "actionHook", "confirmUrl": "confirmHook", "partialResultCallback": "partialResultHook"}


def _of_today(given: Verb) -> Verb:
    """Give *given* with the words that were others once."""
    today = {_ONCE.get(key, key): value for key, value in given.items()}
    if "action" in given and isinstance(given["action"], str):
        auth = today.pop("auth", None)
        hook = {"url": given["action"], "method": today.pop("method", "")}
        today["actionHook"] = {**auth, **hook} if isinstance(auth, dict) else hook
    return today


def _answer(body: Body, _: Verb, __: str) -> None:
    if body.is_first:
        body.add(nodes.Answer())


def _say(body: Body, given: Verb, place: str) -> None:
    said, voice = given.get("text"), given.get("synthesizer")
    voice = voice if isinstance(voice, dict) else {}
    _voice(body, voice, place)
    language, early = words(voice.get("language")), given.get("earlyMedia") is True
    match said:
        case [_, _, *_]:
            texts = tuple(body.draft.text(words(text)) for text in said)
            name = body.draft.name("words")
            body.add(nodes.Pick(nodes.List(texts), name))
            spoken: list[nodes.Statement] = [nodes.Say(nodes.Name(name), _spoken_in(language))]
            verbs.repeated(body, spoken, _loop(given))
            body.draft.heard = None
        case _:
            text = words(said[0] if isinstance(said, list) and said else said)
            pieces = marked_up(body, place, text, "`say`")
            verbs.say(body, pieces, language, _loop(given), early=early)


def _spoken_in(language: str) -> nodes.Expression | None:
    return nodes.text(verbs.spoken_in(language)) if verbs.spoken_in(language) else None


def _voice(body: Body, voice: Verb, place: str) -> None:
    """Say what of a voice is not here: all but its language."""
    if voice.get("voice"):
        verbs.another_voice(body, place, words(voice["voice"]))
    for word in voice:
        if word not in ("vendor", "label", "language", "voice", "options") and "allback" not in word:
            body.lose(place, f"{word} of a voice", "say `voice` with one of this server", "to do")


def _loop(given: Verb) -> int:
    forever = words(given.get("loop")).lower() in ("0", "forever", "-1")
    return verbs.ENDLESS if forever else count(given.get("loop"), 1, verbs.ENDLESS)


def _play(body: Body, given: Verb, place: str) -> None:
    urls, early = given.get("url"), given.get("earlyMedia") is True
    if given.get("timeoutSecs"):
        why = "write `start play`, then `wait` and `stop play`"
        body.lose(place, "timeoutSecs of `play`", why)
    start = seconds(given.get("seekOffset"), unit=1)
    begins = nodes.Duration(max(1, start.milliseconds // _SAMPLES)) if start else None
    for url in urls if isinstance(urls, list) else [urls]:
        verbs.play(body, place, words(url), _loop(given), early=early, start=begins)
    _hook(body, given, place, {})


def _config(body: Body, given: Verb, place: str) -> None:
    """Take the language of what is said from now on; the rest of a session's settings is not here."""
    voice = given.get("synthesizer")
    if isinstance(voice, dict):
        _voice(body, voice, place)
        body.draft.voice = verbs.spoken_in(words(voice.get("language")))


def _pause(body: Body, given: Verb, place: str) -> None:
    if duration := seconds(given.get("length")):
        body.add(nodes.Wait(duration))
    else:
        body.lose(place, "`pause`", "it has no length")


def _hook(body: Body, given: Verb, place: str, sends: dict[str, nodes.Expression]) -> None:
    """Ask the application how it goes on, if the verb has a hook for that."""
    if url := hooked(body, given.get("actionHook"), place):
        verbs.follow(body, place, url, told(sends), "verbs")


def _gather(body: Body, given: Verb, place: str) -> None:
    inputs = words(given.get("input")).split() or ["digits"]
    if isinstance(given.get("input"), list):
        inputs = [words(one) for one in given["input"]]
    prompt = body.inner()
    body.draft.heard = None
    for name, verb in (("say", _say), ("play", _play)):
        if isinstance(given.get(name), dict):
            lose_others(body, JAMBONZ, name, given[name], f"{place}.{name}", f"`{name}`")
            verb(prompt, given[name], f"{place}.{name}")
    if "speech" in inputs or "recognizer" in given or "partialResultHook" in given:
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
    between = seconds(given.get("interDigitTimeout")) if most > 1 else None
    if "interDigitTimeout" in given and most == 1:
        body.lose(place, "interDigitTimeout of `gather`", "one digit has none before it")
    wanted = verbs.Wanted(most, finish, seconds(given.get("timeout"), 5), least, between)
    name = verbs.gather(body, wanted, prompt)
    _hook(body, given, place, {"digits": nodes.Name(name)})


def _dial(body: Body, given: Verb, place: str) -> None:
    sends = dial(body, given, place)
    if sends is not None:
        _hook(body, given, place, sends)


def _conference(body: Body, given: Verb, place: str) -> None:
    conference(body, given, place)
    _hook(body, given, place, {})


def _redirect(body: Body, given: Verb, place: str) -> None:
    if not given.get("actionHook"):
        body.lose(place, "`redirect`", "it has no `actionHook`")
        return
    _hook(body, given, place, {})
    body.end(nodes.Hangup())


def _hangup(body: Body, given: Verb, place: str) -> None:
    if given.get("headers"):
        body.lose(place, "headers of `hangup`", _HEADERS)
    body.end(nodes.Hangup())


def _decline(body: Body, given: Verb, place: str) -> None:
    if given.get("headers"):
        body.lose(place, "headers of `sip:decline`", _HEADERS)
    status = count(given.get("status"), 603, 699)
    word = {code: word for word, code in REJECTIONS.items()}.get(status)
    if given.get("reason"):
        body.lose(place, "reason of `sip:decline`", "a status has the words that RFC 3261 gives it")
    if not body.is_first or body.draft.outbound:
        body.lose(place, "`sip:decline`", "the call has been answered by now: it is hung up", "to do")
        body.end(nodes.Hangup())
        return
    if status not in STATUSES:
        body.lose(place, f"the status {status}", "no call is turned away with it; 603 is said")
        word = "declined"
    body.end(nodes.Reject(cast("nodes.RejectReason | None", word) or status))


def _dtmf(body: Body, given: Verb, _: str) -> None:
    body.add(*sent(given.get("dtmf"), {"W": 500, ",": 500}))


def _message(body: Body, given: Verb, place: str) -> None:
    receiver, text = number(body.draft, given.get("to")), body.draft.text(words(given.get("text")))
    if receiver is None or not text.parts:
        body.lose(place, "`message`", "it has no number that can be texted, or no text")
        return
    if given.get("from"):
        body.lose(place, "from of `message`", "a message goes from the number that the server is given")
    body.add(nodes.Sms(receiver, text))
    _hook(body, given, place, {})


def _refer(body: Body, given: Verb, place: str) -> None:
    there = verbs.callee(body, place, given.get("referTo"), sip=True)
    if there is None:
        body.lose(place, "`sip:refer`", "it says nobody to transfer to who can be called")
        return
    if given.get("headers"):
        body.lose(place, "headers of `sip:refer`", _HEADERS)
    body.add(nodes.Transfer(there))
    if given.get("actionHook"):
        why = "the script is over where the transfer succeeds: say what is to be told in `on hangup`"
        body.lose(place, "actionHook of `sip:refer`", why, "to do")
    _hook(body, given, place, {"refer_status": nodes.text("failed")})


def _enqueue(body: Body, given: Verb, place: str) -> None:
    came = enqueue(body, given, place)
    if came is not None:
        _hook(body, given, place, came)


def _dequeue(body: Body, given: Verb, place: str) -> None:
    within = seconds(given.get("timeout"))
    if verbs.serve(body, place, words(given.get("name")), within, None):
        _hook(body, given, place, {})


_VERBS: dict[str, Callable[[Body, Verb, str], None]] = {
    "answer": _answer,
    "config": _config,
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
