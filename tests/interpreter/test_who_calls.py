"""What a caller hears while a script thinks, and what is told and kept of who called, on real SIP."""

import queue
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import trio
from attrs import define, field

from ringful.command.demonstration.web import web_application
from tests.asking import ask, ask_json
from tests.media.sip_peer import Call, Peer, sdp, sip_peer
from tests.server import PATIENCE, Server, server

OURS, OTHER = "+18005550000", "+18005550001"
THINKS = """
param box
param app
inbound box notify "{app}/call"
ask "{app}/first" with { who: caller_name } as first for 20s
answer
ask "{app}/second" with { from: diverted_from } as second for 20s
hangup
"""


@define
class SlowWeb:
    """A web application that answers a path once it is let, and notes what it was asked."""

    url: str = ""
    asked: "dict[str, queue.SimpleQueue[dict[str, str]]]" = field(
        factory=lambda: defaultdict(queue.SimpleQueue)
    )
    """By path."""
    may: dict[str, threading.Event] = field(factory=dict)

    def take(self, path: str, fields: Mapping[str, str], headers: Mapping[str, str]) -> bytes:
        self.asked[path].put(dict(fields))
        if path in self.may:
            self.may[path].wait(PATIENCE)
        return b"{}"

    async def until(self, path: str) -> dict[str, str]:
        """Wait until it is asked at *path*, and give the fields."""
        return await trio.to_thread.run_sync(partial(self.asked[path].get, timeout=PATIENCE))


@contextmanager
def slow_web(*paths: str) -> Iterator[SlowWeb]:
    web = SlowWeb(may={path: threading.Event() for path in paths})
    with web_application({}, web.take) as url:
        web.url = url
        try:
            yield web
        finally:
            for event in web.may.values():
                event.set()


async def called(server: Server, method: str, **given: Any) -> Any:
    """Ask the server, and let the peer hear meanwhile."""
    return await trio.to_thread.run_sync(partial(ask_json, server, method, **given))


@asynccontextmanager
async def ringing(peer: Peer, ringful: Server, number: str, *headers: str) -> AsyncIterator[Call]:
    mouth = await peer.mouth()
    call = await peer.call(ringful.sip, number, *headers, sdp=sdp(mouth.port))
    # At once, whatever the script, or the application, does about it.
    await call.provisional(180)
    yield call


async def test_a_caller_hears_it_ring_while_a_script_thinks_and_sound_after_the_answer(
    tmp_path: Path,
) -> None:
    async with sip_peer() as peer:
        with slow_web("/first", "/second", "/slow") as web, server(tmp_path, peer.address) as ringful:
            ask(ringful, "Script", THINKS, name="thinks")
            ask(ringful, "Number", number=OURS, script="thinks", app=web.url)
            ask(ringful, "Number", number=OTHER, callbackUrl=f"{web.url}/slow")
            sent = ["Diversion: <sip:+18005550199@t>;reason=no-answer"]
            async with ringing(peer, ringful, OURS, *sent) as call:
                received = await web.until("/call")
                assert (received["action"], received["divertedFrom"]) == ("CallReceived", "+18005550199")
                await web.until("/first")
                assert not [one for one in peer.came if one.status >= 200]
                web.may["/first"].set()
                assert (await call.final()).status == 200
                await call.ack()
                mouth = peer.mouths[-1]
                assert (await web.until("/second"))["from"] == "+18005550199"
                # Nothing is played, and yet packets come: a hole would be taken for a dead line.
                before = len(mouth.heard)
                with trio.fail_after(PATIENCE):
                    while len(mouth.heard) < before + 25:
                        mouth.came = trio.Event()
                        await mouth.came.wait()
                web.may["/second"].set()
                await peer.request("BYE")
                assert (await web.until("/call"))["action"] == "CallEstablished"
                ended = await web.until("/call")
                assert ended["action"] == "ServerHangup"
            found = await called(ringful, "QueryCall", callId=ended["callId"])
            assert (found["trunk"], found["divertedFrom"], found["callerName"]) == (
                "trunk",
                "+18005550199",
                None,
            )
            (leg,) = (await called(ringful, "QueryLegs", callId=ended["callId"]))["legs"]
            assert (leg["trunk"], leg["direction"]) == ("trunk", "inbound")
            await _told_to_an_application(peer, ringful, web)
            await _called_out(peer, ringful)


async def _told_to_an_application(peer: Peer, ringful: Server, web: SlowWeb) -> None:
    """An application that does not answer its callback has the call ring, and can take it all the same."""
    async with ringing(peer, ringful, OTHER) as call:
        received = await web.until("/slow")
        await called(ringful, "Answer", callId=received["callId"])
        assert (await call.final()).status == 200
        await call.ack()
        assert (await call.hang_up()).status == 200
    async with ringing(peer, ringful, OTHER) as call:
        await called(ringful, "Reject", callId=(await web.until("/slow"))["callId"], reason="404")
        said = await call.final()
        assert said.status == 404
        await call.ack(said)


async def _called_out(peer: Peer, ringful: Server) -> None:
    shown = {"callerId": "15125550100", "callerName": 'Zoë "Z"', "divertedFrom": "18005550000"}
    call_id = (await called(ringful, "Call", callee="15125551234", **shown))["callId"]
    call = await peer.called()
    assert call.invite
    assert call.invite.header("from").startswith('"Zoë \\"Z\\"" <sip:+15125550100@')
    await call.answer(486)
    await peer.request("ACK")
    with trio.fail_after(PATIENCE):
        while True:
            (found,) = (await called(ringful, "QueryCalls", number="15125551234"))["calls"]
            if found["ended"]:
                break
    assert (found["callId"], found["trunk"], found["outcome"]) == (call_id, "trunk", "busy")
    listed = await trio.to_thread.run_sync(ringful.command, "calls", "list")
    assert listed.count("by trunk") == 4
