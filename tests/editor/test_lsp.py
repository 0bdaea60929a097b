"""`ringful lsp`, a process of its own, asked by another's client over standard input and output."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient

SECONDS = 60
"""Longer than any answer takes; a server that does not answer fails its test."""


class Client(LanguageClient):
    """A client that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__("test", "1")
        self.published: asyncio.Queue[lsp.PublishDiagnosticsParams] = asyncio.Queue()
        self.shown: list[str] = []

        @self.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params: lsp.PublishDiagnosticsParams) -> None:
            self.published.put_nowait(params)

        @self.feature(lsp.WINDOW_SHOW_MESSAGE)
        def shown(params: lsp.ShowMessageParams) -> None:
            self.shown.append(params.message)

    def open(self, uri: str, text: str) -> None:
        self.text_document_did_open(
            lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(uri, "ringful", 1, text))
        )

    def change(self, uri: str, version: int, text: str) -> None:
        self.text_document_did_change(
            lsp.DidChangeTextDocumentParams(
                lsp.VersionedTextDocumentIdentifier(version, uri),
                [lsp.TextDocumentContentChangeWholeDocument(text)],
            )
        )

    async def problems(self, uri: str, version: int | None = 1) -> list[lsp.Diagnostic]:
        """Wait until the problems of *version* are told."""
        while True:
            told = await self.published.get()
            if told.uri == uri and told.version == version:
                return list(told.diagnostics)

    @property
    def process(self) -> asyncio.subprocess.Process:
        assert self._server is not None
        return self._server


@asynccontextmanager
async def serving(encodings: list[str] | None = None, snippets: bool = True) -> AsyncIterator[Client]:
    client = Client()
    await client.start_io(sys.executable, "-m", "ringful.command.main", "lsp", "--stdio")
    item = lsp.ClientCompletionItemOptions(snippet_support=snippets)
    told = await client.initialize_async(
        lsp.InitializeParams(
            lsp.ClientCapabilities(
                general=lsp.GeneralClientCapabilities(position_encodings=encodings),
                text_document=lsp.TextDocumentClientCapabilities(
                    completion=lsp.CompletionClientCapabilities(completion_item=item)
                ),
            )
        )
    )
    assert told.server_info
    assert told.server_info.name == "ringful"
    client.initialized(lsp.InitializedParams())
    try:
        yield client
        await client.shutdown_async(None)
        client.exit(None)
        await client.stop()
    finally:
        if client.process.returncode is None:
            client.process.kill()
    assert client.process.returncode == 0
    assert client.process.stderr is not None
    assert await client.process.stderr.read() == b""


Speak = Callable[[Callable[[Client], Awaitable[None]]], None]
"""Lets a test's *talk* speak with a server."""


@pytest.fixture(scope="module")
def speak() -> Iterator[Speak]:
    with asyncio.Runner() as runner:
        server = serving()
        client = runner.run(server.__aenter__())
        yield lambda talk: runner.run(asyncio.wait_for(talk(client), SECONDS))
        runner.run(server.__aexit__(None, None, None))


def here(uri: str) -> lsp.TextDocumentIdentifier:
    return lsp.TextDocumentIdentifier(uri)


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return (tmp_path / "a call.call").as_uri()


WRONG = '# \u2028 𝄞\ncall "15125551234"\nsay "𝄞 {nobody}" vioce "x"\nwait tone "1"\n'


def test_problems_are_told_as_they_come_and_go(speak: Speak, uri: str) -> None:
    async def talk(client: Client) -> None:
        client.open(uri, WRONG)
        (problem,) = await client.problems(uri)
        assert problem.message == "`say` does not take `vioce` here"
        assert (problem.severity, problem.code) == (lsp.DiagnosticSeverity.Error, "syntax")
        assert str(problem.range) == "2:18-2:23"
        assert problem.related_information
        assert problem.related_information[0].message == "did you mean `voice`?"
        client.change(uri, 2, WRONG.replace("vioce", "voice"))
        unbound, unbounded = await client.problems(uri, 2)
        assert (unbound.code, str(unbound.range)) == ("unbound", "2:9-2:15")
        assert (unbounded.code, unbounded.severity) == ("unbounded-wait", lsp.DiagnosticSeverity.Warning)
        client.change(uri, 3, 'call "15125551234"\nhangup\n')
        assert await client.problems(uri, 3) == []
        client.change(uri, 4, "paly")
        client.text_document_did_close(lsp.DidCloseTextDocumentParams(here(uri)))
        assert await client.problems(uri, None) == []

    speak(talk)


