"""What is heard in the demo: spoken where espeak-ng is installed, and otherwise played on a few notes."""

import io
import shutil
import subprocess
import wave
from collections.abc import Sequence

import numpy as np

RATE = 8000


def sound(text: str, notes: Sequence[float]) -> bytes:
    """Give a WAV that says *text*, or where nothing here can speak, plays *notes* (Hz)."""
    program = shutil.which("espeak-ng")
    if program:
        spoken = subprocess.run([program, "--stdout", "--", text], capture_output=True, check=False)
        if spoken.returncode == 0 and spoken.stdout:
            return _with_true_sizes(spoken.stdout)
    return melody(notes)


def _with_true_sizes(streamed: bytes) -> bytes:
    """Give *streamed* with its sizes filled in: espeak-ng writes to a pipe and cannot know them."""
    with wave.open(io.BytesIO(streamed)) as source:
        parameters = source.getparams()
    return _wav(streamed[44:], parameters.framerate)


def melody(notes: Sequence[float], seconds: float = 0.4) -> bytes:
    """Give a WAV of *notes* (Hz), each for *seconds*, softly begun and ended."""
    times = np.arange(int(RATE * seconds)) / RATE
    edge = np.minimum(1, np.minimum(times, seconds - times) / 0.02)
    pieces = [np.sin(2 * np.pi * note * times) * edge for note in notes]
    samples = (np.concatenate(pieces) * 8000).astype("<i2")
    return _wav(samples.tobytes(), RATE)


def _wav(samples: bytes, rate: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples[: len(samples) // 2 * 2])
    return file.getvalue()
