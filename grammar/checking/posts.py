"""What is posted: a field that every post has itself cannot be given another value."""

from collections.abc import Iterator

from ringful.grammar import nodes
from ringful.grammar.errors import Problem

_OF_CALLBACKS = {
    "callId": "the ID of the call",
    "at": "the time",
    "n": "the place in the order of the call's callbacks",
    "event": "the callback's own ID",
}
_OF_QUESTIONS = {"callId": "the ID of the call"}
_INSTEAD = {"callId": "call", "at": "time", "n": "count", "event": "name"}


POSTING = frozenset({nodes.Notify, nodes.Ask, nodes.Follow})
"""Lines that post fields."""


def check_posts(line: nodes.Line) -> Iterator[Problem]:
    """Check the names of the fields that *line* posts."""
    match line:
        case nodes.Notify(fields=nodes.Map(entries)):
            yield from _reserved(entries, _OF_CALLBACKS)
        case nodes.Ask(fields=nodes.Map(entries)) | nodes.Follow(fields=nodes.Map(entries)):
            yield from _reserved(entries, _OF_QUESTIONS)


def _reserved(entries: tuple[nodes.Entry, ...], reserved: dict[str, str]) -> Iterator[Problem]:
    for entry in entries:
        if entry.key in reserved:
            message = f"`{entry.key}` is in every post already: {reserved[entry.key]}"
            hint = f"leave it out, or call your own field something else, e.g. `{_INSTEAD[entry.key]}`"
            yield Problem("reserved-field", message, entry.span, hint)
