"""Scripts over real HTTP: storing, checking, starting and simulating them, and all that is refused."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from urllib.request import Request

import pytest

from tests.asking import Answer, ask, ask_json, fetch
from tests.server import Server, free_port, receiver, server

NUMBER = "15125551234"
GREET = 'param buyer\nparam times = 1\ncall buyer\nrepeat times times { say "Hello" }\n'
HEADLESS = 'param name = "nobody"\nwait 1h\n'


@pytest.fixture(scope="module")
def ringful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose trunk leads nowhere."""
    with server(tmp_path_factory.mktemp("server"), f"127.0.0.1:{free_port()}") as running:
        yield running


def calls(ringful: Server) -> int:
    with closing(sqlite3.connect(ringful.folder / "ringful.db")) as database:
        return int(database.execute("SELECT count(*) FROM calls").fetchone()[0])


def refused(answer: Answer, status: int, code: str) -> str:
    assert (answer.status, answer.code) == (status, code), answer.text
    return answer.text


# Storing


def test_a_script_is_stored_under_versions(ringful: Server) -> None:
    assert ask(ringful, "Script", GREET, name="greet").text == "1\n"
    other = GREET.replace("Hello", "Good day")
    second = ask_json(ringful, "Script", other, name="greet.call")
    assert (second["name"], second["version"], second["new"], second["warnings"]) == ("greet", 2, True, [])
    again = ask_json(ringful, "Script", {"name": "greet", "script": other})
    assert (again["version"], again["new"], again["sha256"]) == (2, False, second["sha256"])
    assert ask(ringful, "Script", name="greet").text == other
    assert ask(ringful, "Script", name="greet", version="1").text == GREET
    shown = ask_json(ringful, "Script", name="greet", version="2")
    assert (shown["script"], shown["size"], shown["created"]) == (other, len(other), second["created"])
    listed = ask_json(ringful, "Script", name="greet", versions="true")["scripts"]
    assert [(one["name"], one["version"]) for one in listed] == [("greet", 2), ("greet", 1)]
    assert [one["version"] for one in ask_json(ringful, "Script")["scripts"] if one["name"] == "greet"] == [2]
    assert "greet  2  " in ask(ringful, "Script").text


def test_versions_outlive_the_server(ringful: Server) -> None:
    ask(ringful, "Script", "wait 1s\n", name="kept")
    ringful.kill()
    ringful.start()
    assert ask(ringful, "Script", "wait 1s\n", name="kept").text == "1\n"
    assert ask(ringful, "Script", "wait 2s\n", name="kept").text == "2\n"


def test_curl_calls_every_body_a_form(ringful: Server) -> None:
    file = ringful.folder / "curled.call"
    file.write_text("wait 3s\n")
    ringful.seq += 1
    signed = ringful.command("sign", "Script", "name=curled", "--body", file.name, f"seq={ringful.seq}")
    # As curl, urllib calls what it is not told about a form.
    answer = fetch(Request(signed.strip(), data=file.read_bytes()))
    assert answer.text == "1\n"
    form = "application/x-www-form-urlencoded"
    assert ask(ringful, "Script", 'say_no = "x"\n', name="form", kind=form).status == 422
    assert ask(ringful, "Script", "wait 1s\n", name="form", kind=form).text == "1\n"


def test_scripts_of_another_key_are_not_there(ringful: Server) -> None:
    ask(ringful, "Script", "wait 1s\n", name="mine")
    before = (ringful.key, ringful.secret)
    ringful.key, ringful.secret = ringful.command("keys", "add", "stranger").split()
    try:
        refused(ask(ringful, "Script", name="mine"), 404, "script.unknown")
        refused(ask(ringful, "Run", name="mine"), 404, "script.unknown")
        refused(ask(ringful, "Run", 'use "mine.call"\nwait 1s\n'), 422, "script.invalid")
        assert ask(ringful, "Script").text == ""
        assert ask(ringful, "Script", "wait 2s\n", name="mine").text == "1\n"
    finally:
        ringful.key, ringful.secret = before
    assert ask(ringful, "Script", name="mine").text == "wait 1s\n"


