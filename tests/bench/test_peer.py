"""A phone of the far end of `ringful bench media`: what it notes, to the sample, and what it sends."""

import struct
from itertools import pairwise

import numpy as np
import pytest

from ringful.bench.media import peer, sip, ulaw
from ringful.bench.media.heard import Heard
from ringful.bench.media.peer import DOUBT, KEY, LEVEL, PAUSE, Peer, hertz_of, voice_of
from ringful.bench.media.ulaw import FRAME, Samples, tone

SERVER = ("127.0.0.1", 4000)
MS = 1_000_000
FIRST, SECOND = tone(440, 2.0, 8000), tone(880, 1.0, 8000)
QUIET = ulaw.encode(np.zeros(FRAME))


def silence(samples: int) -> Samples:
    return np.zeros(samples, dtype=int)


class Line:
    """A phone, and a server that sends it a packet every 20 ms."""

    def __init__(self, *, number: int = 65_500, stamp: int = (1 << 32) - 4000, talks: bool = False) -> None:
        voice = voice_of(3) if talks else ulaw.payloads(silence(8000) + 1000)
        self.peer = Peer("job-0-0", sip.Offer(*SERVER, keys=120), voice, talks=talks)
        self.number, self.stamp, self.now = number, stamp, 1_000 * MS

    def send(self, payload: bytes, sender: tuple[str, int] = SERVER, kind: int = 0, after: int = 20) -> None:
        self.now += after * MS
        self.number, self.stamp = self.number + 1 & 0xFFFF, self.stamp + FRAME & 0xFFFFFFFF
        head = struct.pack("!BBHII", 0x80, kind, self.number, self.stamp, 7)
        self.peer.hear(head + payload, sender, self.now)

    def play(self, *sounds: Samples) -> Heard:
        for payload in ulaw.payloads(np.concatenate(sounds)):
            self.send(payload)
        return self.peer.heard


def test_codes_are_those_of_g711_and_nearest():
    assert [int(ulaw.LINEAR[code]) for code in (0x00, 0x80, 0x7F, 0xFF)] == [-32124, 32124, 0, 0]
    assert len(set(ulaw.LINEAR.tolist())) == 255
    samples = np.arange(-32000, 32000, 37)
    assert np.max(np.abs(ulaw.decode(ulaw.encode(samples)) - samples) / (np.abs(samples) + 200)) < 0.04


def test_what_is_told_of_a_payload():
    assert {ulaw.turns(one) for one in ulaw.payloads(FIRST)} <= {8, 9}
    assert {ulaw.turns(one) for one in ulaw.payloads(SECOND)} <= {17, 18}
    assert ulaw.loud(QUIET) == ()
    assert ulaw.loud(ulaw.encode(FIRST[:FRAME])) == ((0, FRAME),)
    holed = FIRST[:FRAME].copy()
    holed[50:70] = 0
    ((first, begin), (end, last)) = ulaw.loud(ulaw.encode(holed))
    assert (first, last) == (0, FRAME)
    assert (begin, end) == (50, 70)


