"""Verbs that all these systems have, each made in one way."""

import re
from collections.abc import Sequence
from typing import Any

from attrs import evolve, field, frozen

from ringful.grammar import nodes
from ringful.grammar.functions import BOUND
from ringful.importing.draft import ANSWER, Body, fields
from ringful.importing.facts import Press, Rung, Speak, Stay
from ringful.importing.values import listed, number, words

MOST_DIGITS = 64
"""Where no number of digits is given."""
ENDLESS = 1000
"""How often what has no end is repeated: what the others do for ever."""
SHORTEST_PRESS = 4
"""A caller of a case presses so many keys at most."""


def say(
    body: Body,
    said: Sequence[str | nodes.Duration],
    language: str = "",
    times: int = 1,
    *,
    early: bool = False,
    notify: nodes.Expression | None = None,
) -> None:
    """Say texts, with pauses between them, if there is anything to say."""
    voice = spoken_in(language) or body.draft.voice
    statements: list[nodes.Statement] = []
    for one in said:
        if isinstance(one, nodes.Duration):
            statements.append(nodes.Wait(one))
            continue
        text = body.draft.text(one)
        if text.parts:
            spoken = nodes.Say(
                text, nodes.text(voice) if voice else None, early=early and _early(body), notify=notify
            )
            statements.append(_if_there(body, text, spoken))
            body.hear(text)
    repeated(body, statements, times)


def _early(body: Body) -> bool:
    return body.is_first and not body.draft.outbound


def _if_there(body: Body, value: nodes.Expression, statement: nodes.Statement) -> nodes.Statement:
    """Give *statement*, of a *value* that may be none, as one that needs it."""
    name = value.parts[0] if isinstance(value, nodes.Text) and len(value.parts) == 1 else value
    if not isinstance(name, nodes.Name) or name.id in BOUND or name.id in body.draft.params:
        return statement
    return nodes.If(nodes.Binary("!=", name, nodes.Nothing()), nodes.Block((statement,)))


def another_voice(body: Body, place: str, voice: str) -> None:
    """Say that a *voice* is not here."""
    body.lose(place, f"the voice {voice}", "say `voice` with one of this server", "to do")


def spoken_in(language: str) -> str:
    """Give the voice of a language (``en-US``) here; none: the usual one."""
    first, _, region = language.lower().partition("-")
    if not (2 <= len(first) <= 3 and first.isalpha() and first.isascii()) or (first, region) == ("en", "us"):
        return ""
    return "en-gb" if (first, region) == ("en", "gb") else first


def repeated(body: Body, statements: Sequence[nodes.Statement], times: int) -> None:
    """Do *statements* so many *times*; what is ENDLESS only a hang-up ends."""
    if times == ENDLESS and statements:
        body.draft.facts.append(Stay())
    match statements:
        case []:
            return
        case [nodes.Play() as one] if times > 1:
            body.add(evolve(one, times=nodes.Number(times)))
        case _ if times > 1:
            body.add(nodes.Repeat(nodes.Number(times), nodes.Block(tuple(statements))))
        case _:
            body.add(*statements)


def play(
    body: Body,
    place: str,
    address: str,
    times: int = 1,
    *,
    early: bool = False,
    notify: nodes.Expression | None = None,
    start: nodes.Duration | None = None,
) -> None:
    """Play an announcement of the web, from *start* on."""
    audio = body.draft.address(address)
    if audio is None:
        body.lose(
            place, f"play {address}".strip(), "it has no address that can be fetched; write `play` with one"
        )
        return
    played = nodes.Play(audio, early=early and _early(body), notify=notify, start=start)
    repeated(body, [_if_there(body, audio, played)], times)
    body.hear(audio)


def told_to(body: Body, place: str, url: str, what: str) -> nodes.Expression | None:
    """Give the address that is told of what goes on, if *url* is one; *what* named it."""
    if not url:
        return None
    address = body.draft.address(url)
    if address is None:
        body.lose(place, what, "it is no address of the web")
        return None
    body.lose(place, what, "its `notify` is told of it in other words (docs/api.md, callbacks)", "to do")
    return address


