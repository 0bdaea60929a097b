"""What is heard of keys on a real line: the table of `docs/keys.md`, each row on real SIP and RTP."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trio

from ringful.bench.media import ulaw
from ringful.media import port
from ringful.media.engine.keypad.tones import Detector
from tests.media.keys_in_sound import frames, keys, noisy
from tests.media.pressing import Fingers, Packet, of, send, without
from tests.media.test_pool import Line, line
from tests.rtp_far_end import FarEnd, Mouth, far_end
from tests.server import PATIENCE

LAST = "D"
"""The key that ends a row: no row has another of it."""


def shuffled(packets: list[Packet]) -> list[Packet]:
    """Each overtakes the one before it."""
    return [
        packets[place ^ 1] if place ^ 1 < len(packets) else packets[place] for place in range(len(packets))
    ]


def stuck(f: Fingers, key: str, *, pause: int = 60) -> list[Packet]:
    """Every packet of it says a duration of 800."""
    return of(f.press(key, 100, pause=pause), duration=800)


def swapped(f: Fingers) -> list[Packet]:
    """The last end of a key comes within the next key, and a packet of that once more."""
    one, two = f.press("1"), f.press("2")
    return [*one[:-1], *two[:2], one[-1], two[1], *two[2:]]


def overtaken(f: Fingers) -> list[Packet]:
    """The whole of a key comes behind the next key: told now, it were in the wrong order."""
    one, two = f.press("1"), f.press("2")
    return [*two, *one]


def moved(f: Fingers) -> list[Packet]:
    """Somebody else goes on for the far end within a key: another SSRC, and numbers of its own."""
    one = f.press("5", 200)
    f.number += 20_000
    return [*one[:4], *of(one[4:], source=8), *of(f.press("5"), source=8)]


def ticking(f: Fingers) -> list[Packet]:
    """There are far ends whose timestamp goes on within a key, as that of sound does."""
    one = f.press("8", 160)
    return [packet for n, each in enumerate(one) for packet in of([each], timestamp=each.timestamp + 160 * n)]


def segment_lost(f: Fingers) -> list[Packet]:
    """Of a key of 9 s, all packets about the beginning of its second segment are lost."""
    one = f.press("3", 9000, every=50)
    return [*one[:150], *one[168:]]


ROWS: dict[str, tuple[Callable[[Fingers], list[Packet]], str]] = {
    **{
        f"{ms} ms": (partial(Fingers.press, key="1", milliseconds=ms, every=20 if ms < 1000 else 50), "1")
        for ms in (40, 60, 100, 250, 1000, 5000, 8191, 8192, 9000)
    },
    "the same key twice, 40 ms, 40 ms apart": (lambda f: f.press("1", 40, pause=40) + f.press("1", 40), "11"),
    "two keys at once after one another": (lambda f: f.press("1", 40, pause=0) + f.press("2", 40), "12"),
    "all sixteen": (lambda f: [p for key in "0123456789*#ABC" for p in f.press(key, 60)], "0123456789*#ABC"),
    "the same key twice, every packet says 800": (lambda f: stuck(f, "4") + stuck(f, "4"), "44"),
    "a longer key after a shorter one": (lambda f: f.press("4", 60) + f.press("4", 200), "44"),
    "the end three times, and then three times more": (lambda f: (one := f.press("6")) + one[-3:], "6"),
    "each packet twice": (lambda f: [p for p in f.press("6") for _ in (1, 2)], "6"),
    "the first two are lost": (lambda f: without(f.press("7"), 0, 1) + without(f.press("7"), 0, 1), "77"),
    "all but the ends are lost, twice": (lambda f: f.press("7")[-3:] + f.press("7")[-3:], "77"),
    "all but one end are lost, twice": (lambda f: f.press("7")[-1:] + f.press("7")[-1:], "77"),
    "all but one packet are lost, twice": (lambda f: f.press("7")[2:3] + f.press("7")[:1], "77"),
    "the ends are lost": (lambda f: f.press("7")[:-3] + f.press("7")[:-3] + f.press("8"), "778"),
    "each second one is lost": (lambda f: f.press("9")[::2] + f.press("9", 60)[1::2], "99"),
    "each overtakes the one before": (lambda f: shuffled(f.press("9")) + shuffled(f.press("9")), "99"),
    "the end first, and then the rest": (lambda f: f.press("9")[::-1] + f.press("9")[::-1], "99"),
    "late packets within the next key": (swapped, "12"),
    "a whole key behind the next one": (overtaken, "2"),
    "another SSRC within a key": (moved, "55"),
    "a timestamp that goes on within a key": (ticking, "8"),
    "9 s, the second segment's beginning lost": (segment_lost, "3"),
    "a hook flash is none": (lambda f: of(f.press("1"), event=16), ""),
}
BEYOND_THE_LIBRARY = {
    "all but the ends are lost, twice",
    "all but one end are lost, twice",
    "the end first, and then the rest",
}
"""What the library keeps from us where there is no tap."""


async def heard(calls: Line, leg: str = "a") -> list[port.TonePressed]:
    """Give what is heard until the key that ends a row."""
    told: list[port.TonePressed] = []
    while (key := await calls.next(port.TonePressed, leg)).tone != LAST:
        told.append(key)
    return told


async def answered(calls: Line, far: FarEnd, leg: str = "a") -> tuple[Mouth, tuple[str, int]]:
    calls.ring(leg, far.address)
    await calls.next(port.Answered, leg)
    return far.mouths[-1], (far.offers[-1].address, far.offers[-1].port)


@pytest.mark.parametrize("engine", ["auto", "python"])
async def test_each_press_is_heard_once(tmp_path: Path, engine: str) -> None:
    """All rows on one call, one after another: each finds what the ones before have left."""
    wrong = {}
    async with far_end(talks=False) as far, line(tmp_path, engine=engine) as calls:
        mouth, to = await answered(calls, far)
        fingers = Fingers()
        for name, (packets, expected) in ROWS.items():
            if engine == "python" and name in BEYOND_THE_LIBRARY:
                continue
            # The library takes what is numbered far from the rest for a fault, once.
            await send(mouth, to, packets(fingers) + fingers.press(LAST))
            told = await heard(calls)
            if "".join(one.tone for one in told) != expected or {"rfc4733"} < {one.method for one in told}:
                wrong[name] = told
    assert wrong == {}


INFOS = [
    ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", "5"),
    ("application/dtmf-relay", "Signal=5", "5"),
    ("application/dtmf-relay", "Signal=11\r\nDuration=250\r\n", "#"),
    ("application/dtmf-relay", "Signal=10\r\nDuration=250\r\n", "*"),
    ("application/dtmf-relay", "Signal=*\nDuration=100", "*"),
    ("Application/DTMF-Relay", "SIGNAL = 0 \r\nDuration = 100 \r\n", "0"),
    ("application/dtmf-relay;charset=utf-8", "Duration=100\r\nSignal=a\r\n", "A"),
    ("application/dtmf", "9", "9"),
    ("application/dtmf", "11\r\n", "#"),
    ("application/dtmf-relay", "Signal=16\r\n", ""),
    ("application/dtmf-relay", "", ""),
    ("application/dtmf-relay", "Signal=" + "7" * 900, ""),
]


async def test_an_info_is_heard_once_and_answered(tmp_path: Path) -> None:
    async with far_end(talks=False) as far, line(tmp_path) as calls:
        await answered(calls, far)
        for number, (kind, body, _) in enumerate(INFOS):
            assert await far.ask("INFO", 10 + number, kind, body) == "200"
            # Whoever has not heard the answer sends it again.
            assert await far.ask("INFO", 10 + number, kind, body) == "200"
        assert await far.ask("INFO", 99, "application/dtmf", LAST) == "200"
        told = await heard(calls)
    assert "".join(one.tone for one in told) == "".join(key for _, _, key in INFOS)
    assert {one.method for one in told} == {"info"}


async def test_the_number_of_telephone_event_may_differ_both_ways(tmp_path: Path) -> None:
    """We offer 101, it answers 96: it should send 101 then (RFC 3264 6.1), and some send 96."""
    async with far_end(talks=False, keys=96) as far, line(tmp_path) as calls:
        mouth, to = await answered(calls, far)
        fingers = Fingers()
        assert far.offers[0].keys == 101
        for kind in (101, 96, 120):
            await send(mouth, to, of(fingers.press("1"), kind=kind) + fingers.press(LAST))
            assert [one.tone for one in await heard(calls)] == ["1"]
        calls.pool.send_tones("a", 1, "12")
        assert (await calls.next(port.TonesSent)).sent
    assert {kind for kind, _ in mouth.pressed} == {96}
    assert [payload[0] for _, payload in mouth.pressed if payload[1] & 0x80][::3] == [1, 2]


async def test_a_far_end_that_presses_without_end_is_not_followed(tmp_path: Path) -> None:
    async with far_end(talks=False) as far, line(tmp_path) as calls:
        mouth, to = await answered(calls, far)
        fingers = Fingers()
        for _ in range(10):
            await send(mouth, to, [fingers.press("12"[n % 2], 40)[0] for n in range(100)])
        calls.pool.send_tones("a", 1, "1")
        await calls.next(port.TonesSent)
    assert 200 <= len([one for one in calls.told if isinstance(one, port.TonePressed)]) < 500


async def say(mouth: Mouth, to: tuple[str, int], sound: list[bytes]) -> None:
    """Say it at the pace of sound, and be silent after it."""
    due = trio.current_time()
    header = bytearray(b"\x80\x00" + bytes(9) + b"\x09")
    for number, one in enumerate(sound):
        header[2:8] = (number & 0xFFFF).to_bytes(2, "big") + (number * 160).to_bytes(4, "big")
        await mouth.socket.sendto(bytes(header) + ulaw.encode(np.frombuffer(one, "<i2")), to)
        due += 0.02
        await trio.sleep_until(due)


@pytest.mark.parametrize("engine", ["auto", "python"])
async def test_keys_are_heard_in_the_sound_where_there_is_no_other_way(tmp_path: Path, engine: str) -> None:
    tones = "159*0#ABC" + "774"
    sound = np.concatenate([keys(tones[:9], 60, 60), keys(tones[9:], 100, 60)])
    rows = [frames(noisy(sound, 15)), frames(keys("6", 1000, 100)), frames(keys(LAST, 100, 60))]
    async with far_end(talks=False, keys=None) as far, line(tmp_path, engine=engine) as calls:
        mouth, to = await answered(calls, far)
        await say(mouth, to, [one for row in rows for one in row])
        told = await heard(calls)
        assert "".join(one.tone for one in told) == tones + "6"
        assert {one.method for one in told} == {"inband"}
        if engine == "python":
            return
        # It has another way after all: the sound is no longer listened to.
        fingers = Fingers()
        await send(mouth, to, fingers.press("1") + fingers.press(LAST))
        assert [one.method for one in await heard(calls)] == ["rfc4733"]
        await say(mouth, to, frames(keys("22", 100, 60)))
        await send(mouth, to, fingers.press(LAST))
        assert await heard(calls) == []


async def test_keys_in_the_sound_are_no_keys_where_there_is_another_way(tmp_path: Path) -> None:
    async with far_end(talks=False) as far, line(tmp_path) as calls:
        mouth, to = await answered(calls, far)
        await say(mouth, to, frames(keys("22", 100, 60)))
        await send(mouth, to, Fingers().press(LAST))
        assert await heard(calls) == []


async def test_tones_are_sent_in_the_sound_to_who_has_no_telephone_event(tmp_path: Path) -> None:
    tones = "0123456789*#ABCD"
    async with far_end(talks=False, keys=None) as far, line(tmp_path) as calls:
        mouth, _ = await answered(calls, far)
        calls.pool.send_tones("a", 1, tones)
        calls.pool.send_tones("a", 2, "99")
        assert await calls.next(port.TonesSent) == port.TonesSent("a", 1)
        assert await calls.next(port.TonesSent) == port.TonesSent("a", 2)
        with trio.fail_after(PATIENCE):
            while (said := heard_in(mouth)) != tones + "99":
                mouth.came = trio.Event()
                await mouth.came.wait()
        calls.pool.send_tones("a", 3, "1" * 50)
        calls.pool.hang_up("a")
        assert await calls.next(port.TonesSent) == port.TonesSent("a", 3, sent=False)
    assert mouth.pressed == []
    assert said == tones + "99"


def heard_in(mouth: Mouth) -> str:
    detector: Any = Detector()
    return "".join(
        key for one in mouth.heard for key in detector.take(ulaw.decode(one).astype("<i2").tobytes())
    )


def test_the_page_has_the_table() -> None:
    page = (Path(__file__).parents[2] / "docs" / "keys.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| (.+) \| (?:`(.*)`|nothing) \|( once only)? \|$", page, re.MULTILINE)
    table = [(name, keys, " once only" * (name in BEYOND_THE_LIBRARY)) for name, (_, keys) in ROWS.items()]
    assert [row for row in told if row[0] in ROWS] == table
