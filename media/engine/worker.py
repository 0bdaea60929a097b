"""A media worker: one engine in a child process, told what to do over a socket.

It never outlives its parent: the end of the socket ends it.  Commands are read in a thread of their own
and done in the engine's, where everything else happens too; a datagram to the engine's own SIP port
wakes it, since it sleeps in the library.
"""

import os
import re
import socket
import time
from collections import deque
from contextlib import suppress
from mmap import mmap
from pathlib import Path
from threading import Lock, Thread
from traceback import format_exception
from typing import Any, NoReturn
from uuid import uuid4

from attrs import asdict, fields

from ringful.ground.children import ignore
from ringful.media import port
from ringful.media.engine.endpoint import EngineConfig
from ringful.media.engine.parties.invite import offer_of
from ringful.media.engine.parties.outgoing import Outgoing
from ringful.media.engine.pjsua import Engine
from ringful.media.engine.recording import Quiet
from ringful.media.engine.sounding import Sitting
from ringful.media.wire import Framer, encode_event

_CALL_ID = re.compile(r"^(?:Call-ID|i)[ \t]*:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_COMPLAIN_SECONDS = 10.0
"""How often it is said, at most, that ticks were skipped."""


class Worker:
    """The engine, and the socket to the node."""

    def __init__(self, connection: socket.socket, config: EngineConfig, buses: mmap) -> None:
        self._connection = connection
        self._framer = Framer()
        self._sending = Lock()
        self._commands: deque[dict[str, Any]] = deque()
        self._ended = False
        self._occupied = 0
        self._skipped, self._complained = 0, 0.0
        self.engine = Engine(
            config,
            self.emit,
            buses=buses,
            on_call=self._rung,
            on_speech=lambda leg, speaks: self.send({"is": "Speaking", "leg": leg, "speaks": speaks}),
            on_text=self.send,
            on_shaken=lambda: self.send({"is": "Shaken"}),
            on_packet=lambda packet: self.send({"is": "PacketCame", "packet": packet}),
            log=self._log,
        )
        self._waker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def send(self, message: dict[str, Any]) -> None:
        """Send a message; from any thread."""
        with self._sending:
            try:
                self._connection.sendall(self._framer.pack(message))
            except OSError:
                self._ended = True

    def emit(self, event: port.Event) -> None:
        """Send an event; from any thread."""
        self.send(encode_event(event))

    def _log(self, line: str) -> None:
        self.send({"is": "Log", "line": line})

    def run(self) -> None:
        """Work until the node lets go."""
        engine = self.engine
        ready = {"port": engine.port, "capacity": engine.capacity}
        sound = {"engine": "python" if engine.why_python else "c", "engine_reason": engine.why_python}
        self.send({"is": "Ready", **ready, **sound, "unchecked": engine.why_unchecked})
        Thread(target=self._read, name="commands", daemon=True).start()
        while not self._ended:
            while self._commands:
                # Each may have come while the one before was done.
                engine.loop.catch_up()
                self._try(self._commands.popleft())
            engine.step()
            self._complain()
            if engine.occupied != self._occupied:
                self._occupied = engine.occupied
                self.send({"is": "Occupied", "calls": self._occupied})
        engine.close()

    def _complain(self) -> None:
        """Say that ticks were skipped, but not each time."""
        skipped, now = self.engine.mixer.skipped, time.monotonic()
        if skipped != self._skipped and now - self._complained > _COMPLAIN_SECONDS:
            more, self._skipped, self._complained = skipped - self._skipped, skipped, now
            self._log(f"the machine is too slow: {more} ticks of 20 ms were skipped, so calls had holes")

    def _try(self, command: dict[str, Any]) -> None:
        """Do one command; a fault fails that one thing alone, and has its line in the log."""
        try:
            self.obey(command)
        except Exception as error:
            number = uuid4().hex[:12]
            self._log(f"a fault under {number}: {''.join(format_exception(error))}")
            reason = f"a fault of the server; its log has more under {number}"
            if command["do"] in ("sit", "open_voice"):
                # It may have sat down: nobody would know that it is heard there.
                self.engine.stand(command["leg"], command["sitting"])
            if failed := failure_of(command, reason):
                self.send(failed)

    def _read(self) -> None:
        framer = Framer()
        try:
            while data := self._connection.recv(65536):
                self._commands.extend(framer.unpack(data))
                self._wake()
        except Exception as error:
            self._log(f"commands can be read no more: {''.join(format_exception(error))}")
        finally:
            # Who hears no commands must go, so that others take its place.
            self._ended = True
            self._wake()

    def _wake(self) -> None:
        # Where the address is away for a moment, the loop looks by itself within a second.
        with suppress(OSError):
            self._waker.sendto(b"\r\n\r\n", (self.engine.config.address, self.engine.port))

    def _rung(self, name: str, message: str) -> None:
        call_id, leg = _CALL_ID.search(message), self.engine.legs.get(name)
        self.send(
            {
                "is": "Offered",
                "offer": name,
                "call": asdict(offer_of(message)),
                # Where the caller has given up already, taking the call will tell so.
                "source": leg.source if leg else "",
                "call_id": call_id[1] if call_id else "",
            }
        )

    def obey(self, command: dict[str, Any]) -> None:
        """Do one command."""
        engine, leg = self.engine, command.get("leg", "")
        match command["do"]:
            case "ring":
                told = {one.name: command[one.name] for one in fields(Outgoing)}
                engine.ring(leg, Outgoing(**told))
            case "take":
                engine.take(leg, command["offer"])
            case "answer":
                engine.answer(leg)
            case "progress":
                engine.progress(leg)
            case "refuse":
                engine.refuse(leg, command["status"])
            case "hang_up":
                engine.hang_up(leg)
            case "play":
                path, behind, offset = Path(command["path"]), command["background"], command["offset"]
                engine.play(leg, command["playback"], path, background=behind, offset=offset)
            case "cue":
                engine.play(leg, command["playback"], Path(command["path"]), cue=True)
            case "stop_playback":
                engine.stop_playback(leg, command["playback"])
            case "record":
                quiet = Quiet(command["silence"], command["within"])
                engine.record(leg, command["recording"], Path(command["path"]), quiet, beep=command["beep"])
            case "stop_recording":
                engine.stop_recording(leg, command["recording"])
            case "send_tones":
                engine.send_tones(leg, command["sending"], command["tones"])
            case "sit":
                self._sit(command)
            case "stand":
                engine.stand(leg, command["sitting"])
                self.send({"is": "Stood", "leg": leg, "sitting": command["sitting"]})
            case "seat":
                muted, deaf, to = command["muted"], command["deaf"], command["to"]
                engine.change_sitting(leg, command["sitting"], muted=muted, deaf=deaf, to=to)
            case "open_voice":
                engine.open_voice(leg)
                self._sit(command | {"muted": False, "deaf": False, "to": 0})
            case "close_voice":
                engine.close_voice(leg, lambda: self.send({"is": "VoiceClosed", "leg": leg}))
            case "mute":
                engine.mute(leg, muted=command["muted"])
            case "transfer":
                engine.transfer(leg, command["transfer"], command["uri"])
            case "send_text":
                uri, trunk = command["uri"], command["trunk"]
                engine.send_text(command["text"], uri, command["sender"], command["body"], trunk)
            case "answer_text":
                engine.inbox.answer(command["text"], command["status"])
            case "send_packet":
                host, at_port = command["to"]
                engine.packets.send(command["packet"], command["call_id"], (host, at_port), engine.port)
            case "ping":
                self.send({"is": "Pong"})
            case other:
                raise ValueError(f"no such command: {other}")

    def _sit(self, command: dict[str, Any]) -> None:
        leg, number = command["leg"], command["sitting"]
        sitting = Sitting(number, command["muted"], command["deaf"], command["to"])
        try:
            before = self.engine.sit(leg, command["bus"], command["seat"], sitting)
        except LookupError as error:
            self.send({"is": "NotSeated", "leg": leg, "sitting": number, "detail": str(error)})
            return
        if before is not None:
            self.send({"is": "Stood", "leg": leg, "sitting": before})
        self.send({"is": "Seated", "leg": leg, "sitting": number})


def failure_of(command: dict[str, Any], reason: str) -> dict[str, Any] | None:
    """Give the message that ends a command which came to nothing because of *reason*; None: it has none."""
    leg, sitting = command.get("leg", ""), command.get("sitting")
    match command["do"]:
        case "ring" | "take":
            return encode_event(port.Refused(leg, "unreachable", None, reason))
        case "play":
            return encode_event(port.PlaybackFailed(leg, command["playback"], reason))
        case "record":
            return encode_event(port.RecordingFailed(leg, command["recording"], reason))
        case "send_tones":
            return encode_event(port.TonesSent(leg, command["sending"], sent=False))
        case "transfer":
            return encode_event(port.TransferFailed(leg, command["transfer"], "unreachable", None, reason))
        case "sit" | "open_voice":
            return {"is": "NotSeated", "leg": leg, "sitting": sitting, "detail": reason}
        case "close_voice":
            return {"is": "VoiceClosed", "leg": leg}
        case "send_text":
            text = {"text": command["text"], "kind": "unknown", "status": 500, "reason": reason}
            return {"is": "TextSent", **text}
        case _:
            return None


def warm() -> None:
    """Prepare what may be prepared before a fork: all that is needed has been imported with this."""
    # To end is for the node to say, which ends its calls properly.
    ignore()


def work(connection: socket.socket, config: dict[str, Any], buses: int) -> NoReturn:
    """Be a worker in this process; *buses* is the file descriptor of the memory of all buses."""
    ignore()
    try:
        memory = mmap(buses, 0)
        os.close(buses)
        worker = Worker(connection, EngineConfig(**config), memory)
    except Exception as error:
        reason = getattr(error, "reason", "") or str(error)
        connection.sendall(Framer().pack({"is": "Unfit", "reason": reason}))
        os._exit(1)
    worker.run()
    # The library takes a second to leave in order, and nothing of it is left to save.
    os._exit(0)