@pytest.mark.parametrize("name", ["../x", "a b", "", ".hidden", "x" * 101, "ä", "a/b"])
def test_a_name_must_be_one(ringful: Server, name: str) -> None:
    answer = ask(ringful, "Script", "wait 1s\n", name=name)
    assert (answer.status, answer.code) in ((400, "name.invalid"), (400, "name.missing"))


def test_everything_that_is_wrong_is_told_with_its_place(ringful: Server) -> None:
    text = 'param buyer\ncall buyer\nsay "Hello {buyr}"\nhangup\nplay "x"\n'
    answer = ask(ringful, "Script", text, name="wrong", accept="application/json")
    assert (answer.status, answer.kind) == (422, "application/problem+json")
    assert answer.json["code"] == "script.invalid"
    first, second = answer.json["problems"]
    assert first == {
        "code": "unbound",
        "severity": "error",
        "message": "`buyr` has no value here",
        "hint": "did you mean `buyer`?",
        "file": "wrong.call",
        "line": 3,
        "column": 13,
        "endLine": 3,
        "endColumn": 17,
        "text": 'say "Hello {buyr}"',
    }
    assert (second["code"], second["line"]) == ("unreachable", 5)
    shown = refused(ask(ringful, "Script", text, name="wrong"), 422, "script.invalid")
    assert ' 3 | say "Hello {buyr}"\n   |             ^^^^\n   = did you mean `buyer`?\n' in shown
    refused(ask(ringful, "Script", name="wrong"), 404, "script.unknown")


def test_syntax_errors_are_all_told(ringful: Server) -> None:
    answer = ask(ringful, "Run", 'pley "x"\nwait 1s\nsey "y"\n', accept="application/json")
    assert [(one["line"], one["hint"]) for one in answer.json["problems"]] == [
        (1, "did you mean `play`?"),
        (3, "did you mean `say`?"),
    ]


def test_a_script_may_have_a_mebibyte_and_no_more(ringful: Server) -> None:
    line = "# " + "x" * 97 + "\n"
    text = line * (1024 * 1024 // len(line) - 1) + "wait 1s\n"
    assert ask(ringful, "Check", text).text == "no problems\n"
    long = refused(ask(ringful, "Script", line * 11_000, name="long"), 422, "script.invalid")
    assert "longer than 1048576 bytes" in long
    refused(ask(ringful, "Script", line * 22_000, name="long"), 413, "body.large")
    assert ask(ringful, "Script", name="kept").status == 200


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"\xff\xfe wait", "text/plain", 400, "body.encoding"),
        (b"{", "application/json", 400, "body.json"),
        (b"[1]", "application/json", 400, "body.json"),
        (b"[" * 100_000, "application/json", 400, "body.json"),
        (b'{"script": NaN}', "application/json", 400, "body.json"),
        (b'{"script": 1e999}', "application/json", 400, "body.json"),
        (b'{"script": ["wait 1s"]}', "application/json", 400, "script.invalid"),
        (b'{"script": "wait 1s", "scrpt": 1}', "application/json", 400, "scrpt.unknown"),
        (b'{"script": "wait 1s", "params": [1]}', "application/json", 400, "params.invalid"),
        (b"<xml/>", "application/xml", 415, "body.type"),
        (b"wait 1s # \0", "text/plain", 400, "script.invalid"),
        (b'{"script": "wait 1s # \\ud800"}', "application/json", 400, "script.invalid"),
        (
            b'{"script": "param a\\nwait 1s", "params": {"a": "\\ud800"}}',
            "application/json",
            400,
            "a.invalid",
        ),
        (
            b'{"script": "param a\\nwait 1s", "params": {"a": ["\\u0000"]}}',
            "application/json",
            400,
            "a.invalid",
        ),
        (b'{"name": "\\ud800"}', "application/json", 400, "name.invalid"),
    ],
)
def test_bodies_that_cannot_be_read(ringful: Server, body: bytes, kind: str, status: int, code: str) -> None:
    refused(ask(ringful, "Run", body, kind=kind), status, code)


def test_a_text_is_no_body_for_other_methods(ringful: Server) -> None:
    refused(ask(ringful, "Call", "wait 1s\n", callee=NUMBER), 415, "body.type")


