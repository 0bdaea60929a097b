"""docs/editors.md: what it says to write can be read by what reads it, and what it promises is there."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from lsprotocol import types as lsp

from ringful.editor.server import make_server

TEXT = (Path(__file__).parents[2] / "docs" / "editors.md").read_text(encoding="utf-8")

PROMISED = {
    "quick fix": lsp.TEXT_DOCUMENT_CODE_ACTION,
    "completion": lsp.TEXT_DOCUMENT_COMPLETION,
    "help": lsp.TEXT_DOCUMENT_HOVER,
    "outline": lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL,
    "definition": lsp.TEXT_DOCUMENT_DEFINITION,
    "references": lsp.TEXT_DOCUMENT_REFERENCES,
    "new name": lsp.TEXT_DOCUMENT_RENAME,
    "format": lsp.TEXT_DOCUMENT_FORMATTING,
    "colours": lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL,
}


def test_what_is_promised_is_offered() -> None:
    rows = re.findall(r"^\| ([a-z, ]+) \| .+ \|$", TEXT, re.MULTILINE)
    named = {word for row in rows for word in row.split(", ")} - {"in the editor", "problems"}
    assert named == PROMISED.keys()
    assert set(PROMISED.values()) <= make_server("0").protocol.fm.features.keys()


def test_the_settings_can_be_read() -> None:
    fences = dict(re.findall(r"^```(json|toml)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE))
    assert json.loads(fences["json"])["ringful.command"][1:] == ["lsp"]
    helix = tomllib.loads(fences["toml"])
    assert helix["language-server"]["ringful"] == {"command": "ringful", "args": ["lsp"]}
    assert helix["language"][0]["file-types"] == ["call"]


def test_the_pygments_commands(tmp_path: Path) -> None:
    (tmp_path / "approve.call").write_text('play "x" # now\n', encoding="utf-8")
    commands = re.findall(r"^    pygmentize (.+)$", TEXT, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        subprocess.run([sys.executable, "-m", "pygments", *command.split()], cwd=tmp_path, check=True)
    page = (tmp_path / "approve.html").read_text(encoding="utf-8")
    assert '<span class="k">play</span>' in page
    assert '<span class="c1"># now</span>' in page
