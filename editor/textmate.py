"""The TextMate grammar of VS Code and its kin, made from the vocabulary.

Such a grammar sees a line and not the language: a word counts as a verb where a statement may begin, and
as a clause's word elsewhere.  An editor that asks the language server gets the truth afterwards.

``python -m ringful.editor.textmate`` prints it; a test holds the file in editors/vscode equal to it.
"""

import json
from collections.abc import Iterable
from typing import Any

from ringful.editor.meanings import STATEMENTS
from ringful.grammar.functions import BOUND, FUNCTIONS
from ringful.grammar.vocabulary import KEYWORDS, RESERVED, VERBS

_BEGIN = r"(?:^|(?<=[{};])|(?<=\belse))\s*"
_NAME = r"[a-z_][a-z0-9_]*"


def grammar() -> dict[str, Any]:
    """Give the grammar as VS Code reads it."""
    return {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "ringful call script",
        "scopeName": "source.ringful",
        "fileTypes": ["call"],
        "patterns": [{"include": "#line"}, {"include": "#expression"}, {"include": "#word"}],
        "repository": {
            "line": {"patterns": _lines()},
            "expression": {"patterns": _expressions()},
            "word": {"patterns": [_rule("keyword.other", _clauses(), after=r"(?!\(|\s*:)")]},
            "text": _text(),
        },
    }


def _lines() -> list[dict[str, Any]]:
    branches = {words for words in STATEMENTS if words not in VERBS and " " not in words}
    pairs = [words.replace(" ", r"\s+") for words in STATEMENTS if " " in words]
    verbs = "|".join([*sorted(pairs, reverse=True), *sorted(VERBS | branches)])
    return [
        {
            "match": rf"{_BEGIN}(flow|do)\s+({_NAME})",
            "captures": {
                "1": {"name": "keyword.control.ringful"},
                "2": {"name": "entity.name.function.ringful"},
            },
        },
        {
            # A word before a colon is a map's key.
            "match": rf"{_BEGIN}({verbs})\b(?!\s*:)",
            "captures": {"1": {"name": "keyword.control.ringful"}},
        },
        {"match": rf"({_NAME})\s*(?=:)", "captures": {"1": {"name": "entity.name.tag.ringful"}}},
    ]


def _expressions() -> list[dict[str, Any]]:
    return [
        {"match": "#.*$", "name": "comment.line.number-sign.ringful"},
        {"include": "#text"},
        {"match": r"\b[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h)\b", "name": "constant.numeric.duration.ringful"},
        {"match": r"\b[0-9]+(?:\.[0-9]+)?\b", "name": "constant.numeric.ringful"},
        {"match": rf"(?<=\.){_NAME}", "name": "variable.other.property.ringful"},
        _rule("constant.language", {"true", "false", "none"}),
        _rule("keyword.operator.word", RESERVED - {"true", "false", "none"}),
        _rule("support.function", FUNCTIONS, after=r"(?=\()"),
        _rule("variable.language", BOUND),
        {"match": r"[=!<>]=|\.\.|[<>+*/%=-]", "name": "keyword.operator.ringful"},
    ]


def _text() -> dict[str, Any]:
    return {
        "name": "string.quoted.double.ringful",
        "begin": '"',
        # A text ends on its line, closed or not.
        "end": '"|$',
        "patterns": [
            {"match": r'\\["\\nt{]', "name": "constant.character.escape.ringful"},
            {"match": r"\\.", "name": "invalid.illegal.escape.ringful"},
            {
                "name": "meta.interpolation.ringful",
                "begin": r"\{",
                "end": r"\}|$",
                "beginCaptures": {"0": {"name": "punctuation.section.interpolation.begin.ringful"}},
                "endCaptures": {"0": {"name": "punctuation.section.interpolation.end.ringful"}},
                "patterns": [{"include": "#expression"}],
            },
        ],
    }


def _clauses() -> frozenset[str]:
    return (KEYWORDS - VERBS - RESERVED - STATEMENTS.keys()) | {"for", "notify", "if", "until"}


def _rule(scope: str, words: Iterable[str], after: str = "") -> dict[str, Any]:
    return {"match": rf"(?<![.\w])(?:{'|'.join(sorted(words))})\b{after}", "name": f"{scope}.ringful"}


if __name__ == "__main__":
    print(json.dumps(grammar(), indent=4, ensure_ascii=False))
