"""What the phones need of the announcements: a sound's file, ready to be played."""

from pathlib import Path
from typing import Protocol

from ringful.media.port import Sound


class SoundError(Exception):
    """A sound cannot be had; the message says why, for a person to read."""


class Sounds(Protocol):
    """Give sounds as files."""

    def ready(self, sound: Sound) -> Path | None:
        """Give the file of *sound* where `path` would give it without waiting; None: perhaps it must wait."""
        ...

    async def path(self, sound: Sound) -> Path:
        """Give a 16-bit 8 kHz mono WAV file that says *sound*.  Raises SoundError."""
        ...
