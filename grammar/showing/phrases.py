"""Show the words of a line: all of it but its blocks.

The clauses come in the order of the node's docstring.
"""

from typing import TypeAlias, assert_never

from ringful.grammar import nodes
from ringful.grammar.showing.expressions import (
    WIDTH,
    quoted,
    show_expression,
    show_map,
    show_message,
    show_primary,
    show_unless,
)

_Head: TypeAlias = nodes.Param | nodes.Use | nodes.Call | nodes.Inbound | nodes.InboundSms
_Sound: TypeAlias = (
    nodes.Answer
    | nodes.Reject
    | nodes.Play
    | nodes.StopPlay
    | nodes.Steering
    | nodes.Say
    | nodes.Record
    | nodes.StartRecord
    | nodes.StopRecord
)
_Keys: TypeAlias = (
    nodes.Tone
    | nodes.Wait
    | nodes.WaitCall
    | nodes.WaitEvent
    | nodes.WaitTone
    | nodes.StartTones
    | nodes.StopTones
    | nodes.Gather
    | nodes.Menu
    | nodes.Choice
)
_Asked: TypeAlias = nodes.Gather | nodes.Menu
_Legs: TypeAlias = (
    nodes.Conference
    | nodes.Join
    | nodes.Leave
    | nodes.End
    | nodes.In
    | nodes.Members
    | nodes.Coach
    | nodes.Connect
    | nodes.ConnectTo
    | nodes.Queue
    | nodes.Serve
    | nodes.Transfer
    | nodes.Give
    | nodes.Mute
    | nodes.Unmute
    | nodes.Hangup
)
_Web: TypeAlias = nodes.Signal | nodes.Sms | nodes.Notify | nodes.Ask | nodes.Follow
_Control: TypeAlias = (
    nodes.Let
    | nodes.If
    | nodes.Repeat
    | nodes.For
    | nodes.Break
    | nodes.Clock
    | nodes.Pick
    | nodes.Again
    | nodes.Back
    | nodes.Until
    | nodes.UntilEvent
    | nodes.Flow
    | nodes.Do
    | nodes.Return
    | nodes.OnHangup
    | nodes.OnTone
    | nodes.OnEvent
    | nodes.OnMember
    | nodes.Start
    | nodes.Stay
)
AnyLine: TypeAlias = _Head | _Sound | _Keys | _Legs | _Web | _Control


def phrase(line: AnyLine, indent: str, *, head: bool = False) -> str:
    """Show *line* without its blocks; *indent* stands before its further lines, if it has any.

    *head*: it is the script's header.
    """
    match line:
        case nodes.Call(block=None) if not head:
            return _join("start", *_head(line))
        case nodes.Param() | nodes.Use() | nodes.Call() | nodes.Inbound() | nodes.InboundSms():
            return _join(*_head(line))
        case nodes.Answer() | nodes.Reject() | nodes.Play() | nodes.StopPlay() | nodes.Say():
            return _join(*_sound(line))
        case nodes.Record() | nodes.StartRecord() | nodes.StopRecord():
            return _join(*_sound(line))
        case nodes.PausePlay() | nodes.ResumePlay() | nodes.Skip() | nodes.Speed():
            return _join(*_heard(line))
        case (
            nodes.Tone()
            | nodes.Wait()
            | nodes.WaitCall()
            | nodes.WaitEvent()
            | nodes.WaitTone()
            | nodes.StartTones()
            | nodes.StopTones()
        ):
            return _join(*_keys(line))
        case nodes.Gather() | nodes.Menu() | nodes.Choice():
            return _join(*_keys(line))
        case nodes.Signal() | nodes.Sms() | nodes.Notify() | nodes.Ask() | nodes.Follow():
            flat = _join(*_web(line, None))
            return flat if len(indent) + len(flat) <= WIDTH else _join(*_web(line, indent))
        case nodes.Conference() | nodes.Join() | nodes.Leave() | nodes.End() | nodes.In() | nodes.Connect():
            return _join(*_legs(line))
        case nodes.Queue() | nodes.Serve() | nodes.ConnectTo():
            return _join(*_legs(line))
        case (
            nodes.Members()
            | nodes.Coach()
            | nodes.Transfer()
            | nodes.Give()
            | nodes.Mute()
            | nodes.Unmute()
            | nodes.Hangup()
        ):
            return _join(*_legs(line))
        case _:
            return _join(*_control(line))