def is_a_sound(url: str) -> bool:
    """Say whether *url* is a sound, and no document."""
    return re.search(r"\.(?:wav|mp3|ogg|flac|ulaw|aiff?)(?:\?|$)", url.strip(), re.IGNORECASE) is not None


def background(body: Body, place: str, url: str, what: str, *, early: bool = False) -> bool:
    """Play a sound until something ends it; say whether it can be."""
    audio = body.draft.address(url) if is_a_sound(url) else None
    if audio is None:
        body.lose(place, what, 'it is no sound; write `start play "…" forever` with one before it')
        return False
    body.add(nodes.Play(audio, background=True, forever=True, early=early and _early(body)))
    return True


def callee(body: Body, place: str, value: Any, *, sip: bool = False) -> nodes.Expression | None:
    """Give who is to be called; with *sip*, `user@host` is an address too."""
    said = words(value)
    if sip and "@" in said and not re.match(r"sips?:", said, re.IGNORECASE):
        said = f"sip:{said}"
    if re.match(r"sips?:", said, re.IGNORECASE) and "?" in said:
        body.lose(place, "SIP headers in an address", "a script sends no SIP headers of its own")
        said = said.partition("?")[0]
    return number(body.draft, said)


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
    caller_id: nodes.Expression | None = None
    """None: as all of them."""
    notify: nodes.Expression | None = None


@frozen
class Ringing:
    """How phones are called."""

    ring: nodes.Duration | None = None
    caller_id: nodes.Expression | None = None
    limit: nodes.Duration | None = None
    recorded: bool = False
    told: nodes.Expression | None = None
    """Who is told of the recording."""
    early: bool = False
    """The caller is answered when the other one answers."""
    left_by: str = ""
    """The key that ends the connection."""
    named: nodes.Expression | None = None
    """What the callee is shown beside the number."""


@frozen
class Came:
    """Which words *result* is to hold, by what came of it; *talk* is all that is known of it."""

    result: str
    talk: str
    done: str = "completed"
    reasons: tuple[tuple[str, str], ...] = (("busy", "busy"), ("noanswer", "no-answer"))
    failed: str = "failed"


def dial(body: Body, groups: Sequence[Sequence[Leg]], how: Ringing, came: Came | None = None) -> None:
    """Call the legs of each group at the same time, one group after another; connect who answers first."""
    recording = body.draft.name("recorded") if how.recorded else None
    if came and how.left_by:  # the key may come before anything is known of the connection
        body.add(nodes.Let(came.talk, fields(reason=nodes.text("ended"), seconds=nodes.Number(1))))
    if recording:
        body.add(nodes.StartRecord(recording, how.told))
    for leg in (leg for legs in groups for leg in legs):
        match leg.number:
            case nodes.Text((str(said),)):
                body.draft.facts.append(Rung(said))
    _dial(body, groups, how, came)
    if recording:
        body.add(nodes.StopRecord())
    if came:
        _say_what_came(body, came)


def _say_what_came(body: Body, came: Came) -> None:
    body.add(nodes.Let(came.result, nodes.text(came.done)))
    reason, seconds = (
        nodes.Field(nodes.Name(came.talk), "reason"),
        nodes.Field(nodes.Name(came.talk), "seconds"),
    )
    never = nodes.Binary("==", seconds, nodes.Number(0))
    chain = nodes.If(never, nodes.Block((nodes.Let(came.result, nodes.text(came.failed)),)))
    for why, word in reversed(came.reasons):
        block = nodes.Block((nodes.Let(came.result, nodes.text(word)),))
        chain = nodes.If(nodes.Binary("==", reason, nodes.text(why)), block, nodes.Block((chain,)))
    body.add(chain)


def _dial(body: Body, groups: Sequence[Sequence[Leg]], how: Ringing, came: Came | None) -> None:
    legs, *others = groups
    leg, *more = legs
    several = bool(more)
    otherwise = body.inner()
    if others:
        _dial(otherwise, others, how, came)
    block = otherwise.block() if otherwise.statements else None
    called = nodes.List(tuple(one.number for one in legs)) if several else leg.number
    first = next((one.block for one in legs if one.block), None)
    caller = leg.caller_id or how.caller_id
    talk = came.talk if came else None
    if first is None and how.named is None:
        _connected(
            body,
            nodes.ConnectTo(
                called, caller, how.ring, leg.notify, how.limit, block, talk, early=how.early, every=several
            ),
            how,
        )
        return
    name = body.draft.name("line")
    body.add(
        nodes.Call(
            called,
            caller,
            how.ring,
            leg.notify,
            name,
            first,
            how.named,
            every=several,
            started=first is None,
        )
    )
    _connected(body, nodes.Connect(name, how.limit, block, talk, early=how.early), how)
    if how.left_by:
        body.add(nodes.Hangup(name))


