"""The fault sweep: our goldens hold every law, and planted faults are found, each with a short case."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from ringful.grammar import nodes
from ringful.interpreter import effects, events, hearing, room
from ringful.interpreter.leg import Leg
from ringful.interpreter.messages.letter import Letter
from ringful.interpreter.run import Run
from ringful.interpreter.statements import messages
from ringful.media import port
from ringful.simulation.cases.reader import parse_case, read_case
from ringful.simulation.cases.verdicts import find_cases, try_cases
from ringful.simulation.cases.writer import show_case
from ringful.simulation.invariants import broken
from ringful.simulation.simulate import Simulation, run_case
from ringful.simulation.sweep.report import report
from ringful.simulation.sweep.shrink import shrink
from ringful.simulation.sweep.sweep import Sweep, broken_laws, injections, sweep_all
from ringful.simulation.texts import Texts
from ringful.store.port import Entry

ROOT = Path(__file__).parents[2]
RUN = ROOT / "tests" / "golden" / "run"
_PLACE = re.compile(r"  @\S+$| line=\d+ column=\d+|script:\d+:\d+", re.MULTILINE)
CASES = find_cases((RUN,))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_laws_hold_whatever_is_put_in(path: Path) -> None:
    sweep = Sweep(stride=7)
    sweep.sweep(read_case(path))
    assert sweep.runs
    assert not sweep.found, report(sweep, 0)


def test_the_laws_hold_in_the_worked_examples() -> None:
    sweep = Sweep(stride=67)
    for path in find_cases((ROOT / "scripts",)):
        sweep.sweep(read_case(path))
    assert sweep.runs > 300
    assert not sweep.found, report(sweep, 0)


def _two_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    tell_end = hearing._tell_end

    def twice(run: Run, leg: Leg) -> None:
        tell_end(run, leg)
        if leg.ended_by == "callee":
            tell_end(run, leg)

    monkeypatch.setattr(hearing, "_tell_end", twice)


def _no_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    settle = Run.settle

    def lazy(run: Run, task: object, state: str, detail: str = "") -> None:
        if state != "interrupted":
            settle(run, task, state, detail)  # type: ignore[arg-type]

    monkeypatch.setattr(Run, "settle", lazy)


def _silent_recorder(monkeypatch: pytest.MonkeyPatch) -> None:
    tell = Run.tell

    def quiet(run: Run, url: str, action: str | None, *others: Any, **fields: str) -> None:
        if not (action == "RecordComplete" and fields["reason"] == "hangup"):
            tell(run, url, action, *others, **fields)

    monkeypatch.setattr(Run, "tell", quiet)


def _two_farewells(monkeypatch: pytest.MonkeyPatch) -> None:
    over = hearing.over

    def twice(run: Run, leg: Leg) -> None:
        leg.hangup_handlers *= 2
        over(run, leg)

    monkeypatch.setattr(hearing, "over", twice)


def _a_word_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    over = hearing.over

    def talkative(run: Run, leg: Leg) -> None:
        over(run, leg)
        if leg.ended_by == "lost":
            run.perform(effects.StopRecording(leg.name, 99))

    monkeypatch.setattr(hearing, "over", talkative)


def _a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    hear = hearing._hear_recording

    def crashing(run: Run, leg: Leg, event: port.Event) -> None:
        assert not isinstance(event, port.RecordingFailed), "planted"
        hear(run, leg, event)  # type: ignore[arg-type]

    monkeypatch.setattr(hearing, "_hear_recording", crashing)


def _a_lost_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    cancel = Run.cancel_timer
    monkeypatch.setattr(Run, "cancel_timer", lambda run, timer: None if run.ended else cancel(run, timer))


def _a_forgotten_guest(monkeypatch: pytest.MonkeyPatch) -> None:
    finish = Run._finish

    def hasty(run: Run) -> None:
        run._closed = True  # It ends without having heard itself out.
        finish(run)

    monkeypatch.setattr(Run, "_finish", hasty)


def _a_guest_let_go_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    dismiss = room._dismiss

    def twice(*others: Any, **more: Any) -> None:
        dismiss(*others, **more)
        dismiss(*others, **more)

    monkeypatch.setattr(room, "_dismiss", twice)


@pytest.mark.parametrize(
    ("plant", "law", "what"),
    [
        (_a_forgotten_guest, "who comes to a conference is let go", "now hangup"),
        (_a_guest_let_go_twice, "who comes to a conference is let go", "now leave"),
        (_a_guest_let_go_twice, "a join ends once", "now leave"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_fault_planted_in_conferences_is_found(
    monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None], law: str, what: str
) -> None:
    plant(monkeypatch)
    sweep = Sweep()
    sweep.sweep(read_case(ROOT / "scripts" / "cases" / "confcall" / "nobody_comes.golden"))
    sweep.sweep(read_case(RUN / "a_name_brings_calls_together.golden"))
    assert (law, what) in sweep.found, sweep.found.keys()


def _two_outcomes(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Letter.refused

    def twice(letter: Letter, reason: str, at: float) -> Letter:
        made = refused(letter, reason, at)
        again = evolve(made, message=evolve(made.message, state="sent"))
        return refused(again, reason, at)

    monkeypatch.setattr(Letter, "refused", twice)


def _a_message_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Texts, "_send", lambda texts, message_id: None)


def _a_status_untold(monkeypatch: pytest.MonkeyPatch) -> None:
    status = Letter._status

    def quiet(letter: Letter, at: float) -> Letter:
        return letter if letter.message.state == "sent" else status(letter, at)

    monkeypatch.setattr(Letter, "_status", quiet)


def _an_outcome_untold(monkeypatch: pytest.MonkeyPatch) -> None:
    status = Letter._status

    def quiet(letter: Letter, at: float) -> Letter:
        return letter if letter.message.state == "failed" else status(letter, at)

    monkeypatch.setattr(Letter, "_status", quiet)


def _an_answer_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Texts, "take", lambda texts, call_id, effect: port.Ringing("nobody"))


def _told_only_where_it_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    hear = messages.hear

    def lazy(run: Run, event: events.MessageTaken | events.MessageRefused) -> None:
        if any(strand.waiting and strand.waiting.wants(event) for strand in run.strands):
            hear(run, event)
        else:
            run.sendings.pop(event.message, None)

    monkeypatch.setattr(messages, "hear", lazy)


def test_a_refusal_that_is_told_to_nobody_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    path = RUN / "a_message_is_refused_while_the_caller_hangs_up.golden"
    assert broken_laws(read_case(path), None) == []
    _told_only_where_it_is_waited_for(monkeypatch)
    assert [one.law for one in broken_laws(read_case(path), None)] == ["a refusal is told once"]


@pytest.mark.parametrize(
    ("plant", "law", "what"),
    [
        (_two_outcomes, "a message has one outcome", "message fails"),
        (_a_message_forgotten, "a message does not stay queued", "now hangup"),
        (_a_status_untold, "statuses come in order", "now hangup"),
        (_an_outcome_untold, "the outcome is told", "message fails"),
        (_an_answer_lost, "a message is taken or refused", "now hangup"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_fault_planted_in_messages_is_found(
    monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None], law: str, what: str
) -> None:
    plant(monkeypatch)
    sweep = Sweep()
    sweep.sweep(read_case(RUN / "a_reply_goes_to_the_newest_message_that_asks.golden"))
    assert (law, what) in sweep.found, sweep.found.keys()


@pytest.mark.parametrize(
    ("plant", "law", "what"),
    [
        (_two_ends, "one final event for each leg", "hang up"),
        (_no_outcome, "one outcome for each task", "hang up"),
        (_silent_recorder, "RecordStart has its end", "hang up"),
        (_two_farewells, "on hangup runs once", "lose"),
        (_a_word_too_late, "nothing is done on a leg after its end", "lose"),
        (_a_crash, "ringful itself does not fail", "recording fails"),
        (_a_lost_timer, "no timer outlives its run", "press"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_planted_fault_is_found(
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[pytest.MonkeyPatch], None],
    law: str,
    what: str,
) -> None:
    plant(monkeypatch)
    sweep = Sweep()
    sweep.sweep(read_case(RUN / "a_hang_up_in_the_middle_of_everything.golden"))
    found = {violation.broken.law for violations in sweep.found.values() for violation in violations}
    assert law in found
    assert (law, what) in sweep.found


def test_the_shortest_case_shows_the_fault_and_can_be_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    path = RUN / "everything_at_once.golden"
    _two_ends(monkeypatch)
    sweep = Sweep(stride=5)
    sweep.sweep(read_case(path))
    violation = sweep.found["one final event for each leg", "hang up"][0]
    short = shrink(violation)
    script = short.case.source.script
    assert script.body.statements == () or script.body.statements == (nodes.Stay(),)
    assert short.case.phones[0].steps[0].verb == "answer"
    text = show_case(short.case) + f"{short.injection}\n"
    again = parse_case(text, path)
    assert broken_laws(again, None) == [short.broken]
    assert "CalleeHangUp" in run_case(again).trace
    shown = report(sweep, 1)
    assert text.splitlines()[-1] in shown
    assert "broken in" in shown


def test_a_sweep_of_many_cases_is_the_sum_of_its_parts() -> None:
    cases = [read_case(RUN / f"{name}.golden") for name in ("nobody_answers", "the_callee_declines")]
    cases.append(
        parse_case(
            'script {\n    call "1"\n    ask "http://h" as x\n    say x.y\n}\n'
            'web "http://h" -> { "y": "z" }\nphone "1" {\n    answer\n}\n',
            RUN / "x.golden",
        )
    )
    whole, parts = sweep_all(cases), Sweep()
    for case in cases:
        parts.sweep(case)
    assert whole.runs == parts.runs
    faults = [what for law, what in sorted(whole.found) if law == "the script does not fail"]
    assert faults == ["web answers", "web fails", "web never answers"]
    assert sorted(whole.found) == sorted(parts.found)
    assert report(whole, 1) == report(parts, 1)


def test_one_case_is_swept_by_all_processors_and_tells_how_far_it_is() -> None:
    case = read_case(RUN / "nobody_answers.golden")
    alone, told = Sweep(), []
    alone.sweep(case)
    whole = sweep_all([case], lambda done, parts, sweep: told.append((done, parts, sweep.runs)), processors=2)
    assert whole.runs == alone.runs
    assert told[-1] == (len(told), len(told), whole.runs)
    assert len(told) > 2


def test_what_is_written_is_read_back() -> None:
    for path in CASES:
        case = read_case(path)
        again = parse_case(show_case(case, inline=False), path)
        # The written script is canonical, so its lines may have other numbers.
        assert _PLACE.sub("", run_case(again).trace) == _PLACE.sub("", case.below), path
        assert show_case(again, inline=False) == show_case(case, inline=False)


def test_the_laws_read_journals_alone() -> None:
    entry = Entry("c", 1, 0.0, "event", "Started", {})
    (one,) = broken([entry])
    assert one.law == "a run ends once"
    late = Entry("c", 3, 0.0, "outcome", "Ended", {})
    assert "the journal has no gaps" in {one.law for one in broken([entry, late])}


def test_messages_can_be_made_to_fail() -> None:
    body = 'sms "15125550001" "a" notify "http://h/s"\n    sms "15125550001" "b"'
    text = f'script {{\n    {body}\n}}\nphone "15125550001" {{\n}}\n'
    for line, said, unsaid in [
        ("inject message refused at step 0", "reason=unavailable", "queued"),
        ("inject message fails on call-1.sms at step 2", "call-1.sms    failed", "call-1.sms-2  failed"),
        ("inject message fails at step 2", "call-1.sms-2  failed", "sent"),
        ("inject receipt lost at step 2", "status=sent", "delivered"),
    ]:
        trace = run_case(parse_case(f"{text}{line}\n", Path("x.golden"))).trace
        assert said in trace, trace
        assert unsaid not in trace.replace("not sent", ""), trace


def test_a_shortest_case_has_no_more_texts_than_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    _two_outcomes(monkeypatch)
    sweep = Sweep(stride=3)
    sweep.sweep(read_case(RUN / "a_reply_goes_to_the_newest_message_that_asks.golden"))
    short = shrink(sweep.found["a message has one outcome", "message fails"][0])
    assert len(short.case.source.script.body.statements) == 1
    left = [(phone.texting.texts, phone.texting.replies) for phone in short.case.phones]
    assert left in ([], [((), ())])


def test_phones_can_be_made_to_fail() -> None:
    text = 'script {\n    call "1" notify "http://h/c"\n    play "http://h/a.wav" notify "http://h/p"\n}\n'
    phone = 'phone "1" {\n    answer\n}\n'
    for line, said in [
        ("inject playback fails on call-1 at step 6", 'reason="the media worker could not play on"'),
        ("inject fetch fails at step 1", 'reason="it cannot be fetched: the server answered 500"'),
        ("inject now hangup at step 6", "reason=api"),
        ("inject lose on call-1 at step 6", "reason=lost"),
    ]:
        trace = run_case(parse_case(f"{text}{phone}{line}\n", Path("x.golden"))).trace
        assert said in trace, trace


ASKS = 'script {\n    call "1" notify "http://h/c"\n    ask "http://h/q" as x for 5s\n    say "{x}"\n}\n'
ANSWERS = 'web "http://h/q" -> { "y": 1 } after 1s\nphone "1" {\n    answer after 2s\n}\n'


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("inject busy on call-1 at step 2", "refused       busy 486"),
        ("inject unreachable on call-1 at step 2", "refused       unreachable"),
        ("inject silent on call-1 at step 2", "01:00.000  call-1  refused"),
        ("inject hang up on call-1 at 2500ms", "00:02.500  call-1  ended         by callee"),
        ("inject web never answers at step 5", "00:07.000  call-1  script failed"),
        ("inject web answers null at step 5", "web           null"),
        ('inject web answers {"z": [1, "a"]} at step 5', 'web           {"z": [1, "a"]}'),
    ],
)
def test_what_callees_and_the_web_do_is_put_in(line: str, said: str) -> None:
    case = parse_case(f"{ASKS}{ANSWERS}{line}\n", Path("x.golden"))
    assert said in run_case(case).trace, run_case(case).trace
    assert line in show_case(case)


def test_a_sweep_makes_callees_and_the_web_do_everything() -> None:
    put_in = {
        str(one).partition(" at ")[0] for one in injections(Simulation(parse_case(ASKS + ANSWERS, RUN)))
    }
    callee = {f"inject {what} on call-1" for what in ("busy", "silent", "unreachable")}
    web = {f"inject web answers {value}" for value in ("null", "{}", "[]", '"no"')}
    assert callee | web | {"inject web never answers", "inject web fails"} <= put_in


def test_a_promise_holds_for_every_run() -> None:
    farewell = 'script {\n    call "1"\n    on hangup { notify "http://h/over" }\n    say "a b c"\n}\n'
    phone = 'phone "1" {\n    answer after 1s\n}\n'
    sweep = Sweep()
    sweep.sweep(parse_case(f'{farewell}{phone}always post "http://h/over"\nnever say "d"\n', RUN))
    # Nothing is registered yet for a callee that never takes the call.
    broken = {what for law, what in sweep.found if law == 'always post "http://h/over"'}
    assert broken == {law[1] for law in sweep.found}
    assert {"busy", "silent", "unreachable", "now hangup"} <= broken
    (violation, *_) = sweep.found['always post "http://h/over"', "busy"]
    assert violation.broken.said == 'there is no `post` with "http://h/over" in the trace'
    sweep = Sweep()
    sweep.sweep(parse_case(f'{farewell}{phone}never say "b"\n', RUN))
    assert {law for law, _ in sweep.found} == {'never say "b"'}


def test_a_case_that_breaks_its_promise_fails(tmp_path: Path) -> None:
    path = tmp_path / "x.golden"
    path.write_text(f"{ASKS}{ANSWERS}never ask\n---\n")
    (verdict,) = try_cases([path], update=True)
    assert verdict.state == "broken"
    assert verdict.told.splitlines()[1].startswith("  never ask: call-1: ask http://h/q")
    assert path.read_text().endswith("---\n")
