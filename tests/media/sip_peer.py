"""A far end of sockets and text: it says what a test says, as caller and as callee, and notes what comes.

Nothing is answered that a test does not answer, but for a request that comes again: its answer is sent
again.  A request of its own is sent again as RFC 3261 has it (17.1) until something comes.  Use::

    async with sip_peer() as peer:                 # callee
        call = await peer.called()                 # the INVITE, and what it began
        await call.answer(180)
        await call.answer(200, sdp=peer.sdp())
        await peer.request("ACK")
        said = await call.ask("OPTIONS")           # within the call; gives the final response
        assert said.status == 200

        call = await peer.call(address, "+18005550000", sdp=peer.sdp())    # caller
        assert (await call.final()).status == 200
        await call.ack()

Its sound is `Mouth`: see `FarEnd.mouth` in `tests/rtp_far_end.py`.
"""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count

import trio
from attrs import Factory, define, field, frozen

from tests.rtp_far_end import Mouth
from tests.server import PATIENCE

_SHORT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
    "k": "supported",
    "r": "refer-to",
    "o": "event",
    "x": "session-expires",
}
_REASONS = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    199: "Early Dialog Terminated",
    200: "OK",
    202: "Accepted",
    302: "Moved Temporarily",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
}
_names = count(1)
_AGAIN = (0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0)


@frozen
class Message:
    """A request or a response; *headers* by their long lower-case names, in order."""

    first: str
    headers: dict[str, list[str]]
    body: str
    source: tuple[str, int]

    @property
    def method(self) -> str:
        """The request's, or that which a response is to."""
        word = self.first.partition(" ")[0]
        return word if self.status == 0 else self.header("cseq").partition(" ")[2]

    @property
    def status(self) -> int:
        """0: it is a request."""
        return int(self.first.split(" ")[1]) if self.first.startswith("SIP/2.0 ") else 0

    @property
    def uri(self) -> str:
        return self.first.split(" ")[1]

    def header(self, name: str) -> str:
        """Give the first header of that name; empty where there is none."""
        return next(iter(self.headers.get(name.lower(), ())), "")

    @property
    def branch(self) -> str:
        found = re.search(r"branch=([^;,\s]+)", self.header("via"))
        return found[1] if found else ""

    @property
    def number(self) -> int:
        """The number of its CSeq."""
        return int(self.header("cseq").split()[0])

    @property
    def line(self) -> str:
        """The line of SDP that is its sound's; empty: it has none."""
        found = re.search(r"^m=audio .*$", self.body, re.MULTILINE)
        return found[0].strip() if found else ""

    @property
    def direction(self) -> str:
        """What its SDP says of who sends: ``sendrecv`` where it says nothing."""
        found = re.search(r"^a=(sendrecv|sendonly|recvonly|inactive)\s*$", self.body, re.MULTILINE)
        return found[1] if found else "sendrecv"

    @property
    def sound(self) -> tuple[str, int]:
        """Where its SDP wants to hear."""
        address = re.search(r"^c=IN IP4 (\S+)", self.body, re.MULTILINE)
        assert address, self.body
        return address[1], int(self.line.split(" ")[1])


def read(data: bytes, source: tuple[str, int]) -> Message | None:
    """Read what came; None where it is no SIP, as with keep-alives."""
    head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
    first, *lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
    if "SIP/2.0" not in first:
        return None
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(":")
        name = name.strip().lower()
        headers.setdefault(_SHORT.get(name, name), []).append(value.strip())
    return Message(first, headers, body, source)


def written(first: str, headers: "list[str]", body: str = "") -> bytes:
    """Give the bytes of a message; *headers* are whole lines."""
    return "\r\n".join([first, *headers, f"Content-Length: {len(body.encode())}", "", body]).encode()


