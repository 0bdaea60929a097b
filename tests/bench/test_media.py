"""`ringful bench media`: what it reckons, and that it measures real calls.  No test minds times."""

import json
import os
import re
from math import isnan
from xml.etree import ElementTree

import pytest
from attrs import evolve

from ringful.bench.earlier import ratio, read_earlier
from ringful.bench.figures import Figure
from ringful.bench.media import loads, measured, results
from ringful.bench.media.heard import Heard, Lateness
from ringful.bench.media.jobs import Job
from ringful.bench.media.loads import Shape, Talk, Work, leg_name
from ringful.bench.media.measured import Usage, Window
from ringful.bench.media.peer import hertz_of
from ringful.bench.media.picture import picture
from ringful.bench.media.results import Measure
from ringful.bench.pace import Pace
from ringful.ground.complaint import Complaint
from tests.typed import ringful

WINDOW = Window(100.0, 110.0, 300.0, 60.0, 90.0, 5000.0, 3, 75.5)
LATE = Lateness(1.5, 4.0)
MS = 1_000_000


def job(name: str = "a", began: float = 101.0, **more: object) -> Job:
    good = {"answered": began + 0.5, "ended": began + 6, "tone": "1", "recorded_ms": 2010, "level_db": -25.0}
    return Job(name, began, **{"key_ns": 5_000 * MS, **good, **more})


def heard(name: str = "a", **more: object) -> Heard:
    good = {"packets": 280, "first_frames": 100, "second_frames": 50, "over": True}
    return Heard(name, **{**good, "key_ns": 4_990 * MS, "next_ns": 5_015 * MS, **more})


def values(measures: object) -> dict[str, float]:
    return {one.name: one.value for one in measures}


def test_call_seconds_are_those_in_the_window():
    jobs = [
        job(answered=90.0, ended=99.0),
        job(answered=95.0, ended=102.5),
        job(answered=103.0, ended=104.0),
        job(answered=109.0, ended=120.0),
        job(answered=0.0, ended=105.0),
    ]
    assert results.call_seconds(jobs, WINDOW) == 2.5 + 1 + 1


def test_the_main_jobs_figures():
    jobs = (job("early", 95.0), job("a", 101.0), job("b", 103.0), job("deaf", 104.0, failure="no key"))
    phones = {
        "early": heard("early", hole=8000, late=9, key_ns=1),
        "a": heard("a", hole=0, gap_ns=2 * MS, late=1, missing=2),
        "b": heard("b", hole=160, gap_ns=-1 * MS, strangers=3, key_ns=4_980 * MS),
        "deaf": heard("deaf", key_ns=0, next_ns=0, second_frames=0),
    }
    work = Work(4, jobs, phones, WINDOW, LATE)
    found = values(results.of_work(work))
    seconds = 1.0 + 5.5 + 5.5 + 5.5
    assert found["workers' CPU"] == pytest.approx(300 / seconds)
    assert found["node's CPU"] == pytest.approx(60 / seconds)
    assert found["calls"] == pytest.approx(seconds / 10)
    assert (found["calls made"], found["calls failed"]) == (4, 1)
    assert results.failures(work) == ["deaf: no key"]
    # The first call began before the load had settled.
    assert found["gap between sounds, most"] == 160
    assert found["gap's arrival, p99"] == 2.0
    assert (found["key to node, p50"], found["key to node, p99"]) == (20.0, 20.0)
    assert found["key to next sound, p99"] == 35.0
    assert (found["packets late"], found["packets missing"], found["packets of others"]) == (1, 2, 3)
    assert (found["other processes"], found["workers"], found["workers' memory"]) == (0.5, 3, 75.5)
    assert (found["far end late, p99"], found["far end late, most"]) == (1.5, 4.0)


def test_what_was_not_measured_is_no_number():
    found = values(results.of_work(Work(1, (), {}, WINDOW, LATE)))
    assert all(
        isnan(found[name]) for name in ("workers' CPU", "key to node, p99", "gap between sounds, most")
    )
    assert found["packets late"] == 0


