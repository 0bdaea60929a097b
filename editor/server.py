"""The language server: what the other modules know, told in the language server protocol.

Only this module knows pygls.  Texts are sent whole, since pygls parts lines where the protocol does not
(U+2028, form feed), and small changes would then go astray.  Every question is answered from the text
as it is, however broken; a fault in one answer is that answer's alone.
"""

import asyncio
import logging
from pathlib import Path
from urllib.parse import unquote

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams, PyglsError
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path
from pygls.workspace import TextDocument

from ringful.editor import answers
from ringful.editor.actions import fix
from ringful.editor.answers import LEGEND
from ringful.editor.completion import suggestions
from ringful.editor.definition import definition, renamed
from ringful.editor.document import Document, Load
from ringful.editor.hover import hover
from ringful.editor.mentions import giving, same
from ringful.editor.outline import outline
from ringful.grammar.errors import ScriptError

PAUSE = 0.15
"""Seconds without a change before a text is looked at anew."""


class Server(LanguageServer):
    """A language server, and what it knows of the texts that are open."""

    def __init__(self, version: str) -> None:
        super().__init__("ringful", version, text_document_sync_kind=lsp.TextDocumentSyncKind.Full)
        self._known: dict[str, Document] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def report_server_error(
        self, error: Exception, source: type[PyglsError] | type[JsonRpcException]
    ) -> None:
        """Tell of a fault; what was refused was told in its answer."""
        if not isinstance(error, JsonRpcInvalidParams):
            super().report_server_error(error, source)

    def document(self, uri: str) -> Document:
        """Give a text as it is in the editor now."""
        found = self._open(uri)
        text = found.source if found else _from_disk(to_fs_path(uri)) or ""
        known = self._known.get(uri)
        if known is None or known.text != text:
            encoding = lsp.PositionEncodingKind(self.workspace.position_encoding or "utf-16")
            known = self._known[uri] = Document(text, encoding.value)
        return known

    def load(self, uri: str) -> Load:
        """Give what reads the scripts that the text at *uri* uses."""

        def load(path: str) -> str | None:
            other = self.beside(uri, path)
            if other is None:
                return None
            found = self._open(other)
            return str(found.source) if found else _from_disk(to_fs_path(other))

        return load

    def beside(self, uri: str, path: str) -> str | None:
        """Give the address of the script that the text at *uri* calls *path*."""
        own = to_fs_path(uri)
        if not own or not uri.startswith("file:"):
            return None
        try:
            return (Path(own).parent / path).resolve().as_uri()
        except (OSError, ValueError):
            return None

    def _open(self, uri: str) -> TextDocument | None:
        # Clients write an address in more than one way; pygls keeps texts by the plainest.
        found: TextDocument | None = self.workspace.text_documents.get(unquote(uri))
        return found

    def look(self, uri: str, after: float = 0.0) -> None:
        """Look for problems in the text at *uri*, *after* so many seconds without a change.

        The texts that use others are looked at too: it may be theirs.
        """
        if uri in self._timers:
            self._timers.pop(uri).cancel()
        self._timers[uri] = asyncio.get_running_loop().call_later(after, self._look, uri)

    def _look(self, changed: str) -> None:
        self._timers.pop(changed, None)
        for one in list(self.workspace.text_documents.values()):
            if one.uri == changed or self.document(one.uri).uses:
                self._publish(one.uri, one.version)

    def _publish(self, uri: str, version: int | None) -> None:
        document = self.document(uri)
        found = [answers.diagnostic(document, one, uri) for one in document.problems(self.load(uri))]
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, found, version))

    def forget(self, uri: str) -> None:
        """Let go of a text that is closed; it has no problems that anybody sees."""
        self._known.pop(uri, None)
        if uri in self._timers:
            self._timers.pop(uri).cancel()
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, []))


def _from_disk(path: str | None) -> str | None:
    try:
        return Path(path).read_bytes().decode() if path else None
    except (OSError, ValueError):
        return None


def _is_fault(record: logging.LogRecord) -> bool:
    """Say whether pygls logs more than a refusal."""
    return not (record.exc_info and isinstance(record.exc_info[1], JsonRpcInvalidParams))