@pytest.mark.parametrize("hole", [0, 8, 24, 160, 200, 480])
@pytest.mark.parametrize("shift", [0, 40, 159])
def test_the_gap_between_two_sounds_is_known_to_the_sample(hole, shift):
    line = Line()
    heard = line.play(silence(320 + shift), FIRST, silence(hole), SECOND, silence(640))
    assert heard.hole == hole
    assert heard.first_frames + heard.second_frames in (150, 151, 152, 153)
    assert (heard.missing, heard.late, heard.strangers) == (0, 0, 0)
    assert heard.gap_ns == pytest.approx(hole // FRAME * 20 * MS, abs=20 * MS)


def test_packets_late_missing_and_of_others_are_counted():
    line = Line()
    line.play(FIRST[: 10 * FRAME])
    line.send(QUIET, after=40)
    line.send(QUIET, after=41)
    line.number += 3
    line.send(QUIET)
    line.send(QUIET, sender=("127.0.0.1", 4002))
    line.number -= 2  # The stranger's number did not count, and one that was missed comes late after all.
    line.send(QUIET)
    heard = line.peer.heard
    assert (heard.late, heard.strangers, heard.packets) == (1, 1, 14)
    assert heard.missing == 2
    line.peer.hear(bytes([0x80, 200]) + bytes(26), ("127.0.0.1", 4001), line.now)
    assert line.peer.heard.strangers == 1, "a report is no sound"
    for packet in (b"", b"\x80", b"no RTP at all, but long enough"):
        line.peer.hear(packet, SERVER, line.now)
    assert line.peer.heard.packets == 14


def test_it_says_nothing_before_it_hears_and_presses_its_key_after_the_second_sound():
    line = Line()
    assert line.peer.next(line.now) is None
    line.play(FIRST, SECOND)
    assert line.peer.next(line.now + PAUSE - MS)[1] == 0x80
    pressed = line.now + PAUSE
    packets = [line.peer.next(pressed + 20 * MS * turn) for turn in range(10)]
    assert line.peer.heard.key_ns == pressed
    keys, voice = packets[:8], packets[8:]
    assert [packet[1] for packet in keys] == [0x80 | 120, *[120] * 7]
    assert {packet[4:8] for packet in keys} == {keys[0][4:8]}, "a key has one stamp"
    assert [struct.unpack("!BBH", packet[12:]) for packet in keys] == [
        *((KEY, 10, 160 * held) for held in (1, 2, 3, 4, 5)),
        *[(KEY, 0x80 | 10, 800)] * 3,
    ]
    numbers = [struct.unpack("!H", packet[2:4])[0] for packet in packets]
    assert all(after - before & 0xFFFF == 1 for before, after in pairwise(numbers))
    (stamp,) = struct.unpack("!I", keys[0][4:8])
    assert struct.unpack("!I", voice[0][4:8])[0] == stamp + 8 * FRAME & 0xFFFFFFFF
    line.send(QUIET)
    assert line.peer.heard.next_ns == 0
    line.play(tone(1000, 0.02, 8000))
    assert line.peer.heard.next_ns == line.now
    ended = line.peer.end(over=True)
    assert (ended.over, ended.first_frames, ended.second_frames, ended.silent) == (True, 100, 50, 1)


def test_it_waits_longer_where_the_second_sound_was_not_heard_whole():
    line = Line()
    line.play(FIRST, SECOND[: 30 * FRAME])
    line.peer.next(line.now + PAUSE + MS)
    assert not line.peer.heard.key_ns
    line.peer.next(line.now + PAUSE + DOUBT)
    assert line.peer.heard.key_ns


def test_in_a_conference_it_knows_whom_it_hears_and_what_it_missed():
    others = [1, 2, 7, 49]
    mix = sum(tone(hertz_of(number), 3.0, LEVEL) for number in others)
    line = Line(talks=True)
    line.play(silence(480), mix[: 80 * FRAME], silence(320), mix[: 60 * FRAME], silence(160))
    heard = line.peer.heard
    assert (heard.silent, heard.first_frames, heard.key_ns) == (2, 0, 0)
    line.play(mix[: 50 * FRAME])
    heard = line.peer.end(over=True)
    assert heard.hertz == tuple(hertz_of(number) for number in others)
    assert heard.silent == 3
    assert line.peer.next(line.now)[1] == 0x80


def test_no_20_ms_of_a_mix_are_silent():
    for count in (1, 2, 4, 49):
        mix = sum(tone(hertz_of(number), 1.0, LEVEL) for number in range(count))
        assert all(ulaw.loud(payload) for payload in ulaw.payloads(mix))
    assert len({hertz_of(number) for number in range(peer.VOICES)}) == peer.VOICES


def test_a_packet_lost_on_the_way_does_not_hide_a_tone():
    line = Line(talks=True)
    spoken = ulaw.payloads(tone(hertz_of(1), 2.0, LEVEL) + tone(hertz_of(9), 2.0, LEVEL))
    for payload in [*spoken[:60], *spoken[61:90], spoken[89], *spoken[92:]]:
        line.send(payload)
    assert line.peer.end(over=True).hertz == (hertz_of(1), hertz_of(9))
