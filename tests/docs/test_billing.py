"""The page about billing: what it shows is what happens."""

import re
import shlex
from pathlib import Path

import pytest

from ringful.simulation.cases.reader import parse_case
from ringful.simulation.simulate import Simulation
from tests.typed import ringful

PAGE = (Path(__file__).parents[2] / "docs" / "billing.md").read_text(encoding="utf-8")
(TABLE,) = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)
SHOWN = [
    tuple(part.split("\n", 1))
    for shown in re.findall(r"```console\n\$ (.*?)```", PAGE, re.DOTALL)
    for part in shown.split("\n$ ")
]


@pytest.mark.parametrize(("command", "output"), SHOWN, ids=[command for command, _ in SHOWN])
def test_a_command_says_what_the_page_shows(command, output, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("rates.csv").write_text(TABLE)
    Path("ringful.toml").write_text('[rates]\nfile = "rates.csv"\n')
    _, *arguments = shlex.split(command)
    said, errors, code = ringful(capsys, *arguments)
    assert (said.strip(), errors, code) == (output.strip(), "", 0)


def test_the_page_shows_something():
    assert len(SHOWN) > 4


def test_the_case_goes_as_the_page_shows(tmp_path):
    (text,) = re.findall(r"```golden\n(.*?)```", PAGE, re.DOTALL)
    case = parse_case(text, tmp_path / "caps.golden")
    simulation = Simulation(case)
    simulation.go()
    assert simulation.trace == case.below
