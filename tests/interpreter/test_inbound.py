"""Calls that come in: a real server, called by an independent SIP stack and by our own phone."""

import io
import json
import subprocess
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np

from ringful.command.demonstration.sounds import melody
from ringful.store.keys import REMEMBERED
from tests.asking import ask, ask_json
from tests.media.test_pool import pitch, rms, samples
from tests.server import PATIENCE, RINGFUL, Receiver, Server, free_port, phone, receiver, server
from tests.sipp import calling

OURS = "+18005550000"
CALLER = "+15125550100"
TAKE = """
param box
param app
inbound box notify "{app}/call"
play "{app}/welcome.wav" notify "{app}/play"
wait tone "1" as choice for 10s notify "{app}/wait"
record as message for 1m until "#" silence 2s notify "{app}/record"
notify "{app}/kept" with { from: caller, to: called, url: message.url }
stay for 30s
"""


@contextmanager
def running(folder: Path, **environment: str) -> Iterator[tuple[Receiver, Server, dict[str, bytes]]]:
    """Run a server whose trunk leads nowhere, and a web application with files."""
    files: dict[str, bytes] = {"/welcome.wav": melody([523], 0.8)}
    with (
        receiver(files) as web,
        server(folder, f"127.0.0.1:{free_port()}", **environment) as ringful,
    ):
        yield web, ringful, files


def call(ringful: Server, number: str, *options: str) -> Any:
    """Call *number* by our own phone."""
    return phone("--call", number, "--server", ringful.sip, "--caller-id", CALLER, *options)


def said(process: "subprocess.Popen[str]") -> list[dict[str, Any]]:
    """Give all that a phone says, which must end."""
    assert process.stdout
    lines = [json.loads(line) for line in process.stdout]
    process.wait(PATIENCE)
    return lines


def test_a_bound_script_takes_a_call_that_hears_presses_and_speaks(tmp_path: Path) -> None:
    spoken, heard = tmp_path / "spoken.wav", tmp_path / "heard.wav"
    spoken.write_bytes(melody([440], 1.0))
    keys = ["--press", "1@quiet", "--say", str(spoken), "--say-after", "1", "--hear", str(heard)]
    with running(tmp_path) as (web, ringful, _):
        ask(ringful, "Script", TAKE, name="take")
        assert ask(ringful, "Number", number="18005550000", script="take", app=web.url).text == f"{OURS}\n"
        with call(ringful, "18005550000", *keys, "--hang-up-after", "3s") as (_, process):
            told = web.until("CalleeHangUp")
            assert said(process)[-1]["by"] == "phone"
        assert [(path, fields.get("action")) for path, fields in told] == [
            ("/call", "CallReceived"),
            ("/call", "CallEstablished"),
            ("/play", "PlayStart"),
            ("/play", "PlayComplete"),
            ("/wait", "WaitForToneDetected"),
            ("/record", "RecordStart"),
            ("/record", "RecordComplete"),
            ("/kept", None),
            ("/call", "CalleeHangUp"),
        ]
        received, kept = told[0][1], told[7][1]
        assert (received["caller"], received["called"]) == (CALLER, OURS)
        assert (kept["from"], kept["to"]) == (CALLER, OURS)
        found = ringful.query(received["callId"])
        assert (found["direction"], found["caller"], found["callee"]) == ("inbound", CALLER, OURS)
        assert (found["state"], found["outcome"], found["script"]) == ("ended", "completed", "take")
        assert f"{OURS} called by {CALLER}" in ringful.command("calls", "list")
        assert 'calls "' in ringful.command("calls", "golden", received["callId"])
        with urlopen(kept["url"]) as answer, wave.open(io.BytesIO(answer.read())) as file:
            recorded = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    loud = np.flatnonzero(np.abs(recorded) > 500)
    assert abs(pitch(recorded[loud[0] : loud[-1]]) - 440) < 5
    sound = samples(heard)
    loud = np.flatnonzero(np.abs(sound) > 500)
    welcome = sound[loud[0] : loud[0] + 6400]
    assert abs(pitch(welcome) - 523) < 5
    assert abs(rms(welcome[800:5600]) / (8000 / np.sqrt(2)) - 1) < 0.05


def test_a_number_bound_to_a_url_is_told_and_queues(tmp_path: Path) -> None:
    with running(tmp_path) as (web, ringful, _):
        ringful.ask("Number", number="+1 800 555 0000", callbackUrl=f"{web.url}/call")
        with calling("call", tmp_path, OURS, ringful.sip) as far:
            call_id = web.until("CallReceived")[0][1]["callId"]
            assert ringful.query(call_id)["state"] == "ringing"
            play = {"announcement": f"{web.url}/welcome.wav", "callbackUrl": f"{web.url}/play"}
            ringful.ask("Play", callId=call_id, **play)
            ringful.ask("WaitForTone", callId=call_id, tone="1,2", callbackUrl=f"{web.url}/wait")
            ringful.ask("Hangup", callId=call_id, immediate="false")
            web.until("ServerHangup")
            assert far.wait(PATIENCE) == 0
        assert web.actions == [
            "CallReceived",
            "CallEstablished",
            "PlayStart",
            "PlayComplete",
            "WaitForToneDetected",
            "ServerHangup",
        ]


