"""`ringful phone`: a phone that answers, for trying things."""

import re
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ringful.command.config import split_address
from ringful.command.errors import CommandError


def seconds(text: str) -> float:
    """Read a duration such as ``1s`` or ``500ms``.  Raises CommandError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m)?", text)
    if not found:
        raise CommandError(f"{text!r} is no duration: write 1s or 500ms", 2)
    return float(found[1]) * {"ms": 0.001, "m": 60}.get(found[2] or "s", 1)


def phone(
    *,
    listen: str = "127.0.0.1:5070",
    answer_after: str = "1s",
    status: int = 200,
    press: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    say: Path | None = None,
    say_after: int = 0,
    hear: Path | None = None,
    hang_up_after: str | None = None,
    calls: int = 0,
    json: bool = False,
) -> None:
    """Answer calls: real SIP, in this process.

    Parameters
    ----------
    listen
        The SIP address to listen on; port 0 takes any.
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
    """
    # pjsua2 is loaded only where it is used: it takes a moment, and speaks at once.
    from ringful.media.phone import PhoneOptions, parse_press, run_phone

    host, at_port = split_address(listen)
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
        )
    )
