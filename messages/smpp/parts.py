"""What is submitted for a message: its parts, each with its header, its coding and its addresses.  Pure."""

from collections.abc import Mapping
from zlib import crc32

from ringful.messages import segments
from ringful.messages.port import Outgoing
from ringful.messages.segments import Alphabet, Encoding
from ringful.messages.smpp import codec
from ringful.messages.smpp.addresses import destination_of, source_of
from ringful.messages.smpp.codec import Submit
from ringful.messages.smpp.connection import SmppConnection
from ringful.messages.smpp.times import validity_period

_UCS2 = 8


def submits_of(
    sent: Outgoing, connection: SmppConnection, alphabet: Alphabet, now: float
) -> Mapping[int, Submit]:
    """Give what is submitted for *sent*, by the number of the part.  Raises ValueError: it never can be.

    A part that is sent later, or again, or by another connection, must join those that were taken: so the
    text is split by *alphabet*, the narrowest of all connections, and the reference comes of the message.
    """
    if sent.expires and sent.expires <= now:
        raise ValueError("it expired before the SMSC could take it")
    split = segments.split(sent.text, alphabet)
    encoding: Encoding = split.encoding if split.encoding == "ucs2" else connection.alphabet
    source, destination = source_of(sent, connection), destination_of(sent, connection)
    of = len(split.parts)
    reference = crc32(sent.message_id.encode()) & 0xFF
    made = {}
    for number, part in enumerate(split.parts, 1):
        header = segments.header(reference, number, of) if of > 1 else b""
        made[number] = Submit(
            source,
            destination,
            header + segments.encode(part, encoding),
            _UCS2 if encoding == "ucs2" else 0,
            codec.HAS_HEADER if header else 0,
            validity_period(sent.expires, now, connection.validity),
            connection.service_type,
        )
    return made
