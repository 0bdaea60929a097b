"""Answers larger than the packets of the library: a 200 with SDP of 4.5 kB and more, by UDP and TCP."""

from pathlib import Path

import pytest
import trio

from ringful.media import port
from ringful.media.trunks import Trunk
from tests.media.sip_peer import Message, read, sdp, sip_peer, written
from tests.media.test_pool import line
from tests.server import PATIENCE

NUMBER = "+15125551234"


def candidates(count: int) -> str:
    """Give an SDP that is much longer than what it says: 60 bytes for each of *count*."""
    lines = [f"a=candidate:{n} 1 UDP 2130706431 192.0.2.{n % 250} {9000 + n} typ host" for n in range(count)]
    return sdp(4444, *lines)


async def test_by_udp_in_fragments(tmp_path: Path) -> None:
    async with sip_peer() as peer, line(tmp_path) as calls:
        for name, count in (("a", 75), ("b", 900)):
            calls.ring(name, peer.address)
            call = await peer.called()
            await call.answer(200, sdp=candidates(count))
            await peer.request("ACK")
            await calls.next(port.Answered, name)
            calls.pool.hang_up(name)
            await calls.next(port.HungUp, name)


def accepting(invite: Message, at: str, body: str) -> bytes:
    lines = [
        *(f"Via: {via}" for via in invite.headers["via"]),
        *(f"{name}: {invite.header(name)}" for name in ("From", "Call-ID", "CSeq")),
        f"To: {invite.header('to')};tag=far",
        f"Contact: <sip:far@{at};transport=tcp>",
        "Content-Type: application/sdp",
    ]
    return written("SIP/2.0 200 OK", lines, body)


@pytest.mark.parametrize(("count", "taken"), [(200, True), (400, False)])
async def test_by_tcp_in_pieces(tmp_path: Path, count: int, taken: bool) -> None:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    at = "{}:{}".format(*listener.socket.getsockname())
    trunk = Trunk("far", "127.0.0.1", int(at.rpartition(":")[2]), "tcp", answer_within=1.0)
    async with listener, line(tmp_path, trunks=(trunk,)) as calls:
        calls.pool.ring("a", NUMBER, None, calls.send.send_nowait)
        with trio.fail_after(PATIENCE):
            stream = await listener.accept()
            async with stream:
                invite = read(await stream.receive_some(65536), ("", 0))
                assert invite
                said = accepting(invite, at, candidates(count))
                try:
                    for start in range(0, len(said), 1460):
                        await stream.send_all(said[start : start + 1460])
                        await trio.sleep(0.001)
                except trio.BrokenResourceError:
                    assert not taken
                if taken:
                    assert (await stream.receive_some(4)) == b"ACK "
                    await calls.next(port.Answered)
                else:
                    # More than 16 kB is no message to us: the connection ends, and the call with it.
                    assert (await calls.next(port.Refused)).reason == "unreachable"
        assert calls.pool.crew.died == 0
