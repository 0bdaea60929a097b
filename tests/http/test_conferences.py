"""The methods about conferences, asked of a whole server that has simulated phones."""

from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ringful.store.port import Key
from tests.house import HOOK, KEY, OTHER, Rig, answers, busy, house, never

HOST, ANN, BEN, CAT = "15125550001", "15125550002", "15125550003", "15125550004"
BUSY, DEAD = "15125550005", "15125550006"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with house(tmp_path, answers(None), busy(BUSY), never(DEAD)) as made:
        yield made


async def started(rig: Rig, **given: str) -> tuple[str, str]:
    """Give a conference that its moderator is in, and the moderator's call."""
    host = await rig.up(HOST)
    given = {"waitForParticipant": "false", **given}
    conference = await rig.get("StartConf", moderator=HOST, callId=host, **given)
    await rig.until(lambda: host in rig.members(conference))
    return conference, host


async def joined(rig: Rig, conference: str, number: str, **given: str) -> str:
    call_id = await rig.up(number)
    await rig.get("JoinConf", confCallId=conference, participantCallId=call_id, **given)
    await rig.until(lambda: any(call_id in room.members for room in rig.phones.rooms))
    return call_id


async def test_a_conference_from_its_start_to_its_end_as_the_reference_has_it(rig: Rig) -> None:
    host, ann = await rig.up(HOST, callbackUrl=HOOK), await rig.up(ANN, callbackUrl=HOOK)
    conference = await rig.get("StartConf", moderator=HOST, callbackUrl=HOOK)
    assert conference.startswith(f"{host}.conf_")
    assert rig.members(conference) == {}  # The moderator waits for the first participant.
    given = {"confCallId": conference, "participantCallId": ann, "callbackUrl": HOOK}
    assert await rig.get("JoinConf", **given) == ""
    await rig.until(lambda: len(rig.members(conference)) == 2)
    assert await rig.get("QueryConf", confCallId=conference) == (
        f"<conference>\n    <moderator>\n        <phone>{HOST}</phone>\n        <id>{host}</id>\n"
        f"    </moderator>\n    <participants>\n        <participant>\n            <phone>{ANN}</phone>\n"
        f"            <id>{ann}</id>\n        </participant>\n    </participants>\n</conference>"
    )
    assert await rig.get("HangupConf", confCallId=conference) == ""
    await rig.hears("ConfCallCompleted", confCallId=conference, reason="api")
    await rig.quiet()
    assert len(rig.told("ConfCallStarted", confCallId=conference)) == 1
    assert len(rig.told("ConfCallJoined", confCallId=conference, participantCallId=ann)) == 1
    assert rig.told("ConfCallLeft", participantCallId=ann)[0]["reason"] == "ended"
    for call_id in (host, ann):
        (end,) = rig.told("ServerHangup", callId=call_id)
        assert (end["confCallId"], end["duration"], end["billAmount"]) == (conference, "1", "0.01")


async def test_the_server_rings_a_moderator_who_has_no_call(rig: Rig) -> None:
    conference = await rig.get("StartConf", moderator=HOST, callbackUrl=HOOK)
    ann = await rig.up(ANN)
    await rig.get("JoinConf", confCallId=conference, participantCallId=ann)
    await rig.until(lambda: len(rig.members(conference)) == 2)
    host = (await rig.hears("CallEstablished"))["callId"]
    script = await rig.get("Script", callId=host)
    name = conference.partition(".")[2]
    assert script == (
        f'call "{HOST}" notify "{HOOK}"\nconference {name} moderator "{HOST}" waiting notify "{HOOK}"\n'
        f"start join {name} as moderator\nstay"
    )
    await rig.get("HangupConf", confCallId=conference)
    await rig.quiet()


async def test_a_moderator_who_is_busy_ends_it_with_a_reason(rig: Rig) -> None:
    conference = await rig.get("StartConf", moderator=BUSY, callbackUrl=HOOK)
    end = await rig.hears("ConfCallCompleted", confCallId=conference)
    assert end["reason"] == "moderator busy"
    assert (await rig.ask("QueryConf", confCallId=conference)).code == "conference.over"


async def test_a_conference_of_a_call_that_ends_before_its_turn_ends_too(rig: Rig) -> None:
    host = await rig.up(HOST)
    await rig.get("Play", callId=host, announcement="long")
    conference = await rig.get("StartConf", moderator=HOST, callId=host, callbackUrl=HOOK)
    assert (await rig.json("QueryConf", confCallId=conference))["moderator"]["state"] == "called"
    await rig.get("Hangup", callId=host)
    assert (await rig.hears("ConfCallCompleted"))["reason"] == "moderator never joined"
    await rig.quiet()


