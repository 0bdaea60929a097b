"""Conferences of live calls: whom they end with, what is kept of them, and what is seen of them."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
from attrs import evolve

from ringful.grammar.reading.parser import parse
from ringful.interpreter import effects, events
from ringful.interpreter.calls.node import NodeLimits
from ringful.interpreter.calls.recover import recover
from ringful.interpreter.calls.switchboard import Unavailable
from ringful.interpreter.events import Started
from ringful.interpreter.run import Run
from ringful.media import port
from ringful.store.open import open_store
from ringful.store.port import CallFilter, Write
from tests.house import HOOK, KEY, OTHER, SETTINGS, Rig, answers, house

HOST, ANN, BEN, CAT = "15125550001", "15125550002", "15125550003", "15125550004"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with house(tmp_path, answers(None)) as made:
        yield made


async def run(rig: Rig, script: str) -> str:
    call_id = rig.switchboard.new_id()
    await rig.switchboard.place(KEY, call_id, Started(parse(script)))
    return call_id


async def two(rig: Rig, name: str = "team") -> tuple[str, str, str]:
    """Give a conference by name, and the two calls that are in it."""
    calls = [await rig.up(number, callbackUrl=HOOK) for number in (ANN, BEN)]
    for one in calls:
        await rig.get("JoinConf", confCallId=name, participantCallId=one, callbackUrl=HOOK)
    conference = f"{calls[0]}.{name}"
    await rig.until(lambda: len(rig.members(conference)) == 2)
    return conference, *calls  # type: ignore[return-value]


async def test_scripts_of_different_calls_meet_by_name_and_under_their_own_key_alone(rig: Rig) -> None:
    script = f'call "{ANN}" notify "{HOOK}"\njoin "team" as why notify "{HOOK}"\nhangup\n'
    first = await run(rig, script)
    await rig.until(lambda: rig.members(f"{first}.team"))
    second = await run(rig, script)
    await rig.until(lambda: len(rig.members(f"{first}.team")) == 2)
    other = rig.switchboard.new_id()
    await rig.switchboard.place(OTHER, other, Started(parse(script)))
    await rig.until(lambda: rig.members(f"{other}.team"))
    assert set(rig.members(f"{first}.team")) == {first, second}
    await rig.get("Hangup", callId=first)
    await rig.get("LeaveConf", confCallId="team", participantCallId=second)
    await rig.until(lambda: set(rig.switchboard.live) == {other, f"{other}.team"})
    left = {one["participantCallId"]: one["reason"] for one in rig.told("ConfCallLeft")}
    assert left == {first: "hangup", second: "left"}
    assert [one["participantCallId"] for one in rig.told("ConfCallJoined")] == [first, second, other]


async def test_what_cannot_be_reached_is_told(rig: Rig) -> None:
    script = f"""call "{ANN}" notify "{HOOK}"
