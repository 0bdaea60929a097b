"""The first call on real HTTP, SIP, RTP and files: the seed's example, and what can go wrong with it."""

import io
import subprocess
import wave
from pathlib import Path
from urllib.request import urlopen

from ringful.command.demonstration.sounds import melody
from tests.server import PATIENCE, RINGFUL, Server, free_port, phone, receiver, server

NUMBER = "15125551234"


def test_the_demo_says_that_everything_happened_as_the_reference_says() -> None:
    done = subprocess.run([*RINGFUL, "demo"], capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Everything happened as the API reference says." in done.stdout


def test_the_seeds_example_field_by_field(tmp_path: Path) -> None:
    spoken = tmp_path / "spoken.wav"
    spoken.write_bytes(melody([440, 660], 0.5))
    keys = ("--press", "1@quiet", "--press", "4@+1.5s", "--press", "2@+0.5s")
    talk = ("--say", str(spoken), "--say-after", "1", "--hang-up-after", "0.5s")
    files = {"/welcome_message.wav": melody([523]), "/please_press_1.wav": melody([784])}
    with (
        receiver(files) as web,
        phone("--answer-after", "0.2s", *keys, *talk) as (address, _),
        server(tmp_path, address) as ringful,
    ):
        call_id = ringful.ask("Call", callee=NUMBER, callbackUrl=f"{web.url}/call_notify.php")
        play = {"callId": call_id, "callbackUrl": f"{web.url}/play_notify.php"}
        assert ringful.ask("Play", announcement=f"{web.url}/welcome_message.wav", **play) == ""
        ringful.ask("Play", announcement=f"{web.url}/please_press_1.wav", **play)
        ringful.ask("WaitForTone", callId=call_id, tone="1", callbackUrl=f"{web.url}/wait_notify.php")
        ringful.ask("Record", callId=call_id, callbackUrl=f"{web.url}/record_notify.php")
        ringful.ask("StartToneDetector", callId=call_id, callbackUrl=f"{web.url}/tone_notify.php")
        told = web.until("CalleeHangUp")
        record = f"{ringful.base}/recordings/{call_id}.wav"
        assert [_steady(path, fields) for path, fields in told] == [
            ("/call_notify.php", {"action": "CallEstablished"}),
            ("/play_notify.php", {"action": "PlayStart", "announcement": f"{web.url}/welcome_message.wav"}),
            (
                "/play_notify.php",
                {"action": "PlayComplete", "announcement": f"{web.url}/welcome_message.wav", "reason": "end"},
            ),
            ("/play_notify.php", {"action": "PlayStart", "announcement": f"{web.url}/please_press_1.wav"}),
            (
                "/play_notify.php",
                {"action": "PlayComplete", "announcement": f"{web.url}/please_press_1.wav", "reason": "end"},
            ),
            ("/wait_notify.php", {"action": "WaitForToneDetected", "tone": "1"}),
            ("/record_notify.php", {"action": "RecordStart", "recordFile": record}),
            ("/tone_notify.php", {"action": "ToneDetectorStart"}),
            ("/tone_notify.php", {"action": "ToneDetected", "tone": "4"}),
            ("/tone_notify.php", {"action": "ToneDetected", "tone": "2"}),
            ("/record_notify.php", {"action": "RecordComplete", "recordFile": record, "reason": "hangup"}),
            ("/call_notify.php", {"action": "CalleeHangUp", "billAmount": "0"}),
        ]
        assert {fields["callId"] for _, fields in told} == {call_id}
        assert [fields["n"] for _, fields in told] == [str(n + 1) for n in range(len(told))]
        assert len({fields["event"] for _, fields in told}) == len(told)
        complete = told[-2][1]
        with (
            urlopen(complete["recordFile"], timeout=PATIENCE) as answer,
            wave.open(io.BytesIO(answer.read())) as wav,
        ):
            assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (8000, 1, 2)
            assert wav.getnframes() / 8000 == float(complete["duration"])
        _the_call_can_be_looked_at(ringful, call_id, web.url)


def _steady(path: str, fields: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Leave out what differs from call to call."""
    passing = ("callId", "at", "n", "event", "duration")
    return path, {name: value for name, value in fields.items() if name not in passing}


def _the_call_can_be_looked_at(ringful: Server, call_id: str, web: str) -> None:
    known = ringful.query(call_id)
    assert (known["state"], known["outcome"], known["callee"]) == ("ended", "completed", NUMBER)
    assert [task["state"] for task in known["queue"]] == ["done"] * 5
    script = ringful.ask("Script", callId=call_id)
    assert script.splitlines()[-3:] == [
        f'start record notify "{web}/record_notify.php"',
        f'start tones notify "{web}/tone_notify.php"',
        "stay",
    ]
    assert ringful.command("calls", "script", call_id).strip() == script
    assert call_id in ringful.command("calls", "list")
    assert "pressed" in ringful.command("calls", "show", call_id)
    assert ringful.refused(ringful.url("Play", callId=call_id, announcement="x"))[0] == 409


def test_a_server_that_is_killed_tells_the_end_of_its_calls_when_it_is_back(tmp_path: Path) -> None:
    with (
        receiver({}) as web,
        phone("--answer-after", "0s") as (address, _),
        server(tmp_path, address) as ringful,
    ):
        call_id = ringful.ask("Call", callee=NUMBER, callbackUrl=f"{web.url}/call")
        ringful.ask("Record", callId=call_id, callbackUrl=f"{web.url}/record")
        ringful.ask("WaitForTone", callId=call_id, tone="1")
        ringful.ask("Play", callId=call_id, announcement="never", callbackUrl=f"{web.url}/play")
        web.until("RecordStart")
        ringful.kill()
        ringful.start()
        web.until("ServerHangup")
        assert web.actions.count("ServerHangup") == 1
        assert web.actions[-1] == "ServerHangup"
        assert ("RecordComplete" in web.actions) != ("RecordFailed" in web.actions)
        assert "TaskDiscarded" in web.actions
        assert ringful.query(call_id)["state"] == "ended"


def test_a_server_that_is_told_to_end_hangs_up_properly(tmp_path: Path) -> None:
    with (
        receiver({}) as web,
        phone("--answer-after", "0s") as (address, _),
        server(tmp_path, address) as ringful,
    ):
        ringful.ask("Call", callee=NUMBER, callbackUrl=f"{web.url}/call")
        web.until("CallEstablished")
        assert ringful.stop() == 0
        told = web.until("ServerHangup")
        assert told[-1][1]["reason"] == "shutdown"


def test_nobody_there_and_bad_announcements(tmp_path: Path) -> None:
    files = {"/text.wav": b"this is no audio", "/good.wav": melody([440])}
    with (
        receiver(files) as web,
        phone("--answer-after", "0s") as (address, _),
        server(tmp_path, address) as ringful,
    ):
        call_id = ringful.ask("Call", callee=NUMBER, callbackUrl=f"{web.url}/call")
        for announcement in (
            f"{web.url}/missing.wav",
            f"{web.url}/text.wav",
            "file:///etc/passwd",
            "no_such_name",
        ):
            ringful.ask("Play", callId=call_id, announcement=announcement, callbackUrl=f"{web.url}/play")
        ringful.ask("Play", callId=call_id, announcement=f"{web.url}/good.wav", callbackUrl=f"{web.url}/good")
        for inner in ("http://10.0.0.1/inner.wav", "http://169.254.169.254/latest/meta-data"):
            status, why = ringful.refused(ringful.url("Play", callId=call_id, announcement=inner))
            assert (status, why.split(":")[0]) == (400, "announcement.address")
        told = web.until("PlayComplete")
        reasons = [fields["reason"] for path, fields in told if path == "/play"]
        assert [action for action in web.actions if action == "PlayFailed"] == ["PlayFailed"] * 4
        for reason, word in zip(
            reasons, ("404", "a text, not a sound", "outside", "no such sound"), strict=True
        ):
            assert word in reason
        ringful.ask("Hangup", callId=call_id)
        web.until("ServerHangup")


def test_a_trunk_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    with receiver({}) as web, server(tmp_path, f"127.0.0.1:{free_port()}") as ringful:
        ringful.ask("Call", callee=NUMBER, callbackUrl=f"{web.url}/call")
        told = web.until("CallFailed")
        assert told[-1][1]["reason"] == "unreachable"


def test_a_key_typed_ahead_on_a_real_line_is_not_lost(tmp_path: Path) -> None:
    files = {"/long.wav": melody([440] * 4)}
    with (
        receiver(files) as web,
        phone("--answer-after", "0s", "--press", "1@0.6s") as (address, _),
        server(tmp_path, address) as ringful,
    ):
        call_id = ringful.ask("Call", callee=NUMBER, callbackUrl=f"{web.url}/call")
        play = {"callId": call_id, "announcement": f"{web.url}/long.wav", "callbackUrl": f"{web.url}/play"}
        ringful.ask("Play", **play)
        ringful.ask("WaitForTone", callId=call_id, tone="1", callbackUrl=f"{web.url}/wait")
        ringful.ask("Hangup", callId=call_id, immediate="false")
        told = web.until("ServerHangup")
        assert web.actions == [
            "CallEstablished",
            "PlayStart",
            "PlayComplete",
            "WaitForToneDetected",
            "ServerHangup",
        ]
        complete = next(fields for _, fields in told if fields["action"] == "PlayComplete")
        assert complete["reason"] == "end"


def test_a_call_asked_for_over_ipv6(tmp_path: Path) -> None:
    port = free_port()
    with (
        phone("--answer-after", "0.1s", "--hang-up-after", "0.2s") as (address, _),
        server(tmp_path, address, RINGFUL_HTTP__BIND=f"[::1]:{port}") as ringful,
    ):
        ringful.base = f"http://[::1]:{port}"
        with receiver({}) as web:
            call_id = ringful.ask("Call", callee=NUMBER, callbackUrl=web.url)
            web.until("CalleeHangUp")
        assert ringful.query(call_id)["outcome"] == "completed"
        # Nothing but this machine is told how the server is, and this address is this machine's.
        with urlopen(f"{ringful.base}/ready", timeout=PATIENCE) as response:
            assert b"sip: ok" in response.read()
        assert call_id in ringful.command("calls", "list")