def test_any_method_takes_json(ringful: Server) -> None:
    call_id = ask_json(ringful, "Call", {"callee": int(NUMBER), "ringTimeout": 20})["callId"]
    assert ask(ringful, "Play", {"callId": call_id, "announcement": "x", "waitComplete": False}).status == 200
    assert [task["statement"] for task in ringful.query(call_id)["queue"]] == ['start play "x"']
    refused(ask(ringful, "Hangup", {"callId": call_id, "immediate": [1]}), 400, "immediate.invalid")
    refused(ask(ringful, "Hangup", {"callId": "x"}, callId=call_id), 400, "callId.repeated")
    assert ask(ringful, "Hangup", {"callId": call_id, "immediate": True}).status == 200


# Checking


def test_check_answers_with_what_is_wrong(ringful: Server) -> None:
    assert ask_json(ringful, "Check", "wait 1s\n") == {"ok": True, "problems": []}
    found = ask_json(ringful, "Check", 'say "x"\n')
    assert (found["ok"], found["problems"][0]["code"]) == (False, "no-leg")
    warned = ask_json(ringful, "Check", f'call "{NUMBER}"\nwait tone "1"\n')
    assert warned["ok"]
    assert {one["severity"] for one in warned["problems"]} == {"warning"}
    ask(ringful, "Script", GREET, name="greet")
    assert ask(ringful, "Check", name="greet").text == "no problems\n"
    assert "name.missing" in ask(ringful, "Check").text
    refused(ask(ringful, "Check", "wait 1s\n", name="greet"), 400, "name.invalid")


# Using other scripts

LIBRARY = 'flow hello(who) { say "Hello {who}" }\n'


def test_a_script_uses_the_keys_other_scripts(ringful: Server) -> None:
    ask(ringful, "Script", LIBRARY, name="lib")
    text = f'use "lib.call"\ncall "{NUMBER}"\ndo hello("you")\n'
    assert ask(ringful, "Script", text, name="user").status == 200
    assert ask(ringful, "Run", name="user").text.startswith("r1-")
    missing = refused(ask(ringful, "Script", text.replace("lib", "lob"), name="user"), 422, "script.invalid")
    assert "user.call:1:1: there is no script `lob.call`" in missing


def test_a_used_script_that_has_changed_is_checked_anew(ringful: Server) -> None:
    ask(ringful, "Script", LIBRARY.replace("hello", "greeting"), name="moving")
    text = f'use "moving.call"\ncall "{NUMBER}"\ndo greeting("you")\n'
    assert ask(ringful, "Script", text, name="mover").status == 200
    ask(ringful, "Script", LIBRARY, name="moving")
    assert "there is no flow `greeting`" in refused(ask(ringful, "Run", name="mover"), 422, "script.invalid")


def test_what_a_used_script_lacks_is_told_with_its_own_place(ringful: Server) -> None:
    ask(ringful, "Script", LIBRARY, name="deep")
    ask(ringful, "Script", 'use "deep.call"\nflow hi() { do hello("x") }\n', name="middle")
    ask(ringful, "Script", LIBRARY.replace("hello", "bye"), name="deep")
    answer = ask(ringful, "Check", 'use "middle.call"\nwait 1s\n', accept="application/json")
    (found,) = answer.json["problems"]
    assert (found["file"], found["line"], found["code"]) == ("middle.call", 2, "unknown-flow")
    assert found["text"] == 'flow hi() { do hello("x") }'


def test_scripts_that_use_each_other_are_refused(ringful: Server) -> None:
    ask(ringful, "Script", LIBRARY, name="one")
    ask(ringful, "Script", 'use "one.call"\nflow two() { do hello("x") }\n', name="two")
    shown = refused(
        ask(ringful, "Script", f'wait 1s\nuse "two.call"\n{LIBRARY}'.replace("wait 1s\n", ""), name="one"),
        422,
        "script.invalid",
    )
    assert "one.call:1:1: this script uses itself, by way of `two.call`" in shown
    itself = refused(ask(ringful, "Script", 'use "self"\nwait 1s\n', name="self"), 422, "script.invalid")
    assert "this script uses itself [" in itself


