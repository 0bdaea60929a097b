"""Keys in the sound itself: heard as Q.24 and Q.23 say, in C as in Python, and not in speech and music."""

import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from ringful.media.engine.keypad.dialling import GRID
from ringful.media.engine.keypad.tones import Detector
from tests.media.keys_in_sound import frames, key, keys, noisy, pause, sine
from tests.media.test_mixers import Desk, native, plain

ALL = GRID + GRID[::-1]
"""Each after each other kind of key, and one after itself."""
Hear = Callable[[list[bytes]], str]


def heard_by(desk: Desk, sound: list[bytes]) -> str:
    voice = desk.lend("a")
    voice.hear_keys(on=True)
    for one in sound:
        desk.step({voice: one})
    told = "".join(GRID[number] for _, what, number in desk.told if what == "key")
    desk.told.clear()
    voice.give_back()
    return told


@pytest.fixture(params=[native, plain], ids=["c", "python"])
def hear(request: pytest.FixtureRequest) -> Iterator[Hear]:
    desk: Desk = request.param()
    yield lambda sound: heard_by(desk, sound)
    desk.close()


@pytest.mark.parametrize("late", [0, 37, 80, 159])
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"levels": (-3.0, -3.0)},
        {"levels": (0.0, 0.0)},
        {"levels": (-25.0, -25.0)},
        {"levels": (-8.0, -16.0)},
        {"levels": (-15.0, -9.0)},
        {"aside": (0.015, -0.015)},
        {"aside": (-0.015, 0.015)},
    ],
    ids=str,
)
def test_keys_of_40_ms_and_pauses_of_40_ms(hear: Hear, how: dict[str, Any], late: int) -> None:
    assert hear(frames(keys(ALL, 40, 40, **how), late=late)) == ALL
    assert hear(frames(noisy(keys(ALL, 40, 40, **how), 15, late), late=late)) == ALL


@pytest.mark.parametrize("milliseconds", [40, 60, 100, 250, 1000, 9000])
def test_a_key_is_heard_once_however_long(hear: Hear, milliseconds: int) -> None:
    assert hear(frames(keys("5", milliseconds, 40))) == "5"


def test_a_key_with_a_hole_of_10_ms_is_one(hear: Hear) -> None:
    sound = key("7", 200)
    sound[700:780] = 0
    assert hear(frames(sound)) == "7"


def test_keys_without_a_pause_are_told_where_they_differ(hear: Hear) -> None:
    assert hear(frames(np.concatenate([key("1", 60), key("9", 60), key("1", 60)]))) == "191"


@pytest.mark.parametrize(
    "sound",
    [
        key("5", 20),
        keys("123", 25, 60),
        key("5", 300, levels=(-36.0, -36.0)),
        key("5", 300, levels=(-25.0, -10.0)),
        key("5", 300, levels=(-10.0, -25.0)),
        key("5", 300, aside=(0.035, 0.0)),
        key("5", 300, aside=(0.0, -0.035)),
        sine(697, 500, -5),
        sine(440, 500, -10) + sine(350, 500, -10),
        sine(480, 500, -10) + sine(620, 500, -10),
        sine(697, 500, -10) + sine(770, 500, -10),
        sine(2100, 500, -6),
        key("5", 500) + sine(350, 500, -10),
        noisy(key("5", 300), 3),
        np.random.default_rng(2).normal(0, 6000, 16_000),
    ],
    ids=[
        "too short",
        "three too short",
        "too quiet",
        "a weak low tone",
        "a weak high tone",
        "low tone beside",
        "high tone beside",
        "one tone",
        "dial tone",
        "busy tone",
        "two low tones",
        "fax",
        "a key and a third tone",
        "a key in loud noise",
        "noise",
    ],
)
def test_what_is_no_key(hear: Hear, sound: Any) -> None:
    assert hear(frames(sound)) == ""


def test_silence_ends_a_key(hear: Hear) -> None:
    one = frames(key("4", 100))
    assert hear([*one, *one]) == "44"


