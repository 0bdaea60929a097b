"""From a script to the wire: legs that a script connects, and far ends that it transfers."""

from pathlib import Path

import pytest

from ringful.command.demonstration.sounds import melody
from ringful.media.wav import header
from tests.asking import ask
from tests.media.test_connections import likeness, write_speech
from tests.media.test_pool import over, samples
from tests.server import PATIENCE, Server, phone, receiver, server
from tests.sipp import sipp

NUMBER, OTHER = "15125551234", "15125555678"
TRANSFER = """param web
call "15125551234" notify "{web}/call"
on hangup { notify "{web}/over" }
transfer "15125555678"
notify "{web}/back"
hangup
"""


def run(ringful: Server, script: str, **params: str) -> str:
    answer = ask(ringful, "Run", script, **params)
    assert answer.status == 200, answer.text
    return answer.text.strip()


@pytest.mark.parametrize(
    ("scenario", "end", "failure"),
    [
        ("transfer", "transferred", None),
        ("transfer_busy", "script", ("busy", "486")),
        ("transfer_refused", "script", ("rejected", "603")),
        ("transfer_unknown", "script", ("rejected", "501")),
    ],
)
def test_a_far_end_is_transferred(
    tmp_path: Path, scenario: str, end: str, failure: tuple[str, str] | None
) -> None:
    with (
        receiver({}) as web,
        sipp(scenario, tmp_path) as (address, far),
        server(tmp_path, address) as ringful,
    ):
        call_id = run(ringful, TRANSFER, web=web.url)
        web.until("ServerHangup")
        while not any(path == "/over" for path, _ in web.told):
            path, fields, _ = web.arrived.get(timeout=PATIENCE)
            web.told.append((path, fields))
        told = [fields for path, fields in web.told if path == "/call"]
        wanted = ["CallEstablished", *(["TransferFailed"] if failure else []), "ServerHangup"]
        assert [fields["action"] for fields in told] == wanted
        assert told[-1]["reason"] == end
        if failure:
            assert (told[1]["reason"], told[1]["sipStatus"], told[1]["number"]) == (*failure, OTHER)
        assert ("/back" in [path for path, _ in web.told]) is bool(failure)
        assert far.wait(PATIENCE) == 0
        assert ringful.query(call_id)["outcome"] == "completed"


def test_a_far_end_that_hangs_up_at_once_when_it_is_transferred(tmp_path: Path) -> None:
    with (
        receiver({}) as web,
        sipp("transfer_gone", tmp_path) as (address, far),
        server(tmp_path, address) as ringful,
    ):
        run(ringful, TRANSFER, web=web.url)
        web.until("CalleeHangUp")
        told = [fields for path, fields in web.told if path == "/call"]
        actions = [fields["action"] for fields in told]
        assert actions == ["CallEstablished", "TransferFailed", "CalleeHangUp"]
        assert told[1]["reason"] == "hangup"
        assert far.wait(PATIENCE) == 0


@pytest.mark.parametrize("target", ["442071838750", "sip:1512@127.0.0.1:9"])
def test_nobody_is_sent_or_connected_to_a_number_that_the_key_may_not_call(
    tmp_path: Path, target: str
) -> None:
    script = """param web
param target
call "15125551234" notify "{web}/call"
transfer target
start call target notify "{web}/leg" as leg
connect leg else { notify "{web}/else" }
hangup
"""
    with (
        receiver({}) as web,
        sipp("answer", tmp_path) as (address, far),
        server(tmp_path, address) as ringful,
    ):
        run(ringful, script, web=web.url, target=target)
        web.until("ServerHangup", "CallFailed")
        told = {fields["action"]: fields for _, fields in web.told if "action" in fields}
        for action in ("TransferFailed", "CallFailed", "ConnectFailed"):
            assert told[action]["reason"] == "notallowed"
        # The far end saw an ordinary call: no REFER.
        assert far.wait(PATIENCE) == 0