def test_an_application_turns_a_caller_away(tmp_path: Path) -> None:
    with running(tmp_path) as (web, ringful, _):
        ringful.ask("Number", number=OURS, callbackUrl=f"{web.url}/call")
        with calling("call_refused", tmp_path, OURS, ringful.sip) as far:
            call_id = web.until("CallReceived")[0][1]["callId"]
            ringful.ask("Reject", callId=call_id, reason="busy")
            (_, (_, failed)) = web.until("CallFailed")
            assert (failed["reason"], failed["sipStatus"]) == ("busy", "486")
            assert far.wait(PATIENCE) == 0


def test_a_caller_gives_up_while_it_rings(tmp_path: Path) -> None:
    with running(tmp_path) as (web, ringful, _):
        ringful.ask("Number", number=OURS, callbackUrl=f"{web.url}/call")
        with calling("call_cancel", tmp_path, OURS, ringful.sip) as far:
            ((_, received), (_, failed)) = web.until("CallFailed")
            assert (failed["reason"], failed["sipStatus"]) == ("cancelled", "487")
            assert far.wait(PATIENCE) == 0
        assert ringful.query(received["callId"])["outcome"] == "cancelled"


def test_nobody_has_bound_the_number(tmp_path: Path) -> None:
    with running(tmp_path) as (web, ringful, _):
        with calling("call_404", tmp_path, OURS, ringful.sip) as far:
            assert far.wait(PATIENCE) == 0
        with call(ringful, OURS) as (_, process):
            assert (said(process)[-1]["status"], process.returncode) == (404, 1)
        ringful.ask("Number", number=OURS, callbackUrl=f"{web.url}/call")
        ringful.ask("NumberRemove", number=OURS)
        with calling("call_404", tmp_path, OURS, ringful.sip) as far:
            assert far.wait(PATIENCE) == 0
        assert ringful.command("calls", "list") == ""


def test_a_caller_is_connected_with_a_phone_that_we_ring(tmp_path: Path) -> None:
    spoken, heard = tmp_path / "spoken.wav", tmp_path / "heard.wav"
    spoken.write_bytes(melody([440], 3.0))
    script = 'param box\nparam app\ninbound box notify "{app}/call"\n'
    script += 'call "+15125551234" as owner { wait 100ms }\nconnect owner for 1m\nhangup\n'
    with (
        phone("--answer-after", "0s", "--hear", str(heard)) as (trunk, _),
        receiver({}) as web,
        server(tmp_path, trunk) as ringful,
    ):
        ask(ringful, "Script", script, name="through")
        ask(ringful, "Number", number=OURS, script="through", app=web.url)
        with call(ringful, OURS, "--say", str(spoken), "--hang-up-after", "0.5s"):
            web.until("CalleeHangUp")
        assert web.actions == ["CallReceived", "CallEstablished", "CalleeHangUp"]
        assert ringful.stop() == 0
    sound = samples(heard)
    loud = np.flatnonzero(np.abs(sound) > 500)
    assert len(loud) > 8000
    assert abs(pitch(sound[loud[0] : loud[-1]]) - 440) < 5


def test_a_script_places_no_legs_when_its_key_has_spent_all(tmp_path: Path) -> None:
    script = 'param box\nparam app\ninbound box notify "{app}/call"\n'
    script += 'call "+15125551234" notify "{app}/leg" as owner { say "Hello." }\nstay for 30s\n'
    with running(tmp_path) as (web, ringful, _):
        ringful.key, ringful.secret = ringful.command("keys", "add", "poor", "--cap", "0").split()
        ask(ringful, "Script", script, name="through")
        ask(ringful, "Number", number=OURS, script="through", app=web.url)
        with call(ringful, OURS):
            told = dict(web.until("CallReceived", "CallFailed"))
        assert (told["/leg"]["reason"], told["/leg"]["action"]) == ("notallowed", "CallFailed")


def test_a_call_that_cannot_be_run_is_not_left_ringing(tmp_path: Path) -> None:
    with running(tmp_path) as (web, ringful, _):
        ask(ringful, "Script", TAKE, name="take")
        ask(ringful, "Number", number=OURS, script="take", app=web.url)
        ask(ringful, "Script", f"param new\n{TAKE}", name="take")
        with calling("call_480", tmp_path, OURS, ringful.sip) as far:
            assert far.wait(PATIENCE) == 0
        assert "scriptfailed" in ringful.command("calls", "list")
        ringful.command("keys", "revoke", ringful.key)
        time.sleep(REMEMBERED)
        with calling("call_480", tmp_path, OURS, ringful.sip) as far:
            assert far.wait(PATIENCE) == 0
        assert ringful.command("calls", "list").count("\n") == 1


