"""Verbs that all these systems have, each made in one way."""

from collections.abc import Sequence

from attrs import frozen

from ringful.grammar import nodes
from ringful.grammar.functions import BOUND
from ringful.importing.draft import ANSWER, Body
from ringful.importing.facts import Press, Rung, Speak, Stay
from ringful.importing.values import listed

MOST_DIGITS = 64
"""Where no number of digits is given."""
ENDLESS = 1000
"""How often what has no end is repeated: what the others do for ever."""
SHORTEST_PRESS = 4
"""A caller of a case presses so many keys at most."""


def say(body: Body, said: str, language: str = "", times: int = 1) -> None:
    """Say a text, if there is anything to say."""
    text = body.draft.text(said)
    if not text.parts:
        return
    voice = nodes.text(spoken_in(language)) if spoken_in(language) else None
    spoken = nodes.Say(text, voice)
    match text.parts:
        case (nodes.Name(name),) if name not in BOUND:
            there = nodes.Binary("!=", nodes.Name(name), nodes.Nothing())
            body.add(nodes.If(there, nodes.Block((spoken,))))
        case _:
            repeated(body, spoken, times)
    body.hear(text)


def another_voice(body: Body, place: str, voice: str) -> None:
    """Say that a *voice* is not here."""
    body.lose(place, f"the voice {voice}", "say `voice` with one of this server", "to do")


def spoken_in(language: str) -> str:
    """Give the voice of a language (``en-US``) here; none: the usual one."""
    first, _, region = language.lower().partition("-")
    if not (2 <= len(first) <= 3 and first.isalpha() and first.isascii()) or (first, region) == ("en", "us"):
        return ""
    return "en-gb" if (first, region) == ("en", "gb") else first


def repeated(body: Body, statement: nodes.Statement, times: int) -> None:
    """Do *statement* so many *times*; what is ENDLESS only a hang-up ends."""
    if times == ENDLESS:
        body.draft.facts.append(Stay())
    if times == 1:
        body.add(statement)
    elif isinstance(statement, nodes.Play):
        body.add(nodes.Play(statement.audio, times=nodes.Number(times)))
    else:
        body.add(nodes.Repeat(nodes.Number(times), nodes.Block((statement,))))


def play(body: Body, place: str, address: str, times: int = 1) -> None:
    """Play an announcement of the web."""
    audio = body.draft.address(address)
    if audio is None:
        body.lose(
            place, f"play {address}".strip(), "it has no address that can be fetched; write `play` with one"
        )
        return
    repeated(body, nodes.Play(audio), times)
    body.hear(audio)


@frozen
class Wanted:
    """What a caller is to key: *least* to *most* digits, ended by one of *finish*, within *limit*."""

    most: int
    finish: Sequence[str]
    limit: nodes.Duration | None
    least: int = 1
    between: nodes.Duration | None = None
    """The longest time between two keys; None: 5 s, or less if *limit* is."""


def gather(body: Body, wanted: Wanted, prompt: Body, name: str = "") -> str:
    """Collect digits; give the name that holds them, or none: *name*, or a new one."""
    name = name or body.draft.name("pressed")
    most = nodes.Number(wanted.most) if wanted.most > wanted.least else None
    usual = ["#"] if most else []
    clause = None if list(wanted.finish) == usual else listed(wanted.finish)
    least, one = nodes.Number(wanted.least), nodes.Number(1)
    between = wanted.between
    gathered = nodes.Gather(
        name, least, most, clause, wanted.limit, one, prompt=prompt.block(), between=between
    )
    body.add(gathered)
    digits = "1234"[: min(wanted.most, SHORTEST_PRESS)].ljust(wanted.least, "1")
    full = len(digits) == wanted.most
    finish = "" if full or not wanted.finish else next(iter(wanted.finish))
    body.draft.facts.append(Press(digits + finish, body.draft.heard))
    return name


def follow(body: Body, place: str, url: str, sends: nodes.Map | None, answers: str) -> bool:
    """Let the application say how it goes on, as *answers* (TwiML …) did; say whether it can."""
    address = body.draft.address(url)
    if address is None:
        body.lose(place, f"the address {url}", "it is none of the web; write `follow` with one")
        return False
    body.lose(place, "what the application answers", _script_instead(answers), "to do")
    body.add(nodes.Follow(address, sends, ANSWER))
    body.draft.asked(address)
    return True


def _script_instead(answers: str) -> str:
    return f"let it answer these requests with a script of this language instead of {answers}"