async def test_hanging_up_a_conference_whose_moderator_still_rings_ends_that_call(rig: Rig) -> None:
    conference = await rig.get("StartConf", moderator=DEAD, callbackUrl=HOOK)
    await rig.get("HangupConf", confCallId=conference)
    await rig.hears("CallFailed", reason="cancelled")
    await rig.hears("ConfCallCompleted", reason="api")
    await rig.quiet()


async def test_leaving_now_and_in_its_turn(rig: Rig) -> None:
    conference, host = await started(rig)
    ann, ben = await joined(rig, conference, ANN, callbackUrl=HOOK), await joined(rig, conference, BEN)
    assert await rig.get("LeaveConf", confCallId=conference, participantCallId=ann) == ""
    assert (await rig.hears("ConfCallLeft", participantCallId=ann))["reason"] == "left"
    assert "now           leave" in await rig.get("Trace", callId=ann)
    await rig.get("Play", callId=ben, announcement="long")
    await rig.get("LeaveConf", confCallId=conference, participantCallId=ben, immediately="false")
    assert set(rig.members(conference)) == {host, ben}
    await rig.get("Play", callId=ann, announcement="short", callbackUrl=HOOK)
    await rig.hears("PlayComplete", callId=ann)  # It goes on with its own queue.
    await rig.get("JoinConf", confCallId=conference, participantCallId=ann)
    await rig.until(lambda: ann in rig.members(conference))


async def test_a_moderator_hangs_up_or_is_hung_up_and_the_others_stay(rig: Rig) -> None:
    conference, host = await started(rig, callbackUrl=HOOK)
    ann = await joined(rig, conference, ANN, callbackUrl=HOOK)
    await rig.get("Hangup", callId=host)
    assert (await rig.hears("ConfCallCompleted"))["reason"] == "moderator left"
    await rig.hears("ConfCallLeft", participantCallId=ann, reason="ended")
    assert rig.leg_up(ann)


async def test_by_name_across_calls(rig: Rig) -> None:
    ann = await joined(rig, "team a", ANN)
    ben = await joined(rig, "team a", BEN)
    found = await rig.json("QueryConf", confCallId="team a")
    assert found["name"] == "team a"
    assert found["moderator"] is None
    assert [one["id"] for one in found["participants"]] == [ann, ben]
    assert found["confCallId"] == f"{ann}.team-a"
    assert (await rig.ask("QueryConf", OTHER, confCallId="team a")).code == "conference.unknown"
    for one in (ann, ben):
        await rig.get("LeaveConf", confCallId="team a", participantCallId=one)
    await rig.until(lambda: len(rig.switchboard.live) == 2)
    assert (await rig.ask("QueryConf", confCallId="team a")).code == "conference.unknown"
    assert (await rig.ask("QueryConf", confCallId=found["confCallId"])).code == "conference.over"
    again = await joined(rig, "team a", CAT)
    await rig.get("JoinConf", confCallId="team a", participantCallId=ann)
    await rig.until(lambda: len(rig.members(f"{again}.team-a")) == 2)


async def test_the_same_call_makes_a_name_twice_and_each_has_its_own_id(rig: Rig) -> None:
    ann = await joined(rig, "team", ANN)
    await rig.get("LeaveConf", confCallId="team", participantCallId=ann)
    await rig.until(lambda: len(rig.switchboard.live) == 1)
    await rig.get("JoinConf", confCallId="team", participantCallId=ann)
    await rig.until(lambda: ann in rig.members(f"{ann}.team-2"))


async def test_starting_one_by_name_finds_the_one_that_lives(rig: Rig) -> None:
    ann = await joined(rig, "team", ANN)
    conference, host = await started(rig, name="team")
    assert conference == f"{ann}.team"
    assert set(rig.members(conference)) == {ann, host}
    other = await rig.get("StartConf", moderator=BEN, name="board", most="2")
    assert (await rig.json("QueryConf", confCallId="board"))["most"] == 2
    assert (await rig.json("QueryConf", confCallId="board"))["confCallId"] == other


async def test_what_joins_is_muted_deaf_or_one_too_many(rig: Rig) -> None:
    conference, _ = await started(rig)
    ann = await joined(rig, conference, ANN, muted="true")
    ben = await joined(rig, conference, BEN, deaf="true")
    assert (rig.members(conference)[ann], rig.members(conference)[ben]) == ("muted", "deaf")
    cat = await rig.up(CAT)
    given = {"confCallId": conference, "participantCallId": cat, "callbackUrl": HOOK}
    await rig.get("JoinConf", most="3", **given)
    assert (await rig.hears("JoinFailed", participantCallId=cat))["reason"] == "full"
    await rig.get("JoinConf", **{**given, "for": "1"})
    assert (await rig.hears("ConfCallLeft", participantCallId=cat))["reason"] == "limit"


