"""Whatever stands in a case's file, reading it gives a case or a complaint with its place."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringful.grammar.errors import Problem, ScriptError
from ringful.simulation.cases.reader import parse_case, read_case
from ringful.simulation.cases.verdicts import find_cases
from ringful.simulation.cases.writer import show_case

RUN = Path(__file__).parents[1] / "golden" / "run"
CASES = find_cases((RUN,))
LINES = sorted({line for path in CASES for line in path.read_text().partition("\n---\n")[0].splitlines()})
words = sorted({word for line in LINES for word in line.split(" ")})
noise = st.one_of(st.sampled_from(words), st.text(max_size=8))
lines = st.one_of(
    st.sampled_from(LINES),
    st.lists(noise, max_size=8).map(" ".join),
    st.tuples(st.sampled_from(LINES), st.integers(0, 60), noise).map(
        lambda made: made[0][: made[1]] + made[2] + made[0][made[1] :]
    ),
)


def complaints(text: str) -> tuple[Problem, ...]:
    """Read *text*; give what is wrong with it."""
    try:
        case = parse_case(text, RUN / "x.golden")
    except ScriptError as error:
        return error.problems
    except OSError as error:
        # A name that no file can have.
        return (Problem("file", str(error.strerror)),)
    assert show_case(parse_case(show_case(case), RUN / "x.golden")) == show_case(case)
    return ()


@settings(max_examples=400, deadline=None)
@given(st.lists(lines, max_size=12))
def test_any_lines_give_a_case_or_a_located_complaint(given_lines: list[str]) -> None:
    text = "\n".join(given_lines)
    for problem in complaints(text):
        assert problem.message
        assert problem.span.line <= text.count("\n") + 1 or problem.span.path != str(RUN / "x.golden")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('phone "1" {\n    press "1" when "x" ends 0 times\n}', "at least once"),
        ('always pots "http://h"', "did you mean `post`?"),
        ("never", 'write e.g. `never post "https://shop.example/over"`'),
        ("always post http://h", "cannot be read"),
        ('never dance "x"', "nothing that a trace says"),
        ("inject web answers {no at step 3", "`{no` is no value"),
        ("inject hang up at 3", "`3` is no duration"),
        ("inject web answers at step 3", "cannot be read"),
        ('phone "1" {\n    answer after 99999h\n}', "`99999h` is too long"),
        ('phone "1" {\n    answer after 5\n}', "`5` is no duration"),
        ('phone "1" {\n    press "x"\n}', 'write e.g. `press "12#" every 300ms`'),
        ('phone "1" {\n    press "1" when "x" end\n}', "`end` is no moment of a sound"),
        ('phone "1" {\n    press "1" when "x" ends at 3s\n}', "write one of them"),
        ('phone "1" {\n    answer now\n}', "`now` cannot be read here"),
        ('phone "1" {\n    answer\n    calls "2"\n}', "does so first"),
        ('phone "1" {\n    calls "2"\n    answer\n}', "cannot `answer`"),
        ('phone "1" {\n    text "2" "x"\n}', "did you mean `texts`?"),
        ('phone "1" {\n    texts "2"\n}', 'write e.g. `texts "+15125550000" "JOIN now" after 1s`'),
        ('phone "*" {\n    texts "2" "x"\n}', "a phone that texts has a number"),
        ('phone "1" {\n    texts "2" "x" after soon\n}', "`soon` is no duration"),
        ('phone "1" {\n    replies when "x" comes\n}', 'write e.g. `replies "YES" when'),
        ('phone "1" {\n    refuses calls\n}', "write `refuses transfers`, or `refuses texts"),
        ('phone "1" {\n    wants texts\n}', "write `wants no texts`"),
        ('phone "1" {\n    gives receipts\n}', "write `gives no receipts`"),
        ('sms "1" -> refused sepnt', "did you mean `spent`?"),
        ('sms "1" -> lost', 'write e.g. `sms "+15125551234" -> refused capacity'),
        (f"param a = {'[' * 100_000}", "is no value"),
        ("param a = ", "write e.g."),
        ("case", "has no title"),
        ("unchecked please", "stands alone"),
        ("script nowhere.call", "the folder has: greeting.call"),
        ('web "http://h" -> maybe', "`maybe` is no value"),
        ("inject hangup at step 3", "write e.g. `inject hang up"),
        ("inject press 5 at step 3", "write e.g."),
        ("recording fails because", "write e.g. `recording fails"),
        ('script {\n    call "1"\n    sya "x"\n}', "x.golden:4:5"),
        ('script {\n    call "1"', "no closing `}`"),
    ],
)
def test_a_complaint_says_what_would_do(line: str, said: str) -> None:
    script = "#\n" if line.startswith("script {") else 'script {\n    call "1"\n}\n'
    with pytest.raises(ScriptError) as caught:
        parse_case(f"{script}{line}\n---\n", RUN / "x.golden")
    assert said in str(caught.value)


def test_a_case_without_anything_wrong_is_read() -> None:
    for path in CASES:
        assert read_case(path).title
