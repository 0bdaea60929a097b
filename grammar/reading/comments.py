"""Give comments and blank lines to the lines that they belong to.

Comments are gathered in the order of the text while it is read.  When a block (or the script) is
complete, its lines take the comments that stand in it:

- a comment at the end of a statement's first line is its *trailing* one;
- a comment of its own line belongs to the statement below, or closes the block;
- a comment somewhere inside a statement (in a list, after ``else {``) moves above that statement.

A text has at most one comment a line, so none is ever lost.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar, cast

from attrs import define, evolve

from ringful.grammar import nodes

Position = tuple[int, int]
LineT = TypeVar("LineT", bound=nodes.Line | nodes.Block)


class Comment(NamedTuple):
    """A comment and where its ``#`` stands."""

    line: int
    column: int
    text: str


@define
class _Beside:
    """What stands by one line."""

    above: list[str | None]
    trailing: str | None = None
    spaced: bool = False


def said(token: str) -> str:
    """Give what a comment says: without its ``#``, the blank after it, and blanks at the end."""
    text = token[1:].rstrip()
    return text.removeprefix(" ")


def take(waiting: list[Comment], start: Position, end: Position) -> list[Comment]:
    """Take the comments of the lines after *start*'s and before *end* from those that wait.

    The parser has read one token beyond *end*, so comments behind it may wait too and stay.
    A comment on *start*'s own line belongs to the statement around and stays as well.
    """
    behind: list[Comment] = []
    taken: list[Comment] = []
    while waiting and waiting[-1].line > start[0]:
        comment = waiting.pop()
        (taken if (comment.line, comment.column) < end else behind).append(comment)
    waiting.extend(reversed(behind))
    taken.reverse()
    return taken


def arrange(
    lines: Sequence[LineT], comments: Sequence[Comment], first_line: int
) -> tuple[tuple[LineT, ...], tuple[str | None, ...]]:
    """Give *comments* to *lines*, and give back those that close the block.

    *first_line* is the line on which the block was opened.
    """
    if not comments and len(lines) < 2:
        return tuple(lines), ()
    given: list[LineT] = []
    last, at = first_line, 0
    before: nodes.Node | None = None
    for line in lines:
        if at >= len(comments) and (line.span.line - last <= 1 or not given):
            # Nothing stands by it, as by most.
            given.append(line)
            last, before = line.span.end_line, line
            continue
        beside = _Beside([])
        while at < len(comments) and comments[at][:2] < (line.span.line, line.span.column):
            if _is_trailing(comments[at], before):
                given[-1] = _trail(given[-1], comments[at].text)
            else:
                last = _above(beside, comments[at], last)
            at += 1
        _space(beside, line.span.line, last)
        while at < len(comments) and comments[at][:2] < (line.span.end_line, line.span.end_column):
            if comments[at].line == line.span.line:
                beside.trailing = comments[at].text
            else:
                beside.above.append(comments[at].text)
            at += 1
        if not given:
            beside.spaced = False
        given.append(_put(line, beside))
        last, before = line.span.end_line, line
    closing = _Beside([])
    for comment in comments[at:]:
        if _is_trailing(comment, before):
            given[-1] = _trail(given[-1], comment.text)
        else:
            last = _above(closing, comment, last)
    apart: list[str | None] = [None] if closing.spaced and given else []
    return tuple(given), (*apart, *closing.above)


def _is_trailing(comment: Comment, before: nodes.Node | None) -> bool:
    return before is not None and comment.line == before.span.end_line == before.span.line


def _trail(line: LineT, text: str) -> LineT:
    if isinstance(line, nodes.Block):
        return cast(LineT, close(line, (text,)))
    return _put(line, _Beside([], trailing=text))


def _above(beside: _Beside, comment: Comment, last: int) -> int:
    """Put *comment* above a line, with the blank line before it, and give the line that it stands on."""
    _space(beside, comment.line, last)
    beside.above.append(comment.text)
    return comment.line


def _space(beside: _Beside, line: int, last: int) -> None:
    if line - last > 1:
        if beside.above:
            beside.above.append(None)
        else:
            beside.spaced = True


def _put(line: LineT, beside: _Beside) -> LineT:
    """Put what stands by *line* into it; a menu's bare block takes comments as its own first ones."""
    if isinstance(line, nodes.Block):
        trailing = () if beside.trailing is None else (beside.trailing,)
        return cast(LineT, into(line, (*beside.above, *trailing)))
    if not (beside.above or beside.spaced or beside.trailing is not None):
        return line
    return evolve(
        line,
        comments=(*line.comments, *beside.above),
        trailing=line.trailing if beside.trailing is None else beside.trailing,
        spaced=line.spaced or beside.spaced,
    )


def into(block: nodes.Block, comments: tuple[str | None, ...]) -> nodes.Block:
    """Put *comments* before everything in *block*."""
    if not comments:
        return block
    if not block.statements:
        return evolve(block, closing=comments + block.closing)
    first, *rest = block.statements
    return evolve(block, statements=(evolve(first, comments=comments + first.comments), *rest))


def close(block: nodes.Block, comments: tuple[str | None, ...]) -> nodes.Block:
    """Put *comments* after everything in *block*."""
    return evolve(block, closing=block.closing + comments) if comments else block
