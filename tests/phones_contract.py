"""What every implementation of `media.port.Phones` must do; each test takes a rig.

A rig rings a phone that behaves as it is told, and gives the events of a leg one by one.  Sounds are
``short`` (0.6 s), ``long`` (20 s) and ``missing``.
"""

from pathlib import Path
from typing import Protocol, TypeVar

from attrs import frozen

from ringful.media import port
from ringful.media.port import Announcement

E = TypeVar("E", bound=port.Event)
SHORT, LONG, MISSING = Announcement("short"), Announcement("long"), Announcement("missing")


@frozen
class Far:
    """What the far end does: its final response, and then after so many seconds keys and a hang-up."""

    status: int = 200
    rings: float = 0.1
    press: str = ""
    press_after: float = 0.3
    hang_up_after: float | None = None


class Rig(Protocol):
    """Phones, and far ends for them."""

    phones: port.Phones
    told: list[port.Event]
    folder: Path

    async def ring(self, far: Far) -> None:
        """Ring a phone that does as *far* says, as leg ``a``."""

    async def next(self, kind: type[E]) -> E:
        """Give the next event of leg ``a`` that is of *kind*."""

    async def settle(self) -> None:
        """Return when nothing more can come of what was ordered."""


async def up(rig: Rig, far: Far | None = None) -> None:
    await rig.ring(far or Far())
    await rig.next(port.Answered)


async def over(rig: Rig) -> list[port.Event]:
    """Hang up; give everything that was told, of which the leg's end must be the last."""
    rig.phones.hang_up("a")
    await rig.next(port.HungUp)
    await rig.settle()
    assert isinstance(rig.told[-1], port.HungUp)
    return rig.told


async def check_an_answered_call_is_hung_up_by_the_server(rig: Rig) -> None:
    await up(rig)
    told = await over(rig)
    assert [type(event) for event in told] == [port.Ringing, port.Answered, port.HungUp]
    assert isinstance(told[-1], port.HungUp)
    assert told[-1].by == "server"


async def check_a_busy_phone_refuses(rig: Rig) -> None:
    await rig.ring(Far(486))
    refused = await rig.next(port.Refused)
    assert (refused.reason, refused.sip_status) == ("busy", 486)


async def check_a_phone_that_declines_rejects(rig: Rig) -> None:
    await rig.ring(Far(603))
    assert (await rig.next(port.Refused)).reason == "rejected"


async def check_a_ringing_call_is_cancelled(rig: Rig) -> None:
    await rig.ring(Far(rings=60.0))
    await rig.next(port.Ringing)
    rig.phones.hang_up("a")
    assert (await rig.next(port.Refused)).reason == "cancelled"


async def check_the_callee_hangs_up(rig: Rig) -> None:
    await up(rig, Far(hang_up_after=0.3))
    assert (await rig.next(port.HungUp)).by == "callee"


async def check_playbacks_follow_in_their_order(rig: Rig) -> None:
    await up(rig)
    rig.phones.play("a", 1, SHORT)
    rig.phones.play("a", 2, SHORT)
    assert await rig.next(port.PlaybackEnded) == port.PlaybackEnded("a", 1, "end")
    assert await rig.next(port.PlaybackStarted) == port.PlaybackStarted("a", 2)
    assert await rig.next(port.PlaybackEnded) == port.PlaybackEnded("a", 2, "end")
    await over(rig)


async def check_a_cue_follows_and_is_told_once(rig: Rig) -> None:
    await up(rig)
    rig.phones.play("a", 1, SHORT)
    rig.phones.cue("a", 2, SHORT)
    assert (await rig.next(port.PlaybackEnded)).playback == 1
    rig.phones.play("a", 2, SHORT)
    assert await rig.next(port.PlaybackEnded) == port.PlaybackEnded("a", 2, "end")
    told = await over(rig)
    playbacks = [
        (type(e), e.playback) for e in told if isinstance(e, port.PlaybackStarted | port.PlaybackEnded)
    ]
    assert playbacks == [
        (port.PlaybackStarted, 1),
        (port.PlaybackEnded, 1),
        (port.PlaybackStarted, 2),
        (port.PlaybackEnded, 2),
    ]


