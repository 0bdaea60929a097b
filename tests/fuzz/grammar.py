"""Fuzz the parser, the checker, the printer and the bounds with atheris (libFuzzer).

It holds what `tests/laws.py` says: any text gives a tree that obeys every law, or located problems,
in bounded time and memory.  Run it from the repository's root::

    .venv/bin/python -m pip install -e '.[fuzz]'
    .venv/bin/python -m tests.fuzz.grammar                      five minutes
    .venv/bin/python -m tests.fuzz.grammar -max_total_time=60   or what libFuzzer is told

It begins with every script, golden case and example of this repository, and the words of the
language.  A text that breaks a law is left as ``crash-…`` in the present folder: give the file's
name as the only argument to see it again, and put it into tests/test_parser.py when it is mended.
"""

import re
import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]

with atheris.instrument_imports(include=["ringful.grammar"]):
    from ringful.grammar.vocabulary import KEYWORDS
    from tests.laws import hold

ROOT = Path(__file__).parents[2]
MARKS = [*'{}[]()"#;,', "\n", "..", "==", "!=", "8s", "\\{", "as x", "for 5s", '"1" {']


def one_text(data: bytes) -> None:
    """Try one text."""
    hold(data.decode("utf-8", "replace"))


def _seeds(folder: Path) -> None:
    """Write what is known to be good, and known to be bad, into *folder*."""
    texts = [path.read_text() for path in ROOT.glob("scripts/**/*.call")]
    for path in ROOT.glob("tests/golden/*/*.golden"):
        texts += re.findall(r"^== script\n(.*?)(?=^== |\Z)", path.read_text(), re.MULTILINE | re.DOTALL)
    for path in ROOT.glob("docs/*.md"):
        texts += re.findall(r"^```\w*\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL)
    for number, text in enumerate(texts):
        (folder / f"seed-{number}").write_text(text)


def _quoted(word: str) -> str:
    """Write *word* as libFuzzer reads it."""
    return "".join(mark if mark.isalnum() else f"\\x{ord(mark):02x}" for mark in word)


def main() -> None:
    """Run libFuzzer with the arguments of the command line."""
    with tempfile.TemporaryDirectory() as made:
        corpus, words = Path(made, "corpus"), Path(made, "words.dict")
        corpus.mkdir()
        _seeds(corpus)
        words.write_text("".join(f'"{_quoted(word)}"\n' for word in (*sorted(KEYWORDS), *MARKS)))
        given = sys.argv[1:]
        files = [one for one in given if not one.startswith("-")]
        options = [one for one in given if one.startswith("-")] or ["-max_total_time=300"]
        defaults = [f"-dict={words}", "-max_len=4096", "-timeout=10", "-rss_limit_mb=2048"]
        atheris.Setup([sys.argv[0], *defaults, *options, *(files or [str(corpus)])], one_text)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
