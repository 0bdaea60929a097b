"""Read the parameters of a request: strictly, and with a message that says what would do.

Pure.  Every reader takes what was written and gives the value, or raises `BadParameter` with the
parameter's name, what was found, and what was expected.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, TypeVar, cast, get_args

from ringful.grammar.nodes import RejectReason
from ringful.grammar.sounds import FASTEST, SLOWEST
from ringful.grammar.vocabulary import STATUSES
from ringful.http.outward.addresses import wrong
from ringful.interpreter.calls.e164 import e164
from ringful.media.port import RefusalReason

_V = TypeVar("_V")
_TONES = frozenset("0123456789*#ABCD")
_NOT_KEPT = re.compile("[\ud800-\udfff\0]")
"""What cannot be written in UTF-8, or not be kept by every database."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
NO_MEMBERS: Mapping[str, Any] = {}
MAX_LENGTH = 2048
"""Characters of any one parameter."""
MESSAGE = "message"
"""The one parameter that may have several lines."""
MAX_MESSAGE = 10_000
"""Characters of it: what carries messages takes fewer, and says how many."""
DAY = 24 * 3600.0
LEG_OUTCOMES = ("completed", "lost", *get_args(RefusalReason))
"""How a leg can come out."""
CALL_OUTCOMES = (*LEG_OUTCOMES, "scriptfailed", "interrupted")
"""How a call, or a run without one, can come out."""
MAX_LABEL = 200
"""Characters of what a call is called."""
MAX_SHOWN = 64
"""Characters of a caller's name: phones show fewer."""