@define(eq=False)
class Call:
    """A dialog, or what may become one; *invite* is what began it."""

    peer: "Peer"
    name: str
    """Its Call-ID."""
    ours: str
    """Our From or To, with the tag."""
    theirs: str
    """Theirs; without a tag while there is none."""
    target: str
    """The URI that requests within it go to."""
    address: tuple[str, int]
    invite: Message | None = None
    """None: it was we who sent it."""
    number: int = 0
    """The CSeq of our last request."""
    branch: str = ""
    """The branch of our last INVITE."""

    # As the one who is called

    async def answer(
        self, status: int, *headers: str, sdp: str = "", to: Message | None = None, tag: str = ""
    ) -> None:
        """Answer the INVITE, or the request *to*; with *tag*, as another phone that rings (forking)."""
        request = to or self.invite
        assert request
        said = self.response(request, status, *headers, sdp=sdp, tag=tag)
        await self.peer.send(said, request.source, answers=request)

    def response(self, request: Message, status: int, *headers: str, sdp: str = "", tag: str = "") -> bytes:
        """Give the bytes of a response to *request*, which `Peer.send` sends."""
        ours = re.sub(r"tag=.*", f"tag={tag}", self.ours) if tag else self.ours
        lines = [
            *(f"Via: {via}" for via in request.headers["via"]),
            *(f"Record-Route: {route}" for route in request.headers.get("record-route", ())),
            f"From: {request.header('from')}",
            f"To: {ours if status > 100 else request.header('to')}",
            f"Call-ID: {self.name}",
            f"CSeq: {request.header('cseq')}",
            *([f"Contact: <sip:peer@{self.peer.address}>"] if status < 300 else []),
            *headers,
            *(["Content-Type: application/sdp"] if sdp else []),
        ]
        reason = _REASONS.get(status, "So")
        return written(f"SIP/2.0 {status} {reason}", lines, sdp)

    # As the one who asks

    def made(self, method: str, *headers: str, body: str = "", sdp: str = "", branch: str = "") -> bytes:
        """Give the bytes of a request within the call; an ACK has the number of the INVITE before it."""
        if method not in ("ACK", "CANCEL"):
            self.number += 1
            branch = branch or f"z9hG4bK{self.name}{self.number}"
        if method == "INVITE":
            self.branch = branch
        kinds = ["Content-Type: application/sdp"] if sdp else []
        lines = [
            f"Via: SIP/2.0/UDP {self.peer.address};rport;branch={branch or self.branch + method}",
            "Max-Forwards: 70",
            f"From: {self.ours}",
            f"To: {self.theirs}",
            f"Call-ID: {self.name}",
            f"CSeq: {self.number} {method}",
            f"Contact: <sip:peer@{self.peer.address}>",
            *headers,
            *kinds,
        ]
        return written(f"{method} {self.target} SIP/2.0", lines, sdp or body)

    async def ask(self, method: str, *headers: str, body: str = "", sdp: str = "") -> Message:
        """Send a request within the call; give its final response, of which an INVITE's is acknowledged."""
        request = self.made(method, *headers, body=body, sdp=sdp)
        said = await self.peer.ask(request, self.address, self.name, self.number)
        if method == "INVITE":
            await self.ack(said)
        return said

    async def begin(self, method: str, *headers: str, body: str = "", sdp: str = "") -> int:
        """Send a request within the call once, and wait for nothing; give its number (see `final`)."""
        await self.peer.send(self.made(method, *headers, body=body, sdp=sdp), self.address)
        return self.number

    async def final(self, number: int = 0) -> Message:
        """Wait for the final response to our request of that number, or to the last one."""
        number = number or self.number
        said = await self.peer.get(
            lambda one: one.status >= 200 and one.header("call-id") == self.name and one.number == number
        )
        self._learn(said)
        return said

    async def provisional(self, status: int) -> Message:
        """Wait for such a response to our INVITE."""
        said = await self.peer.get(lambda one: one.status == status and one.header("call-id") == self.name)
        self._learn(said)
        return said

    def _learn(self, said: Message) -> None:
        if ";tag=" in said.header("to") and said.method == "INVITE":
            self.theirs = said.header("to")
            if found := re.search(r"<([^>]+)>", said.header("contact")):
                self.target = found[1]

    async def ack(self, said: Message | None = None, *, sdp: str = "") -> None:
        """Acknowledge *said*, or the 200 that was the last to come."""
        self._learn(said) if said else None
        # That of a refusal belongs to the INVITE's transaction, that of a 200 does not.
        branch = self.branch if said and said.status >= 300 else f"{self.branch}ack"
        await self.peer.send(self.made("ACK", sdp=sdp, branch=branch), self.address)

    async def cancel(self) -> Message:
        """Cancel our INVITE; give what the CANCEL is answered with."""
        request = self.made("CANCEL", branch=self.branch)
        return await self.peer.ask(request, self.address, self.name, self.number)

    async def hang_up(self) -> Message:
        """Send a BYE, and give its answer."""
        return await self.ask("BYE")


