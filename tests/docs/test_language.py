"""Every example of docs/language.md parses, checks and is canonical; wrong ones are shown as such."""

import re
from pathlib import Path

import pytest

from ringful.grammar.blocks import within
from ringful.grammar.checking.checker import check
from ringful.grammar.errors import ScriptError, render
from ringful.grammar.functions import BOUND, BOUND_BY_CALL, BOUND_BY_MESSAGE, FUNCTIONS
from ringful.grammar.reading.parser import parse
from ringful.grammar.showing.printer import show
from ringful.grammar.vocabulary import KEYWORDS, RESERVED
from ringful.simulation.cases.reader import parse_case
from ringful.simulation.simulate import run_case

TEXT = (Path(__file__).parents[2] / "docs" / "language.md").read_text(encoding="utf-8")
FENCES: list[tuple[str, str]] = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
EXAMPLES = [body for kind, body in FENCES if kind == ""]
CASES = [body for kind, body in FENCES if kind == "text"]
WRONG = [(body, FENCES[place + 1][1]) for place, (kind, body) in enumerate(FENCES) if kind == "wrong"]
USED = {"lib.call": parse('flow other() { say "x" }\n')}


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example(example: str) -> None:
    script = parse(example, "docs/language.md")
    assert show(script) == example
    assert not [render(problem, example) for problem in check(script, USED)]


@pytest.mark.parametrize(("example", "shown"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_example(example: str, shown: str) -> None:
    try:
        problems = check(parse(example))
    except ScriptError as error:
        problems = error.problems
    assert "\n".join(render(problem, example) for problem in problems) + "\n" == shown


@pytest.mark.parametrize("example", CASES, ids=range(len(CASES)))
def test_a_case(example: str) -> None:
    assert "played" in run_case(parse_case(example, Path("docs/language.md"))).trace


def test_every_kind_of_fence_is_tested() -> None:
    kinds = [kind for kind, _ in FENCES]
    assert {*kinds} == {"", "text", "wrong", "problems"}
    assert kinds.count("problems") == len(WRONG)


def test_every_word_is_told_of() -> None:
    prose = re.sub(r"^```.*?^```$", "", TEXT, flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^### .*$", prose, re.MULTILINE)
    words = set(re.findall(r"[a-z_]+", " ".join([*re.findall(r"`[^`]+`", prose), *headings])))
    assert KEYWORDS | RESERVED | FUNCTIONS.keys() | BOUND | BOUND_BY_CALL | BOUND_BY_MESSAGE <= words


def test_every_code_is_listed() -> None:
    room = Path(__file__).parents[2] / "grammar"
    source = "".join(path.read_text(encoding="utf-8") for path in room.rglob("*.py"))
    codes = set(re.findall(r'(?:Problem|_tell)\(\s*"([a-z-]+)"', source))
    listed = set(re.findall(r"`([a-z-]+)`", TEXT[TEXT.index("## What the checker finds") :]))
    assert codes
    assert codes <= listed


def test_the_statements_have_examples() -> None:
    shown = {type(one).__name__ for example in EXAMPLES for one in within(parse(example).body)}
    assert {
        "Play",
        "Say",
        "Record",
        "Gather",
        "Menu",
        "Ask",
        "Follow",
        "Sms",
        "Flow",
        "Do",
        "Connect",
    } <= shown
