"""The far end: phones that answer, in a process of their own, cheap enough to share a core with the server.

``python -m ringful.bench.media.far_end PHONES`` prints its SIP port and works until its standard input
ends; then it prints what its phones heard, as JSON.  Who is called ``talk-N…`` is phone N of a
conference and says its own tone; everybody else does the main job's part: hears two prompts, presses a key.

One thread and one loop.  Packets come with the kernel's stamps, so that a late loop is not taken for a
late server; the sending is late where the loop is, and that is measured and told.  Phones send every
20 ms, in five batches 4 ms apart.
"""

import gc
import json
import os
import re
import select
import socket
import struct
import sys
import time
from collections import deque

import numpy as np
from attrs import asdict, define

from ringful.bench.media import sip
from ringful.bench.media.heard import Heard, Lateness
from ringful.bench.media.peer import Peer, voice_of
from ringful.bench.media.ulaw import RATE, payloads

ADDRESS = "127.0.0.1"
BATCHES = 5
TICK = 20_000_000 // BATCHES
SO_TIMESTAMPNS = 35
_STAMP = struct.Struct("@qq")
_AGAIN = (500_000_000, 1_000_000_000, 2_000_000_000, 4_000_000_000)
"""How long an answer waits for its ACK, in nanoseconds, before it is sent again."""
_BUFFER = 1 << 20


@define(eq=False)
class Line:
    """A port that a phone can have, and the phone that has it."""

    socket: socket.socket
    port: int
    peer: Peer | None = None


@define(eq=False)
class Dialog:
    """A call as SIP sees it."""

    line: Line
    answer: bytes
    to: tuple[str, int]
    tag: str
    sent: int
    tries: int = 0
    confirmed: bool = False


