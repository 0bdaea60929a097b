"""The recordings of a simulated leg: their time is counted, and what the far end says is known.

Where files are wanted they are real ones: silence, with a plain tone wherever the far end spoke.
"""

from array import array
from collections.abc import Callable
from math import log10, sqrt
from pathlib import Path
from typing import Literal

from attrs import define, field

from ringful.media import port, wav
from ringful.simulation.phones.agenda import Agenda, Token
from ringful.simulation.phones.world import RecordingFault

BEEP = 0.5
"""How long the beep before a recording is."""

_RATE = 8000
_HEADER = 44
_LOUDNESS = 8000
_WAVE = array("h", [_LOUDNESS] * 16 + [-_LOUDNESS] * 16)

Reason = Literal["stopped", "silence", "hangup", "lost"]


@define(eq=False)
class Recording:
    """A recording that was ordered and has not ended."""

    number: int
    path: Path
    silence: float | None
    within: float | None = None
    began: float | None = None
    """When its first sample was written; None during the beep."""
    tokens: list[Token] = field(factory=list)
    quiet: Token | None = None
    speech: list[tuple[float, float]] = field(factory=list)
    """Stretches of speech, in seconds since it began."""


class Recorder:
    """Record one leg; with *keep*, write the files."""

    def __init__(
        self,
        agenda: Agenda,
        leg: str,
        tell: Callable[[port.Event], None],
        fault: RecordingFault | None,
        keep: bool,
    ) -> None:
        self._agenda = agenda
        self._leg = leg
        self._tell = tell
        self._fault = fault
        self._keep = keep
        self._running: dict[int, Recording] = {}
        self._speaks_since: float | None = None

    def record(
        self, number: int, path: Path, silence: float | None, beep: bool, within: float | None
    ) -> None:
        """See `port.Phones.record`."""
        recording = Recording(number, path, silence, within)
        self._running[number] = recording
        if beep:
            recording.tokens.append(self._agenda.at(BEEP, lambda: self._begin(recording)))
        else:
            self._begin(recording)

    def stop(self, number: int, reason: Reason = "stopped") -> None:
        """See `port.Phones.stop_recording`."""
        if recording := self._running.get(number):
            self._end(recording, reason)

    def fail(self, detail: str) -> None:
        """Fail everything that is being recorded."""
        for recording in list(self._running.values()):
            self._fail(recording, detail)

    @property
    def is_recording(self) -> bool:
        """Whether a recording runs."""
        return bool(self._running)

    def end(self, reason: Reason) -> None:
        """End everything: the leg is ending."""
        for recording in list(self._running.values()):
            self._end(recording, reason)

    def speech(self, begins: bool) -> None:
        """Note that the far end begins or ceases to speak."""
        now = self._agenda.elapsed
        since, self._speaks_since = self._speaks_since, now if begins else None
        for recording in self._running.values():
            if recording.quiet:
                recording.quiet.cancel()
                recording.quiet = None
            if recording.began is not None and not begins and since is not None:
                self._note(recording, since)
                self._await_silence(recording)

    def _note(self, recording: Recording, since: float) -> None:
        began = recording.began or 0.0
        recording.speech.append((max(0.0, since - began), self._agenda.elapsed - began))

    def _begin(self, recording: Recording) -> None:
        recording.began = self._agenda.elapsed
        fault = self._fault
        if fault and fault.after == 0:
            self._fail(recording, fault.reason)
            return
        if fault:
            reason = fault.reason
            recording.tokens.append(self._agenda.at(fault.after, lambda: self._fail(recording, reason)))
        self._tell(port.RecordingStarted(self._leg, recording.number))
        if self._speaks_since is None:
            self._await_silence(recording, recording.within)

    def _await_silence(self, recording: Recording, within: float | None = None) -> None:
        limit = recording.silence if within is None else within
        if limit is not None:
            recording.quiet = self._agenda.at(limit, lambda: self._end(recording, "silence"))

    def _close(self, recording: Recording) -> None:
        del self._running[recording.number]
        for token in (*recording.tokens, *([recording.quiet] if recording.quiet else [])):
            token.cancel()

    def _fail(self, recording: Recording, detail: str) -> None:
        self._close(recording)
        self._tell(port.RecordingFailed(self._leg, recording.number, detail))

    def _end(self, recording: Recording, reason: Reason) -> None:
        self._close(recording)
        now = self._agenda.elapsed
        seconds = 0.0 if recording.began is None else now - recording.began
        if recording.began is not None and self._speaks_since is not None:
            self._note(recording, self._speaks_since)
        samples = round(seconds * _RATE)
        if self._keep:
            try:
                _write(recording, samples)
            except OSError as error:
                detail = f"the recording could not be written: {error.strerror}"
                self._tell(port.RecordingFailed(self._leg, recording.number, detail))
                return
        size = _HEADER + 2 * samples
        level = _level(recording, seconds)
        self._tell(
            port.RecordingEnded(self._leg, recording.number, reason, round(seconds * 1000), size, level)
        )


def _level(recording: Recording, seconds: float) -> float | None:
    spoken = sum(end - start for start, end in recording.speech)
    if not spoken or not seconds:
        return None
    return round(20 * log10(_LOUDNESS / 32768 * sqrt(spoken / seconds)), 1)


def _write(recording: Recording, samples: int) -> None:
    sound = array("h", bytes(2 * samples))
    for start, end in recording.speech:
        for place in range(round(start * _RATE), min(samples, round(end * _RATE))):
            sound[place] = _WAVE[place % len(_WAVE)]
    recording.path.write_bytes(wav.header(2 * samples) + sound.tobytes())
