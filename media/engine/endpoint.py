"""pjsua2's endpoint: where it listens, its codecs, and what an account of it is made from."""

from collections.abc import Mapping
from typing import Any

import pjsua2 as pj
from attrs import field, frozen

from ringful.media import wav
from ringful.media.engine.accounts import Terms
from ringful.media.engine.library import Library

_SRTP = {
    "off": pj.PJMEDIA_SRTP_DISABLED,
    "optional": pj.PJMEDIA_SRTP_OPTIONAL,
    "required": pj.PJMEDIA_SRTP_MANDATORY,
}


@frozen
class EngineConfig:
    """Where an engine listens, and as whom it calls."""

    address: str = "127.0.0.1"
    port: int = 0
    public_address: str = ""
    """What others know us by, in Via, Contact and From; empty: *address*."""
    media_address: str = ""
    """Where far ends send sound to, as the SDP says it; empty: *address*."""
    front: int = 0
    """The port on 127.0.0.1 of the SIP front, by way of which all goes out; 0: there is none."""
    known_as: str = ""
    """The front's address and port as others know it."""
    media_bind: str = ""
    """Where sound comes to, where that is another address of this machine than *address*."""
    tcp: bool = False
    """Whether it listens, and can call, by TCP as well."""
    terms: Mapping[str, Terms] = field(factory=dict, repr=False)
    """Those of each trunk that has some of its own."""
    silence_limit: float | None = None
    """Seconds after which a far end of which nothing is heard is given up; None: never."""
    symmetric_rtp: bool = True
    """Whether sound comes from the port that its SDP names, and from no other."""
    rtp_port: int = 0
    """The first of our own RTP ports, which nobody else uses; 0: any."""
    rtp_ports: int = 0
    """How many there are."""
    engine: str = "auto"
    """``python``: let sound pass through Python, although it could through C."""


class Endpoint:
    """The one of this process, open."""

    def __init__(self, config: EngineConfig, library: Library) -> None:
        """Open it.  Raises pj.Error where an address is taken."""
        self.config = config
        library.set_log_level(0)  # it speaks before it is told how loudly
        self._endpoint = pj.Endpoint()
        self._endpoint.libCreate()
        settings = pj.EpConfig()
        ua, media = settings.uaConfig, settings.medConfig
        ua.threadCnt, ua.mainThreadOnly, ua.maxCalls = 0, True, 1000
        ua.userAgent = "ringful"
        settings.logConfig.level = settings.logConfig.consoleLevel = 0
        media.clockRate = media.sndClockRate = wav.RATE
        media.channelCount, media.ptime, media.audioFramePtime = 1, 20, 20
        media.noVad, media.ecTailLen, media.quality = True, 0, 2
        media.hasIoqueue, media.threadCnt = True, 1
        media.sndAutoCloseTime = -1  # The bridge has no clock of its own: the mixer gives it its ticks.
        self._endpoint.libInit(settings)
        library.set_timers(500, 4000, 5000, 8000)
        transport = pj.TransportConfig()
        transport.port, transport.boundAddress = self.config.port, self.config.address
        transport.publicAddress = self.config.public_address
        made = self._endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
        self.port = int(self._endpoint.transportGetInfo(made).localName.rsplit(":", 1)[1])
        if self.config.tcp:
            transport.port = self.port
            self._endpoint.transportCreate(pj.PJSIP_TRANSPORT_TCP, transport)
        self._endpoint.libStart()
        for codec in self._endpoint.codecEnum2():
            self._endpoint.codecSetPriority(codec.codecId, 0)
        self._endpoint.codecSetPriority("PCMU/8000", 255)
        self._endpoint.codecSetPriority("PCMA/8000", 254)

    def own_uri(self, user: str) -> str:
        """Give the URI of *user* here, as others know us."""
        own = f"{self.config.public_address or self.config.address}:{self.port}"
        return f"sip:{user}@{self.config.known_as or own}"

    def add(self, account: Any, terms: Terms | None) -> None:
        """Add *account* on the *terms* of a trunk; None: it is the one that calls come in at."""
        settings = self._account_config()
        taken = any(srtp != "off" for _, _, srtp in self.config.terms.values())
        username, password, srtp = terms or ("", "", "optional" if taken else "off")
        if username:
            settings.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", username, 0, password))
        settings.mediaConfig.srtpUse = _SRTP[srtp]
        # Keys are in the SDP (RFC 4568): who reads the signalling can read them, so it ought to go by TLS.
        settings.mediaConfig.srtpSecureSignaling = 0
        settings.mediaConfig.srtpOpt.keyings = pj.IntVector([pj.PJMEDIA_SRTP_KEYING_SDES])
        account.create(settings, terms is None)

    def _account_config(self) -> Any:
        account = pj.AccountConfig()
        account.idUri = self.own_uri("ringful")
        media = account.mediaConfig.transportConfig
        media.port = self.config.rtp_port
        media.boundAddress = self.config.media_bind or self.config.address
        media.publicAddress = self.config.media_address
        # The library takes them in turn, so that each rests for a while after a call.  The last one that
        # it takes is as far behind the first as it is told, and RTCP has the next.
        media.portRange = max(0, self.config.rtp_ports - 2)
        # A second INVITE would follow each answer with two codecs, and refuse the far end's own meanwhile.
        account.mediaConfig.lockCodecEnabled = False
        if self.config.front:
            account.sipConfig.proxies.append(f"sip:127.0.0.1:{self.config.front};lr")
            # The front finds the worker by this name.
            account.sipConfig.contactForced = f"<sip:w{self.port}@{self.config.known_as}>"
            account.natConfig.contactRewriteUse = account.natConfig.viaRewriteUse = 0
        return account
