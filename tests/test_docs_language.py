"""Every example of docs/language.md parses, checks and is in the canonical form."""

import re
from pathlib import Path

import pytest

from ringful.command.simulation import run_case
from ringful.grammar.checker import check
from ringful.grammar.errors import render
from ringful.grammar.parser import parse
from ringful.grammar.printer import show
from ringful.interpreter.cases import parse_case

TEXT = (Path(__file__).parents[1] / "docs" / "language.md").read_text()
EXAMPLES = re.findall(r"^```\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
CASES = re.findall(r"^```text\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example(example: str) -> None:
    script = parse(example, "docs/language.md")
    assert show(script) == example
    assert not [render(problem, example) for problem in check(script)]


@pytest.mark.parametrize("example", CASES, ids=range(len(CASES)))
def test_a_case(example: str) -> None:
    assert "played" in run_case(parse_case(example, Path("docs/language.md"))).trace
