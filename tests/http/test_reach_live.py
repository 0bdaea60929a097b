"""What clients do every day, on real lines: real HTTP, SIP and RTP; one server for all of it.

Each far end says a tone of its own, and notes which tones it hears; the announcements have tones too.
"""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import trio
from attrs import define, field

from ringful.command.demonstration.sounds import melody
from tests.asking import ask
from tests.http.test_conferences_live import tells
from tests.media.pressing import Fingers, send
from tests.media.sip_peer import Call, Peer, sdp, sip_peer
from tests.rtp_far_end import Mouth
from tests.server import Receiver, Server, free_port, receiver, server

ANN, BEN, CID = 450, 650, 850
MUSIC, PROMPT = 1050, 1250
SOME = 15
"""Payloads of a tone (20 ms each) that are enough to say that it is heard."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Receiver]]:
    folder = tmp_path_factory.mktemp("reach")
    sounds = {"/music.wav": melody([MUSIC], 60.0), "/prompt.wav": melody([PROMPT], 0.8)}
    with (
        receiver(sounds) as web,
        server(folder, f"127.0.0.1:{free_port()}", RINGFUL_SIP__ALLOW_SIP_URIS="true") as ringful,
    ):
        yield ringful, web


@define
class Lines:
    """The server as a client sees it, and a peer that is everybody whom it calls."""

    ringful: Server
    web: Receiver
    peer: Peer
    fingers: Fingers = field(factory=Fingers)

    async def ask(self, method: str, **given: str) -> str:
        return await trio.to_thread.run_sync(lambda: self.ringful.ask(method, **given))

    async def command(self, *arguments: str) -> str:
        said = await trio.to_thread.run_sync(lambda: self.ringful.command(*arguments))
        # It counts by the clock, and so do we from now on.
        self.ringful.seq = time.time_ns() // 1_000_000 + 1000
        return said

    async def told(self, action: str, **wanted: str) -> dict[str, str]:
        """Wait until the application is told so."""
        return (await trio.to_thread.run_sync(lambda: tells(self.web, action, **wanted)))[0]

    async def run(self, script: str) -> str:
        answer = await trio.to_thread.run_sync(lambda: ask(self.ringful, "Run", {"script": script}))
        assert answer.status == 200, answer.text
        return answer.text.strip()

    def uri(self, name: str) -> str:
        return f"sip:{name}@{self.peer.address}"

    def sound(self, name: str) -> str:
        return f"{self.web.url}/{name}.wav"

    @property
    def hook(self) -> str:
        return f"{self.web.url}/told"

    async def ring(self) -> Call:
        """Wait for a call, and let it ring."""
        call = await self.peer.called()
        await call.answer(180)
        return call

    async def answer(self, call: Call, hertz: int) -> Mouth:
        """Answer *call*, and say a tone."""
        assert call.invite
        mouth = await self.peer.mouth(hertz, call.invite.sound)
        await call.answer(200, sdp=sdp(mouth.port))
        await self.peer.get(lambda one: one.method == "ACK" and one.header("call-id") == call.name)
        return mouth

    async def press(self, mouth: Mouth, keys: str) -> None:
        assert mouth.to
        for key in keys:
            await send(mouth, mouth.to, self.fingers.press(key))

    async def up(self) -> tuple[str, Call, Mouth]:
        """Have Ann called, who answers."""
        call_id = await self.ask("Call", callee=self.uri("ann"), callbackUrl=self.hook)
        call = await self.ring()
        return call_id, call, await self.answer(call, ANN)


@asynccontextmanager
async def lines(running: tuple[Server, Receiver]) -> AsyncIterator[Lines]:
    async with sip_peer() as peer:
        yield Lines(*running, peer)


async def silent(mouth: Mouth, hertz: int, witness: Mouth, other: int) -> bool:
    """Say whether *mouth* hears nothing of a tone, while *witness* hears so much of the other."""
    witness.heard.clear()
    await witness.until_heard(other, SOME)
    mouth.heard.clear()
    witness.heard.clear()
    await witness.until_heard(other, 2 * SOME)
    return mouth.pitches()[hertz] == 0


def named(calls: list[Call], name: str) -> Call:
    return next(one for one in calls if one.invite and f"sip:{name}@" in one.invite.uri)


async def test_the_first_who_answers_is_connected_and_the_other_stops_ringing(
    running: tuple[Server, Receiver],
) -> None:
    async with lines(running) as real:
        call_id, _, ann = await real.up()
        both = f"{real.uri('ben')},{real.uri('cid')}"
        await real.ask("Connect", callId=call_id, callee=both, callbackUrl=real.hook)
        await real.ask("Play", callId=call_id, announcement=real.sound("music"), callbackUrl=real.hook)
        calls = [await real.ring(), await real.ring()]
        ben = await real.answer(named(calls, "ben"), BEN)
        lost = named(calls, "cid")
        cancel = await real.peer.get(
            lambda one: one.method == "CANCEL" and one.header("call-id") == lost.name
        )
        await lost.answer(200, to=cancel)
        await lost.answer(487)
        await ann.until_heard(BEN, SOME)
        await ben.until_heard(ANN, SOME)
        await real.ask("Mute", callId=call_id)
        assert await silent(ben, ANN, ann, BEN)
        await real.ask("Unmute", callId=call_id)
        ben.heard.clear()
        await ben.until_heard(ANN, SOME)
        assert (await real.told("CallFailed"))["reason"] == "cancelled"
        await named(calls, "ben").hang_up()
        await ann.until_heard(MUSIC, SOME)
        await real.ask("StopPlay", callId=call_id)
        assert (await real.told("PlayComplete", callId=call_id))["reason"] == "stopped"
        await real.ask("Hangup", callId=call_id)
        await real.told("ServerHangup", callId=call_id)


async def test_the_first_who_accepts_is_connected_and_the_other_is_hung_up(
    running: tuple[Server, Receiver],
) -> None:
    async with lines(running) as real:
        numbers = f'["{real.uri("ben")}", "{real.uri("cid")}"]'
        call_id = await real.run(
            f'call "{real.uri("ann")}" notify "{real.hook}"\n'
            f"call all {numbers} as some {{\n"
            f'    play "{real.sound("prompt")}" times 60 until "1"\n'
            '    wait tone "1" for 1s else { hangup }\n'
            "}\n"
            'until event "enough" { connect some for 1h }\n'
            f'play "{real.sound("prompt")}"\nstay\n'
        )
        ann = await real.answer(await real.ring(), ANN)
        calls = [await real.ring(), await real.ring()]
        ben = await real.answer(named(calls, "ben"), BEN)
        cid = await real.answer(named(calls, "cid"), CID)
        await ben.until_heard(PROMPT, SOME)
        await cid.until_heard(PROMPT, SOME)
        await real.press(cid, "1")
        gone = named(calls, "ben").name
        await real.peer.get(lambda one: one.method == "BYE" and one.header("call-id") == gone)
        await ann.until_heard(CID, SOME)
        await cid.until_heard(ANN, SOME)
        assert ann.pitches()[BEN] == 0
        # An event leaves the connection, and the script goes on; the other leg is still there.
        ann.heard.clear()
        await real.ask("Signal", callId=call_id, event="enough")
        await ann.until_heard(PROMPT, SOME)
        stays = named(calls, "cid").name
        assert not [one for one in real.peer.came if one.method == "BYE" and one.header("call-id") == stays]
        await real.ask("Hangup", callId=call_id)
        await real.told("ServerHangup", callId=call_id)


async def test_what_is_played_said_gathered_and_waited_for_on_one_call(
    running: tuple[Server, Receiver],
) -> None:
    async with lines(running) as real:
        call_id, _, ann = await real.up()
        told = {"callId": call_id, "callbackUrl": real.hook}
        await real.ask("Play", announcement=real.sound("prompt"), until="1", times="50", **told)
        await ann.until_heard(PROMPT, 3 * SOME)
        await real.press(ann, "1")
        assert (await real.told("PlayComplete", callId=call_id))["reason"] == "tone"
        await real.ask("WaitForTone", tone="1", **told)
        await real.told("WaitForToneDetected", callId=call_id, tone="1")
        await real.ask("WaitForTone", tone="1", **{"for": "0.2"}, **told)
        await real.told("WaitForToneTimeout", callId=call_id)
        await real.ask("Gather", digits="2", announcement=real.sound("music"), **told)
        await ann.until_heard(MUSIC, SOME)
        await real.press(ann, "42")
        assert (await real.told("GatherComplete", callId=call_id))["digits"] == "42"
        ann.heard.clear()
        await real.ask("Say", text="One moment, please.", **told)
        assert (await real.told("PlayStart", announcement="One moment, please."))["callId"] == call_id
        await real.told("PlayComplete", announcement="One moment, please.")
        assert sum(ann.pitches().values()) > SOME
        await real.ask("Hangup", callId=call_id)
        await real.told("ServerHangup", callId=call_id)


async def test_the_far_end_is_sent_to_another_number(running: tuple[Server, Receiver]) -> None:
    async with lines(running) as real:
        call_id, call, _ = await real.up()
        await real.ask("Transfer", callId=call_id, callee=real.uri("ben"))
        refer = await real.peer.request("REFER")
        assert real.uri("ben") in refer.header("refer-to")
        await call.answer(202, to=refer)
        call.ours, call.theirs = refer.header("to"), refer.header("from")
        kind = "Content-Type: message/sipfrag;version=2.0"
        state = "Subscription-State: terminated;reason=noresource"
        said = await call.ask("NOTIFY", "Event: refer", state, kind, body="SIP/2.0 200 OK\r\n")
        assert said.status == 200
        assert (await real.told("ServerHangup", callId=call_id))["reason"] == "transferred"
        await real.peer.request("BYE")


async def test_a_caller_waits_in_a_queue_and_is_served(running: tuple[Server, Receiver]) -> None:
    async with lines(running) as real:
        caller, _, ann = await real.up()
        music = {"announcement": real.sound("music"), "callbackUrl": real.hook}
        await real.ask("Enqueue", callId=caller, queue="desk", **music)
        await ann.until_heard(MUSIC, SOME)
        shown = await real.command("queues", "desk")
        assert shown.startswith("desk: waiting=1  longest=")
        assert f"1  {caller}  " in shown
        agent = await real.ask("Call", callee=real.uri("ben"), callbackUrl=real.hook)
        ben = await real.answer(await real.ring(), BEN)
        await real.ask("Serve", callId=agent, queue="desk", callbackUrl=real.hook)
        assert (await real.told("QueueServed", callId=agent))["leg"] == caller
        await ann.until_heard(BEN, SOME)
        await ben.until_heard(ANN, SOME)
        assert (await real.ask("QueryQueues")) == ""
        await real.ask("Hangup", callId=agent)
        await real.told("ServerHangup", callId=agent)
        assert (await real.told("QueueLeft", callId=caller))["reason"] == "served"
        await real.ask("Hangup", callId=caller)
        await real.told("ServerHangup", callId=caller)
