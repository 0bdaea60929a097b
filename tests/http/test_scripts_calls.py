"""Scripts on real calls: which version runs, what it uses, and calls of a run that has none of its own."""

from pathlib import Path

import pytest

from tests.asking import ask, ask_json
from tests.server import phone, receiver, server

NUMBER = "15125551234"


def greeting(app: str, name: str) -> str:
    return f"""param buyer
use "lib.call"
call buyer notify "{app}/call"
wait tone "1" for 30s
notify "{app}/{name}" with {{ action: "{name}" }}
do done("{app}")
"""


def library(name: str) -> str:
    return f'flow done(app) {{ notify "{{app}}/{name}" with {{ action: "{name}" }} }}\n'


def test_a_call_keeps_the_versions_that_it_began_with(tmp_path: Path) -> None:
    with (
        receiver({}) as web,
        phone("--answer-after", "0s", "--press", "1@2s") as (address, _),
        server(tmp_path, address) as ringful,
    ):
        assert ask(ringful, "Script", library("used-1"), name="lib").text == "1\n"
        assert ask(ringful, "Script", greeting(web.url, "one"), name="greeting").text == "1\n"
        call_id = ask(ringful, "Run", name="greeting", buyer=NUMBER).text.strip()
        web.until("CallEstablished")
        assert ask(ringful, "Script", library("used-2"), name="lib").text == "2\n"
        assert ask(ringful, "Script", greeting(web.url, "two"), name="greeting").text == "2\n"
        web.until("one", "used-1", "ServerHangup")
        assert sorted(web.actions) == ["CallEstablished", "ServerHangup", "one", "used-1"]
        known = ringful.query(call_id)
        assert (known["script"], known["version"], known["outcome"]) == ("greeting", 1, "completed")
        assert f'notify "{web.url}/one"' in ask(ringful, "Script", callId=call_id).text

        web.told.clear()
        ask(ringful, "Run", name="greeting", buyer=NUMBER)
        web.until("two", "used-2", "ServerHangup")
        assert sorted(web.actions) == ["CallEstablished", "ServerHangup", "two", "used-2"]

        web.told.clear()
        ask(ringful, "Run", name="greeting", version="1", buyer=NUMBER)
        web.until("one", "used-2", "ServerHangup")
        assert sorted(web.actions) == ["CallEstablished", "ServerHangup", "one", "used-2"]


def test_a_call_with_a_used_script_is_known_after_a_kill(tmp_path: Path) -> None:
    with (
        receiver({}) as web,
        phone("--answer-after", "0s") as (address, _),
        server(tmp_path, address) as ringful,
    ):
        ask(ringful, "Script", library("used"), name="lib")
        asked = {
            "script": greeting(web.url, "one"),
            "params": {"buyer": NUMBER},
            "callbackUrl": f"{web.url}/end",
        }
        call_id = ask_json(ringful, "Run", asked)["callId"]
        web.until("CallEstablished")
        ringful.kill()
        ringful.start()
        told = web.until("ServerHangup", "ScriptEnded")
        # A callback that was on its way when the server died may come twice.
        assert {(path, fields["action"]) for path, fields in told} == {
            ("/call", "CallEstablished"),
            ("/call", "ServerHangup"),
            ("/end", "ScriptEnded"),
        }
        assert ringful.query(call_id)["state"] == "ended"


def test_a_run_without_a_call_places_calls_and_ends_after_them(tmp_path: Path) -> None:
    with (
        receiver({}) as web,
        phone("--answer-after", "0s") as (address, _),
        server(tmp_path, address) as ringful,
    ):
        leg = f'call number notify "{web.url}/leg" {{ wait 200ms }}'
        text = f"param numbers\nfor number in numbers {{\n    {leg}\n}}\n"
        asked = {"script": text, "params": {"numbers": [NUMBER, NUMBER]}, "callbackUrl": f"{web.url}/run"}
        run_id = ask_json(ringful, "Run", asked)["runId"]
        told = web.until("ScriptEnded")
        legs = [fields["action"] for path, fields in told if path == "/leg"]
        assert sorted(legs) == ["CallEstablished", "CallEstablished", "ServerHangup", "ServerHangup"]
        ended = [fields for path, fields in told if path == "/run"]
        assert [(one["action"], one["outcome"], one["callId"]) for one in ended] == [
            ("ScriptEnded", "completed", run_id)
        ]
        assert ringful.query(run_id)["state"] == "ended"


def test_a_run_without_a_call_is_hung_up_with_its_calls(tmp_path: Path) -> None:
    with (
        receiver({}) as web,
        phone("--answer-after", "0s") as (address, _),
        server(tmp_path, address) as ringful,
    ):
        text = f'call "{NUMBER}" notify "{web.url}/leg" {{ wait 1h }}\nwait 2h\n'
        run_id = ask(ringful, "Run", text, callbackUrl=f"{web.url}/run").text.strip()
        web.until("CallEstablished")
        ringful.ask("Hangup", callId=run_id)
        web.until("ScriptEnded", "ServerHangup")
        reasons = {fields["action"]: fields.get("reason") for _, fields in web.told}
        assert (reasons["ServerHangup"], reasons["ScriptEnded"]) == ("api", "api")


@pytest.mark.parametrize("number", ["442071838750", "hello", "sip:eve@127.0.0.1"])
def test_a_forbidden_number_of_a_further_leg_is_not_rung(tmp_path: Path, number: str) -> None:
    with (
        receiver({}) as web,
        phone("--answer-after", "0s") as (address, _),
        server(tmp_path, address) as ringful,
    ):
        text = f'param number\ncall number notify "{web.url}/leg" {{ wait 1s }}\nwait 1s\n'
        ask(ringful, "Run", text, number=number)
        ((_, told),) = web.until("CallFailed")
        assert told["reason"] == "notallowed"


def test_call_with_a_script_rings_whom_the_request_names(tmp_path: Path) -> None:
    with (
        receiver({}) as web,
        phone("--answer-after", "0s") as (address, _),
        server(tmp_path, address) as ringful,
    ):
        said = f'notify "{web.url}/said" with {{ action: "said", buyer: buyer, order: order }}'
        text = f"param buyer\nparam order\ncall buyer ring 20s\n{said}\n"
        ask(ringful, "Script", text, name="approve")
        given = {"callee": NUMBER, "script": "approve", "order": "A-1", "callbackUrl": f"{web.url}/call"}
        assert ask(ringful, "Call", **given).status == 200
        told = web.until("said", "ServerHangup")
        assert sorted(path for path, _ in told) == ["/call", "/call", "/said"]
        (said_,) = (fields for path, fields in told if path == "/said")
        assert (said_["buyer"], said_["order"]) == (NUMBER, "A-1")
