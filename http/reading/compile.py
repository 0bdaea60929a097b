"""Compile requests to statements: pure, and knowing nothing but the grammar."""

from decimal import Decimal
from typing import TypeAlias, assert_never, overload

from attrs import evolve

from ringful.grammar import nodes
from ringful.http.reading import conferences, messages, queues, requests


def compile_call(request: requests.Call) -> nodes.Script:
    """Give the script of a call that stays up and runs what is queued."""
    ring = None if request.ring_timeout is None else nodes.Duration(request.ring_timeout * 1000)
    header = nodes.Call(
        nodes.text(request.callee),
        caller_id=_text(request.caller_id),
        ring=ring,
        notify=_text(request.callback_url),
        named=_text(request.caller_name),
        withheld=request.withheld,
        diverted=_text(request.diverted_from),
    )
    return nodes.Script(header=header, body=nodes.Block((nodes.Stay(),)))


def compile_call_of(request: requests.Call, script: nodes.Script) -> nodes.Script:
    """Give *script* as it runs on the call that *request* asks for: the request says who is rung.

    What the request leaves open is as the script's own `call` has it.
    """
    asked = compile_call(request).header
    assert isinstance(asked, nodes.Call)
    own = script.header if isinstance(script.header, nodes.Call) else asked
    header = evolve(
        asked,
        caller_id=asked.caller_id or own.caller_id,
        ring=asked.ring or own.ring,
        notify=asked.notify or own.notify,
        named=asked.named or own.named,
        withheld=asked.withheld or own.withheld,
        diverted=asked.diverted or own.diverted,
    )
    return evolve(script, header=header)


def compile_task(request: requests.Task) -> nodes.Statement:
    """Give the one statement that *request* queues (where it is not done at once)."""
    match request:
        case requests.Hangup():
            return nodes.Hangup()
        case requests.Play():
            return _play(request)
        case requests.Say(_, text, voice, until, callback_url, speed):
            told = _text(callback_url)
            return nodes.Say(nodes.text(text), _text(voice), _text(until), told, speed=_number(speed))
        case requests.PausePlay() | requests.ResumePlay() | requests.SkipPlay() | requests.SpeedPlay():
            return compile_steering(request)
        case requests.StopPlay():
            return nodes.StopPlay()
        case requests.Record(_, callback_url):
            return nodes.StartRecord(notify=_text(callback_url))
        case requests.RecordStop():
            return nodes.StopRecord()
        case requests.WaitForTone(_, tone, callback_url, limit):
            return nodes.WaitTone(nodes.text(tone), limit=_time(limit), notify=_text(callback_url))
        case requests.StartToneDetector(_, callback_url):
            return nodes.StartTones(nodes.text(callback_url))
        case requests.StopToneDetector(_, callback_url):
            return nodes.StopTones(_text(callback_url))
        case requests.Tone(_, tones):
            return nodes.Tone(nodes.text(tones))
        case requests.Answer():
            return nodes.Answer()
        case requests.Reject(_, reason):
            return nodes.Reject(None if reason == "declined" else reason)
        case requests.Gather():
            return _gather(request)
        case requests.Connect():
            return _connect(request)
        case requests.Transfer(_, callee):
            return nodes.Transfer(nodes.text(callee))
        case requests.Mute(_, muted):
            return nodes.Mute() if muted else nodes.Unmute()
        case queues.Enqueue(_, queue, limit, announcement, callback_url):
            heard = (nodes.Play(nodes.text(announcement)),) if announcement is not None else ()
            told, block = _text(callback_url), nodes.Block(heard)
            return nodes.Queue(nodes.text(queue), _time(limit), notify=told, block=block)
        case queues.Serve(_, queue, within, limit, callback_url):
            told = _text(callback_url)
            return nodes.Serve(nodes.text(queue), _time(within), _time(limit), notify=told)
        case _:
            assert_never(request)


Steering: TypeAlias = requests.PausePlay | requests.ResumePlay | requests.SkipPlay | requests.SpeedPlay


def compile_steering(request: Steering) -> nodes.Steering:
    """Give the statement that *request* does with what is heard, at once or in its turn."""
    match request:
        case requests.PausePlay():
            return nodes.PausePlay()
        case requests.ResumePlay():
            return nodes.ResumePlay()
        case requests.SkipPlay(_, seconds, absolute):
            time = nodes.Duration(round(abs(seconds) * 1000))
            return nodes.Skip(time, "to" if absolute else "back" if seconds < 0 else "on")
        case requests.SpeedPlay(_, speed):
            return nodes.Speed(speed if isinstance(speed, str) else _number(speed))
        case _:
            assert_never(request)