# Running


def test_values_are_given_by_name(ringful: Server) -> None:
    ask(ringful, "Script", GREET, name="greet")
    call_id = ask(ringful, "Run", name="greet", buyer=NUMBER, times="3").text.strip()
    known = ringful.query(call_id)
    assert (known["callee"], known["script"]) == (NUMBER, "greet")
    typed = ask_json(ringful, "Run", {"name": "greet", "params": {"buyer": NUMBER, "times": 2}})
    assert typed["callId"].startswith("r1-")
    mixed = ask_json(ringful, "Run", {"script": GREET, "params": {"times": 2}}, buyer=NUMBER)
    assert ringful.query(mixed["callId"])["script"] is None


def test_a_value_with_the_name_of_a_parameter(ringful: Server) -> None:
    ask(ringful, "Script", 'param name\nnotify "http://127.0.0.1:1/" with { who: name }\n', name="named")
    run_id = ask(ringful, "Run", **{"name": "named", "param.name": "Bob"}).text.strip()
    assert "who=Bob" in ask(ringful, "Trace", callId=run_id, wait="20").text


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ({}, "buyer.missing", "the script has no default for it"),
        ({"buyer": NUMBER, "tims": "2"}, "tims.unknown", "did you mean `times`?"),
        ({"buyer": NUMBER, "calbackUrl": "http://h"}, "calbackUrl.unknown", "did you mean `callbackUrl`?"),
        ({"buyer": NUMBER, "times": "two"}, "times.invalid", "a number such as 3 or 0.5"),
        ({"buyer": NUMBER, "param.buyer": NUMBER}, "buyer.repeated", "given twice"),
        ({"buyer": NUMBER, "version": "0"}, "version.invalid", "from 1"),
        ({"buyer": NUMBER, "callbackUrl": "nowhere"}, "callbackUrl.invalid", "http or https"),
    ],
)
def test_values_that_do_not_fit(ringful: Server, given: dict[str, str], code: str, said: str) -> None:
    ask(ringful, "Script", GREET, name="greet")
    before = calls(ringful)
    assert said in refused(ask(ringful, "Run", name="greet", **given), 400, code)
    assert calls(ringful) == before


def test_there_is_no_such_script_or_version(ringful: Server) -> None:
    ask(ringful, "Script", GREET, name="greet")
    assert "did you mean `greet`?" in refused(ask(ringful, "Run", name="gret"), 404, "script.unknown")
    refused(ask(ringful, "Run", name="greet", version="99"), 404, "script.unknown")
    refused(ask(ringful, "Run", version="1"), 400, "version.invalid")


@pytest.mark.parametrize(
    ("buyer", "status", "code"),
    [
        ("442071838750", 403, "call.notallowed"),
        ("hello", 403, "call.notallowed"),
        ("sip:eve@127.0.0.1", 403, "call.notallowed"),
        (f"{NUMBER}@evil.example", 403, "call.notallowed"),
        ("", 422, "script.cannotstart"),
    ],
)
def test_a_forbidden_number_is_refused_however_it_is_computed(
    ringful: Server, buyer: str, status: int, code: str
) -> None:
    ask(ringful, "Script", GREET, name="greet")
    before = calls(ringful)
    refused(ask(ringful, "Run", name="greet", buyer=buyer), status, code)
    computed = 'param a\nparam b = "{a}"\ncall "{b}"\nsay "x"\n'
    refused(ask(ringful, "Run", computed, a=buyer), status, code)
    assert calls(ringful) == before


def test_a_script_that_waits_for_calls_cannot_be_started(ringful: Server) -> None:
    text = refused(ask(ringful, "Run", 'inbound "15125550000"\nsay "x"\n'), 422, "script.cannotstart")
    assert text == "script.cannotstart: script:1:1: this script waits for a call or a message to come in\n"


