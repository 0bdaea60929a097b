"""No call lasts longer than its bound: golden cases and random scripts are run, and held against it."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringful.grammar.bounds.bound import Limits, longest
from ringful.interpreter import events
from ringful.interpreter.run import Run
from ringful.simulation.cases.case import Case
from ringful.simulation.cases.reader import parse_case, read_case
from ringful.simulation.cases.verdicts import find_cases
from ringful.simulation.simulate import run_case

ROOT = Path(__file__).parents[2]
CASES = find_cases((ROOT / "tests/golden/run", ROOT / "scripts/cases"))


def up_for(run: Run) -> float:
    """Give the seconds that the script's own leg was up."""
    leg = run.subject
    return 0.0 if leg is None or leg.answered_at is None else (leg.ended_at or run.now) - leg.answered_at


def bound_of(case: Case) -> float:
    sounds = {name: round(seconds * 1000) for name, seconds in case.lengths.items()}
    bound = longest(case.source.script, case.source.used_scripts, Limits(sounds=sounds))
    return bound.legs[0].talking / 1000


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_no_case_lasts_longer_than_its_bound(path: Path) -> None:
    case = read_case(path)
    if any(isinstance(event, events.Queued) for _, event in case.requests):
        return  # What is queued through REST is not counted.
    simulation = run_case(case)
    run = simulation.run
    if run.subject is not None:
        assert up_for(run) <= bound_of(case) + 0.001
    sent = [one for one in simulation.entries if (one.call_id, one.name) == (run.call_id, "SendMessage")]
    bound = longest(case.source.script, case.source.used_scripts)
    counts = [one.count for one in bound.messages if one.sent]
    if not bound.follows and None not in counts:
        assert len(sent) <= sum(count or 0 for count in counts)


_seconds = st.integers(1, 9)
_leaf = st.one_of(
    st.builds("wait {}s".format, _seconds),
    st.builds('wait tone "1,2" as key for {}s else {{ wait 1s }}'.format, _seconds),
    st.builds('say "{}"'.format, st.sampled_from(["Hello.", "Good bye, then.", "One 2 three."])),
    st.builds('play "http://h/a" until "{}" times {}'.format, st.sampled_from("123"), st.integers(1, 3)),
    st.builds("record for {}s silence 2s".format, _seconds),
    st.just('tone "12#"'),
    st.builds(
        'gather digits digits {}..4 for {}s tries {} {{ say "Keys." }}'.format,
        st.integers(1, 4),
        _seconds,
        st.integers(1, 3),
    ),
    st.just('ask "http://h/ask" as answer for 3s else { wait 1s }'),
    st.just("hangup"),
    st.just('if key == "1" { hangup }'),
)
_few = st.lists(_leaf, min_size=1, max_size=3).map("; ".join)
_block = st.one_of(
    _leaf,
    st.builds("repeat {} times {{ {}; wait 1s }}".format, st.integers(1, 3), _few),
    st.builds('repeat 2 times {{ {}; if key == "2" {{ break }}; wait 1s }}'.format, _few),
    st.builds("for one in [1, 2] {{ {} }}".format, _few),
    st.builds('if key == "2" {{ {} }} else {{ {} }}'.format, _few, _few),
    st.builds(
        'menu tries {} for {}s {{ prompt {{ {} }} "1" {{ {} }} timeout {{ {} }} otherwise {{ {} }} }}'.format,
        st.integers(1, 3),
        _seconds,
        _few,
        _few,
        _few,
        _few,
    ),
    st.just("do pause()"),
)
_press = st.builds('    press "{}" after {}ms\n'.format, st.sampled_from("123#"), st.integers(1, 15_000))


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(_block, min_size=1, max_size=5), st.lists(_press, max_size=12), st.booleans())
def test_no_random_script_lasts_longer_than_its_bound(
    blocks: list[str], presses: list[str], web: bool
) -> None:
    lines = [*blocks, "hangup", "flow pause() {", '    if caller == "1" { return }', "    wait 2s", "}"]
    script = "".join(f"    {line}\n" for line in ['call "+15125550001"', 'let key = "2"', *lines])
    answer = '{"ok": true}' if web else 'fails "no"'
    text = (
        f'script {{\n{script}}}\nsound "http://h/a" 4s\nweb "http://h/ask" -> {answer} after 2s\n'
        f'phone "+15125550001" {{\n    answer after 1s\n{"".join(presses)}}}\n---\n'
    )
    case = parse_case(text, Path("random.golden"))
    assert up_for(run_case(case).run) <= bound_of(case) + 0.001


# What holds a call up longest, and the keys that do so: each with the milliseconds after the one before.
WORST: dict[str, list[tuple[str, int]]] = {
    "gather digits digits 4 for 8s tries 2": [
        ("2", after) for after in (7900, 4900, 4900, 12_800, 4900, 4900)
    ],
    'menu tries 3 for 6s { "1" { wait 20s } timeout { wait 5s } otherwise { wait 1s } }': [("1", 27_900)],
    'wait tone "1" as key for 9s else { wait 7s }': [],
    "repeat 3 times { gather d digits 1 for 4s tries 2 { wait 3s } }": [],
    "record for 30s silence 40s": [],
    'ask "http://h/none" as answer for 7s else { do pause() }': [],
    'menu tries 2 for 5s { prompt { wait 10s } "1" { wait 9s } otherwise { wait 8s } }': [
        ("2", 14_900),
        ("1", 22_900),
    ],
}


@pytest.mark.parametrize("statement", WORST)
def test_who_takes_all_the_time_there_is_comes_near_the_bound(statement: str) -> None:
    keys = "".join(f'    press "{tone}" after {after}ms\n' for tone, after in WORST[statement])
    script = f'    call "+15125550001"\n    {statement}\n    hangup\n    flow pause() {{ wait 6s }}\n'
    text = (
        f'script {{\n{script}}}\nweb "http://h/none" -> "late" after 1m\n'
        f'phone "+15125550001" {{\n    answer after 1s\n{keys}    speak 1m\n}}\n---\n'
    )
    case = parse_case(text, Path("worst.golden"))
    assert 0.95 * bound_of(case) <= up_for(run_case(case).run) <= bound_of(case)
