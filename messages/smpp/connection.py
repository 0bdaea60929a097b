"""A connection to an SMSC, as it is configured."""

from pathlib import Path
from typing import Literal, TypeAlias

from attrs import field, frozen

from ringful.messages.segments import Alphabet

ReceiptIds: TypeAlias = Literal["same", "hex-to-decimal", "decimal-to-hex"]
"""How receipts write the IDs that answers gave: alike, or the answers' hex in decimal, or the reverse."""

Validity: TypeAlias = Literal["relative", "absolute", "none"]
Unsure: TypeAlias = Literal["again", "fail"]


@frozen
class SmppConnection:
    """One SMSC: where it is, who we are there, and what is peculiar to it."""

    address: str
    """Host and port."""
    system_id: str
    password: str = field(default="", repr=False)
    name: str = field()
    """What receipts and the log know it by; the address, unless it has another."""
    system_type: str = ""
    service_type: str = ""
    binds: int = 1
    """How many sessions are held to it at once."""
    window: int = 10
    """How many parts may wait for their answers, on each bind."""
    throughput: float | None = None
    """Parts a second, of all its binds together; None: as many as it takes."""
    alphabet: Alphabet = "gsm"
    """What data coding 0 means there."""
    receipt_ids: ReceiptIds = "same"
    validity: Validity = "relative"
    """How it is told when nobody wants a text any more."""
    unsure: Unsure = "again"
    """What becomes of a text of which nobody can know whether it arrived."""
    source_ton: int | None = None
    source_npi: int | None = None
    destination_ton: int | None = None
    destination_npi: int | None = None
    """What kind of address it is to be told; None: what the number looks like."""
    response_timeout: float = 30.0
    """Seconds: without an answer for so long the bind is given up, and made anew."""
    enquire_link: float = 30.0
    """Seconds of silence after which it is asked whether it is there."""
    tls: bool = False
    ca: Path | None = None
    """Certificates that its own must be signed by; None: those that the system trusts."""

    @name.default
    def _named_by_address(self) -> str:
        return self.address
