"""Sound in C and sound in Python are held to the same samples, by the same orders in the same ticks."""

from array import array
from collections.abc import Callable, Iterator
from ctypes import addressof
from mmap import mmap
from random import Random
from typing import Any

import numpy as np
import pjsua2 as pj
import pytest

from ringful.media import buses, wav
from ringful.media.engine.library import Frame, Library
from ringful.media.engine.mixer import QUEUE, RING, Mixer, Voice
from ringful.media.engine.native import NativeMixer, NativeVoice
from ringful.media.engine.plain import PlainMixer, PlainVoice
from ringful.media.engine.playing import Channel


class _Quiet:
    """The library as far as ports need it: there is no endpoint, and no bridge."""

    def __init__(self) -> None:
        self.address = Library(pj._pjsua2.__file__).address

    def __getattr__(self, name: str) -> Callable[..., int]:
        return lambda *arguments: 0


class Desk:
    """A mixer whose ticks the test gives."""

    tick = 1000

    def __init__(self, mixer: Any) -> None:
        self.mixer: Mixer = mixer
        self._any: Any = mixer
        self.told: list[tuple[str, str, int]] = []
        self._lent: list[Voice] = []

    def lend(self, name: str, *, alone: bool = False) -> Any:
        voice = self.mixer.lend(lambda what, number: self.told.append((name, what, number)), alone=alone)
        self._lent.append(voice)
        return voice

    def close(self) -> None:
        """Give all back: what is C's is of the whole process."""
        for voice in self._lent:
            voice.give_back()

    def step(self, said: dict[Any, bytes | None]) -> list[bytes | None]:
        """Run a tick in which voices hear what is *said* to them; give what each says itself."""
        Desk.tick += 1
        if isinstance(self.mixer, NativeMixer):
            self._any.c.ports_set_tick(Desk.tick)
        else:
            self._any.tick = Desk.tick
        given = [self._get(voice) for voice in said]
        for voice, frame in said.items():
            self._put(voice, frame)
        if isinstance(self.mixer, NativeMixer):
            self._any.c.ports_tick()
            self._any._tell()
        else:
            self._any.finish_tick()
            self._any.tell()
        return given

    def _get(self, voice: Any) -> bytes | None:
        if isinstance(voice, PlainVoice):
            return voice.give()
        assert isinstance(voice, NativeVoice)
        room = bytearray(wav.FRAME_BYTES)
        memory = np.frombuffer(room, np.uint8)
        frame = Frame(0, memory.ctypes.data, wav.FRAME_BYTES, 0, 0)
        self._any.c.port_get(voice._port, addressof(frame))
        return bytes(room) if frame.type else None

    def _put(self, voice: Any, said: bytes | None) -> None:
        if isinstance(voice, PlainVoice):
            voice.take(said)
            return
        memory = np.frombuffer(said or wav.SILENCE, np.uint8)
        frame = Frame(int(said is not None), memory.ctypes.data, wav.FRAME_BYTES if said else 0, 0, 0)
        self._any.c.port_put(voice._port, addressof(frame))


def native() -> Desk:
    return Desk(NativeMixer(_Quiet(), mmap(buses.shared_memory(4), 0)))  # type: ignore[arg-type]


def plain() -> Desk:
    return Desk(PlainMixer(None, mmap(buses.shared_memory(4), 0)))


@pytest.fixture(params=[native, plain], ids=["c", "python"])
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    made: Desk = request.param()
    yield made
    made.close()


def frame(value: int) -> bytes:
    return array("h", [value] * wav.FRAME_SAMPLES).tobytes()


def sound(*values: int) -> memoryview:
    return memoryview(bytearray(array("h", values).tobytes()))


def numbers(given: bytes | None) -> list[int]:
    return array("h", given or b"").tolist()


def test_sounds_follow_one_another_without_a_hole(desk: Desk) -> None:
    voice = desk.lend("a")
    assert voice.play(0, 1, sound(*range(1, 168)))
    assert voice.play(0, 2, sound(*range(1, 301)))
    heard = [number for _ in range(4) for number in numbers(desk.step({voice: None})[0])]
    assert heard[:467] == [*range(1, 168), *range(1, 301)]
    assert not any(heard[467:])
    assert desk.told == [("a", what, number) for number in (1, 2) for what in ("started", "ended")]


def test_a_queue_is_bounded_and_a_channel_is_not(desk: Desk) -> None:
    voice = desk.lend("a")
    assert all(voice.play(1, number, sound(1)) for number in range(QUEUE))
    assert not voice.play(1, 99, sound(1))
    assert not voice.play(0, 99, sound())
    ended: list[int] = []
    other = desk.mixer.lend(lambda what, number: channel.heard(number, ended=what == "ended"))
    channel = Channel(other, 0, lambda playback, what: ended.append(playback) if what == "end" else None)
    for number in range(30):
        channel.add(number, sound(*[number] * 10))
    for _ in range(6):
        desk.step({other: None})
    assert ended == list(range(30))


