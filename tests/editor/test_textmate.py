"""The grammar that VS Code reads: made from the vocabulary, and read here as VS Code reads it."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ringful.editor import textmate
from ringful.editor.meanings import CLAUSES, STATEMENTS
from ringful.grammar.functions import BOUND, FUNCTIONS
from ringful.grammar.reading.tokens import pieces
from ringful.grammar.vocabulary import KEYWORDS, RESERVED, VERBS
from tests.grammar.test_tokens import SCRIPTS

FOLDER = Path(__file__).parents[2] / "editors" / "vscode"
Scopes = Callable[[str], dict[int, list[str]]]


@pytest.fixture(scope="module")
def scopes(tmp_path_factory: pytest.TempPathFactory) -> Scopes:
    """Give what says for each place of a text which scopes it has."""
    with pytest.MonkeyPatch.context() as patch:
        # Loaded, it makes a folder where it is.
        patch.chdir(tmp_path_factory.mktemp("textmate"))
        from textmate_grammar.parsers.base import LanguageParser
    parser = LanguageParser(json.loads((FOLDER / "syntaxes" / "ringful.tmLanguage.json").read_text("utf-8")))

    def read(text: str) -> dict[int, list[str]]:
        begins = [0, *(match.end() for match in re.finditer("\n", text))]
        found: dict[int, list[str]] = {}
        element = parser.parse_string(text)
        for (line, column), said, names in element.flatten() if element else ():
            for number in range(len(said)):
                found[begins[line] + column + number] = names
        return found

    return read


def test_the_file_is_made_from_the_vocabulary() -> None:
    made = (FOLDER / "syntaxes" / "ringful.tmLanguage.json").read_text(encoding="utf-8")
    assert json.loads(made) == textmate.grammar(), "run: make editors"


@pytest.mark.parametrize("words", sorted(STATEMENTS.keys() | VERBS))
def test_every_statement_is_highlighted(scopes: Scopes, words: str) -> None:
    text = f"if x {{\n    {words} y\n}} else {{ {words} y }}\n"
    found = scopes(text)
    for place in (match.start() for match in re.finditer(words, text)):
        for number, letter in enumerate(words, place):
            assert letter == " " or "keyword.control.ringful" in found[number]


@pytest.mark.parametrize("word", sorted(CLAUSES.keys() | KEYWORDS - VERBS - STATEMENTS.keys()))
def test_every_clause_is_highlighted(scopes: Scopes, word: str) -> None:
    found = scopes(f"play x {word} y\n")
    assert [name for name in found[7] if name.startswith(("keyword.", "constant."))]
    assert not [name for name in found.get(5, []) if name.startswith("keyword.")]


def test_the_other_words(scopes: Scopes) -> None:
    for word in FUNCTIONS:
        assert "support.function.ringful" in scopes(f"say {word}(x)\n")[4]
    for word in BOUND:
        assert "variable.language.ringful" in scopes(f"say {word}\n")[4]
    for word in RESERVED:
        assert [name for name in scopes(f"if a {word} b {{ }}\n")[5] if "ringful" in name][1:]


def test_what_is_no_word_of_the_language(scopes: Scopes) -> None:
    keys = scopes("notify u with {\n    play: 1,\n    for: 2\n}\n")
    assert "entity.name.tag.ringful" in keys[20]
    assert "entity.name.tag.ringful" in keys[33]
    field = scopes("say a.until\n")
    assert "variable.other.property.ringful" in field[6]
    playing = scopes("playing x\n")
    assert not [name for name in playing.get(0, []) if name.startswith("keyword")]


EXPECTED = {
    "verb": "keyword.control",
    "flow": "entity.name.function",
    "text": "string.quoted",
    "escape": "constant.character.escape",
    "comment": "comment.line",
    "number": "constant.numeric",
    "duration": "constant.numeric.duration",
    "constant": "constant.language",
    "field": "variable.other.property",
    "key": "entity.name.tag",
}


@pytest.mark.parametrize("script", SCRIPTS, ids=range(len(SCRIPTS)))
def test_scripts_look_as_the_parser_sees_them(scopes: Scopes, script: str) -> None:
    found = scopes(script)
    for piece in pieces(script):
        wanted = EXPECTED.get(piece.kind)
        if wanted:
            names = found.get(piece.start, [])
            assert [name for name in names if name.startswith(wanted)], (piece, names)


def test_a_text_that_is_not_closed_ends_with_its_line(scopes: Scopes) -> None:
    text = 'say "a {b\nplay "x"\nsay "a\nplay x\n'
    found = scopes(text)
    for match in re.finditer("play", text):
        assert "keyword.control.ringful" in found[match.start()]


def test_the_extension_names_what_is_there() -> None:
    package = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
    offered = package["contributes"]
    (language,), (grammar,) = offered["languages"], offered["grammars"]
    assert grammar["scopeName"] == textmate.grammar()["scopeName"]
    assert grammar["language"] == language["id"]
    assert language["extensions"] == [".call"]
    for path in (package["main"], grammar["path"], language["configuration"]):
        assert (FOLDER / path).is_file()
    json.loads((FOLDER / language["configuration"]).read_text(encoding="utf-8"))
    assert offered["configuration"]["properties"]["ringful.command"]["default"] == ["ringful", "lsp"]
