"""What every implementation of `media.port.Rooms` must do; see `phones_contract` for the rigs.

A room is a leg to `port.Phones`, so what is played and recorded on it is checked by what its sink is
told, and who is heard in it by the level of its recordings.
"""

from typing import Protocol

from ringful.media import port
from tests.phones_contract import LONG, MISSING, SHORT, Far, Rig, both_up, place, up

SPEAKER = Far(press="5", press_after=1.0, speaks=True)
HEARD, UNHEARD = -40.0, -60.0
"""Levels in dB that a voice is above, and silence below."""


class RoomRig(Rig, Protocol):
    """Phones and rooms; what happens in a room is told as what its legs tell."""

    @property
    def rooms(self) -> port.Rooms:
        """The rooms of these phones."""

    def hear(self, event: port.Event) -> None:
        """Take an event: the sink of rooms."""


async def opened(rig: RoomRig, room: str = "r", *, speaking: bool = False) -> None:
    """Have a room."""
    rig.rooms.open_room(room, rig.hear, speaking=speaking)
    assert await rig.next(port.Answered, room) == port.Answered(room)


async def closed(rig: RoomRig, *legs: str) -> None:
    """End the room ``r``, and *legs*."""
    rig.phones.hang_up("r")
    assert (await rig.next(port.HungUp, "r")).by == "server"
    for leg in legs:
        rig.phones.hang_up(leg)
        await rig.next(port.HungUp, leg)
    await rig.settle()


async def level(rig: RoomRig, room: str = "r", speaker: str = "b") -> float | None:
    """Record *room* while *speaker* presses its key and speaks; give the recording's level."""
    rig.phones.record(room, 1, rig.folder / f"{room}.wav")
    await rig.next(port.RecordingStarted, room)
    await rig.next(port.TonePressed, speaker)
    # It speaks for 0.6 s, and a real one begins some time after.
    for playback in (11, 12):
        rig.phones.play("a", playback, SHORT)
        await rig.next(port.PlaybackEnded)
    rig.phones.stop_recording(room, 1)
    ended = await rig.next(port.RecordingEnded, room)
    assert ended.reason == "stopped"
    return ended.level_db


async def check_a_room_is_opened_and_hung_up(rig: RoomRig) -> None:
    await opened(rig)
    await closed(rig)
    assert [type(event) for event in rig.told] == [port.Answered, port.HungUp]


async def check_a_room_without_anybody_plays(rig: RoomRig) -> None:
    await opened(rig)
    rig.phones.play("r", 1, MISSING)
    assert (await rig.next(port.PlaybackFailed, "r")).playback == 1
    rig.phones.play("r", 2, SHORT)
    assert await rig.next(port.PlaybackStarted, "r") == port.PlaybackStarted("r", 2)
    assert await rig.next(port.PlaybackEnded, "r") == port.PlaybackEnded("r", 2, "end")
    rig.phones.play("r", 3, LONG, background=True)
    await rig.next(port.PlaybackStarted, "r")
    rig.phones.stop_playback("r", 3)
    assert await rig.next(port.PlaybackEnded, "r") == port.PlaybackEnded("r", 3, "stopped")
    await closed(rig)


async def check_what_is_played_in_a_room_follows_without_a_hole(rig: RoomRig) -> None:
    await opened(rig)
    rig.phones.play("r", 1, SHORT)
    rig.phones.cue("r", 2, SHORT)
    assert (await rig.next(port.PlaybackEnded, "r")).playback == 1
    rig.phones.play("r", 2, SHORT)
    assert await rig.next(port.PlaybackEnded, "r") == port.PlaybackEnded("r", 2, "end")
    await closed(rig)


async def check_a_room_records_who_speaks_in_it(rig: RoomRig) -> None:
    await opened(rig)
    await both_up(rig, other=SPEAKER)
    rig.rooms.join("r", "a")
    rig.rooms.join("r", "b")
    heard = await level(rig)
    assert heard is not None
    assert heard > HEARD
    await closed(rig, "a", "b")


async def check_a_room_records_its_announcements(rig: RoomRig) -> None:
    await opened(rig)
    rig.phones.record("r", 1, rig.folder / "r.wav")
    await rig.next(port.RecordingStarted, "r")
    rig.phones.play("r", 2, SHORT)
    await rig.next(port.PlaybackEnded, "r")
    rig.phones.stop_recording("r", 1)
    ended = await rig.next(port.RecordingEnded, "r")
    assert 400 <= ended.duration_ms <= 1000
    assert ended.level_db is not None
    assert ended.level_db > HEARD
    await closed(rig)


