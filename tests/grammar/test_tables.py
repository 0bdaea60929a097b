"""The parser's tables are kept, and whatever is wrong with what was kept does no harm."""

import subprocess
import sys

import pytest

from ringful.grammar.reading import tables
from ringful.grammar.reading.known import Reading, begin
from ringful.grammar.reading.layout import Layout

TEXT = 'call "15125550001"\nplay "a" + b until "1,2"\nhangup\n'


def made(kept):
    return tables.parser_with(kept, start="script", postlex=Layout(), keep_all_tokens=True)


def read(parser):
    begin(Reading())
    return parser.parse(TEXT)


@pytest.fixture
def anew(monkeypatch):
    """Count how often the tables are worked out from the grammar."""
    turns = []
    load = tables.Lark.__init__.__globals__["load_grammar"]

    def counted(*args):
        turns.append(args)
        return load(*args)

    monkeypatch.setitem(tables.Lark.__init__.__globals__, "load_grammar", counted)
    return turns


def test_the_tables_are_made_once_and_read_as_they_were_made(tmp_path, anew):
    kept = tmp_path / "new" / "call.tables"
    first, second = read(made(kept)), read(made(kept))
    assert first == second
    assert len(anew) == 1
    assert kept.stat().st_size > 10_000


@pytest.mark.parametrize("part", [0, 10, 1000, 100_000])
def test_a_file_that_was_cut_off_is_made_anew(tmp_path, anew, part):
    kept = tmp_path / "call.tables"
    whole = read(made(kept))
    kept.write_bytes(kept.read_bytes()[:part])
    assert read(made(kept)) == whole
    assert len(anew) == 2
    assert read(made(kept)) == whole
    assert len(anew) == 2


def test_tables_made_with_other_options_are_not_used(tmp_path, anew):
    kept = tmp_path / "call.tables"
    made(kept)
    tables.parser_with(kept, start="block", postlex=Layout(), keep_all_tokens=True)
    assert len(anew) == 2


def test_where_nothing_can_be_kept_they_are_made_every_time(tmp_path, anew):
    nowhere = tmp_path / "file" / "call.tables"
    nowhere.parent.write_text("no folder")
    assert read(made(nowhere)) == read(made(nowhere))
    assert len(anew) == 2


def test_processes_that_begin_at_once_do_not_spoil_it(tmp_path):
    kept = tmp_path / "call.tables"
    program = f"""
import pathlib
from ringful.grammar.reading import tables
from ringful.grammar.reading.layout import Layout
tables.parser_with(pathlib.Path({str(kept)!r}), start="script", postlex=Layout(), keep_all_tokens=True)
"""
    children = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(4)]
    assert [child.wait() for child in children] == [0] * 4
    assert read(made(kept)) == read(made(tmp_path / "other.tables"))
