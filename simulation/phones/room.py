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

    def hear(self, sound: str, edge: str) -> None: ...


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
    ) -> None:
        self.name = name
        self.state = "up"
        self.members: dict[str, Member] = {}
        self.player = Player(agenda, name, self.tell, length, self._hear)
        self.recorder = Recorder(agenda, name, self.tell, outside.recording_fault, keep_files)
        self._muted: set[str] = set()
        self._speaking: set[str] = set()
        self._sink = sink

    def tell(self, event: port.Event) -> None:
        """Tell the owner, unless it is over."""
        if self.state != "over":
            self._sink(event)

    def _hear(self, sound: str, edge: str) -> None:
        for member in list(self.members.values()):
            member.hear(sound, edge)

    def join(self, member: Member, *, muted: bool) -> None:
        """Let *member* in."""
        self.members[member.name] = member
        if muted:
            self._muted.add(member.name)

    def leave(self, name: str) -> None:
        """Let a member go."""
        self.members.pop(name, None)
        self._muted.discard(name)
        self.speech(name, False)

    def speech(self, name: str, begins: bool) -> None:
        """Note that a member begins or ceases to speak: one voice after another is one stretch."""
        before = bool(self._speaking)
        if begins and name in self.members and name not in self._muted:
            self._speaking.add(name)
        else:
            self._speaking.discard(name)
        if before != bool(self._speaking):
            self.recorder.speech(bool(self._speaking))

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
        self.members.clear()
