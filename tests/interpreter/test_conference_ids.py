"""Whom an ID means: conferences, legs and recordings that are not mistaken for each other, and leaders."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ringful.grammar.reading.parser import parse
from ringful.interpreter import effects
from ringful.interpreter.events import Started
from ringful.interpreter.leg import Leg
from ringful.media import port
from tests.house import HOOK, KEY, Rig, answers, house, never
from tests.interpreter.test_run import Desk

HOST, ANN, BEN, CAT = "15125550001", "15125550002", "15125550003", "15125550004"
DEAD, DEAD2 = "15125550006", "15125550007"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with house(tmp_path, answers(None), never(DEAD), never(DEAD2)) as made:
        yield made


async def run(rig: Rig, script: str) -> str:
    call_id = rig.switchboard.new_id()
    await rig.switchboard.place(KEY, call_id, Started(parse(script)))
    return call_id


async def joined(rig: Rig, conference: str, number: str, **given: str) -> str:
    call_id = await rig.up(number)
    await rig.get("JoinConf", confCallId=conference, participantCallId=call_id, **given)
    await rig.until(lambda: any(call_id in room.members for room in rig.phones.rooms))
    return call_id


async def busy_call(rig: Rig, number: str) -> str:
    """Give a call whose queue stands still until `go_on`."""
    call_id = await rig.up(number)
    await rig.get("Play", callId=call_id, announcement="long")
    await rig.until(lambda: subject(rig, call_id).playbacks)
    return call_id


async def go_on(rig: Rig, call_id: str) -> None:
    for number in list(subject(rig, call_id).playbacks):
        rig.phones.stop_playback(call_id, number)
    await rig.until(lambda: not [one for one in rig.switchboard.live[call_id].run.tasks if not _over(one)])


def _over(task: object) -> bool:
    return getattr(task, "state", "") not in ("waiting", "running")


def subject(rig: Rig, call_id: str) -> Leg:
    leg = rig.switchboard.live[call_id].run.subject
    assert leg
    return leg


async def tasks(rig: Rig, call_id: str) -> list[tuple[str, str]]:
    """Give how each task of a call ended."""
    found = await rig.json("QueryCall", callId=call_id)
    return [(one["state"], one["detail"] or "") for one in found["queue"]]


def left_of(rig: Rig) -> list[tuple[str, str]]:
    """Give which legs were told that they are in a conference no more, or do not get in, and why."""
    return [(entry.data["why"], entry.data["leg"]) for entry in rig.entries if entry.name == "Left"]


# What has ended


@pytest.mark.parametrize("name", ["", "board"])
async def test_a_conference_that_ended_before_its_moderators_turn_stays_ended(rig: Rig, name: str) -> None:
    host = await busy_call(rig, HOST)
    named = {"name": name} if name else {}
    conference = await rig.get("StartConf", moderator=HOST, callId=host, callbackUrl=HOOK, **named)
    await rig.get("HangupConf", confCallId=conference)
    await rig.until(lambda: conference not in rig.switchboard.live)
    await go_on(rig, host)
    await rig.settle()
    assert set(rig.switchboard.live) == {host}
    assert not rig.told("ConfCallStarted")
    assert (await tasks(rig, host))[1:] == [("done", ""), ("done", "")]  # The join goes on beside the queue,
    (left,) = [entry.data for entry in rig.entries if entry.name == "Left"]  # and is told what came of it.
    assert (left["why"], left["detail"]) == ("ended", f"the conference {conference} has ended")


async def test_a_conference_that_was_found_by_name_is_not_made_anew_when_it_has_ended(rig: Rig) -> None:
    ann = await joined(rig, "board", ANN)
    host = await busy_call(rig, HOST)
    conference = await rig.get("StartConf", moderator=HOST, callId=host, name="board")
    assert conference == f"{ann}.board"
    await rig.get("HangupConf", confCallId=conference)
    await rig.until(lambda: set(rig.switchboard.live) == {host})
    await joined(rig, "board", BEN)  # Another one of that name is none of its business.
    await go_on(rig, host)
    await rig.settle()
    assert left_of(rig) == [("ended", ann), ("ended", host)]
    assert not [room for room in rig.phones.rooms if host in room.members]


async def test_a_moderator_who_is_rung_joins_what_was_opened_and_no_other_of_its_name(rig: Rig) -> None:
    conference = await rig.get("StartConf", moderator=DEAD, name="board", waitForParticipant="false")
    host = conference.partition(".")[0]
    ann = await joined(rig, conference, ANN, asModerator="true")
    assert not rig.leg_up(host)
    await rig.get("Hangup", callId=ann)
    await rig.until(lambda: conference not in rig.switchboard.live)
    rig.phones.far_side(host).answer()
    await rig.until(lambda: ("ended", host) in left_of(rig))
    assert not rig.phones.rooms


# One ID, one thing


async def test_a_leg_and_a_conference_that_a_name_makes_have_ids_of_their_own(rig: Rig) -> None:
    script = f'call "{HOST}"\ncall "{ANN}" notify "{HOOK}" {{ join "1" notify "{HOOK}"\nwait 1h }}\nwait 1h\n'
    call_id = await run(rig, script)
    conference = (await rig.hears("ConfCallJoined"))["confCallId"]
    assert conference == f"{call_id}.1-2"
    await rig.get("LeaveConf", confCallId="1", participantCallId=f"{call_id}.1")
    await rig.until(lambda: conference not in rig.switchboard.live)
    assert f"{call_id}.1" in rig.phones.live  # What is done to the conference is not done to the leg.
    assert not rig.phones.rooms


async def test_a_leg_and_a_conference_of_one_script_have_ids_of_their_own(rig: Rig) -> None:
    script = f'call "{HOST}"\nconference ann\nlet room = ann\ncall "{ANN}" as ann {{ wait 1h }}\nwait 1h\n'
    call_id = await run(rig, script)
    await rig.until(lambda: f"{call_id}.ann-2" in rig.phones.live)
    await rig.get("HangupConf", confCallId=f"{call_id}.ann")
    await rig.until(lambda: f"{call_id}.ann" not in rig.switchboard.live)
    await rig.settle()
    assert f"{call_id}.ann-2" in rig.phones.live
    assert not rig.phones.rooms


async def test_a_conference_of_a_script_is_never_one_that_a_name_has_made(rig: Rig) -> None:
    script = f"""call "{HOST}"
