"""The loop over Lark's tables makes of every right text what Lark makes, and of no wrong one anything."""

import re
from functools import cache
from pathlib import Path

from attrs import asdict, fields
from hypothesis import HealthCheck, given, settings

from ringful.grammar import nodes
from ringful.grammar.reading import direct
from ringful.grammar.reading.direct import LONGEST_WORD, read_directly
from ringful.grammar.reading.known import Reading, begin
from ringful.grammar.reading.moves import compiled, plain
from ringful.grammar.reading.moves.steps import tables_of
from ringful.grammar.reading.parser import lark, read
from ringful.grammar.showing.printer import show
from ringful.grammar.walk import children, walk
from tests import trees

ROOT = Path(__file__).parents[2]
TABLES = cache(lambda: tables_of(lark()))
SCRIPT = re.compile(r"^script \{\n(.*?)^\}\n", re.MULTILINE | re.DOTALL)


COMPILED = cache(lambda: compiled.by(TABLES(), compiled.load()))


def alike(text: str) -> bool:
    """Say whether the ways in C and in Python are the same."""
    in_c, in_python = COMPILED()(text), plain.go(text, TABLES())
    if in_c is None or in_python is None:
        return in_c is in_python
    return (list(in_c.moves), in_c.depth) == (in_python.moves, in_python.depth)


def height(script: nodes.Script) -> int:
    """Give how many nodes stand in one another at most."""
    level: list[nodes.Node] = [script]
    for count in range(1000):
        if not level:
            return count
        level = [child for one in level for child in children(one)]
    raise AssertionError


def whole(script: nodes.Script) -> list[object]:
    """Give all of a tree, what does not count when trees are compared too."""
    return [
        (type(node), *(getattr(node, one.name) for one in fields(type(node)) if not one.eq))
        for node in walk(script)
    ] + [asdict(script, recurse=False)]


def held(text: str) -> bool:
    """See that both make the same of *text*; say whether they made anything."""
    assert alike(text)
    slow, _, problems = read(text, "")
    reading = Reading()
    begin(reading)
    fast = read_directly(text, reading, TABLES(), COMPILED())
    if slow is None or problems:
        assert fast is None or reading.problems
        return False
    assert fast == slow
    assert whole(fast) == whole(slow)
    assert height(slow) <= 2 * reading.depth
    return not reading.problems


def test_texts_that_were_written_for_other_tests() -> None:
    paths = [*ROOT.glob("scripts/*.call"), *ROOT.glob("tests/golden/parse/*.golden")]
    texts = [part for path in paths for part in re.split(r"^== .*\n", path.read_text(), flags=re.MULTILINE)]
    right = [held(text) for text in texts]
    assert 20 < sum(right) < len(right) - 20
    cases = [SCRIPT.search(path.read_text()) for path in ROOT.glob("tests/golden/run/a_*.golden")]
    assert all(held(case[1]) for case in cases if case)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(trees.scripts)
def test_any_script(script: nodes.Script) -> None:
    assert held(show(script))


def test_what_is_remembered_of_texts_is_short() -> None:
    long, short = "a" * (LONGEST_WORD + 1), "b" * 20
    for name in (long, short):
        held(f"let {name} = 1\n")
    known = {said for _, said in direct._words}
    assert long not in known
    assert short in known
