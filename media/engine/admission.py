"""Who may send sound to a call: the address of its SDP, or whoever turns out to be meant by it.

Behind NAT the SDP names an address that nobody can send from: it is the first port that sends from where
the signalling comes.  Where far ends may send from another port than they hear at (not symmetric, RFC
4961), it is the first port of the SDP's address, if the SDP's own says nothing.
"""

import time
from typing import Any, Protocol

from attrs import define

from ringful.media.engine.senders import Senders, is_behind_nat

_LEARN_SECONDS = 2.0
"""How long after the answer whoever is behind NAT is looked for where its signalling comes from."""
_SILENT_SECONDS = 0.5
"""How long after the answer the port of the SDP has to say nothing until others of its address may speak."""


class Gate(Protocol):
    """What the gate has to do with it."""

    def disguise(self, number: int, address: str, port: int) -> bool:
        """Have what a socket gets from *address* seem to come from *port*; 0: as it is."""

    def speaker(self, number: int) -> int:
        """Give the port that really speaks; 0: none has."""


@define
class Unknown:
    """A call of which it is not known yet who sends."""

    rtp: int
    rtcp: int
    """Our ports."""
    said: tuple[str, int]
    """Where its SDP wants to hear."""
    behind_nat: bool
    number: int | None = None
    """The file descriptor of our socket, once other ports may speak."""


class Admission:
    """Has the kernel let in who may send; here are the reasons (`senders` does it)."""

    def __init__(self, senders: Senders, *, symmetric: bool = True) -> None:
        """*symmetric*: all far ends send from where they hear."""
        self.senders = senders
        self.gate: Gate | None = None
        self._symmetric = symmetric

    def admit(self, leg: Any) -> None:
        """Let the address that the far end's SDP says send sound to the call, and nobody else."""
        ours = leg.getMedTransportInfo(leg.media)
        own, own_rtcp = _address(ours.localRtpName), _address(ours.localRtcpName)
        said = _address(leg.getStreamInfo(leg.media).remoteRtpAddress)
        leg.unknown_sender = None
        if own is None or own_rtcp is None or said is None:
            return
        rtp, rtcp = own[1], own_rtcp[1]
        if leg.learned and leg.learned[0] == said:
            host, at_port = leg.learned[1]
            self.senders.allow(rtp, rtcp, host, at_port)
            return
        self._undisguise(rtp)
        behind_nat = is_behind_nat(said[0], leg.signalled)
        if behind_nat or (not self._symmetric and self.gate):
            leg.unknown_sender = Unknown(rtp, rtcp, said, behind_nat)
        if behind_nat:
            # Its packets come by the same NAT as its signalling did; which port, they will show.
            self.senders.allow(rtp, rtcp, leg.signalled)
        else:
            self.senders.allow(rtp, rtcp, *said)

    def learn(self, leg: Any) -> None:
        """Let only the first that sends go on, where the SDP could not say who that is."""
        unknown: Unknown | None = leg.unknown_sender
        if unknown is None or leg.slot < 0 or not leg.confirmed:
            return
        found = _address(leg.getMedTransportInfo(leg.media).srcRtpName)
        heard = found if found and found[1] else None
        if unknown.behind_nat:
            self._learn_behind_nat(leg, unknown, heard)
        elif unknown.number is not None:
            self._learn_speaker(leg, unknown, unknown.number)
        elif heard:
            leg.unknown_sender = None
        elif time.monotonic() - leg.began > _SILENT_SECONDS:
            self._let_others_speak(leg, unknown)

    def _learn_behind_nat(self, leg: Any, unknown: Unknown, heard: tuple[str, int] | None) -> None:
        if heard:
            self.senders.allow(unknown.rtp, unknown.rtcp, *heard)
            leg.unknown_sender, leg.learned = None, (unknown.said, heard)
        elif time.monotonic() - leg.began > _LEARN_SECONDS:
            # Sound and signalling have ways of their own: then it is whoever sends.
            self.senders.allow_all(unknown.rtp, unknown.rtcp)

    def _let_others_speak(self, leg: Any, unknown: Unknown) -> None:
        number = self.senders.number(unknown.rtp)
        if number is None or not self.gate or not self.gate.disguise(number, *unknown.said):
            leg.unknown_sender = None
            return
        unknown.number = number
        self.senders.allow(unknown.rtp, unknown.rtcp, unknown.said[0])

    def _learn_speaker(self, leg: Any, unknown: Unknown, number: int) -> None:
        if self.gate and (at_port := self.gate.speaker(number)):
            speaker = unknown.said[0], at_port
            self.senders.allow(unknown.rtp, unknown.rtcp, *speaker)
            leg.unknown_sender, leg.learned = None, (unknown.said, speaker)

    def _undisguise(self, rtp: int) -> None:
        number = self.senders.number(rtp)
        if self.gate and number is not None:
            self.gate.disguise(number, "0.0.0.0", 0)


def _address(written: str) -> tuple[str, int] | None:
    """Read ``ADDRESS:PORT``; None where it is none."""
    host, _, at_port = written.rpartition(":")
    return (host, int(at_port)) if host and at_port.isdecimal() else None