def test_a_cue_follows_at_once_and_is_dropped_with_what_it_follows(desk: Desk) -> None:
    told: list[tuple[int, str]] = []
    voice = desk.mixer.lend(lambda what, number: channel.heard(number, ended=what == "ended"))
    channel = Channel(voice, 0, lambda playback, what: told.append((playback, what)))
    channel.add(1, sound(*[1] * 200))
    channel.cue(2, sound(*[2] * 200))
    heard = [numbers(desk.step({voice: None})[0]) for _ in range(2)]
    assert heard[1] == [1] * 40 + [2] * 120
    channel.add(2, sound(*[2] * 200))  # It is confirmed, and plays already.
    channel.cue(3, sound(*[3] * 200))
    channel.stop(2)
    assert desk.step({voice: None}) == [None]
    assert told == [(1, "started"), (1, "end"), (2, "started"), (2, "stopped")]
    channel.cue(4, sound(*[4] * 200))  # Nothing plays: it waits.
    assert desk.step({voice: None}) == [None]
    channel.add(4, sound(*[4] * 200))
    assert numbers(desk.step({voice: None})[0]) == [4] * 160
    channel.end()
    assert told[4:] == [(4, "started"), (4, "hangup")]
    channel.add(5, sound())  # There is nothing in it.
    assert told[6:] == [(5, "started"), (5, "end")]


def test_everybody_hears_the_others_and_not_himself(desk: Desk) -> None:
    voices = [desk.lend(str(number)) for number in range(4)]
    for seat, voice in enumerate(voices):
        voice.sit(2, seat)
    said: dict[Any, bytes | None] = {voice: frame(10**seat) for seat, voice in enumerate(voices)}
    assert desk.step(said) == [None] * 4
    heard = [numbers(given)[0] for given in desk.step(said)]
    assert heard == [1110, 1101, 1011, 111]
    voices[0].hush(muted=True, deaf=False)
    voices[1].hush(muted=False, deaf=True)
    voices[3].stand()
    assert desk.step(said)[3] is None
    given = desk.step(said)
    assert [numbers(one)[:1] for one in given] == [[110], [], [10], []]


def test_a_coach_hears_all_and_is_heard_by_one_alone(desk: Desk) -> None:
    coach, agent, caller = (desk.lend(name) for name in ("coach", "agent", "caller"))
    room = desk.lend("room", alone=True)
    for seat, voice in enumerate((coach, agent, caller, room)):
        voice.sit(2, seat, seat + 70)
    coach.hush(muted=False, deaf=False, to=71)
    start = room.listen()
    said: dict[Any, bytes | None] = {coach: frame(1), agent: frame(10), caller: frame(100)}
    desk.step(said)
    assert [numbers(given)[0] for given in desk.step(said)] == [110, 101, 10]
    # Where nobody else speaks, whoever is not meant hears nothing at all.
    said[agent] = said[caller] = None
    desk.step(said)
    assert [numbers(given)[:1] for given in desk.step(said)] == [[], [1], []]
    agent.hush(muted=False, deaf=True)
    assert desk.step(said) == [None] * 3
    # The seat is somebody else's now, who is not meant.
    agent.sit(2, 1, 99)
    assert desk.step(said) == [None] * 3
    coach.hush(muted=False, deaf=False)
    desk.step(said)
    assert [numbers(given)[:1] for given in desk.step(said)] == [[], [1], [1]]
    assert numbers(room.heard(start)[0])[::160] == [0, 110, 110, 0, 0, 0, 0, 1]


def test_what_a_coach_says_is_no_speech_that_is_told(desk: Desk) -> None:
    voice = desk.lend("a")
    voice.sit(0, 0, 5)
    voice.hush(muted=False, deaf=False, to=6)
    for _ in range(5):
        desk.step({voice: frame(1000)})
    assert desk.told == []


def test_a_room_plays_to_all_and_records_all(desk: Desk) -> None:
    room, leg = desk.lend("room", alone=True), desk.lend("leg")
    room.sit(1, 7)
    leg.sit(1, 0)
    start = room.listen()
    room.play(0, 1, sound(*[100] * 320))
    heard = [desk.step({leg: frame(11)})[0] for _ in range(4)]
    assert [numbers(one)[:1] for one in heard] == [[], [100], [100], []]
    samples, energies = room.heard(start)
    kept = numbers(samples)
    assert [kept[place] for place in range(0, 640, 160)] == [0, 111, 111, 11]
    assert energies == [0, 111 * 111 * 160, 111 * 111 * 160, 11 * 11 * 160]
    assert desk.told == [("room", "started", 1), ("room", "ended", 1)]


