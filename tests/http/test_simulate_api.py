"""`Simulate` over real HTTP: what it tells, and that nobody can hold the server with it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.asking import ask, ask_json
from tests.server import Server, free_port, server

NUMBER = "15125551234"
SURVEY = """param buyer
call buyer notify "https://shop.example/call"
ask "https://shop.example/open" as shop for 5s else { hangup }
menu tries 2 for 5s {
    prompt { play "welcome" }
    "1" { notify "https://shop.example/order" with { open: shop.open } }
    otherwise { say "No." }
}
"""
CASE = f"""sound "welcome" 2s
web "https://shop.example/open" -> {{ "open": true }} after 300ms
phone "{NUMBER}" {{
    answer after 2s
    press "1" when "welcome" ends after 500ms
}}
"""
TRACE = """\
00:00.000  call-1  ring          15125551234  @survey.call:2
00:00.000  call-1  ringing
00:02.000  call-1  answered
00:02.000  call-1  post          https://shop.example/call action=CallEstablished
00:02.000  call-1  ask           https://shop.example/open  @survey.call:3
00:02.300  call-1  web           {"open": true}
00:02.300  call-1  play          "welcome"  @survey.call:5
00:04.300  call-1  played        "welcome"
00:04.800  call-1  pressed       1
00:04.800  call-1  post          https://shop.example/order open=true  @survey.call:6
00:04.800  call-1  hangup
00:04.800  call-1  ended         by server
00:04.800  call-1  post          https://shop.example/call action=ServerHangup
"""


@pytest.fixture(scope="module")
def ringful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose trunk leads nowhere, with one script."""
    with server(tmp_path_factory.mktemp("server"), f"127.0.0.1:{free_port()}") as running:
        assert ask(running, "Script", SURVEY, name="survey").text == "1\n"
        yield running


def steady(trace: str) -> str:
    """Leave out the fields of posts that are not the script's, and where nothing was written."""
    lines = []
    for line in trace.splitlines():
        head, found, place = line.partition("  @")
        words = head.split(" ")
        plain = ("callId=", "at=", "n=", "reason=", "duration=", "billAmount=")
        kept = [word for word in words if not word.startswith(plain)]
        shown = " ".join(kept)
        of_script = found and not ("hangup" in shown or "action=" in shown)
        lines.append(f"{shown}  @{place}" if of_script else shown)
    return "".join(line + "\n" for line in lines)


def test_a_case_is_simulated(ringful: Server) -> None:
    answer = ask(ringful, "Simulate", CASE, name="survey", buyer=NUMBER)
    assert answer.status == 200, answer.text
    assert steady(answer.text) == TRACE
    assert ask(ringful, "Simulate", CASE, name="survey", buyer=NUMBER).text == answer.text


def test_the_json_form_says_the_same(ringful: Server) -> None:
    asked = {
        "name": "survey",
        "params": {"buyer": NUMBER},
        "sounds": {"welcome": "2s"},
        "web": [{"url": "https://shop.example/open", "answer": {"open": True}, "after": "300ms"}],
        "phones": {NUMBER: ["answer after 2s", 'press "1" when "welcome" ends after 500ms']},
    }
    told = ask_json(ringful, "Simulate", asked)
    assert (told["outcome"], told["stopped"]) == ("completed", None)
    assert told["trace"][-1]["text"].startswith("https://shop.example/call action=ServerHangup")
    assert told["trace"][0] == {
        "at": 0.0,
        "leg": "call-1",
        "verb": "ring",
        "text": NUMBER,
        "place": "survey.call:2",
    }
    actions = [
        (post["url"], post["fields"].get("action"), post["fields"].get("open")) for post in told["callbacks"]
    ]
    assert actions == [
        ("https://shop.example/call", "CallEstablished", None),
        ("https://shop.example/order", None, "true"),
        ("https://shop.example/call", "ServerHangup", None),
    ]
    assert (
        ask(ringful, "Simulate", asked).text
        == ask(ringful, "Simulate", CASE, name="survey", buyer=NUMBER).text
    )


def test_everything_that_the_json_form_can_describe(ringful: Server) -> None:
    script = f"""call "{NUMBER}"
play "gone"
record for 5s
follow "https://h/next" for 2s
ask "https://h/down" as down for 2s
ask "https://h/dead" as dead for 2s
stay
"""
    told = ask_json(
        ringful,
        "Simulate",
        {
            "script": script,
            "missing": {"gone": "it was never there"},
            "recording": {"fails": "the disk is full", "after": "1s"},
            "web": [
                {"url": "https://h/next", "script": 'play "a"\n'},
                {"url": "https://h/down", "fails": "it is down"},
                {"url": "https://h/dead", "never": True},
            ],
            "queue": [{"statement": 'play "queued"', "after": "1m"}],
            "now": [{"operation": "hangup", "after": "2m"}],
            "phones": {"*": ["answer after 1s"]},
        },
    )
    text = "\n".join(f"{line['verb']} {line['text']}" for line in told["trace"])
    for expected in (
        "it was never there",
        "the disk is full",
        'play "a"',
        "it is down",
        'play "queued"',
        "now hangup",
    ):
        assert expected in text


