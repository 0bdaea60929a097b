"""Show a tree as text, in the one canonical form.

Laws, each held by tests over generated trees and every script on disk::

    parse(show(tree)) == tree
    show(parse(show(tree))) == show(tree)

and no comment is lost.  There are no options.  Four blanks a level; a block of one plain statement
stands on its line when that line is no longer than WIDTH; the author's single blank lines stay.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ringful.grammar import nodes
from ringful.grammar.errors import ScriptError
from ringful.grammar.showing.expressions import WIDTH, show_expression
from ringful.grammar.showing.phrases import AnyLine, phrase
from ringful.grammar.walk import too_deep

__all__ = ["show", "show_expression", "show_statement"]

_STEP = "    "


class _Piece(NamedTuple):
    """The words before a block, and the block."""

    words: str
    block: nodes.Block


def show(script: nodes.Script) -> str:
    """Show a whole script, its last line ended.

    Raises ScriptError for a tree that is too deep to have come from a text.
    """
    _shallow(script)
    first: list[AnyLine] = [*script.params, *script.uses]
    header: list[AnyLine] = [script.header] if script.header else []
    shown = [*_lines(first, ""), *_lines(header, "", first=not first, head=True)]
    shown += _lines(script.body.statements, "", first=not (first or header))
    shown += _comments(script.body.closing, "")
    return "".join(f"{line}\n" for line in shown)


def show_statement(statement: nodes.Statement) -> str:
    """Show one statement, with its block and without an end of the last line.

    Raises ScriptError for a tree that is too deep to have come from a text.
    """
    _shallow(statement)
    return "\n".join(_lines([statement], ""))


def _shallow(node: nodes.Node) -> None:
    problem = too_deep(node)
    if problem:
        raise ScriptError(problem)


def _lines(lines: Sequence[AnyLine], indent: str, *, first: bool = True, head: bool = False) -> Iterator[str]:
    """Show *lines*; the *first* one of a block has no blank line above.  *head*: they are the header."""
    for line in lines:
        if line.spaced and not first:
            yield ""
        first = False
        if line.comments:
            yield from _comments(line.comments, indent)
        top, *rest = [phrase(line, indent, head=True)] if head else _line(line, indent)
        if line.trailing is not None:
            words, newline, tail = top.partition("\n")
            top = f"{words}  {_comment(line.trailing)}{newline}{tail}"
        yield top
        yield from rest


def _comments(comments: tuple[str | None, ...], indent: str) -> Iterator[str]:
    for comment in comments:
        yield "" if comment is None else indent + _comment(comment)


def _comment(said: str) -> str:
    return f"# {said}" if said else "#"


def _line(line: AnyLine, indent: str) -> list[str]:
    words = indent + phrase(line, indent)
    if isinstance(line, nodes.Menu):
        return [f"{words} {{", *_branches(line, indent + _STEP), f"{indent}}}"]
    pieces = _pieces(line, words)
    if not pieces:
        return [words]
    short = _short(pieces[0]) if len(pieces) == 1 else None
    return [short] if short else list(_tall(pieces, indent))


def _pieces(line: AnyLine, words: str) -> list[_Piece]:
    """Give the blocks of *line*, each with the words before it."""
    match line:
        case nodes.If():
            return _if(line, words)
        case nodes.Call(block=block) | nodes.WaitTone(otherwise=block) | nodes.WaitCall(otherwise=block):
            return [_Piece(words, block)] if block else []
        case nodes.Ask(otherwise=block) | nodes.Follow(otherwise=block) | nodes.Connect(otherwise=block):
            return [_Piece(words, block)] if block else []
        case (
            nodes.Serve(otherwise=block) | nodes.WaitEvent(otherwise=block) | nodes.ConnectTo(otherwise=block)
        ):
            return [_Piece(words, block)] if block else []
        case nodes.Gather(prompt=block) | nodes.Queue(block=block):
            return [_Piece(words, block)] if block.statements or block.closing else []
        case nodes.Choice() | nodes.In() | nodes.Repeat() | nodes.For() | nodes.Flow():
            return [_Piece(words, line.block)]
        case nodes.OnHangup() | nodes.OnTone() | nodes.OnMember() | nodes.Start() | nodes.Until():
            return [_Piece(words, line.block)]
        case nodes.OnEvent() | nodes.UntilEvent():
            return [_Piece(words, line.block)]
        case _:
            return []


def _if(line: nodes.If, words: str) -> list[_Piece]:
    pieces = [_Piece(words, line.then)]
    while line.otherwise is not None:
        match line.otherwise:
            case nodes.Block((nodes.If(comments=(), trailing=None) as inner,), ()):
                line = inner
                pieces.append(_Piece(f"else {phrase(line, '')}", line.then))
            case block:
                pieces.append(_Piece("else", block))
                break
    return pieces


def _short(piece: _Piece) -> str | None:
    """Show a block on the line of its words, if it may stand there."""
    words, block = piece
    if block.closing or len(block.statements) > 1 or "\n" in words:
        return None
    if not block.statements:
        return f"{words} {{ }}"
    inner = block.statements[0]
    if inner.comments or inner.trailing is not None or isinstance(inner, nodes.Menu) or _pieces(inner, ""):
        return None
    shown = f"{words} {{ {phrase(inner, '')} }}"
    return shown if len(shown) <= WIDTH and "\n" not in shown else None


def _tall(pieces: list[_Piece], indent: str) -> Iterator[str]:
    """Show blocks with a line for each statement."""
    before = ""
    for words, block in pieces:
        yield f"{before}{words} {{"
        yield from _lines(block.statements, indent + _STEP)
        yield from _comments(block.closing, indent + _STEP)
        before = f"{indent}}} "
    yield f"{indent}}}"


def _branches(menu: nodes.Menu, indent: str) -> Iterator[str]:
    """Show what stands in a menu: prompt, choices, timeout, otherwise."""
    prompted = bool(menu.prompt.statements or menu.prompt.closing)
    if prompted:
        yield from _branch("prompt", menu.prompt, indent)
    yield from _lines(menu.choices, indent, first=not prompted)
    if menu.timeout is not None:
        yield from _branch("timeout", menu.timeout, indent)
    if menu.otherwise is not None:
        yield from _branch("otherwise", menu.otherwise, indent)


def _branch(word: str, block: nodes.Block, indent: str) -> Iterator[str]:
    piece = _Piece(indent + word, block)
    short = _short(piece)
    yield from [short] if short else _tall([piece], indent)
