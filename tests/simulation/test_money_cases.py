"""Cases about money: read as they are written, never dearer than their cap, and the same in every zone."""

import os
import re
import time
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve

from ringful.grammar.errors import ScriptError
from ringful.simulation.cases.case import Injection
from ringful.simulation.cases.reader import parse_case, read_case
from ringful.simulation.cases.writer import show_case
from ringful.simulation.invariants import broken
from ringful.simulation.replay.replay import replay
from ringful.simulation.simulate import KEY, Simulation

CASES = sorted((Path(__file__).parents[1] / "golden" / "run").glob("money_*.golden"))
SCRIPT = (
    'script {\n    call "15125551234" notify "http://h"\n    stay for 100s\n}\nphone "*" {\n    answer\n}\n'
)
here = Path("case.golden")


def went(case):
    simulation = Simulation(case)
    simulation.go()
    return simulation


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_whatever_happens_the_bills_are_within_the_cap(path):
    case = read_case(path)
    legs = {entry.data["leg"] for entry in went(case).entries if entry.name == "Priced"}
    for step in range(1, 40):
        for leg in legs:
            for what in ("hang up", "now hangup", "lose"):
                found = went(evolve(case, injections=[Injection(what, step, leg)]))
                bills = sum((run.bill for run in found.runs.values()), Decimal(0))
                assert case.cap is None or bills <= case.cap
                assert found.till.ledger.committed(KEY, found.agenda.now) == bills
                assert not list(broken(found.entries))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Pacific/Apia"])
def test_the_zone_of_the_machine_changes_nothing(zone, monkeypatch):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for path in CASES:
            case = read_case(path)
            assert went(case).trace == case.below
    finally:
        monkeypatch.undo()
        time.tzset()
    assert os.environ.get("TZ") != zone


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_is_shown_as_it_is_read(path):
    case = read_case(path)
    again = parse_case(show_case(case), path)
    assert (again.rates, again.cap, again.clock) == (case.rates, case.cap, case.clock)
    placeless = [re.sub(r"  @\S+", "", went(one).trace) for one in (case, again)]
    assert placeless[0] == placeless[1]


def test_a_call_that_is_replayed_costs_what_it_cost_and_ends_for_want_of_money():
    case = parse_case(
        'rate "" per_minute 6\nrate "1512" per_minute 0.6 connection 0.01\ncap 0.06\n' + SCRIPT, here
    )
    found = went(case)
    again = replay(found.entries, None)
    assert (again.difference, again.notes) == ([], [])
    assert "billAmount=0.06" in again.trace
    assert "(spending cap)" in again.trace


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("rate 1512", 'write e.g. `rate "1512" per_minute 0.012'),
        ('rate "x" per_minute 1', "prefix: expected digits such as 1512, not 'x'"),
        ('rate "" per_minute', "`per_minute` has no value"),
        ('rate "" per_minute -1', "per_minute: expected an amount such as 0.012, not '-1'"),
        ('rate "" price 1', "a key: expected one of the keys prefix, direction, per_minute"),
        ('rate "" per_minute 1 first 0', "first: expected a whole number of at least 1, not 0"),
        ('rate "1" per_minute 1', "no row says what outbound calls of all other numbers cost"),
        ("rates none.csv", "there is no file `none.csv`"),
        ("cap much", "`much` is no cap: expected an amount such as 0.012"),
        ("clock now", 'write e.g. `clock "2026-03-29T00:59:50Z"`'),
        ('clock "noon"', "expected a time such as 2026-03-01"),
    ],
)
def test_a_line_about_money_that_is_wrong_is_told(line, said):
    with pytest.raises(ScriptError) as refused:
        parse_case(f"{line}\n{SCRIPT}", here)
    (problem,) = refused.value.problems
    assert said in f"{problem.message} {problem.hint}"


def test_no_file_is_read_for_a_stranger(tmp_path):
    (tmp_path / "r.csv").write_text("prefix,per_minute\n,1\n")
    assert parse_case(f"rates r.csv\n{SCRIPT}", tmp_path / "a.golden").rates
    with pytest.raises(ScriptError, match="no file can be named here"):
        parse_case(f"rates r.csv\n{SCRIPT}", tmp_path / "a.golden", alone=True)
