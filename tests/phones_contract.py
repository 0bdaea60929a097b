"""What every implementation of `media.port.Phones` must do; each test takes a rig.

A rig rings phones that behave as they are told, and gives the events of a leg one by one.  Sounds are
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
    speaks: bool = False
    """It says something for 0.6 s when its keys are pressed."""
    gives_up_after: float | None = None
    """Of a phone that calls us: how long it waits for an answer."""


class Rig(Protocol):
    """Phones, and far ends for them."""

    phones: port.Phones
    told: list[port.Event]
    folder: Path

    async def phone(self, far: Far) -> str:
        """Give the number of a phone that does as *far* says."""

    async def ring(self, far: Far, leg: str = "a") -> None:
        """Ring a phone that does as *far* says, as *leg*."""

    async def call(self, far: Far, leg: str = "a") -> None:
        """Let a phone call us that does as *far* says once it is answered, and take it as *leg*."""

    async def next(self, kind: type[E], leg: str = "a") -> E:
        """Give the next event of *leg* that is of *kind*; what other legs tell until then is passed over."""

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


async def both_up(rig: Rig, far: Far | None = None, other: Far | None = None) -> None:
    """Have two legs answered: ``a``, and ``b``."""
    await up(rig, far)
    await rig.ring(other or Far(), "b")
    await rig.next(port.Answered, "b")


def place(told: list[port.Event], kind: type[port.Event], leg: str) -> int:
    """Say at which place *leg* told the one event of *kind*."""
    (found,) = [number for number, event in enumerate(told) if isinstance(event, kind) and event.leg == leg]
    return found


async def check_two_legs_are_connected_and_parted(rig: Rig) -> None:
    await both_up(rig)
    rig.phones.connect("a", "b", 1)
    assert await rig.next(port.Connected) == port.Connected("a", 1)
    rig.phones.disconnect("a", 1)
    assert await rig.next(port.Disconnected) == port.Disconnected("a", 1, "stopped")
    rig.phones.connect("b", "a", 1)
    assert await rig.next(port.Connected, "b") == port.Connected("b", 1)
    rig.phones.hang_up("b")
    assert await rig.next(port.Disconnected, "b") == port.Disconnected("b", 1, "hangup")
    await rig.next(port.HungUp, "b")
    await over(rig)


async def check_the_other_leg_ends_a_connection(rig: Rig) -> None:
    await both_up(rig, other=Far(hang_up_after=0.5))
    rig.phones.connect("a", "b", 1)
    assert await rig.next(port.Disconnected) == port.Disconnected("a", 1, "other")
    assert (await rig.next(port.HungUp, "b")).by == "callee"
    rig.phones.play("a", 2, SHORT)
    assert (await rig.next(port.PlaybackEnded)).reason == "end"
    told = await over(rig)
    assert place(told, port.Disconnected, "a") < place(told, port.HungUp, "b")
    assert len([event for event in told if isinstance(event, port.Connected)]) == 1


async def check_a_leg_that_ends_ends_its_connection_first(rig: Rig) -> None:
    # The one that hangs up comes last: who knows how long the other takes to answer.
    await rig.ring(Far(), "b")
    await rig.next(port.Answered, "b")
    await up(rig, Far(hang_up_after=1.0))
    rig.phones.connect("a", "b", 1)
    rig.phones.record("a", 2, rig.folder / "a.wav")
    assert await rig.next(port.Disconnected) == port.Disconnected("a", 1, "hangup")
    await rig.next(port.HungUp)
    rig.phones.play("b", 1, SHORT)
    assert (await rig.next(port.PlaybackEnded, "b")).reason == "end"
    assert place(rig.told, port.Disconnected, "a") < place(rig.told, port.HungUp, "a")
    assert place(rig.told, port.RecordingEnded, "a") < place(rig.told, port.HungUp, "a")
    rig.phones.hang_up("b")
    await rig.next(port.HungUp, "b")


async def check_a_leg_that_rings_cannot_be_connected(rig: Rig) -> None:
    await up(rig)
    await rig.ring(Far(rings=60.0), "b")
    await rig.next(port.Ringing, "b")
    rig.phones.connect("a", "b", 1)
    assert (await rig.next(port.ConnectFailed)).connection == 1
    rig.phones.connect("a", "nobody", 2)
    assert (await rig.next(port.ConnectFailed)).connection == 2
    rig.phones.hang_up("b")
    await rig.next(port.Refused, "b")
    await over(rig)


async def check_a_leg_is_in_one_connection_at_a_time(rig: Rig) -> None:
    await both_up(rig)
    await rig.ring(Far(), "c")
    await rig.next(port.Answered, "c")
    rig.phones.connect("a", "b", 1)
    await rig.next(port.Connected)
    rig.phones.connect("c", "b", 1)
    assert (await rig.next(port.ConnectFailed, "c")).connection == 1
    rig.phones.disconnect("c", 1)
    rig.phones.disconnect("a", 7)
    for leg in ("b", "c"):
        rig.phones.hang_up(leg)
        await rig.next(port.HungUp, leg)
    told = await over(rig)
    assert [event for event in told if isinstance(event, port.Disconnected)] == [
        port.Disconnected("a", 1, "other")
    ]


async def level_of_what_b_says(rig: Rig, *, muted: bool) -> float | None:
    """Record ``a`` while ``b`` speaks to it; give the recording's level."""
    await both_up(rig, other=Far(press="5", press_after=1.0, speaks=True))
    if muted:
        rig.phones.mute("b")
    rig.phones.connect("a", "b", 1)
    await rig.next(port.Connected)
    rig.phones.record("a", 2, rig.folder / "a.wav")
    rig.phones.record("b", 1, rig.folder / "b.wav")
    await rig.next(port.TonePressed, "b")
    rig.phones.play("a", 3, SHORT)
    rig.phones.play("a", 4, SHORT)
    await rig.next(port.PlaybackEnded)
    await rig.next(port.PlaybackEnded)
    rig.phones.stop_recording("b", 1)
    own = (await rig.next(port.RecordingEnded, "b")).level_db
    assert own is not None
    assert own > -40
    rig.phones.hang_up("a")
    recorded = await rig.next(port.RecordingEnded)
    await rig.next(port.HungUp)
    rig.phones.hang_up("b")
    await rig.next(port.HungUp, "b")
    return recorded.level_db