@pytest.mark.parametrize(
    ("seen", "noted", "said"),
    [
        ({}, {}, ""),
        ({"failure": "no Answered within 15 s"}, {}, "no Answered within 15 s"),
        ({"tone": "2"}, {}, "the key 1 was pressed, and 2 came"),
        ({"tone": ""}, {}, "the key 1 was pressed, and none came"),
        ({}, {"first_frames": 90}, "of its prompts, 90 and 50 packets were heard"),
        ({}, {"second_frames": 48}, "of its prompts, 100 and 48 packets were heard"),
        ({}, {"next_ns": 0}, "no beep was heard after the key"),
        ({"recorded_ms": 900}, {}, "900 ms were recorded"),
        ({"level_db": None}, {}, "the recording is silent"),
        ({"level_db": -70.0}, {}, "the recording is silent"),
    ],
)
def test_a_call_is_good_only_where_all_of_it_happened(seen, noted, said):
    assert results.failure(job(**seen), heard(**noted)) == said


def test_a_call_of_which_the_far_end_knows_nothing_is_no_good():
    assert results.failure(job(), None) == "the far end knows nothing of it"


def test_a_leg_of_a_conference_must_hear_just_all_the_others():
    shape = Shape(3, 2)
    assert results.others_of(4, shape) == {hertz_of(3), hertz_of(5)}
    legs = {
        leg_name(number): Heard(
            leg_name(number), packets=500, hertz=tuple(sorted(results.others_of(number, shape)))
        )
        for number in range(shape.all)
    }
    talk = Talk(shape, legs, WINDOW, LATE)
    assert results.wrong(talk) == []
    found = values(results.of_talk(talk))
    assert found["workers' CPU"] == pytest.approx(300 / 60)
    assert (found["legs failed"], found["frames missed"], found["packets"]) == (0, 0, 3000)
    legs["talk-1"].hertz += (hertz_of(1),)
    legs["talk-4"].hertz = (hertz_of(3), hertz_of(0))
    legs["talk-5"].silent = 7
    del legs["talk-2"]
    found = values(results.of_talk(evolve(talk, ended=("HungUp of talk-0",))))
    assert (found["legs failed"], found["frames missed"]) == (4, 7)
    assert results.wrong(talk) == [
        f"talk-1: it did not hear [], and heard [{hertz_of(1)}]",
        "talk-2: the far end knows nothing of it",
        f"talk-4: it did not hear [{hertz_of(5)}], and heard [{hertz_of(0)}]",
    ]


def test_percentiles_are_values_that_came():
    assert results.percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert results.percentile(list(range(200)), 0.99) == 198
    assert results.percentile([4.0], 0.99) == 4.0
    assert isnan(results.percentile([], 0.5))


def test_figures_are_told_to_be_doubted():
    quiet = [Measure("far end late, p99", "ms", 2.0, ""), Measure("other processes", "cores", 0.1, "")]
    busy = [evolve(quiet[0], value=30.0), evolve(quiet[1], value=1.2)]
    assert results.doubts(results.figures([quiet]), 2) == []
    assert results.doubts(results.figures([busy, busy]), 2) == [
        "the far end itself was late (30 ms at p99): times are not the server's alone",
        "other processes took 1.2 of 2 cores: compare only with care",
    ]
    (late, _) = results.figures([quiet, busy])
    assert late.rounds == (2.0, 30.0)


def test_workers_are_whatever_descends_from_us():
    parents = {10: 1, 11: 10, 12: 11, 13: 12, 14: 1, 15: 14}
    assert measured.descendants(10, parents) == {11, 12, 13}
    assert measured.descendants(15, parents) == set()
    assert measured.fields_of("7 (a) S (b)) S 3 7")[:2] == ["S", "3"]
    assert measured.cpu_ms(os.getpid()) > 0
    assert measured.memory_mb([os.getpid()]) > 1
    assert measured.fine_cpu_ms([os.getpid()]) > 0
    assert measured.cpu_ms(0) == measured.memory_mb([0]) == measured.fine_cpu_ms([0]) == 0


def test_what_was_used_between_two_looks():
    before = Usage(10.0, {5: 100.0, 6: 50.0}, 30.0, 20.0, 1000.0)
    after = Usage(15.0, {5: 160.0, 7: 40.0}, 45.0, 25.0, 1500.0)
    window = measured.between(before, after, 12.5)
    assert (window.workers_ms, window.node_ms, window.far_ms) == (100.0, 15.0, 5.0)
    assert (window.others_ms, window.processes, window.seconds, window.memory_mb) == (380.0, 2, 5.0, 12.5)


