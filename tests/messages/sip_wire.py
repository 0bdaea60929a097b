"""A far end for text messages that is a socket and a few lines of SIP: it answers as it is told."""

import re
import socket
from typing import Any

import trio
from attrs import define, field


def answered(request: bytes, status: int, *more: str) -> bytes:
    """Give the answer to *request*."""
    head = request.partition(b"\r\n\r\n")[0].decode()
    copied = re.findall(r"^(?:Via|From|To|Call-ID|CSeq):.*$", head, re.MULTILINE)
    lines = [f"SIP/2.0 {status} So", *(one.strip() for one in copied), *more, "Content-Length: 0", "", ""]
    return "\r\n".join(lines).encode()


def made_message(
    at_port: int, name: str, body: bytes, *headers: str, kind: str = "text/plain", via: str = "UDP"
) -> bytes:
    """Make a MESSAGE that is known by *name*."""
    lines = [
        "MESSAGE sip:+18005550000@127.0.0.1 SIP/2.0",
        f"Via: SIP/2.0/{via} 127.0.0.1:{at_port};branch=z9hG4bK{name}",
        "Max-Forwards: 70",
        'From: "Ann" <sip:+15125551234@trunk.test>;tag=1',
        "To: <sip:+18005550000@us.test>",
        f"Call-ID: {name}",
        "CSeq: 1 MESSAGE",
        *([f"Content-Type: {kind}"] if kind else []),
        *headers,
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


@define
class Wire:
    """A socket of UDP, and what came to it."""

    socket: Any
    requests: list[bytes] = field(factory=list)
    sent: int = 0

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    @property
    def texts(self) -> list[str]:
        """The bodies of what came; one that came again is another."""
        return [one.partition(b"\r\n\r\n")[2].decode() for one in self.requests]

    async def answer(self, *statuses: int, more: tuple[str, ...] = ()) -> None:
        """Answer the requests that come with *statuses*, in order; 0 is no answer; the last one stays."""
        waiting = list(statuses)
        known: dict[bytes, bytes] = {}
        while True:
            request, peer = await self.socket.recvfrom(65536)
            branch = re.search(rb"branch=([^;\s]+)", request)
            assert branch
            if branch[1] not in known:
                self.requests.append(request)
                status = waiting.pop(0) if len(waiting) > 1 else waiting[0]
                known[branch[1]] = answered(request, status, *more) if status else b""
            if said := known[branch[1]]:
                await self.socket.sendto(said, peer)

    def message(self, body: bytes, *headers: str, kind: str = "text/plain") -> bytes:
        """Make a MESSAGE that is none of those before."""
        self.sent += 1
        return made_message(self.port, f"{self.port}-{self.sent}", body, *headers, kind=kind)

    async def ask(self, request: bytes, address: str, tries: int = 40) -> int:
        """Send *request* as often as SIP does until it is answered; give the status."""
        host, _, at_port = address.rpartition(":")
        for _ in range(tries):
            await self.socket.sendto(request, (host, int(at_port)))
            with trio.move_on_after(0.5):
                answer = (await self.socket.recvfrom(65536))[0]
                return int(answer.split(b" ")[1])
        raise AssertionError("no answer")


async def open_wire() -> Wire:
    """Bind a free port; the nursery of the test closes nothing: the socket goes with its last reference."""
    made = trio.socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    await made.bind(("127.0.0.1", 0))
    return Wire(made)
