"""The README's script is one, and its commands about scripts do what they say."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from ringful.grammar.checking.checker import check
from ringful.grammar.reading.parser import parse
from ringful.grammar.showing.printer import show

FOLDER = Path(__file__).parents[2]
README = (FOLDER / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    \.venv/bin/ringful ((?:check|test) .+?)(?: +#.*)?$", README, re.MULTILINE)


def test_the_script_is_canonical_and_has_no_problem() -> None:
    (text,) = re.findall(r"```\n(# .*?)```", README, re.DOTALL)
    script = parse(text)
    assert check(script) == ()
    assert show(script) == text


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_does_what_it_says(command: str) -> None:
    ringful = [sys.executable, "-m", "ringful.command.main"]
    ran = subprocess.run([*ringful, *shlex.split(command)], cwd=FOLDER, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout


def test_the_table_names_every_example() -> None:
    assert len(COMMANDS) == 4
    shipped = {path.stem for path in (FOLDER / "scripts").glob("*.call")}
    assert set(re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE)) == shipped