async def check_a_members_own_recording_holds_whom_it_hears(rig: RoomRig) -> None:
    await opened(rig)
    await both_up(rig, other=SPEAKER)
    rig.rooms.join("r", "a")
    rig.rooms.join("r", "b")
    heard = await level(rig, "a")
    assert heard is not None
    assert heard > HEARD
    await closed(rig, "a", "b")


async def check_a_deaf_members_own_recording_holds_nobody_else(rig: RoomRig) -> None:
    await opened(rig)
    await both_up(rig, other=SPEAKER)
    rig.rooms.join("r", "a", deaf=True)
    rig.rooms.join("r", "b")
    heard = await level(rig, "a")
    assert heard is None or heard < UNHEARD
    await closed(rig, "a", "b")


async def check_a_members_own_recording_holds_the_rooms_announcements_and_not_its_own(rig: RoomRig) -> None:
    await opened(rig)
    await up(rig)
    rig.rooms.join("r", "a")
    for heard, recording in (("a", 1), ("r", 2)):
        rig.phones.record("a", recording, rig.folder / f"{heard}.wav")
        await rig.next(port.RecordingStarted)
        rig.phones.play(heard, recording, SHORT)
        await rig.next(port.PlaybackEnded, heard)
        rig.phones.stop_recording("a", recording)
        await rig.next(port.RecordingEnded)
    own, whole = (one.level_db for one in rig.told if isinstance(one, port.RecordingEnded))
    assert own is None or own < UNHEARD
    assert whole is not None
    assert whole > HEARD
    await closed(rig, "a")


async def check_a_room_does_not_record_what_is_played_to_a_member_alone(rig: RoomRig) -> None:
    await opened(rig)
    await up(rig)
    rig.rooms.join("r", "a")
    rig.phones.record("r", 1, rig.folder / "r.wav")
    await rig.next(port.RecordingStarted, "r")
    rig.phones.play("a", 1, SHORT)
    await rig.next(port.PlaybackEnded)
    rig.phones.stop_recording("r", 1)
    heard = (await rig.next(port.RecordingEnded, "r")).level_db
    assert heard is None or heard < UNHEARD
    await closed(rig, "a")


async def unheard(rig: RoomRig) -> None:
    heard = await level(rig)
    assert heard is None or heard < UNHEARD
    await closed(rig, "a", "b")


async def check_who_joins_muted_is_not_heard(rig: RoomRig) -> None:
    await opened(rig)
    await both_up(rig, other=SPEAKER)
    rig.rooms.join("r", "a")
    rig.rooms.join("r", "b", muted=True)
    await unheard(rig)


async def check_a_muted_leg_is_not_heard_in_a_room(rig: RoomRig) -> None:
    await opened(rig)
    await both_up(rig, other=SPEAKER)
    rig.phones.mute("b")
    rig.rooms.join("r", "b")
    await unheard(rig)


async def check_joining_again_does_not_undo_a_mute_of_the_leg(rig: RoomRig) -> None:
    await opened(rig)
    await both_up(rig, other=SPEAKER)
    rig.rooms.join("r", "b", muted=True)
    rig.phones.mute("b")
    rig.rooms.join("r", "b")
    await unheard(rig)


async def check_joining_again_lets_a_muted_member_be_heard(rig: RoomRig) -> None:
    await opened(rig)
    await both_up(rig, other=SPEAKER)
    rig.rooms.join("r", "b", muted=True, deaf=True)
    rig.rooms.join("r", "b")
    heard = await level(rig)
    assert heard is not None
    assert heard > HEARD
    await closed(rig, "a", "b")


async def check_a_deaf_member_is_heard(rig: RoomRig) -> None:
    await opened(rig)
    await both_up(rig, other=SPEAKER)
    rig.rooms.join("r", "b", deaf=True)
    heard = await level(rig)
    assert heard is not None
    assert heard > HEARD
    await closed(rig, "a", "b")


async def check_a_coach_is_heard_by_the_one_that_it_coaches(rig: RoomRig) -> None:
    await opened(rig)
    await both_up(rig, other=SPEAKER)
    rig.rooms.join("r", "b", heard_by="a")
    rig.rooms.join("r", "a")
    heard = await level(rig, "a")
    assert heard is not None
    assert heard > HEARD
    await closed(rig, "a", "b")


async def check_a_coach_is_in_no_recording_of_the_room(rig: RoomRig) -> None:
    await opened(rig)
    await both_up(rig, other=SPEAKER)
    rig.rooms.join("r", "a")
    rig.rooms.join("r", "b", heard_by="a")
    await unheard(rig)