class BadParameter(Exception):
    """A parameter is missing, unknown or malformed; *code* is stable, e.g. ``tone.invalid``."""

    def __init__(self, name: str, kind: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.code = f"{name}.{kind}"


class Parameters:
    """The parameters of one request; each may be taken once, and `finish` refuses what is left.

    *members* are those of a JSON body, where plain ones stand for parameters; *text* is a body that is
    neither form nor JSON.
    """

    def __init__(
        self,
        pairs: Iterable[tuple[str, str]],
        members: Mapping[str, Any] = NO_MEMBERS,
        text: str | None = None,
    ) -> None:
        self._values: dict[str, str] = {}
        self._members = {name: found for name, found in members.items() if found is not None}
        self._text = text
        self._known: list[str] = []
        for name, value in pairs:
            if name in self._values:
                raise BadParameter(name, "repeated", f"{name} is given twice; give it once")
            if name in self._members:
                raise BadParameter(name, "repeated", f"{name} is given in the body too; give it once")
            self._values[name] = _held(name, value)

    def optional(self, names: str, read: Callable[[str, str], _V]) -> _V | None:
        """Take a parameter by one of its *names*; None where it is absent or empty."""
        if not self._values and not self._members:
            return None  # As it is for most, behind the last one that was given.
        found = None
        for name in names.split():
            self._known.append(name)
            value = self._values.pop(name, "") or self._said(name)
            if bare := value.strip():
                found = read(name, bare)
        return found

    def not_empty(self, name: str, instead: str) -> None:
        """Refuse parameter *name* where it is there without a value, and its absence would be worse."""
        if name in self._values and not self._values[name].strip():
            raise BadParameter(name, "invalid", f"{name} is empty; {instead}")

    def required(self, names: str, read: Callable[[str, str], _V], example: str) -> _V:
        """Take a parameter that must be there."""
        found = self.optional(names, read)
        if found is None:
            name = names.split()[0]
            raise BadParameter(name, "missing", f"{name} is missing; give e.g. {name}={example}")
        return found

    def _said(self, name: str) -> str:
        """Take a member that stands for a parameter, as text."""
        if name not in self._members:
            return ""
        match self._members.pop(name):
            case bool() as truth:
                return "true" if truth else "false"
            case str() | int() | Decimal() as plain:
                return _held(name, str(plain))
            case _:
                raise BadParameter(name, "invalid", f"{name} must be text, a number, true or false")

    def member(self, name: str) -> Any:
        """Take a member of a JSON body as it is; None where it is absent."""
        self._known.append(name)
        return self._members.pop(name, None)

    def text(self, name: str) -> str | None:
        """Take the body's text, or the member *name* that holds it; None where there is neither."""
        found = self.member(name)
        if found is None:
            found, self._text = self._text, None
        if found is None:
            return None
        if not isinstance(found, str):
            raise BadParameter(name, "invalid", f"{name} must be text")
        return unicode(name, found)

    def rest(self) -> list[tuple[str, str]]:
        """Take all that is left of the query and the form."""
        left, self._values = self._values, {}
        return list(left.items())

    def finish(self) -> None:
        """Refuse what nobody has taken.  Raises BadParameter."""
        if self._text is not None:
            raise BadParameter("body", "unknown", "this method takes no text as its body")
        for name in (*self._values, *self._members):
            near = difflib.get_close_matches(name, self._known, 1, 0.6)
            hint = f"; did you mean {near[0]}?" if near else f"; it knows: {', '.join(self._known) or 'none'}"
            raise BadParameter(name, "unknown", f"this method has no parameter {name}{hint}")


def unicode(name: str, value: str) -> str:
    """Hold that *value* can be written in UTF-8, and kept by every database."""
    if stray := _NOT_KEPT.search(value):
        raise BadParameter(name, "invalid", f"{name} cannot hold the character U+{ord(stray[0]):04X}")
    return value


def _held(name: str, value: str) -> str:
    """Hold that *value* is one line, unless it is a message's text."""
    if len(value) <= MAX_LENGTH and value.isprintable():
        return value  # As nearly all are; nothing that is refused below is printable.
    if name != MESSAGE:
        return _one_line(name, value)
    if len(value) > MAX_MESSAGE:
        raise BadParameter(name, "invalid", f"{name} is longer than {MAX_MESSAGE} characters")
    return unicode(name, value)


def _one_line(name: str, value: str) -> str:
    unicode(name, value)
    if len(value) > MAX_LENGTH:
        raise BadParameter(name, "invalid", f"{name} is longer than {MAX_LENGTH} characters")
    if _CONTROL.search(value):
        raise BadParameter(name, "invalid", f"{name} holds a control character")
    return value


def boolean(name: str, value: str) -> bool:
    """Read true or false."""
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise BadParameter(name, "invalid", f"{name} must be true or false, not {value!r}")


def one_of(*known: str) -> Callable[[str, str], str]:
    """Make a reader of words."""

    def read(name: str, value: str) -> str:
        if value.lower() in known:
            return value.lower()
        raise BadParameter(name, "invalid", f"{name} must be {' or '.join(known)}, not {value!r}")

    return read


def shown_name(name: str, value: str) -> str:
    """Read the name that a callee is shown: up to `MAX_SHOWN` characters that can be seen."""
    if value.strip() and len(value) <= MAX_SHOWN and value.isprintable():
        return value
    raise BadParameter(name, "invalid", f"{name} must be a name of up to {MAX_SHOWN} printable characters")


def rejection(name: str, value: str) -> RejectReason | int:
    """Read why a call is not taken: a word of the language's ``reject``, or a SIP status."""
    word = value.lower()
    for known in get_args(RejectReason):
        if word == known:
            return cast(RejectReason, known)
    if re.fullmatch("[0-9]{3}", word) and int(word) in STATUSES:
        return int(word)
    wanted = ", ".join([*get_args(RejectReason), *map(str, sorted(STATUSES))])
    raise BadParameter(name, "invalid", f"{name} must be one of {wanted}, not {value[:40]!r}")


def text(name: str, value: str) -> str:
    """Read any text."""
    return value


def identifier(name: str, value: str) -> str:
    """Read a call's ID."""
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", value):
        raise BadParameter(name, "invalid", f"{name} must be the ID that Call returned, not {value!r}")
    return value


def script_name(name: str, value: str) -> str:
    """Read a script's name; a final ``.call`` does not belong to it."""
    bare = value.removesuffix(".call")
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", bare):
        expected = "up to 100 letters, digits and _ . - and begin with none of the last two"
        raise BadParameter(name, "invalid", f"{name} must be {expected}, not {value!r}")
    return bare


def file_name(name: str, value: str) -> str:
    """Read what a script that has no name is called in its problems: a bare file name."""
    if not re.fullmatch(r"[\w][\w .-]{0,99}", value):
        raise BadParameter(name, "invalid", f"{name} must be a bare file name, not {value!r}")
    return value


def label(name: str, value: str) -> str:
    """Read what a call is called by its key: up to `MAX_LABEL` characters that can be seen."""
    if len(value) <= MAX_LABEL and value.isprintable():
        return value
    raise BadParameter(name, "invalid", f"{name} must be up to {MAX_LABEL} printable characters")


def span_of_time(given: Parameters) -> tuple[float | None, float | None]:
    """Take ``from`` and ``to``: a time before the other one."""
    since, until = given.optional("from", moment), given.optional("to", moment)
    if since is not None and until is not None and since >= until:
        raise BadParameter("from", "invalid", "from must be before to")
    return since, until


def word_of(known: Sequence[str]) -> Callable[[str, str], str]:
    """Make a reader of one of many words, which says which was meant, or what there is."""

    def read(name: str, value: str) -> str:
        if value in known:
            return value
        near = difflib.get_close_matches(value.lower(), known, 1, 0.6)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise BadParameter(name, "invalid", f"{name} must be one of {', '.join(known)}, not {value!r}{meant}")

    return read


def call_state(name: str, value: str) -> str:
    """Read a state or an outcome of calls."""
    return word_of(("live", "ended", *CALL_OUTCOMES))(name, value)


def as_table(given: Parameters) -> bool:
    """Take ``format``: whether a table is wanted instead of lines."""
    return given.optional("format", one_of("csv", "text")) == "csv"


def moment(name: str, value: str) -> float:
    """Read a time: ISO 8601, in UTC where it names no zone, or Unix seconds."""
    if re.fullmatch(r"[0-9]{9,11}(\.[0-9]{1,6})?", value):
        return float(value)
    try:
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        expected = "a time such as 2026-01-31T09:00:00Z, or Unix seconds"
        raise BadParameter(name, "invalid", f"{name} must be {expected}, not {value!r}") from None


def to_most(most: int) -> Callable[[str, str], int]:
    """Make a reader of a whole number from 1 to *most*."""

    def read(name: str, value: str) -> int:
        if 1 <= (number := whole(name, value)) <= most:
            return number
        raise BadParameter(name, "invalid", f"{name} must be 1 to {most}, not {value!r}")

    return read


def whole(name: str, value: str) -> int:
    """Read a whole number, which is not negative."""
    if value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    raise BadParameter(name, "invalid", f"{name} must be a whole number, not {value!r}")


def version(name: str, value: str) -> int:
    """Read the number of a version."""
    if (number := whole(name, value)) > 0:
        return number
    raise BadParameter(name, "invalid", f"{name} must be the number of a version, from 1, not {value!r}")


def seconds_to(longest: float) -> Callable[[str, str], float]:
    """Make a reader of seconds, up to *longest*."""

    def read(name: str, value: str) -> float:
        if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", value) and float(value) <= longest:
            return float(value)
        raise BadParameter(name, "invalid", f"{name} must be 0 to {longest:g} seconds, not {value!r}")

    return read


def step_to(longest: float) -> Callable[[str, str], float]:
    """Make a reader of seconds on or, where they are negative, back."""
    read = seconds_to(longest)

    def read_step(name: str, value: str) -> float:
        back = value.startswith("-")
        with suppress(BadParameter):
            if found := read(name, value.removeprefix("-")):
                return -found if back else found
        message = f"{name} must be seconds such as 10, or -10 to go back, not {value!r}"
        raise BadParameter(name, "invalid", message)

    return read_step


def speed(name: str, value: str) -> Decimal:
    """Read how fast a sound is to be heard."""
    if re.fullmatch(r"[0-9](\.[0-9]{1,6})?", value) and SLOWEST <= Decimal(value) <= FASTEST:
        return Decimal(value)
    raise BadParameter(name, "invalid", f"{name} must be a number from {SLOWEST} to {FASTEST}, not {value!r}")


def speed_or_step(name: str, value: str) -> Decimal | Literal["up", "down"]:
    """Read how fast a sound is to be heard, or that it is to be faster or slower."""
    if value in ("up", "down"):
        return "up" if value == "up" else "down"
    try:
        return speed(name, value)
    except BadParameter as error:
        message = f"{name} must be a number from {SLOWEST} to {FASTEST}, or up or down, not {value!r}"
        raise BadParameter(name, "invalid", message) from error


def time_to(longest: float) -> Callable[[str, str], float]:
    """Make a reader of seconds, more than none and up to *longest*."""
    read = seconds_to(longest)

    def read_time(name: str, value: str) -> float:
        if (found := read(name, value)) > 0:
            return found
        raise BadParameter(name, "invalid", f"{name} must be more than 0 seconds")

    return read_time


def voice(name: str, value: str) -> str:
    """Read the name of a voice."""
    if re.fullmatch(r"[a-zA-Z][a-zA-Z0-9+-]{1,30}", value):
        return value
    raise BadParameter(
        name, "invalid", f"{name} must be the name of a voice, such as en or de, not {value!r}"
    )


def tones(name: str, value: str) -> str:
    """Read a comma-separated list of tones; give it in capitals and without blanks."""
    parts = [part.strip().upper() for part in value.split(",")]
    for part in parts:
        if part not in _TONES or len(part) != 1:
            expected = "a tone is one of 0-9 * # A-D, and several are separated by commas"
            raise BadParameter(name, "invalid", f"{name} has {part!r}; {expected}")
    return ",".join(parts)


def count_of_digits(name: str, value: str) -> tuple[int, int]:
    """Read how many digits: a number, or two with ``..`` between; 64 at most."""
    found = re.fullmatch(r"([0-9]{1,2})(?:\.\.([0-9]{1,2}))?", value)
    least, most = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if 1 <= least <= most <= 64:
        return least, most
    raise BadParameter(name, "invalid", f"{name} must be a number of digits such as 4 or 1..8, not {value!r}")


def several(read: Callable[[str, str], str], most: int) -> Callable[[str, str], tuple[str, ...]]:
    """Make a reader of a comma list, each of which *read* reads, each once, *most* of them."""

    def read_several(name: str, value: str) -> tuple[str, ...]:
        parts = [part.strip() for part in value.split(",")]
        if not all(parts):
            raise BadParameter(name, "invalid", f"{name} has an empty place: separate numbers by one comma")
        if len(parts) > most:
            raise BadParameter(name, "invalid", f"{name} has {len(parts)} numbers: {most} are the most")
        found = tuple(read(name, part) for part in parts)
        for one in found:
            if found.count(one) > 1:
                raise BadParameter(name, "invalid", f"{name} has {one} twice; give it once")
        return found

    return read_several


def digits(name: str, value: str) -> str:
    """Read a string of tones to send."""
    sent = re.sub(r"[\s,]", "", value).upper()
    wrong = [mark for mark in sent if mark not in _TONES]
    if wrong or not sent or len(sent) > 100:
        raise BadParameter(name, "invalid", f"{name} must be up to 100 of 0-9 * # A-D, not {value!r}")
    return sent


def web_url(name: str, value: str) -> str:
    """Read an absolute http or https URL."""
    if why := wrong(value):
        raise BadParameter(name, "invalid", f"{name} must be an http or https URL, not {value!r}: {why}")
    if "@" in value and "@" in re.split(r"[/?#]", value.partition("://")[2], maxsplit=1)[0]:
        raise BadParameter(name, "invalid", f"{name} must not hold a user name or password")
    return value


def reachable(read: Callable[[str, str], str], refusal: Callable[[str], str]) -> Callable[[str, str], str]:
    """Make a reader of what *read* reads, but for URLs that *refusal* says must not be reached, and why."""

    def read_reachable(name: str, value: str) -> str:
        found = read(name, value)
        if found.lower().startswith(("http://", "https://")) and (why := refusal(found)):
            raise BadParameter(name, "address", f"{name}: {why}")
        return found

    return read_reachable


def announcement(name: str, value: str) -> str:
    """Read an announcement: an http, https or file URL, or a name in the media library."""
    scheme = value.partition(":")[0].lower() if ":" in value else ""
    if scheme in ("http", "https"):
        return web_url(name, value)
    if scheme == "file" or (not scheme and re.fullmatch(r"[\w][\w ./-]*", value) and ".." not in value):
        return value
    expected = "an http, https or file URL, or a name in the media library"
    raise BadParameter(name, "invalid", f"{name} must be {expected}, not {value!r}")


def ring_seconds(name: str, value: str) -> int:
    """Read a ring timeout: 5 to 600 whole seconds."""
    if value.isascii() and value.isdigit() and 5 <= int(value[:6]) <= 600:
        return int(value)
    raise BadParameter(name, "invalid", f"{name} must be 5 to 600 seconds, not {value!r}")


def number(country: str, *, sip: bool) -> Callable[[str, str], str]:
    """Make a reader of phone numbers; national ones are of *country*, and *sip* takes SIP URIs too."""

    def read(name: str, value: str) -> str:
        if value.lower().startswith(("sip:", "sips:")):
            if sip and re.fullmatch(r"sip:[\w.!~*'()&=+$,;?/%-]+@[\w.:;=-]+", value, re.ASCII):
                return value
            why = "is no SIP URI" if sip else "is a SIP URI, and this server does not call those"
            raise BadParameter(name, "invalid", f"{name} {why}: {value!r}")
        written = re.sub(r"[\s().-]", "", value)
        if not re.fullmatch(r"\+?[0-9]{3,15}", written):
            expected = "a phone number such as 15125551234 or +15125551234"
            raise BadParameter(name, "invalid", f"{name} must be {expected}, not {value!r}")
        return _normal(name, written, country)

    return read


def _normal(name: str, written: str, country: str) -> str:
    """Give digits with the country's code."""
    found = e164(written, country)
    if found is None:
        raise BadParameter(
            name, "invalid", f"{name} has a wrong number of digits for a phone number: {written!r}"
        )
    return found.lstrip("+")


def own_number(country: str) -> Callable[[str, str], str]:
    """Make a reader of numbers that can be called here: ``+E.164``, or up to six digits of a house's own."""
    read = number(country, sip=False)

    def read_own(name: str, value: str) -> str:
        return value if re.fullmatch(r"[0-9]{2,6}", value) else "+" + read(name, value)

    return read_own


def any_number(country: str) -> Callable[[str, str], tuple[str, ...]]:
    """Make a reader of a number that is looked for: gives the ways in which it may be written down."""
    read = own_number(country)

    def read_any(name: str, value: str) -> tuple[str, ...]:
        if value.lower().startswith("sip:"):
            return (value,)
        found = read(name, value)
        return tuple(dict.fromkeys((found, found.lstrip("+"), re.sub(r"[\s().-]", "", value))))

    return read_any


def sequence(name: str, value: str, now: float) -> int:
    """Read a seq; *now* (Unix seconds) bounds it.

    All that lies far below a key's newest seq is used, so a slip of the keyboard could use up all that
    there are: a seq is at most the nanoseconds of the clock, a day ahead.
    """
    if not (value.isascii() and value.isdigit() and len(value) < 30 and int(value) > 0):
        raise BadParameter(name, "invalid", f"{name} must be a positive whole number, not {value!r}")
    most = int(now + DAY) * 1_000_000_000
    if int(value) > most:
        expected = f"at most {most}, which is the clock in nanoseconds, a day ahead"
        raise BadParameter(name, "invalid", f"{name} must be {expected}, not {value}")
    return int(value)
