"""A secret stays in the call, and the journal can still make the run again."""

import json

from ringful.interpreter import effects, events
from ringful.interpreter.calls.view import rebuild, view
from ringful.interpreter.trace import Tracer, render
from ringful.media import port
from tests.interpreter.test_run import Desk

PIN = "4711"
GATHER = """call "15125551234" notify "http://h/call"
gather pin secret digits 4
ask "http://h/ask" with { code: spell(pin), length: length(pin) } as answer for 5s
stay
"""


def press(desk: Desk, tones: str) -> None:
    for tone in tones:
        desk.give(port.TonePressed("c1", tone))


def up(text: str) -> Desk:
    desk = Desk(text)
    desk.give(port.Ringing("c1"), port.Answered("c1"))
    return desk


def trace(desk: Desk) -> str:
    return render(Tracer().lines(desk.entries))


def test_the_application_gets_the_secret_and_the_journal_does_not_show_it() -> None:
    desk = up(GATHER)
    press(desk, PIN)
    (asked,) = desk.done(effects.Ask)
    assert isinstance(asked, effects.Ask)
    assert asked.fields == {"code": "4 7 1 1", "length": "4", "callId": "c1"}
    (entry,) = (entry for entry in desk.entries if entry.name == "Ask")
    assert entry.data["fields"] == {"code": "***", "length": "4", "callId": "c1"}
    assert trace(desk).count("pressed       ***\n") == 4


def test_the_run_can_be_made_again_from_its_journal() -> None:
    desk = up(GATHER)
    press(desk, PIN)
    desk.give(events.WebAnswered(1, {"ok": True}), port.HungUp("c1", "callee"))
    stored = [entry._replace(data=json.loads(json.dumps(entry.data))) for entry in desk.entries]
    again = rebuild("c1", stored, desk.settings)
    assert again.names["pin"] == PIN
    assert view(again, 1000.0) == view(desk.run, 1000.0)


def test_a_detector_posts_no_key_of_a_secret() -> None:
    desk = up('call "15125551234"\nstay for 1s\ngather pin secret digits 2\nstay\n')
    desk.queue('start tones notify "http://h/tones"')
    desk.give(events.TimerFired(_timer(desk, 1.0)))
    press(desk, "47")
    desk.queue('wait tone "5"')
    press(desk, "5")
    assert [said for said in desk.told if said.startswith("ToneDetected")] == ["ToneDetected 5"]


def _timer(desk: Desk, seconds: float) -> int:
    (timer,) = (
        effect.timer
        for effect in desk.out
        if isinstance(effect, effects.SetTimer) and effect.seconds == seconds
    )
    return timer


def test_keys_typed_ahead_are_hidden_where_a_secret_may_take_them() -> None:
    desk = up('call "15125551234"\nwait 5s\ngather pin secret digits 2\nstay\n')
    press(desk, "47")
    assert trace(desk).count("pressed       ***\n") == 2
    open_desk = up('call "15125551234"\nwait 5s\ngather pin digits 2\nstay\n')
    press(open_desk, "47")
    assert "***" not in trace(open_desk)


def test_keys_after_the_secret_is_whole_are_not_hidden_from_who_waits() -> None:
    desk = up(GATHER)
    press(desk, PIN)
    desk.give(events.WebAnswered(1, None))
    desk.queue('wait tone "9"')
    press(desk, "9")
    assert trace(desk).endswith("pressed       9\n")


def test_an_answer_that_says_the_secret_is_hidden() -> None:
    desk = up(GATHER)
    press(desk, PIN)
    desk.give(events.WebAnswered(1, {"you": f"typed {PIN}"}))
    assert PIN not in trace(desk)
    assert trace(desk).endswith("web           ***\n")


def test_a_failure_says_no_secret() -> None:
    desk = up('param key secret = "0815"\n\ncall "15125551234"\nlet broken = number(key) / 0.0\n')
    desk.give(port.HungUp("c1", "server"))
    assert desk.run.fault is not None
    assert "815" not in trace(desk)


def test_a_followed_script_may_ask_with_the_secret_and_it_is_masked() -> None:
    desk = up('call "15125551234"\ngather pin secret digits 4\nfollow "http://h/next" for 5s\nstay\n')
    press(desk, PIN)
    text = 'gather more secret digits 1\nask "http://h/x" with { pin: pin, more: more } as a for 5s\n'
    desk.give(events.WebAnswered(1, text))
    press(desk, "8")
    asked = desk.done(effects.Ask)[-1]
    assert isinstance(asked, effects.Ask)
    assert (asked.fields["pin"], asked.fields["more"]) == (PIN, "8")
    assert asked.secret == {"pin", "more"}
    assert trace(desk).count("***") == 4 + 1 + 2