async def check_a_cue_behind_a_stopped_playback_is_dropped_in_silence(rig: Rig) -> None:
    await up(rig)
    rig.phones.play("a", 1, LONG)
    rig.phones.cue("a", 2, SHORT)
    await rig.next(port.PlaybackStarted)
    rig.phones.stop_playback("a", 1)
    assert await rig.next(port.PlaybackEnded) == port.PlaybackEnded("a", 1, "stopped")
    told = await over(rig)
    assert not [e for e in told if getattr(e, "playback", 1) == 2]


async def check_a_sound_that_cannot_be_had_fails_and_the_next_one_plays(rig: Rig) -> None:
    await up(rig)
    rig.phones.play("a", 1, MISSING)
    assert (await rig.next(port.PlaybackFailed)).playback == 1
    rig.phones.play("a", 2, SHORT)
    assert (await rig.next(port.PlaybackEnded)).playback == 2
    await over(rig)


async def check_the_background_holds_one_playback_beside_the_foreground(rig: Rig) -> None:
    await up(rig)
    rig.phones.play("a", 1, LONG, background=True)
    await rig.next(port.PlaybackStarted)
    rig.phones.play("a", 2, SHORT)
    assert await rig.next(port.PlaybackEnded) == port.PlaybackEnded("a", 2, "end")
    rig.phones.play("a", 3, LONG, background=True)
    assert await rig.next(port.PlaybackEnded) == port.PlaybackEnded("a", 1, "stopped")
    told = await over(rig)
    assert port.PlaybackEnded("a", 3, "hangup") in told


async def check_a_recording_is_stopped(rig: Rig) -> None:
    await up(rig)
    rig.phones.record("a", 1, rig.folder / "a.wav")
    await rig.next(port.RecordingStarted)
    rig.phones.play("a", 2, SHORT)
    await rig.next(port.PlaybackEnded)
    rig.phones.stop_recording("a", 1)
    ended = await rig.next(port.RecordingEnded)
    assert ended.reason == "stopped"
    assert 400 <= ended.duration_ms <= 900
    assert (rig.folder / "a.wav").stat().st_size == ended.size
    await over(rig)


async def check_a_recording_that_cannot_be_written_fails(rig: Rig) -> None:
    await up(rig)
    rig.phones.record("a", 1, rig.folder / "no" / "such" / "folder" / "a.wav")
    rig.phones.stop_recording("a", 1)
    assert (await rig.next(port.RecordingFailed)).recording == 1
    await over(rig)


async def check_a_hang_up_ends_everything_before_itself(rig: Rig) -> None:
    await up(rig, Far(hang_up_after=0.6))
    rig.phones.record("a", 1, rig.folder / "a.wav")
    rig.phones.play("a", 2, LONG)
    rig.phones.play("a", 3, LONG)
    rig.phones.send_tones("a", 4, "0123456789" * 10)
    assert (await rig.next(port.HungUp)).by == "callee"
    await rig.settle()
    ends = [e for e in rig.told if isinstance(e, port.RecordingEnded | port.PlaybackEnded | port.TonesSent)]
    assert sorted(type(end).__name__ for end in ends) == [
        "PlaybackEnded",
        "PlaybackEnded",
        "RecordingEnded",
        "TonesSent",
    ]
    assert isinstance(rig.told[-1], port.HungUp)


async def check_a_key_is_told_once_and_tones_are_sent(rig: Rig) -> None:
    await up(rig, Far(press="5"))
    assert (await rig.next(port.TonePressed)).tone == "5"
    rig.phones.send_tones("a", 1, "12#")
    assert await rig.next(port.TonesSent) == port.TonesSent("a", 1, sent=True)
    told = await over(rig)
    assert len([e for e in told if isinstance(e, port.TonePressed)]) == 1


async def check_orders_for_a_leg_that_is_over_are_ignored(rig: Rig) -> None:
    await up(rig)
    await over(rig)
    rig.phones.play("a", 1, SHORT)
    rig.phones.record("a", 2, rig.folder / "a.wav")
    rig.phones.stop_playback("a", 1)
    rig.phones.hang_up("a")
    await rig.settle()
    assert isinstance(rig.told[-1], port.HungUp)


CONTRACT = [check for name, check in list(globals().items()) if name.startswith("check_")]
