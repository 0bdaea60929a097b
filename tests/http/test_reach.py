"""What clients do every day without a script: each request is one statement, and is told what came of it."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from ringful.ground.lag import Lag
from ringful.simulation.phones import world
from tests.house import HOOK, Rig, answers, busy, house, never

ANN, BEN, KEYS, DEAD, BUSY = "15125550002", "15125550003", "15125550004", "15125550006", "15125550007"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    keys = answers(KEYS, world.Press("2", world.After(0.2)), world.Press("1", world.After(0.1)))
    async with house(tmp_path, keys, never(DEAD), busy(BUSY), answers(None)) as made:
        yield made


async def statements(rig: Rig, call_id: str) -> list[str]:
    """Give what was queued on a call, and what became of each."""
    queue = (await rig.json("QueryCall", callId=call_id))["queue"]
    return [f"{task['statement']} -> {task['state']}" for task in queue]


async def test_a_text_is_spoken_and_told_of(rig: Rig) -> None:
    ann = await rig.up(ANN)
    assert await rig.get("Say", callId=ann, text="Hi {you}", voice="en-gb", callbackUrl=HOOK) == ""
    assert (await rig.hears("PlayStart", callId=ann))["announcement"] == "Hi {you}"
    assert (await rig.hears("PlayComplete", callId=ann))["reason"] == "end"
    assert await statements(rig, ann) == [f'say "Hi \\{{you}}" voice "en-gb" notify "{HOOK}" -> done']


async def test_a_key_cuts_an_announcement_short_and_is_taken_by_what_waits_for_it(rig: Rig) -> None:
    call_id = await rig.get("Call", callee=KEYS)
    await rig.get("Play", callId=call_id, announcement="long", until="1", times="3", callbackUrl=HOOK)
    await rig.get("WaitForTone", callId=call_id, tone="1", callbackUrl=HOOK)
    assert (await rig.hears("PlayComplete"))["reason"] == "tone"
    assert (await rig.hears("WaitForToneDetected"))["tone"] == "1"


async def test_waiting_for_a_key_has_an_end(rig: Rig) -> None:
    ann = await rig.up(ANN)
    given = {"tone": "1", "for": "0.2", "callbackUrl": HOOK}
    await rig.get("WaitForTone", callId=ann, **given)
    await rig.get("Tone", callId=ann, tones="5")
    await rig.hears("WaitForToneTimeout", callId=ann)
    await rig.until(lambda: [task.state for task in rig.switchboard.live[ann].run.tasks] == ["done", "done"])
    assert (await statements(rig, ann))[0] == f'wait tone "1" for 200ms notify "{HOOK}" -> done'


async def test_what_is_played_is_stopped_at_once_and_the_queue_goes_on(rig: Rig) -> None:
    ann = await rig.up(ANN)
    assert (await rig.ask("StopPlay", callId=ann)).code == "call.over"
    await rig.get("Play", callId=ann, announcement="long", callbackUrl=HOOK)
    await rig.get("Play", callId=ann, announcement="short", callbackUrl=HOOK)
    await rig.hears("PlayStart", announcement="long")
    assert await rig.get("StopPlay", callId=ann) == ""
    assert (await rig.hears("PlayComplete", announcement="long"))["reason"] == "stopped"
    assert (await rig.hears("PlayComplete", announcement="short"))["reason"] == "end"
    await rig.get("Play", callId=ann, announcement="long", waitComplete="false", callbackUrl=HOOK)
    await rig.get("StopPlay", callId=ann, immediate="false")
    await rig.until(lambda: len(rig.told("PlayComplete", announcement="long")) == 2)
    assert "now           stop play" in await rig.get("Trace", callId=ann)
    assert (await statements(rig, ann))[-1] == "stop play -> done"


async def test_what_is_heard_is_steered_at_once_and_in_its_turn(rig: Rig) -> None:
    ann = await rig.up(ANN)
    for method, given in STEERED.items():
        assert (await rig.ask(method, callId=ann, **given)).code == "call.over"
    await rig.get("Play", callId=ann, announcement="long", callbackUrl=HOOK)
    await rig.hears("PlayStart", announcement="long")
    assert (await rig.ask("ResumePlay", callId=ann)).code == "call.over"
    for method, given in STEERED.items():
        assert await rig.get(method, callId=ann, **given) == ""
    leg = rig.switchboard.live[ann].run.subject
    assert leg
    (playback,) = leg.playbacks.values()
    assert playback.heard >= 5
    assert playback.speed == Decimal("1.5")
    await rig.get("PausePlay", callId=ann, immediate="false")
    await rig.get("SkipPlay", callId=ann, to="1000")
    assert (await rig.hears("PlayComplete", announcement="long"))["reason"] == "end"
    assert (await statements(rig, ann))[-1] == "pause play -> failed"
    told = await rig.get("Trace", callId=ann)
    assert "now           skip 5s" in told
    assert "speed 1.5" in told


STEERED = {
    "PausePlay": {},
    "SkipPlay": {"by": "5"},
    "SpeedPlay": {"speed": "1.5"},
    "ResumePlay": {},
}


async def test_what_a_conference_hears_is_stopped_too(rig: Rig) -> None:
    ann = await rig.up(ANN)
    await rig.get("JoinConf", confCallId="team", participantCallId=ann)
    await rig.until(lambda: rig.phones.rooms)
    (room,) = rig.phones.rooms
    await rig.until(lambda: ann in room.members)
    await rig.get("Say", confCallId="team", text="One two three four five six seven", callbackUrl=HOOK)
    await rig.hears("PlayStart")
    await rig.get("StopPlay", confCallId="team")
    assert (await rig.hears("PlayComplete"))["reason"] == "stopped"
    assert (await rig.ask("Mute", callId=room.name)).status == 404


async def test_a_call_is_muted_at_once_and_in_its_turn(rig: Rig) -> None:
    ann = await rig.up(ANN)
    await rig.get("Mute", callId=ann)
    leg = rig.switchboard.live[ann].run.subject
    assert leg
    assert leg.muted
    await rig.get("Unmute", callId=ann, immediate="false")
    await rig.until(lambda: not leg.muted)
    assert await statements(rig, ann) == ["unmute -> done"]
    assert "now           mute" in await rig.get("Trace", callId=ann)


async def test_nobody_is_muted_on_a_call_that_is_over(rig: Rig) -> None:
    ann = await rig.up(ANN)
    await rig.get("Hangup", callId=ann)
    await rig.quiet()
    for method in ("Mute", "Unmute", "StopPlay", "PausePlay", "ResumePlay"):
        assert (await rig.ask(method, callId=ann)).code == "call.over"
    assert (await rig.ask("Transfer", callId=ann, callee=BEN)).code == "call.over"


async def test_the_far_end_is_sent_to_another_number(rig: Rig) -> None:
    ann = await rig.up(ANN, callbackUrl=HOOK)
    await rig.get("Transfer", callId=ann, callee=BEN)
    assert (await rig.hears("ServerHangup", callId=ann))["reason"] == "transferred"
    await rig.quiet()


async def test_nobody_is_transferred_or_connected_to_where_the_key_may_not_call(rig: Rig) -> None:
    ann = await rig.up(ANN, callbackUrl=HOOK)
    for method, callee in (
        ("Transfer", "442071838750"),
        ("Connect", "442071838750"),
        ("Connect", f"{BEN},442071838750"),
    ):
        said = await rig.ask(method, callId=ann, callee=callee)
        assert (said.status, said.code) == (403, "call.notallowed")
        assert "442071838750" in said.text
    assert rig.leg_up(ann)
    assert await statements(rig, ann) == []


async def test_digits_are_gathered_and_told(rig: Rig) -> None:
    call_id = await rig.get("Call", callee=KEYS)
    given = {"digits": "2", "between": "8", "text": "One two three four", "callbackUrl": HOOK}
    await rig.get("Gather", callId=call_id, **given)
    await rig.get("Gather", callId=call_id, digits="4", tries="1", timeout="0.1", callbackUrl=HOOK)
    assert (await rig.hears("GatherComplete", callId=call_id))["digits"] == "21"
    assert (await rig.hears("GatherFailed", callId=call_id))["reason"] == "timeout"
    said = " ".join((await statements(rig, call_id))[0].split())
    assert said == f'gather digits digits 2 between 8s notify "{HOOK}" {{ say "One two three four" }} -> done'


async def test_a_call_is_connected_with_who_answers_first_and_muted_meanwhile(rig: Rig) -> None:
    ann = await rig.up(ANN, callbackUrl=HOOK)
    await rig.get("Connect", callId=ann, callee=f"{DEAD},{BEN}", callbackUrl=HOOK, **{"for": "0.5"})
    await rig.get("Say", callId=ann, text="They are gone", callbackUrl=HOOK)
    other = (await rig.hears("CallEstablished", callId=f"{ann}.line-2"))["callId"]
    leg = rig.switchboard.live[ann].run.subject
    assert leg
    await rig.until(lambda: [one for one in rig.entries if one.name == "Connect"])
    assert (await rig.hears("CallFailed", callId=f"{ann}.line"))["reason"] == "cancelled"
    await rig.get("Mute", callId=ann)
    assert leg.muted
    await rig.hears("PlayComplete", announcement="They are gone")
    assert (await rig.hears("ServerHangup", callId=other))["reason"] == "script"
    assert rig.leg_up(ann)
    await rig.get("Hangup", callId=ann)
    await rig.quiet()


async def test_a_call_that_cannot_be_connected_goes_on(rig: Rig) -> None:
    ann = await rig.up(ANN, callbackUrl=HOOK)
    await rig.get("Connect", callId=ann, callee=BUSY)
    await rig.hears("ConnectFailed", callId=ann, reason="busy")
    await rig.until(lambda: all(task.state == "failed" for task in rig.switchboard.live[ann].run.tasks))
    assert rig.leg_up(ann)


async def test_where_calls_wait_for_a_line_no_more_are_taken_until_they_have_one(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(type(rig.phones), "backlog", 1.5)
        refused = await rig.ask("Call", callee=ANN)
        assert (refused.status, refused.code) == (429, "server.busy")
        assert "1.5 s" in refused.text
        assert not rig.switchboard.live
    assert await rig.up(ANN)


async def test_a_loop_that_is_late_again_and_again_takes_no_more_calls(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await rig.up(ANN)
    with monkeypatch.context() as patched:
        patched.setattr(Lag, "lasting", 0.3)
        refused = await rig.ask("Call", callee=ANN)
        assert (refused.status, refused.code) == (429, "server.busy")
        assert "300 ms late" in refused.text
        await rig.get("Mute", callId=ann)
    assert set(rig.switchboard.live) == {ann}
