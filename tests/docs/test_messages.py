"""The script and the case of docs/messages.md are what they say."""

import re
from pathlib import Path

from ringful.grammar.checking.checker import check
from ringful.grammar.reading.parser import parse
from ringful.grammar.showing.printer import show
from ringful.simulation.cases.reader import parse_case
from ringful.simulation.simulate import run_case

TEXT = (Path(__file__).parents[2] / "docs" / "messages.md").read_text(encoding="utf-8")
SECTION = TEXT[TEXT.index("## In scripts and golden cases") :]
(SCRIPT,) = re.findall(r"^```\n(.*?)^```$", SECTION, re.DOTALL | re.MULTILINE)[:1]
(CASE,) = re.findall(r"^```case\n(.*?)^```$", SECTION, re.DOTALL | re.MULTILINE)


def test_the_script() -> None:
    script = parse(SCRIPT)
    assert show(script) == SCRIPT
    assert check(script) == ()


def test_the_case() -> None:
    case = parse_case(CASE, Path("docs/messages.md"))
    assert run_case(case).trace == case.below
    assert show(case.source.script) == SCRIPT
