"""Queues: who is first is served first, nobody is lost, and everybody knows the place."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ringful.grammar.reading.parser import parse
from ringful.interpreter import effects, events
from ringful.interpreter.calls.queues import MOST, OTHER, REMEMBERED, Queues, standing
from ringful.interpreter.strand import Strand, Wait, suspend
from ringful.media import port
from ringful.store.port import Key
from tests.house import HOOK, KEY, Rig, answers, house
from tests.house import OTHER as OTHER_KEY
from tests.interpreter.test_run import Desk


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with house(tmp_path, answers(None)) as made:
        yield made


async def run(rig: Rig, script: str, key: Key = KEY) -> str:
    call_id = rig.switchboard.new_id()
    await rig.switchboard.place(key, call_id, events.Started(parse(script)))
    return call_id


def enter(queues: Queues, call: str, now: float) -> "list[tuple[str, events.QueueEvent]]":
    return queues.do(call, effects.EnterQueue(call, "q", f"n{call}"), now)


def test_who_came_first_is_given_to_who_has_been_ready_longest() -> None:
    queues = Queues()
    assert enter(queues, "a", 1.0) == [("a", events.Placed("a", "q", 1))]
    assert enter(queues, "b", 2.0) == [("b", events.Placed("b", "q", 2))]
    told = queues.do("s", effects.ServeQueue("s", "q"), 11.0)
    assert told == [
        ("s", events.NextCame("s", "q", "a", "a", "na", 1.0)),
        ("b", events.Placed("b", "q", 1, 10)),
    ]
    assert queues.do("s", effects.Summon("q", "a", "a", "s.talk"), 11.0) == [
        ("a", events.Summoned("a", "q", "s.talk"))
    ]
    assert queues.do("t", effects.ServeQueue("t", "q"), 12.0)[0][1] == events.NextCame(
        "t", "q", "b", "b", "nb", 2.0
    )
    assert queues.do("u", effects.ServeQueue("u", "q"), 12.0) == []
    assert enter(queues, "c", 13.0) == [("u", events.NextCame("u", "q", "c", "c", "nc", 13.0))]


def test_who_leaves_makes_room_and_who_is_put_back_is_the_first() -> None:
    queues = Queues()
    for number, call in enumerate("abc"):
        enter(queues, call, float(number))
    assert queues.do("a", effects.LeaveQueue("a", "q"), 5.0) == [
        ("b", events.Placed("b", "q", 1)),
        ("c", events.Placed("c", "q", 2)),
    ]
    (server, came), *_ = queues.do("s", effects.ServeQueue("s", "q"), 6.0)
    assert server == "s"
    assert isinstance(came, events.NextCame)
    assert queues.forget("s", 7.0) == []
    back = queues.put_back(came, 7.0)
    assert [(call, event.place) for call, event in back if isinstance(event, events.Placed)] == [
        ("b", 1),
        ("c", 2),
    ]
    (_, again), *_ = queues.do("t", effects.ServeQueue("t", "q"), 8.0)
    assert again == events.NextCame("t", "q", "b", "b", "nb", 1.0)


def test_a_call_that_is_over_waits_and_serves_no_more_and_an_empty_queue_is_forgotten() -> None:
    queues = Queues()
    enter(queues, "a", 1.0)
    queues.do("s", effects.ServeQueue("s", "other"), 1.0)
    assert queues.forget("a", 2.0) == []
    assert queues.forget("s", 2.0) == []
    assert dict(queues.waiting()) == {}


def test_a_queue_is_so_long_at_most() -> None:
    queues = Queues()
    for number in range(MOST):
        enter(queues, str(number), float(number))
    assert enter(queues, "late", 2000.0) == [("late", events.Placed("late", "q", 0))]


def test_whoever_makes_ever_new_names_fills_no_memory_and_makes_no_lines_of_metrics() -> None:
    queues = Queues()
    enter(queues, "a", 1.0)
    for number in range(REMEMBERED + 50):
        queues.do(f"w{number}", effects.EnterQueue(f"w{number}", f"q{number}", "n"), 1.0)
        queues.do("s", effects.ServeQueue("s", f"q{number}"), 3.0)
    assert len(queues._queues) <= REMEMBERED
    assert [(view.name, view.waiting[0].waited) for view in queues.look(9.0)] == [("q", 8)]
    queues.do("b", effects.EnterQueue("b", "another", "n"), 4.0)
    lengths, longest = standing([queues, Queues()], ["q"], 9.0)
    assert lengths == {"q": 1, OTHER: 1}
    assert longest == {"q": 8.0, OTHER: 5.0}


WAITS = f'call "15125550001"\nqueue "support" for 10m notify "{HOOK}" {{ wait 1s }}\nstay\n'
SERVES = f'call "15125550009"\nserve "support" for 1h as talk notify "{HOOK}"\nstay\n'


async def test_calls_of_one_key_meet_by_a_queue_and_each_goes_on_when_the_other_leaves(rig: Rig) -> None:
    stranger = await run(rig, SERVES, OTHER_KEY)
    first = await run(rig, WAITS)
    await rig.hears("QueueEntered", callId=first)
    second = await run(rig, WAITS)
    await rig.hears("QueueEntered", callId=second)
    agent = await run(rig, SERVES)
    await rig.hears("QueueServed", callId=agent, leg=first)
    meeting = f"{agent}.talk"
    await rig.until(lambda: set(rig.members(meeting)) == {agent, first})
    await rig.get("Hangup", callId=first)
    await rig.until(lambda: meeting not in rig.switchboard.live)
    (serve,) = parse(SERVES).body.statements[:1]
    await rig.switchboard.queue(KEY, agent, serve)
    await rig.hears("QueueServed", callId=agent, leg=second)
    await rig.until(lambda: set(rig.members(f"{agent}.talk-2")) == {agent, second})
    await rig.get("Hangup", callId=agent)
    await rig.until(lambda: set(rig.switchboard.live) == {stranger, second})
    assert not rig.told("QueueServed", callId=stranger)


async def test_who_hangs_up_in_a_queue_is_served_to_nobody(rig: Rig) -> None:
    call = await run(rig, WAITS)
    await rig.hears("QueueEntered", callId=call)
    await rig.get("Hangup", callId=call)
    await rig.hears("QueueLeft", callId=call, reason="hangup")
    agent = await run(rig, SERVES)
    await rig.until(lambda: any(entry.name == "ServeQueue" for entry in rig.entries))
    await rig.settle()
    assert not rig.told("QueueServed", callId=agent)


async def test_a_client_sees_who_waits_puts_one_out_and_lets_another_be_served(rig: Rig) -> None:
    first, second, agent = [await rig.up(number) for number in ("15125550001", "15125550002", "15125550009")]
    await rig.get("Enqueue", callId=first, queue="desk", announcement="long", callbackUrl=HOOK)
    await rig.hears("QueueEntered", callId=first)
    await rig.get("Enqueue", callId=second, queue="desk", **{"for": "600"}, callbackUrl=HOOK)
    await rig.hears("QueueEntered", callId=second)
    await rig.settle()
    seen = await rig.json("QueryQueues", queue="desk")
    assert [(one["callId"], one["place"]) for one in seen["waiting"]] == [(first, 1), (second, 2)]
    assert (await rig.get("QueryQueues")).startswith("desk: waiting=2  longest=")
    assert (await rig.ask("QueryQueues", OTHER_KEY)).text == ""
    await rig.get("LeaveQueue", callId=first)
    assert (await rig.hears("QueueLeft", callId=first))["reason"] == "kicked"
    assert (await rig.ask("LeaveQueue", callId=first)).code == "call.over"
    await rig.get("Serve", callId=agent, queue="desk", within="5", callbackUrl=HOOK)
    await rig.hears("QueueServed", callId=agent, leg=second)
    await rig.until(lambda: set(rig.members(f"{agent}.talk")) == {agent, second})
    assert [one["queue"] for one in (await rig.json("QueryQueues"))["queues"]] == []
    assert all(rig.leg_up(one) for one in (first, second, agent))
    for one in (agent, first, second):
        await rig.get("Hangup", callId=one)
    await rig.quiet()


def test_who_serves_takes_the_next_one_at_once_where_the_first_has_hung_up() -> None:
    desk = Desk('call "15125550009"\nserve "q" as talk\nstay\n')
    desk.give(port.Answered("c1"))
    desk.give(events.NextCame("c1", "q", "c2", "c2", "+1", 1000.0))
    (meeting,) = (one.conference for one in desk.out if isinstance(one, effects.OpenConference))
    desk.give(events.Left("c1", meeting, "ended"))
    assert [type(one).__name__ for one in desk.out].count("ServeQueue") == 2
    desk.give(events.NextCame("c1", "q", "c3", "c3", "+1", 1000.0))
    other = desk.done(effects.OpenConference)[-1].conference
    desk.give(events.Joined("c1", other))
    desk.give(events.Left("c1", other, "ended"))
    assert [type(one).__name__ for one in desk.out].count("ServeQueue") == 2


def test_who_is_summoned_and_waits_no_more_says_so() -> None:
    desk = Desk('call "15125550001"\nqueue "q"\nstay\n')
    desk.give(port.Answered("c1"), events.Placed("c1", "q", 1))
    desk.give(port.HungUp("c1", "callee"), events.Summoned("c1", "q", "c9.talk"))
    # Its run has ended, so the house says it for it.
    assert not desk.done(effects.EndConference)
    desk = Desk('call "15125550001"\nqueue "q" for 5s\nstay\n')
    desk.give(port.Answered("c1"), events.Placed("c1", "q", 1))
    timer = desk.done(effects.SetTimer)[-1].timer
    desk.give(events.TimerFired(timer), events.Summoned("c1", "q", "c9.talk"))
    assert desk.done(effects.EndConference) == [effects.EndConference("c9.talk")]


async def test_who_serves_waits_for_nobody_whose_call_has_ended(rig: Rig) -> None:
    agent = await run(rig, SERVES)
    await rig.until(lambda: any(entry.name == "ServeQueue" for entry in rig.entries))
    # Given by the list, and gone before it is summoned.
    rig.switchboard.hall._tell(
        Queues(), [(agent, events.NextCame(agent, "support", "r9-gone", "r9-gone", "+1", 0.0))]
    )
    await rig.hears("QueueServed", callId=agent, leg="r9-gone")
    await rig.until(lambda: [entry.name for entry in rig.entries].count("ServeQueue") == 2)
    # No time has passed for that.
    assert not any(entry.name == "TimerFired" for entry in rig.entries)


ODD: list[tuple[str, dict[str, str], str]] = [
    ("Enqueue", {}, "queue.missing"),
    ("Enqueue", {"queue": ""}, "queue.missing"),
    ("Enqueue", {"queue": "x" * 201}, "queue.invalid"),
    ("Enqueue", {"queue": "a\nb"}, "queue.invalid"),
    ("Enqueue", {"queue": "q", "for": "-1"}, "for.invalid"),
    ("Enqueue", {"queue": "q", "for": "0"}, "for.invalid"),
    ("Enqueue", {"queue": "q", "for": "nan"}, "for.invalid"),
    ("Enqueue", {"queue": "q", "timeout": "1e9"}, "timeout.invalid"),
    ("Enqueue", {"queue": "q", "announcement": "ftp://x/y"}, "announcement.invalid"),
    ("Enqueue", {"queue": "q", "callbackUrl": "no url"}, "callbackUrl.invalid"),
    ("Enqueue", {"queue": "q", "within": "3"}, "within.unknown"),
    ("Serve", {}, "queue.missing"),
    ("Serve", {"queue": "q", "within": "soon"}, "within.invalid"),
    ("Serve", {"queue": "q", "for": "90000"}, "for.invalid"),
    ("LeaveQueue", {"queue": "q"}, "queue.unknown"),
    ("LeaveQueue", {}, "call.over"),
    ("QueryQueues", {"queue": "\x00"}, "queue.invalid"),
]


async def test_odd_requests_are_refused_by_name_and_nothing_is_queued(rig: Rig) -> None:
    call = await rig.up("15125550001")
    for method, given, code in ODD:
        said = await rig.ask(method, **({} if method == "QueryQueues" else {"callId": call}), **given)
        assert said.code == code, (method, given, said)
    for method in ("Enqueue", "Serve"):
        assert (await rig.ask(method, queue="q")).code == "callId.missing"
        assert (await rig.ask(method, OTHER_KEY, callId=call, queue="q")).code == "call.unknown"
    assert not rig.switchboard.live[call].run.tasks
    waits = await run(rig, f'call "15125550002"\nqueue "a\\nb" for 1m notify "{HOOK}" {{ wait 1s }}\n')
    await rig.hears("QueueEntered")
    assert (await rig.get("QueryQueues")).splitlines() == ["'a\\nb': waiting=1  longest=0  ready=0"]
    for one in (call, waits):
        await rig.get("Hangup", callId=one)
    await rig.quiet()


def test_what_is_dropped_with_its_whole_run_is_closed_in_any_order() -> None:
    async def waits() -> None:
        await suspend(Wait(lambda _: False))

    strand = Strand(1, None, waits())
    strand.resume(None)
    strand.coroutine.close()
    strand.cancel()
