"""Numbers over real HTTP: binding, listing and unbinding them, and all that is refused."""

from collections.abc import Iterator

import pytest

from tests.asking import Answer, ask, ask_json
from tests.server import Server, free_port, server

OURS = "+18005550000"
URL = "http://127.0.0.1:9/call"
GREET = 'param box\nparam tries = 3\ninbound box\nsay "Hello." \nhangup\n'


@pytest.fixture(scope="module")
def ringful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("server"), f"127.0.0.1:{free_port()}") as running:
        ask(running, "Script", GREET, name="greet")
        ask(running, "Script", 'inbound "18005550000"\nsay "Hello."\n', name="fixed")
        ask(running, "Script", 'call "15125551234"\nsay "Hello."\n', name="calls")
        ask(running, "Script", "wait 1s\n", name="headless")
        ask(running, "Script", 'param app\ninbound "8005550000" notify app\nanswer\n', name="tells")
        yield running


@pytest.fixture(autouse=True)
def nothing_is_bound(ringful: Server) -> None:
    for one in ask_json(ringful, "Number")["numbers"]:
        ask(ringful, "NumberRemove", number=one["number"])


def refused(answer: Answer, status: int, code: str) -> str:
    assert (answer.status, answer.code) == (status, code), answer.text
    return answer.text


def test_a_number_is_bound_listed_bound_anew_and_unbound(ringful: Server) -> None:
    assert ask(ringful, "Number", number="8005550000", callbackUrl=URL).text == f"{OURS}\n"
    ask(ringful, "Number", number="200", script="greet", tries="5")
    assert ask(ringful, "Number").text == f"{OURS}  {URL}\n200  greet\n"
    bound = ask_json(ringful, "Number", number=OURS, script="fixed", version="1", callbackUrl=URL)
    assert (bound["script"], bound["version"], bound["callbackUrl"]) == ("fixed", 1, URL)
    (only,) = ask_json(ringful, "Number", number="200")["numbers"]
    assert (only["script"], only["version"], only["params"]) == ("greet", None, ["tries", "box"])
    assert ask(ringful, "NumberRemove", number=OURS).text == ""
    refused(ask(ringful, "NumberRemove", number=OURS), 404, "number.unknown")
    refused(ask(ringful, "Number", number=OURS), 404, "number.unknown")
    assert ask(ringful, "Number").text == "200  greet\n"


def test_what_is_bound_outlives_the_server(ringful: Server) -> None:
    ask(ringful, "Number", number=OURS, script="greet")
    ringful.kill()
    ringful.start()
    assert ask(ringful, "Number").text == f"{OURS}  greet\n"


def test_a_number_belongs_to_one_key(ringful: Server) -> None:
    ask(ringful, "Number", number=OURS, callbackUrl=URL)
    own = ringful.key, ringful.secret
    ringful.key, ringful.secret = ringful.command("keys", "add", "other").split()
    try:
        text = refused(ask(ringful, "Number", number=OURS, callbackUrl=URL), 409, "number.taken")
        assert "bound by another key" in text
        refused(ask(ringful, "NumberRemove", number=OURS), 404, "number.unknown")
        assert ask(ringful, "Number").text == ""
    finally:
        ringful.key, ringful.secret = own
    assert ask(ringful, "Number").text == f"{OURS}  {URL}\n"


@pytest.mark.parametrize(
    ("given", "status", "code", "said"),
    [
        ({"number": OURS, "script": "nothing"}, 404, "script.unknown", "this key has no script nothing"),
        ({"number": OURS, "script": "calls"}, 422, "number.script", "begins with another header"),
        ({"number": OURS, "script": "headless"}, 422, "number.script", "has no header"),
        (
            {"number": "18005550001", "script": "fixed"},
            422,
            "number.script",
            "of 18005550000, not of +18005550001",
        ),
        ({"number": OURS, "script": "greet", "box": "18005550001"}, 422, "number.script", "name a param"),
        ({"number": OURS, "script": "greet", "tires": "5"}, 400, "tires.unknown", "did you mean `tries`"),
        ({"number": OURS, "script": "greet", "tries": "five"}, 400, "tries.invalid", "a number such as 3"),
        ({"number": OURS, "script": "voicemail"}, 400, "owner.missing", "owner is missing"),
        (
            {"number": OURS, "callbackUrl": URL, "box": "1"},
            400,
            "box.unknown",
            "this method has no parameter box",
        ),
        ({"number": OURS, "callbackUrl": "nowhere"}, 400, "callbackUrl.invalid", "callbackUrl"),
        ({"number": OURS, "version": "1"}, 400, "version.invalid", "version goes with the name of a script"),
        ({"callbackUrl": URL}, 400, "number.missing", "number=18005550000"),
        ({"number": "555", "script": "greet", "version": "7"}, 404, "script.unknown", "no version 7"),
        ({"number": "55512345678901", "callbackUrl": URL}, 400, "number.invalid", "wrong number of digits"),
    ],
)
def test_what_cannot_be_bound_is_refused_and_nothing_is_bound(
    ringful: Server, given: dict[str, str], status: int, code: str, said: str
) -> None:
    assert said in refused(ask(ringful, "Number", **given), status, code)
    assert ask(ringful, "Number").text == ""


def test_a_refused_script_is_shown_with_its_place(ringful: Server) -> None:
    answer = ask(ringful, "Number", accept="application/json", number="18005550001", script="fixed")
    (problem,) = answer.json["problems"]
    assert (problem["file"], problem["line"], problem["column"]) == ("fixed.call", 1, 9)
    assert problem["text"] == 'inbound "18005550000"'
    assert problem["hint"].startswith('write `inbound "+18005550001"`')


def test_a_header_that_would_fail_is_refused(ringful: Server) -> None:
    wrong = {"number": OURS, "script": "tells", "params": {"app": ["http://h/"]}}
    assert "tells.call:2:" in refused(ask(ringful, "Number", wrong), 422, "number.script")
