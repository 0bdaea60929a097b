"""A seq works once, in any order, within the window; a refused request changes nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringful.store.window import WINDOW, SeqUsed, SeqWindow

steps = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "commit", "release"]), st.integers(1, 3 * WINDOW) | st.integers(1, 12)
    )
)


@given(steps, st.booleans())
def test_the_window_is_the_rule_of_the_api(sequence, restart):
    window, used, reserved = SeqWindow(), set(), set()
    for step, seq in sequence:
        newest = max(used, default=0)
        if step == "reserve":
            fresh = seq > newest - WINDOW and seq not in used and seq not in reserved
            if fresh:
                window.reserve(seq)
                reserved.add(seq)
            else:
                with pytest.raises(SeqUsed):
                    window.reserve(seq)
        elif seq in reserved:
            reserved.remove(seq)
            if step == "commit":
                window.commit(seq)
                used.add(seq)
            else:
                window.release(seq)
        if restart and not reserved:
            window = SeqWindow({known for known in used if known > max(used) - WINDOW})
        assert window.newest == max(used, default=0)


def test_it_says_why_and_what_would_do():
    window = SeqWindow([2000])
    with pytest.raises(SeqUsed, match="seq 2000 was used before; use 2001 or higher"):
        window.reserve(2000)
    with pytest.raises(SeqUsed, match=r"seq 976 is too old: it must be above 976, .*; use 2001 or higher"):
        window.reserve(976)
    window.reserve(977)
    with pytest.raises(SeqUsed, match="seq 977 is taken by another request"):
        window.reserve(977)
    for wrong in (0, -3):
        with pytest.raises(ValueError, match="positive integer"):
            window.reserve(wrong)


def test_a_refused_request_does_not_move_the_window():
    window = SeqWindow([1])
    window.reserve(1_000_000)
    window.reserve(2)
    window.release(1_000_000)
    window.commit(2)
    window.reserve(3)
    window.reserve(1_000_000)
    assert window.newest == 2


def test_what_fell_out_of_the_window_is_forgotten_but_stays_used():
    window = SeqWindow()
    for seq in range(1, 4 * WINDOW):
        window.reserve(seq)
        window.commit(seq)
    assert len(window._used) <= 2 * WINDOW
    for seq in (1, WINDOW, 3 * WINDOW, 4 * WINDOW - 1):
        with pytest.raises(SeqUsed):
            window.reserve(seq)
