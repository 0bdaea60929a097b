"""Runs: what comes out for what goes in, and that nothing is left undecided, wherever a call is cut."""

from collections.abc import Callable, Sequence

import pytest
from attrs import define, field

from ringful.grammar.reading.parser import parse, parse_statements
from ringful.interpreter import effects, events
from ringful.interpreter.calls.view import as_script, rebuild, view
from ringful.interpreter.journal import decode_event, encode
from ringful.interpreter.run import Run
from ringful.interpreter.settings import Settings
from ringful.media import port
from ringful.store.port import Entry

REST = 'call "15125551234" notify "http://h/call"\nstay\n'


@define
class Desk:
    """A run whose events are given by hand, and all that came of them."""

    text: str
    settings: Settings = field(factory=Settings)
    notify: str | None = None
    pace: float = 0.0
    message: events.Arrival | None = None
    out: list[effects.Effect] = field(factory=list)
    entries: list[Entry] = field(factory=list)
    at: float = 1000.0
    run: Run = field(init=False)
    queued: int = 0

    def __attrs_post_init__(self) -> None:
        script = parse(self.text)
        started = events.Started(script, notify=self.notify, pace=self.pace, message=self.message)
        self.run = Run(started, "c1", self, self.settings, journal=self.entries.append)
        self.run.start()
        self.run.drain()

    def perform(self, effect: effects.Effect) -> None:
        self.out.append(effect)

    def now(self) -> float:
        return self.at

    def give(self, *happened: events.Event, after: float = 1.0) -> None:
        """Let some time pass, then let things happen."""
        self.at += after
        for event in happened:
            self.run.post(event)
        self.run.drain()

    def queue(self, statement: str) -> None:
        self.queued += 1
        self.give(events.Queued(self.queued, parse_statements(statement)[0]), after=0.0)

    @property
    def told(self) -> list[str]:
        """The actions of the callbacks, with the fields that tell one from another."""
        said = []
        for effect in self.out:
            if isinstance(effect, effects.Notify):
                names = ("action", "announcement", "tone", "reason", "task")
                said.append(" ".join(effect.fields[name] for name in names if name in effect.fields))
        return said

    @property
    def tasks(self) -> list[str]:
        return [task.state for task in self.run.tasks]

    def done(self, kind: type) -> list[effects.Effect]:
        return [effect for effect in self.out if isinstance(effect, kind)]


def up(text: str = REST) -> Desk:
    """Give a call that has just been answered."""
    desk = Desk(text)
    desk.give(port.Ringing("c1"), port.Answered("c1"))
    return desk


def test_the_seeds_six_calls() -> None:
    desk = Desk(REST)
    for statement in (
        'play "http://h/welcome.wav" notify "http://h/play"',
        'play "http://h/press.wav"',
        'wait tone "1" notify "http://h/wait"',
        'start record notify "http://h/record"',
        'start tones notify "http://h/tones"',
    ):
        desk.queue(statement)
    desk.give(port.Ringing("c1"), port.Answered("c1"), port.PlaybackStarted("c1", 1))
    desk.give(port.PlaybackEnded("c1", 1, "end"), port.PlaybackStarted("c1", 2))
    desk.give(port.TonePressed("c1", "5"))
    desk.give(port.PlaybackEnded("c1", 2, "end"))
    desk.give(port.TonePressed("c1", "1"))
    desk.give(port.RecordingStarted("c1", 3), port.TonePressed("c1", "7"))
    desk.give(port.RecordingEnded("c1", 3, "hangup", 2000, 32044), port.HungUp("c1", "callee"))
    assert desk.told == [
        "CallEstablished",
        "PlayStart http://h/welcome.wav",
        "PlayComplete http://h/welcome.wav end",
        "WaitForToneMisfire 5",
        "WaitForToneDetected 1",
        "RecordStart",
        "ToneDetectorStart",
        "ToneDetected 7",
        "RecordComplete hangup",
        "CalleeHangUp",
    ]
    assert desk.tasks == ["done"] * 5
    assert desk.run.outcome == "completed"
    numbers = [effect.n for effect in desk.out if isinstance(effect, effects.Notify)]
    assert numbers == list(range(1, 11))


