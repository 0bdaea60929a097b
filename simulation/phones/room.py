"""A simulated room: what is played in it is heard by all far ends in it, and they are all recorded."""

from typing import Protocol

from ringful.media import port
from ringful.simulation.phones import world
from ringful.simulation.phones.agenda import Agenda
from ringful.simulation.phones.player import Length, Player
from ringful.simulation.phones.recorder import Recorder


class Member(Protocol):
    """What a room needs of a leg that is in it."""

    name: str
    muted: bool
    speaking: bool

    def hear(self, sound: str, edge: str) -> None:
        """Hear that *sound* starts or ends."""

    def listen(self) -> None:
        """Hear who is to be heard now."""

    def leave(self) -> None:
        """Leave the room that it is in."""


class SimulatedRoom:
    """One room, from its making to its end."""

    def __init__(
        self,
        agenda: Agenda,
        name: str,
        sink: port.Sink,
        outside: world.World,
        length: Length,
        keep_files: bool,
        tells: bool = False,
    ) -> None:
        self.name = name
        self.state = "up"
        self.members: dict[str, Member] = {}
        self.player = Player(agenda, name, self.tell, length, self._hear)
        self.recorder = Recorder(agenda, name, self.tell, outside.recording_fault, keep_files)
        self.speaking: set[str] = set()
        """Who is heard now."""
        self._sounds = False
        self._muted: set[str] = set()
        self._deaf: set[str] = set()
        self._heard_by: dict[str, str] = {}
        """Whom one member alone hears, and which."""
        self._tells = tells
        self._sink = sink

    def tell(self, event: port.Event) -> None:
        """Tell the owner, unless it is over."""
        if self.state != "over":
            self._sink(event)
        if isinstance(event, port.PlaybackFailed):
            self._record()

    def _hear(self, sound: str, edge: str) -> None:
        for member in list(self.members.values()):
            if member.name not in self._deaf:
                member.hear(sound, edge)
        self._record()

    def join(self, member: Member, *, muted: bool, deaf: bool, heard_by: str | None) -> None:
        """Let *member* in, or change how it is in."""
        self.members[member.name] = member
        for chosen, those in ((muted, self._muted), (deaf, self._deaf)):
            if chosen:
                those.add(member.name)
            else:
                those.discard(member.name)
        self._heard_by.pop(member.name, None)
        if heard_by is not None:
            self._heard_by[member.name] = heard_by
        self.listen(member)
        member.listen()

    def leave(self, name: str) -> None:
        """Let a member go."""
        if self.members.pop(name, None):
            self._muted.discard(name)
            self._deaf.discard(name)
            self._heard_by.pop(name, None)
            self._speech(name, False)

    def listen(self, member: Member) -> None:
        """Take note whether *member* is to be heard now."""
        name = member.name
        self._speech(name, self._is_heard(member) and name in self.members and name not in self._heard_by)
        if heard_by := self.members.get(self._heard_by.get(name, "")):
            heard_by.listen()

    def _is_heard(self, member: Member) -> bool:
        return member.speaking and not member.muted and member.name not in self._muted

    def _speech(self, name: str, speaks: bool) -> None:
        """Note that a member begins or ceases to be heard."""
        if speaks == (name in self.speaking):
            return
        if speaks:
            self.speaking.add(name)
        else:
            self.speaking.discard(name)
        self._record()
        if self._tells:
            self.tell(port.Speaking(self.name, name, speaks))

    def _record(self) -> None:
        """Let the recordings know whether anything is to be heard: a member, or an announcement."""
        sounds = bool(self.speaking) or self.player.is_playing
        if sounds != self._sounds:
            self._sounds = sounds
            self.recorder.speech(sounds)
        for member in self.members.values():
            member.listen()

    def is_heard_by(self, name: str) -> bool:
        """Say whether the member *name* hears anything of the others, or an announcement."""
        hears = name in self.members and name not in self._deaf
        return hears and (
            self.player.is_playing or bool(self.speaking - {name}) or self._is_whispered_to(name)
        )

    def _is_whispered_to(self, name: str) -> bool:
        """Say whether somebody speaks whom *name* alone hears."""
        return any(
            to == name != whose and self._is_heard(self.members[whose])
            for whose, to in self._heard_by.items()
        )

    def send_tones(self, sending: int, tones: str) -> None:
        """Send tones to all members, who do not tell what they heard."""
        self.tell(port.TonesSent(self.name, sending))

    def hang_up(self) -> None:
        """End the room."""
        if self.state == "over":
            return
        self.player.end()
        self.recorder.end("hangup")
        self.tell(port.HungUp(self.name, "server"))
        self.state = "over"
        for member in list(self.members.values()):
            member.leave()