def test_earlier_figures_are_read_and_compared(tmp_path):
    file = tmp_path / "earlier.json"
    figures = [
        {"workload": "4 calls", "name": "workers' CPU", "median": 10.0},
        {"workload": "4 calls", "name": "packets late", "median": 0.0},
        {"workload": "4 calls", "name": "key to node, p99", "median": None},
    ]
    file.write_text(json.dumps({"figures": figures}))
    earlier = read_earlier(file)
    now = Figure("workers' CPU", "ms/call-second", (2.5,), "")
    assert ratio("4 calls", now, earlier) == "x0.25"
    assert ratio("5 calls", now, earlier) == ""
    assert ratio("4 calls", Figure("packets late", "", (2.0,), ""), earlier) == ""
    assert ratio("4 calls", Figure("key to node, p99", "ms", (2.0,), ""), earlier) == ""
    assert ratio("4 calls", evolve(now, rounds=(float("nan"),)), earlier) == ""
    for text in ("", "[]", "{}", '{"figures": [{"name": 1}]}', '{"figures": 7}'):
        file.write_text(text)
        with pytest.raises(Complaint, match="no figures of `ringful bench --json`"):
            read_earlier(file)


def test_a_picture_has_a_bar_for_each_figure_and_one_for_what_was_before():
    taken = {
        "idle": [Figure("idle worker's CPU", "ms/s", (11.0,), "")],
        "4 calls": [
            Figure("workers' CPU", "ms/call-second", (4.0,), ""),
            Figure("node's CPU", "ms/call-second", (float("nan"),), ""),
        ],
    }
    drawn = ElementTree.fromstring(picture(taken, {("4 calls", "workers' CPU"): 12.0}, "A & B <2 cores>"))
    texts = [one.text for one in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == [
        "A & B <2 cores>",
        "ms of the processor's time for each second of a call: less is better",
        "4 calls",
        "4 workers' CPU",
        "12 workers' CPU, before",
    ]


def test_real_calls_are_measured(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(loads, "IDLE_SECONDS", 0.2)
    told, page = tmp_path / "figures.json", tmp_path / "page.md"
    options = ("--calls", "2", "--seconds", "3", "--ramp", "0.5", "--json", told, "--write", page)
    output, errors, code = ringful(capsys, "bench", "media", *map(str, options))
    assert (errors, code) == ("", 0)
    found = {(one["workload"], one["name"]): one["median"] for one in json.loads(told.read_text())["figures"]}
    assert {load for load, _ in found} == {"idle", "2 calls"}
    assert found["2 calls", "calls failed"] == 0, output
    assert found["2 calls", "calls made"] >= 2
    assert found["2 calls", "packets of others"] == 0
    assert found["2 calls", "packets"] is not None
    assert re.search(r"^calls failed +- +0$", output, re.MULTILINE)
    assert "| calls failed | - | 0 |" in page.read_text()
    assert ElementTree.parse(page.with_suffix(".svg"))


async def test_real_conferences_are_measured():
    talk = await loads.conferences(Shape(3, 2), Pace(seconds=2.0, ramp=0.5, settle=1.5))
    assert results.wrong(talk) == []
    assert len(talk.heard) == 6


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--calls", "4,x"], "--calls 4,x: numbers from 1 to 500, as 4,20,60"),
        (["--calls", "0"], "--calls 0: numbers from 1 to 500, as 4,20,60"),
        (["--calls", "501"], "--calls 501: numbers from 1 to 500, as 4,20,60"),
        (
            ["--conference", "1x5"],
            "--conference 1x5: LEGSxCONFERENCES, as 50x1 or 5x10, of 2 to 50 legs each and 500 in all",
        ),
        (
            ["--conference", "5x10,5"],
            "--conference 5: LEGSxCONFERENCES, as 50x1 or 5x10, of 2 to 50 legs each and 500 in all",
        ),
        (["--rounds", "0"], "--rounds is at least 1, --seconds more than 0, and --ramp not less than 0"),
        (["--ramp", "nan"], "--rounds is at least 1, --seconds more than 0, and --ramp not less than 0"),
        (["--json", "/nowhere/figures.json"], "/nowhere: there is no such folder"),
        (["--compare", "/nowhere.json"], "/nowhere.json: No such file or directory"),
    ],
)
def test_what_cannot_be_measured_is_told(capsys, arguments, said):
    assert ringful(capsys, "bench", "media", *arguments) == ("", f"ringful: {said}\n", 2)
