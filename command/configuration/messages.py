"""Reading what the configuration says of text messages: who they are from, and the connections they go by."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from ringful.command.configuration import readers
from ringful.command.configuration.readers import Unfit
from ringful.command.configuration.tables import HIDDEN, between, table
from ringful.messages.smpp.connection import SmppConnection

_LETTERS = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 &.,'!+-]{1,11}")


def sender(value: Any) -> str:
    """Read who texts are from: a number, a short code, a name of letters, or nothing (the SMSC decides)."""
    number = re.fullmatch(r"(\+?\d{3,15})?", value, re.ASCII) if isinstance(value, str) else None
    if not number and not (isinstance(value, str) and _LETTERS.fullmatch(value) and value == value.strip()):
        raise Unfit("a number such as +15125550000, a short code, or a name of at most 11 letters")
    return str(value)


def connections(value: Any) -> tuple[SmppConnection, ...]:
    """Read the connections to SMSCs: a table, [sms.smpp], or several, each headed [[sms.smpp]]."""
    if isinstance(value, Mapping):
        return (_connection(value, ""),)
    if not isinstance(value, list):
        raise Unfit("a table [sms.smpp], or tables each headed [[sms.smpp]]", found=HIDDEN)
    made = tuple(_connection(one, f"[{n}]") for n, one in enumerate(value, 1))
    for n, connection in enumerate(made, 1):
        if any(connection.name == above.name for above in made[: n - 1]):
            raise Unfit("a name that no connection above has", f"[{n}].name", connection.name)
    return made


def _connection(value: Any, at: str) -> SmppConnection:
    return SmppConnection(**table(value, at, _KEYS, ("address", "system_id")))


def _name(most: int, *, least: int = 1) -> Callable[[Any], str]:
    """Make a reader of a text that SMPP has so much room for."""

    def read(value: Any) -> str:
        fits = isinstance(value, str) and least <= len(value) <= most
        if not fits or not value.isascii() or not value.isprintable():
            raise Unfit(f"a text of {'at most' if least == 0 else f'{least} to'} {most} characters, in ASCII")
        return str(value)

    return read


_KEYS: dict[str, Callable[[Any], Any]] = {
    "address": readers.address,
    "system_id": _name(15),
    "password": _name(8, least=0),
    "name": _name(40),
    "system_type": _name(12, least=0),
    "service_type": _name(5, least=0),
    "binds": between(1, 50),
    "window": between(1, 1000),
    "throughput": readers.number,
    "alphabet": readers.one_of("gsm", "latin1"),
    "receipt_ids": readers.one_of("same", "hex-to-decimal", "decimal-to-hex"),
    "validity": readers.one_of("relative", "absolute", "none"),
    "unsure": readers.one_of("again", "fail"),
    "source_ton": between(0, 6),
    "source_npi": between(0, 18),
    "destination_ton": between(0, 6),
    "destination_npi": between(0, 18),
    "response_timeout": readers.some_seconds,
    "enquire_link": readers.some_seconds,
    "tls": readers.boolean,
    "ca": readers.path,
}


def reply(value: Any) -> str:
    """Read what is answered to a wish: one message at most, or nothing."""
    if not isinstance(value, str) or len(value) > 160:
        raise Unfit("a text of at most 160 characters, or an empty one for no answer")
    return value
