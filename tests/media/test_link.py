"""A link between two clocks: what is missing is silence, and a delay that has grown goes down again."""

import math
from array import array
from functools import cache
from itertools import pairwise

import pytest

from ringful.media import wav
from ringful.media.engine.link import Arrivals, Exchange

HERTZ = 403


@cache
def frame(number: int) -> bytes:
    """Give 20 ms of a tone without a seam between frame and frame, each like no other near it."""
    start = number * wav.FRAME_SAMPLES
    turn = 2 * math.pi * HERTZ / wav.RATE
    sound = array("h", (int(3000 * math.sin(turn * (start + n))) for n in range(wav.FRAME_SAMPLES)))
    return sound.tobytes()


def test_frames_come_in_their_order_after_two_have_arrived() -> None:
    arrivals = Arrivals()
    arrivals.put(7, frame(7))
    assert arrivals.take() is None
    arrivals.put(9, frame(9))
    arrivals.put(8, frame(8))
    assert [arrivals.take() for _ in range(2)] == [frame(8), frame(9)]


def test_a_lost_frame_is_silence_and_one_that_comes_too_late_is_dropped() -> None:
    arrivals = Arrivals()
    for number in (1, 2, 4):
        arrivals.put(number, frame(number))
    assert [arrivals.take() for _ in range(2)] == [None, frame(4)]  # It begins with the last two.
    arrivals.put(3, frame(3))
    arrivals.put(5, frame(5))
    assert arrivals.take() == frame(5)
    assert arrivals.missing == 1


def test_an_empty_frame_is_silence_and_nothing_is_missing() -> None:
    arrivals = Arrivals()
    for number in range(2):
        arrivals.put(number, b"")
    assert (arrivals.take(), arrivals.missing) == (None, 0)


@pytest.mark.parametrize("drift", [-0.01, -0.0001, 0.0, 0.0001, 0.01])
def test_a_clock_that_drifts_is_followed(drift: float) -> None:
    """*drift* is how much faster the sender's clock is: 10,000 ppm is a hundred times a bad one."""
    arrivals, sent, heard, delays = Arrivals(), 0, 0, []
    for tick in range(30_000):
        while sent <= tick * (1 + drift):
            arrivals.put(sent, frame(sent % 50))
            sent += 1
        heard += arrivals.take() is not None
        delays.append(len(arrivals._waiting))
    assert max(delays) <= 4
    slips = abs(drift) * 30_000
    assert arrivals.missing <= (slips if drift < 0 else 0) + 2
    assert arrivals.joined <= (slips if drift > 0 else 0) + 2
    assert heard >= 30_000 - (slips if drift < 0 else 0) - 5


def test_a_delay_that_a_pause_has_left_goes_down_again() -> None:
    arrivals, sent = Arrivals(), 0
    for tick in range(2000):
        if not 100 <= tick < 110:  # The sender stands still, and then sends all that it has missed.
            while sent <= tick:
                arrivals.put(sent, frame(sent))
                sent += 1
        arrivals.take()
    assert len(arrivals._waiting) <= 2
    assert arrivals.missing >= 8
    assert arrivals.joined >= 5


def test_a_process_that_stood_still_does_not_hear_the_past() -> None:
    arrivals = Arrivals()
    for number in range(2):
        arrivals.put(number, frame(number))
    arrivals.take()
    for number in range(2, 500):
        arrivals.put(number, frame(number))
    assert arrivals.take() == frame(498)


def test_two_frames_are_joined_without_a_jump() -> None:
    arrivals = Arrivals()
    sound = array("h")
    for tick in range(200):
        for number in range(5) if tick == 0 else (tick + 4,):
            arrivals.put(number, frame(number))
        # It began with two frames; three more than needed lie ready from now on.
        if tick == 0:
            for number in range(5, 8):
                arrivals.put(number, frame(number))
        taken = arrivals.take()
        if taken:
            sound.frombytes(taken)
    steps = [abs(b - a) for a, b in pairwise(sound)]
    assert max(steps) < 3000 * 2 * math.pi * HERTZ / wav.RATE * 1.3


def test_frames_of_two_links_share_a_socket_and_strangers_are_not_heard() -> None:
    one, other = Exchange(), Exchange()
    links = [(one.open(number, other.port), other.open(number, one.port)) for number in (11, 22)]
    for place, (near, far) in enumerate(links):
        for tick in range(3):
            near.take(frame(10 * place + tick))
        far.take(None)
    # A link that the other side does not know, and something that is no frame.
    one.open(33, other.port).take(frame(99))
    one.send(b"what is this?", other.port)
    assert [far.give() for _, far in links] == [frame(1), frame(11)]
    assert [near.give() for near, _ in links] == [None, None]
    one.close()
    other.close()
    links[0][0].take(frame(0))
    assert links[0][1].give() == frame(2)
