"""Whatever a document holds: a script that may run, or one line that says what is wrong with it."""

import json
from typing import Any

import pytest

from ringful.command.import_ import KINDS
from ringful.grammar.checking.checker import check
from ringful.grammar.reading.parser import parse
from ringful.grammar.showing.printer import show
from ringful.importing.case import case_of
from ringful.importing.losses import ImportFault, told

ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
BOMB = f'<!DOCTYPE r [<!ENTITY e0 "lol">{ENTITIES}]><Response><Say>&e9;</Say></Response>'

REFUSED: list[tuple[str, str | bytes, str]] = [
    ("twiml", "", "no element"),
    ("twiml", "hello", "line 1: this is no XML"),
    ("twiml", "<Response><Say>", "line 1: this is no XML"),
    ("twiml", "<html></html>", "TwiML is a <Response>"),
    ("twiml", BOMB, "document type"),
    ("twiml", '<!DOCTYPE r SYSTEM "file:///etc/passwd"><Response/>', "document type"),
    ("twiml", "<Response><Say>&nope;</Say></Response>", "undefined entity"),
    ("twiml", b"\xff\xfe\x00\x01", "no XML"),
    ("twiml", '<?xml version="1.0" encoding="klingon"?><Response/>', "unknown encoding"),
    ("twiml", "<Response>" * 5000, "more than 30 deep"),
    ("twiml", "<Response>" + "<Say/>" * 6000 + "</Response>", "more than 5000 elements"),
    ("twiml", "<Response><Say>&#1;</Say></Response>", "no XML"),
    ("jambonz", "", "no JSON"),
    ("jambonz", b"\xff", "no UTF-8"),
    ("jambonz", "[" * 100_000, "deep"),
    ("jambonz", "[" * 90 + "]" * 90, "deep"),
    ("jambonz", "NaN", "no number"),
    ("jambonz", "9" * 5000, "no JSON that can be read"),
    ("jambonz", '"x"', "a list of verbs"),
    ("jambonz", "[[]]", "[0]: this is no verb"),
    ("jambonz", '[{"verb": 1}]', "[0]"),
    ("jambonz", '[{"verb": "dial"}]', "[0].target"),
    ("swml", "{}", '"sections"'),
    ("swml", "# A flow.\nversion: 1.0.0\nsections:\n  main: []\n", "this is YAML"),
    ("swml", '{"sections": {"main": {}}}', '"main"'),
    ("swml", '{"sections": {"main": [null]}}', "main[0]: this is no method"),
    ("swml", '{"sections": {"main": [{"a": 1, "b": 2}]}}', "main[0]: this is no method"),
]