def _join(*words: str) -> str:
    return " ".join([word for word in words if word])


def _with(word: str, value: nodes.Expression | str | None) -> str:
    """Show a clause, or nothing."""
    if value is None:
        return ""
    return f"{word} {value if isinstance(value, str) else show_expression(value)}"


def _tones(word: str, tones: nodes.Expression | None) -> str:
    """Show a clause that lists tones, or nothing."""
    return "" if tones is None else f"{word} {show_unless(tones, 'any')}"


def _to(last: nodes.Expression | None) -> str:
    return "" if last is None else f"..{show_expression(last)}"


def _flag(word: str, given: bool) -> str:
    return word if given else ""


def _one(number: nodes.Expression) -> str:
    return show_unless(number, "all")


def _head(line: _Head) -> tuple[str, ...]:
    match line:
        case nodes.Param(name, default, secret):
            return "param", name, _flag("secret", secret), _with("=", default)
        case nodes.Use(path):
            return "use", quoted(path)
        case nodes.Call(number, caller_id, ring, notify, name):
            who = _flag("all", line.every), (show_expression if line.every else _one)(number)
            shown = _with("from", caller_id), _with("named", line.named), _flag("withheld", line.withheld)
            given = _with("diverted from", line.diverted), _with("ring", ring), _with("notify", notify)
            return "call", *who, *shown, *given, _with("as", name)
        case nodes.Inbound(number, notify):
            return "inbound", show_unless(number, "sms"), _with("notify", notify)
        case nodes.InboundSms(number, keyword, notify):
            return "inbound sms", show_expression(number), _with("keyword", keyword), _with("notify", notify)
        case _:
            assert_never(line)


def _sound(line: _Sound) -> tuple[str, ...]:
    match line:
        case nodes.Answer():
            return ("answer",)
        case nodes.Reject(reason):
            return "reject", "" if reason is None else str(reason)
        case nodes.Play(audio, until, times, notify, background):
            verb, often = "start play" if background else "play", _with("times", times)
            how = _flag("early", line.early), *_from(line), _tones("until", until)
            told = often or _flag("forever", line.forever), _with("as", line.name), _with("notify", notify)
            return verb, show_expression(audio), *how, *told
        case nodes.StopPlay():
            return ("stop play",)
        case nodes.Say(text, voice, until, notify):
            last = _tones("until", until), _with("as", line.name), _with("notify", notify)
            spoken = _flag("early", line.early), _with("voice", voice), *_from(line)
            return "say", show_expression(text), *spoken, *last
        case nodes.PausePlay() | nodes.ResumePlay() | nodes.Skip() | nodes.Speed():
            return _heard(line)
        case nodes.Record(name, limit, until, silence, beep, notify):
            ends = _with("for", limit), _tones("until", until), _with("silence", silence)
            return (
                "record",
                _with("as", name),
                _with("within", line.within),
                *ends,
                _flag("beep", beep),
                _with("notify", notify),
            )
        case nodes.StartRecord(name, notify):
            return "start record", _with("as", name), _with("notify", notify)
        case nodes.StopRecord():
            return ("stop record",)
        case _:
            assert_never(line)


def _from(line: nodes.Play | nodes.Say) -> tuple[str, ...]:
    """Show where in a sound it begins, and how fast it is."""
    return _with("from", line.start), _with("speed", line.speed)


def _heard(line: nodes.Steering) -> tuple[str, ...]:
    """Show what is done with a sound that is heard."""
    match line:
        case nodes.PausePlay(name):
            return "pause play", _with("as", name)
        case nodes.ResumePlay():
            return ("resume play",)
        case nodes.Skip(time, way):
            return "skip", _flag(way, way != "on"), show_unless(time, "back", "to")
        case nodes.Speed(speed):
            return "speed", speed if isinstance(speed, str) else show_unless(speed, "up", "down")
        case _:
            assert_never(line)