start join "r1-none.room" notify "{HOOK}"
mute "{BEN}" in "nobody"
stay
"""
    call_id = await run(rig, script)
    assert (await rig.hears("JoinFailed"))["reason"] == "unknown"
    await rig.until(lambda: any(entry.name == "NotReached" for entry in rig.entries))
    conference, _, _ = await two(rig)
    await rig.get("HangupConf", confCallId=conference)
    await rig.until(lambda: len(rig.switchboard.live) == 1)
    (join,) = parse(f'call "1"\nstart join "{conference}" notify "{HOOK}"\n').body.statements
    await rig.switchboard.queue(KEY, call_id, join)
    await rig.hears("JoinFailed", reason="ended")


async def test_a_conference_that_was_up_when_the_server_died_is_ended(tmp_path: Path) -> None:
    async with house(tmp_path, answers(None)) as rig:
        conference, ann, ben = await two(rig)
        await rig.get("Record", confCallId=conference, callbackUrl=HOOK)
        await rig.hears("RecordStart")
        empty = await rig.get("StartConf", moderator=HOST, callbackUrl=HOOK)
        await rig.settle()
        await rig.store.submit(Write()).wait()
    async with open_store(f"sqlite:///{tmp_path}/ringful.db") as store:
        posts = await recover(store, SETTINGS, tmp_path, lambda _: (1000, 16044), 2e9)
        live = await store.calls(state="live")
        records = {one.call_id: one for one in await store.calls()}
        spent = await store.spent(KEY.key)
    assert not live
    assert {one.outcome for one in records.values()} <= {"lost"}
    assert (records[conference].bill, records[empty].bill) == (0, 0)
    assert spent == sum(one.bill or 0 for one in records.values())
    told = [(post.call_id, post.fields["action"], post.fields.get("reason")) for post in posts]
    assert (conference, "RecordComplete", "lost") in told
    assert (empty, "ConfCallCompleted", "lost") in told
    for one in (ann, ben):
        assert (one, "ConfCallLeft", "lost") in told
        (end,) = (post.fields for post in posts if post.call_id == one and "Hangup" in post.fields["action"])
        assert (end["reason"], end["confCallId"]) == ("lost", conference)


async def test_a_conference_of_a_key_that_was_revoked_is_ended_and_its_calls_go_on(rig: Rig) -> None:
    conference, ann, ben = await two(rig)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(rig.switchboard.beat, 0.02)
        await rig.settle()
        assert conference in rig.switchboard.live
        await rig.store.put_key(evolve(KEY, revoked=1.0))
        await rig.until(lambda: conference not in rig.switchboard.live)
        nursery.cancel_scope.cancel()
    await rig.until(lambda: len(rig.told("ConfCallLeft", reason="ended")) == 2)
    assert set(rig.switchboard.live) == {ann, ben}
    record = await rig.store.call(conference)
    assert record
    assert record.state == "ended"


async def test_a_server_that_ends_ends_its_conferences(rig: Rig) -> None:
    conference, ann, _ = await two(rig)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(rig.switchboard.drain, 1.0)
        await trio.sleep(0.05)
        assert (await rig.ask("StartConf", moderator=HOST)).code == "server.unavailable"
        assert (await rig.ask("ConfCall", moderator=HOST, attendees=ANN)).code == "server.unavailable"
    assert not rig.switchboard.live
    assert {one["reason"] for one in rig.told("ServerHangup")} == {"shutdown"}
    assert len(rig.told("ConfCallLeft")) == 2
    await rig.kept()
    for one in (conference, ann):
        record = await rig.store.call(one)
        assert record
        assert record.state == "ended"


async def test_a_conference_takes_no_line_and_costs_nothing(tmp_path: Path) -> None:
    async with house(tmp_path, answers(None), limits=NodeLimits(max_calls=2)) as rig:
        conference, ann, _ = await two(rig)
        assert rig.switchboard.full
        with pytest.raises(Unavailable):
            await run(rig, f'call "{HOST}"\n')
        await rig.get("Hangup", callId=ann)
        assert sum(call.legs for call in rig.switchboard.live.values()) <= 2
        await rig.get("HangupConf", confCallId=conference)
        await rig.quiet()
        (found,) = await rig.store.find_calls(CallFilter(label=None), limit=1)
        assert found.call_id == conference
        assert found.bill == 0


async def test_who_was_put_out_may_join_again_and_again(rig: Rig) -> None:
    conference, _, _ = await two(rig)
    rounds = range(1, 4)
    joins = [
        f'join "team" as why\nnotify "{HOOK}" with {{ action: "out", round: {one}, why: why.reason }}\n'
        for one in rounds
    ]
    call = await run(rig, f'call "{CAT}"\n{"".join(joins)}wait 20s\n')
    for one in rounds:
        await rig.until(lambda: call in rig.members(conference))
        await rig.get("KickConf", confCallId="team", participantCallId=call)
        assert (await rig.hears("out", round=str(one)))["why"] == "kicked"
    await rig.until(lambda: call not in rig.members(conference))


async def test_who_is_to_be_told_of_the_first_member_is_whatever_waits_before(rig: Rig) -> None:
    host = await rig.up(HOST)
    conference = await rig.get("StartConf", moderator=HOST, callId=host)
    await rig.get("Play", confCallId=conference, announcement="short")
    came = f'notify "{HOOK}" with {{ action: "came", id: who.id }}'
    await run(rig, f'in "{conference}" {{ on join as who {{ {came} }} }}\nwait 20s\n')
    ann = await rig.up(ANN)
    await rig.get("JoinConf", confCallId=conference, participantCallId=ann)
    for one in (host, ann):
        await rig.hears("came", id=one)


@pytest.mark.parametrize(
    "script",
    [
        'call "{ANN}"\ncall "{BEN}" {{\n    join "1"\n}}\nwait 1s\njoin "1"\n',
        'call "{ANN}"\nconference ben\ncall "{BEN}" as ben {{\n    join "x"\n}}\njoin "x"\n',
        'call "{ANN}"\nstart join "ben"\ncall "{BEN}" as ben {{\n    join "ben"\n}}\nwait 1h\n',
        'call "{ANN}"\nstart join "ben 2"\ncall "{BEN}" as ben_2 {{\n    join "ben 2"\n}}\nwait 1h\n',
        'call "{ANN}"\nstart join "room"\nconference room\ncall "{BEN}" {{ join "room" }}\nwait 1h\n',
    ],
)
async def test_a_leg_and_a_conference_have_each_an_id_of_their_own(rig: Rig, script: str) -> None:
    call = await run(rig, script.format(ANN=ANN, BEN=BEN))
    await rig.until(lambda: any(len(rig.members(one)) == 2 for one in rig.switchboard.live))
    (conference,) = (one for one in rig.switchboard.live if len(rig.members(one)) == 2)
    everything = [name for one in rig.switchboard.live.values() for name in (one.run.call_id, *one.run.legs)]
    assert max(Counter(everything).values()) == 2  # A run, and its own leg or its room.
    await rig.get("HangupConf", confCallId=conference)
    await rig.quiet()
    assert not rig.phones.rooms
    assert (await rig.store.call(call)) is not None


async def test_a_conference_in_a_loop_keeps_short_ids(rig: Rig) -> None:
    call = await run(rig, "repeat 12 times {\n    conference room\n    wait 1ms\n}\nwait 1h\n")
    await rig.until(lambda: f"{call}.room-12" in rig.switchboard.live)
    await rig.get("Hangup", callId=call)
    await rig.quiet()


async def test_recordings_of_conferences_have_each_a_file_of_their_own(rig: Rig) -> None:
    ann = await rig.up(ANN)
    recorded = 0
    for times in (2, 1):
        await rig.get("JoinConf", confCallId="team", participantCallId=ann)
        await rig.until(lambda: any(rig.members(one) for one in rig.switchboard.live))
        for _ in range(times):
            recorded += 1
            await rig.get("Record", confCallId="team", callbackUrl=HOOK)
            await rig.settle()
            await rig.get("RecordStop", confCallId="team")
            await rig.until(lambda: len(rig.told("RecordComplete")) == recorded)  # noqa: B023
        await rig.get("LeaveConf", confCallId="team", participantCallId=ann)
        await rig.until(lambda: len(rig.switchboard.live) == 1)
    assert len({one["recordFile"] for one in rig.told("RecordComplete")}) == 3


async def test_it_is_logged_and_counted(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    conference, _, _ = await two(rig)
    await rig.get("Play", confCallId=conference, announcement="short")
    await rig.get("HangupConf", confCallId=conference)
    await rig.quiet()
    lines = [line for line in capsys.readouterr().out.splitlines() if f"call={conference}" in line]
    assert ["a conference begins" in lines[0], "a conference has ended" in lines[-1]] == [True, True]
    assert "reason=api" in lines[-1]
    value = rig.metrics.registry.get_sample_value
    assert value("ringful_conferences_ended_total", {"reason": "api"}) == 1
    assert value("ringful_conference_members_joined_total") == 2
    assert value("ringful_calls_ended_total", {"direction": "outbound", "outcome": "completed"}) == 2


async def test_it_is_listed_as_what_it_is(rig: Rig) -> None:
    conference, ann, _ = await two(rig)
    listed = (await rig.json("QueryCalls"))["calls"]
    assert {one["callId"]: (one["direction"], one["state"]) for one in listed} == {
        conference: ("conference", "up"),
        **{one: ("outbound", "up") for one in rig.switchboard.live if one != conference},
    }
    assert f"{conference}  " in await rig.get("QueryCalls")
    found = await rig.json("QueryCall", callId=conference)
    assert (found["direction"], found["conference"], found["state"]) == ("conference", "team", "up")
    assert "conference" not in await rig.json("QueryCall", callId=ann)


async def test_a_fault_of_ours_in_a_conference_lets_its_members_go_on(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    conference, ann, _ = await two(rig)
    perform = Run.perform

    def broken(self: Run, effect: effects.Effect) -> None:
        if self.call_id == conference and isinstance(effect, effects.Play | effects.Dismiss):
            raise RuntimeError("a fault that the test put in")
        perform(self, effect)

    monkeypatch.setattr(Run, "perform", broken)
    await rig.get("Play", confCallId=conference, announcement="short")
    await rig.until(lambda: conference not in rig.switchboard.live)
    monkeypatch.undo()
    await rig.until(lambda: len(rig.told("ConfCallLeft")) == 2)
    assert {one["reason"] for one in rig.told("ConfCallLeft")} == {"lost"}
    await rig.get("Play", callId=ann, announcement="short", callbackUrl=HOOK)
    await rig.hears("PlayComplete", reason="end")


async def test_many_come_and_go_at_once_and_each_is_told_in_order(rig: Rig) -> None:
    calls = [await rig.up(f"1512555{number:04}") for number in range(100, 120)]

    async def comes_and_goes(call_id: str) -> None:
        for _ in range(3):
            given = {"confCallId": "team", "participantCallId": call_id}
            await rig.get("JoinConf", callbackUrl=HOOK, **given)
            await rig.ask("LeaveConf", **given)
            await rig.settle()
            await rig.ask("LeaveConf", **given)
            await rig.settle()

    async with trio.open_nursery() as nursery:
        for call_id in calls:
            nursery.start_soon(comes_and_goes, call_id)
    for call_id in calls:
        actions = [
            post.fields["action"] for post in rig.posts if post.fields.get("participantCallId") == call_id
        ]
        # Who is told to leave while the conference is made has not been in it.
        assert " ".join(actions).replace("JoinFailed", "ConfCallJoined ConfCallLeft").split() == (
            ["ConfCallJoined", "ConfCallLeft"] * 3
        )
    await rig.until(lambda: len(rig.switchboard.live) == len(calls))
    assert not rig.phones.rooms


async def test_a_key_has_as_many_conferences_as_calls_and_others_have_theirs(tmp_path: Path) -> None:
    async with house(tmp_path, answers(None), limits=NodeLimits(200, 1000.0, 2)) as rig:
        script = f"""conference a