def test_the_phone_says_what_is_no_number(tmp_path: Path) -> None:
    done = subprocess.run(
        [*RINGFUL, "phone", "--call", "bob"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "'bob' is no number to call" in done.stderr) == (2, True)


def test_two_callers_at_once_and_no_more_than_the_key_may_have(tmp_path: Path) -> None:
    with running(tmp_path, RINGFUL_LIMITS__CONCURRENT="2") as (web, ringful, _):
        ringful.ask("Number", number=OURS, callbackUrl=f"{web.url}/call")
        with call(ringful, OURS) as _, call(ringful, OURS) as _:
            while web.actions.count("CallReceived") < 2:
                path, fields, _ = web.arrived.get(timeout=PATIENCE)
                web.told.append((path, fields))
            first, second = (fields["callId"] for _, fields in web.told)
            for call_id in (first, second):
                ringful.ask("Play", callId=call_id, announcement=f"{web.url}/welcome.wav")
            while web.actions.count("CallEstablished") < 2:
                path, fields, _ = web.arrived.get(timeout=PATIENCE)
                web.told.append((path, fields))
            with calling("call_refused", tmp_path, OURS, ringful.sip) as far:
                assert far.wait(PATIENCE) == 0
            ringful.ask("Hangup", callId=first)
            web.until("ServerHangup")
            assert ringful.query(second)["state"] == "up"
            # Who was turned away has a record of the leg, and none of a call.
            (leg,) = ask_json(ringful, "QueryLegs", outcome="busy")["legs"]
            assert (leg["direction"], leg["own"], leg["endedBy"]) == ("inbound", OURS, "server")
            assert ask(ringful, "QueryCall", callId=leg["callId"]).status == 404
            (leg,) = ask_json(ringful, "QueryLegs", callId=first)["legs"]
            assert (leg["outcome"], leg["endedBy"], leg["number"]) == ("completed", "request", CALLER)
            quality = ringful.query(first)["quality"] or {"packets": None}
            assert leg["packets"] == quality["packets"]
            assert leg["duration"] >= 1


def test_a_draining_server_takes_no_calls(tmp_path: Path) -> None:
    with running(tmp_path, RINGFUL_LIMITS__DRAIN="20s") as (web, ringful, _):
        ringful.ask("Number", number=OURS, callbackUrl=f"{web.url}/call")
        with call(ringful, OURS):
            call_id = web.until("CallReceived")[0][1]["callId"]
            assert ringful.process
            ringful.process.terminate()
            ringful.until_draining()
            with calling("call_503", tmp_path, OURS, ringful.sip) as far:
                assert far.wait(PATIENCE) == 0
            ringful.ask("Hangup", callId=call_id)
            web.until("CallFailed")


def test_a_call_that_was_up_when_the_server_was_killed_has_its_end(tmp_path: Path) -> None:
    with running(tmp_path) as (web, ringful, _):
        ringful.ask("Number", number=OURS, callbackUrl=f"{web.url}/call")
        with call(ringful, OURS):
            call_id = web.until("CallReceived")[0][1]["callId"]
            ringful.ask("Answer", callId=call_id)
            web.until("CallEstablished")
            ringful.kill()
            ringful.start()
            web.until("ServerHangup")
        assert ringful.query(call_id)["caller"] == CALLER
        # What was bound is still bound.
        with calling("call_cancel", tmp_path, OURS, ringful.sip) as far:
            web.until("CallFailed")
            assert far.wait(PATIENCE) == 0


def test_voice_mail(tmp_path: Path) -> None:
    spoken, heard = tmp_path / "spoken.wav", tmp_path / "heard.wav"
    spoken.write_bytes(melody([440], 1.5))
    with running(tmp_path) as (web, ringful, files):
        given = {"owner": "+15125550199", "greeting": f"{web.url}/welcome.wav", "app": web.url}
        bound = ask_json(ringful, "Number", {"number": OURS, "script": "voicemail", "params": given})
        assert (bound["script"], bound["version"]) == ("voicemail", None)
        # It speaks after the greeting, the second for the star key and the beep, which is two times quiet.
        talk = ["--press", "5@quiet", "--press", "5@quiet", "--say", str(spoken), "--say-after", "2"]
        with call(ringful, OURS, *talk) as (_, process):
            while "/message" not in [path for path, _ in web.told]:
                path, fields, _ = web.arrived.get(timeout=PATIENCE)
                web.told.append((path, fields))
            web.until("ServerHangup")
            assert said(process)[-1]["by"] == "other side"
        message = dict(web.told)["/message"]
        assert message["from"] == CALLER
        files["/messages"] = json.dumps([{"from": CALLER, "url": message["url"]}]).encode()
        web.told.clear()
        owner = ["--call", OURS, "--server", ringful.sip, "--caller-id", "+15125550199", "--hear", str(heard)]
        with phone(*owner) as (_, process):
            web.until("ServerHangup")
            said(process)
    sound = samples(heard)
    pieces = [sound[at : at + 800] for at in range(0, len(sound) - 800, 400)]
    assert sum(abs(pitch(piece) - 440) < 6 and rms(piece) > 2000 for piece in pieces) > 15
