"""The log: one line an event, on standard error, as text for people or as JSON for machines.

Everything that logs goes through here, the libraries' own lines too.  Whatever a line says passes
`scrubbed` last: of a URL only scheme and host are left, a password in an address never is, and what
would move the cursor is shown as an escape.  What callers keyed, what messages say and what a secret
holds must not be given to the log at all; the names in `NEVER` are the net below that.
"""

import logging
import re
import sys
from collections import Counter
from contextlib import suppress
from typing import Any, TextIO
from urllib.parse import urlsplit

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

NEVER = frozenset({"digits", "tone", "tones", "text", "secret", "password", "fields", "params", "value"})
"""What no line shows, whoever gives it."""

written: "Counter[str]" = Counter()
"""How many lines there were of each level since the process began; and how many told of a ``fault``."""

_FIRST = ("timestamp", "level", "event", "call")
_URL = re.compile(r"\b([a-z][a-z0-9+.-]*)://[^\s\"'<>`]+", re.IGNORECASE)
_SIP = re.compile(r"\b(sips?):([^\s@;:/]*):[^\s@]*@", re.IGNORECASE)
_USER = re.compile(r"[^\s/@:\"'=]+:[^\s/@\"']+@")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class _Steady:
    """A stream that takes whatever can be written: a log on a full disk ends nothing that it tells of."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, text: str) -> int:
        """Write *text*, or lose it."""
        with suppress(OSError, ValueError):
            self._out.write(text)
        return len(text)

    def flush(self) -> None:
        """Have it read, if anybody can."""
        with suppress(OSError, ValueError):
            self._out.flush()


def set_up(form: str = "text", level: str = "info", out: TextIO | None = None) -> None:
    """Log what is of *level* or above to *out* (standard error), in *form*: ``text`` or ``json``."""
    terminal = (out or sys.stderr).isatty()
    stream: Any = _Steady(out or sys.stderr)
    threshold = logging.getLevelName(level.upper())
    last = _renderer(form, colors=terminal)
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _count,
        scrub,
    ]
    structlog.configure(
        processors=[*common, *last],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(stream),
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *common],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # What libraries tell of each of their steps is for who looks for a fault of them.
    root.setLevel(threshold if level == "debug" else max(threshold, logging.WARNING))


def _renderer(form: str, *, colors: bool) -> list[Processor]:
    if form == "json":
        return [structlog.processors.JSONRenderer(ensure_ascii=False, default=str)]
    # The console's own way with tracebacks shows local variables: secrets among them.
    return [structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)]


def _count(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    written[str(line.get("level", ""))] += 1
    written["fault"] += "fault of ringful itself" in str(line.get("event", ""))
    return line


def scrub(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Take out of *line* what nobody may read there."""
    shown = {name: _shown(name, value) for name, value in line.items()}
    return {name: shown.pop(name) for name in _FIRST if name in shown} | shown


def _shown(name: str, value: Any) -> Any:
    if name.startswith("_"):
        return value
    if name in NEVER:
        return "…"
    if isinstance(value, str):
        # A traceback has many lines, and keeps them.
        return "\n".join(map(scrubbed, value.splitlines())) if name == "exception" else scrubbed(value)
    return value if value is None or isinstance(value, bool | int | float) else scrubbed(str(value))


def scrubbed(text: str) -> str:
    """Give *text* on one line, its URLs as scheme and host, without passwords."""
    if "@" in text or "://" in text:
        text = _URL.sub(lambda found: origin_of(found[0]), text)
        text = _SIP.sub(r"\1:\2@", text)
        text = _USER.sub("", text) if not text.lower().startswith(("sip:", "sips:")) else text
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def origin_of(url: str) -> str:
    """Give scheme and host of *url*: all of it that a log may show."""
    try:
        found = urlsplit(url)
        host, at_port = found.hostname, found.port
    except ValueError:
        return f"{url.partition(':')[0]}://…"
    if not host:
        return f"{found.scheme}://…"
    host = f"[{host}]" if ":" in host else host
    return f"{found.scheme}://{host}:{at_port}" if at_port else f"{found.scheme}://{host}"