async def test_who_waits_outside_is_shown_and_gives_up(rig: Rig) -> None:
    ann = await rig.up(ANN)
    given = {"confCallId": "team", "participantCallId": ann, "callbackUrl": HOOK}
    await rig.get("JoinConf", waiting="true", within="1", **given)
    found = await rig.json("QueryConf", confCallId="team")
    assert [one["id"] for one in found["waiting"]] == [ann]
    assert (found["state"], found["participants"]) == ("waiting", [])
    assert (await rig.hears("JoinFailed"))["reason"] == "nobody"


async def test_others_are_muted_made_deaf_and_put_out(rig: Rig) -> None:
    conference, host = await started(rig)
    ann = await joined(rig, conference, ANN, callbackUrl=HOOK)
    ben = await joined(rig, conference, BEN, callbackUrl=HOOK)
    await rig.get("MuteConf", confCallId=conference, participantCallId=ann)
    await rig.get("DeafenConf", confCallId=conference, phone=f"+{BEN}")
    await rig.until(lambda: rig.members(conference) == {host: "", ann: "muted", ben: "deaf"})
    await rig.get("MuteConf", confCallId=conference, exceptCallId=host)
    await rig.get("UndeafenConf", confCallId=conference, all="true")
    await rig.until(lambda: rig.members(conference) == {host: "", ann: "muted", ben: "muted"})
    await rig.get("UnmuteConf", confCallId=conference, all="true")
    await rig.get("KickConf", confCallId=conference, participantCallId=ann)
    assert (await rig.hears("ConfCallLeft", participantCallId=ann))["reason"] == "kicked"
    await rig.get("KickConf", confCallId=conference, all="true")
    await rig.until(lambda: rig.members(conference) == {host: ""})
    assert rig.leg_up(ben)


async def test_who_waits_outside_is_muted_and_put_out_too(rig: Rig) -> None:
    ann, ben = await rig.up(ANN), await rig.up(BEN)
    for one in (ann, ben):
        given = {"confCallId": "team", "waiting": "true", "callbackUrl": HOOK}
        await rig.get("JoinConf", participantCallId=one, **given)
    await rig.until(lambda: rig.phones.rooms)
    await rig.settle()
    await rig.get("MuteConf", confCallId="team", participantCallId=ann)
    await rig.get("KickConf", confCallId="team", phone=BEN)
    assert (await rig.hears("JoinFailed", participantCallId=ben))["reason"] == "kicked"
    assert rig.leg_up(ben)
    cat = await joined(rig, "team", CAT)
    await rig.until(lambda: rig.members(f"{ann}.team") == {ann: "muted", cat: ""})


async def test_a_coach_is_heard_by_one_member_alone_until_all_are_to_hear_it(rig: Rig) -> None:
    conference, host = await started(rig)
    ann, ben = await joined(rig, conference, ANN), await joined(rig, conference, BEN, coach=host)
    given = {"confCallId": conference, "participantCallId": ben}

    async def coaches() -> list[str | None]:
        told = await rig.json("QueryConf", confCallId=conference)
        return [one["coaches"] for one in told["participants"]]

    assert await coaches() == [None, host]
    await rig.get("CoachConf", coach=ann, **given)
    assert await coaches() == [None, ann]
    assert (await refused(rig, "CoachConf", coach="r1-none", **given)) == (404, "call.unknown")
    cat = await rig.up(CAT)
    assert (await refused(rig, "CoachConf", coach=cat, **given)) == (409, "conference.notin")
    assert await coaches() == [None, ann]
    await rig.get("CoachConf", all="true", **given)
    assert await coaches() == [None, None]


async def test_nobody_is_put_out_where_the_one_to_stay_is_not_there(rig: Rig) -> None:
    conference, host = await started(rig)
    ann, ben = await joined(rig, conference, ANN), await rig.up(BEN)
    given = {"confCallId": conference}
    assert (await refused(rig, "KickConf", exceptCallId="r1-none", **given)) == (404, "call.unknown")
    assert (await refused(rig, "MuteConf", exceptCallId=ben, **given)) == (409, "conference.notin")
    assert rig.members(conference) == {host: "", ann: ""}


