"""One malformed header leaves no INVITE without an answer: 400 where it matters, and else as without it."""

import re
from pathlib import Path

from tests.media.sip_peer import Message, Peer, sdp, sip_peer
from tests.media.test_pool import line

FITTING = {
    "Max-Forwards: many",
    "Content-Length: x",
    "Content-Type: ",
    "ThisIsNoHeader",
    "Expires: soon",
    "Route: <sip:",
    "Session-Expires: x",
    "Min-SE: x",
    "Allow: ,,,",
    "P-Asserted-Identity: <<",
    "Refer-To: <",
    'From: "\\" <sip:+1512@trunk.test>;tag=1',
}
UNFIT = {
    "From: <sip:+1512@trunk.test;tag=1",
    "From: @@@",
    "To: <<>>",
    "Contact: <sip:",
    "CSeq: one INVITE",
    "CSeq: 99999999999 INVITE",
    "CSeq: 1 BYE",
    "Record-Route: x",
}


async def told(peer: Peer, address: str, header: str) -> Message:
    """Send an INVITE with *header* instead of its own of that name, and give the final answer."""
    call = peer.outgoing(address, "+18005550000")
    whole = call.made("INVITE", sdp=sdp(4444)).decode()
    name = header.partition(":")[0]
    made, count = re.subn(rf"^{name}:.*$", lambda _: header + "\r", whole, count=1, flags=re.M)
    if not count:
        made = whole.replace("Max-Forwards", f"{header}\r\nMax-Forwards", 1)
    await peer.send(made.encode(), call.address)
    said = await peer.get(lambda one: one.status >= 200 and one.header("call-id") == call.name)
    await call.ack(said)
    return said


async def test_one_malformed_header(tmp_path: Path) -> None:
    async with sip_peer() as peer, line(tmp_path) as calls:
        calls.pool.open(lambda offer: "busy")
        (address,) = calls.pool.addresses
        for header in sorted(UNFIT):
            assert (header, (await told(peer, address, header)).status) == (header, 400)
        for header in sorted(FITTING):
            assert (header, (await told(peer, address, header)).status in (400, 486)) == (header, True)