def _connected(body: Body, connect: nodes.Connect | nodes.ConnectTo, how: Ringing) -> None:
    """Add *connect*, which a key may end."""
    if how.left_by:
        body.add(nodes.Until(nodes.text(how.left_by), nodes.Block((connect,))))
    else:
        body.add(connect)


@frozen
class Room:
    """How a leg is in a conference."""

    name: str
    moderator: bool = False
    waiting: bool = False
    muted: bool = False
    most: int | None = None
    limit: nodes.Duration | None = None
    notify: nodes.Expression | None = None
    left_by: str = ""
    """The key that a member leaves by."""
    came: str | None = None
    """The name of what came of it."""


def conference(body: Body, room: Room) -> None:
    """Put the leg into a conference, until it leaves."""
    named = body.draft.value(room.name[:64] or "room")
    if isinstance(named, nodes.Text):  # IDs have dots, and names have none
        named = nodes.Text(
            tuple(one.replace(".", "-") if isinstance(one, str) else one for one in named.parts)
        )
    most = nodes.Number(room.most) if room.most else None
    join = nodes.Join(
        named,
        moderator=room.moderator,
        waiting=room.waiting,
        muted=room.muted,
        size=most,
        limit=room.limit,
        notify=room.notify,
        name=room.came,
    )
    body.add(nodes.Until(nodes.text(room.left_by), nodes.Block((join,))) if room.left_by else join)
    body.draft.facts.append(Stay())


@frozen
class Waiting:
    """How a caller waits in a queue."""

    limit: nodes.Duration | None = None
    block: nodes.Block = field(factory=nodes.Block)
    """What is done while it waits."""
    notify: nodes.Expression | None = None
    came: str | None = None


def queue(body: Body, place: str, said: str, how: Waiting) -> bool:
    """Put the caller into a queue, until somebody serves it and the talk is over; say whether it can be."""
    named = body.draft.value(said[:64])
    if isinstance(named, nodes.Text) and not named.parts:
        body.lose(place, "a queue", "it has no name")
        return False
    body.add(nodes.Queue(named, how.limit, how.came, how.notify, how.block))
    body.draft.facts.append(Stay())
    return True


def serve(
    body: Body,
    place: str,
    said: str,
    within: nodes.Duration | None,
    limit: nodes.Duration | None,
    came: str | None = None,
) -> bool:
    """Let the caller talk to who waits in a queue; say whether it can."""
    named = body.draft.value(said[:64])
    if isinstance(named, nodes.Text) and not named.parts:
        body.lose(place, "a queue", "it has no name")
        return False
    body.add(nodes.Serve(named, within, limit, came))
    body.draft.facts.append(Stay())
    return True


@frozen
class Voicemail:
    """How a caller is recorded."""

    limit: nodes.Duration | None = None
    finish: Sequence[str] = ("#",)
    silence: nodes.Duration | None = None
    beep: bool = True
    within: nodes.Duration | None = None
    """How long it may take until the first word."""
    notify: nodes.Expression | None = None


def record(body: Body, how: Voicemail, name: str = "recording") -> str:
    """Record the caller; give the name of the recording."""
    name = body.draft.name(name)
    until = None if list(how.finish) == ["#"] else listed(how.finish)
    body.add(nodes.Record(name, how.limit, until, how.silence, how.beep, how.notify, how.within))
    body.draft.facts.append(Speak(5, body.draft.heard))
    return name


def was_spoken(recording: str) -> nodes.Expression:
    """Say whether there is somebody to be heard in *recording*."""
    name = nodes.Name(recording)
    there = nodes.Binary("!=", name, nodes.Nothing())
    return nodes.Binary("and", there, nodes.Unary("not", nodes.Field(name, "silent")))