async def check_a_recording_holds_the_other_side_too(rig: Rig) -> None:
    level = await level_of_what_b_says(rig, muted=False)
    assert level is not None
    assert level > -40


async def check_a_muted_leg_is_not_heard_by_the_other(rig: Rig) -> None:
    level = await level_of_what_b_says(rig, muted=True)
    assert level is None or level < -60


async def check_a_far_end_is_transferred(rig: Rig) -> None:
    await up(rig)
    rig.phones.transfer("a", 1, await rig.phone(Far(rings=0.3)))
    assert await rig.next(port.Transferred) == port.Transferred("a", 1)
    told = await over(rig)
    assert not [event for event in told if isinstance(event, port.TransferFailed)]


async def check_a_transfer_to_a_busy_phone_fails(rig: Rig) -> None:
    await up(rig)
    rig.phones.transfer("a", 1, await rig.phone(Far(486)))
    failed = await rig.next(port.TransferFailed)
    assert (failed.transfer, failed.reason, failed.sip_status) == (1, "busy", 486)
    rig.phones.play("a", 2, SHORT)
    assert (await rig.next(port.PlaybackEnded)).reason == "end"
    await over(rig)


async def check_a_hang_up_ends_a_transfer_first(rig: Rig) -> None:
    await up(rig, Far(hang_up_after=1.0))
    rig.phones.transfer("a", 1, await rig.phone(Far(rings=60.0)))
    assert (await rig.next(port.TransferFailed)).reason == "hangup"
    assert (await rig.next(port.HungUp)).by == "callee"


async def check_a_call_that_comes_in_is_answered_and_hung_up(rig: Rig) -> None:
    await rig.call(Far())
    rig.phones.answer("a")
    await rig.next(port.Answered)
    rig.phones.answer("a")
    told = await over(rig)
    assert [type(event) for event in told] == [port.Answered, port.HungUp]
    assert isinstance(told[-1], port.HungUp)
    assert told[-1].by == "server"


async def check_a_caller_hears_presses_keys_and_is_recorded(rig: Rig) -> None:
    await rig.call(Far(press="5"))
    rig.phones.answer("a")
    await rig.next(port.Answered)
    rig.phones.record("a", 1, rig.folder / "a.wav")
    rig.phones.play("a", 2, SHORT)
    assert (await rig.next(port.TonePressed)).tone == "5"
    assert await rig.next(port.PlaybackEnded) == port.PlaybackEnded("a", 2, "end")
    rig.phones.stop_recording("a", 1)
    assert 400 <= (await rig.next(port.RecordingEnded)).duration_ms <= 900
    rig.phones.send_tones("a", 3, "12#")
    assert await rig.next(port.TonesSent) == port.TonesSent("a", 3, sent=True)
    await over(rig)


async def check_a_caller_hangs_up(rig: Rig) -> None:
    await rig.call(Far(hang_up_after=0.5))
    rig.phones.answer("a")
    await rig.next(port.Answered)
    rig.phones.play("a", 1, LONG)
    assert await rig.next(port.PlaybackEnded) == port.PlaybackEnded("a", 1, "hangup")
    assert (await rig.next(port.HungUp)).by == "callee"


async def check_a_call_that_comes_in_is_rejected(rig: Rig) -> None:
    await rig.call(Far())
    rig.phones.reject("a", 603)
    refused = await rig.next(port.Refused)
    assert (refused.reason, refused.sip_status) == ("rejected", 603)
    await rig.settle()
    assert rig.told == [refused]


async def check_a_caller_is_told_that_the_line_is_busy(rig: Rig) -> None:
    await rig.call(Far())
    rig.phones.reject("a", 486)
    refused = await rig.next(port.Refused)
    assert (refused.reason, refused.sip_status) == ("busy", 486)


async def check_a_caller_is_told_another_status(rig: Rig) -> None:
    await rig.call(Far())
    rig.phones.reject("a", 404)
    refused = await rig.next(port.Refused)
    assert (refused.reason, refused.sip_status) == ("rejected", 404)


async def check_a_call_that_nobody_answers_is_given_up_by_us(rig: Rig) -> None:
    await rig.call(Far())
    rig.phones.hang_up("a")
    refused = await rig.next(port.Refused)
    assert (refused.reason, refused.sip_status) == ("cancelled", 480)


async def check_a_caller_gives_up(rig: Rig) -> None:
    await rig.call(Far(gives_up_after=0.3))
    refused = await rig.next(port.Refused)
    assert (refused.reason, refused.sip_status) == ("cancelled", 487)
    rig.phones.answer("a")
    await rig.settle()
    assert rig.told == [refused]


async def check_a_phone_that_we_ring_is_not_answered_for(rig: Rig) -> None:
    await rig.ring(Far(rings=60.0))
    await rig.next(port.Ringing)
    rig.phones.answer("a")
    rig.phones.reject("a", 486)
    rig.phones.hang_up("a")
    assert (await rig.next(port.Refused)).reason == "cancelled"
    assert not [event for event in rig.told if isinstance(event, port.Answered)]


CONTRACT = [check for name, check in list(globals().items()) if name.startswith("check_")]