class FarEnd:
    """As many phones as there are lines; a line rests as long as it can before it is used again."""

    def __init__(self, phones: int) -> None:
        self._sip = self._socket()
        self.port = self._sip.getsockname()[1]
        self._contact = f"sip:{ADDRESS}:{self.port}"
        self._reports = self._socket()
        """Where RTCP goes: nobody reads it."""
        self._lines = [self._line() for _ in range(phones)]
        self._free = deque(self._lines)
        self._by_number = {line.socket.fileno(): line for line in self._lines}
        self._dialogs: dict[str, Dialog] = {}
        self._voice = payloads(np.random.default_rng(7).integers(-3000, 3000, RATE))
        self._done: list[Heard] = []
        self._late: list[int] = []

    def _socket(self) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        made.setblocking(False)
        made.bind((ADDRESS, 0))
        return made

    def _line(self) -> Line:
        made = self._socket()
        made.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        return Line(made, made.getsockname()[1])

    # The loop

    def run(self) -> None:
        """Work until standard input ends."""
        poll = select.epoll()
        for number in (0, self._sip.fileno(), *self._by_number):
            poll.register(number, select.EPOLLIN)
        due, batch = time.monotonic_ns() + TICK, 0
        while True:
            for number, _ in poll.poll(max(0, due - time.monotonic_ns()) / 1e9):
                if line := self._by_number.get(number):
                    self._hear(line)
                elif number:
                    self._rung()
                elif not os.read(0, 1024):
                    return
            while (now := time.monotonic_ns()) >= due:
                self._late.append(now - due)
                self._send(batch)
                due, batch = due + TICK, (batch + 1) % BATCHES
                if not batch:
                    self._answer_again(now)
                    self._act()

    def _hear(self, line: Line) -> None:
        try:
            packet, extra, _, sender = line.socket.recvmsg(2048, 64)
        except OSError:  # Something that was sent did not arrive: its port has gone.
            return
        if line.peer:
            seconds, rest = _STAMP.unpack(extra[0][2])
            line.peer.hear(packet, sender, seconds * 1_000_000_000 + rest)

    def _send(self, batch: int) -> None:
        for line in self._lines[batch::BATCHES]:
            if line.peer and (packet := line.peer.next(time.time_ns())):
                try:
                    line.socket.sendto(packet, line.peer.to)
                except OSError:
                    continue

    # Calls

    def _rung(self) -> None:
        try:
            data, sender = self._sip.recvfrom(65536)
        except OSError:
            return
        request = sip.read(data)
        if request:
            for answer in self._answers(request, sender):
                self._tell(answer, sender)
        else:
            self._told(data)

    def _told(self, data: bytes) -> None:
        """Take what is no request: these phones ask for nothing."""

    def _tell(self, answer: bytes, to: tuple[str, int]) -> None:
        try:
            self._sip.sendto(answer, to)
        except OSError:
            return

    def _answers(self, request: sip.Request, sender: tuple[str, int]) -> list[bytes]:
        dialog = self._dialogs.get(request.header("call-id"))
        tag = dialog.tag if dialog else os.urandom(4).hex()
        match request.method:
            case "INVITE" if dialog is None:
                return self._take(request, sender, tag)
            case "INVITE" if dialog and not request.within:
                return [dialog.answer]
            case "ACK":
                if dialog:
                    dialog.confirmed = True
                return []
            case "BYE" if dialog:
                self._end(self._dialogs.pop(request.header("call-id")).line, over=True)
                return [sip.response(request, "200 OK", tag)]
            case "OPTIONS":
                return [sip.response(request, "200 OK", tag, self._contact)]
            case "CANCEL" if dialog:  # It is answered already: the caller hangs up (RFC 3261, 9.2).
                return [sip.response(request, "200 OK", tag)]
            case "BYE" | "CANCEL":
                return [sip.response(request, "481 Call/Transaction Does Not Exist", tag)]
            case _:
                # A second INVITE in a call as well: our phones stay with what they said first.
                return [sip.response(request, "488 Not Acceptable Here", tag)]

    def _take(self, request: sip.Request, sender: tuple[str, int], tag: str) -> list[bytes]:
        offer = sip.offer_in(request.body)
        if offer is None:
            return [sip.response(request, "488 Not Acceptable Here", tag)]
        if not self._free:
            return [sip.response(request, "486 Busy Here", tag)]
        line = self._free.popleft()
        talks = re.match(r"talk-(\d+)", request.user)
        voice = voice_of(int(talks[1])) if talks else self._voice
        line.peer = Peer(request.user, offer, voice, talks=bool(talks))
        sdp = sip.answer(ADDRESS, line.port, self._reports.getsockname()[1], offer.keys)
        answer = sip.response(request, "200 OK", tag, self._contact, sdp)
        call = request.header("call-id")
        self._dialogs[call] = Dialog(line, answer, sender, tag, time.monotonic_ns())
        return [sip.response(request, "180 Ringing", tag, self._contact), answer]

    def _answer_again(self, now: int) -> None:
        for dialog in self._dialogs.values():
            if dialog.confirmed or dialog.tries >= len(_AGAIN) or now - dialog.sent < _AGAIN[dialog.tries]:
                continue
            dialog.tries, dialog.sent = dialog.tries + 1, now
            self._tell(dialog.answer, dialog.to)

    def _act(self) -> None:
        """Do what phones do by themselves, every 20 ms: these wait for the server's BYE."""

    def _end(self, line: Line, *, over: bool) -> None:
        if line.peer:
            self._done.append(line.peer.end(over=over))
        line.peer = None
        self._free.append(line)

    def close(self) -> tuple[list[Heard], Lateness]:
        """Give what the phones heard, of calls that are not over too, and how late we were."""
        for dialog in self._dialogs.values():
            self._end(dialog.line, over=False)
        late = sorted(self._late) or [0]
        return self._done, Lateness(late[int(len(late) * 0.99)] / 1e6, late[-1] / 1e6)


def main() -> None:
    """Be the far end of whoever started us."""
    far = FarEnd(int(sys.argv[1]))
    print(far.port, flush=True)
    gc.freeze()
    gc.disable()
    far.run()
    heard, late = far.close()
    print(json.dumps({"heard": [asdict(one) for one in heard], "late": asdict(late)}))


if __name__ == "__main__":
    main()
