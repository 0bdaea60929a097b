"""Numbers and names as SMPP writes them: what kind an address is stands beside it (5.2.5, 5.2.6)."""

import re

from attrs import evolve

from ringful.messages.port import Outgoing
from ringful.messages.smpp.codec import Address
from ringful.messages.smpp.connection import SmppConnection

INTERNATIONAL, NETWORK, ALPHANUMERIC = 1, 3, 5
_ISDN = 1
_SHORT = 8
"""Digits of a number that a network gives out itself, at most: no number in E.164 is as short."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def address_of(number: str) -> Address:
    """Give *number* as SMPP wants it: what it looks like says what it is.

    With a plus it is international; digits alone are a short code of this network, or where there are
    too many for one, of a kind unknown; anything else is a name.  Raises ValueError.
    """
    if not number:
        return Address()
    digits = number.removeprefix("+")
    if digits.isascii() and digits.isdigit():
        if number.startswith("+"):
            return Address(INTERNATIONAL, _ISDN, digits)
        return Address(NETWORK, 0, digits) if len(digits) <= _SHORT else Address(0, _ISDN, digits)
    if len(number) > 11 or not number.isascii() or not number.isprintable():
        raise ValueError(f"`{number}` can be no sender: a name has at most 11 letters, digits and spaces")
    return Address(ALPHANUMERIC, 0, number)


def source_of(sent: Outgoing, connection: SmppConnection) -> Address:
    """Give the sender of a message.  Raises ValueError."""
    return _kind(address_of(sent.sender), connection.source_ton, connection.source_npi)


def destination_of(sent: Outgoing, connection: SmppConnection) -> Address:
    """Give the number that a message goes to.  Raises ValueError."""
    made = address_of(sent.number)
    if made.ton == ALPHANUMERIC or not made.text:
        raise ValueError(f"`{sent.number}` is no number")
    return _kind(made, connection.destination_ton, connection.destination_npi)


def _kind(made: Address, ton: int | None, npi: int | None) -> Address:
    return evolve(made, ton=made.ton if ton is None else ton, npi=made.npi if npi is None else npi)


def number_of(address: Address) -> str:
    """Give an address as the rest of the house writes it.

    Only what the SMSC calls international gets a plus: what else digits mean, the country decides.
    """
    text = _CONTROL.sub("\ufffd", address.text)
    international = address.ton == INTERNATIONAL and text.isascii() and text.isdigit()
    return f"+{text}" if international else text