def test_a_client_may_count_in_other_units_and_know_no_snippets(uri: str) -> None:
    async def talk() -> None:
        async with asyncio.timeout(SECONDS), serving(["utf-8", "utf-16"], snippets=False) as client:
            client.open(uri, WRONG.replace("vioce", "voice"))
            unbound, *_ = await client.problems(uri)
            assert str(unbound.range) == "2:11-2:17"
            client.change(uri, 2, WRONG + "me")
            told = await client.text_document_completion_async(
                lsp.CompletionParams(here(uri), lsp.Position(4, 2))
            )
            assert isinstance(told, lsp.CompletionList)
            (menu,) = [item for item in told.items if item.label == "menu"]
            assert menu.insert_text_format == lsp.InsertTextFormat.PlainText

    asyncio.run(talk())


def test_only_the_newest_of_many_changes_is_looked_at(speak: Speak, uri: str) -> None:
    async def talk(client: Client) -> None:
        client.open(uri, "")
        await client.problems(uri)
        for version in range(2, 60):
            client.change(uri, version, 'call "15125551234"\n' + "hangup\n" * version)
        assert len(await client.problems(uri, 59)) == 1
        assert client.published.empty()

    speak(talk)


def test_a_used_script_is_read_as_it_is_in_the_editor(speak: Speak, tmp_path: Path, uri: str) -> None:
    library = tmp_path / "lib.call"
    library.write_text('flow greet() { notify "http://h" }\n', encoding="utf-8")
    text = 'use "lib.call"\n\ndo greet()\n'

    async def talk(client: Client) -> None:
        client.open(uri, text)
        assert await client.problems(uri) == []
        client.open(library.as_uri(), 'flow gret() { notify "http://h" }\n')
        (problem,) = await client.problems(uri)
        assert problem.code == "unknown-flow"
        client.change(library.as_uri(), 2, '# now\nflow greet() { notify "http://h" }\n')
        assert await client.problems(uri) == []
        where = await client.text_document_definition_async(
            lsp.DefinitionParams(here(uri), lsp.Position(2, 5))
        )
        assert isinstance(where, lsp.Location)
        assert (where.uri, str(where.range)) == (library.as_uri(), "1:5-1:10")
        client.text_document_did_close(lsp.DidCloseTextDocumentParams(here(library.as_uri())))
        file = await client.text_document_definition_async(
            lsp.DefinitionParams(here(uri), lsp.Position(0, 8))
        )
        assert isinstance(file, lsp.Location)
        assert (file.uri, str(file.range)) == (library.as_uri(), "0:0-0:0")

    speak(talk)


def test_help_while_writing(speak: Speak, uri: str) -> None:
    async def talk(client: Client) -> None:
        client.open(uri, 'call "15125551234"\nfoo bar\nlet order = 1\npl\nsay o\nwait 90s')
        told = await client.text_document_completion_async(
            lsp.CompletionParams(here(uri), lsp.Position(3, 2))
        )
        assert isinstance(told, lsp.CompletionList)
        items = {item.label: item for item in told.items}
        assert (items["play"].detail or "").startswith("play AUDIO [early] [from DURATION]")
        assert isinstance(items["play"].text_edit, lsp.TextEdit)
        assert (str(items["play"].text_edit.range), items["play"].text_edit.new_text) == ("3:0-3:2", "play")
        assert items["menu"].insert_text_format == lsp.InsertTextFormat.Snippet
        values = await client.text_document_completion_async(
            lsp.CompletionParams(here(uri), lsp.Position(4, 5))
        )
        assert isinstance(values, lsp.CompletionList)
        assert "order" in [item.label for item in values.items]
        hover = await client.text_document_hover_async(lsp.HoverParams(here(uri), lsp.Position(5, 6)))
        assert hover
        assert isinstance(hover.contents, lsp.MarkupContent)
        assert (hover.contents.value, str(hover.range)) == ("1 minute 30 seconds", "5:5-5:8")

    speak(talk)


def test_the_form_is_given_or_refused(speak: Speak, uri: str) -> None:
    options = lsp.FormattingOptions(4, True)

    async def talk(client: Client) -> None:
        text = 'call   "15125551234"  # us\r\nif true {\r\nhangup\r\n}\r\n'
        client.open(uri, text)
        edits = await client.text_document_formatting_async(lsp.DocumentFormattingParams(here(uri), options))
        assert edits
        assert edits[0].new_text == 'call "15125551234"  # us\nif true { hangup }\n'
        assert str(edits[0].range) == "0:0-4:0"
        client.change(uri, 2, edits[0].new_text)
        again = await client.text_document_formatting_async(lsp.DocumentFormattingParams(here(uri), options))
        assert again == ()
        client.change(uri, 3, "hangup\npaly\n")
        none = await client.text_document_formatting_async(lsp.DocumentFormattingParams(here(uri), options))
        assert none is None
        assert client.shown == ["not formatted: line 2: there is no statement `paly`"]

    speak(talk)