async def check_a_coach_of_somebody_else_is_not_heard(rig: RoomRig) -> None:
    await opened(rig)
    await both_up(rig, other=SPEAKER)
    rig.rooms.join("r", "a")
    rig.rooms.join("r", "b", heard_by="c")
    heard = await level(rig, "a")
    assert heard is None or heard < UNHEARD
    await closed(rig, "a", "b")


async def check_who_has_left_is_not_heard_and_goes_on(rig: RoomRig) -> None:
    await opened(rig)
    await both_up(rig, other=SPEAKER)
    rig.rooms.join("r", "b")
    rig.rooms.leave("r", "b")
    rig.rooms.leave("r", "a")
    rig.rooms.leave("nowhere", "b")
    heard = await level(rig)
    assert heard is None or heard < UNHEARD
    rig.phones.play("b", 1, SHORT)
    assert (await rig.next(port.PlaybackEnded, "b")).reason == "end"
    await closed(rig, "a", "b")


async def check_leaving_another_room_changes_nothing(rig: RoomRig) -> None:
    await opened(rig)
    await both_up(rig, other=SPEAKER)
    rig.rooms.join("r", "b")
    rig.rooms.leave("s", "b")
    heard = await level(rig)
    assert heard is not None
    assert heard > HEARD
    await closed(rig, "a", "b")


async def check_a_leg_is_in_one_room_at_a_time(rig: RoomRig) -> None:
    await opened(rig)
    await opened(rig, "s")
    await both_up(rig, other=SPEAKER)
    rig.rooms.join("s", "b")
    rig.rooms.join("r", "b")
    rig.phones.record("s", 1, rig.folder / "s.wav")
    heard = await level(rig)
    assert heard is not None
    assert heard > HEARD
    rig.phones.hang_up("s")
    await rig.next(port.HungUp, "s")
    (other,) = [one for one in rig.told if isinstance(one, port.RecordingEnded) and one.leg == "s"]
    assert other.level_db is None or other.level_db < UNHEARD
    await closed(rig, "a", "b")


async def check_who_joins_a_room_leaves_its_connection(rig: RoomRig) -> None:
    await opened(rig)
    await both_up(rig)
    rig.phones.connect("a", "b", 1)
    await rig.next(port.Connected)
    rig.rooms.join("r", "b")
    assert await rig.next(port.Disconnected) == port.Disconnected("a", 1, "stopped")
    await closed(rig, "a", "b")


async def check_who_is_in_a_room_cannot_be_connected(rig: RoomRig) -> None:
    await opened(rig)
    await both_up(rig)
    rig.rooms.join("r", "b")
    rig.phones.connect("a", "b", 1)
    assert (await rig.next(port.ConnectFailed)).connection == 1
    rig.rooms.leave("r", "b")
    rig.phones.connect("a", "b", 2)
    assert await rig.next(port.Connected) == port.Connected("a", 2)
    await closed(rig, "a", "b")


async def check_it_is_told_who_speaks(rig: RoomRig) -> None:
    await opened(rig, speaking=True)
    await both_up(rig, other=SPEAKER)
    rig.rooms.join("r", "a")
    rig.rooms.join("r", "b")
    assert await rig.next(port.Speaking, "r") == port.Speaking("r", "b", True)
    assert rig.rooms.speaking("r") == {"b"}
    assert await rig.next(port.Speaking, "r") == port.Speaking("r", "b", False)
    assert rig.rooms.speaking("r") == frozenset()
    assert rig.rooms.speaking("nowhere") == frozenset()
    await closed(rig, "a", "b")


async def check_a_muted_member_does_not_speak(rig: RoomRig) -> None:
    await opened(rig, speaking=True)
    await both_up(rig, other=SPEAKER)
    rig.rooms.join("r", "b", muted=True)
    await unheard(rig)
    assert not [event for event in rig.told if isinstance(event, port.Speaking)]


async def check_a_room_tells_who_speaks_only_where_it_was_asked_to(rig: RoomRig) -> None:
    await opened(rig)
    await both_up(rig, other=SPEAKER)
    rig.rooms.join("r", "b")
    await level(rig)
    await closed(rig, "a", "b")
    assert not [event for event in rig.told if isinstance(event, port.Speaking)]