def make_server(version: str) -> Server:
    """Make a server that speaks to nobody yet."""
    server = Server(version)
    logging.getLogger("pygls.protocol.json_rpc").addFilter(_is_fault)

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        server.look(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        server.look(params.text_document.uri, PAUSE)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: lsp.DidSaveTextDocumentParams) -> None:
        server.look(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        server.forget(params.text_document.uri)

    _writing(server)
    _reading(server)
    _names(server)
    return server


def _writing(server: Server) -> None:
    """Add what helps to write."""

    @server.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=[" ", "."]))
    def complete(params: lsp.CompletionParams) -> lsp.CompletionList:
        document, offset = _at(server, params.text_document.uri, params.position)
        support = server.client_capabilities.text_document
        item = support.completion.completion_item if support and support.completion else None
        snippets = bool(item and item.snippet_support)
        found = suggestions(document, offset, server.load(params.text_document.uri))
        return lsp.CompletionList(False, [answers.item(document, one, offset, snippets) for one in found])

    @server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
    def shape(params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit] | None:
        document = server.document(params.text_document.uri)
        try:
            shown = document.formatted()
        except ScriptError as error:
            said = f"not formatted: line {error.problems[0].span.line}: {error.problems[0].message}"
            server.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Warning, said))
            return None
        whole = answers.range_of(document, 0, len(document.text))
        return [] if shown == document.text else [lsp.TextEdit(whole, shown)]

    @server.feature(
        lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix])
    )
    def act(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        uri = params.text_document.uri
        document = server.document(uri)
        found = [(one, answers.diagnostic(document, one, uri)) for one in document.problems(server.load(uri))]
        near = [(one, told) for one, told in found if answers.touches(told.range, params.range)]
        return [
            answers.action(document, told, meant, uri) for one, told in near if (meant := fix(document, one))
        ]


def _reading(server: Server) -> None:
    """Add what helps to read."""

    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def explain(params: lsp.HoverParams) -> lsp.Hover | None:
        document, offset = _at(server, params.text_document.uri, params.position)
        found = hover(document, offset, server.load(params.text_document.uri))
        if found is None:
            return None
        said, piece = found
        content = lsp.MarkupContent(lsp.MarkupKind.Markdown, said)
        return lsp.Hover(content, answers.range_of(document, piece.start, piece.end))

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def parts(params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        document = server.document(params.text_document.uri)
        return [answers.symbol(document, part) for part in outline(document)]

    @server.feature(lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, LEGEND)
    def colours(params: lsp.SemanticTokensParams) -> lsp.SemanticTokens:
        return lsp.SemanticTokens(answers.semantic(server.document(params.text_document.uri)))


def _names(server: Server) -> None:
    """Add what follows names."""

    @server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    def define(params: lsp.DefinitionParams) -> lsp.Location | None:
        uri = params.text_document.uri
        document, offset = _at(server, params.text_document.uri, params.position)
        found = definition(document, offset, server.load(uri))
        if found is None:
            return None
        path, start, end = found
        if not path:
            return lsp.Location(uri, answers.range_of(document, start, end))
        other = server.beside(uri, path)
        return lsp.Location(other, answers.range_of(server.document(other), start, end)) if other else None

    @server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
    def refer(params: lsp.ReferenceParams) -> list[lsp.Location]:
        document, offset = _at(server, params.text_document.uri, params.position)
        mention = document.mention(offset)
        found = same(document.mentions, mention) if mention else []
        return [
            lsp.Location(params.text_document.uri, answers.range_of(document, one.piece.start, one.piece.end))
            for one in found
            if params.context.include_declaration or not one.gives
        ]

    @server.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepare(params: lsp.PrepareRenameParams) -> lsp.Range | None:
        document, offset = _at(server, params.text_document.uri, params.position)
        mention = document.mention(offset)
        if mention is None or giving(document.mentions, mention) is None:
            return None
        return answers.range_of(document, mention.piece.start, mention.piece.end)

    @server.feature(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
    def rename(params: lsp.RenameParams) -> lsp.WorkspaceEdit:
        document, offset = _at(server, params.text_document.uri, params.position)
        try:
            found = renamed(document, offset, params.new_name)
        except ValueError as error:
            raise JsonRpcInvalidParams(str(error)) from error
        edits = [
            lsp.TextEdit(answers.range_of(document, one.start, one.end), params.new_name) for one in found
        ]
        return lsp.WorkspaceEdit({params.text_document.uri: edits})


def _at(server: Server, uri: str, position: lsp.Position) -> tuple[Document, int]:
    document = server.document(uri)
    return document, document.lines.offset(answers.place(position))