def test_call_runs_a_stored_script_on_whom_it_rings(ringful: Server) -> None:
    ask(ringful, "Script", GREET, name="greet")
    call_id = ask(ringful, "Call", callee=NUMBER, script="greet", times="2").text.strip()
    known = ringful.query(call_id)
    assert (known["callee"], known["script"]) == (NUMBER, "greet")
    assert "repeat times times" in ask(ringful, "Script", callId=call_id).text
    ask(ringful, "Script", 'inbound "15125550000"\nsay "Hello"\n', name="answering")
    assert ask(ringful, "Call", callee=NUMBER, script="answering").text.startswith("r1-")
    refused(ask(ringful, "Call", callee=NUMBER, script="grete", times="2"), 404, "script.unknown")
    refused(ask(ringful, "Call", callee=NUMBER, times="2"), 400, "times.unknown")
    ask(ringful, "Script", 'inbound "15125550000"\nreject busy\n', name="rejecting")
    assert "needs a call that came in" in refused(
        ask(ringful, "Call", callee=NUMBER, script="rejecting"), 422, "script.invalid"
    )


# Runs without a call


def test_a_run_without_a_call_is_placed_queried_and_interrupted(ringful: Server) -> None:
    with receiver({}) as web:
        run_id = ask_json(ringful, "Run", HEADLESS, callbackUrl=f"{web.url}/run")["runId"]
        known = ringful.query(run_id)
        assert (known["state"], known["callee"]) == ("running", "")
        refused(ask(ringful, "Play", callId=run_id, announcement="x"), 409, "call.over")
        ringful.ask("Hangup", callId=run_id)
        told = web.until("ScriptEnded")
        assert [(path, fields["action"], fields["outcome"]) for path, fields in told] == [
            ("/run", "ScriptEnded", "interrupted")
        ]
        known = ringful.query(run_id)
        assert (known["state"], known["outcome"]) == ("ended", "interrupted")
        refused(ask(ringful, "Hangup", callId=run_id), 409, "call.over")


def test_the_fault_of_a_run_without_a_call_is_told(ringful: Server) -> None:
    with receiver({}) as web:
        text = "param n\nwait 1ms\nrepeat n times { wait 1s }\n"
        run_id = ask_json(ringful, "Run", {"script": text, "params": {"n": "x"}, "callbackUrl": web.url})[
            "runId"
        ]
        ((_, told),) = web.until("ScriptFailed")
        assert (told["callId"], told["line"]) == (run_id, "3")
        assert ringful.query(run_id)["outcome"] == "scriptfailed"
        assert "script failed" in ask(ringful, "Trace", callId=run_id).text


def test_a_run_without_a_call_that_is_cut_off_tells_it(ringful: Server) -> None:
    with receiver({}) as web:
        run_id = ask_json(ringful, "Run", HEADLESS, callbackUrl=web.url)["runId"]
        ringful.kill()
        ringful.start()
        ((_, told),) = web.until("ScriptEnded")
        assert (told["outcome"], told["reason"]) == ("lost", "lost")
        known = ringful.query(run_id)
        assert (known["state"], known["outcome"]) == ("ended", "lost")


# Following


def test_a_trace_waits_for_what_comes(ringful: Server) -> None:
    run_id = ask(
        ringful, "Run", 'wait 300ms\nnotify "http://127.0.0.1:1/x" with { a: 1 }\nwait 1h\n'
    ).text.strip()
    first = ask_json(ringful, "Trace", callId=run_id, wait="20")
    (line,) = first["lines"]
    assert (line["verb"], line["place"]) == ("post", "script:2")
    assert line["text"].startswith("http://127.0.0.1:1/x a=1 ")
    assert (first["next"], first["ended"], first["outcome"]) == (1, False, None)
    assert ask(ringful, "Trace", callId=run_id, after="1", wait="0.1").text == ""
    ringful.ask("Hangup", callId=run_id)
    last = ask_json(ringful, "Trace", callId=run_id, after="1", wait="20")
    assert (last["lines"][0]["verb"], last["ended"], last["outcome"]) == ("now", True, "interrupted")
    refused(ask(ringful, "Trace", callId="r1-none"), 404, "call.unknown")
    refused(ask(ringful, "Trace", callId=run_id, wait="31"), 400, "wait.invalid")
    refused(ask(ringful, "Trace", callId=run_id, after="-1"), 400, "after.invalid")