def test_the_next_announcement_is_cued_and_the_one_behind_a_wait_is_prepared() -> None:
    desk = up()
    desk.queue('play "a"')
    desk.queue('play "b"')
    desk.queue('wait tone "1"')
    desk.queue('play "c"')
    assert desk.done(effects.Cue) == [effects.Cue("c1", 2, port.Announcement("b"))]
    desk.give(
        port.PlaybackStarted("c1", 1), port.PlaybackEnded("c1", 1, "end"), port.PlaybackStarted("c1", 2)
    )
    assert desk.done(effects.Prepare) == [effects.Prepare(port.Announcement("c"))]


def test_a_key_typed_ahead_is_taken_by_the_next_wait() -> None:
    desk = up()
    desk.queue('play "a"')
    desk.give(port.TonePressed("c1", "1"))
    desk.queue('wait tone "1"')
    desk.give(port.PlaybackEnded("c1", 1, "end"))
    assert desk.tasks == ["done", "done"]


def test_fresh_empties_the_buffer() -> None:
    desk = up()
    desk.give(port.TonePressed("c1", "1"))
    desk.queue('wait tone "1" fresh')
    assert desk.tasks == ["running"]


def test_until_cuts_an_announcement_and_leaves_the_key_in_the_buffer() -> None:
    desk = up()
    desk.queue('play "a" until "1" notify "http://h/p"')
    desk.queue('play "b"')
    desk.give(port.PlaybackStarted("c1", 1), port.TonePressed("c1", "1"))
    assert [effect for effect in desk.out if isinstance(effect, effects.StopPlayback)] == [
        effects.StopPlayback("c1", 2),  # the cue
        effects.StopPlayback("c1", 1),
    ]
    desk.give(port.PlaybackEnded("c1", 1, "stopped"))
    assert desk.told[-1] == "PlayComplete a tone"
    assert list(desk.run.legs["c1"].buffer) == ["1"]


def test_a_failed_announcement_is_told_and_the_next_task_goes_on() -> None:
    desk = up()
    desk.queue('play "a" notify "http://h/p"')
    desk.queue("wait 1s")
    desk.give(port.PlaybackFailed("c1", 1, "it cannot be fetched: 404"))
    assert desk.told[-1] == "PlayFailed a it cannot be fetched: 404"
    assert desk.tasks == ["failed", "running"]


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        (port.Refused("c1", "busy", 486), "busy"),
        (port.Refused("c1", "rejected", 603), "rejected"),
        (port.Refused("c1", "unreachable", 408), "unreachable"),
        (port.Refused("c1", "capacity"), "capacity"),
        (port.Refused("c1", "notallowed"), "notallowed"),
    ],
)
def test_a_call_that_is_not_answered_fails_once_and_its_tasks_are_told(
    refused: port.Refused, reason: str
) -> None:
    desk = Desk(REST)
    desk.queue('play "a" notify "http://h/p"')
    desk.give(refused)
    assert desk.told == ["TaskDiscarded the call was hung up Play", f"CallFailed {reason}"]
    assert (desk.run.ended, desk.run.outcome, desk.tasks) == (True, reason, ["discarded"])


def test_nobody_answers_in_time() -> None:
    desk = Desk('call "15125551234" ring 20s notify "http://h/call"\nstay\n')
    timer = desk.done(effects.SetTimer)[0]
    assert isinstance(timer, effects.SetTimer)
    assert timer.seconds == 20
    desk.give(port.Ringing("c1"), events.TimerFired(timer.timer))
    assert desk.done(effects.Hangup) == [effects.Hangup("c1", "no answer")]
    desk.give(port.Refused("c1", "cancelled", 487))
    assert desk.told == ["CallFailed noanswer"]


def test_an_answer_that_crosses_a_hang_up_still_has_its_final_event() -> None:
    desk = Desk(REST)
    desk.give(events.Interrupted("hangup"))
    desk.give(port.Answered("c1"), port.HungUp("c1", "server"))
    assert desk.told == ["CallEstablished", "ServerHangup api"]


def test_an_immediate_hang_up_ends_the_recording_first() -> None:
    desk = up()
    desk.queue('start record notify "http://h/r"')
    desk.give(port.RecordingStarted("c1", 1))
    desk.give(events.Interrupted("hangup"))
    desk.give(port.RecordingEnded("c1", 1, "hangup", 1000, 16044), port.HungUp("c1", "server"))
    assert desk.told == ["CallEstablished", "RecordStart", "RecordComplete hangup", "ServerHangup api"]


