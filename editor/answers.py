"""What is known of a text, in the protocol's own words."""

from lsprotocol import types as lsp

from ringful.editor.actions import Fix
from ringful.editor.completion import Suggestion
from ringful.editor.document import Document
from ringful.editor.lines import Place
from ringful.editor.outline import Part
from ringful.grammar.errors import Problem
from ringful.grammar.functions import FUNCTIONS
from ringful.grammar.reading.tokens import Kind

_ITEMS = {
    "statement": lsp.CompletionItemKind.Keyword,
    "word": lsp.CompletionItemKind.Keyword,
    "name": lsp.CompletionItemKind.Variable,
    "flow": lsp.CompletionItemKind.Function,
    "function": lsp.CompletionItemKind.Function,
    "field": lsp.CompletionItemKind.Field,
}
_SYMBOLS = {
    "param": lsp.SymbolKind.Variable,
    "head": lsp.SymbolKind.Module,
    "flow": lsp.SymbolKind.Function,
    "handler": lsp.SymbolKind.Event,
    "leg": lsp.SymbolKind.Object,
    "menu": lsp.SymbolKind.Enum,
    "branch": lsp.SymbolKind.EnumMember,
}
_TYPES = ("keyword", "operator", "variable", "function", "property", "number", "string", "comment")
LEGEND = lsp.SemanticTokensLegend(_TYPES, ["defaultLibrary"])
_COLOURS: dict[Kind, str] = {
    "verb": "keyword",
    "word": "keyword",
    "constant": "keyword",
    "operator": "operator",
    "name": "variable",
    "flow": "function",
    "function": "function",
    "field": "property",
    "key": "property",
    "number": "number",
    "duration": "number",
    "text": "string",
    "escape": "string",
    "comment": "comment",
}


def place(position: lsp.Position) -> Place:
    """Read a place."""
    return Place(position.line, position.character)


def range_of(document: Document, start: int, end: int) -> lsp.Range:
    """Give the range from *start* to *end*."""
    first, last = document.lines.place(start), document.lines.place(end)
    return lsp.Range(lsp.Position(first.line, first.column), lsp.Position(last.line, last.column))


def touches(one: lsp.Range, other: lsp.Range) -> bool:
    """Say whether two ranges have a place in common."""
    first, last = (one.start.line, one.start.character), (one.end.line, one.end.character)
    start, end = (other.start.line, other.start.character), (other.end.line, other.end.character)
    return first <= end and start <= last


def diagnostic(document: Document, problem: Problem, uri: str) -> lsp.Diagnostic:
    """Tell a problem; its hint stands by it as what is related to it."""
    where = range_of(document, *document.lines.range(problem.span))
    return lsp.Diagnostic(
        where,
        problem.message,
        lsp.DiagnosticSeverity.Error if problem.is_error else lsp.DiagnosticSeverity.Warning,
        problem.code,
        source="ringful",
        tags=[lsp.DiagnosticTag.Unnecessary] if problem.code == "unreachable" else None,
        related_information=(
            [lsp.DiagnosticRelatedInformation(lsp.Location(uri, where), problem.hint)]
            if problem.hint
            else None
        ),
    )


def item(document: Document, one: Suggestion, offset: int, snippets: bool) -> lsp.CompletionItem:
    """Tell what may be written up to *offset*."""
    snippet = one.snippet if snippets and one.snippet else ""
    return lsp.CompletionItem(
        one.label,
        kind=_ITEMS[one.sort],
        detail=one.detail or None,
        documentation=lsp.MarkupContent(lsp.MarkupKind.Markdown, one.says) if one.says else None,
        sort_text=f"{one.rank}{one.label}",
        insert_text_format=lsp.InsertTextFormat.Snippet if snippet else lsp.InsertTextFormat.PlainText,
        text_edit=lsp.TextEdit(range_of(document, one.start, offset), snippet or one.label),
    )


def symbol(document: Document, part: Part) -> lsp.DocumentSymbol:
    """Tell a part of a script, with the parts in it."""
    return lsp.DocumentSymbol(
        part.name,
        _SYMBOLS[part.sort],
        range_of(document, part.start, part.end),
        range_of(document, part.first, part.last),
        children=[symbol(document, inner) for inner in part.parts],
    )


def action(document: Document, told: lsp.Diagnostic, meant: Fix, uri: str) -> lsp.CodeAction:
    """Tell what puts a problem right."""
    edit = lsp.TextEdit(range_of(document, meant.start, meant.end), meant.text)
    return lsp.CodeAction(
        meant.title,
        lsp.CodeActionKind.QuickFix,
        diagnostics=[told],
        is_preferred=True,
        edit=lsp.WorkspaceEdit({uri: [edit]}),
    )


def semantic(document: Document) -> list[int]:
    """Tell the kinds of a text's pieces: five numbers each, as the protocol has it."""
    told: list[int] = []
    line = column = 0
    for piece in document.pieces:
        colour = _COLOURS.get(piece.kind)
        if colour is None:
            continue
        start, end = document.lines.place(piece.start), document.lines.place(piece.end)
        if end.line != start.line:
            # It holds an end of a line that the parser does not see as one.
            continue
        known = piece.kind == "function" and piece.text in FUNCTIONS
        away = start.column - (column if start.line == line else 0)
        told += [start.line - line, away, end.column - start.column, _TYPES.index(colour), int(known)]
        line, column = start
    return told