async def test_the_conferences_own_queue(rig: Rig) -> None:
    conference, host = await started(rig)
    given = {"confCallId": conference, "callbackUrl": HOOK}
    await rig.get("Record", **given)
    assert (await rig.hears("RecordStart"))["callId"] == conference
    await rig.get("Play", announcement="short", **given)
    await rig.get("Tone", confCallId=conference, tones="1#")
    await rig.get("StartToneDetector", **given)
    await rig.hears("ToneDetectorStart")
    await rig.get("WaitForTone", tone="5", **given)
    rig.phones.far_side(host).press("7")
    rig.phones.far_side(host).press("5")
    assert (await rig.hears("WaitForToneMisfire", tone="7"))["participantCallId"] == host
    await rig.hears("WaitForToneDetected", tone="5")
    assert len(rig.told("ToneDetected", callId=conference)) == 2
    await rig.get("StopToneDetector", **given)
    await rig.get("RecordStop", confCallId=conference)
    done = await rig.hears("RecordComplete")
    assert done["recordFile"].endswith(f"/{conference}.wav")
    assert [one["action"] for one in (post.fields for post in rig.posts) if one["action"][:4] == "Play"] == [
        "PlayStart",
        "PlayComplete",
    ]
    found = await rig.json("QueryCall", callId=conference)
    assert (found["direction"], found["state"], found["callee"]) == ("conference", "up", HOST)
    assert [one["statement"] for one in found["queue"]][1] == f'play "short" notify "{HOOK}"'
    assert "join" not in await rig.get("Script", callId=conference)
    assert (await rig.ask("RecordStop", confCallId=conference)).status == 409
    assert (await rig.ask("StopToneDetector", confCallId=conference)).status == 409


async def test_who_speaks_is_told_to_who_asks_and_to_who_wants_to_know(rig: Rig) -> None:
    conference, _ = await started(rig, speaking="true", callbackUrl=HOOK)
    ann = await joined(rig, conference, ANN)
    leg = rig.phones.far_side(ann)
    leg.speech(True)
    await rig.hears("ConfCallSpeaking", participantCallId=ann, speaks="true")
    (found,) = (await rig.json("QueryConf", confCallId=conference))["participants"]
    assert found["speaks"] is True
    leg.speech(False)
    await rig.hears("ConfCallSpeaking", participantCallId=ann, speaks="false")


async def test_conf_call_runs_the_shipped_script_and_tells_of_everyone(rig: Rig) -> None:
    conference = await rig.get(
        "ConfCall",
        moderator=HOST,
        attendees=f"{ANN}, {BUSY},{BEN}",
        callbackUrl=HOOK,
        waitConnectAudio="long",
    )
    assert conference.endswith(".room")
    await rig.until(lambda: len(rig.members(conference)) == 3)
    await rig.hears("CallFailed", reason="busy")
    root = ElementTree.fromstring(await rig.get("QueryConf", confCallId=conference))
    assert root.findtext("moderator/phone") == HOST
    assert {one.text for one in root.findall("participants/participant/phone")} == {ANN, BEN}
    ann = next(one for one in root.findall("participants/participant") if one.findtext("phone") == ANN)
    await rig.get("KickConf", confCallId=conference, participantCallId=str(ann.findtext("id")))
    end = await rig.hears("ServerHangup", callId=str(ann.findtext("id")))
    assert (end["confCallId"], end["billAmount"]) == (conference, "0.01")
    assert int(end["duration"]) == 1
    await rig.get("HangupConf", confCallId=conference)
    await rig.quiet()
    assert len(rig.told("ServerHangup")) == 3
    assert all(one["confCallId"] == conference for one in rig.told("ServerHangup"))
    assert rig.told("ConfCallCompleted")[0]["reason"] == "api"


async def test_a_moderator_who_never_answers_and_nobody_is_rung(rig: Rig) -> None:
    conference = await rig.get("ConfCall", moderator=BUSY, attendees=ANN, callbackUrl=HOOK)
    assert (await rig.hears("ConfCallCompleted", confCallId=conference))["reason"] == "moderator busy"
    await rig.quiet()
    assert [entry.data["number"] for entry in rig.entries if entry.name == "Ring"] == [BUSY]


async def test_a_conf_call_that_is_hung_up_while_its_moderator_rings(rig: Rig) -> None:
    conference = await rig.get("ConfCall", moderator=DEAD, attendees=ANN, callbackUrl=HOOK)
    await rig.get("HangupConf", confCallId=conference)
    await rig.quiet()
    assert [entry.data["number"] for entry in rig.entries if entry.name == "Ring"] == [DEAD]
    assert rig.told("ConfCallCompleted")[0]["reason"] == "api"


