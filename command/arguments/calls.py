"""Which calls a list is to hold."""

from collections.abc import Callable
from typing import TypeVar

from ringful.command.errors import CommandError
from ringful.http.reading import parameters as p
from ringful.http.reading.call_filter import call_filter
from ringful.store.port import CallFilter

_T = TypeVar("_T")


def wanted(
    country: str,
    state: str | None,
    number: str | None,
    label: str | None,
    since: str | None,
    until: str | None,
) -> CallFilter:
    """Read what the options say, as the API reads its parameters.  Raises CommandError (code 2)."""

    def read(option: str, written: str | None, reader: Callable[[str, str], _T]) -> _T | None:
        try:
            return None if written is None else reader(option, written.strip())
        except p.BadParameter as bad:
            raise CommandError(str(bad), 2) from bad

    numbers = read("--number", number, p.any_number(country)) or ()
    start, end = read("--from", since, p.moment), read("--to", until, p.moment)
    if start is not None and end is not None and start >= end:
        raise CommandError("--from: expected a time before --to", 2)
    return call_filter(
        read("--state", state, p.call_state), numbers, read("--label", label, p.label), start, end
    )
