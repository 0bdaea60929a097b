"""Session timers (RFC 4028): 90 s is the shortest there is: this takes a minute, all cases at once.

Where we are to refresh we do it at half time; where the far end is, and does not, the call is over after two
thirds.
"""

from collections.abc import Callable
from pathlib import Path

import trio

from ringful.media import port
from tests.media.sip_peer import Call, Message, Peer, sdp, sip_peer
from tests.media.test_pool import Line, line

PATIENCE = 120.0
OURS = ("Session-Expires: 90;refresher=uac", "Require: timer")
THEIRS = ("Session-Expires: 90;refresher=uas", "Require: timer")


async def up(calls: Line, peer: Peer, name: str, *headers: str) -> Call:
    calls.ring(name, peer.address)
    call = await peer.called()
    await call.answer(200, *headers, sdp=sdp(4444))
    await peer.request("ACK")
    await calls.next(port.Answered, name)
    return call


def of(call: Call, *methods: str) -> Callable[[Message], bool]:
    """Give what is true of such requests within *call*."""
    return lambda one: not one.status and one.method in methods and one.header("call-id") == call.name


async def refreshed(call: Call, status: int, *headers: str) -> Message:
    """Wait until we refresh *call*, and answer it."""
    with trio.fail_after(PATIENCE):
        request = await call.peer.get(of(call, "INVITE", "UPDATE"), PATIENCE)
        assert request.header("session-expires") == "90;refresher=uac"
        if status:
            await call.answer(status, *headers, to=request, sdp=sdp(4444) if status == 200 else "")
    return request


async def glare(call: Call) -> None:
    """Ask for something while our refresh is on its way; we try again (RFC 3261, 14.1)."""
    request = await refreshed(call, 0)
    assert (await call.ask("INVITE", sdp=sdp(4444))).status == 491
    await call.answer(200, *OURS, to=request, sdp=sdp(4444))


async def test_sessions_are_refreshed_or_end(tmp_path: Path) -> None:
    async with sip_peer() as peer, line(tmp_path, silence_limit=None) as calls:
        fine = await up(calls, peer, "fine", *OURS)
        crossed = await up(calls, peer, "crossed", *OURS)
        unknown = await up(calls, peer, "unknown", *OURS)
        silent = await up(calls, peer, "silent", *OURS)
        await up(calls, peer, "lazy", *THEIRS)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(refreshed, fine, 200, *OURS)
            nursery.start_soon(glare, crossed)
            nursery.start_soon(refreshed, unknown, 481)
            nursery.start_soon(refreshed, silent, 0)
        with trio.fail_after(PATIENCE):
            ends = {}
            while len(ends) < 3:
                event = await calls.receive.receive()
                assert isinstance(event, port.HungUp)
                ends[event.leg] = event.by, event.detail
        assert ends == {
            "unknown": ("lost", "the far end does not know the call any more (481)"),
            "silent": ("lost", "the far end did not answer our re-INVITE"),
            "lazy": ("lost", "the far end did not refresh the session in time (RFC 4028)"),
        }
        for call in (fine, crossed):
            assert (await call.hang_up()).status == 200
        assert {(await calls.next(port.HungUp, name)).by for name in ("fine", "crossed")} == {"callee"}