conference b named "bees"
conference c notify "{HOOK}"
call "{ANN}" as ann {{
    join c notify "{HOOK}"
    join "more" notify "{HOOK}"
}}
wait 1h
"""
        run_id = rig.switchboard.new_id()
        await rig.switchboard.place(OTHER, run_id, Started(parse(script)))
        assert (await rig.hears("ConfCallCompleted"))["reason"] == "capacity"
        await rig.until(lambda: len(rig.told("JoinFailed")) == 2)
        assert [one["reason"] for one in rig.told("JoinFailed")] == ["capacity"] * 2
        assert {room.name for room in rig.phones.rooms} == {f"{run_id}.a", f"{run_id}.b"}
        for method in ("StartConf", "ConfCall"):
            given = {"moderator": HOST, "attendees": BEN} if method == "ConfCall" else {"moderator": HOST}
            refused = await rig.ask(method, OTHER, **given)
            assert (refused.status, refused.code) == (429, "key.limit")
        assert (await rig.ask("StartConf", OTHER, moderator=HOST, name="bees")).status == 200
        await two(rig)
        # Once one has ended, there is a place.
        assert (await rig.ask("HangupConf", OTHER, confCallId="bees")).status == 200
        await rig.until(lambda: len([one for one in rig.switchboard.live.values() if one.key == OTHER]) == 2)
        assert (await rig.ask("StartConf", OTHER, moderator=HOST)).status == 200


async def test_a_call_that_has_no_place_for_a_new_name_is_refused_before_it_joins(tmp_path: Path) -> None:
    async with house(tmp_path, answers(None), limits=NodeLimits(200, 1000.0, 1)) as rig:
        call_id = rig.switchboard.new_id()
        body = f'call "{ANN}"\nconference own\nstay\n'
        await rig.switchboard.place(OTHER, call_id, Started(parse(body)))
        await rig.until(lambda: rig.phones.rooms)
        refused = await rig.ask("JoinConf", OTHER, confCallId="team", participantCallId=call_id)
        assert (refused.status, refused.code) == (429, "key.limit")
        joined = await rig.ask("JoinConf", OTHER, confCallId=f"{call_id}.own", participantCallId=call_id)
        assert joined.status == 200


async def test_where_the_server_has_all_its_conferences_none_is_begun(tmp_path: Path) -> None:
    async with house(tmp_path, answers(None), limits=NodeLimits(max_calls=2)) as rig:
        names = "\n".join(f"conference c{n}" for n in range(11))
        await run(rig, f"{names}\nwait 1h\n")
        await rig.until(lambda: len(rig.phones.rooms) == rig.switchboard.most_conferences)
        for method in ("StartConf", "ConfCall"):
            given = {"moderator": HOST, "attendees": BEN} if method == "ConfCall" else {"moderator": HOST}
            refused = await rig.ask(method, **given)
            assert (refused.status, refused.code) == (503, "server.unavailable")


async def test_a_conference_that_the_phones_have_no_room_for_is_told_as_that(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await rig.up(ANN, callbackUrl=HOOK)

    def refuse(room: str, sink: port.Sink, *, speaking: bool = False) -> None:
        sink(port.Refused(room, "capacity"))

    monkeypatch.setattr(rig.phones, "open_room", refuse)
    await rig.get("JoinConf", confCallId="team", participantCallId=ann, callbackUrl=HOOK)
    assert (await rig.hears("JoinFailed"))["reason"] == "capacity"
    refused = await rig.ask("StartConf", moderator=ANN, callId=ann)
    assert (refused.status, refused.code) == (503, "server.unavailable")


async def test_a_call_that_is_cut_for_a_fault_of_ours_leaves_nobody_in_its_conference(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    conference, ann, ben = await two(rig)

    def broken(self: Run, why: str) -> None:
        raise RuntimeError("a fault that the test put in")

    monkeypatch.setattr(Run, "abandon", broken)
    rig.switchboard.live[ann].give_up("the test says so")
    await rig.until(lambda: ann not in rig.switchboard.live)
    monkeypatch.undo()
    await rig.until(lambda: set(rig.members(conference)) == {ben})
    await rig.get("LeaveConf", confCallId=conference, participantCallId=ben)
    await rig.until(lambda: conference not in rig.switchboard.live)


async def test_a_turn_that_begins_another_run_is_over_before_another_turn_is_taken(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits in a conference is known before it is ended; one thing of that begins a conference."""
    conference, ann, _ = await two(rig)
    handle, within, nested = Run.handle, [], []

    def handled(self: Run, event: events.Event, at: float) -> None:
        nested.extend(within)
        within.append(type(event).__name__)
        try:
            handle(self, event, at)
        finally:
            within.pop()

    meeting = rig.switchboard.live[conference]
    begins = parse("conference other\n").body.statements[0]
    meeting.run.post(events.Queued(0, begins))  # type: ignore[arg-type]
    meeting.run.post(events.MembersChange("mute", ann))
    # The new run itself is started within the turn that begins it, and none but that.
    monkeypatch.setattr(Run, "handle", handled)
    await rig.switchboard.conferences.end(KEY, conference)
    assert nested == ["Queued"]
