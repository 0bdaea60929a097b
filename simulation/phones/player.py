"""The sound that a simulated leg hears: a queue in the foreground, one playback in the background."""

from collections.abc import Callable
from typing import Literal, assert_never

from attrs import define

from ringful.media import port
from ringful.simulation.phones.agenda import Agenda, Token

Length = Callable[[port.Sound], "float | str"]
"""A sound's seconds, or why it cannot be had."""


@define(eq=False)
class Playing:
    """A playback that was ordered, or cued, and has not ended."""

    number: int
    sound: port.Sound
    offset: float = 0.0
    end: Token | None = None
    """Its natural end; None while it has not begun."""


class Player:
    """Play sounds on one leg; *tell* takes the events, *hear* what the far end hears."""

    def __init__(
        self,
        agenda: Agenda,
        leg: str,
        tell: Callable[[port.Event], None],
        length: Length,
        hear: Callable[[str, str], None],
    ) -> None:
        self._agenda = agenda
        self._leg = leg
        self._tell = tell
        self._length = length
        self._hear = hear
        self._foreground: list[Playing] = []
        self._background: Playing | None = None
        self._cue: Playing | None = None
        self._begun: set[int] = set()

    def play(self, number: int, sound: port.Sound, *, background: bool, offset: float = 0.0) -> None:
        """See `port.Phones.play`."""
        if number in self._begun:
            return  # A cue that has begun: this confirms it.
        if self._cue and self._cue.number == number:
            self._cue = None
        playing = Playing(number, sound, offset)
        if background:
            if self._background:
                self._finish(self._background, "stopped")
            self._background = playing
            self._begin(playing)
        else:
            self._foreground.append(playing)
            if len(self._foreground) == 1:
                self._begin(playing)

    def cue(self, number: int, sound: port.Sound) -> None:
        """See `port.Phones.cue`; with nothing to follow, it is dropped."""
        self._cue = Playing(number, sound) if self._foreground else None

    def stop(self, number: int) -> None:
        """See `port.Phones.stop_playback`."""
        if self._cue and self._cue.number == number:
            self._cue = None
        for playing in (self._background, *self._foreground):
            if playing and playing.number == number:
                self._finish(playing, "stopped")
                return

    def fail(self, detail: str) -> None:
        """Fail what is heard now."""
        for playing in [one for one in (self._background, *self._foreground) if one and one.end]:
            self._fail(playing, detail)

    @property
    def is_playing(self) -> bool:
        """Whether something is heard now."""
        return any(one and one.end for one in (self._background, *self._foreground))

    def end(self) -> None:
        """Tell the end of everything: the leg is ending."""
        self._cue = None
        waiting = [*self._foreground, *([self._background] if self._background else [])]
        self._foreground.clear()
        for playing in waiting:
            self._finish(playing, "hangup")

    def _begin(self, playing: Playing) -> None:
        length = self._length(playing.sound)
        if isinstance(length, str):
            self._fail(playing, length)
            return
        self._begun.add(playing.number)
        playing.end = self._agenda.at(max(0.0, length - playing.offset), lambda: self._finish(playing, "end"))
        self._tell(port.PlaybackStarted(self._leg, playing.number))
        self._hear(said(playing.sound), "starts")

    def _fail(self, playing: Playing, detail: str) -> None:
        foreground = playing is not self._background
        self._remove(playing)
        if playing.end:
            playing.end.cancel()
        self._tell(port.PlaybackFailed(self._leg, playing.number, detail))
        if foreground:
            self._cue = None
            self._go_on()

    def _finish(self, playing: Playing, reason: Literal["end", "stopped", "hangup"]) -> None:
        present = bool(self._foreground) and playing is self._foreground[0]
        self._remove(playing)
        if playing.end:
            playing.end.cancel()
        self._tell(port.PlaybackEnded(self._leg, playing.number, reason))
        if playing.end and reason != "hangup":
            self._hear(said(playing.sound), "ends")
        if present:
            cue, self._cue = self._cue, None
            if cue and reason == "end" and not self._foreground:
                self._follow(cue)
            self._go_on()

    def _follow(self, cue: Playing) -> None:
        # A cue that cannot be had is dropped: the `play` that confirms it will fail and say why.
        if not isinstance(self._length(cue.sound), str):
            self._foreground.append(cue)

    def _go_on(self) -> None:
        if self._foreground and self._foreground[0].end is None:
            self._begin(self._foreground[0])

    def _remove(self, playing: Playing) -> None:
        if playing is self._background:
            self._background = None
        elif playing in self._foreground:
            self._foreground.remove(playing)


def said(sound: port.Sound) -> str:
    """Name *sound*: its URL, or its text."""
    match sound:
        case port.Announcement(url):
            return url
        case port.Speech(text):
            return text
        case port.Ringback():
            return "ringback"
        case _:
            assert_never(sound)
