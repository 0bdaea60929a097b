"""The way through the parser's tables: in C it is what it is in Python, whatever the text."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from ringful.grammar.reading import parser
from ringful.grammar.reading.moves import compiled, plain
from ringful.grammar.reading.moves.steps import tables_of
from tests.grammar.test_direct import alike

SOURCES = Path(compiled.__file__).parent / "csrc"
TABLES = cache(lambda: tables_of(parser.lark()))
COMPILED = cache(lambda: compiled.by(TABLES(), compiled.load()))
RIGHT = """\
call "15125550001" ring 30s  # who is \N{BELL}
menu tries 2 for 1.5m {\r
    prompt { say "{name}: \\"{a.b[0] + length(c)}\\" \\{" }

\t"1*" { let x = (-1 + 2) * [1,2,\n3][0]; hangup } # done
}
"""
PIECES = [
    *("say ", "if ", "else ", "menu ", "not(", "x(", "x", "ESCAPE", "LITERAL", "1", "1.5s", "5x", "é"),
    *('"', "{", "}", "\\", "(", ")", "[", "]", "..", "=", "!", "#", ";", ",", "\N{BELL}"),
    *("\n", "\0", "\r", "\t", "\x0b", " "),
]


def test_a_text_that_is_cut_anywhere_and_one_that_lacks_anything() -> None:
    assert COMPILED()(RIGHT) is not None
    for at in range(len(RIGHT) + 1):
        assert alike(RIGHT[:at])
        assert alike(RIGHT[:at] + RIGHT[at + 1 :])


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(RIGHT)), st.lists(st.sampled_from(PIECES), max_size=6).map("".join))
def test_a_text_with_anything_in_it(at: int, said: str) -> None:
    assert alike(RIGHT[:at] + said + RIGHT[at:])
    assert alike(said)


def test_a_text_of_many_moves() -> None:
    text = f"let x = [{'1,' * 5000}]\n"
    way = COMPILED()(text)
    assert way is not None
    assert len(list(way.moves)) > len(text) * 1.4
    assert alike(text)


def test_the_words_of_the_parser_in_a_text_are_a_text() -> None:
    script = parser.parse('say "{caller}ESCAPE"\nsay "{caller}LITERAL"\n')
    assert [one.text.parts[1] for one in script.body.statements] == ["ESCAPE", "LITERAL"]  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["say 1  ", "say 1\t", "\n ", " ", ""])
def test_blanks_at_the_end_are_nothing(text: str) -> None:
    assert COMPILED()(text) is not None
    assert alike(text)


NONSENSE = """
import random, sys
from pathlib import Path
from ringful.grammar.reading import parser
from ringful.grammar.reading.moves import compiled
go = compiled.by(parser._tables(), compiled.load(Path(sys.argv[1])))
chance, pieces = random.Random(1), eval(sys.stdin.read())
for turn in range(5_000):
    go("".join(chance.choices(pieces, k=chance.randrange(40))))
for bracket in ("(", "[", '"{', "if true {", "menu {", "-", "not "):
    go("let x = " + bracket * 30_000)
print("all read")
"""


def test_nonsense_under_sanitizers(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    assert compiler, "there is no C compiler: apt-get install gcc"
    built = tmp_path / "libmoves.so"
    options = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-g", "-O1", "-fPIC", "-shared"]
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    subprocess.run(
        [compiler, *options, *sanitizers, "-o", str(built), *map(str, SOURCES.glob("*.c"))], check=True
    )
    asan = subprocess.run(
        [compiler, "-print-file-name=libasan.so"], check=True, capture_output=True, text=True
    )
    done = subprocess.run(
        [sys.executable, "-c", NONSENSE, str(built)],
        input=repr([*PIECES, RIGHT]),
        env={**os.environ, "LD_PRELOAD": asan.stdout.strip(), "ASAN_OPTIONS": "detect_leaks=0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "all read\n"), done.stderr


def test_what_is_installed_is_what_the_sources_say() -> None:
    """A test of an older build would hold nothing."""
    newest = max(path.stat().st_mtime for path in SOURCES.glob("*.[ch]"))
    assert compiled.COMPILED.stat().st_mtime > newest, "make install, to compile it anew"


@pytest.mark.parametrize("content", [None, b"", b"not a library"])
def test_without_the_compiled_part_scripts_are_read_in_python(
    tmp_path: Path, content: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "libmoves.so"
    if content is not None:
        path.write_bytes(content)
    load = compiled.load
    monkeypatch.setattr(compiled, "load", lambda: load(path))
    with pytest.raises(compiled.NoCompiled, match="its part in C cannot be loaded: "):
        compiled.load()
    went: list[str] = []
    go = plain.go
    monkeypatch.setattr(plain, "go", lambda text, tables: went.append(text) or go(text, tables))
    parser._go.cache_clear()
    try:
        assert parser.parse("hangup\n").body.statements
    finally:
        parser._go.cache_clear()
    assert went == ["hangup\n"]


def test_a_library_of_another_build_is_not_taken(tmp_path: Path) -> None:
    source, built = tmp_path / "other.c", tmp_path / "libmoves.so"
    source.write_text("int moves_of(void *memory, int count) { return memory && count; }\n")
    compiler = shutil.which("cc")
    assert compiler
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(built), str(source)], check=True)
    with pytest.raises(compiled.NoCompiled, match="moves_trust"):
        compiled.load(built)


def test_a_library_that_is_older_than_its_sources_is_not_taken(tmp_path: Path) -> None:
    built = tmp_path / "libmoves.so"
    shutil.copy2(compiled.COMPILED, built)
    assert compiled.load(built)
    source = tmp_path / "csrc" / "moves.c"
    source.parent.mkdir()
    source.touch()
    with pytest.raises(compiled.NoCompiled, match="older than its sources: make install"):
        compiled.load(built)


def test_tables_that_c_cannot_go_by_are_not_taken() -> None:
    tables = TABLES()
    with pytest.raises(compiled.NoCompiled, match="look otherwise"):
        compiled.by(evolve(tables, patterns={**tables.patterns, "NAME": "[a-z]+"}), compiled.load())
    with pytest.raises(compiled.NoCompiled, match="lead out"):
        compiled.by(evolve(tables, start=len(tables.steps) + 7), compiled.load())
