"""Reading what the configuration says of text messages: who they are from, and the connections they go by."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ringful.command.configuration import readers
from ringful.command.configuration.readers import Unfit
from ringful.messages.smpp.connection import SmppConnection

_LETTERS = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 &.,'!+-]{1,11}")


class _Shown:
    """Stands for a value that is not shown as it is."""

    def __init__(self, shown: str) -> None:
        self._shown = shown

    def __repr__(self) -> str:
        return self._shown


_HIDDEN = _Shown("what it is (not shown: it may hold a password)")
_NOTHING = _Shown("nothing")


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
        raise Unfit("a table [sms.smpp], or tables each headed [[sms.smpp]]", found=_HIDDEN)
    made = tuple(_connection(one, f"[{n}]") for n, one in enumerate(value, 1))
    for n, connection in enumerate(made, 1):
        if any(connection.name == above.name for above in made[: n - 1]):
            raise Unfit("a name that no connection above has", f"[{n}].name", connection.name)
    return made


def _connection(value: Any, at: str) -> SmppConnection:
    if not isinstance(value, Mapping):
        raise Unfit("a table", at, _HIDDEN)
    if unknown := sorted(value.keys() - _KEYS.keys()):
        raise Unfit(f"one of the keys {', '.join(_KEYS)}", f"{at}, a key", unknown[0])
    if missing := next((key for key in ("address", "system_id") if key not in value), None):
        raise Unfit(f"the key {missing}", f"{at}.{missing}", _NOTHING)
    return SmppConnection(**dict(_read(value, at)))


def _read(value: Mapping[str, Any], at: str) -> Iterator[tuple[str, Any]]:
    for key, one in value.items():
        try:
            yield key, _KEYS[key](one)
        except Unfit as unfit:
            found = _HIDDEN if key == "password" else one
            raise Unfit(unfit.wanted, f"{at}.{key}", found) from None


def _name(most: int, *, least: int = 1) -> Callable[[Any], str]:
    """Make a reader of a text that SMPP has so much room for."""

    def read(value: Any) -> str:
        fits = isinstance(value, str) and least <= len(value) <= most
        if not fits or not value.isascii() or not value.isprintable():
            raise Unfit(f"a text of {'at most' if least == 0 else f'{least} to'} {most} characters, in ASCII")
        return str(value)

    return read


def _between(least: int, most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Unfit(f"a whole number from {least} to {most}")
        return value

    return read


_KEYS: dict[str, Callable[[Any], Any]] = {
    "address": readers.address,
    "system_id": _name(15),
    "password": _name(8, least=0),
    "name": _name(40),
    "system_type": _name(12, least=0),
    "service_type": _name(5, least=0),
    "binds": _between(1, 50),
    "window": _between(1, 1000),
    "throughput": readers.number,
    "alphabet": readers.one_of("gsm", "latin1"),
    "receipt_ids": readers.one_of("same", "hex-to-decimal", "decimal-to-hex"),
    "validity": readers.one_of("relative", "absolute", "none"),
    "unsure": readers.one_of("again", "fail"),
    "source_ton": _between(0, 6),
    "source_npi": _between(0, 18),
    "destination_ton": _between(0, 6),
    "destination_npi": _between(0, 18),
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