async def test_a_conf_call_that_is_hung_up_tells_everybody_why(rig: Rig) -> None:
    conference = await rig.get("ConfCall", moderator=HOST, attendees=f"{ANN},{DEAD}", callbackUrl=HOOK)
    await rig.until(lambda: len(rig.members(conference)) == 2)
    assert rig.switchboard.hall.placed  # type: ignore[attr-defined]
    await rig.get("HangupConf", confCallId=conference)
    await rig.quiet()
    assert [one["reason"] for one in rig.told("ConfCallLeft")] == ["ended"] * 2
    assert len(rig.told("CallFailed")) == 1
    assert not rig.switchboard.hall.placed


async def test_a_leg_of_a_script_leaves_and_its_block_goes_on(rig: Rig) -> None:
    conference = await rig.get("ConfCall", moderator=HOST, attendees=f"{ANN},{BEN}", callbackUrl=HOOK)
    await rig.until(lambda: len(rig.members(conference)) == 3)
    leg = (await rig.json("QueryConf", confCallId=conference))["participants"][0]["id"]
    await rig.get("LeaveConf", confCallId=conference, participantCallId=leg)
    assert (await rig.hears("ConfCallLeft", participantCallId=leg))["reason"] == "left"
    await rig.hears("ServerHangup", callId=leg, reason="script")
    said = await rig.ask("LeaveConf", confCallId=conference, participantCallId=leg, immediately="false")
    assert said.code == "call.unknown"


async def test_a_moderator_waits_outside_for_somebody_who_brings_it_in(rig: Rig) -> None:
    host = await rig.up(HOST)
    conference = await rig.get("StartConf", moderator=HOST, callId=host)
    await joined(rig, conference, ANN, joinModerator="false")
    seen = await rig.json("QueryConf", confCallId=conference)
    assert seen["moderator"]["state"] == "waiting"
    assert [one["state"] for one in seen["participants"]] == ["in"]
    await joined(rig, conference, BEN)
    await rig.until(lambda: len(rig.members(conference)) == 3)


@pytest.mark.parametrize(("join", "leave"), [("team", "ID"), ("ID", "team"), ("team", "team"), ("ID", "ID")])
@pytest.mark.parametrize("waiting", ["true", "false"])
@pytest.mark.parametrize("immediately", ["true", "false"])
async def test_a_name_and_an_id_are_one_conference(
    rig: Rig, join: str, leave: str, waiting: str, immediately: str
) -> None:
    # Both wait outside, or Ben is in already.
    ben, ann = await rig.up(BEN), await rig.up(ANN)
    await rig.get("JoinConf", confCallId="team", participantCallId=ben, waiting=waiting)
    await rig.settle()
    conference = (await rig.json("QueryConf", confCallId="team"))["confCallId"]
    named = {"ID": conference, "team": "team"}
    await rig.get(
        "JoinConf", confCallId=named[join], participantCallId=ann, waiting=waiting, callbackUrl=HOOK
    )
    await rig.settle()
    left = {"participantCallId": ann, "immediately": immediately}
    assert await rig.get("LeaveConf", confCallId=named[leave], **left) == ""
    action = "JoinFailed" if waiting == "true" else "ConfCallLeft"
    assert (await rig.hears(action, participantCallId=ann))["reason"] == "left"
    await rig.get("JoinConf", confCallId="another", participantCallId=ann)
    await rig.until(lambda: ann in rig.members(f"{ann}.another"))


@pytest.mark.parametrize("name", ["", "board"])
async def test_what_was_opened_and_has_ended_is_not_opened_again(rig: Rig, name: str) -> None:
    host = await rig.up(HOST)
    await rig.get("WaitForTone", callId=host, tone="1")
    given = {"moderator": HOST, "callId": host, "callbackUrl": HOOK} | ({"name": name} if name else {})
    conference = await rig.get("StartConf", **given)
    await rig.get("HangupConf", confCallId=conference)
    await rig.until(lambda: conference not in rig.switchboard.live)
    rig.phones.far_side(host).press("1")
    await rig.settle()
    assert (await rig.ask("QueryConf", confCallId=conference)).code == "conference.over"
    assert list(rig.switchboard.live) == [host]
    # The name is free.
    again = await rig.get("StartConf", **given)
    await joined(rig, again, ANN)
    await rig.until(lambda: len(rig.members(again)) == 2)


async def test_all_who_are_rung_for_a_conference_end_with_it(tmp_path: Path) -> None:
    async with house(tmp_path, never(DEAD), never(CAT)) as rig:
        for one in (DEAD, CAT):
            await rig.get("StartConf", moderator=one, name="board", callbackUrl=HOOK)
        assert len(rig.switchboard.live) == 3
        await rig.get("HangupConf", confCallId="board")
        await rig.quiet()


