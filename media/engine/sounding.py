"""The sound of one leg: what is played on it, what is recorded of it, and where it sits.

A leg with a call and the voice of a room have the same; nothing here knows of calls.  Every order has
its one end, which goes to *emit*.  A recording's end is told by the disk thread, in its order.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from attrs import define

from ringful.media import port, wav
from ringful.media.engine.beep import BEEP
from ringful.media.engine.keypad import dialling
from ringful.media.engine.keypad.dialling import GRID
from ringful.media.engine.mixer import KEYS, Happened, Mixer, Voice
from ringful.media.engine.playing import Channel
from ringful.media.engine.recording import Disk, Quiet, Reason, Recorder

_FIRST_KEY = -(1 << 40)
"""Sounds of keys are numbered from here on downwards, and beeps, as the negatives of recordings, above."""

Listener = Callable[[bytes, list[int]], None]
"""Takes frames, and the energy of each."""


@define(eq=False)
class _Hearing:
    """Somebody who takes what a voice hears, and the next frame's number."""

    since: int
    take: Listener


@define(eq=False)
class Sitting:
    """A place on a bus; *number* is what the node calls it."""

    number: int
    muted: bool
    deaf: bool
    to: int = 0
    """The number of the sitting that alone hears it; 0: all."""


class Sound:
    """See the module's docstring."""

    def __init__(
        self,
        name: str,
        mixer: Mixer,
        disk: Disk,
        emit: Callable[[port.Event], None],
        on_speech: Callable[[str, bool], None],
        *,
        alone: bool = False,
    ) -> None:
        self.name = name
        self._disk, self._emit, self._on_speech = disk, emit, on_speech
        self.voice: Voice = mixer.lend(self._happened, alone=alone)
        self._channels: dict[int, Channel] = {}
        self._recorders: dict[int, tuple[Recorder, _Hearing]] = {}
        self._listeners: list[_Hearing] = []
        self._beeping: dict[int, Callable[[], None]] = {}
        self.sitting: Sitting | None = None
        self._muted = False
        self.on_key: Callable[[str], None] = lambda key: None
        """Takes keys that are heard in the sound."""
        self._keys_said = 0
        self._sendings: dict[int, int] = {}
        """Which sending ends with which key's sound."""
        self.over = False

    @property
    def is_heard_here(self) -> bool:
        """Whether somebody in this process takes what it hears."""
        return bool(self._listeners)

    @property
    def is_recorded(self) -> bool:
        """Whether somebody records it."""
        return bool(self._recorders)

    # Playing

    def play(
        self,
        playback: int,
        path: Path,
        *,
        background: bool = False,
        cue: bool = False,
        offset: float = 0.0,
    ) -> None:
        """Play the WAV at *path* from *offset* seconds on, or cue it."""
        try:
            samples = wav.samples_of(path)[2 * round(offset * wav.RATE) :]
        except (OSError, ValueError) as error:
            if not cue:
                self._emit(port.PlaybackFailed(self.name, playback, str(error)))
            return
        channel = self._channel(int(background))
        if cue:
            channel.cue(playback, samples)
        elif background:
            channel.replace(playback, samples)
        else:
            channel.add(playback, samples)

    def _channel(self, number: int) -> Channel:
        if number not in self._channels:
            self._channels[number] = Channel(self.voice, number, self._told)
        return self._channels[number]

    def stop_playback(self, playback: int) -> None:
        """Cut a playback short, or take a cue back."""
        for channel in self._channels.values():
            channel.stop(playback)

    def _happened(self, what: Happened, number: int) -> None:
        if what in ("started", "ended"):
            for channel in list(self._channels.values()):
                channel.heard(number, ended=what == "ended")
        elif what == "key":
            self.on_key(GRID[number])
        else:
            self._on_speech(self.name, what == "speaks")

    def _told(self, playback: int, what: str) -> None:
        if playback <= _FIRST_KEY:
            if what != "started" and playback in self._sendings:
                self._emit(port.TonesSent(self.name, self._sendings.pop(playback), sent=what == "end"))
        elif playback < 0:
            if what == "end":
                self._beeping.pop(-playback, lambda: None)()
        elif what == "started":
            self._emit(port.PlaybackStarted(self.name, playback))
        else:
            self._emit(port.PlaybackEnded(self.name, playback, what))  # type: ignore[arg-type]

    def send_keys(self, sending: int, keys: str) -> None:
        """Send keys in the sound, in place of what else is heard."""
        made = list(dialling.sounds(keys))
        if not made:
            self._emit(port.TonesSent(self.name, sending))
            return
        self._keys_said += len(made)
        last = _FIRST_KEY - self._keys_said
        self._sendings[last] = sending
        for number, samples in zip(range(last + len(made) - 1, last - 1, -1), made, strict=True):
            self._channel(KEYS).add(number, samples)

    # Hearing

    def hear_keys(self, *, on: bool) -> None:
        """Say whether keys are heard in the sound."""
        if not self.over:
            self.voice.hear_keys(on=on)

    def record(self, recording: int, path: Path, quiet: Quiet, *, beep: bool) -> None:
        """Begin to record, after a beep if that is wanted."""
        if beep:
            self._beeping[recording] = partial(self._record, recording, path, quiet)
            self._channel(0).add(-recording, BEEP)
        else:
            self._record(recording, path, quiet)

    def _record(self, recording: int, path: Path, quiet: Quiet) -> None:
        if self.over:
            return
        recorder = Recorder(self.name, recording, path, self._disk, self._emit, quiet)
        self._recorders[recording] = recorder, _Hearing(self.voice.listen(), recorder.take)

    def listen(self, take: Listener) -> None:
        """Give all that is heard to *take*, whenever `notice` is called."""
        self._listeners.append(_Hearing(self.voice.listen(), take))

    def stop_recording(self, recording: int, reason: Reason = "stopped") -> None:
        """End a recording, also one whose beep is still heard."""
        if self._beeping.pop(recording, None):
            self._channel(0).stop(-recording)
            self._emit(port.RecordingFailed(self.name, recording, port.NOT_BEGUN))
        elif found := self._recorders.pop(recording, None):
            self._hear(found[1])
            found[0].end(reason)
            self.voice.unlisten()

    def _hear(self, hearing: _Hearing) -> None:
        samples, energies = self.voice.heard(hearing.since)
        if energies:
            hearing.since += len(energies)
            hearing.take(samples, energies)

    def notice(self) -> None:
        """Give those who listen in this process what has come."""
        for listener in self._listeners:
            self._hear(listener)

    def write(self) -> None:
        """Have what has come written; called some five times a second."""
        for number, (recorder, hearing) in list(self._recorders.items()):
            self._hear(hearing)
            recorder.flush()
            if recorder.over:
                del self._recorders[number]
                self.voice.unlisten()

    # Among others

    def sit(self, bus: int, seat: int, sitting: Sitting) -> int | None:
        """Take a seat; gives the number of the sitting that this one replaces."""
        before = self.stand()
        self.sitting = sitting
        self.voice.sit(bus, seat, sitting.number)
        self._hush()
        return before

    def stand(self, number: int | None = None) -> int | None:
        """Leave the seat, if it is that of sitting *number* (None: any); gives the number left."""
        if self.sitting is None or number not in (None, self.sitting.number):
            return None
        left, self.sitting = self.sitting.number, None
        self.voice.stand()
        return left

    def change(self, number: int, *, muted: bool, deaf: bool, to: int) -> None:
        """Change what holds for a sitting."""
        if self.sitting and self.sitting.number == number:
            self.sitting.muted, self.sitting.deaf, self.sitting.to = muted, deaf, to
            self._hush()

    def mute(self, muted: bool) -> None:
        """Keep it from being heard wherever it sits, or let it be heard again."""
        self._muted = muted
        self._hush()

    def _hush(self) -> None:
        if self.sitting:
            here = self.sitting
            self.voice.hush(muted=self._muted or here.muted, deaf=here.deaf, to=here.to)

    def close(self) -> None:
        """End all that was ordered, since the leg has ended, and give the voice back."""
        if self.over:
            return
        self.over = True
        self.stand()
        # What was heard has ended before what was recorded has: that is told by another thread.
        for channel in self._channels.values():
            channel.end()
        self._channels.clear()
        for recording in [*self._beeping, *self._recorders]:
            self.stop_recording(recording, "hangup")
        self.notice()
        self._listeners.clear()
        self.voice.give_back()
