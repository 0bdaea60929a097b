"""The snippets of docs/api.md sign as the server does."""

import re
import subprocess
from pathlib import Path
from typing import Any

from ringful.http.signing import signed_url

TEXT = (Path(__file__).parents[1] / "docs" / "api.md").read_text()
EXPECTED = signed_url("S", "GET", "http://h", "/Call/apikey/K", [("callee", "15125551234"), ("seq", "7")])


def snippet(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    assert found
    return found[1]


def test_the_python_snippet() -> None:
    names: dict[str, Any] = {}
    exec(snippet("python"), names)
    assert names["signed_url"]("http://h", "K", "S", "Call", callee="15125551234", seq="7") == EXPECTED


def test_the_shell_snippet() -> None:
    variables = {"KEY": "K", "SECRET": "S", "SEQ": "7", "BASE": "http://h", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        ["sh", "-c", snippet("sh")], env=variables, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == EXPECTED