start join "room" notify "{HOOK}"
conference room moderator "{HOST}" most 2
leave "room"
start join room as moderator notify "{HOOK}"
wait 1h
"""
    call_id = await run(rig, script)
    await rig.until(lambda: rig.members(f"{call_id}.room-2"))
    found = await rig.json("QueryConf", confCallId=f"{call_id}.room-2")
    assert (found["name"], found["most"], found["moderator"]["id"]) == (None, 2, call_id)
    made = [entry.call_id for entry in rig.entries if entry.name == "OpenRoom"]
    assert made == [f"{call_id}.room", f"{call_id}.room-2"]


async def test_no_two_recordings_have_one_file(rig: Rig) -> None:
    ann = await joined(rig, "team", ANN)
    first, second = await recorded(rig, f"{ann}.team"), await recorded(rig, f"{ann}.team")
    given = {"confCallId": "team", "participantCallId": ann}
    await rig.get("LeaveConf", **given)
    await rig.until(lambda: set(rig.switchboard.live) == {ann})
    await rig.get("JoinConf", **given)
    await rig.until(lambda: rig.members(f"{ann}.team-2"))
    third = await recorded(rig, f"{ann}.team-2")
    assert (first, second, third) == (f"{ann}.team.wav", f"{ann}.team--2.wav", f"{ann}.team-2.wav")
    for file in (first, second, third):
        assert await rig.store.recording(file)


async def recorded(rig: Rig, conference: str) -> str:
    """Record a conference for a moment, and give the name of the file."""
    begun, done = len(rig.told("RecordStart")), len(rig.told("RecordComplete"))
    await rig.get("Record", confCallId=conference, callbackUrl=HOOK)
    await rig.until(lambda: len(rig.told("RecordStart")) > begun)
    await rig.get("RecordStop", confCallId=conference)
    await rig.until(lambda: len(rig.told("RecordComplete")) > done)
    return rig.told("RecordComplete")[-1]["recordFile"].rpartition("/")[2]


def test_ids_stay_short_however_many_there_are_and_are_each_given_once() -> None:
    long = "r" * 300
    turn = 'conference room\ncall "1" as room { wait 1s }'
    desk = Desk(f'call "1512"\nrepeat 90 times {{ {turn} }}\nconference {long}\n')
    desk.give(port.Answered("c1"))
    made = [one.new_id for one in desk.done(effects.OpenConference)]
    assert (made[0], made[1], made[89]) == ("c1.room", "c1.room-3", "c1.room-179")
    assert made[90] == f"c1.{'r' * 64}"
    ids = [*made, *desk.run.legs]
    assert len(ids) == len(set(ids)) == 90 + 1 + 90 + 1
    assert not [one for one in ids if "--" in one]


# Whom a conference waits for


async def test_hanging_up_a_conference_ends_every_call_that_was_placed_for_it(rig: Rig) -> None:
    first = await rig.get("StartConf", moderator=DEAD, name="board", callbackUrl=HOOK)
    second = await rig.get("StartConf", moderator=DEAD2, name="board", callbackUrl=HOOK)
    assert first == second
    await rig.get("HangupConf", confCallId="board")
    await rig.until(lambda: len(rig.told("CallFailed", reason="cancelled")) == 2)
    await rig.quiet()
    assert not rig.switchboard.hall.placed


async def test_a_moderator_who_still_rings_for_one_conference_is_taken(rig: Rig) -> None:
    conference = await rig.get("StartConf", moderator=DEAD)
    said = await rig.ask("StartConf", moderator=DEAD)
    assert said.code == "conference.engaged"
    assert conference in said.text
    await joined(rig, "team", ANN)
    given = {"confCallId": "team", "participantCallId": conference.partition(".")[0]}
    assert (await rig.ask("JoinConf", **given)).code == "conference.engaged"


@pytest.mark.parametrize("name", ["", "board"])
async def test_a_moderator_who_is_in_another_one_by_then_ends_it(rig: Rig, name: str) -> None:
    host = await run(rig, f'call "{HOST}"\nplay "long"\nstart join "other"\nstay\n')
    await rig.until(lambda: subject(rig, host).playbacks)
    named = {"name": name} if name else {}
    conference = await rig.get("StartConf", moderator=HOST, callId=host, callbackUrl=HOOK, **named)
    await go_on(rig, host)
    end = await rig.hears("ConfCallCompleted", confCallId=conference)
    assert end["reason"] == "moderator engaged"
    assert (await tasks(rig, host))[1][0] == "failed"
    await rig.until(lambda: host in rig.members(f"{host}.other"))


async def test_a_moderator_who_has_yet_to_come_cannot_be_told_to_leave(rig: Rig) -> None:
    host = await busy_call(rig, HOST)
    opened = await rig.get("StartConf", moderator=HOST, callId=host, waitForParticipant="false")
    rung = await rig.get("StartConf", moderator=DEAD, name="board")
    for conference in (opened, rung):
        given = {"confCallId": conference, "participantCallId": conference.partition(".")[0]}
        assert (await rig.ask("LeaveConf", immediately="false", **given)).code == "conference.moderator"
    await go_on(rig, host)
    await rig.until(lambda: host in rig.members(opened))


async def test_a_leave_for_another_conference_frees_nobody(rig: Rig) -> None:
    other, team = await joined(rig, "other", BEN), await joined(rig, "team", CAT)
    ann = await joined(rig, "team", ANN)
    await rig.get("Play", callId=ann, announcement="long")
    leave = {"participantCallId": ann, "immediately": "false"}
    await rig.get("LeaveConf", confCallId="other", **leave)
    given = {"confCallId": "other", "participantCallId": ann}
    assert (await rig.ask("JoinConf", **given)).code == "conference.engaged"
    await rig.get("LeaveConf", confCallId=f"{team}.team", **leave)
    await rig.get("JoinConf", **given)
    await go_on(rig, ann)
    await rig.until(lambda: set(rig.members(f"{other}.other")) == {other, ann})


async def test_a_second_line_of_the_moderator_is_no_moderator(rig: Rig) -> None:
    host = await rig.up(HOST)
    conference = await rig.get("StartConf", moderator=HOST, callId=host, waitForParticipant="false")
    await rig.until(lambda: host in rig.members(conference))
    again, ann = await joined(rig, conference, HOST), await joined(rig, conference, ANN)
    await rig.get("Hangup", callId=again)
    await rig.until(lambda: set(rig.members(conference)) == {host, ann})
    assert (await rig.json("QueryConf", confCallId=conference))["moderator"]["id"] == host
