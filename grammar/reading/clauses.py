"""Build clauses: the parts of a statement that stand in any order, each at most once."""

from typing import Any, NamedTuple

from ringful.grammar import nodes
from ringful.grammar.reading.expressions import Children, span_of, word
from ringful.grammar.reading.known import current
from ringful.grammar.span import Span


class Clause(NamedTuple):
    """A clause that was written; *key* names the field of the node that it fills."""

    key: str
    value: Any
    span: Span
    word: str


def _clause(key: str, c: Children, value: Any) -> Clause:
    return Clause(key, value, span_of(c), c[0].value)


class ClauseRules:
    """The rules of clauses, by name."""

    # `from`, `as`, `with` and `else` are Python's words too, so their rules end in `_clause`.

    def from_clause(self, c: Children) -> Clause:
        return _clause("caller_id", c, c[1])

    def start_at(self, c: Children) -> Clause:
        return _clause("start", c, c[1])

    def at_speed(self, c: Children) -> Clause:
        return _clause("speed", c, c[1])

    def withheld(self, c: Children) -> Clause:
        return _clause("withheld", c, True)

    def diverted(self, c: Children) -> Clause:
        return _clause("diverted", c, c[2])

    def to_clause(self, c: Children) -> Clause:
        return _clause("call", c, c[1])

    def every(self, c: Children) -> Clause:
        return _clause("every", c, True)

    def early(self, c: Children) -> Clause:
        return _clause("early", c, True)

    def ring(self, c: Children) -> Clause:
        return _clause("ring", c, c[1])

    def notify(self, c: Children) -> Clause:
        return _clause("notify", c, c[1])

    def as_clause(self, c: Children) -> Clause:
        return _clause("name", c, word(c[1]))

    def keyword(self, c: Children) -> Clause:
        return _clause("keyword", c, c[1])

    def until(self, c: Children) -> Clause:
        return _clause("until", c, c[1])

    def times(self, c: Children) -> Clause:
        return _clause("times", c, c[1])

    def forever(self, c: Children) -> Clause:
        return _clause("forever", c, True)

    def voice(self, c: Children) -> Clause:
        return _clause("voice", c, c[1])

    def limit(self, c: Children) -> Clause:
        return _clause("limit", c, c[1])

    def silence(self, c: Children) -> Clause:
        return _clause("silence", c, c[1])

    def beep(self, c: Children) -> Clause:
        return _clause("beep", c, True)

    def fresh(self, c: Children) -> Clause:
        return _clause("fresh", c, True)

    def secret(self, c: Children) -> Clause:
        return _clause("secret", c, True)

    def digits(self, c: Children) -> Clause:
        return _clause("digits", c, (c[1], c[3] if len(c) > 2 else None, c[0] == "keys"))

    def between(self, c: Children) -> Clause:
        return _clause("between", c, c[1])

    def counting(self, c: Children) -> Clause:
        return _clause("counting", c, word(c[1]))

    def tries(self, c: Children) -> Clause:
        return _clause("tries", c, c[1])

    def moderator(self, c: Children) -> Clause:
        return _clause("moderator", c, c[1])

    def waiting(self, c: Children) -> Clause:
        return _clause("waiting", c, True)

    def as_moderator(self, c: Children) -> Clause:
        return _clause("moderator", c, True)

    def alone(self, c: Children) -> Clause:
        return _clause("alone", c, True)

    def muted(self, c: Children) -> Clause:
        return _clause("muted", c, True)

    def deaf(self, c: Children) -> Clause:
        return _clause("deaf", c, True)

    def named(self, c: Children) -> Clause:
        return _clause("named", c, c[1])

    def most(self, c: Children) -> Clause:
        return _clause("size", c, c[1])

    def speaking(self, c: Children) -> Clause:
        return _clause("speaking", c, True)

    def within(self, c: Children) -> Clause:
        return _clause("within", c, c[1])

    def via(self, c: Children) -> Clause:
        return _clause("operator", c, c[1])

    def with_clause(self, c: Children) -> Clause:
        return _clause("fields", c, c[1])

    def else_clause(self, c: Children) -> Clause:
        return _clause("otherwise", c, c[1])


def gathered(children: Children) -> dict[str, Any]:
    """Give the fields that the clauses among *children* fill; a repeated clause is a problem."""
    fields: dict[str, Any] = {}
    for clause in children:
        if clause.__class__ is not Clause:
            continue
        if clause.key in fields:
            first = next(one for one in children if isinstance(one, Clause) and one.key == clause.key)
            hint = f"the first one is at {first.span}"
            current().complain(f"`{clause.word}` is given twice", clause.span, hint)
        else:
            fields[clause.key] = clause.value
    return fields


def required(fields: dict[str, Any], key: str, wanted: str, whole: Span, otherwise: Any) -> Any:
    """Take the clause *key* out of *fields*; without it the statement is not complete."""
    if key not in fields:
        current().complain(f"{wanted} is missing", whole)
    return fields.pop(key, otherwise)


NOTHING = nodes.Nothing()
"""What stands in a tree that will not be given out because something was missing."""