async def test_a_moderator_who_still_rings_is_engaged(rig: Rig) -> None:
    conference = await rig.get("StartConf", moderator=DEAD)
    (call_id,) = (one for one in rig.switchboard.live if one != conference)
    assert await refused(rig, "StartConf", moderator=DEAD) == (409, "conference.engaged")
    given = {"confCallId": "team", "participantCallId": call_id}
    assert await refused(rig, "JoinConf", **given) == (409, "conference.engaged")
    given = {"confCallId": conference, "participantCallId": call_id, "immediately": "false"}
    assert await refused(rig, "LeaveConf", **given) == (409, "conference.moderator")


@pytest.mark.parametrize("given", [{"moderator": HOST}, {"moderator": HOST, "name": "board"}])
async def test_a_moderator_who_comes_in_its_turn_cannot_leave(rig: Rig, given: dict[str, str]) -> None:
    host = await rig.up(HOST)
    await rig.get("WaitForTone", callId=host, tone="1")
    conference = await rig.get("StartConf", callId=host, waitForParticipant="false", **given)
    left = {"confCallId": conference, "participantCallId": host, "immediately": "false"}
    assert await refused(rig, "LeaveConf", **left) == (409, "conference.moderator")
    rig.phones.far_side(host).press("1")
    await rig.until(lambda: host in rig.members(conference))


async def test_a_number_makes_one_moderator(rig: Rig) -> None:
    conference, host = await started(rig)
    other = await joined(rig, conference, HOST)
    await rig.get("LeaveConf", confCallId=conference, participantCallId=other)
    await rig.until(lambda: other not in rig.members(conference))
    assert host in rig.members(conference)


async def test_a_leave_of_another_conference_frees_nobody(rig: Rig) -> None:
    ann = await joined(rig, "team", ANN)
    await joined(rig, "other", BEN)
    await rig.get("LeaveConf", confCallId="other", participantCallId=ann, immediately="false")
    given = {"confCallId": "third", "participantCallId": ann}
    assert await refused(rig, "JoinConf", **given) == (409, "conference.engaged")


# What is refused


async def test_a_key_sees_no_conference_of_another(rig: Rig) -> None:
    conference, host = await started(rig)
    asked: list[tuple[str, dict[str, str]]] = [
        ("QueryConf", {}),
        ("HangupConf", {}),
        ("JoinConf", {"participantCallId": host}),
        ("LeaveConf", {"participantCallId": host}),
        ("KickConf", {"all": "true"}),
        ("Play", {"announcement": "short"}),
        ("Record", {}),
        ("RecordStop", {}),
        ("Tone", {"tones": "1"}),
        ("WaitForTone", {"tone": "1"}),
        ("StartToneDetector", {"callbackUrl": HOOK}),
        ("StopToneDetector", {}),
    ]
    for method, given in asked:
        said = await rig.ask(method, OTHER, confCallId=conference, **given)
        assert (said.status, said.code) == (404, "conference.unknown"), method
        said = await rig.ask(method, KEY, confCallId="r1-none.conf", **given)
        assert (said.status, said.code) == (404, "conference.unknown"), method
        if method != "JoinConf":
            said = await rig.ask(method, KEY, confCallId="nobody", **given)
            assert (said.status, said.code) == (404, "conference.unknown"), method
    for method in ("QueryCall", "Trace", "Script"):
        assert (await rig.ask(method, OTHER, callId=conference)).code == "call.unknown"
    assert set(rig.members(conference)) == {host}
    await rig.get("HangupConf", confCallId=conference)
    await rig.quiet()
    for method, given in asked:
        said = await rig.ask(method, KEY, confCallId=conference, **given)
        assert (said.status, said.code) == (409, "conference.over"), method
    found = await rig.json("QueryCall", callId=conference)
    assert (found["state"], found["outcome"], found["billAmount"]) == ("ended", "completed", "0")


async def refused(rig: Rig, method: str, key: Key = KEY, **given: str) -> tuple[int, str]:
    await rig.settle()
    before = len(rig.entries)
    said = await rig.ask(method, key, **given)
    assert len(rig.entries) == before, (method, given)  # Nothing is half done.
    return said.status, said.code