def test_the_parts_names_and_colours(speak: Speak, uri: str) -> None:
    text = 'call "15125551234"\nlet a = 1\nmenu { "1" { say "{a}" } timeout { say a } }\n'

    async def talk(client: Client) -> None:
        client.open(uri, text)
        parts = await client.text_document_document_symbol_async(lsp.DocumentSymbolParams(here(uri)))
        assert parts
        menu = parts[1]
        assert isinstance(menu, lsp.DocumentSymbol)
        assert (menu.name, str(menu.range)) == ("menu", "2:0-2:44")
        assert [part.name for part in menu.children or ()] == ['"1"', "timeout"]
        context = lsp.ReferenceContext(include_declaration=False)
        places = await client.text_document_references_async(
            lsp.ReferenceParams(context, here(uri), lsp.Position(1, 4))
        )
        assert [str(place.range) for place in places or ()] == ["2:19-2:20", "2:39-2:40"]
        prepared = await client.text_document_prepare_rename_async(
            lsp.PrepareRenameParams(here(uri), lsp.Position(2, 19))
        )
        assert str(prepared) == "2:19-2:20"
        verb = await client.text_document_prepare_rename_async(
            lsp.PrepareRenameParams(here(uri), lsp.Position(2, 1))
        )
        assert verb is None
        edit = await client.text_document_rename_async(lsp.RenameParams(here(uri), lsp.Position(2, 19), "b"))
        assert edit
        assert edit.changes
        assert [str(one.range) for one in edit.changes[uri]] == ["1:4-1:5", "2:19-2:20", "2:39-2:40"]
        with pytest.raises(JsonRpcException, match="is no name"):
            await client.text_document_rename_async(lsp.RenameParams(here(uri), lsp.Position(2, 19), "B"))
        colours = await client.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(here(uri)))
        assert colours
        assert list(colours.data[:15]) == [0, 0, 4, 0, 0, 0, 5, 1, 6, 0, 0, 1, 11, 6, 0]

    speak(talk)


def test_a_near_word_is_offered_as_a_fix(speak: Speak, uri: str) -> None:
    async def talk(client: Client) -> None:
        client.open(uri, 'call "15125551234"\npaly "x"\nsay sum\n')
        (problem,) = await client.problems(uri)
        actions = await client.text_document_code_action_async(
            lsp.CodeActionParams(here(uri), problem.range, lsp.CodeActionContext([problem]))
        )
        (action,) = actions or ()
        assert isinstance(action, lsp.CodeAction)
        assert action.title == "Write `play`"
        assert action.edit
        assert action.edit.changes
        (edit,) = action.edit.changes[uri]
        assert (str(edit.range), edit.new_text) == ("1:0-1:4", "play")
        elsewhere = lsp.Range(lsp.Position(2, 0), lsp.Position(2, 1))
        none = await client.text_document_code_action_async(
            lsp.CodeActionParams(here(uri), elsewhere, lsp.CodeActionContext([]))
        )
        assert none == ()

    speak(talk)


@pytest.mark.parametrize(
    "text", ["", "{" * 3000, '"', 'say "{', "menu {" * 200, "\ufeff", "\0\ud83d", "if " + "(" * 999]
)
def test_every_text_is_answered(speak: Speak, uri: str, text: str) -> None:
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    async def talk(client: Client) -> None:
        client.open(uri, text)
        await client.problems(uri)
        for position in (lsp.Position(0, 0), lsp.Position(0, len(text)), lsp.Position(7, 7)):
            await client.text_document_completion_async(lsp.CompletionParams(here(uri), position))
            await client.text_document_hover_async(lsp.HoverParams(here(uri), position))
            await client.text_document_definition_async(lsp.DefinitionParams(here(uri), position))
        await client.text_document_document_symbol_async(lsp.DocumentSymbolParams(here(uri)))
        await client.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(here(uri)))

    speak(talk)


def test_a_text_that_is_no_file_is_answered(speak: Speak) -> None:
    async def talk(client: Client) -> None:
        client.open("untitled:Untitled-1", 'use "lib.call"\ndo greet()\n')
        codes = [problem.code for problem in await client.problems("untitled:Untitled-1")]
        assert codes == ["unknown-script", "unknown-flow"]

    speak(talk)
