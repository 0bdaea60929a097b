"""PDUs as an SMSC might send them, and as only somebody hostile would."""

import random
import struct
from collections.abc import Sequence

from ringful.messages.smpp import codec
from ringful.messages.smpp.codec import Pdu


def deliver_body(text: bytes = b"hi", esm_class: int = 0, coding: int = 0, tlvs: bytes = b"") -> bytes:
    """Give the body of a deliver_sm."""
    ends = b"\x01\x0115125550199\0\x01\x0115125550000\0"
    return b"\0" + ends + bytes((esm_class, 0, 0, 0, 0, 0, 0, coding, 0, len(text))) + text + tlvs


def tlv(tag: int, value: bytes) -> bytes:
    """Give an optional parameter."""
    return struct.pack(">HH", tag, len(value)) + value


def mutated(chance: random.Random, asked: Sequence[int]) -> bytes:
    """Give something that an SMSC might send, or that only somebody hostile would."""
    recent = chance.choice(asked or [0])
    sequence = chance.choice((recent, recent, recent, chance.randrange(1 << 32), 0, 1))
    command = chance.choice(
        (
            *[codec.SUBMIT_SM | codec.RESPONSE] * 4,
            *[codec.DELIVER_SM] * 4,
            codec.GENERIC_NACK,
            codec.ENQUIRE_LINK,
            codec.ENQUIRE_LINK | codec.RESPONSE,
            codec.UNBIND,
            codec.OUTBIND,
            0x103,
            chance.randrange(1 << 32),
        )
    )
    receipt = b"id:%d sub:001 dlvrd:001 stat:%b err:%d text:x" % (
        chance.randrange(99),
        chance.choice((b"DELIVRD", b"UNDELIV", b"ENROUTE", b"\xff")),
        chance.randrange(9),
    )
    text = chance.choice(
        (b"hi", receipt, chance.randbytes(chance.randrange(200)), b"\x05\0\x03\x07\x02\x01hi")
    )
    more = chance.choice((b"", tlv(chance.choice((0x1E, 0x427, 0x424, 0x20C, 9)), chance.randbytes(3))))
    body = chance.choice(
        (
            deliver_body(text, chance.choice((0, 4, 0x40, 0x44, 0x20, 255)), chance.randrange(256), more),
            b"m7\0",
            b"",
            chance.randbytes(chance.randrange(60)),
        )
    )
    data = bytearray(
        Pdu(command, chance.choice((0, 0, 0, 0x58, chance.randrange(1 << 32))), sequence, body).octets()
    )
    for _ in range(chance.choice((0, 0, 1, 3))):
        # Four times in five not in the length: otherwise no stream would get far.
        first = 0 if chance.random() < 0.2 else 4
        data[chance.randrange(first, len(data))] = chance.randrange(256)
    if chance.random() < 0.02:
        del data[chance.randrange(len(data)) :]
    return bytes(data)
