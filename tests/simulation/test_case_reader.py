"""Whatever stands in a case's file, reading it gives a case or a complaint with its place."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringful.grammar.errors import Problem, ScriptError
from ringful.simulation.cases.reader import parse_case, read_case
from ringful.simulation.cases.unused import unused
from ringful.simulation.cases.verdicts import find_cases, try_cases
from ringful.simulation.cases.writer import show_case
from ringful.simulation.simulate import run_case

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


GIVES_TOO_MUCH = """script {
    inbound "+18005550000"
    say "hello"
    ask "http://h/a" as got for 5s
    hangup
}
sound "hello" 3s
sound "helo" 3s
missing "http://h/b.wav"
recording fails "x"
web "http://h/a" -> 5
web "http://h/b" -> 5
sms "+1512" -> taken
phone "+15125551234" {
    calls "+18005550000"
    press "1" when "helo" ends after 1s
}
phone "+15125551235" {
    calls "+18005550000"
    press "1" after 1s
    press "2" after 1h
}
phone "+15125551236" {
    calls "+18005550001"
}
phone "*" {
}
---
"""


def test_what_nothing_uses_is_told_by_name(tmp_path: Path) -> None:
    case = parse_case(GIVES_TOO_MUCH, tmp_path / "a.golden")
    assert unused(run_case(case)) == [
        'line 8: `sound "helo"`: nothing played it',
        'line 9: `missing "http://h/b.wav"`: nothing played it',
        "line 10: `recording fails`: nothing was recorded",
        'line 12: `web "http://h/b"`: nothing asked there',
        'line 13: `sms "+1512"`: no message went there',
        'line 16: `press "1" when "helo" ends after 1s`: "helo" was not heard; this phone heard "hello"',
        'line 21: `press "2" after 1h`: it was not done, since the call was over before',
        'line 23: `phone "+15125551236"` calls +18005550001, and nobody answers there',
        'line 26: `phone "*"`: nothing called it',
    ]


def test_what_a_folder_shares_need_not_be_used_by_each_case(tmp_path: Path) -> None:
    (tmp_path / "shared.given").write_text(
        'sound "x" 3s\nweb "http://h/b" -> 5\nphone "1" {\n    answer\n}\n'
    )
    case = parse_case('script {\n    notify "http://h/a"\n}\n---\n', tmp_path / "a.golden")
    assert unused(run_case(case)) == []


def test_a_case_in_which_nobody_reaches_the_script_fails(tmp_path: Path) -> None:
    text = (
        'script {\n    inbound "+18005550000"\n    answer\n}\nphone "1" {\n    calls "+18005550009"\n}\n---\n'
    )
    with pytest.raises(ScriptError, match="phones call \\+18005550009"):
        run_case(parse_case(text, tmp_path / "a.golden"))


MOVED = """script {
    call "15125551234" notify "http://h/call"
    say "Hello."
    follow "http://h/next" for 5s
    let x = none.part
}
web "http://h/next" -> script {
    paly "x"
}
phone "+15125551234" {
    answer after 1s
}
"""


def test_a_comment_above_a_script_fails_nothing_and_drowns_no_change(tmp_path: Path) -> None:
    path = tmp_path / "a.golden"
    path.write_text(f"unchecked\n{MOVED}---\n")
    assert [one.state for one in try_cases([path], update=True)] == ["updated"]
    trace = path.read_text().partition("\n---\n")[2]
    assert "column=" in trace
    assert ":4:" in trace
    commented = MOVED.replace(
        "script {\n    call", "script {\n    # Said to all.\n    # Or to some.\n    call"
    )
    path.write_text(f"unchecked\n{commented}---\n{trace}")
    (verdict,) = try_cases([path])
    assert (verdict.state, verdict.said) == ("passed", "")
    path.write_text(f"unchecked\n{commented.replace('Hello.', 'Hallo.')}---\n{trace}")
    (verdict,) = try_cases([path])
    assert verdict.state == "failed"
    assert [line for line in verdict.said.splitlines() if line.startswith(("- ", "+ "))] == [
        '- 00:01.000  call-1  say           "Hello."  @script:2',
        '+ 00:01.000  call-1  say           "Hallo."  @script:4',
        '- 00:01.400  call-1  played        "Hello."',
        '+ 00:01.400  call-1  played        "Hallo."',
    ]
    path.write_text(f"unchecked\n{commented}---\n{trace}")
    assert [one.state for one in try_cases([path], update=True)] == ["updated"]
    assert "@script:4" in path.read_text()
