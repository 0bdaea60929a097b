"""Messages that scripts send, and those that begin them: what is asked of the door, told and journaled."""

from decimal import Decimal

import pytest
from attrs import evolve

from ringful.grammar.reading.parser import parse
from ringful.interpreter import effects, events
from ringful.interpreter.calls.view import rebuild
from ringful.interpreter.evaluate import Fault
from ringful.interpreter.journal import decode_event, encode
from ringful.interpreter.messages.replies import ANY, WINDOW, answered, takes
from ringful.interpreter.trace import Tracer, render
from ringful.interpreter.values import Value
from ringful.media import port
from ringful.store.port import Entry, Message
from tests.interpreter.test_run import Desk, up

ARRIVAL = events.Arrival("m1", "+15125551234", "+18005550000", "Join  us", "JOIN")


def sent(desk: Desk) -> list[effects.Effect]:
    return desk.done(effects.SendMessage)


def told(desk: Desk) -> list[dict[str, str]]:
    """Give the callbacks, without their times."""
    posts = [effect for effect in desk.out if isinstance(effect, effects.Notify)]
    return [{name: value for name, value in post.fields.items() if name != "at"} for post in posts]


def test_a_message_goes_to_the_door_and_the_script_goes_on_when_it_is_taken() -> None:
    desk = Desk('let x = 15125551234\nsms x "Hello {x}." via 3 notify "http://h/s"\nnotify "http://h/next"\n')
    assert sent(desk) == [
        effects.SendMessage("c1.sms", "15125551234", "Hello 15125551234.", "3", "http://h/s")
    ]
    assert not told(desk)
    desk.give(events.MessageTaken("c1.sms", 1))
    assert told(desk) == [{"callId": "c1", "n": "1"}]
    assert desk.run.ended
    assert desk.run.failures == ()


def test_one_that_is_refused_is_told_noted_and_passed_over() -> None:
    desk = Desk('sms "+15125551234" "a" notify "http://h/s"\nsms "1" "b"\nnotify "http://h/next"\n')
    desk.give(events.MessageRefused("c1.sms", "optedout", "she wrote STOP"))
    desk.give(events.MessageRefused("c1.sms-2", "spent"))
    assert told(desk) == [
        {
            "action": "MessageStatus",
            "messageId": "c1.sms",
            "callee": "15125551234",
            "status": "failed",
            "reason": "optedout",
            "detail": "she wrote STOP",
            "callId": "c1",
            "n": "1",
        },
        {"callId": "c1", "n": "2"},
    ]
    assert [(one.what, one.why) for one in desk.run.failures] == [
        ("sms", "optedout: she wrote STOP"),
        ("sms", "spent"),
    ]
    assert desk.run.outcome == "completed"
    shown = render(Tracer().lines(desk.entries))
    assert "not sent      c1.sms: optedout (she wrote STOP)" in shown
    assert "not sent      c1.sms-2: spent\n" in shown


def test_a_queued_message_that_is_refused_is_a_failed_task() -> None:
    desk = up()
    desk.queue('sms "1" "a"')
    assert desk.tasks == ["running"]
    desk.give(events.MessageRefused("c1.sms", "unavailable", "nothing carries it"))
    assert desk.tasks == ["failed"]
    assert desk.run.tasks[0].detail == "unavailable: nothing carries it"


def test_a_refusal_is_told_although_the_caller_has_hung_up_before_it() -> None:
    desk = Desk('call "1"\nsms "1" "a" notify "http://h/s"\nsay "x"\n')
    desk.give(port.Answered("c1"))
    desk.give(port.HungUp("c1", "callee"))
    assert not desk.run.ended
    desk.give(events.MessageRefused("c1.sms", "capacity"))
    assert desk.run.ended
    assert [one["reason"] for one in told(desk)] == ["capacity"]


def test_a_message_that_was_sent_after_the_hang_up() -> None:
    desk = Desk('call "1"\non hangup { sms "2" "a" }\nsay "x"\n')
    desk.give(port.Answered("c1"), port.HungUp("c1", "callee"))
    assert len(sent(desk)) == 1
    desk.give(events.MessageTaken("c1.sms", 1))
    assert desk.run.ended


def test_what_a_message_brings_is_bound_also_in_flows() -> None:
    text = """inbound sms "+18005550000" keyword "join" notify "http://h/in"
do reply()

flow reply() {
    sms caller "{keyword}: {message}, {called}"
}
"""
    desk = Desk(text, message=ARRIVAL)
    assert told(desk) == [
        {
            "action": "MessageReceived",
            "messageId": "m1",
            "from": "15125551234",
            "to": "18005550000",
            "message": "Join  us",
            "keyword": "JOIN",
            "callId": "c1",
            "n": "1",
        }
    ]
    assert sent(desk) == [
        effects.SendMessage(
            "c1.sms", "+15125551234", "JOIN: Join  us, +18005550000", "", None, "+18005550000"
        )
    ]


def test_a_script_that_a_message_began_tells_its_fault_to_its_header() -> None:
    desk = Desk('inbound sms "1" notify "http://h/in"\nsms message.x "a"\n', message=ARRIVAL)
    assert [one["action"] for one in told(desk)] == ["MessageReceived", "ScriptFailed"]


