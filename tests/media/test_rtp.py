"""RTP goes where the call's SDP says, and is taken from there: strangers neither hear nor are heard."""

import wave
from pathlib import Path

import numpy as np
import pytest

from ringful.media import port
from tests.media.test_pool import line, pitch, write_tone
from tests.rtp_far_end import far_end

PROMPT = 1000
PORTS = (10_000, 20_000)


def recorded(path: Path) -> list[float]:
    """Give the pitch of each tenth of a second of a recording; 0 where there is silence."""
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    pieces = [samples[at : at + 800] for at in range(0, len(samples) - 799, 800)]
    return [50 * round(pitch(piece) / 50) if piece.any() else 0 for piece in pieces]


@pytest.mark.parametrize("ports", [(0, 0), PORTS], ids=["any", "range"])
async def test_a_stranger_neither_hears_nor_is_heard(tmp_path: Path, ports: tuple[int, int]) -> None:
    """The far end is muted, so that whoever would follow a sender would follow the stranger."""
    write_tone(tmp_path / "prompt.wav", PROMPT, 1.5)
    async with far_end(talks=False) as far, line(tmp_path, rtp_ports=ports) as calls:
        calls.ring("a", far.address)
        await calls.next(port.Answered)
        (offer,) = far.offers
        stranger = await far.mouth(3000, (offer.address, offer.port))
        calls.pool.record("a", 1, tmp_path / "r.wav")
        calls.pool.play("a", 2, port.Announcement("prompt.wav"))
        await calls.next(port.PlaybackEnded)
        calls.pool.stop_recording("a", 1)
        await calls.next(port.RecordingEnded)
        await far.mouths[0].until_heard(PROMPT, 70)
    assert stranger.heard == []
    assert set(recorded(tmp_path / "r.wav")) == {0}


async def test_behind_nat_the_first_that_sends_is_the_far_end(tmp_path: Path) -> None:
    """Its SDP says an address that nobody can send to; who comes second is a stranger."""
    write_tone(tmp_path / "prompt.wav", PROMPT, 1.5)
    async with far_end(says="10.254.254.254") as far, line(tmp_path) as calls:
        calls.ring("a", far.address)
        await calls.next(port.Answered)
        (offer,) = far.offers
        calls.pool.play("a", 1, port.Announcement("prompt.wav"))
        await far.mouths[0].until_heard(PROMPT, 10)
        await calls.next(port.PlaybackEnded)
        far.mouths[0].to = None
        stranger = await far.mouth(3000, (offer.address, offer.port))
        calls.pool.record("a", 2, tmp_path / "r.wav")
        calls.pool.play("a", 3, port.Announcement("prompt.wav"))
        await calls.next(port.PlaybackEnded)
        calls.pool.stop_recording("a", 2)
        await calls.next(port.RecordingEnded)
        await far.mouths[0].until_heard(PROMPT, 100)
    assert stranger.heard == []
    assert 3000 not in recorded(tmp_path / "r.wav")


async def test_behind_nat_a_stranger_from_elsewhere_is_not_the_far_end(tmp_path: Path) -> None:
    """It sends from before the answer on, and more; the far end begins after it."""
    write_tone(tmp_path / "prompt.wav", PROMPT, 1.5)
    async with far_end(says="10.254.254.254", talks=False) as far, line(tmp_path) as calls:
        calls.ring("a", far.address)
        await calls.next(port.Answered)
        (offer,) = far.offers
        ours = (offer.address, offer.port)
        strangers = [await far.mouth(3000, ours, host="127.0.0.66") for _ in range(5)]
        for one in strangers:
            await one.spoke.wait()
        far.mouths[0].to = ours
        calls.pool.play("a", 1, port.Announcement("prompt.wav"))
        await far.mouths[0].until_heard(PROMPT, 30)
        await calls.next(port.PlaybackEnded)
    assert not any(one.heard for one in strangers)


