"""Encrypted sound (SRTP with keys in the SDP, RFC 4568), between two processes of the library."""

import re
from pathlib import Path

import pytest
import trio

from ringful.media import port
from ringful.media.trunks import Encryption
from tests.media.test_pool import line, pitch, rms, samples, write_tone
from tests.registrar import registrar
from tests.trunk import trunk_to

NUMBER = "+18005550000"


@pytest.mark.parametrize(
    ("ours", "theirs"), [("required", "required"), ("optional", "optional"), ("required", "optional")]
)
async def test_sound_is_heard_as_it_was_sent(tmp_path: Path, ours: Encryption, theirs: Encryption) -> None:
    write_tone(tmp_path / "tone.wav", 440, 1.0)
    heard = tmp_path / "heard.wav"
    async with line(tmp_path, trunks=(trunk_to("127.0.0.1:9", srtp=theirs),)) as far:
        far.pool.open(lambda _: port.Taken("b", far.send.send_nowait))
        async with line(tmp_path, trunks=(trunk_to(far.pool.addresses[0], srtp=ours),)) as calls:
            calls.pool.ring("a", NUMBER, None, calls.send.send_nowait)
            while "b" not in far.pool.legs:  # noqa: ASYNC110
                await trio.sleep(0.01)
            far.pool.answer("b")
            await far.next(port.Answered, "b")
            far.pool.record("b", 1, heard)
            await calls.next(port.Answered)
            calls.pool.play("a", 1, port.Announcement("tone.wav"))
            assert (await calls.next(port.PlaybackEnded)).reason == "end"
            far.pool.stop_recording("b", 1)
            await far.next(port.RecordingEnded, "b")
            calls.pool.hang_up("a")
            await calls.next(port.HungUp)
    sound = samples(heard)
    loud = [n for n, one in enumerate(abs(sound)) if one > 500]
    tone = sound[loud[0] + 800 : loud[-1] - 800]
    assert len(tone) > 4000
    assert abs(pitch(tone) - 440) < 5
    assert abs(rms(tone) / (8000 / 2**0.5) - 1) < 0.05


async def test_where_it_is_required_nobody_is_called_without(tmp_path: Path) -> None:
    async with line(tmp_path) as far:
        far.pool.open(lambda _: port.Taken("b", far.send.send_nowait))
        async with line(tmp_path, trunks=(trunk_to(far.pool.addresses[0], srtp="required"),)) as calls:
            calls.pool.ring("a", NUMBER, None, calls.send.send_nowait)
            assert (await calls.next(port.Refused)).sip_status == 488


@pytest.mark.parametrize(
    ("srtp", "profile", "keys"),
    [("off", "RTP/AVP", False), ("optional", "RTP/AVP", True), ("required", "RTP/SAVP", True)],
)
async def test_what_is_offered(tmp_path: Path, srtp: Encryption, profile: str, keys: bool) -> None:
    with registrar(refuses={"INVITE": 486}) as far:
        # Another trunk that wants it changes nothing for this one.
        other = trunk_to("127.0.0.1:9", "other", prefixes=("44",), srtp="required")
        async with line(tmp_path, trunks=(trunk_to(far.address, srtp=srtp), other)) as calls:
            calls.pool.ring("a", NUMBER, None, calls.send.send_nowait)
            await calls.next(port.Refused)
        (said,) = (text for text in far.texts if text.startswith("INVITE"))
    assert re.findall(r"^m=audio \d+ (\S+)", said, re.MULTILINE) == [profile]
    assert ("a=crypto:" in said) == keys
