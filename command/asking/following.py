"""Follow a run on a running server: its lines are printed as they come, and Ctrl-C hangs up."""

import sys
import time
from collections.abc import Iterable
from typing import Any

from ringful.command.asking.client import Client, NotReached
from ringful.command.errors import CommandError
from ringful.http.present import line_as_text
from ringful.interpreter.trace import Line

WAIT = "20"
"""Seconds that the server may hold an answer back until something happens."""
LOST_AFTER = 60.0
"""Seconds without any answer after which following is given up."""


class Follower:
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
