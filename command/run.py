"""`ringful run`: start a script on a running server, and follow it to its end."""

import json
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from ringful.command.client import Client, NotReached, client_of
from ringful.command.errors import CommandError
from ringful.ground.files import read_text
from ringful.http.present import line_as_text
from ringful.interpreter.trace import Line

WAIT = "20"
"""Seconds that the server may hold an answer back until something happens."""
LOST_AFTER = 60.0
"""Seconds without any answer after which following is given up."""


def run(
    file: Path,
    *,
    param: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    url: str | None = None,
    key: str | None = None,
    secret: str | None = None,
    callback: str | None = None,
    label: str | None = None,
    detach: bool = False,
    config: Path | None = None,
) -> None:
    """Start a script on a running server, and print what happens as it happens.

    Exit 0 when it completed, and 1 when it was refused, did not, or something could not be played or
    recorded.  Ctrl-C hangs up and waits for the end; a second one leaves.

    Parameters
    ----------
    param
        A value of the script: order=A-1 takes the kind of the param's default, order:=3 is JSON.
    url
        The server's address; the configuration's, where none is given.
    key
        Whose: its ID or its name; RINGFUL_KEY, or else the only one of the store.
    secret
        Its secret; RINGFUL_SECRET, or else as the store has it.
    callback
        Where the end of the run is posted.
    label
        What the call is called, in lists and callbacks.
    detach
        Print the ID and leave.
    """
    texts, values = _values(param or ())
    client = client_of(config, url, key, secret)
    body = {
        "script": read_text(file),
        "file": file.name,
        "params": values,
        "callbackUrl": callback,
        "label": label,
    }
    call_id = client.say("Run", texts, body=body)
    if detach:
        print(call_id)
        return
    print(f"ringful: {call_id} has started", file=sys.stderr)
    outcome = _Follower(client, call_id).follow()
    if outcome != "completed":
        raise CommandError(f"{call_id} ended: {outcome}")
    if failures := client.ask("QueryCall", {"callId": call_id})["failures"]:
        raise CommandError(f"{call_id} has completed, but {_told(failures)}")
    print(f"ringful: {call_id} has completed", file=sys.stderr)


def _told(failures: Sequence[dict[str, Any]]) -> str:
    """Say in one line how much could not be made, and why: the first reason of each kind."""
    said = []
    for what, one, more in (("play", "sound", "sounds"), ("record", "recording", "recordings")):
        alike = [failure for failure in failures if failure["what"] == what]
        if alike:
            times = sum(failure["times"] for failure in alike)
            others = len({failure["why"] for failure in alike}) - 1
            reasons = f" (and for {others} more)" if others else ""
            said.append(
                f"{times} {one if times == 1 else more} could not be made: {alike[0]['why']}{reasons}"
            )
    return "; ".join(said)


def _values(given: Iterable[str]) -> tuple[dict[str, str], dict[str, Any]]:
    texts: dict[str, str] = {}
    values: dict[str, Any] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise CommandError(f"{one!r}: expected name=value", 2)
        if not name.endswith(":"):
            texts[f"param.{name}"] = value
            continue
        try:
            values[name.removesuffix(":")] = json.loads(value)
        except ValueError as error:
            raise CommandError(f'{one!r}: expected JSON after :=, such as numbers:=["a"]', 2) from error
    return texts, values


class _Follower:
    """Prints the lines of a run as they come."""

    def __init__(self, client: Client, call_id: str) -> None:
        self._client, self._call_id = client, call_id
        self._printed = 0
        self._told = False

    def follow(self) -> str:
        """Follow to the end; give the outcome."""
        while True:
            try:
                found = self._ask()
                self._print(found["lines"])
            except KeyboardInterrupt:
                self._hang_up()
            else:
                if found["ended"]:
                    return str(found["outcome"])

    def _ask(self) -> dict[str, Any]:
        wanted = {"callId": self._call_id, "after": str(self._printed), "wait": WAIT}
        deadline = time.monotonic() + LOST_AFTER
        while True:
            try:
                return self._client.ask("Trace", wanted)
            except NotReached as error:
                # It may be starting again: its journal knows how this went on.
                if time.monotonic() > deadline:
                    raise CommandError(f"{error}; how {self._call_id} goes on is not known") from error
                time.sleep(0.5)

    def _print(self, lines: Iterable[dict[str, Any]]) -> None:
        for line in lines:
            shown = Line(line["at"], line["leg"], line["verb"], line["text"], line["place"] or "")
            print(line_as_text(shown), flush=True)
            self._printed += 1

    def _hang_up(self) -> None:
        if self._told:
            raise KeyboardInterrupt
        self._told = True
        print("ringful: hanging up; Ctrl-C again leaves", file=sys.stderr)
        try:
            self._client.say("Hangup", {"callId": self._call_id})
        except CommandError as error:
            print(f"ringful: {error}", file=sys.stderr)
