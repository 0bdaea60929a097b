"""One leg of the simulated phones, from its ringing to its end."""

from typing import Literal

from ringful.media import port
from ringful.simulation.phones import world
from ringful.simulation.phones.agenda import Agenda, Token
from ringful.simulation.phones.bridge import STATUS, Connection, Errand
from ringful.simulation.phones.far_end import FarEndPlayer
from ringful.simulation.phones.player import Length, Player
from ringful.simulation.phones.recorder import Recorder
from ringful.simulation.phones.room import SimulatedRoom

TONE_TIME = 0.235
"""How long it takes to send one tone: RFC 4733 at 160 ms, and the pause after it."""


class SimulatedLeg:
    """One leg, from its ringing to its end."""

    def __init__(
        self,
        agenda: Agenda,
        name: str,
        sink: port.Sink,
        outside: world.World,
        length: Length,
        far_end: world.FarEnd,
        keep_files: bool,
        inbound: bool = False,
    ) -> None:
        self.name = name
        self.state: Literal["ringing", "up", "over"] = "ringing"
        self.inbound, self.early = inbound, False
        self.room: SimulatedRoom | None = None
        self.transferable = far_end.transferable
        self.connection: Connection | None = None
        self.muted = self.speaking = self._hears = False
        self._agenda = agenda
        self._sink = sink
        self.far_end = FarEndPlayer(agenda, far_end, self)
        self.player = Player(agenda, name, self.tell, length, self.far_end.hear)
        self.recorder = Recorder(agenda, name, self.tell, outside.recording_fault, keep_files)
        self._errands: dict[int, Errand] = {}
        self._sendings: dict[int, Token] = {}
        self._sent_at = 0.0

    def tell(self, event: port.Event) -> None:
        """Tell *event*, unless the leg's end has been told."""
        if self.state != "over":
            self._sink(event)

    def begin(self, far_end: world.FarEnd) -> None:
        """Let it ring."""
        if far_end.rings and not self.inbound:
            self.tell(port.Ringing(self.name))
        self.far_end.begin()

    # What our side does

    def take(self) -> None:
        """Answer the call that came in."""
        if self.inbound:
            self.answer()

    def progress(self) -> None:
        """Let sound pass to the call that came in, before the answer."""
        if self.inbound and self.state == "ringing" and not self.early:
            self.early = True
            self.tell(port.EarlyMedia(self.name))

    def reject(self, status: int) -> None:
        """Refuse the call that came in."""
        if self.inbound and self.state == "ringing":
            self._end(port.Refused(self.name, port.rejection(status), status))

    def hang_up(self) -> None:
        """End it from our side."""
        if self.state == "ringing":
            self._end(port.Refused(self.name, "cancelled", 480 if self.inbound else 487))
        else:
            self._end(port.HungUp(self.name, "server"))

    def send_tones(self, sending: int, tones: str) -> None:
        """Send *tones* after those that are being sent."""
        start = max(self._agenda.elapsed, self._sent_at)
        self._sent_at = start + TONE_TIME * len(tones)

        def sent() -> None:
            del self._sendings[sending]
            self.tell(port.TonesSent(self.name, sending))

        self._sendings[sending] = self._agenda.at(self._sent_at - self._agenda.elapsed, sent)

    def mute(self, muted: bool) -> None:
        """Keep what the far end says from the other leg, or let it through again."""
        self.muted = muted
        if self.connection:
            self.connection.beside(self).listen()
        if self.room:
            self.room.listen(self)

    def transfer(self, transfer: int, target: world.FarEnd | None) -> None:
        """Send the far end to *target*; None: there is no such phone."""

        def done(event: port.Event) -> None:
            del self._errands[transfer]
            self.tell(event)

        if not self.transferable:
            self.tell(port.TransferFailed(self.name, transfer, "rejected", 603))
        elif target is None:
            self.tell(port.TransferFailed(self.name, transfer, "unreachable", 404))
        else:
            self._errands[transfer] = Errand(self._agenda, target, done)
            self._errands[transfer].begin(self.name, transfer)

    # What the far end does

    def answer(self) -> None:
        """Pick up."""
        if self.state == "ringing":
            self.state = "up"
            self.tell(port.Answered(self.name))

    def refuse(self, reason: port.RefusalReason) -> None:
        """Do not take the call."""
        if self.state == "ringing":
            self._end(port.Refused(self.name, reason, STATUS.get(reason)))

    def press(self, tone: str) -> None:
        """Press a key."""
        if self.state == "up":
            self.tell(port.TonePressed(self.name, tone))

    def speech(self, begins: bool) -> None:
        """Begin or cease to speak."""
        self.speaking = begins
        self.listen()
        if self.connection:
            self.connection.beside(self).listen()
        if self.room:
            self.room.listen(self)

    def listen(self) -> None:
        """Let the recordings know whether anybody is heard: the far end, or whom it hears itself."""
        beside = self.connection.beside(self) if self.connection else None
        heard = self.speaking or bool(beside and beside.speaking and not beside.muted)
        heard = heard or bool(self.room and self.room.is_heard_by(self.name))
        if heard != self._hears:
            self._hears = heard
            self.recorder.speech(heard)

    def hear(self, sound: str, edge: str) -> None:
        """Hear that *sound* starts or ends in the room."""
        self.far_end.hear(sound, edge)

    def leave(self) -> None:
        """Leave the room, if it is in one."""
        room, self.room = self.room, None
        if room:
            room.leave(self.name)
            self.listen()

    def put_down(self) -> None:
        """Hang up from the far side; a phone that is rung declines, a caller gives up."""
        if self.state == "up":
            self._end(port.HungUp(self.name, "callee"))
        elif self.inbound:
            self._end(port.Refused(self.name, "cancelled", 487))
        else:
            self.refuse("rejected")

    def lose(self) -> None:
        """Lose the media process that serves this leg."""
        detail = "the media process died"
        if self.state == "up":
            self._end(port.HungUp(self.name, "lost", detail), lost=True)
        else:
            self._end(port.Refused(self.name, "unreachable", None, detail))

    def _end(self, last: port.Refused | port.HungUp, *, lost: bool = False) -> None:
        if self.state == "over":
            return
        self.far_end.end()
        self.leave()
        if self.connection:
            self.connection.end("hangup" if self.connection.leg is self else "other")
        for transfer, errand in list(self._errands.items()):
            errand.end()
            self.tell(port.TransferFailed(self.name, transfer, "hangup"))
        self.player.end()
        self.recorder.end("lost" if lost else "hangup")
        for sending, token in list(self._sendings.items()):
            token.cancel()
            self.tell(port.TonesSent(self.name, sending, sent=False))
        self.tell(last)
        self.state = "over"
