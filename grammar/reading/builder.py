"""Build the tree while the parser reads.

The rule and the method that builds its node share a name.  A method takes its rule's children in
order: tokens, nodes and clauses.  What the grammar lets through and the language does not have is
noted in the reading, and reading goes on.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from attrs import evolve
from lark import Token

from ringful.grammar import nodes
from ringful.grammar.reading.clauses import ClauseRules, gathered
from ringful.grammar.reading.comments import Comment, arrange, close, take
from ringful.grammar.reading.expressions import Children, ExpressionRules, span_of
from ringful.grammar.reading.head import Item, script_of, within_block
from ringful.grammar.reading.known import current
from ringful.grammar.reading.statements import StatementRules
from ringful.grammar.span import Span


class _Part(NamedTuple):
    """``prompt { … }``, ``timeout { … }`` or ``otherwise { … }`` of a menu."""

    word: str
    block: nodes.Block
    span: Span


class Builder(ExpressionRules, ClauseRules, StatementRules):
    """Lark's hook: a method for each rule."""

    def script(self, c: Children) -> nodes.Script:
        reading = current()
        given, closing = arrange(_lines(c), reading.comments, reading.shift)
        return script_of(given, closing, reading)

    def block(self, c: Children) -> nodes.Block:
        span = span_of(c)
        given, closing = arrange(_lines(c), _inside(span), span.line)
        return nodes.Block(within_block(given, current()), closing, span=span)

    def prompt(self, c: Children) -> _Part:
        return _Part("prompt", c[1], span_of(c))

    def timeout(self, c: Children) -> _Part:
        return _Part("timeout", c[1], span_of(c))

    def otherwise(self, c: Children) -> _Part:
        return _Part("otherwise", c[1], span_of(c))

    def choice(self, c: Children) -> nodes.Choice:
        return nodes.Choice(c[0], c[1], span=span_of(c))

    def menu(self, c: Children) -> nodes.Menu:
        opener = next(child for child in c if child.__class__ is Token and child.type == "BLOCK_OPEN")
        branches: list[_Part | nodes.Choice] = [one for one in c if one.__class__ in (_Part, nodes.Choice)]
        lines = [one if isinstance(one, nodes.Choice) else one.block for one in branches]
        span = span_of(c)
        opened = (opener.line or 0) + current().shift
        comments = _inside(span._replace(line=opened)) if current().comments else []
        for comment in comments:
            _branch_in_a_comment(comment)
        given, closing = arrange(lines, comments, opened)
        choices: list[nodes.Choice] = []
        parts: dict[str, Any] = {}
        for number, (branch, line) in enumerate(zip(branches, given, strict=True), 1):
            last = closing if number == len(given) else ()
            if isinstance(line, nodes.Choice):
                choices.append(evolve(line, block=close(line.block, last)) if last else line)
            else:
                assert isinstance(branch, _Part)
                if branch.word in parts:
                    current().complain(f"this menu has a second `{branch.word}`", branch.span)
                parts[branch.word] = close(line, last)
        if not given and closing:
            parts["prompt"] = nodes.Block((), closing)
        prompt = parts.pop("prompt", nodes.Block())
        return nodes.Menu(prompt, tuple(choices), **gathered(c), **parts, span=span)


def _lines(c: Children) -> Sequence[Item]:
    return [child for child in c if child.__class__ is not Token]


def _branch_in_a_comment(comment: Comment) -> None:
    """Tell of ``# { … }`` in a menu, where the key is meant."""
    if comment.text.lstrip("# ").startswith("{"):
        span = Span(comment.line, comment.column, comment.line, comment.column + 1, current().path)
        current().complain("`#` begins a comment", span, 'for the key, write `"#" { … }`')


def _inside(span: Span) -> list[Comment]:
    waiting = current().comments
    return take(waiting, (span.line, span.column), (span.end_line, span.end_column)) if waiting else []
