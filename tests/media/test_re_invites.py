"""Re-INVITE and UPDATE of a far end: what they are answered with, and who is heard after each.

A recording runs all the while: what the far end does not say is silence in it, and takes as long.
"""

from pathlib import Path

import pytest
import trio
from attrs import define, field

from ringful.media import port
from tests.media.sip_peer import Call, Message, sdp, sip_peer
from tests.media.test_pool import Line, line, write_tone
from tests.media.test_rtp import recorded
from tests.media.test_within_calls import answered
from tests.rtp_far_end import Mouth

PROMPT, VOICE = 1000, 450
HELD = 0.4
"""Seconds for which nothing must be heard."""
VIDEO = ("m=video 5000 RTP/AVP 96", "a=rtpmap:96 H264/90000")
T38 = ("m=image 5002 udptl t38", "a=T38FaxVersion:0")


@define
class Talk:
    """A call whose far end asks for changes by *method*."""

    calls: Line
    call: Call
    mouth: Mouth
    method: str
    version: int = field(default=1)

    async def ask(self, body: str) -> Message:
        self.version += 1
        return await self.call.ask(self.method, sdp=body.replace("o=- 7 1 ", f"o=- 7 {self.version} "))

    async def hears(self, mouth: Mouth) -> None:
        """Wait until the prompt is heard there."""
        mouth.heard.clear()
        await mouth.until_heard(PROMPT, 10)

    async def is_held(self) -> None:
        """See that it hears nothing, but for what was on its way."""
        self.mouth.heard.clear()
        await trio.sleep(HELD)
        assert len(self.mouth.heard) <= 2

    async def hold(self) -> None:
        here = self.mouth.port
        for direction, address, ours in [
            ("sendonly", "127.0.0.1", "recvonly"),
            ("inactive", "127.0.0.1", "inactive"),
            ("sendrecv", "0.0.0.0", "sendrecv"),
        ]:
            said = await self.ask(sdp(here, direction=direction, address=address))
            assert (said.status, said.direction) == (200, ours)
            await self.is_held()
            assert (await self.ask(sdp(here))).direction == "sendrecv"
            await self.hears(self.mouth)
        said = await self.ask(sdp(here, direction="recvonly"))
        assert (said.status, said.direction) == (200, "sendonly")
        await self.hears(self.mouth)
        await self.ask(sdp(here))

    async def add(self) -> None:
        """Offer what we do not have: beside sound it is refused alone, and without any all is refused."""
        here = self.mouth.port
        for more in (VIDEO, T38):
            said = await self.ask(sdp(here, *more))
            refused = [one for one in said.body.splitlines() if one.startswith(more[0].split(" ")[0])]
            assert (said.status, refused[0].split(" ")[1]) == (200, "0")
            await self.hears(self.mouth)
        alone = sdp(here).replace(f"m=audio {here} RTP/AVP 0 101", T38[0])
        for body in (sdp(here, codecs="18 101"), alone, sdp(0)):
            said = await self.ask(body)
            assert said.status == 488
            await self.hears(self.mouth)

    async def move(self, other: Mouth) -> None:
        """Hear elsewhere, by another codec, and where one was."""
        said = await self.ask(sdp(other.port, codecs="8 0 101"))
        assert (said.status, said.line.split()[3]) == (200, "8")
        other.heard_at = 8
        await self.hears(other)
        said = await self.ask(sdp(other.port))
        assert (said.status, said.line.split()[3]) == (200, "0")
        other.heard_at = 0
        await self.hears(other)
        await self.ask(sdp(self.mouth.port))
        await self.hears(self.mouth)

    async def say_nothing(self) -> None:
        """Ask without SDP: a re-INVITE wants an offer of ours, which the ACK answers."""
        if self.method == "UPDATE":
            assert (await self.ask("")).status == 200
        else:
            number = await self.call.begin("INVITE")
            said = await self.call.final(number)
            assert said.status == 200
            assert said.line.split()[3] == "0"
            await self.call.ack(said, sdp=sdp(self.mouth.port))
        await self.hears(self.mouth)


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
async def test_changes_within_a_call(tmp_path: Path, method: str) -> None:
    write_tone(tmp_path / "prompt.wav", PROMPT, 60)
    async with sip_peer() as peer, line(tmp_path) as calls:
        call, mouth = await answered(calls, peer)
        other = await peer.mouth(650, mouth.to)
        talk = Talk(calls, call, mouth, method)
        calls.pool.record("a", 1, tmp_path / "r.wav")
        calls.pool.play("a", 2, port.Announcement("prompt.wav"))
        await talk.hears(mouth)
        await talk.hold()
        await talk.add()
        await talk.move(other)
        await talk.say_nothing()
        await call.hang_up()
        ended = await calls.next(port.RecordingEnded)
        assert (await calls.next(port.HungUp)).by == "callee"
    # While it held by `inactive` and by 0.0.0.0 it said nothing, and by `sendonly` it spoke.
    tenths = recorded(tmp_path / "r.wav")
    assert ended.duration_ms >= 3 * 1000 * HELD
    assert tenths.count(0) * 0.1 >= 2 * HELD - 0.2
    assert tenths.count(VOICE) * 0.1 >= HELD


@pytest.mark.parametrize(
    ("direction", "address"),
    [
        ("sendonly", "127.0.0.1"),
        ("recvonly", "127.0.0.1"),
        ("inactive", "127.0.0.1"),
        ("sendrecv", "0.0.0.0"),
    ],
    ids=["sendonly", "recvonly", "inactive", "0.0.0.0"],
)
@pytest.mark.parametrize("comes_in", [False, True], ids=["out", "in"])
async def test_a_call_may_begin_on_hold(tmp_path: Path, comes_in: bool, direction: str, address: str) -> None:
    write_tone(tmp_path / "prompt.wav", PROMPT, 60)
    async with sip_peer() as peer, line(tmp_path) as calls:
        mouth = await peer.mouth(VOICE)
        held = sdp(mouth.port, direction=direction, address=address)
        if comes_in:
            calls.pool.open(lambda offer: port.Taken("a", calls.send.send_nowait))
            call = await peer.call(calls.pool.addresses[0], "+1800", sdp=held)
            await call.provisional(180)
            calls.pool.answer("a")
            said = await call.final()
            await call.ack(said)
            mouth.to = said.sound
        else:
            calls.ring("a", peer.address)
            call = await peer.called()
            await call.answer(200, sdp=held)
            await peer.request("ACK")
        await calls.next(port.Answered)
        calls.pool.record("a", 1, tmp_path / "r.wav")
        calls.pool.play("a", 2, port.Announcement("prompt.wav"))
        await calls.next(port.PlaybackStarted)
        await trio.sleep(HELD)
        assert bool(mouth.heard) == (direction == "recvonly")
        said = await call.ask("INVITE", sdp=sdp(mouth.port, version=2))
        assert (said.status, said.direction) == (200, "sendrecv")
        await mouth.until_heard(PROMPT, 10)
        await call.hang_up()
        assert (await calls.next(port.RecordingEnded)).duration_ms >= 1000 * HELD / 2
        assert (await calls.next(port.HungUp)).by == "callee"
