"""Flows of other systems, said in the language: canonical, without an error, each with cases that hold."""

from pathlib import Path

import pytest

from ringful.grammar.checking.checker import check
from ringful.grammar.reading.parser import parse
from ringful.grammar.showing.printer import show
from ringful.simulation.cases.reader import read_case
from ringful.simulation.cases.verdicts import find_cases, show_difference
from ringful.simulation.simulate import run_case

FOLDER = Path(__file__).parents[1] / "golden" / "flows"
PAGE = Path(__file__).parents[2] / "docs" / "flows.md"
CASES = find_cases((FOLDER,))
SYSTEMS = {
    "asterisk": "Asterisk",
    "ccxml": "CCXML",
    "freeswitch": "FreeSWITCH",
    "jambonz": "jambonz",
    "plivo": "Plivo",
    "sems": "SEMS",
    "signalwire": "SignalWire",
    "twilio": "Twilio",
    "voicexml": "VoiceXML",
    "vonage": "Vonage",
}


def test_every_flow_can_be_said_and_is_tried() -> None:
    tried = {path.stem.partition("-")[0] for path in CASES}
    for path in sorted(FOLDER.glob("*.call")):
        text = path.read_text(encoding="utf-8")
        script = parse(text, path.name)
        # A recording of the whole call is meant to last until the call ends.
        assert {problem.code for problem in check(script)} <= {"never-stopped"}, path.name
        assert show(script) == text, path.name
        assert text.startswith(f"# {SYSTEMS[path.stem.partition('_')[0]]}, "), path.name
        assert path.stem in tried, path.name


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_flow_goes_as_its_case_says(path: Path) -> None:
    case = read_case(path)
    simulation = run_case(case)
    assert simulation.trace == case.below, show_difference(case, simulation.trace)
    for run in simulation.runs.values():
        assert run.ended
        assert not run.fault


def test_the_page_lists_every_flow_with_its_lines() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for path in sorted(FOLDER.glob("*.call")):
        lines = len(path.read_text(encoding="utf-8").splitlines()) - 1
        assert f"| [{path.stem}](../tests/golden/flows/{path.name}) | {lines} |" in page
