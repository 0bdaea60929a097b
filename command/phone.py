"""`ringful phone`: a phone that answers or calls, for trying things."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ringful.command.arguments.called import sip_uri
from ringful.command.arguments.durations import seconds
from ringful.command.arguments.pairs import pitches
from ringful.command.arguments.readable import readable
from ringful.command.configuration.address import split_address
from ringful.command.errors import CommandError
from ringful.command.serving.ports import check_udp


def phone(
    *,
    listen: str | None = None,
    call: str | None = None,
    server: str = "127.0.0.1:5060",
    caller_id: str | None = None,
    give_up_after: str | None = None,
    answer_after: str = "1s",
    status: int = 200,
    press: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    say: Path | None = None,
    say_after: int = 0,
    hear: Path | None = None,
    hang_up_after: str | None = None,
    calls: int = 0,
    json: bool = False,
    case: Path | None = None,
    sound: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
) -> None:
    """Answer calls, or make one: real SIP, in this process.

    Parameters
    ----------
    listen
        The SIP address to listen on, 127.0.0.1:5070 where none is given; port 0 takes any, as does --call.
    call
        Call this number, or SIP URI, instead of waiting for calls; the exit code is 1 if nobody answers.
    server
        Where the server takes calls: its sip.bind.
    caller_id
        The number to call from.
    give_up_after
        With --call: how long to let it ring.
    answer_after
        How long it rings first.
    status
        200 answers; 486 is busy, 603 declines.
    press
        Keys and when: 1@3s is three seconds after the answer, 1@quiet when the line has gone quiet.
    say
        A WAV (16-bit, 8 kHz, mono) to speak.
    say_after
        Speak when so many presses are done.
    hear
        Record what is heard to this WAV.
    hang_up_after
        Hang up so long after the last key and word.
    calls
        End after so many calls; 0 goes on for ever.
    json
        Print events as JSON.
    case
        Do what the phones of this golden case do, each under its number, whatever else is said here.
    sound
        With --case: a tone that stands for an announcement, so that it is known when it is heard:
        440=http://h/welcome.wav (Hz; any but 250).
    """
    address = listen or ("127.0.0.1:0" if call and not case else "127.0.0.1:5070")
    check_udp("--listen", address)
    if case:
        _act(case, sound or [], address)
        return
    # pjsua2 is loaded only where it is used: it takes a moment, and speaks at once.
    from ringful.media.phone import PhoneOptions, parse_press, run_phone

    host, at_port = split_address(address)
    try:
        presses = tuple(parse_press(one) for one in press or ())
    except ValueError as error:
        raise CommandError(str(error), 2) from error
    options = PhoneOptions(
        address=host,
        port=at_port,
        answer_after=seconds(answer_after),
        status=status,
        press=presses,
        say=say,
        say_after_presses=say_after,
        hear=hear,
        hang_up_after=None if hang_up_after is None else seconds(hang_up_after),
        calls=calls,
        json=json,
        call=sip_uri(call, server) if call else "",
        caller_id=caller_id,
        give_up_after=None if give_up_after is None else seconds(give_up_after),
    )
    run_phone(options)


def _act(case: Path, sounds: list[str], listen: str) -> None:
    """Do what the phones of *case* do."""
    from ringful.simulation.cases.reader import read_case
    from ringful.simulation.phones.acting import run_acting_phone
    from ringful.simulation.simulate import world_of

    tones = pitches(sounds)
    with readable():
        outside = world_of(read_case(case))
    # pjsua2 is loaded only where it is used.
    from ringful.media.engine.endpoint import EngineConfig
    from ringful.media.engine.pjsua import Engine

    host, at_port = split_address(listen)
    config = EngineConfig(host, at_port)
    run_acting_phone(
        outside,
        tones,
        host,
        lambda emit, on_call: Engine(config, emit, on_call=on_call, log=lambda line: None),
    )
