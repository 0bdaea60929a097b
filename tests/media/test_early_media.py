"""Sound before the answer: an independent SIP stack calls, and hears us while it still rings."""

from pathlib import Path

from ringful.command.demonstration.sounds import melody
from ringful.media import port
from tests.media.sip_peer import sdp, sip_peer
from tests.media.test_incoming import OURS, open_line


async def test_a_caller_hears_sound_before_the_answer_and_after_it(tmp_path: Path) -> None:
    (tmp_path / "tone.wav").write_bytes(melody([440], 3.0))
    (tmp_path / "other.wav").write_bytes(melody([880], 3.0))
    async with open_line(tmp_path) as (calls, names), sip_peer() as peer:
        mouth = await peer.mouth()
        call = await peer.call(calls.pool.addresses[0], OURS, sdp=sdp(mouth.port))
        assert await names.receive() == "c1"
        await call.provisional(180)
        calls.pool.progress("c1")
        await calls.next(port.EarlyMedia, "c1")
        early = await call.provisional(183)
        mouth.to = early.sound
        calls.pool.play("c1", 1, port.Announcement("tone.wav"))
        await mouth.until_heard(450, 40)
        calls.pool.stop_playback("c1", 1)
        assert (await calls.next(port.PlaybackEnded, "c1")).reason == "stopped"
        calls.pool.answer("c1")
        said = await call.final()
        assert said.status == 200
        assert said.sound == early.sound
        await call.ack()
        await calls.next(port.Answered, "c1")
        calls.pool.play("c1", 2, port.Announcement("other.wav"))
        await mouth.until_heard(900, 40)
        await call.hang_up()
        assert (await calls.next(port.HungUp, "c1")).by == "callee"


async def test_a_caller_who_heard_us_is_turned_away_unanswered(tmp_path: Path) -> None:
    (tmp_path / "tone.wav").write_bytes(melody([440], 3.0))
    async with open_line(tmp_path) as (calls, names), sip_peer() as peer:
        mouth = await peer.mouth()
        call = await peer.call(calls.pool.addresses[0], OURS, sdp=sdp(mouth.port))
        assert await names.receive() == "c1"
        calls.pool.progress("c1")
        await calls.next(port.EarlyMedia, "c1")
        calls.pool.play("c1", 1, port.Announcement("tone.wav"))
        await mouth.until_heard(450, 20)
        calls.pool.reject("c1", 486)
        assert (await calls.next(port.PlaybackEnded, "c1")).reason == "hangup"
        assert (await calls.next(port.Refused, "c1")).reason == "busy"
        refused = await call.final()
        await call.ack(refused)
        assert refused.status == 486
