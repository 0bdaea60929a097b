"""Speech by espeak-ng, as a program of its own."""

import re
import shutil
import subprocess
from pathlib import Path

import trio

from ringful.ground.children import SPARE
from ringful.media.sounds import SoundError

DEFAULT_VOICE = "en-us"
_SECONDS = 30.0


async def speak(text: str, voice: str | None, target: Path) -> None:
    """Write *text*, spoken, to the WAV *target* (of the synthesizer's own rate).  Raises SoundError."""
    program = shutil.which("espeak-ng")
    if program is None:
        raise SoundError("there is no speech synthesizer here: install espeak-ng")
    voice = voice or DEFAULT_VOICE
    if not re.fullmatch(r"[a-z][a-z0-9+-]{1,30}", voice, re.IGNORECASE):
        raise SoundError(f"{voice!r} is no name of a voice")
    # The text goes in by standard input, so that nothing in it can be taken for an option.
    command = [*SPARE, program, "--stdin", "-b", "1", "-v", voice, "-w", str(target)]
    with trio.move_on_after(_SECONDS) as limit:
        done = await trio.run_process(
            command,
            stdin=text.encode(),
            check=False,
            capture_stdout=True,
            stderr=subprocess.STDOUT,
            deliver_cancel=_kill,
        )
    if limit.cancelled_caught:
        raise SoundError(f"the speech was not ready within {_SECONDS:.0f} seconds")
    if done.returncode != 0 or not await trio.Path(target).exists():
        raise SoundError(f"espeak-ng cannot speak: {done.stdout.decode(errors='replace').strip()[:200]}")


async def _kill(process: trio.Process) -> None:
    # It ignores the signal to end, and has nothing to put in order.
    process.kill()