def test_nothing_is_heard_of_what_comes_back_of_our_own_keys() -> None:
    for desk in (native(), plain()):
        voice = desk.lend("a")
        voice.hear_keys(on=True)
        room = memoryview(bytearray(b"".join(frames(keys("12", 100, 100)))))
        voice.play(2, 1, room)
        said: list[bytes | None] = [None] * 5
        for _ in range(40):
            said += desk.step({voice: said[-5]})
        assert [told for told in desk.told if told[1] == "key"] == []
        assert [what for _, what, _ in desk.told] == ["started", "ended"]
        desk.step({voice: None})
        for one in [*frames(pause(300)), *frames(key("3", 100))]:
            desk.step({voice: one})
        assert desk.told[-1] == ("a", "key", GRID.index("3"))
        desk.close()


def test_a_key_of_ours_silences_what_plays_and_what_others_say() -> None:
    for desk in (native(), plain()):
        voice, other = desk.lend("a"), desk.lend("b")
        voice.sit(0, 0)
        other.sit(0, 1)
        voice.play(0, 1, memoryview(bytearray(np.full(800, 100, "<i2").tobytes())))
        voice.play(2, 2, memoryview(bytearray(np.full(320, 7, "<i2").tobytes())))
        loud = np.full(160, 1000, "<i2").tobytes()
        given = [desk.step({voice: None, other: loud})[0] for _ in range(6)]
        assert [np.frombuffer(one or b"\0\0", "<i2")[0] for one in given] == [7, 7, 1100, 1100, 1100, 1000]
        assert [what for name, what, _ in desk.told if name == "a"].count("ended") == 2
        desk.close()


@pytest.mark.parametrize("seed", range(4))
def test_c_and_python_hear_the_same(seed: int) -> None:
    """Also where it is at the edge of what is a key."""
    random = np.random.default_rng(seed)
    parts = []
    for _ in range(60):
        levels = random.uniform(-34, 2, 2)
        if random.random() < 0.5:
            levels[1] = levels[0] + random.uniform(-11, 9)
        length, aside = random.uniform(20, 120), random.uniform(-0.03, 0.03, 2)
        parts += [key(random.choice(list(GRID)), length, levels=tuple(levels), aside=tuple(aside))]
        parts += [pause(random.uniform(10, 80))]
    sound = frames(noisy(np.concatenate(parts), random.uniform(8, 25), seed))
    desks = native(), plain()
    one, other = (heard_by(desk, sound) for desk in desks)
    assert one == other
    assert len(one) > 3
    for desk in desks:
        desk.close()


def spoken(voice: str, words: str) -> Any:
    """Give speech at 8 kHz, as loud as a telephone makes it."""
    command = ["espeak-ng", "-v", voice, "-p", "60", "--stdout", words]
    made = subprocess.run(command, capture_output=True, check=True).stdout
    rate, start = int.from_bytes(made[24:28], "little"), made.find(b"data") + 8
    sound = np.frombuffer(made[start : len(made) - (len(made) - start) % 2], "<i2").astype(float)
    count = len(sound) * 8000 // rate
    slow = np.fft.irfft(np.fft.rfft(sound)[: count // 2 + 1], count)
    return slow * 22000 / np.abs(slow).max()


@pytest.mark.parametrize("voice", ["en-us", "en-us+f4", "de+m3", "it+f1"])
def test_speech_is_no_key(voice: str) -> None:
    words = (
        "Press one for sales, or two for help. Who knows who you are? Eighty-eight, nine, zero, star, oh. "
        * 6
    )
    desk = native()
    assert heard_by(desk, frames(spoken(voice, words))) == ""
    desk.close()


def test_music_is_no_key() -> None:
    """Four hundred chords of one to four notes of the piano's middle, each with overtones."""
    random, parts = np.random.default_rng(5), []
    for _ in range(400):
        length = random.choice([80, 120, 250])
        falls = random.choice([0.8, 1.2, 1.5])
        notes = random.choice(261.63 * 2 ** (np.arange(-12, 36) / 12), random.integers(1, 5), replace=False)
        chord = sum(
            sine(note * n, length, -12 - 20 * falls * np.log10(n), random.uniform(0, 6))
            for note in notes
            for n in range(1, 6)
            if note * n < 3800
        )
        parts.append(chord * np.minimum(1, np.arange(len(chord)) / 40))
    desk = native()
    assert heard_by(desk, frames(np.concatenate(parts))) == ""
    desk.close()


def test_a_detector_by_itself_tells_keys_by_name() -> None:
    detector = Detector()
    told = [one for frame in frames(keys("1A*", 60, 60)) for one in detector.take(frame)]
    assert told == ["1", "A", "*"]
