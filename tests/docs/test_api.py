"""The snippets of docs/api.md sign as the server does, and its examples answer as they say."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringful.http.signing import signed_url
from tests.docs.examples import hold_examples
from tests.server import Server, free_port, server

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
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


@pytest.fixture(scope="module")
def ringful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("docs"), f"127.0.0.1:{free_port()}") as running:
        yield running


def test_the_examples_answer_as_they_say(ringful: Server) -> None:
    assert hold_examples(ringful, TEXT) > 10
