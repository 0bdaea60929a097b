"""What who comes from another language writes: each wrong script says what to write instead.

A file of golden/slips holds many scripts: under its title each, then the ``right`` one, as its author would
write it after reading what was ``told``.
"""

import re

import pytest

from ringful.grammar import foreign
from ringful.grammar.checking.checker import check
from ringful.grammar.errors import Problem, ScriptError, render
from ringful.grammar.reading.parser import parse
from tests.conftest import GOLDEN, GoldenCase

USES = {"greet.call": parse('flow greet() { say "Hello." }\n')}
"""What the scripts may use."""

CODE = re.compile(r"`([^`]+)`")
OWN = re.compile(r"…|\b(?:NAME|NUMBER|URL|TEXT|AUDIO|TONES|LIST|value)\b")
"""What stands for the author's own in a hint."""


def problems(text: str) -> tuple[Problem, ...]:
    try:
        return check(parse(text), USES)
    except ScriptError as error:
        return error.problems


def titles(case: GoldenCase) -> list[str]:
    return [title for title in case.sections if f"right: {title}" in case.sections]


@pytest.mark.golden("slips/*.golden")
def test_what_is_told(case: GoldenCase) -> None:
    for title in titles(case):
        text = case[title]
        found = problems(text)
        assert found, title
        case.expect(f"told: {title}", "\n".join(render(problem, text) for problem in found))


@pytest.mark.golden("slips/*.golden")
def test_what_is_suggested_parses_and_checks(case: GoldenCase) -> None:
    for title in titles(case):
        right = case[f"right: {title}"]
        assert [problem.message for problem in problems(right)] == [], title
        for problem in problems(case[title]):
            codes = CODE.findall(problem.hint)
            assert not codes or any(stands_in(code, right) for code in codes), f"{title}: {problem.hint}"


def stands_in(code: str, text: str) -> bool:
    """Say whether *code*, in which capitals and ``…`` stand for anything, is a part of *text*."""
    parts = OWN.split(code)
    pattern = ".*?".join(r"\s*".join(map(re.escape, re.findall(r"\w+|[^\w\s]", part))) for part in parts)
    return re.search(pattern, text, re.DOTALL) is not None


def test_there_are_many_of_them() -> None:
    count = sum(path.read_text().count("\n== right: ") for path in GOLDEN.glob("slips/*.golden"))
    assert count >= 240


SCRIPTS = (
    'inbound "1"\nstart call "2" as name\nlet x = 1\nlet n = 1\n{}\n',
    'inbound "1"\nlet x = {}\n',
    'inbound "1"\nlet name = 1\nlet n = 1\nlet x = name {} n\n',
    'inbound "1"\nmenu {{ "1" {{ }} {} }}\n',
    'inbound "1"\nmenu {{ {} }}\n',
    'inbound "1"\nrecord {}\n',
    'inbound "1"\nconnect name {}\n',
    'inbound "1"\nif true {{ answer {}\n answer }}\n',
    'inbound "1"\nif true {{ answer }} {}\nif true {{ answer }}\n',
    "{}\nhangup\n",
    '{}\ninbound "1"\nanswer\n',
)
FILLED = {
    "NAME": "name",
    "NUMBER": '"15125551234"',
    "URL": '"https://shop.example/x"',
    "TEXT": '"Hello."',
    "AUDIO": '"hello"',
    "TONES": '"1"',
    "LIST": "[1]",
}


def is_code(code: str) -> bool:
    """Say whether *code*, with something for what is the author's own, can stand in a script."""
    for word, value in FILLED.items():
        code = re.sub(rf"\b{word}\b", value, code)
    code = re.sub(r"(?<=let name = )…|(?<=if )…", "true", code)
    code = re.sub(r"(?<=with \{ )…", "key: 1", code).replace("(…)", "()").replace("…", "")
    return any(_reads(script.format(code)) for script in SCRIPTS)


def _reads(text: str) -> bool:
    try:
        parse(text)
    except ScriptError:
        return False
    return True


TABLES = (
    *foreign.STATEMENTS.values(),
    *foreign.BESIDE.values(),
    *foreign.BRANCHES.values(),
    *foreign.CALLS.values(),
    *(f"`{form}`" for form in foreign.FORMS.values()),
    *(f"`{operator}`" for operator in foreign.OPERATORS.values()),
    *(f"`{value}`" for value in foreign.VALUES.values()),
    *(f"`{function}(x)`" for function in foreign.FUNCTIONS.values()),
)


@pytest.mark.parametrize("hint", sorted(set(TABLES)))
def test_every_word_of_another_language_leads_to_code(hint: str) -> None:
    for code in CODE.findall(hint):
        assert code == "}" or is_code(code), code


def test_a_name_is_written_small() -> None:
    assert foreign.snake("callerName") == "caller_name"
    assert foreign.snake("CallSid") == "call_sid"
    assert foreign.snake("HTTPServer") == "http_server"
    assert foreign.snake("x") == "x"