@frozen
class Leg:
    """A phone to call, and what is done on it before it is connected."""

    number: nodes.Expression
    block: nodes.Block | None = None


@frozen
class Ringing:
    """How phones are called."""

    ring: nodes.Duration | None = None
    caller_id: nodes.Expression | None = None
    limit: nodes.Duration | None = None
    recorded: bool = False
    together: bool = False
    """All at the same time: whoever answers first is connected."""
    early: bool = False
    """The caller is answered when the other one answers."""


def dial(
    body: Body,
    legs: Sequence[Leg],
    how: Ringing,
    result: str | None = None,
    words: tuple[str, str] = ("completed", "no-answer"),
) -> None:
    """Call *legs* and connect the first that answers; *result* is to hold which word is true."""
    if result:
        body.add(nodes.Let(result, nodes.text(words[0])))
    recording = body.draft.name("talk") if how.recorded else None
    if recording:
        body.add(nodes.StartRecord(recording))
    failed = nodes.Let(result, nodes.text(words[1])) if result else None
    for leg in legs:
        match leg.number:
            case nodes.Text((str(said),)):
                body.draft.facts.append(Rung(said))
    _dial(body, legs, how, failed)
    if recording:
        body.add(nodes.StopRecord())


def _dial(body: Body, legs: Sequence[Leg], how: Ringing, failed: nodes.Let | None) -> None:
    leg, *others = legs
    several = how.together and len(legs) > 1
    otherwise = body.inner()
    if others and not several:
        _dial(otherwise, others, how, failed)
    elif failed:
        otherwise.add(failed)
    block = otherwise.block() if otherwise.statements else None
    number = nodes.List(tuple(one.number for one in legs)) if several else leg.number
    blocks = [one.block for one in legs if one.block] if several else [leg.block] if leg.block else []
    if not blocks:
        body.add(
            nodes.ConnectTo(
                number, how.caller_id, how.ring, None, how.limit, block, early=how.early, every=several
            )
        )
        return
    name = body.draft.name("line")
    body.add(nodes.Call(number, how.caller_id, how.ring, name=name, block=blocks[0], every=several))
    body.add(nodes.Connect(name, how.limit, block, early=how.early))


@frozen
class Room:
    """How a leg is in a conference."""

    name: str
    moderator: bool = False
    waiting: bool = False
    muted: bool = False
    most: int | None = None
    limit: nodes.Duration | None = None


def conference(body: Body, room: Room) -> None:
    """Put the leg into a conference, until it leaves."""
    named = body.draft.value(room.name.replace(".", "-")[:64] or "room")
    most = nodes.Number(room.most) if room.most else None
    body.add(
        nodes.Join(
            named,
            moderator=room.moderator,
            waiting=room.waiting,
            muted=room.muted,
            size=most,
            limit=room.limit,
        )
    )
    body.draft.facts.append(Stay())


def queue(body: Body, place: str, said: str) -> None:
    """Put the caller into a queue, until somebody serves it and the talk is over."""
    named = body.draft.value(said[:64])
    if isinstance(named, nodes.Text) and not named.parts:
        body.lose(place, "a queue", "it has no name")
        return
    body.add(nodes.Queue(named))
    body.draft.facts.append(Stay())


def serve(
    body: Body, place: str, said: str, within: nodes.Duration | None, limit: nodes.Duration | None
) -> None:
    """Let the caller talk to who waits in a queue."""
    named = body.draft.value(said[:64])
    if isinstance(named, nodes.Text) and not named.parts:
        body.lose(place, "a queue", "it has no name")
        return
    body.add(nodes.Serve(named, within, limit))
    body.draft.facts.append(Stay())


@frozen
class Voicemail:
    """How a caller is recorded."""

    limit: nodes.Duration | None = None
    finish: Sequence[str] = ("#",)
    silence: nodes.Duration | None = None
    beep: bool = True


def record(body: Body, how: Voicemail, name: str = "recording") -> str:
    """Record the caller; give the name of the recording."""
    name = body.draft.name(name)
    until = None if list(how.finish) == ["#"] else listed(how.finish)
    body.add(nodes.Record(name, how.limit, until, how.silence, how.beep))
    body.draft.facts.append(Speak(5, body.draft.heard))
    return name


def was_spoken(recording: str) -> nodes.Expression:
    """Say whether there is somebody to be heard in *recording*."""
    name = nodes.Name(recording)
    there = nodes.Binary("!=", name, nodes.Nothing())
    return nodes.Binary("and", there, nodes.Unary("not", nodes.Field(name, "silent")))
