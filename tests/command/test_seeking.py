"""A sound is paused, skipped in and made faster on a real line: what was heard is where it was to be."""

import io
import wave
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ringful.command.demonstration.sounds import melody
from tests.command.test_run import run, written
from tests.server import phone, server

STEPS = range(12)
"""The sound has a tone for each half second; the pitch says which it is."""
SCRIPT = """call "15125551234"
on tone "5" {
    pause play
    wait tone "5" for 20s
    resume play
}
on tone "6" { skip 2s }
on tone "4" { skip to 0s }
on tone "9" { speed 2 }
play "steps" from 500ms until "#" as sound
notify "http://127.0.0.1:1/" with { reason: sound.reason, speed: sound.speed }
"""
PRESSES = ("5@1s", "5@2s", "6@2.6s", "4@3.2s", "9@4.3s")


def hertz(step: int) -> float:
    return 400 + 150 * step


def steps() -> bytes:
    """Make the sound: each step is faded in and out, so that it is heard where one ends."""
    frames = b""
    for step in STEPS:
        with wave.open(io.BytesIO(melody([hertz(step)], 0.5))) as file:
            shape, part = file.getparams(), file.readframes(file.getnframes())
            frames += part
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setparams(shape)
        file.writeframes(frames)
    return made.getvalue()


def heard_steps(path: Path) -> list[tuple[int | None, float]]:
    """Give which step was heard (None: silence), one after another, each with its seconds."""
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    found: list[int | None] = []
    for begin in range(0, len(samples) - 400, 400):
        found.append(_step_of(samples[begin : begin + 400]))
    return [(step, 0.05 * len(list(same))) for step, same in groupby(found)]


def _step_of(part: "np.ndarray[Any, Any]") -> int | None:
    if np.abs(part).max() < 1000:
        return None
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 8000))
    return round((float(spectrum.argmax()) - 400) / 150)


def test_what_is_heard_is_where_it_was_told_to_be(tmp_path: Path) -> None:
    heard = tmp_path / "heard.wav"
    presses = [one for press in PRESSES for one in ("--press", press)]
    with (
        phone("--answer-after", "0.2s", *presses, "--hear", str(heard)) as (address, process),
        server(tmp_path, address) as ringful,
    ):
        (tmp_path / "announcements").mkdir(exist_ok=True)
        (tmp_path / "announcements" / "steps.wav").write_bytes(steps())
        code, out, err = run(ringful, written(tmp_path, SCRIPT))
        assert code == 0, err
        assert "reason=end speed=2" in out
        assert process.stdout
        for line in process.stdout:
            if '"heard"' in line:
                break
    told = [(step, seconds) for step, seconds in heard_steps(heard) if seconds > 0.06]
    sounds = [step for step, _ in told if step is not None]
    way = [step for step, _ in groupby(sounds)]
    assert way[0] == 1, told
    # While it stands still nothing is heard, and then it goes on where it was.
    still = next(
        place for place, (step, seconds) in enumerate(told) if step is None and seconds > 0.4 and place
    )
    assert told[still + 1][0] in (told[still - 1][0], sounds[sounds.index(told[still - 1][0]) + 1]), told
    jumps = [(one, other) for one, other in pairwise(way) if other != one + 1]
    assert len(jumps) == 2, told
    assert jumps[0][1] - jumps[0][0] in (4, 5), told
    assert jumps[1][1] == 0, told
    # At the end everything is heard, in half the time, and at its own pitch.
    assert way[-3:] == [9, 10, 11]
    lengths = [seconds for step, seconds in told[-6:] if step in (8, 9, 10)]
    assert len(lengths) == 3
    assert all(0.15 < seconds < 0.35 for seconds in lengths), told
