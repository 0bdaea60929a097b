"""Calls to an independent SIP stack: what it sees, and what the web application is told."""

from pathlib import Path

import pytest

from ringful.command.demonstration.sounds import melody
from tests.server import PATIENCE, phone, receiver, server
from tests.sipp import calling, sipp

NUMBER = "15125551234"


@pytest.mark.parametrize(
    ("scenario", "reason", "status"),
    [("busy", "busy", "486"), ("decline", "rejected", "603"), ("never", "noanswer", "487")],
)
def test_a_call_that_is_not_taken(tmp_path: Path, scenario: str, reason: str, status: str) -> None:
    with (
        receiver({}) as web,
        sipp(scenario, tmp_path) as (address, far),
        server(tmp_path, address) as ringful,
    ):
        call_id = ringful.ask("Call", callee=NUMBER, callbackUrl=f"{web.url}/call", ringTimeout="5")
        ringful.ask("Play", callId=call_id, announcement="x", callbackUrl=f"{web.url}/play")
        (discarded, failed) = web.until("CallFailed")
        assert discarded[1]["action"] == "TaskDiscarded"
        assert (failed[1]["reason"], failed[1]["sipStatus"], failed[1]["billAmount"]) == (reason, status, "0")
        assert far.wait(PATIENCE) == 0
        assert ringful.query(call_id)["outcome"] == reason


def test_the_api_hangs_up_an_answered_call(tmp_path: Path) -> None:
    with (
        receiver({}) as web,
        sipp("answer", tmp_path) as (address, far),
        server(tmp_path, address) as ringful,
    ):
        call_id = ringful.ask("Call", callee=NUMBER, callbackUrl=f"{web.url}/call")
        web.until("CallEstablished")
        ringful.ask("Hangup", callId=call_id)
        web.until("ServerHangup")
        assert web.actions == ["CallEstablished", "ServerHangup"]
        assert far.wait(PATIENCE) == 0


def test_the_far_end_hangs_up_in_the_middle(tmp_path: Path) -> None:
    files = {"/long.wav": melody([440] * 20)}
    with (
        receiver(files) as web,
        sipp("hangup", tmp_path) as (address, far),
        server(tmp_path, address) as ringful,
    ):
        call_id = ringful.ask("Call", callee=NUMBER, callbackUrl=f"{web.url}/call")
        ringful.ask("Record", callId=call_id, callbackUrl=f"{web.url}/record")
        ringful.ask("Play", callId=call_id, announcement=f"{web.url}/long.wav", callbackUrl=f"{web.url}/play")
        ringful.ask("WaitForTone", callId=call_id, tone="1")
        told = web.until("CalleeHangUp")
        assert web.actions[:2] == ["CallEstablished", "RecordStart"]
        assert set(web.actions[2:-1]) == {"PlayStart", "PlayComplete", "RecordComplete"}
        assert web.actions[-1] == "CalleeHangUp"
        ends = {fields["action"]: fields for _, fields in told}
        assert ends["PlayComplete"]["reason"] == ends["RecordComplete"]["reason"] == "hangup"
        assert far.wait(PATIENCE) == 0


@pytest.mark.parametrize("scenario", ["dtmf", "info"])
def test_a_key_is_heard_once(tmp_path: Path, scenario: str) -> None:
    with (
        receiver({}) as web,
        sipp(scenario, tmp_path) as (address, far),
        server(tmp_path, address) as ringful,
    ):
        call_id = ringful.ask("Call", callee=NUMBER, callbackUrl=f"{web.url}/call")
        ringful.ask("StartToneDetector", callId=call_id, callbackUrl=f"{web.url}/tones")
        ringful.ask("WaitForTone", callId=call_id, tone="1", callbackUrl=f"{web.url}/wait")
        ringful.ask("Hangup", callId=call_id, immediate="false")
        web.until("ServerHangup")
        assert web.actions == [
            "CallEstablished",
            "ToneDetectorStart",
            "ToneDetected",
            "WaitForToneDetected",
            "ServerHangup",
        ]
        assert far.wait(PATIENCE) == 0


def test_a_trunk_that_asks_for_credentials(tmp_path: Path) -> None:
    credentials = {"RINGFUL_SIP__USERNAME": "ann", "RINGFUL_SIP__PASSWORD": "secret"}
    with (
        receiver({}) as web,
        sipp("digest", tmp_path) as (address, far),
        server(tmp_path, address, **credentials) as ringful,
    ):
        call_id = ringful.ask("Call", callee=NUMBER, callbackUrl=f"{web.url}/call")
        web.until("CallEstablished")
        ringful.ask("Hangup", callId=call_id)
        web.until("ServerHangup")
        assert far.wait(PATIENCE) == 0


def test_a_call_outlives_the_one_that_had_its_place_before(tmp_path: Path) -> None:
    # The library has four places.  Three are held, so that all the short calls have the same one.
    scenario, number = "call_and_hang_up", "15125551234"
    with (
        phone("--answer-after", "400ms") as (address, _),
        calling(scenario, tmp_path, number, address, "-m", "3", "-d", "6000", "-r", "50") as long,
        calling(scenario, tmp_path, number, address, "-m", "5", "-l", "1", "-d", "1", "-r", "50") as short,
    ):
        assert short.wait(PATIENCE) == 0
        assert long.wait(PATIENCE) == 0