def test_a_queued_hang_up_waits_for_its_turn_and_drops_what_is_behind() -> None:
    desk = up()
    desk.queue('play "a"')
    desk.queue("hangup")
    desk.queue('play "b" notify "http://h/p"')
    assert desk.done(effects.Hangup) == []
    desk.give(port.PlaybackEnded("c1", 1, "end"))
    assert desk.done(effects.Hangup) == [effects.Hangup("c1", "script")]
    desk.give(port.HungUp("c1", "server"))
    assert desk.tasks == ["done", "done", "discarded"]
    assert desk.told[-2:] == ["TaskDiscarded the call was hung up Play", "ServerHangup script"]


def test_a_leg_that_never_says_that_it_has_ended_is_counted_as_lost() -> None:
    desk = up()
    desk.give(events.Interrupted("hangup"))
    timers = [effect for effect in desk.out if isinstance(effect, effects.SetTimer)]
    desk.give(events.TimerFired(timers[-1].timer))
    assert desk.told[-1] == "ServerHangup lost"
    assert desk.run.ended


def test_the_longest_duration_ends_a_call() -> None:
    desk = up()
    limit = next(e for e in desk.out if isinstance(e, effects.SetTimer) and e.seconds == 4 * 3600)
    desk.give(events.TimerFired(limit.timer))
    assert desk.done(effects.Hangup) == [effects.Hangup("c1", "max duration")]


def test_a_fault_of_the_script_is_told_with_its_place() -> None:
    desk = up('call "1512" notify "http://h/call"\non hangup { notify "http://h/over" }\nlet x = 1 + "a"\n')
    desk.give(port.HungUp("c1", "server"))
    fault = next(
        e for e in desk.out if isinstance(e, effects.Notify) and e.fields.get("action") == "ScriptFailed"
    )
    assert (fault.fields["line"], fault.fields["reason"]) == ("3", "`+` cannot take a number and text")
    assert [e.url for e in desk.out if isinstance(e, effects.Notify)][-1] == "http://h/over"
    assert desk.run.outcome == "scriptfailed"


def test_handlers_run_beside_the_script() -> None:
    desk = up(
        'call "1512"\non tone "0" { notify "http://h/zero" }\nwait tone "1" notify "http://h/w"\nhangup\n'
    )
    desk.give(port.TonePressed("c1", "0"))
    desk.give(port.TonePressed("c1", "5"))
    desk.give(port.TonePressed("c1", "1"))
    urls = [e.url for e in desk.out if isinstance(e, effects.Notify)]
    assert urls == ["http://h/zero", "http://h/w", "http://h/w"]
    assert desk.done(effects.Hangup)


def test_a_loop_without_a_wait_is_stopped_by_its_budget() -> None:
    desk = up('call "1512" notify "http://h/call"\nrepeat 100000 times { let x = 1 }\n')
    assert any("too much was done without a wait" in one for one in desk.told)


def test_a_menu_takes_a_key_during_its_prompt() -> None:
    desk = up(
        'call "1512"\nmenu tries 2 for 5s {\n    prompt { play "m" }\n    "1" { notify "http://h/one" }\n'
        '    otherwise { notify "http://h/no" }\n}\nhangup\n'
    )
    desk.give(port.PlaybackStarted("c1", 1), port.TonePressed("c1", "9"))
    desk.give(port.PlaybackEnded("c1", 1, "stopped"))
    desk.give(port.TonePressed("c1", "1"))
    urls = [e.url for e in desk.out if isinstance(e, effects.Notify)]
    assert urls == ["http://h/no", "http://h/one"]


LONG = [
    'play "a" notify "http://h/p"',
    'start play "music" notify "http://h/p"',
    'start record notify "http://h/r"',
    'start tones notify "http://h/t"',
    'wait tone "1" notify "http://h/w"',
    'tone "12#"',
    "stop record",
    "wait 2s",
    'play "b" notify "http://h/p"',
]


def _steps() -> list[events.Event]:
    return [
        *(events.Queued(number + 1, parse_statements(one)[0]) for number, one in enumerate(LONG)),
        port.Ringing("c1"),
        port.Answered("c1"),
        port.PlaybackStarted("c1", 1),
        port.TonePressed("c1", "3"),
        port.PlaybackEnded("c1", 1, "end"),
        port.PlaybackStarted("c1", 2),
        port.RecordingStarted("c1", 3),
        port.TonePressed("c1", "1"),
        port.TonesSent("c1", 4),
        port.RecordingEnded("c1", 3, "stopped", 800, 12844),
        events.TimerFired(3),
        port.PlaybackStarted("c1", 5),
    ]