async def test_joining_twice_or_two_is_refused(rig: Rig) -> None:
    conference, _ = await started(rig)
    ann = await joined(rig, conference, ANN)
    ben = await rig.up(BEN)
    other = await rig.get("StartConf", moderator=BEN, callId=ben)
    engaged = (409, "conference.engaged")
    for where in (conference, other, "team"):
        assert await refused(rig, "JoinConf", confCallId=where, participantCallId=ann) == engaged
    assert await refused(rig, "StartConf", moderator=ANN, callId=ann) == engaged
    assert await refused(rig, "StartConf", moderator=HOST) == engaged
    cat = await rig.up(CAT)
    await rig.get("Play", callId=cat, announcement="long")
    await rig.get("JoinConf", confCallId=conference, participantCallId=cat)
    assert await refused(rig, "JoinConf", confCallId=conference, participantCallId=cat) == engaged
    await rig.get("LeaveConf", confCallId=conference, participantCallId=cat, immediately="false")
    await rig.get("JoinConf", confCallId="team", participantCallId=cat)


async def test_a_moderator_does_not_leave_and_is_not_put_out(rig: Rig) -> None:
    conference, host = await started(rig)
    wrong = (409, "conference.moderator")
    given = {"confCallId": conference, "participantCallId": host}
    assert await refused(rig, "LeaveConf", **given) == wrong
    assert await refused(rig, "LeaveConf", immediately="false", **given) == wrong
    assert await refused(rig, "KickConf", **given) == wrong
    assert await refused(rig, "KickConf", confCallId=conference, phone=HOST) == wrong
    assert rig.members(conference) == {host: ""}


async def test_who_is_not_there_is_told_apart(rig: Rig) -> None:
    conference, _ = await started(rig)
    ann = await rig.up(ANN)
    notin, unknown = (409, "conference.notin"), (404, "call.unknown")
    for method in ("LeaveConf", "MuteConf", "KickConf"):
        assert await refused(rig, method, confCallId=conference, participantCallId=ann) == notin
        assert await refused(rig, method, confCallId=conference, participantCallId="r1-none") == unknown
    assert await refused(rig, "MuteConf", confCallId=conference, phone=BEN) == notin
    given = {"confCallId": conference, "participantCallId": "r1-none"}
    assert await refused(rig, "JoinConf", **given) == unknown
    assert await refused(rig, "LeaveConf", immediately="false", **given) == unknown
    assert await refused(rig, "JoinConf", confCallId=conference, participantCallId=conference) == unknown
    assert await refused(rig, "Play", callId=conference, announcement="x") == unknown
    assert await refused(rig, "Hangup", callId=conference) == unknown
    assert await refused(rig, "StartConf", moderator=ANN, callId="r1-none") == unknown
    await rig.get("Hangup", callId=ann)
    over = (409, "call.over")
    await rig.until(lambda: ann not in rig.switchboard.live)
    assert await refused(rig, "JoinConf", confCallId=conference, participantCallId=ann) == over
    assert await refused(rig, "StartConf", moderator=ANN, callId=ann) == over


SO_MANY = ",".join(f"1512555{number:04}" for number in range(250))


