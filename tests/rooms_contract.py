"""What every implementation of `media.port.Rooms` must do; each test takes a rig, as in `phones_contract`."""

from pathlib import Path
from typing import Protocol, TypeVar

from ringful.media import port
from tests import phones_contract
from tests.phones_contract import LONG, MISSING, SHORT, Far, both_up, place, up

E = TypeVar("E", bound=port.Event)
ROOM = "room"


class Both(port.Phones, port.Rooms, Protocol):
    """Phones that have rooms."""


class Rig(Protocol):
    """See `phones_contract.Rig`; its phones have rooms."""

    phones: Both
    told: list[port.Event]
    folder: Path

    def hear(self, event: port.Event) -> None:
        """Take what is told of a room: where it goes is where a leg's goes."""

    async def phone(self, far: Far) -> str: ...
    async def ring(self, far: Far, leg: str = "a") -> None: ...
    async def call(self, far: Far, leg: str = "a") -> None: ...
    async def next(self, kind: type[E], leg: str = "a") -> E: ...
    async def settle(self) -> None: ...


async def opened(rig: Rig, *, speaking: bool = False) -> None:
    rig.phones.open_room(ROOM, rig.hear, speaking=speaking)
    assert await rig.next(port.Answered, ROOM) == port.Answered(ROOM)


async def closed(rig: Rig) -> list[port.Event]:
    """End the room; give what it told, of which its end is the last."""
    rig.phones.hang_up(ROOM)
    assert await rig.next(port.HungUp, ROOM) == port.HungUp(ROOM, "server")
    await rig.settle()
    told = [event for event in rig.told if event.leg == ROOM]
    assert isinstance(told[-1], port.HungUp)
    return told


async def hung_up(rig: Rig, *legs: str) -> None:
    for leg in legs:
        rig.phones.hang_up(leg)
        await rig.next(port.HungUp, leg)


async def check_an_empty_room_plays_and_is_recorded(rig: Rig) -> None:
    await opened(rig)
    rig.phones.record(ROOM, 1, rig.folder / "room.wav")
    await rig.next(port.RecordingStarted, ROOM)
    rig.phones.play(ROOM, 2, SHORT)
    assert await rig.next(port.PlaybackStarted, ROOM) == port.PlaybackStarted(ROOM, 2)
    assert await rig.next(port.PlaybackEnded, ROOM) == port.PlaybackEnded(ROOM, 2, "end")
    rig.phones.stop_recording(ROOM, 1)
    ended = await rig.next(port.RecordingEnded, ROOM)
    assert ended.reason == "stopped"
    assert 400 <= ended.duration_ms <= 1000, ended
    assert (rig.folder / "room.wav").stat().st_size == ended.size
    await closed(rig)


async def check_playbacks_of_a_room_follow_as_those_of_a_leg(rig: Rig) -> None:
    await opened(rig)
    rig.phones.play(ROOM, 1, LONG, background=True)
    rig.phones.play(ROOM, 2, MISSING)
    assert (await rig.next(port.PlaybackFailed, ROOM)).playback == 2
    rig.phones.play(ROOM, 3, SHORT)
    rig.phones.cue(ROOM, 4, SHORT)
    assert await rig.next(port.PlaybackEnded, ROOM) == port.PlaybackEnded(ROOM, 3, "end")
    rig.phones.play(ROOM, 4, SHORT)
    assert await rig.next(port.PlaybackEnded, ROOM) == port.PlaybackEnded(ROOM, 4, "end")
    rig.phones.stop_playback(ROOM, 1)
    assert await rig.next(port.PlaybackEnded, ROOM) == port.PlaybackEnded(ROOM, 1, "stopped")
    await closed(rig)


async def check_a_room_that_ends_ends_everything_before_itself(rig: Rig) -> None:
    await up(rig)
    await opened(rig)
    rig.phones.join(ROOM, "a")
    rig.phones.record(ROOM, 1, rig.folder / "room.wav")
    rig.phones.play(ROOM, 2, LONG)
    rig.phones.play(ROOM, 3, LONG)
    await rig.next(port.PlaybackStarted, ROOM)
    told = await closed(rig)
    ends = [event for event in told if isinstance(event, port.PlaybackEnded | port.RecordingEnded)]
    assert {(type(event), event.reason) for event in ends} == {
        (port.PlaybackEnded, "hangup"),
        (port.RecordingEnded, "hangup"),
    }
    assert len(ends) == 3
    # Its members are as they were.
    rig.phones.play("a", 1, SHORT)
    assert (await rig.next(port.PlaybackEnded)).reason == "end"
    await phones_contract.over(rig)  # type: ignore[arg-type]


async def check_orders_for_a_room_that_is_over_are_ignored(rig: Rig) -> None:
    await up(rig)
    await opened(rig)
    await closed(rig)
    rig.phones.play(ROOM, 1, SHORT)
    rig.phones.record(ROOM, 2, rig.folder / "room.wav")
    rig.phones.join(ROOM, "a")
    rig.phones.leave(ROOM, "a")
    rig.phones.hang_up(ROOM)
    rig.phones.join("nowhere", "a")
    await rig.settle()
    assert isinstance(rig.told[-1], port.HungUp)
    assert rig.phones.speaking(ROOM) == frozenset()
    await hung_up(rig, "a")