def _far_end(desk: Desk) -> Sequence[events.Event]:
    """What the media say when the far end hangs up: every open order's end, then the leg's."""
    leg = desk.run.legs["c1"]
    if leg.answered_at is None:
        return [port.Refused("c1", "rejected", 603)]
    return [
        *(port.PlaybackEnded("c1", number, "hangup") for number in leg.playbacks),
        *(port.RecordingEnded("c1", number, "hangup", 10, 204) for number in leg.recordings),
        *(port.TonesSent("c1", number, sent=False) for number in leg.sendings),
        port.HungUp("c1", "callee"),
    ]


def _by_us(desk: Desk) -> Sequence[events.Event]:
    desk.give(events.Interrupted("hangup"))
    return (
        [*_far_end(desk)[:-1], port.HungUp("c1", "server")]
        if desk.run.legs["c1"].answered_at
        else [port.Refused("c1", "cancelled", 487)]
    )


@pytest.mark.parametrize("cut", range(len(_steps()) + 1))
@pytest.mark.parametrize("end", [_far_end, _by_us], ids=["far end", "api"])
def test_wherever_a_call_is_cut_nothing_is_left_undecided(
    cut: int, end: Callable[[Desk], Sequence[events.Event]]
) -> None:
    desk = Desk(REST)
    for event in _steps()[:cut]:
        desk.give(event)
    desk.give(*end(desk))
    run = desk.run
    assert run.ended
    assert all(task.state in ("done", "failed", "interrupted", "discarded") for task in run.tasks)
    outcomes = [
        entry.data["task"] for entry in desk.entries if entry.kind == "outcome" and "task" in entry.data
    ]
    assert sorted(outcomes) == [task.number for task in run.tasks]
    final = [one for one in desk.told if one.split()[0] in ("CalleeHangUp", "ServerHangup", "CallFailed")]
    assert len(final) == 1
    assert desk.told[-1] == final[0]
    for begun, ended in (("RecordStart", "RecordComplete"), ("PlayStart", "PlayComplete")):
        starts = sum(one.startswith(begun) for one in desk.told)
        assert starts <= sum(one.startswith(ended) for one in desk.told)
    timers = {e.timer for e in desk.out if isinstance(e, effects.SetTimer)}
    fired = {e.timer for e in _steps()[:cut] if isinstance(e, events.TimerFired)}
    cancelled = {e.timer for e in desk.out if isinstance(e, effects.CancelTimer)}
    assert timers <= cancelled | fired


def test_a_journal_rebuilds_the_run_and_says_the_same() -> None:
    desk = Desk(REST)
    for event in _steps():
        desk.give(event)
    desk.give(*_far_end(desk))
    rebuilt = rebuild("c1", desk.entries, desk.settings)
    assert view(rebuilt, 1000.0) == view(desk.run, 1000.0)
    assert as_script(rebuilt, desk.entries) == as_script(desk.run, desk.entries)
    again: list[Entry] = []
    second = Run(events.Started(parse(REST)), "c1", desk, desk.settings, journal=again.append)
    for entry in list(desk.entries):
        if entry.kind == "event":
            second.handle(decode_event(entry), entry.at)
    assert again == desk.entries


def test_events_survive_the_journal() -> None:
    for number, event in enumerate(_steps()):
        entry = Entry("c1", number, 0.0, "event", type(event).__name__, encode(event))
        assert decode_event(entry) == event


def test_a_call_as_a_script_leaves_immediate_operations_out_and_says_so() -> None:
    desk = up()
    desk.queue('start record notify "http://h/r"')
    desk.give(port.RecordingStarted("c1", 1), events.Interrupted("stop record"))
    assert as_script(desk.run, desk.entries) == (
        'call "15125551234" notify "http://h/call"\nstart record notify "http://h/r"\nstay\n'
        "# left out: now stop record\n"
    )


HEADLESS = 'wait 1h\nnotify "http://h/late"\n'