@pytest.mark.parametrize(
    ("method", "given", "code"),
    [
        ("StartConf", {}, "moderator.missing"),
        ("StartConf", {"moderator": "host"}, "moderator.invalid"),
        ("StartConf", {"moderator": "sip:a@b"}, "moderator.invalid"),
        ("StartConf", {"moderator": HOST, "waitForParticipant": "1"}, "waitForParticipant.invalid"),
        ("StartConf", {"moderator": HOST, "callbackUrl": "ftp://h"}, "callbackUrl.invalid"),
        ("StartConf", {"moderator": HOST, "name": "a.b"}, "name.invalid"),
        ("StartConf", {"moderator": HOST, "name": "x" * 65}, "name.invalid"),
        ("StartConf", {"moderator": HOST, "most": "0"}, "most.invalid"),
        ("StartConf", {"moderator": HOST, "most": "251"}, "most.invalid"),
        ("StartConf", {"moderator": HOST, "callId": "a b"}, "callId.invalid"),
        ("StartConf", {"moderator": HOST, "attendees": ANN}, "attendees.unknown"),
        ("StartConf", {"moderator": "442071838750"}, "call.notallowed"),
        ("JoinConf", {"confCallId": "team"}, "participantCallId.missing"),
        ("JoinConf", {"participantCallId": "r1-a"}, "confCallId.missing"),
        (
            "JoinConf",
            {"confCallId": "t", "participantCallId": "r1-a", "joinModerator": "x"},
            "joinModerator.invalid",
        ),
        ("JoinConf", {"confCallId": "t", "participantCallId": "r1-a", "for": "0"}, "for.invalid"),
        ("JoinConf", {"confCallId": "t", "participantCallId": "r1-a", "within": "1.5"}, "within.invalid"),
        ("JoinConf", {"confCallId": "t", "participantCallId": "r1-a", "muted": "yes"}, "muted.invalid"),
        ("JoinConf", {"confCallId": "x" * 65, "participantCallId": "r1-a"}, "confCallId.invalid"),
        ("JoinConf", {"confCallId": "../x.y", "participantCallId": "r1-a"}, "confCallId.invalid"),
        (
            "JoinConf",
            {"confCallId": "r1-aaaabbbbccccdddd", "participantCallId": "r1-a"},
            "conference.unknown",
        ),
        ("LeaveConf", {"confCallId": "t"}, "participantCallId.missing"),
        (
            "LeaveConf",
            {"confCallId": "t", "participantCallId": "a", "immediately": "no"},
            "immediately.invalid",
        ),
        ("HangupConf", {}, "confCallId.missing"),
        ("HangupConf", {"confCallId": "t", "immediate": "true"}, "immediate.unknown"),
        ("QueryConf", {}, "confCallId.missing"),
        ("QueryConf", {"confCallId": "t", "callId": "r1-a"}, "callId.unknown"),
        ("ConfCall", {"attendees": ANN}, "moderator.missing"),
        ("ConfCall", {"moderator": HOST}, "attendees.missing"),
        ("ConfCall", {"moderator": HOST, "attendees": ","}, "attendees.invalid"),
        ("ConfCall", {"moderator": HOST, "attendees": f"{ANN},"}, "attendees.invalid"),
        ("ConfCall", {"moderator": HOST, "attendees": f"{ANN},bob"}, "attendees.invalid"),
        ("ConfCall", {"moderator": HOST, "attendees": f"{ANN};{BEN}"}, "attendees.invalid"),
        ("ConfCall", {"moderator": HOST, "attendees": f"{ANN},+{ANN}"}, "attendees.invalid"),
        ("ConfCall", {"moderator": HOST, "attendees": f"{ANN},{HOST}"}, "attendees.invalid"),
        ("ConfCall", {"moderator": HOST, "attendees": SO_MANY}, "attendees.invalid"),
        ("ConfCall", {"moderator": HOST, "attendees": f"{ANN},442071838750"}, "call.notallowed"),
        ("ConfCall", {"moderator": HOST, "attendees": ANN, "expectedTone": "12"}, "expectedTone.invalid"),
        (
            "ConfCall",
            {"moderator": HOST, "attendees": ANN, "waitToneAudio": "ftp://h/x"},
            "waitToneAudio.invalid",
        ),
        (
            "ConfCall",
            {"moderator": HOST, "attendees": ANN, "waitConnectAudio": "../x"},
            "waitConnectAudio.invalid",
        ),
        (
            "ConfCall",
            {"moderator": HOST, "attendees": ANN, "waitForParticipant": "true"},
            "waitForParticipant.unknown",
        ),
        ("Play", {"confCallId": "t", "callId": "r1-a", "announcement": "x"}, "confCallId.invalid"),
        ("Play", {"confCallId": "t"}, "announcement.missing"),
        ("Play", {"announcement": "x"}, "callId.missing"),
        ("Hangup", {"confCallId": "t"}, "callId.missing"),
        ("MuteConf", {"confCallId": "t"}, "participantCallId.missing"),
        ("MuteConf", {"confCallId": "t", "all": "false"}, "participantCallId.missing"),
        ("MuteConf", {"confCallId": "t", "all": "true", "phone": ANN}, "participantCallId.invalid"),
        (
            "KickConf",
            {"confCallId": "t", "participantCallId": "a", "phone": ANN},
            "participantCallId.invalid",
        ),
        ("KickConf", {"confCallId": "t", "phone": "bob"}, "phone.invalid"),
        ("JoinConf", {"confCallId": "t", "participantCallId": "r1-a", "coach": " "}, "coach.invalid"),
        ("CoachConf", {"confCallId": "t", "coach": "r1-a"}, "participantCallId.missing"),
        ("CoachConf", {"confCallId": "t", "participantCallId": "r1-a"}, "coach.missing"),
        ("CoachConf", {"confCallId": "t", "participantCallId": "r1-a", "coach": "a b"}, "coach.invalid"),
        ("CoachConf", {"confCallId": "t", "participantCallId": "r1-a", "coach": "r1-a"}, "coach.invalid"),
        (
            "CoachConf",
            {"confCallId": "t", "participantCallId": "r1-a", "coach": "r1-b", "all": "true"},
            "coach.invalid",
        ),
    ],
)
async def test_nonsense_is_named_and_nothing_is_done(
    rig: Rig, method: str, given: dict[str, str], code: str
) -> None:
    status, found = await refused(rig, method, **given)
    assert found == code
    assert 400 <= status < 500
    assert not rig.switchboard.live
