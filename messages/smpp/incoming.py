"""What an SMSC brings in a deliver_sm: a text, a part of one, or what became of one of ours.  Pure.

SMPP leaves the form of receipts to the SMSC (appendix B has but an example).  What nearly all write is read:
the TLVs where they are there, and otherwise ``id:… stat:… err:…`` of the text.  States that are not final
mean nothing here, since ``sent`` is what is known already.
"""

import re

from attrs import frozen

from ringful.messages import segments
from ringful.messages.port import Delivery, Fragment, Incoming, Receipt
from ringful.messages.smpp import codec
from ringful.messages.smpp.addresses import number_of
from ringful.messages.smpp.codec import Deliver
from ringful.messages.smpp.connection import ReceiptIds, SmppConnection

_FIELD = re.compile(r"(?:^|\s)(id|stat|err):\s*(\S+)", re.IGNORECASE)
_TEXT = re.compile(r"(?:^|\s)text:", re.IGNORECASE)
_ASCII = 1
_HEX = re.compile(r"[0-9a-f]{1,32}", re.IGNORECASE)

_STATES = {2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 7: "UNKNOWN", 8: "REJECTD"}
"""The TLV message_state (5.2.28) by the words of the text; those that are not final are not here."""

_FAILED = {
    "EXPIRED": "it could not be delivered in time",
    "DELETED": "it was deleted at the SMSC",
    "UNDELIV": "the network could not deliver it",
    "REJECTD": "the network refused it",
    "UNKNOWN": "the SMSC does not know what became of it",
    "FAILED": "the network could not deliver it",
}
_OTHER_WORDS = {
    "DELIVERED": "DELIVRD",
    "UNDELIVERABLE": "UNDELIV",
    "UNDELIVERED": "UNDELIV",
    "UNDELIVRD": "UNDELIV",
    "REJECTED": "REJECTD",
    "REJECTE": "REJECTD",
}


@frozen
class Unknown:
    """Something to acknowledge that means nothing here; *what* says why, if anybody should know."""

    what: str = ""


def read(deliver: Deliver, connection: SmppConnection) -> Incoming | Receipt | Unknown:
    """Say what the SMSC brings."""
    if deliver.kind == codec.INTERMEDIATE:
        return Unknown()
    states = codec.MESSAGE_STATE in deliver.tlvs and codec.RECEIPTED_MESSAGE_ID in deliver.tlvs
    if deliver.kind == codec.RECEIPT or states:
        return _receipt(deliver, connection)
    return _text(deliver, connection)


# Texts


def _text(deliver: Deliver, connection: SmppConnection) -> Incoming:
    fragment, payload = _fragment(deliver)
    return Incoming(
        connection.name,
        number_of(deliver.source),
        number_of(deliver.destination),
        segments.decode(payload, deliver.data_coding, connection.alphabet),
        fragment,
    )


def _fragment(deliver: Deliver) -> tuple[Fragment | None, bytes]:
    """Give what a text is a part of, and its own octets."""
    payload = deliver.payload
    if deliver.esm_class & codec.HAS_HEADER and payload and payload[0] < len(payload):
        end = 1 + payload[0]
        return _joined(payload[1:end]), payload[end:]
    sar = (codec.SAR_REFERENCE, codec.SAR_NUMBER, codec.SAR_TOTAL)
    reference, number, of = (int.from_bytes(deliver.tlvs.get(tag, b"")[:2]) for tag in sar)
    known = codec.SAR_REFERENCE in deliver.tlvs
    return (_valid(f"sar-{reference}", number, of) if known else None), payload


def _joined(elements: bytes) -> Fragment | None:
    """Read a user data header: of its elements, the one that joins parts (TS 23.040, 9.2.3.24)."""
    at = 0
    while at + 2 <= len(elements):
        kind, length = elements[at], elements[at + 1]
        value = elements[at + 2 : at + 2 + length]
        if (kind, length) in ((0, 3), (8, 4)) and len(value) == length:
            reference = int.from_bytes(value[:-2])
            return _valid(f"{8 if kind == 0 else 16}-{reference}", value[-1], value[-2])
        at += 2 + length
    return None


def _valid(reference: str, number: int, of: int) -> Fragment | None:
    """Give the fragment; a number that cannot be is none, and the text stands for itself."""
    return Fragment(reference, number, of) if 1 <= number <= of and of > 1 else None


# Receipts


def _receipt(deliver: Deliver, connection: SmppConnection) -> Receipt | Unknown:
    fields = _fields(deliver)
    remote_id, word = fields.get("id", ""), fields.get("stat", "")
    if not remote_id:
        return Unknown("a receipt that names no message")
    if word != "DELIVRD" and word not in _FAILED:
        # Those that are on their way, in whatever words.
        return Unknown()
    delivery: Delivery = "delivered" if word == "DELIVRD" else "failed"
    reason = ""
    if delivery == "failed":
        error = fields.get("err", "")
        named = f", error {error}" if error.strip("0") else ""
        reason = f"{word}{named}: {_FAILED[word]}"
    return Receipt(connection.name, receipt_id(remote_id, connection.receipt_ids), delivery, reason)


def _fields(deliver: Deliver) -> dict[str, str]:
    _, payload = _fragment(deliver)
    # Receipts are ASCII, whatever texts are: in the GSM alphabet the octet of ``_`` would be another.
    text = segments.decode(payload, deliver.data_coding or _ASCII)
    # The message's own text stands at the end, and may say anything.
    said = _TEXT.split(text, maxsplit=1)[0]
    fields: dict[str, str] = {}
    for name, value in _FIELD.findall(said):
        fields.setdefault(name.lower(), value)
    fields["stat"] = _word(fields.get("stat", ""))
    tlvs = deliver.tlvs
    if remote_id := codec.read_text(tlvs.get(codec.RECEIPTED_MESSAGE_ID, b"")):
        fields["id"] = remote_id
    if state := tlvs.get(codec.MESSAGE_STATE):
        fields["stat"] = _STATES.get(state[0], "")
    if "err" not in fields and len(error := tlvs.get(codec.NETWORK_ERROR_CODE, b"")) == 3:
        fields["err"] = str(int.from_bytes(error[1:]))
    return fields


def _word(found: str) -> str:
    word = found.upper().rstrip(".,;")
    return _OTHER_WORDS.get(word, word)


# IDs


def answer_id(remote_id: str, form: ReceiptIds) -> str:
    """Give the ID of an answer as it is kept, to be found again by `receipt_id`."""
    remote_id = remote_id.strip()
    if form == "hex-to-decimal" and _HEX.fullmatch(remote_id):
        return str(int(remote_id, 16))
    return _plain(remote_id)


def receipt_id(remote_id: str, form: ReceiptIds) -> str:
    """Give the ID of a receipt as that of the answer was kept."""
    remote_id = remote_id.strip()
    if form == "decimal-to-hex" and _HEX.fullmatch(remote_id):
        return str(int(remote_id, 16))
    return _plain(remote_id)


def _plain(remote_id: str) -> str:
    """Write an ID in one way.

    SMSCs fill up numbers with zeros in the one place and not in the other, and write the letters of hex
    large here and small there.  IDs of other kinds are taken as they are.
    """
    if _HEX.fullmatch(remote_id):
        return remote_id.lower().lstrip("0") or "0"
    return remote_id