def test_messages_are_simulated(ringful: Server) -> None:
    asked = {
        "script": f"""inbound sms "18005550000" keyword "JOIN"
sms caller "Welcome." notify "https://h/sms"
sms "{NUMBER}" "Somebody has joined."
sms "{NUMBER}" "Really."
""",
        "phones": {"+15125550001": ['texts "+18005550000" "join" after 1s', 'replies "Thanks" after 5s']},
        "sms": [
            {"number": NUMBER, "refused": "capacity", "detail": "many wait"},
            {"number": NUMBER, "taken": True},
        ],
    }
    told = ask_json(ringful, "Simulate", asked)
    assert (told["outcome"], told["stopped"]) == ("completed", None)
    text = "\n".join(f"{line['leg']} {line['verb']} {line['text']}" for line in told["trace"])
    for expected in (
        'call-1 texted +18005550000 by +15125550001 "join"',
        "call-1 not sent call-1.sms-2: capacity (many wait)",
        "call-1.sms delivered",
        "call-1.sms-3 failed there is no phone +15125551234",
    ):
        assert expected in text
    posted = [post["fields"].get("status") or post["fields"]["reply"] for post in told["callbacks"]]
    assert posted == ["queued", "sent", "delivered", "Thanks"]


def test_a_case_may_hold_its_script(ringful: Server) -> None:
    case = f'script {{\n    call "{NUMBER}"\n    wait 2s\n}}\nphone "*" {{\n    answer\n}}\n'
    assert "00:02.000  call-1  hangup" in ask(ringful, "Simulate", case).text
    ask(ringful, "Script", 'flow hello() { say "Hello" }\n', name="lib")
    using = case.replace("    call", '    use "lib.call"\n    call').replace("wait 2s", "do hello()")
    assert '"Hello"  @lib.call:1' in ask(ringful, "Simulate", using).text


@pytest.mark.parametrize(
    ("body", "query", "status", "code", "said"),
    [
        ("", {}, 400, "script.missing", "give the name of a script"),
        (CASE, {"name": "survy", "buyer": NUMBER}, 404, "script.unknown", "did you mean `survey`?"),
        (CASE, {"name": "survey", "byer": NUMBER}, 400, "byer.unknown", "did you mean `buyer`?"),
        ("script ../../etc/passwd\n", {"name": "survey"}, 422, "case.invalid", "no file can be named"),
        ("script /etc/passwd\n", {}, 400, "script.missing", "give the name"),
        ('phone "1" {\n    anser\n}\n', {"name": "survey"}, 422, "case.invalid", "did you mean `answer`?"),
        ('script {\n    pley "x"\n}\n', {}, 422, "script.invalid", "did you mean `play`?"),
        (
            'script {\n    use "/etc/passwd"\n    wait 1s\n}\n',
            {},
            422,
            "script.invalid",
            "no script `/etc/passwd`",
        ),
        ({"script": "wait 1s", "name": "survey"}, {}, 400, "name.invalid", "not both"),
        ({"name": "survey", "phones": ["x"]}, {}, 400, "phones.invalid", "an object"),
        ({"name": "survey", "phones": {"1": "x"}}, {}, 400, "phones.invalid", "answer after 4s"),
        ({"name": "survey", "phones": {"1": ["answer\n}"]}}, {}, 400, "phones.invalid", "one line"),
        ({"name": "survey", "web": [{"answer": 1}]}, {}, 400, "web.invalid", "url"),
        ({"name": "survey", "sms": [{"number": "1"}]}, {}, 400, "sms.invalid", "refused"),
        ({"name": "survey", "sms": [{"refused": "spent"}]}, {}, 400, "sms.invalid", "number"),
        (
            {"name": "survey", "sms": [{"number": "1", "refused": "sepnt"}]},
            {},
            422,
            "case.invalid",
            "`spent`",
        ),
        ({"name": "survey", "case": CASE, "now": {}}, {}, 400, "case.invalid", "not both"),
    ],
)
def test_what_cannot_be_simulated(
    ringful: Server, body: object, query: dict[str, str], status: int, code: str, said: str
) -> None:
    answer = ask(ringful, "Simulate", body, **query)  # type: ignore[arg-type]
    assert (answer.status, answer.code) == (status, code), answer.text
    assert said in answer.text


def test_a_simulation_without_end_is_ended_and_holds_nobody(ringful: Server) -> None:
    with ThreadPoolExecutor() as pool:
        busy = pool.submit(ask, ringful, "Simulate", {"script": "repeat 1000000 times { wait 1ms }\n"})
        for _ in range(5):
            assert ask(ringful, "Check", "wait 1s\n").text == "no problems\n"
        answer = busy.result()
    assert (answer.status, answer.code) == (422, "simulation.limit")
    assert "to compute" in answer.text


def test_a_simulation_of_days_is_told_as_far_as_it_goes(ringful: Server) -> None:
    late = {"script": f'inbound "{NUMBER}"\nsay "x"\n', "phones": {"2": [f'calls "{NUMBER}" after 30h']}}
    told = ask_json(ringful, "Simulate", late)
    assert (told["outcome"], told["trace"]) == (None, [])
    assert "more than a day" in told["stopped"]
    told = ask_json(ringful, "Simulate", {"script": "repeat 100 times { wait 1h }\n"})
    assert (told["outcome"], told["stopped"]) == ("scriptfailed", None)
    assert "as long as it may" in told["trace"][-1]["text"]


def test_a_long_trace_is_told_in_part(ringful: Server) -> None:
    script = 'repeat 10100 times {\n    notify "http://h/" with { a: 1 }\n    wait 1ms\n}\n'
    told = ask_json(ringful, "Simulate", {"script": script})
    assert len(told["trace"]) == 10_000
    assert "only the first 10000 lines" in told["stopped"]
