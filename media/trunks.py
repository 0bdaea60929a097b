"""Trunks: where calls go to and come from.  Pure.

A trunk is known by its name, everywhere: in the configuration, in `/ready`, in the log, in the metrics
and in what a call's record says.
"""

from ipaddress import IPv4Network, IPv6Network
from typing import Literal, TypeAlias

from attrs import field, frozen

Transport: TypeAlias = Literal["udp", "tcp", "tls"]
NumberForm: TypeAlias = Literal["+e164", "e164", "00", "national"]
"""How a number is written: ``+15125551234``, ``15125551234``, ``0015125551234`` or ``5125551234``.

In national form a number of another country is written as it is dialled from the trunk's.
"""
Diversion: TypeAlias = Literal["none", "diversion", "history-info", "both"]
"""How it is told who sent a call on: by Diversion (RFC 5806), by History-Info (RFC 7044)."""
UNHEARD = "nothing was heard from it"
"""What is said first of a trunk that did not answer an INVITE."""
Encryption: TypeAlias = Literal["off", "optional", "required"]
"""Whether sound is encrypted by SRTP with keys in the SDP (RFC 4568)."""


@frozen
class Credentials:
    """Who somebody says that they are, and how they show it (digest, RFC 8760)."""

    username: str = ""
    password: str = field(default="", repr=False)


@frozen
class Trunk:
    """A way to the telephone network."""

    name: str
    host: str
    """Its name or address; a name is resolved by the node, never by a worker."""
    port: int = 0
    """0: what its transport has, 5060 or 5061."""
    transport: Transport = "udp"
    domain: str = ""
    """What stands behind ``@`` of both parties; empty: its address, and ours."""
    prefixes: tuple[str, ...] = ("",)
    """What a number in E.164 without ``+`` begins with: the trunk with the longest one is asked first."""
    order: int = 0
    """Among trunks with prefixes of the same length, the smallest comes first."""
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Where it sends from, and may send us to by 3xx; empty: its own address alone."""
    ours: Credentials = field(factory=Credentials)
    """How we show to it who we are."""
    theirs: Credentials = field(factory=Credentials)
    """How it shows to us who it is, where its address does not; the front asks for it."""
    register: bool = False
    """Whether it is told where we are (REGISTER)."""
    register_every: float = 300.0
    """Seconds that a registration is asked for."""
    from_number: str = ""
    """The caller ID where a call names none."""
    country: str = ""
    """Where its national numbers are; empty: ``sip.country``."""
    numbers: NumberForm = "+e164"
    """How numbers are written, the called one and the caller's alike."""
    asserted: bool = False
    """Whether the caller ID is told as P-Asserted-Identity as well (RFC 3325)."""
    diversion: Diversion = "none"
    """How it is told who sends on a call that we forward."""
    srtp: Encryption = "off"
    redirects: int = 0
    """How many 3xx in a row are followed, within its networks."""
    answer_within: float = 4.0
    """Seconds within which it has to say anything to an INVITE, be it 100; the next trunk is asked then."""
    ring_within: float = 20.0
    """Seconds within which it has to let something ring, where there is a next one; 0: any time will do."""
    options_every: float = 60.0
    """Seconds between two OPTIONS; 0: it is never asked."""

    @property
    def at_port(self) -> int:
        """The port that it listens on."""
        return self.port or (5061 if self.transport == "tls" else 5060)