@pytest.mark.parametrize(("kind", "document", "said"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_read_is_said_in_one_line(kind: Any, document: str | bytes, said: str) -> None:
    data = document.encode() if isinstance(document, str) else document
    with pytest.raises(ImportFault) as fault:
        KINDS[kind](data)
    assert said in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_flow_that_grows_without_end_is_refused() -> None:
    sections = {f"s{n}": [{"execute": f"s{n + 1}"}] * 10 for n in range(9)}
    document = json.dumps({"sections": {"main": [{"execute": "s0"}], **sections}})
    with pytest.raises(ImportFault, match="longer than 3000 methods"):
        KINDS["swml"](document.encode())


TWIML = [
    '<Say loop="-1">x</Say><Say loop="99999999999">y</Say><Say loop="abc">z</Say>',
    '<Pause length="-5"/><Pause length="1e999"/><Pause length="NaN"/><Pause length="0.0001"/>',
    '<Gather numDigits="0" timeout="0" finishOnKey="%%%"><Say>{x} "q" \\ {{}} {{{ # </Say></Gather>',
    '<Gather numDigits="99999" timeout="-1" action="javascript:alert(1)"/>',
    "<Gather><Gather><Say>x</Say></Gather><Dial>123</Dial></Gather>",
    f"<Say>{'x' * 100_000}</Say><Say>{'&amp;' * 50_000}</Say>",
    f"<Dial>abc; hangup</Dial><Dial>+{'1' * 1000}</Dial>",
    '<Dial callerId="x\ny">+15125550000</Dial>',
    '<Dial><Sip>sip:a@b"c</Sip><Sip>sip:{a}@b</Sip></Dial>',
    "<Redirect>http://[::1</Redirect>",
    "<Redirect>http://h/{{{x}}}</Redirect>",
    "<Redirect>file:///etc/passwd</Redirect>",
    '<Play>http://</Play><Play>ftp://x/y</Play><Play digits="zzz"/><Play digits="wwww"/>',
    "<Say>{{and}} {{1}} {{caller}} {{app}} {{number}} {{message}} {{duration}}</Say><Play>/x</Play>",
    '<Dial><Conference maxParticipants="0">a"b{c}</Conference></Dial>',
    "<Dial><Conference/></Dial>",
    '<Sms/><Sms to="x">y</Sms><Message/><Refer/><Reject/>',
    '<Record timeout="0" maxLength="0" finishOnKey=""/>',
    '<a:Say xmlns:a="x" a:b="c">hi</a:Say>',
]
JAMBONZ: list[Any] = [
    [{"verb": "say", "text": {"a": 1}}, {"verb": "say", "text": "\ud800 x"}, {"say": "x"}],
    [{"verb": "gather", "input": 5, "say": []}],
    [
        {
            "verb": "gather",
            "numDigits": -3,
            "minDigits": 9,
            "maxDigits": 2,
            "finishOnKey": ["a"],
            "timeout": {},
        }
    ],
    [{"verb": "dial", "target": [1, {}, {"type": "phone"}, {"type": "phone", "number": "x" * 100}]}],
    [{"verb": "conference", "name": 'a.b{c}"'}, {"verb": "redirect", "actionHook": [1]}],
    [{"verb": "dtmf", "dtmf": 12}, {"verb": "message", "to": [], "text": []}, {"verb": "sip:decline"}],
    [{"verb": "pause", "length": int("9" * 4000)}],
    {"verb": "hangup"},
]
SWML: list[Any] = [
    [],
    [{"label": None}, {"label": {}}, "x"],
    [{"label": "a"}, {"goto": "a"}],
    [{"label": "a"}, {"label": "a"}, {"goto": {"label": "a", "max": -1}}],
    [{"cond": None}, {"cond": [{"when": 1}, {"when": "(" * 500}, {"when": "a" + "+1" * 400, "then": []}]}],
    [{"cond": [{"when": "!!!!a == -1", "then": ["hangup"]}, {"when": "a.b.c.length > 'x' && 1"}]}],
    [{"cond": [{"when": "and == 1 || in.not == true", "then": ["answer"]}]}],
    [{"switch": {"variable": "x", "case": {"": [], '"{': [{"play": "say: x"}]}}}],
    [{"set": {"": 1, "a b": 2, "caller": 3, "A": [1, {"b": None}], "n": -1.5, "z": 1e300}}],
    [{"unset": [1, None, "x"]}, {"transfer": "main"}],
    [{"execute": {"dest": "main", "params": {"a": 1}}}, {"request": {"url": "x", "body": {"": 1}}}],
    [{"prompt": None}, {"prompt": {"play": [1, None, {}]}}, {"play": {"urls": ["say:", "silence: x"]}}],
    [{"connect": {"to": None}}, {"connect": {"parallel": [1], "to": "+1512", "result": [1, {"else": []}]}}],
    [{"sleep": -1}, {"record": None}, {"stop_record_call": {}}, {"return": {}}, {"play": "say: x"}],
    [{"play": "say: %{prompt_value}"}, {"prompt": {"play": "say: x"}}],
]
READ = [
    *(("twiml", f"<Response>{body}</Response>") for body in TWIML),
    *(("jambonz", json.dumps(verbs)) for verbs in JAMBONZ),
    *(("swml", json.dumps({"sections": {"main": methods}})) for methods in SWML),
]


@pytest.mark.parametrize(("kind", "document"), READ, ids=range(len(READ)))
def test_odd_documents_become_scripts_that_may_run(kind: Any, document: str) -> None:
    flow = KINDS[kind](document.encode())
    text = flow.text
    script = parse(text)
    assert show(script) == text
    assert not [problem.message for problem in check(script)]
    assert case_of(flow, "a.call", "A").endswith("---\n")
    assert all("\n" not in line for line in told(flow.losses))