async def check_members_come_and_go_and_the_room_stays(rig: Rig) -> None:
    await both_up(rig, other=Far(hang_up_after=1.0))  # type: ignore[arg-type]
    await opened(rig)
    for leg in ("a", "b", "a", "nobody"):
        rig.phones.join(ROOM, leg)
    rig.phones.leave(ROOM, "a")
    rig.phones.leave(ROOM, "a")
    assert (await rig.next(port.HungUp, "b")).by == "callee"
    rig.phones.join(ROOM, "a", muted=True, deaf=True)
    await hung_up(rig, "a")
    rig.phones.play(ROOM, 1, SHORT)
    assert (await rig.next(port.PlaybackEnded, ROOM)).reason == "end"
    told = await closed(rig)
    assert [type(event) for event in told] == [
        port.Answered,
        port.PlaybackStarted,
        port.PlaybackEnded,
        port.HungUp,
    ]


async def check_whoever_joins_leaves_its_connection(rig: Rig) -> None:
    await both_up(rig)  # type: ignore[arg-type]
    await opened(rig)
    rig.phones.connect("a", "b", 1)
    await rig.next(port.Connected)
    rig.phones.join(ROOM, "b")
    assert await rig.next(port.Disconnected) == port.Disconnected("a", 1, "stopped")
    rig.phones.connect("a", "b", 2)
    assert (await rig.next(port.ConnectFailed)).connection == 2
    rig.phones.leave(ROOM, "b")
    rig.phones.connect("a", "b", 3)
    assert await rig.next(port.Connected) == port.Connected("a", 3)
    await hung_up(rig, "b", "a")
    assert place(rig.told, port.ConnectFailed, "a") < place(rig.told, port.HungUp, "b")
    await closed(rig)


async def check_who_speaks_is_told_where_that_was_asked(rig: Rig) -> None:
    await up(rig, Far(press="5", press_after=1.5, speaks=True))  # type: ignore[arg-type]
    await opened(rig, speaking=True)
    rig.phones.join(ROOM, "a")
    assert await rig.next(port.Speaking, ROOM) == port.Speaking(ROOM, "a", True)
    assert rig.phones.speaking(ROOM) == {"a"}
    assert await rig.next(port.Speaking, ROOM) == port.Speaking(ROOM, "a", False)
    assert rig.phones.speaking(ROOM) == frozenset()
    await hung_up(rig, "a")
    await closed(rig)


async def level_of_a_room(rig: Rig, *, muted: bool, leg_muted: bool) -> float | None:
    """Record the room while ``a`` speaks in it; give the recording's level."""
    await up(rig, Far(press="5", press_after=1.5, speaks=True))  # type: ignore[arg-type]
    await opened(rig, speaking=True)
    if leg_muted:
        rig.phones.mute("a")
    rig.phones.join(ROOM, "a", muted=muted)
    rig.phones.record(ROOM, 1, rig.folder / "room.wav")
    rig.phones.record("a", 1, rig.folder / "a.wav")
    await rig.next(port.TonePressed)
    for playback in (2, 3):
        rig.phones.play("a", playback, SHORT)
        await rig.next(port.PlaybackEnded)
    rig.phones.stop_recording("a", 1)
    own = (await rig.next(port.RecordingEnded)).level_db
    assert own is not None
    assert own > -40
    rig.phones.stop_recording(ROOM, 1)
    told = await rig.next(port.RecordingEnded, ROOM)
    await hung_up(rig, "a")
    spoke = [event for event in await closed(rig) if isinstance(event, port.Speaking)]
    assert bool(spoke) is not (muted or leg_muted)
    return told.level_db


async def check_a_recording_of_a_room_holds_who_speaks_in_it(rig: Rig) -> None:
    level = await level_of_a_room(rig, muted=False, leg_muted=False)
    assert level is not None
    assert level > -40


async def check_a_muted_member_is_heard_by_nobody(rig: Rig) -> None:
    level = await level_of_a_room(rig, muted=True, leg_muted=False)
    assert level is None or level < -60


async def check_a_muted_leg_is_not_heard_in_a_room(rig: Rig) -> None:
    level = await level_of_a_room(rig, muted=False, leg_muted=True)
    assert level is None or level < -60


async def check_tones_to_a_room_have_one_end(rig: Rig) -> None:
    await both_up(rig)  # type: ignore[arg-type]
    await opened(rig)
    rig.phones.send_tones(ROOM, 1, "1")
    assert await rig.next(port.TonesSent, ROOM) == port.TonesSent(ROOM, 1)
    for leg in "ab":
        rig.phones.join(ROOM, leg)
    rig.phones.send_tones(ROOM, 2, "12")
    assert await rig.next(port.TonesSent, ROOM) == port.TonesSent(ROOM, 2)
    await hung_up(rig, "a", "b")
    told = await closed(rig)
    assert len([event for event in told if isinstance(event, port.TonesSent)]) == 2
    assert not [event for event in rig.told if isinstance(event, port.TonesSent) and event.leg != ROOM]


CONTRACT = [check for name, check in sorted(globals().items()) if name.startswith("check_")]