def test_a_leg_records_itself_and_whom_it_hears(desk: Desk) -> None:
    one, other = desk.lend("one"), desk.lend("other")
    one.sit(0, 0)
    other.sit(0, 1)
    start = one.listen()
    for _ in range(2):
        desk.step({one: frame(3), other: frame(40)})
    assert numbers(one.heard(start)[0])[::160] == [3, 43]


def test_what_is_not_fetched_in_time_is_silence(desk: Desk) -> None:
    voice = desk.lend("a")
    start = voice.listen()
    for number in range(RING + 3):
        desk.step({voice: frame(number + 1)})
    samples, energies = voice.heard(start)
    kept = numbers(samples)[::160]
    assert kept == [0, 0, 0, *range(4, RING + 4)]
    assert energies[:4] == [0, 0, 0, 16 * 160]
    assert voice.heard(start + len(energies)) == (b"", [])
    # A call whose sound is away for a moment is silent as long.
    desk.step({})
    assert voice.heard(start + len(energies)) == (wav.SILENCE, [0])


def test_who_speaks_is_told_with_his_beginning_and_his_end(desk: Desk) -> None:
    voice = desk.lend("a")
    voice.sit(0, 0)
    for level in [1000, 1000, 0, *[1000] * 3, *[0] * 24, 1000, *[0] * 25]:
        desk.step({voice: frame(level)})
    assert [what for _, what, _ in desk.told] == ["speaks", "silent"]


def test_a_voice_that_was_given_back_is_silent_until_it_is_lent_again(desk: Desk) -> None:
    voice, other = desk.lend("a"), desk.lend("b")
    voice.sit(0, 0)
    other.sit(0, 1)
    voice.play(0, 1, sound(*[5] * 1600))
    voice.listen()
    desk.step({voice: frame(9), other: frame(7)})
    told = list(desk.told)
    voice.give_back()
    voice.give_back()
    assert desk.step({voice: frame(9), other: frame(7)})[0] is None
    assert desk.step({voice: frame(9), other: frame(7)}) == [None, None]
    assert desk.told == told


class _Orders:
    """The same orders for two desks, at random."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.next = 0

    def give(self, voices: list[list[Voice]]) -> None:
        place, seat = self.random.randrange(len(voices[0])), self.random.randrange(8)
        channel, length = self.random.randrange(2), self.random.randrange(1, 700)
        samples = sound(*(self.random.randrange(-20000, 20000) for _ in range(length)))
        what = self.random.choice(["play", "play", "stop", "sit", "stand", "hush", "nothing"])
        muted, deaf = self.random.random() < 0.3, self.random.random() < 0.3
        to = max(0, self.random.randrange(-3, 6))
        self.next += 1
        for of_one in voices:
            voice = of_one[place]
            match what:
                case "play":
                    voice.play(channel, self.next, samples)
                case "stop":
                    voice.stop(channel, self.next - 1)
                case "sit":
                    voice.sit(place % 2, place * 8 + seat, place + 1)
                case "stand":
                    voice.stand()
                case "hush":
                    voice.hush(muted=muted, deaf=deaf, to=to)


@pytest.mark.parametrize("seed", range(20))
def test_c_and_python_give_the_same_samples(seed: int) -> None:
    """Where nothing is too loud, to the bit; a limiter may round otherwise."""
    desks = [native(), plain()]
    orders = _Orders(seed)
    # A room's voice, which no call hears, sits from the beginning.
    voices = [[*(desk.lend(str(n)) for n in range(5))] for desk in desks]
    rooms = [desk.lend("room", alone=True) for desk in desks]
    starts = []
    for room, of_one in zip(rooms, voices, strict=True):
        room.sit(0, 200)
        starts.append((room.listen(), of_one[0].listen()))
    for _ in range(120):
        orders.give(voices)
        said = [
            orders.random.choice([None, orders.random.randbytes(320), frame(orders.random.randrange(20000))])
            for _ in range(5)
        ]
        tick = Desk.tick
        heard = []
        for desk, of_one in zip(desks, voices, strict=True):
            Desk.tick = tick
            heard.append(desk.step(dict(zip(of_one, said, strict=True))))
        for one, other in zip(*heard, strict=True):
            assert (one is None) == (other is None)
            assert _difference(one, other) <= 1
    assert desks[0].told == desks[1].told
    ours, theirs = (
        (room.heard(start[0]), of_one[0].heard(start[1]))
        for room, of_one, start in zip(rooms, voices, starts, strict=True)
    )
    for one, other in zip(ours, theirs, strict=True):
        assert len(one[1]) == len(other[1]) == 120
        assert _difference(one[0], other[0]) <= 1
    for desk in desks:
        desk.close()


def _difference(one: bytes | None, other: bytes | None) -> int:
    pair = (np.frombuffer(each or wav.SILENCE, np.int16).astype(int) for each in (one, other))
    return int(np.abs(np.subtract(*pair)).max())
