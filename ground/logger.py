"""The log of a module, which loads structlog with its first line.

A short command has nothing to log, and does not wait for what it would log with; one that fails says
so in its one line, so what it loads late is told to be quiet (`main` has told the rest).
"""

import sys
from typing import Any

quiet = False
"""Whether structlog, where it is loaded here, is to log nothing."""


class _Logger:
    """Stands for ``structlog.get_logger()``."""

    def __getattr__(self, name: str) -> Any:
        first = "structlog" not in sys.modules
        import structlog

        if first and quiet:
            silence()
        return getattr(structlog.get_logger(), name)


def load() -> None:
    """Load structlog for a server, which has it to its end: without rich, 3 MB for tracebacks in colour.

    They are written plainly here (`log`), where rich would show local variables.
    """
    known = sys.modules.get("rich")
    sys.modules["rich"] = None  # type: ignore[assignment]  # (As one that cannot be imported.)
    try:
        import structlog  # noqa: F401
    finally:
        del sys.modules["rich"]
        if known:
            sys.modules["rich"] = known


def get_logger() -> Any:
    """Give the logger of a module."""
    return _Logger()


def silence() -> None:
    """Log nothing: only what serves logs, and says so; a command's errors are its one line."""
    import logging

    import structlog

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