async def check_who_speaks_and_hangs_up_speaks_no_more(rig: RoomRig) -> None:
    await opened(rig, speaking=True)
    await both_up(rig, other=SPEAKER)
    rig.rooms.join("r", "b")
    assert (await rig.next(port.Speaking, "r")).speaks
    rig.phones.hang_up("b")
    assert await rig.next(port.Speaking, "r") == port.Speaking("r", "b", False)
    assert rig.rooms.speaking("r") == frozenset()
    await closed(rig, "a")


async def check_a_room_goes_on_without_its_members(rig: RoomRig) -> None:
    await opened(rig)
    await up(rig, Far(hang_up_after=0.5))
    rig.rooms.join("r", "a")
    rig.phones.record("r", 1, rig.folder / "r.wav")
    assert (await rig.next(port.HungUp)).by == "callee"
    rig.phones.play("r", 2, SHORT)
    assert (await rig.next(port.PlaybackEnded, "r")).reason == "end"
    rig.phones.stop_recording("r", 1)
    assert (await rig.next(port.RecordingEnded, "r")).reason == "stopped"
    await closed(rig)


async def check_the_end_of_a_room_ends_everything_in_it_first_and_no_member(rig: RoomRig) -> None:
    await opened(rig)
    await up(rig)
    rig.rooms.join("r", "a")
    rig.phones.record("r", 1, rig.folder / "r.wav")
    await rig.next(port.RecordingStarted, "r")
    rig.phones.play("r", 2, LONG)
    rig.phones.play("r", 3, LONG, background=True)
    await rig.next(port.PlaybackStarted, "r")
    rig.phones.hang_up("r")
    await rig.next(port.HungUp, "r")
    ends = [event for event in rig.told if isinstance(event, port.PlaybackEnded | port.RecordingEnded)]
    assert sorted((type(end).__name__, end.leg, end.reason) for end in ends) == [
        ("PlaybackEnded", "r", "hangup"),
        ("PlaybackEnded", "r", "hangup"),
        ("RecordingEnded", "r", "hangup"),
    ]
    assert place(rig.told, port.RecordingEnded, "r") < place(rig.told, port.HungUp, "r")
    rig.phones.play("a", 1, SHORT)
    assert (await rig.next(port.PlaybackEnded)).reason == "end"
    rig.phones.hang_up("a")
    await rig.next(port.HungUp)


async def check_who_was_in_a_room_that_ended_can_join_another(rig: RoomRig) -> None:
    await opened(rig, "s")
    await opened(rig)
    await both_up(rig, other=SPEAKER)
    rig.rooms.join("s", "b")
    rig.phones.hang_up("s")
    await rig.next(port.HungUp, "s")
    rig.rooms.join("r", "b")
    heard = await level(rig)
    assert heard is not None
    assert heard > HEARD
    await closed(rig, "a", "b")


async def check_orders_for_a_room_that_is_over_are_ignored(rig: RoomRig) -> None:
    await opened(rig)
    await up(rig)
    rig.phones.hang_up("r")
    await rig.next(port.HungUp, "r")
    rig.rooms.join("r", "a")
    rig.rooms.join("nowhere", "a")
    rig.rooms.join("r", "nobody")
    rig.phones.play("r", 1, SHORT)
    rig.phones.record("r", 2, rig.folder / "r.wav")
    rig.phones.hang_up("r")
    rig.phones.play("a", 1, SHORT)
    assert (await rig.next(port.PlaybackEnded)).reason == "end"
    assert [event for event in rig.told if event.leg == "r"][-1] == port.HungUp("r", "server")
    rig.phones.hang_up("a")
    await rig.next(port.HungUp)


async def check_a_leg_that_rings_joins_no_room(rig: RoomRig) -> None:
    await opened(rig)
    await rig.ring(Far(rings=60.0), "b")
    await rig.next(port.Ringing, "b")
    rig.rooms.join("r", "b")
    rig.phones.hang_up("b")
    assert (await rig.next(port.Refused, "b")).reason == "cancelled"
    await closed(rig)


async def check_tones_in_a_room_are_sent_once(rig: RoomRig) -> None:
    await opened(rig)
    await both_up(rig)
    rig.phones.send_tones("r", 1, "3")
    assert await rig.next(port.TonesSent, "r") == port.TonesSent("r", 1)
    rig.rooms.join("r", "a")
    rig.rooms.join("r", "b")
    rig.phones.send_tones("r", 2, "12#")
    assert await rig.next(port.TonesSent, "r") == port.TonesSent("r", 2)
    await closed(rig, "a", "b")
    assert len([event for event in rig.told if isinstance(event, port.TonesSent)]) == 2


ROOMS = [check for name, check in list(globals().items()) if name.startswith("check_")]
