"""Who may send sound to a call: the address of its SDP, or whoever turns out to be meant by it."""

import time
from typing import Any

from ringful.media.engine.senders import Senders, is_behind_nat

_LEARN_SECONDS = 2.0
"""How long after the answer whoever is behind NAT is looked for where its signalling comes from."""


class Admission:
    """Has the kernel let in who may send; here are the reasons (`senders` does it)."""

    def __init__(self, senders: Senders) -> None:
        self.senders = senders

    def admit(self, leg: Any) -> None:
        """Let the address that the far end's SDP says send sound to the call, and nobody else."""
        ours = leg.getMedTransportInfo(leg.media)
        own, own_rtcp = _address(ours.localRtpName), _address(ours.localRtcpName)
        said = _address(leg.getStreamInfo(leg.media).remoteRtpAddress)
        leg.unknown_sender = None
        if own is None or own_rtcp is None or said is None:
            return
        if leg.learned and leg.learned[0] == said:
            host, at_port = leg.learned[1]
            self.senders.allow(own[1], own_rtcp[1], host, at_port)
        elif is_behind_nat(said[0], leg.signalled):
            # Its packets come by the same NAT as its signalling did; which port, they will show.
            leg.unknown_sender = own[1], own_rtcp[1]
            self.senders.allow(own[1], own_rtcp[1], leg.signalled)
        else:
            self.senders.allow(own[1], own_rtcp[1], *said)

    def learn(self, leg: Any) -> None:
        """Let only the first that sends go on, where the SDP could not say who that is."""
        if leg.unknown_sender is None or leg.slot < 0 or not leg.confirmed:
            return
        found = _address(leg.getMedTransportInfo(leg.media).srcRtpName)
        said = _address(leg.getStreamInfo(leg.media).remoteRtpAddress)
        if found and found[1] and said:
            rtp, rtcp = leg.unknown_sender
            self.senders.allow(rtp, rtcp, *found)
            leg.unknown_sender, leg.learned = None, (said, found)
        elif time.monotonic() - leg.began > _LEARN_SECONDS:
            # Sound and signalling have ways of their own: then it is whoever sends.
            self.senders.allow_all(*leg.unknown_sender)


def _address(written: str) -> tuple[str, int] | None:
    """Read ``ADDRESS:PORT``; None where it is none."""
    host, _, at_port = written.rpartition(":")
    return (host, int(at_port)) if host and at_port.isdecimal() else None