async def test_a_far_end_that_sends_from_another_port_is_heard_where_that_is_allowed(tmp_path: Path) -> None:
    """It hears where its SDP says; another one of its address that comes later is a stranger."""
    write_tone(tmp_path / "prompt.wav", PROMPT, 1.0)
    async with far_end(talks=False) as far, line(tmp_path, symmetric_rtp=False) as calls:
        calls.ring("a", far.address)
        await calls.next(port.Answered)
        (offer,) = far.offers
        ours = offer.address, offer.port
        elsewhere = await far.mouth(600, ours, host="127.0.0.66")
        speaker = await far.mouth(2000, ours)

        async def said(number: int) -> list[float]:
            """Record what the call hears while it plays the prompt."""
            calls.pool.record("a", number, tmp_path / f"{number}.wav")
            calls.pool.play("a", number, port.Announcement("prompt.wav"))
            await calls.next(port.PlaybackEnded)
            calls.pool.stop_recording("a", number)
            await calls.next(port.RecordingEnded)
            return recorded(tmp_path / f"{number}.wav")

        number, heard = 1, await said(1)
        while 2000 not in heard:
            assert set(heard) == {0}
            assert number < 20
            number, heard = number + 1, await said(number + 1)
        stranger = await far.mouth(3000, ours)
        await stranger.spoke.wait()
        assert set(await said(99)) == {2000}
        await far.mouths[0].until_heard(PROMPT, 90)
    assert stranger.heard == speaker.heard == elsewhere.heard == []


async def test_a_far_end_that_sends_as_it_hears_keeps_others_out(tmp_path: Path) -> None:
    write_tone(tmp_path / "prompt.wav", PROMPT, 1.5)
    async with far_end() as far, line(tmp_path, symmetric_rtp=False) as calls:
        calls.ring("a", far.address)
        await calls.next(port.Answered)
        (offer,) = far.offers
        stranger = await far.mouth(3000, (offer.address, offer.port))
        calls.pool.record("a", 1, tmp_path / "r.wav")
        calls.pool.play("a", 2, port.Announcement("prompt.wav"))
        await calls.next(port.PlaybackEnded)
        calls.pool.stop_recording("a", 1)
        await calls.next(port.RecordingEnded)
    assert stranger.heard == []
    assert set(recorded(tmp_path / "r.wav")) <= {0, 400}


async def test_a_far_end_that_goes_on_sending_is_in_nobody_elses_call(tmp_path: Path) -> None:
    """Each of these says another tone, none of them ever stops, and the ports come round to the first."""
    write_tone(tmp_path / "prompt.wav", PROMPT, 0.16)
    rounds = 35
    async with far_end() as far, line(tmp_path, rtp_ports=PORTS) as calls:
        for number in range(rounds):
            name = f"call-{number}"
            calls.ring(name, far.address)
            await calls.next(port.Answered, name)
            calls.pool.record(name, 1, tmp_path / f"{number}.wav")
            calls.pool.play(name, 2, port.Announcement("prompt.wav"))
            await calls.next(port.PlaybackEnded, name)
            calls.pool.hang_up(name)
            await calls.next(port.HungUp, name)
        heard = [mouth.pitches()[PROMPT] for mouth in far.mouths]
    ports = [offer.port for offer in far.offers]
    # A worker has 64 of them, and RTCP has each second one.
    assert ports[:32] == list(range(ports[0], ports[0] + 64, 2))
    assert ports[32:] == ports[:3]
    # Each heard its own prompt, of eight packets, and that of no other call.
    assert heard == pytest.approx([8] * rounds, abs=2)
    for number in range(rounds):
        # A machine with too much to do makes a call longer.
        assert set(recorded(tmp_path / f"{number}.wav")) == {400 + 50 * number}


async def test_two_codecs_in_an_answer_bring_no_second_invite(tmp_path: Path) -> None:
    write_tone(tmp_path / "prompt.wav", PROMPT, 1.0)
    async with far_end(codecs="0 8") as far, line(tmp_path) as calls:
        calls.ring("a", far.address)
        await calls.next(port.Answered)
        calls.pool.play("a", 1, port.Announcement("prompt.wav"))
        await calls.next(port.PlaybackEnded)
        assert far.requests == ["INVITE", "ACK"]
        await far.mouths[0].until_heard(PROMPT, 20)
