"""Put the lines of a text into their places: parameters, uses, the header, statements.

The grammar takes any line anywhere, so that what is said about a misplaced one is said here.
"""

from collections.abc import Sequence
from typing import TypeAlias

from ringful.grammar import nodes
from ringful.grammar.reading.known import Reading
from ringful.grammar.span import Span

Item: TypeAlias = nodes.Param | nodes.Use | nodes.Inbound | nodes.InboundSms | nodes.Statement

OLD_WORD = "old-word"
"""The code of a problem with a word that is another one now: `grammar.fixing` writes it anew."""

_ORDER = "a script begins with its `param` lines, then `use`, then one `call` or `inbound`"


def script_of(items: Sequence[Item], closing: tuple[str | None, ...], reading: Reading) -> nodes.Script:
    """Make a script of *items* in the order of the text."""
    params: list[nodes.Param] = []
    uses: list[nodes.Use] = []
    header: nodes.Header | None = None
    statements: list[nodes.Statement] = []
    for item in items:
        match item:
            case nodes.Param():
                _misplaced("param", item, bool(uses or header or statements), reading)
                params.append(item)
            case nodes.Use():
                _misplaced("use", item, bool(header or statements), reading)
                uses.append(item)
            case nodes.Call(block=None) if item.started or header is not None or statements:
                _needs_block(item, reading)
                statements.append(item)
            case nodes.Inbound() | nodes.InboundSms() | nodes.Call(block=None):
                if header is not None or statements:
                    _late_header(item, header, reading)
                elif isinstance(item, nodes.Call) and item.every:
                    hint = "give this `call all` a block, or a header before it"
                    reading.complain("a script's own leg is one call", item.span, hint)
                header = header or item
            case _:
                statements.append(item)
    whole = _whole(items)
    body = nodes.Block(tuple(statements), closing, span=whole)
    return nodes.Script(body, header, tuple(params), tuple(uses), span=whole)


def within_block(items: Sequence[Item], reading: Reading) -> tuple[nodes.Statement, ...]:
    """Give the statements of a block; what belongs to a script's head is out of place in one."""
    if _HEADS.isdisjoint([item.__class__ for item in items]):
        return tuple(items)  # type: ignore[arg-type]  # those that are left are statements
    statements: list[nodes.Statement] = []
    for item in items:
        match item:
            case nodes.Param() | nodes.Use() | nodes.Inbound() | nodes.InboundSms():
                reading.complain("this line cannot stand in a block", item.span, _ORDER)
            case nodes.Call(block=None):
                _needs_block(item, reading)
                statements.append(item)
            case _:
                statements.append(item)
    return tuple(statements)


_HEADS = frozenset({nodes.Param, nodes.Use, nodes.Inbound, nodes.InboundSms, nodes.Call})
"""Lines that a script can begin with: `call` can stand in a block too, with one of its own or a name."""


def fragment_of(script: nodes.Script, reading: Reading) -> tuple[nodes.Statement, ...]:
    """Give the statements of a text that is to be no whole script."""
    for line in (*script.params, *script.uses):
        reading.complain("only statements can stand here", line.span)
    match script.header:
        case None:
            pass
        case nodes.Call() as call:
            _needs_block(call, reading)
            return (call, *script.body.statements)
        case _:
            reading.complain("only statements can stand here", script.header.span)
    return script.body.statements


def _misplaced(word: str, line: nodes.Line, late: bool, reading: Reading) -> None:
    if late and reading.whole:
        reading.complain(f"this `{word}` stands too late", line.span, _ORDER)


def _late_header(item: nodes.Header, header: nodes.Header | None, reading: Reading) -> None:
    if reading.whole and header is not None:
        reading.complain("a script has one header, and this is a second one", item.span, _ORDER)
    elif reading.whole:
        reading.complain("this header stands too late", item.span, _ORDER)


def _needs_block(call: nodes.Call, reading: Reading) -> None:
    """Complain of another leg that nothing can be done with: it has neither a block nor a name."""
    if reading.whole and call.name is None:
        hint = (
            "write `call NUMBER { … }`, or name the leg: `start call NUMBER as NAME`, and then `connect NAME`"
        )
        reading.complain("this `call` needs a block: what shall happen on that leg?", call.span, hint)
    elif reading.whole and not call.started:
        message = "the script does not wait for this `call`, as it does for its own"
        reading.complain(message, call.span, "write `start call`; `ringful format --fix` does", OLD_WORD)


def _whole(items: Sequence[Item]) -> Span:
    if not items:
        return Span()
    first, last = items[0].span, items[-1].span
    return Span(first.line, first.column, last.end_line, last.end_column, first.path)