def _keys(line: _Keys) -> tuple[str, ...]:
    match line:
        case nodes.Tone(tones):
            return "tone", show_expression(tones)
        case nodes.Wait(duration):
            return "wait", show_unless(duration, "tone", "call", "event")
        case nodes.WaitEvent(event, name, limit, otherwise):
            given = _with("as", name), _with("for", limit)
            return "wait event", show_expression(event), *given, _flag("else", otherwise is not None)
        case nodes.WaitCall(leg, name, limit, otherwise):
            given = _with("as", name), _with("for", limit)
            return "wait call", leg, *given, _flag("else", otherwise is not None)
        case nodes.WaitTone(tones, fresh, name, limit, notify, otherwise):
            clauses = _flag("fresh", fresh), _with("as", name), _with("for", limit), _with("notify", notify)
            return "wait tone", show_unless(tones, "any"), *clauses, _flag("else", otherwise is not None)
        case nodes.StartTones(notify):
            return "start tones", _with("notify", notify)
        case nodes.StopTones(notify):
            return "stop tones", _with("notify", notify)
        case nodes.Gather(name, least, most, until):
            count = show_expression(least) + _to(most)
            what = _flag("secret", line.secret), f"{'keys' if line.keys else 'digits'} {count}"
            return "gather", name, *what, _tones("until", until), *_asking(line), _with("notify", line.notify)
        case nodes.Menu(name=name):
            return "menu", _with("as", name), *_asking(line)
        case nodes.Choice(tones):
            return (show_unless(tones, "prompt", "timeout", "otherwise", "any"),)
        case _:
            assert_never(line)


def _asking(line: _Asked) -> tuple[str, ...]:
    """Show how keys are asked for."""
    times = _with("for", line.limit), _with("between", line.between), _with("within", line.within)
    tries = _with("tries", line.tries), _with("counting", line.counting)
    both = (*tries, *times) if isinstance(line, nodes.Menu) else (*times, *tries)
    return *both, _flag("fresh", line.fresh)


def _legs(line: _Legs) -> tuple[str, ...]:
    match line:
        case nodes.Conference() | nodes.Join():
            return _room(line)
        case nodes.Leave(conference):
            return "leave", show_expression(conference)
        case nodes.End(conference):
            return "end", show_expression(conference)
        case nodes.In(conference):
            return "in", show_expression(conference)
        case nodes.Members(change, who, conference):
            shown = "others" if who is None else show_primary(who, "others")
            return change, shown, _with("from" if change == "kick" else "in", conference)
        case nodes.Coach(who, conference):
            shown = "others" if who is None else show_primary(who, "others")
            return "coach", shown, _with("in", conference)
        case nodes.Connect(leg, limit, otherwise):
            how = _flag("early", line.early), _with("for", limit), _with("as", line.name)
            return "connect", ", ".join(line.legs), *how, _flag("else", otherwise is not None)
        case nodes.ConnectTo(number, caller_id, ring, notify, limit, otherwise):
            whom = _flag("all", line.every), (show_expression if line.every else _one)(number)
            rings = _with("from", caller_id), _with("ring", ring), _with("notify", notify)
            ends = _flag("early", line.early), _with("for", limit), _with("as", line.name)
            return "connect to", *whom, *rings, *ends, _flag("else", otherwise is not None)
        case nodes.Queue(queue, limit, name, notify):
            given = _with("for", limit), _with("as", name), _with("notify", notify)
            return "queue", show_expression(queue), *given
        case nodes.Serve(queue, within, limit, name, notify, otherwise):
            given = _with("for", limit), _with("as", name), _with("notify", notify)
            last = _flag("else", otherwise is not None)
            return "serve", show_expression(queue), _with("within", within), *given, last
        case nodes.Transfer(number, name):
            return "transfer", show_expression(number), _with("as", name)
        case nodes.Give(value):
            return "give", show_expression(value)
        case nodes.Mute(leg):
            return "mute", leg or ""
        case nodes.Unmute(leg):
            return "unmute", leg or ""
        case nodes.Hangup(leg):
            return "hangup", leg or ""
        case _:
            assert_never(line)