def _play(request: requests.Play) -> nodes.Play:
    return nodes.Play(
        nodes.text(request.announcement),
        _text(request.until),
        _whole(request.times),
        _text(request.callback_url),
        background=not request.wait_complete,
        start=_time(request.start),
        speed=_number(request.speed),
    )


def _gather(request: requests.Gather) -> nodes.Gather:
    least, most = request.digits
    prompt: tuple[nodes.Statement, ...] = ()
    if request.announcement is not None:
        prompt = (nodes.Play(nodes.text(request.announcement)),)
    elif request.text is not None:
        prompt = (nodes.Say(nodes.text(request.text), _text(request.voice)),)
    return nodes.Gather(
        "digits",
        nodes.Number(least),
        nodes.Number(most) if most > least else None,
        _text(request.until),
        _time(request.limit),
        _whole(request.tries),
        prompt=nodes.Block(prompt),
        between=_time(request.between),
        notify=nodes.text(request.callback_url),
    )


def _connect(request: requests.Connect) -> nodes.ConnectTo:
    numbers = tuple(nodes.text(callee) for callee in request.callees)
    several = len(numbers) > 1
    return nodes.ConnectTo(
        nodes.List(numbers) if several else numbers[0],
        _text(request.caller_id),
        _seconds(request.ring_timeout),
        _text(request.callback_url),
        _time(request.limit),
        every=several,
    )


def compile_message(request: messages.Sending) -> nodes.Script:
    """Give the script of one statement that sends a message."""
    match request:
        case messages.SendReceiveSms(callee, text, callback_url):
            sms = nodes.Sms(nodes.text(callee), nodes.text(text), notify=_text(callback_url))
        case messages.SendSms(callee, text, operator):
            sms = nodes.Sms(nodes.text(callee), nodes.text(text), nodes.text(operator))
    return nodes.Script(nodes.Block((sms,)))


def compile_opening(request: conferences.StartConf, name: str) -> tuple[nodes.Conference, nodes.Join]:
    """Give the statements that open a conference and let its moderator in; *name* is bound to its ID."""
    made = nodes.Conference(
        name,
        nodes.text(request.moderator),
        request.wait_for_participant,
        _text(request.callback_url),
        _text(request.name),
        _whole(request.most),
        request.speaking,
    )
    return made, nodes.Join(nodes.Name(name), moderator=True, background=True)


def compile_moderators_call(request: conferences.StartConf, name: str) -> nodes.Script:
    """Give the script of the call that the moderator of a conference is rung by."""
    header = nodes.Call(nodes.text(request.moderator), notify=_text(request.callback_url))
    return nodes.Script(header=header, body=nodes.Block((*compile_opening(request, name), nodes.Stay())))


def compile_join(request: conferences.JoinConf) -> nodes.Join:
    """Give the statement by which a call joins a conference."""
    return nodes.Join(
        nodes.text(request.conference),
        request.moderator,
        request.muted,
        _text(request.callback_url),
        background=True,
        waiting=request.waiting,
        alone=not request.join_moderator,
        deaf=request.deaf,
        size=_whole(request.most),
        within=_seconds(request.within),
        limit=_seconds(request.limit),
        coaching=_text(request.coach),
    )


def compile_leave(request: conferences.LeaveConf) -> nodes.Leave:
    """Give the statement by which a call leaves a conference in its turn."""
    return nodes.Leave(nodes.text(request.conference))


def _whole(value: int | None) -> nodes.Number | None:
    return None if value is None else nodes.Number(value)


@overload
def _number(value: Decimal) -> nodes.Number: ...


@overload
def _number(value: Decimal | None) -> nodes.Number | None: ...


def _number(value: Decimal | None) -> nodes.Number | None:
    if value is None:
        return None
    return nodes.Number(int(value) if value == int(value) else value.normalize())


def _seconds(value: int | None) -> nodes.Duration | None:
    return None if value is None else nodes.Duration(value * 1000)


def _time(value: float | None) -> nodes.Duration | None:
    return None if value is None else nodes.Duration(round(value * 1000))


def _text(value: str | None) -> nodes.Text | None:
    return None if value is None else nodes.text(value)