def ends(desk: Desk) -> list[tuple[str, dict[str, str]]]:
    """The callbacks that tell the end of a run as a whole."""
    passing = ("callId", "at", "n")
    return [
        (effect.url, {name: value for name, value in effect.fields.items() if name not in passing})
        for effect in desk.out
        if isinstance(effect, effects.Notify) and effect.fields.get("action", "").startswith("Script")
    ]


def test_the_end_of_a_run_without_a_call_is_told_once() -> None:
    desk = Desk("wait 1s\n", notify="http://h/run")
    timer = next(
        effect.timer for effect in desk.out if isinstance(effect, effects.SetTimer) and effect.seconds == 1
    )
    desk.give(events.TimerFired(timer))
    assert desk.run.outcome == "completed"
    assert ends(desk) == [("http://h/run", {"action": "ScriptEnded", "outcome": "completed"})]


def test_a_run_without_a_call_can_be_interrupted() -> None:
    desk = Desk(HEADLESS, notify="http://h/run")
    assert view(desk.run, 1.0).state == "running"
    desk.give(events.Interrupted("hangup"))
    assert (desk.run.ended, desk.run.outcome) == (True, "interrupted")
    assert ends(desk) == [
        ("http://h/run", {"action": "ScriptEnded", "outcome": "interrupted", "reason": "api"})
    ]
    again = rebuild("c1", desk.entries, desk.settings)
    assert again.outcome == "interrupted"


def test_a_fault_is_told_to_who_started_the_run_and_where_the_call_is_told() -> None:
    text = 'call "15125551234" notify "http://h/call"\nrepeat "x" times { wait 1s }\n'
    desk = Desk(text, notify="http://h/run")
    desk.give(port.Answered("c1"))
    assert [url for url, _ in ends(desk)] == ["http://h/call", "http://h/run"]
    assert ends(desk)[0][1] | {"reason": ""} == {
        "action": "ScriptFailed",
        "reason": "",
        "line": "2",
        "column": "8",
    }


def test_a_run_without_a_call_has_a_longest_time() -> None:
    desk = Desk(HEADLESS, settings=Settings(max_duration=60.0), notify="http://h/run")
    timer = next(
        effect.timer for effect in desk.out if isinstance(effect, effects.SetTimer) and effect.seconds == 60
    )
    desk.give(events.TimerFired(timer))
    assert (desk.run.ended, desk.run.outcome) == (True, "scriptfailed")
    assert "as long as it may" in ends(desk)[0][1]["reason"]


def test_a_run_without_a_call_that_a_fault_of_ours_ended_says_so() -> None:
    desk = Desk(HEADLESS, notify="http://h/run")
    desk.run.abandon("a fault of the server")
    assert (desk.run.ended, desk.run.outcome) == (True, "scriptfailed")
    assert ends(desk) == [("http://h/run", {"action": "ScriptFailed", "reason": "a fault of the server"})]


def test_further_legs_are_placed_at_the_keys_pace() -> None:
    text = 'call "15125551234"\nfor n in ["1", "2", "3"] { call "1512555000{n}" { } }\nwait 1m\n'
    desk = Desk(text, pace=2.0)
    desk.give(port.Answered("c1"), after=0.5)
    rung = [effect.number for effect in desk.out if isinstance(effect, effects.Ring)]
    assert rung == ["15125551234"]
    pauses = [effect for effect in desk.out if isinstance(effect, effects.SetTimer) and effect.seconds < 10]
    assert [pause.seconds for pause in pauses] == [1.5, 3.5, 5.5]
    desk.give(events.TimerFired(pauses[0].timer), after=1.5)
    desk.give(port.HungUp("c1", "callee"), after=0.5)
    rung = [effect.number for effect in desk.out if isinstance(effect, effects.Ring)]
    assert rung == ["15125551234", "15125550001"]
    # Those that were still to come are over with the call.
    desk.give(port.Refused("c1.1", "cancelled", 487))
    assert desk.run.ended


def test_long_lists_use_up_the_budget_of_a_script_that_never_waits() -> None:
    text = 'call "15125551234"\nlet all = ["a"]\nrepeat 12 times { let all = all + all }\n'
    desk = up(f"{text}repeat 900 times {{ let last = all + [1] }}\nhangup\n")
    assert desk.run.fault
    assert "too much was done without a wait" in desk.run.fault.message
    assert not up(f"{text}repeat 90 times {{ let last = all + [1] }}\nhangup\n").run.fault