def _room(line: nodes.Conference | nodes.Join) -> tuple[str, ...]:
    most, notify = _with("most", line.size), _with("notify", line.notify)
    match line:
        case nodes.Conference(name, moderator, waiting, named=named, speaking=speaking):
            who = _with("named", named), _with("moderator", moderator), _flag("waiting", waiting)
            return "conference", name, *who, most, _flag("speaking", speaking), notify
        case nodes.Join(conference, moderator, muted, waiting=waiting, deaf=deaf):
            verb = _flag("start", line.background), "join", show_expression(conference)
            how = _flag("as moderator", moderator), _flag("waiting", waiting), _flag("alone", line.alone)
            coached = f"coaching {show_primary(line.coaching)}" if line.coaching else ""
            heard = _flag("muted", muted), _flag("deaf", deaf), coached, most
            ends = _with("within", line.within), _with("for", line.limit), _with("as", line.name)
            return *verb, *how, *heard, *ends, notify
        case _:
            assert_never(line)


def _web(line: _Web, indent: str | None) -> tuple[str, ...]:
    """Show *line*; with *indent* its map has a line for each entry."""
    match line:
        case nodes.Signal(event, fields, call):
            return "signal", show_expression(event), _fields(fields, indent), _with("to", call)
        case nodes.Sms(number, text, operator, notify):
            clauses = _with("via", operator), _with("notify", notify)
            return "sms", show_primary(number), show_message(text), *clauses
        case nodes.Notify(url, fields):
            return "notify", show_expression(url), _fields(fields, indent)
        case nodes.Ask(url, name, fields, limit, otherwise):
            answer = _with("as", name), _with("for", limit), _flag("else", otherwise is not None)
            return "ask", show_expression(url), _fields(fields, indent), *answer
        case nodes.Follow(url, fields, limit, otherwise):
            ends = _with("for", limit), _flag("else", otherwise is not None)
            return "follow", show_expression(url), _fields(fields, indent), *ends
        case _:
            assert_never(line)


def _fields(fields: nodes.Map | None, indent: str | None) -> str:
    if fields is None or indent is None or not fields.entries:
        return _with("with", fields)
    return f"with {show_map(fields, indent)}"


def _control(line: _Control) -> tuple[str, ...]:
    match line:
        case nodes.Let(name, value):
            return "let", name, "=", show_expression(value)
        case nodes.If(condition):
            return "if", show_expression(condition)
        case nodes.Repeat(times):
            return "repeat", show_expression(times), "times"
        case nodes.For(name, items):
            return "for", name, "in", show_expression(items)
        case nodes.Break():
            return ("break",)
        case nodes.Flow(name, parameters):
            return "flow", f"{name}({', '.join(parameters)})"
        case nodes.Do(flow, arguments, name):
            given = ", ".join(show_expression(one) for one in arguments)
            return "do", f"{flow}({given})", _with("as", name)
        case nodes.Return(value):
            return "return", "" if value is None else show_expression(value)
        case nodes.Clock(name, zone):
            return "clock", "" if zone is None else show_expression(zone), _with("as", name)
        case nodes.Pick(items, name, last):
            return "pick", show_expression(items) + _to(last), _with("as", name)
        case nodes.OnHangup():
            return ("on hangup",)
        case nodes.OnTone(tones, name=name):
            return "on tone", show_unless(tones, "any"), _with("as", name)
        case nodes.OnEvent(said, name=name):
            return "on event", show_expression(said), _with("as", name)
        case nodes.Until(tones, name=name):
            return "until", show_unless(tones, "any"), _with("as", name)
        case nodes.UntilEvent(said, name=name):
            return "until event", show_expression(said), _with("as", name)
        case nodes.Again():
            return ("again",)
        case nodes.Back():
            return ("back",)
        case nodes.OnMember(event, name=name):
            return "on", event, _with("as", name)
        case nodes.Start():
            return ("start",)
        case nodes.Stay(limit):
            return "stay", _with("for", limit)
        case _:
            assert_never(line)
