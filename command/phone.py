"""`ringful phone`: a phone that answers or calls, for trying things."""

import re
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ringful.command.config import split_address
from ringful.command.errors import CommandError
from ringful.command.serving.ports import check_udp
from ringful.grammar.errors import ScriptError


def seconds(text: str) -> float:
    """Read a duration such as ``1s`` or ``500ms``.  Raises CommandError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m)?", text)
    if not found:
        raise CommandError(f"{text!r} is no duration: write 1s or 500ms", 2)
    return float(found[1]) * {"ms": 0.001, "m": 60}.get(found[2] or "s", 1)


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
    if case:
        check_udp("--listen", listen or "127.0.0.1:5070")
        _act(case, sound or [], listen or "127.0.0.1:5070")
        return
    # pjsua2 is loaded only where it is used: it takes a moment, and speaks at once.
    from ringful.media.phone import PhoneOptions, parse_press, run_phone

    address = listen or ("127.0.0.1:0" if call else "127.0.0.1:5070")
    check_udp("--listen", address)
    host, at_port = split_address(address)
    try:
        presses = tuple(parse_press(one) for one in press or ())
    except ValueError as error:
        raise CommandError(str(error), 2) from error
    run_phone(
        PhoneOptions(
            host,
            at_port,
            seconds(answer_after),
            status,
            presses,
            say,
            say_after,
            hear,
            None if hang_up_after is None else seconds(hang_up_after),
            calls,
            json,
            _uri(call, server) if call else "",
            caller_id,
            None if give_up_after is None else seconds(give_up_after),
        )
    )


def _uri(number: str, server: str) -> str:
    """Give the SIP URI of *number* at *server*.  Raises CommandError."""
    if number.lower().startswith("sip:"):
        return number
    plain = re.sub(r"[\s().-]", "", number)
    if not re.fullmatch(r"\+?[0-9*#]{1,32}", plain):
        raise CommandError(f"{number!r} is no number to call: write +15125551234, or a SIP URI", 2)
    return f"sip:{plain}@{server}"


def _act(path: Path, sounds: list[str], listen: str) -> None:
    """Do what the phones of the case at *path* do.  Raises CommandError."""
    from ringful.simulation.cases.reader import read_case
    from ringful.simulation.phones.acting import run_acting_phone
    from ringful.simulation.simulate import world_of

    pitches = {}
    for one in sounds:
        hz, equals, name = one.partition("=")
        if not equals or not hz.isdigit():
            raise CommandError(f"{one!r}: expected a pitch in Hz and a name, e.g. 440=welcome.wav", 2)
        pitches[name] = float(hz)
    try:
        outside = world_of(read_case(path))
    except ScriptError as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"{error.filename}: {error.strerror}", 2) from error
    # pjsua2 is loaded only where it is used.
    from ringful.media.engine.pjsua import Engine, EngineConfig

    host, at_port = split_address(listen)
    config = EngineConfig(host, at_port)
    run_acting_phone(
        outside,
        pitches,
        host,
        lambda emit, on_call: Engine(config, emit, on_call=on_call, log=lambda line: None),
    )
