"""docs/import.md and docs/coming.md: what `ringful import` makes of their documents is what they show."""

import re
from pathlib import Path
from typing import Any

import pytest

from ringful.command.import_ import KINDS
from ringful.grammar.checking.checker import check
from ringful.grammar.errors import render
from ringful.grammar.reading.parser import parse
from ringful.grammar.showing.printer import show
from ringful.interpreter.sources import read_source
from ringful.simulation.cases.reader import parse_case
from ringful.simulation.simulate import run_case
from tests.typed import ringful

DOCS = Path(__file__).parents[2] / "docs"


def fences(page: str) -> list[tuple[str, str, str]]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(r"^```([\w-]+) ?([\w.]*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


IMPORT, COMING = fences("import.md"), fences("coming.md")
((_, _, HEAD),) = [fence for fence in COMING if fence[0] == "head"]
PAIRS = [(kind, body, COMING[place + 1]) for place, (kind, _, body) in enumerate(COMING) if kind in KINDS]
BY_HAND = [(body, COMING[place + 1]) for place, (kind, _, body) in enumerate(COMING) if kind == "by-hand"]
CALLED = 'case Flow\nscript flow.call\nparam number = "+18005550000"\n'
"""The head of every case of a script by hand."""


def test_the_import_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    shown = {kind: body for kind, _, body in IMPORT}
    ((kind, name, document),) = [fence for fence in IMPORT if fence[0] in KINDS]
    Path(name).write_text(document, encoding="utf-8")
    _, told, code = ringful(capsys, "import", kind, name)
    assert (told, code) == (shown["told"], 1)
    assert Path("menu.call").read_text(encoding="utf-8") == shown["script"]
    assert Path("menu.golden").read_text(encoding="utf-8").partition("---\n")[0] == shown["case"]
    assert ringful(capsys, "test")[2] == 0


@pytest.mark.parametrize(("kind", "document", "fence"), PAIRS, ids=range(len(PAIRS)))
def test_a_pair(kind: Any, document: str, fence: tuple[str, str, str]) -> None:
    said, _, script = fence
    assert said == "call"
    comment, _, text = KINDS[kind](document.encode()).text.partition("\n")
    assert comment.startswith("# From ")
    assert text == f"{HEAD}\n{script}"


@pytest.mark.parametrize(("kind", "document"), [pair[:2] for pair in PAIRS], ids=range(len(PAIRS)))
def test_a_pair_runs(
    kind: str, document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("flow.doc").write_text(document, encoding="utf-8")
    assert ringful(capsys, "import", kind, "flow.doc")[2] == 0
    assert ringful(capsys, "test")[2] == 0
    trace = Path("flow.golden").read_text(encoding="utf-8").partition("---\n")[2]
    assert "ended" in trace
    assert "script failed" not in trace


@pytest.mark.parametrize(("script", "fence"), BY_HAND, ids=range(len(BY_HAND)))
def test_a_script_by_hand(script: str, fence: tuple[str, str, str], tmp_path: Path) -> None:
    text = f"{HEAD}\n{script}"
    tree = parse(text)
    assert show(tree) == text
    assert not [render(problem, text) for problem in check(tree)]
    kind, _, body = fence
    assert kind == "case"
    (tmp_path / "flow.call").write_text(text, encoding="utf-8")
    above, dashes, below = body.partition("---\n")
    case = parse_case(CALLED + above + dashes, tmp_path / "flow.golden", read_source(tmp_path / "flow.call"))
    assert run_case(case).trace == below


def test_every_kind_of_fence_is_tested() -> None:
    assert {kind for kind, _, _ in COMING} == {"head", "call", "by-hand", "case", "dialplan", *KINDS}
    assert {kind for kind, _, _ in IMPORT} == {"twiml", "script", "told", "case"}
    assert len(PAIRS) > 5
