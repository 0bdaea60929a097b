"""Build statements: a method for each rule that makes one line's node."""

from itertools import pairwise
from typing import Any, TypeVar

from lark import Token

from ringful.grammar import nodes
from ringful.grammar.reading.clauses import NOTHING, gathered, required
from ringful.grammar.reading.expressions import Children, plain, span_of, word
from ringful.grammar.reading.known import current
from ringful.grammar.vocabulary import REJECTIONS, STATUSES

LineT = TypeVar("LineT", bound=nodes.Line)


def _line(kind: type[LineT], c: Children, *values: Any, **fields: Any) -> LineT:
    """Make a *kind* of *values* and of the clauses among *c*."""
    return kind(*values, **gathered(c), **fields, span=span_of(c))


def _block(c: Children) -> nodes.Block | None:
    """Give the block that ends the statement, if one does."""
    return c[-1] if isinstance(c[-1], nodes.Block) else None


def _needed(c: Children) -> nodes.Block:
    block = _block(c)
    assert block is not None
    return block


class StatementRules:
    """The rules of statements, by name."""

    def param(self, c: Children) -> nodes.Param:
        default = c[-1] if isinstance(c[-2], Token) and c[-2].type == "EQUALS" else None
        return _line(nodes.Param, c, word(c[1]), default)

    def use(self, c: Children) -> nodes.Use:
        return _line(nodes.Use, c, plain(c[1], "a file's name"))

    def call(self, c: Children) -> nodes.Call:
        number = next(child for child in c[1:] if isinstance(child, nodes.Node))
        return _line(nodes.Call, c, number, block=_block(c))

    def start_call(self, c: Children) -> nodes.Call:
        number = next(child for child in c[2:] if isinstance(child, nodes.Node))
        return _line(nodes.Call, c, number, block=_block(c), started=True)

    def inbound(self, c: Children) -> nodes.Inbound:
        return _line(nodes.Inbound, c, c[1])

    def inbound_sms(self, c: Children) -> nodes.InboundSms:
        return _line(nodes.InboundSms, c, c[2])

    def answer(self, c: Children) -> nodes.Answer:
        return _line(nodes.Answer, c)

    def reject(self, c: Children) -> nodes.Reject:
        if len(c) < 2:
            return _line(nodes.Reject, c, None)
        said: Any = str(c[1])
        if said not in REJECTIONS:
            hint = f"write one of {', '.join(map(str, sorted(STATUSES)))}, or a word such as `busy`"
            if not said.isdecimal() or int(said[:4]) not in STATUSES:
                message = f"`{said}` is no SIP status that a call can be rejected with"
                current().complain(message, current().span(c[1]), hint)
            said = int(said) if said.isdecimal() else None
        return _line(nodes.Reject, c, said)

    def play(self, c: Children) -> nodes.Play:
        played = _line(nodes.Play, c, c[1])
        if played.forever:
            hint = "write `start play … forever`, and `stop play` where it is to end"
            current().complain("nothing would come after this", played.span, hint)
        return played

    def start_play(self, c: Children) -> nodes.Play:
        played = _line(nodes.Play, c, c[2], background=True)
        if played.forever and played.times is not None:
            current().complain("`times` and `forever` cannot both be meant", played.span, "leave one out")
        return played

    def stop_play(self, c: Children) -> nodes.StopPlay:
        return _line(nodes.StopPlay, c)

    def pause_play(self, c: Children) -> nodes.PausePlay:
        return _line(nodes.PausePlay, c)

    def resume_play(self, c: Children) -> nodes.ResumePlay:
        return _line(nodes.ResumePlay, c)

    def skip(self, c: Children) -> nodes.Skip:
        return _line(nodes.Skip, c, c[-1], str(c[1]) if len(c) > 2 else "on")

    def speed(self, c: Children) -> nodes.Speed:
        return _line(nodes.Speed, c, str(c[1]) if isinstance(c[1], Token) else c[1])

    def say(self, c: Children) -> nodes.Say:
        return _line(nodes.Say, c, c[1])

    def record(self, c: Children) -> nodes.Record:
        return _line(nodes.Record, c)

    def start_record(self, c: Children) -> nodes.StartRecord:
        return _line(nodes.StartRecord, c)

    def stop_record(self, c: Children) -> nodes.StopRecord:
        return _line(nodes.StopRecord, c)

    def tone(self, c: Children) -> nodes.Tone:
        return _line(nodes.Tone, c, c[1])

    def wait(self, c: Children) -> nodes.Wait:
        return _line(nodes.Wait, c, c[1])

    def wait_event(self, c: Children) -> nodes.WaitEvent:
        return _line(nodes.WaitEvent, c, c[2])

    def on_event(self, c: Children) -> nodes.OnEvent:
        return _line(nodes.OnEvent, c, c[2], _needed(c))

    def signal(self, c: Children) -> nodes.Signal:
        return _line(nodes.Signal, c, c[1])

    def wait_call(self, c: Children) -> nodes.WaitCall:
        return _line(nodes.WaitCall, c, word(c[2]))

    def wait_tone(self, c: Children) -> nodes.WaitTone:
        return _line(nodes.WaitTone, c, c[2])

    def start_tones(self, c: Children) -> nodes.StartTones:
        fields, span = gathered(c), span_of(c)
        notify = required(fields, "notify", "`notify URL`, where the tones are posted,", span, NOTHING)
        return nodes.StartTones(notify, span=span)

    def stop_tones(self, c: Children) -> nodes.StopTones:
        return _line(nodes.StopTones, c)

    def gather(self, c: Children) -> nodes.Gather:
        fields, span = gathered(c), span_of(c)
        wanted = "`digits`, how many to collect, e.g. `digits 4` or `digits 1..4`,"
        least, most, fields["keys"] = required(fields, "digits", wanted, span, (NOTHING, None, False))
        return nodes.Gather(word(c[1]), least, most, prompt=_block(c) or nodes.Block(), **fields, span=span)

    def conference(self, c: Children) -> nodes.Conference:
        return _line(nodes.Conference, c, word(c[1]))

    def join(self, c: Children) -> nodes.Join:
        return _line(nodes.Join, c, c[1])

    def start_join(self, c: Children) -> nodes.Join:
        return _line(nodes.Join, c, c[2], background=True)

    def leave(self, c: Children) -> nodes.Leave:
        return _line(nodes.Leave, c, c[1])

    def end(self, c: Children) -> nodes.End:
        return _line(nodes.End, c, c[1])

    def in_conference(self, c: Children) -> nodes.In:
        return _line(nodes.In, c, c[1], _needed(c))

    def members(self, c: Children) -> nodes.Members:
        who = None if isinstance(c[1], Token) else c[1]
        return _line(nodes.Members, c, str(c[0]), who, c[3])

    def coach(self, c: Children) -> nodes.Coach:
        return _line(nodes.Coach, c, None if isinstance(c[1], Token) else c[1], c[3])

    def connect(self, c: Children) -> nodes.Connect:
        legs = [word(child) for child in c[1:] if isinstance(child, Token) and child.type == "NAME"]
        return _line(nodes.Connect, c, legs[0], more=tuple(legs[1:]))

    def connect_to(self, c: Children) -> nodes.ConnectTo:
        number = next(child for child in c[2:] if isinstance(child, nodes.Node))
        return _line(nodes.ConnectTo, c, number)

    def transfer(self, c: Children) -> nodes.Transfer:
        return _line(nodes.Transfer, c, c[1])

    def queue(self, c: Children) -> nodes.Queue:
        return _line(nodes.Queue, c, c[1], block=_block(c) or nodes.Block())

    def serve(self, c: Children) -> nodes.Serve:
        return _line(nodes.Serve, c, c[1])

    def give(self, c: Children) -> nodes.Give:
        return _line(nodes.Give, c, c[1])

    def mute(self, c: Children) -> nodes.Mute:
        return _line(nodes.Mute, c, word(c[1]) if len(c) > 1 else None)

    def unmute(self, c: Children) -> nodes.Unmute:
        return _line(nodes.Unmute, c, word(c[1]) if len(c) > 1 else None)

    def hangup(self, c: Children) -> nodes.Hangup:
        return _line(nodes.Hangup, c, word(c[1]) if len(c) > 1 else None)

    def sms(self, c: Children) -> nodes.Sms:
        return _line(nodes.Sms, c, c[1], c[2])

    def notify_statement(self, c: Children) -> nodes.Notify:
        return _line(nodes.Notify, c, c[1])

    def ask(self, c: Children) -> nodes.Ask:
        fields, span = gathered(c), span_of(c)
        name = required(fields, "name", "`as NAME`, the name for the answer,", span, "answer")
        return nodes.Ask(c[1], name, **fields, span=span)

    def follow(self, c: Children) -> nodes.Follow:
        return _line(nodes.Follow, c, c[1])

    def let(self, c: Children) -> nodes.Let:
        return _line(nodes.Let, c, word(c[1]), c[3])

    def if_statement(self, c: Children) -> nodes.If:
        otherwise = c[4] if len(c) > 3 else None
        if isinstance(otherwise, nodes.If):
            otherwise = nodes.Block((otherwise,), span=otherwise.span)
        return nodes.If(c[1], c[2], otherwise, span=span_of(c))

    def repeat(self, c: Children) -> nodes.Repeat:
        return _line(nodes.Repeat, c, c[1], _needed(c))

    def for_each(self, c: Children) -> nodes.For:
        return _line(nodes.For, c, word(c[1]), c[3], _needed(c))

    def break_loop(self, c: Children) -> nodes.Break:
        return _line(nodes.Break, c)

    def again(self, c: Children) -> nodes.Again:
        return _line(nodes.Again, c)

    def back(self, c: Children) -> nodes.Back:
        return _line(nodes.Back, c)

    def until_block(self, c: Children) -> nodes.Until:
        return _line(nodes.Until, c, c[1], _needed(c))

    def until_event(self, c: Children) -> nodes.UntilEvent:
        return _line(nodes.UntilEvent, c, c[2], _needed(c))

    def flow(self, c: Children) -> nodes.Flow:
        names = [child for child in c[2:] if isinstance(child, Token) and child.type == "NAME"]
        parameters = tuple(word(name) for name in names)
        for number, name in enumerate(names):
            if name in parameters[:number]:
                current().complain(f"`{name}` is a parameter twice", current().span(name))
        return _line(nodes.Flow, c, word(c[1]), parameters, _needed(c))

    def do(self, c: Children) -> nodes.Do:
        arguments = tuple(child for child in c[2:] if isinstance(child, nodes.Node))
        return _line(nodes.Do, c, word(c[1]), arguments)

    def return_flow(self, c: Children) -> nodes.Return:
        return _line(nodes.Return, c, c[1] if len(c) > 1 else None)

    def clock(self, c: Children) -> nodes.Clock:
        fields, span = gathered(c), span_of(c)
        name = required(fields, "name", "`as NAME`, the name for what it shows,", span, "now")
        zone = c[1:2] if len(c) > 1 and isinstance(c[1], nodes.Node) else ()
        return nodes.Clock(name, *zone, **fields, span=span)

    def pick(self, c: Children) -> nodes.Pick:
        fields, span = gathered(c), span_of(c)
        name = required(fields, "name", "`as NAME`, the name for what is picked,", span, "one")
        last = next(
            (after for to, after in pairwise(c) if isinstance(to, Token) and to.type == "UP_TO"), None
        )
        return nodes.Pick(c[1], name, last, **fields, span=span)

    def stay(self, c: Children) -> nodes.Stay:
        return _line(nodes.Stay, c)

    def on_hangup(self, c: Children) -> nodes.OnHangup:
        return _line(nodes.OnHangup, c, _needed(c))

    def on_tone(self, c: Children) -> nodes.OnTone:
        return _line(nodes.OnTone, c, c[2], _needed(c))

    def on_member(self, c: Children) -> nodes.OnMember:
        return _line(nodes.OnMember, c, str(c[1]), _needed(c))

    def start(self, c: Children) -> nodes.Start:
        return _line(nodes.Start, c, _needed(c))
