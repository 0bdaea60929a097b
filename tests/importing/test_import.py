"""Documents of TwiML, jambonz and SWML become scripts that parse, check, are canonical, and have a case."""

from pathlib import Path
from typing import Any

import pytest

from ringful.command.import_ import KINDS
from ringful.grammar.checking.checker import check
from ringful.grammar.errors import render
from ringful.grammar.reading.parser import parse
from ringful.grammar.showing.printer import show
from ringful.simulation.cases.verdicts import try_cases
from tests.conftest import GoldenCase
from tests.typed import ringful


@pytest.mark.golden("import/*.golden")
def test_a_document(case: GoldenCase, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    (kind,) = KINDS.keys() & case.sections.keys()
    monkeypatch.chdir(tmp_path)
    Path("flow.doc").write_text(case[kind], encoding="utf-8")
    out, told, code = ringful(capsys, "import", kind, "flow.doc")
    assert out == "flow.call, flow.golden\n", told
    text = Path("flow.call").read_text(encoding="utf-8")
    case.expect("script", text)
    case.expect("told", told)
    case.expect("case", Path("flow.golden").read_text(encoding="utf-8"))
    assert code == (1 if "\nlost " in f"\n{told}" else 0)
    script = parse(text)
    assert show(script) == text
    assert not [render(one, text) for one in check(script) if one.code not in BORNE]
    assert [verdict.state for verdict in try_cases([Path("flow.golden")])] == ["passed"]
    assert "script failed" not in case["case"]


BORNE = {"never-stopped"}
"""Warnings that a document earns: what it starts to record it may never stop."""