@define(eq=False)
class Peer:
    """See the module's docstring."""

    nursery: trio.Nursery
    socket: trio.socket.SocketType
    came: list[Message] = field(factory=list)
    """All that ever came, but for requests that came again and were answered."""
    again: list[Message] = field(factory=list)
    """Those."""
    mouths: list[Mouth] = field(factory=list)
    by_itself: dict[str, int] = field(factory=lambda: {"BYE": 200})
    """Methods that it answers by itself, and how."""
    _unread: list[Message] = field(factory=list)
    _answers: dict[tuple[str, str], bytes] = field(factory=dict)
    _news: trio.Event = Factory(trio.Event)

    @property
    def address(self) -> str:
        host, port = self.socket.getsockname()
        return f"{host}:{port}"

    @property
    def asked(self) -> list[str]:
        """The methods of all requests that came."""
        return [one.method for one in self.came if not one.status]

    async def serve(self) -> None:
        while True:
            data, source = await self.socket.recvfrom(65536)
            message = read(data, source)
            if message is None:
                continue
            known = self._answers.get((message.branch, message.method))
            if not message.status and known:
                self.again.append(message)
                await self.socket.sendto(known, source)
                continue
            self.came.append(message)
            self._unread.append(message)
            if not message.status and message.method in self.by_itself:
                call = self.of(message)
                await call.answer(self.by_itself[message.method], to=message)
            # Several may wait, each for something else.
            self._news.set()
            self._news = trio.Event()

    async def send(self, data: bytes, to: tuple[str, int], *, answers: Message | None = None) -> None:
        """Send bytes; where that *answers* a request, they are its answer from now on."""
        if answers:
            self._answers[answers.branch, answers.method] = data
        await self.socket.sendto(data, to)

    async def get(self, wanted: Callable[[Message], bool], patience: float = PATIENCE) -> Message:
        """Wait for the first message that is *wanted*, and that nobody has got yet."""
        with trio.fail_after(patience):
            while True:
                for message in self._unread:
                    if wanted(message):
                        self._unread.remove(message)
                        return message
                await self._news.wait()

    async def request(self, method: str) -> Message:
        """Wait for a request of that method."""
        return await self.get(lambda one: not one.status and one.method == method)

    async def ask(self, request: bytes, to: tuple[str, int], name: str = "", number: int = 0) -> Message:
        """Send *request*, as often as it takes; give its final response."""
        made = read(request, to)
        assert made
        for pause in _AGAIN:
            await self.socket.sendto(request, to)
            with trio.move_on_after(pause):
                return await self.get(
                    lambda one: (
                        one.status >= 200
                        and one.header("call-id") == (name or made.header("call-id"))
                        and one.header("cseq") == made.header("cseq")
                    )
                )
        raise AssertionError(f"no answer to {made.first}")

    # Calls

    def of(self, request: Message) -> Call:
        """Give the call that *request* began or belongs to."""
        to = request.header("to")
        tag = f";tag=peer{len(self.came)}"
        contact = re.search(r"<([^>]+)>", request.header("contact"))
        return Call(
            self,
            request.header("call-id"),
            to if ";tag=" in to else to + tag,
            request.header("from"),
            contact[1] if contact else f"sip:{request.source[0]}:{request.source[1]}",
            request.source,
            request,
        )

    async def called(self) -> Call:
        """Wait for an INVITE that begins a call."""
        invite = await self.get(
            lambda one: not one.status and one.method == "INVITE" and ";tag=" not in one.header("to")
        )
        return self.of(invite)

    def outgoing(self, address: str, number: str, caller: str = "+15125550100") -> Call:
        """Give a call of ours that has not begun: its first request is that which begins it."""
        host, _, at_port = address.rpartition(":")
        name = f"{next(_names)}-{self.socket.getsockname()[1]}"
        ours = f"<sip:{caller}@trunk.test>;tag={name}"
        target = f"sip:{number}@{address}"
        return Call(self, name, ours, f"<{target}>", target, (host, int(at_port)))

    async def call(self, address: str, number: str, *headers: str, sdp: str = "") -> Call:
        """Send an INVITE, once, and give the call."""
        made = self.outgoing(address, number)
        await made.begin("INVITE", *headers, sdp=sdp)
        return made

    # Sound

    async def mouth(self, hertz: int = 440, to: tuple[str, int] | None = None) -> Mouth:
        """Open a place for sound, which says a tone to *to* once that is given."""
        made = trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM)
        await made.bind(("127.0.0.1", 0))
        mouth = Mouth(made, hertz, to)
        self.mouths.append(mouth)
        self.nursery.start_soon(mouth.speak)
        self.nursery.start_soon(mouth.listen)
        return mouth


def sdp(
    at_port: int = 9,
    *more: str,
    codecs: str = "0 101",
    direction: str = "sendrecv",
    address: str = "127.0.0.1",
    version: int = 1,
) -> str:
    """Give the SDP of a phone that hears at *at_port*; *more* are lines behind its sound's, as of video."""
    names = {"0": "PCMU/8000", "8": "PCMA/8000", "9": "G722/8000", "18": "G729/8000", "3": "GSM/8000"}
    names["101"] = "telephone-event/8000"
    lines = [
        "v=0",
        f"o=- 7 {version} IN IP4 127.0.0.1",
        "s=-",
        f"c=IN IP4 {address}",
        "t=0 0",
        f"m=audio {at_port} RTP/AVP {codecs}",
        *(f"a=rtpmap:{one} {names[one]}" for one in codecs.split() if one in names),
        f"a={direction}",
        *more,
    ]
    return "\r\n".join([*lines, ""])


@asynccontextmanager
async def sip_peer(host: str = "127.0.0.1") -> AsyncIterator[Peer]:
    """Run one, on a free port of *host*, which is on loopback."""
    made = trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM)
    await made.bind((host, 0))
    peer = None
    try:
        async with trio.open_nursery() as nursery:
            peer = Peer(nursery, made)
            nursery.start_soon(peer.serve)
            yield peer
            nursery.cancel_scope.cancel()
    finally:
        made.close()
        for mouth in peer.mouths if peer else []:
            mouth.socket.close()
