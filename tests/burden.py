"""A real server under load: many live calls to one far end, each with a recording and callbacks.

`Burden.settle` holds what must be true whatever happened: every call that was accepted has exactly
one final event, its callbacks came in order, and every recording that was told can be read.
"""

import io
import json
import queue
import wave
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from attrs import define, field

from tests.server import PATIENCE, Receiver, Server, receiver, server
from tests.sipp import sipp

FINAL = {"CalleeHangUp", "ServerHangup", "CallFailed"}
LOADED = {
    "RINGFUL_MEDIA__MAX_CALLS": "200",
    "RINGFUL_LIMITS__CALLS_PER_SECOND": "1000",
    "RINGFUL_LIMITS__CONCURRENT": "1000",
}


@define
class Burden:
    """The server, who is told, and the calls that it has accepted."""

    ringful: Server
    web: Receiver
    accepted: list[str] = field(factory=list)
    told: dict[str, list[dict[str, str]]] = field(factory=lambda: defaultdict(list))
    seen: set[str] = field(factory=set)

    def place(self) -> str:
        """Place a call that plays something, records, and stays."""
        call_id = self.ringful.ask("Call", callee="15125551234", callbackUrl=self.web.url)
        self.accepted.append(call_id)
        for method, more in (("Record", {}), ("Play", {"announcement": f"{self.web.url}/tone.wav"})):
            self.ringful.ask(method, callId=call_id, callbackUrl=self.web.url, **more)
        return call_id

    def place_many(self, number: int) -> None:
        """Place calls until *number* have been accepted, or the server is gone."""
        with suppress(URLError, ConnectionError, HTTPException):
            for _ in range(number):
                self.place()

    def hear(self, until: Callable[[], bool]) -> None:
        """Take what is told until it is enough."""
        while not until():
            _, fields, _ = self.web.arrived.get(timeout=PATIENCE * 2)
            self._take(fields)

    def hear_more(self, number: int) -> None:
        """Take *number* further callbacks, or fewer where no more come for a moment."""
        with suppress(queue.Empty):
            for _ in range(number):
                self._take(self.web.arrived.get(timeout=1)[1])

    def _take(self, fields: dict[str, str]) -> None:
        # At least once: the event's ID says what came twice.
        if fields["event"] not in self.seen:
            self.seen.add(fields["event"])
            self.told[fields["callId"]].append(fields)

    def actions(self, call_id: str) -> list[str]:
        """Give what was told of a call."""
        return [fields["action"] for fields in self.told[call_id]]

    def have(self, action: str) -> int:
        """Count the calls of which *action* was told."""
        return sum(action in self.actions(call_id) for call_id in self.accepted)

    def ended(self) -> bool:
        """Say whether every accepted call has a final event."""
        return all(FINAL & set(self.actions(call_id)) for call_id in self.accepted)

    def hang_up(self) -> None:
        """Hang up whatever is up."""
        for call_id in self.accepted:
            if not FINAL & set(self.actions(call_id)):
                with suppress(HTTPError):
                    self.ringful.ask("Hangup", callId=call_id)

    def settle(self) -> None:
        """Hold what must be true in the end."""
        self.hear(self.ended)
        for call_id in self.accepted:
            told = self.told[call_id]
            assert sum(fields["action"] in FINAL for fields in told) == 1, self.actions(call_id)
            numbers = [int(fields["n"]) for fields in told]
            assert numbers == sorted(numbers), (call_id, numbers)
            for fields in told:
                if fields["action"] == "RecordComplete":
                    self._can_be_read(fields)

    def _can_be_read(self, fields: dict[str, str]) -> None:
        with (
            urlopen(fields["recordFile"], timeout=PATIENCE) as answer,
            wave.open(io.BytesIO(answer.read())) as wav,
        ):
            assert wav.getframerate() == 8000
            assert abs(wav.getnframes() / 8000 - float(fields["duration"])) < 0.001

    def workers(self) -> list[int]:
        """Give the processes that have calls: the media workers."""
        return self.ringful.workers()

    def ready(self) -> dict[str, str]:
        """Give what is wrong with each part of the server; empty where it is well."""
        request = Request(f"{self.ringful.base}/ready", headers={"Accept": "application/json"})
        try:
            with urlopen(request, timeout=PATIENCE) as answer:
                found = json.load(answer)
        except HTTPError as error:
            with error:
                found = json.load(error)
        return {name: part.get("why", "") for name, part in found["checks"].items()}


@contextmanager
def burdened(folder: Path, sound: bytes, **environment: str) -> Iterator[Burden]:
    """Give a server whose trunk answers every call and sends back what it hears."""
    far = folder / "far"
    far.mkdir(parents=True, exist_ok=True)
    answers = ("-rtp_echo", "-m", "1000000", "-timeout", "900s")
    with (
        receiver({"/tone.wav": sound}) as web,
        sipp("echo", far, *answers) as (address, _),
        server(folder, address, **LOADED, **environment) as ringful,
    ):
        yield Burden(ringful, web)