def test_a_script_connects_two_calls(tmp_path: Path) -> None:
    says, hears = tmp_path / "says.wav", tmp_path / "hears.wav"
    write_speech(says, 3)
    # One phone takes both calls.  On each line it waits until it has heard something and the line is
    # quiet again, and then speaks: the other call after a tone, and the first one after that speech.
    options = ["--answer-after", "0.2s", "--say", str(says), "--say-after", "1", "--press", "5@quiet"]
    script = f"""param web
call "{NUMBER}" notify "{{web}}/call"
start record notify "{{web}}/record"
start tones notify "{{web}}/tones"
start play "{{web}}/silence.wav"
call "{OTHER}" notify "{{web}}/other" as other {{
    start {{
        wait 1s
        play "{{web}}/tone.wav"
    }}
    stay
}}
connect other for 1m else {{ notify "{{web}}/else" }}
notify "{{web}}/after"
hangup
"""
    silence = header(20 * 16000) + bytes(20 * 16000)
    with (
        receiver({"/silence.wav": silence, "/tone.wav": melody([700])}) as web,
        phone(*options, "--hear", str(hears), "--hang-up-after", "8s") as (address, process),
        server(tmp_path, address) as ringful,
    ):
        call_id = run(ringful, script, web=web.url)
        told = web.until("RecordComplete")
        while sum(fields.get("action") in ("CalleeHangUp", "ServerHangup") for _, fields in told) < 2:
            path, fields, _ = web.arrived.get(timeout=PATIENCE)
            told.append((path, fields))
        actions = {path: [one.get("action") for where, one in told if where == path] for path, _ in told}
        # The other call had spoken first, and its phone hung up; the script went on and ended the first.
        assert actions["/other"] == ["CallEstablished", "CalleeHangUp"]
        assert actions["/call"] == ["CallEstablished", "ServerHangup"]
        assert actions["/tones"] == ["ToneDetectorStart", "ToneDetected"]
        assert "/else" not in [path for path, _ in told]
        list(over(process))
        list(over(process))
        shown = ringful.command("calls", "show", call_id)
        assert " connected" in shown
        assert "disconnected" in shown
    for heard in (hears, hears.with_name("hears-2.wav")):
        assert likeness(samples(says), samples(heard)) > 0.9
    assert likeness(samples(says), samples(tmp_path / "recordings" / f"{call_id}.wav")) > 0.9


def test_a_server_that_is_killed_ends_both_legs_of_a_connection(tmp_path: Path) -> None:
    script = f"""param web
call "{NUMBER}" notify "{{web}}/call"
start record notify "{{web}}/record"
start call "{OTHER}" notify "{{web}}/other" as other
connect other else {{ notify "{{web}}/else" }}
notify "{{web}}/after"
hangup
"""
    with (
        receiver({}) as web,
        phone("--answer-after", "0.2s") as (address, _),
        server(tmp_path, address) as ringful,
    ):
        call_id = run(ringful, script, web=web.url)
        while [path for path, _ in web.told].count("/other") == 0:
            path, fields, _ = web.arrived.get(timeout=PATIENCE)
            web.told.append((path, fields))
        while " connected" not in ringful.command("calls", "show", call_id):
            pass
        ringful.kill()
        ringful.start()
        while sum(fields.get("action") == "ServerHangup" for _, fields in web.told) < 2:
            path, fields, _ = web.arrived.get(timeout=PATIENCE)
            web.told.append((path, fields))
        for path in ("/call", "/other"):
            told = [fields for where, fields in web.told if where == path]
            assert [fields["action"] for fields in told] == ["CallEstablished", "ServerHangup"]
            assert told[-1]["reason"] == "lost"
        actions = [fields.get("action") for _, fields in web.told]
        assert actions.index("RecordComplete") < actions.index("ServerHangup")
        assert not {"/else", "/after"} & {path for path, _ in web.told}