def test_a_script_for_messages_cannot_be_started_by_hand() -> None:
    desk = Desk('inbound sms "1"\nnotify "http://h"\n')
    assert desk.run.fault
    assert "cannot be started by hand" in desk.run.fault.message


@pytest.mark.parametrize("count", [90, 120])
def test_a_script_cannot_send_very_many_without_a_wait(count: int) -> None:
    numbers = ", ".join(f'"{number}"' for number in range(count))
    desk = Desk(f'for one in [{numbers}] {{ sms one "a" }}\n')
    for number in range(1, count + 1):
        if desk.run.ended:
            break
        name = "c1.sms" if number == 1 else f"c1.sms-{number}"
        desk.give(events.MessageTaken(name, 1), after=0.0)
    assert len(sent(desk)) == min(count, 100)
    assert bool(desk.run.fault) == (count > 100)


def test_waits_let_a_script_send_on() -> None:
    numbers = ", ".join(f'"{number}"' for number in range(150))
    desk = Desk(f'for one in [{numbers}] {{\n    sms one "a"\n    wait 1s\n}}\n')
    while not desk.run.ended:
        name = sent(desk)[-1].message  # type: ignore[union-attr]
        desk.give(events.MessageTaken(name, 1))
        timers = desk.done(effects.SetTimer)
        desk.give(events.TimerFired(timers[-1].timer))  # type: ignore[union-attr]
    assert len(sent(desk)) == 150


@pytest.mark.parametrize(
    "event",
    [
        events.Started(parse('inbound sms "1"\n'), {"a": Decimal("1.5")}, message=ARRIVAL),
        events.MessageTaken("c1.sms", 3),
        events.MessageRefused("c1.sms", "invalid", "it has 11 parts"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_what_happens_to_messages_survives_the_journal(event: events.Event) -> None:
    entry = Entry("c1", 1, 0.0, "event", type(event).__name__, encode(event))
    assert decode_event(entry) == event


def test_a_run_made_again_of_its_journal_has_sent_the_same() -> None:
    desk = Desk('inbound sms "1"\nsms caller message notify "http://h"\nwait 1s\n', message=ARRIVAL)
    desk.give(events.MessageRefused("c1.sms", "invalid", "a control character"))
    again = rebuild("c1", desk.entries, desk.settings)
    assert again.names["message"] == "Join  us"
    assert again.sendings == {}
    assert again.failures == desk.run.failures
    assert again.told == desk.run.told == 1


# Whose a text is.


def message(message_id: str, created: float) -> Message:
    return Message(
        message_id, "k", False, "+1512", "+1800", "a", created, "delivered", created, notify="http://h"
    )


@pytest.mark.parametrize(
    ("last", "found"),
    [
        ({}, "b"),
        ({"notify": None}, "a"),
        ({"state": "failed"}, "a"),
        ({"state": "queued"}, "b"),
        ({"number": "+1513"}, "a"),
        ({"own": "+1801"}, "a"),
        ({"inbound": True}, "a"),
        ({"created": 0.0}, "b"),
    ],
)
def test_a_text_answers_the_newest_message_that_asks(last: dict[str, object], found: str) -> None:
    both = [message("a", 0.0), evolve(message("b", 10.0), **last)]  # type: ignore[arg-type]
    one = answered(both, "+1800", "+1512", 20.0)
    assert one
    assert one.message_id == found


def test_a_text_answers_nothing_that_is_too_old_or_not_yet_sent() -> None:
    one = [message("a", 100.0)]
    assert answered(one, "+1800", "+1512", 100.0 + WINDOW)
    assert answered(one, "+1800", "+1512", 100.1 + WINDOW) is None
    assert answered(one, "+1800", "+1512", 100.1 + 5, window=5) is None
    assert answered(one, "+1800", "+1512", 99.0) is None
    assert answered([], "+1800", "+1512", 99.0) is None


@pytest.mark.parametrize(
    ("header", "params", "found"),
    [
        ('inbound sms "+1800"', {}, ("+1800", ANY)),
        ('inbound sms 1800 keyword "*"', {}, ("1800", ANY)),
        ('inbound sms "+1800" keyword " Café! "', {}, ("+1800", "CAFE")),
        ("param n\nparam word\ninbound sms n keyword word", {"n": "1", "word": "go"}, ("1", "GO")),
    ],
)
def test_what_texts_a_script_takes(header: str, params: dict[str, Value], found: tuple[str, str]) -> None:
    assert takes(parse(f"{header}\n"), params) == found


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ('call "1"', "it has no `inbound sms` header"),
        ("let x = 1", "it has no `inbound sms` header"),
        ("param n\ninbound sms n", "param `n` needs a value"),
        ('inbound sms "1" keyword "join now"', "one word"),
        (f'inbound sms "1" keyword "{"a" * 31}"', "30 characters"),
        ('inbound sms "1" keyword "Stop"', "wants no more messages"),
        ('inbound sms "1" keyword "help"', "where help is"),
        ('inbound sms "1" keyword "start"', "wants messages again"),
    ],
)
def test_what_takes_no_texts_says_why(header: str, said: str) -> None:
    with pytest.raises(Fault, match=said):
        takes(parse(f"{header}\n"), {})
