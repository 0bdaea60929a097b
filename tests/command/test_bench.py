"""`ringful bench`: it gives every figure, whatever the figures are."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ringful.bench.figures import Effort, Figure, milliseconds, rates, shown
from ringful.bench.machine import this_machine
from ringful.bench.report import line
from ringful.bench.texts import long_script
from ringful.bench.workloads import WORKLOADS
from ringful.grammar.checking.checker import check
from ringful.grammar.reading.parser import parse
from ringful.media.front.process import installed
from tests.typed import ringful

TINY = ("--rounds", "2", "--seconds", "0.01", "--runs", "20")

FIGURES = {
    "language": {
        "parsed": "lines/s",
        "checked": "lines/s",
        "parsed and checked": "lines/s",
        "shown": "lines/s",
    },
    "cases": {
        "cases": "cases/s",
        "cases, script parsed": "cases/s",
        "an hour of a call": "ms",
        "an hour of a call, script parsed": "ms",
    },
    "statements": {
        "pure statements": "statements/s",
        "statements on a leg": "statements/s",
        "journal lines": "lines/s",
    },
    "requests": {
        "requests, Mute": "requests/s",
        "requests, Play": "requests/s",
        "requests, Call": "requests/s",
        "callbacks": "callbacks/s",
    },
    "idle": {"an idle run, resident": "bytes", "an idle run, allocated": "bytes"},
    "store": {
        "durable writes, 1 task": "writes/s",
        "durable writes, 16 tasks": "writes/s",
        "durable writes, 128 tasks": "writes/s",
        "durable writes, 1,024 tasks": "writes/s",
        "a call's writes": "ms",
    },
    "messages": {
        "accepted messages": "messages/s",
        "submits, SMPP alone": "submits/s",
        "submits of a server": "submits/s",
    },
    "front": {
        "ringing to the workers, p50": "ms",
        "ringing to the workers, p99": "ms",
        "ringing by the front, p50": "ms",
        "ringing by the front, p99": "ms",
        "Kamailio, a call": "ms",
        "Kamailio, a call of 100/s": "ms",
        "calls lost": "calls",
    },
}


def test_the_installed_command_gives_every_figure_as_json(tmp_path):
    command = Path(sys.executable).with_name("ringful")
    done = subprocess.run(
        [command, "bench", "--json", "-", *TINY, "--folder", tmp_path], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    found: dict[str, dict[str, str]] = {}
    for one in told["figures"]:
        found.setdefault(one["workload"], {})[one["name"]] = one["unit"]
        assert len(one["rounds"]) == 2
        assert one["least"] <= one["median"] <= one["most"]
        assert one["about"]
        # So few runs may fit into what the process has, and so short a round end before a commit.
        small = one["workload"] in ("store", "messages", "front")
        assert one["median"] > 0 or small or "resident" in one["name"]
    if not installed():
        found["front"] = FIGURES["front"]
    assert found == FIGURES
    assert told["machine"]["cpu"]
    assert told["machine"]["cores"] >= 1
    assert not list(tmp_path.iterdir()), "the databases that were measured stay nowhere"


def test_every_workload_is_known_here():
    assert WORKLOADS.keys() == FIGURES.keys()


def test_figures_are_shown_with_the_machine_and_written_as_a_page(capsys, tmp_path):
    page = tmp_path / "figures.md"
    output, errors, code = ringful(capsys, "bench", "language", *TINY, "--write", str(page))
    assert (errors, code) == ("", 0)
    machine, *lines = output.splitlines()
    # The load may be another by now.
    assert machine.partition("; load ")[0] == str(this_machine()).partition("; load ")[0]
    assert [one.split("  ")[0] for one in lines] == list(FIGURES["language"])
    written = page.read_text(encoding="utf-8")
    assert f"Machine: {machine}" in written
    assert all(f"| {name} | " in written for name in FIGURES["language"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["languag"], "there is no workload `languag`; did you mean `language`?"),
        (
            ["all"],
            "there is no workload `all`; there are: "
            "language, cases, statements, requests, idle, store, messages, front",
        ),
        (["language", "--rounds", "0"], "--rounds and --runs are at least 1, and --seconds is more than 0"),
        (
            ["language", "--seconds", "nan"],
            "--rounds and --runs are at least 1, and --seconds is more than 0",
        ),
        (["store", "--folder", "/nowhere"], "/nowhere: there is no such folder"),
        (["store", "--write", "/nowhere/figures.md"], "/nowhere: there is no such folder"),
    ],
)
def test_what_cannot_be_measured_is_told(capsys, arguments, said):
    assert ringful(capsys, "bench", *arguments) == ("", f"ringful: {said}\n", 2)


def test_figures_are_kept_and_compared(capsys, tmp_path):
    kept = tmp_path / "figures.json"
    assert ringful(capsys, "bench", "idle", *TINY, "--json", str(kept))[1:] == ("", 0)
    told = json.loads(kept.read_text(encoding="utf-8"))
    for one in told["figures"]:
        one["median"] = 1.0
    kept.write_text(json.dumps(told), encoding="utf-8")
    output, errors, code = ringful(capsys, "bench", "idle", *TINY, "--compare", str(kept))
    assert (errors, code) == ("", 0)
    assert all(re.search(r" x[\d.]+ of before$", one) for one in output.splitlines()[1:])


def test_rates_are_taken_in_rounds_and_the_first_turn_is_not_counted():
    turns = []

    def work():
        turns.append(len(turns))
        return 10

    each = rates(work, Effort(rounds=3, seconds=0.001))
    assert len(each) == 3
    assert min(each) > 0
    assert len(turns) >= 4


def test_a_figure_is_its_median_and_its_spread():
    figure = Figure("cases", "cases/s", (1000.0, 3000.0, 2000.4), "three")
    assert figure.median == 2000.4
    assert figure.spread == "1,000 to 3,000"
    assert "2,000 cases/s" in line(figure)
    assert "(1,000 to 3,000 in 3 rounds)" in line(figure)
    assert line(Figure("one", "ms", (1.0,), "once")).endswith("(one round)")
    assert milliseconds((100.0, 50.0)) == (10.0, 20.0)
    assert shown(0.01234) == "0.0123"


def test_the_long_script_is_a_good_one():
    text = long_script(300)
    assert 250 < text.count("\n") < 350
    assert check(parse(text)) == ()
