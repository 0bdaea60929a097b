"""The names that every script finds: pure functions, and what each run binds.

What the functions mean stands in docs/language.md; the interpreter evaluates them.
"""

from typing import Final

FUNCTIONS: Final[dict[str, int]] = {
    "length": 1,
    "upper": 1,
    "lower": 1,
    "digits": 1,
    "spell": 1,
    "number": 1,
    "text": 1,
    "round": 1,
}
"""The pure functions, and how many values each takes."""

BOUND: Final = frozenset({"call_id", "caller", "called", "answered_at", "duration"})
"""The names that are bound in every run."""

BOUND_BY_CALL: Final = frozenset({"caller_name", "diverted_from"})
"""The names that are bound besides, in a run that a call begins which came in (``inbound``)."""

BOUND_BY_MESSAGE: Final = frozenset({"keyword", "message"})
"""The names that are bound besides, in a run that a message begins (``inbound sms``)."""
