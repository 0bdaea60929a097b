"""Parameters: what is taken, what is refused, and what is said then."""

from contextlib import suppress
from decimal import Decimal
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringful.http.app import App
from ringful.http.exchange import Request
from ringful.http.reading import methods, requests
from ringful.http.reading.methods import find_method
from ringful.http.reading.parameters import BadParameter, Parameters, sequence
from ringful.http.reading.requests import Dialect, read

DIALECT = Dialect()


def take(method: str, dialect: Dialect = DIALECT, **given: str) -> requests.Request:
    name = find_method(method)
    assert name
    return read(name, Parameters(given.items()), dialect)


@pytest.mark.parametrize(
    ("method", "given", "request_"),
    [
        ("Call", {"callee": "15125551234"}, requests.Call("15125551234")),
        ("call", {"callee": "+1 (512) 555-1234"}, requests.Call("15125551234")),
        ("Call", {"callee": "512 555 1234"}, requests.Call("15125551234")),
        (
            "Call",
            {
                "callee": "15125551234",
                "callerId": "15125550000",
                "callbackUrl": "http://h/c",
                "ringTimeout": "20",
            },
            requests.Call("15125551234", "15125550000", "http://h/c", 20),
        ),
        ("Hangup", {"callId": "a-1"}, requests.Hangup("a-1", True)),
        ("Hangup", {"callId": "a-1", "immediate": "FALSE"}, requests.Hangup("a-1", False)),
        ("Play", {"callId": "a", "announcement": "http://h/x.wav"}, requests.Play("a", "http://h/x.wav")),
        (
            "Play",
            {"callId": "a", "announcement": "file:///opt/some.wav", "waitComplete": "false"},
            requests.Play("a", "file:///opt/some.wav", False),
        ),
        ("Record", {"callId": "a"}, requests.Record("a")),
        ("StopRecord", {"callId": "a"}, requests.RecordStop("a", True)),
        ("RecordStop", {"callId": "a", "immediately": "false"}, requests.RecordStop("a", False)),
        ("WaitForTone", {"callId": "a", "tone": "1, 2,a"}, requests.WaitForTone("a", "1,2,A")),
        (
            "StartToneDector",
            {"callId": "a", "callbackUrl": "http://h"},
            requests.StartToneDetector("a", "http://h"),
        ),
        ("StopToneDetector", {"callId": "a"}, requests.StopToneDetector("a", None, True)),
        ("Tone", {"callId": "a", "tones": "12#"}, requests.Tone("a", "12#")),
        (
            "Play",
            {"callId": "a", "announcement": "x", "until": "1, #", "times": "3"},
            requests.Play("a", "x", until="1,#", times=3),
        ),
        ("Say", {"callId": "a", "text": "Hello {x}"}, requests.Say("a", "Hello {x}")),
        (
            "Say",
            {"confCallId": "a.room", "text": "Hi", "voice": "en-gb", "until": "1", "callbackUrl": "http://h"},
            requests.OnConference(requests.Say("a.room", "Hi", "en-gb", "1", "http://h")),
        ),
        (
            "Play",
            {"callId": "a", "announcement": "x", "from": "90", "speed": "1.5"},
            requests.Play("a", "x", start=90.0, speed=Decimal("1.5")),
        ),
        ("PausePlay", {"callId": "a"}, requests.PausePlay("a")),
        ("ResumePlay", {"callId": "a", "immediate": "false"}, requests.ResumePlay("a", False)),
        ("SkipPlay", {"callId": "a", "by": "-7.5"}, requests.SkipPlay("a", -7.5)),
        ("SkipPlay", {"callId": "a", "to": "0"}, requests.SkipPlay("a", 0.0, True)),
        ("SpeedPlay", {"callId": "a", "speed": "up"}, requests.SpeedPlay("a", "up")),
        (
            "SpeedPlay",
            {"confCallId": "a.room", "speed": "0.75"},
            requests.OnConference(requests.SpeedPlay("a.room", Decimal("0.75"))),
        ),
        ("StopPlay", {"callId": "a"}, requests.StopPlay("a")),
        ("stopplay", {"callId": "a", "immediate": "false"}, requests.StopPlay("a", False)),
        (
            "WaitForTone",
            {"callId": "a", "tone": "1", "for": "7.5"},
            requests.WaitForTone("a", "1", limit=7.5),
        ),
        (
            "WaitForTone",
            {"callId": "a", "tone": "1", "timeout": "8"},
            requests.WaitForTone("a", "1", limit=8.0),
        ),
        (
            "Gather",
            {"callId": "a", "digits": "4", "callbackUrl": "http://h"},
            requests.Gather("a", (4, 4), "http://h"),
        ),
        (
            "Gather",
            {
                "callId": "a",
                "digits": "1..8",
                "callbackUrl": "http://h",
                "text": "Your code?",
                "voice": "en",
                "until": "#,*",
                "for": "8",
                "between": "2.5",
                "tries": "2",
            },
            requests.Gather("a", (1, 8), "http://h", None, "Your code?", "en", "#,*", 8.0, 2.5, 2),
        ),
        (
            "Connect",
            {"callId": "a", "callee": "512 555 1234, 15125550000", "ringTimeout": "20", "for": "60"},
            requests.Connect("a", ("15125551234", "15125550000"), None, 20, 60.0),
        ),
        ("Transfer", {"callId": "a", "callee": "512 555 1234"}, requests.Transfer("a", "15125551234")),
        ("Mute", {"callId": "a"}, requests.Mute("a")),
        ("Unmute", {"callId": "a", "immediate": "false"}, requests.Mute("a", False, False)),
        ("QueryCall", {"callId": "a"}, requests.QueryCall("a")),
        ("Script", {"callId": "a"}, requests.Script("a")),
    ],
)
def test_a_request_is_taken(method: str, given: dict[str, str], request_: requests.Request) -> None:
    assert take(method, **given) == request_


@pytest.mark.parametrize(
    ("method", "given", "code", "message"),
    [
        ("Call", {}, "callee.missing", "callee is missing; give e.g. callee=15125551234"),
        ("Call", {"callee": "hello"}, "callee.invalid", "must be a phone number"),
        ("Call", {"callee": "12"}, "callee.invalid", "must be a phone number"),
        ("Call", {"callee": "sip:a@b"}, "callee.invalid", "this server does not call those"),
        (
            "Call",
            {"callee": "15125551234", "callbackUrl": "h/x"},
            "callbackUrl.invalid",
            "must be an http or https URL",
        ),
        (
            "Call",
            {"callee": "15125551234", "callbackUrl": "http://u:p@h/"},
            "callbackUrl.invalid",
            "password",
        ),
        ("Call", {"callee": "15125551234", "ringTimeout": "4"}, "ringTimeout.invalid", "5 to 600 seconds"),
        ("Call", {"calle": "15125551234"}, "callee.missing", "callee is missing"),
        ("Hangup", {"callId": "a", "imediate": "true"}, "imediate.unknown", "did you mean immediate?"),
        ("Hangup", {"callId": "a", "immediate": "1"}, "immediate.invalid", "must be true or false, not '1'"),
        (
            "Play",
            {"callId": "a", "announcement": "ftp://h/x"},
            "announcement.invalid",
            "an http, https or file URL",
        ),
        ("Play", {"callId": "a b", "announcement": "x"}, "callId.invalid", "the ID that Call returned"),
        ("WaitForTone", {"callId": "a", "tone": "12"}, "tone.invalid", "separated by commas"),
        ("Tone", {"callId": "a", "tones": "1w2"}, "tones.invalid", "must be up to 100 of"),
        ("Record", {"callId": "a\r\nX: y"}, "callId.invalid", "control character"),
        ("Play", {"callId": "a", "announcement": "x", "until": "12"}, "until.invalid", "separated by commas"),
        ("Play", {"callId": "a", "announcement": "x", "times": "0"}, "times.invalid", "must be 1 to 1000"),
        ("Say", {"callId": "a"}, "text.missing", "give e.g. text=Hello"),
        ("Say", {"callId": "a", "text": "x", "voice": "-v/etc"}, "voice.invalid", "the name of a voice"),
        ("Say", {"callId": "a", "text": "x", "announcement": "y"}, "announcement.unknown", "it knows: "),
        ("WaitForTone", {"callId": "a", "tone": "1", "for": "0"}, "for.invalid", "more than 0 seconds"),
        ("WaitForTone", {"callId": "a", "tone": "1", "for": "8s"}, "for.invalid", "0 to 86400 seconds"),
        ("Gather", {"callId": "a", "digits": "4"}, "callbackUrl.missing", "callbackUrl is missing"),
        (
            "Gather",
            {"callId": "a", "digits": "8..4", "callbackUrl": "http://h"},
            "digits.invalid",
            "such as 4 or 1..8",
        ),
        (
            "Gather",
            {"callId": "a", "digits": "4", "callbackUrl": "http://h", "text": "x", "announcement": "y"},
            "text.invalid",
            "not both",
        ),
        (
            "Gather",
            {"callId": "a", "digits": "4", "callbackUrl": "http://h", "voice": "en"},
            "voice.invalid",
            "there is none",
        ),
        ("Connect", {"callId": "a"}, "callee.missing", "callee is missing"),
        ("Connect", {"callId": "a", "callee": "15125551234,"}, "callee.invalid", "an empty place"),
        ("Transfer", {"callId": "a", "callee": "you"}, "callee.invalid", "must be a phone number"),
        ("Transfer", {"callId": "a"}, "callee.missing", "callee is missing"),
        ("Mute", {"confCallId": "a.room"}, "callId.missing", "callId is missing"),
        ("StopPlay", {"callId": "a", "immediate": "now"}, "immediate.invalid", "must be true or false"),
        ("SkipPlay", {"callId": "a"}, "by.missing", "by=-10 back, and to=0 begins anew"),
        ("SkipPlay", {"callId": "a", "by": "1", "to": "1"}, "to.invalid", "by or to, not both"),
        *(
            ("SkipPlay", {"callId": "a", "by": by}, "by.invalid", "must be seconds such as 10, or -10")
            for by in ("0", "--1", "-", "1e3", "ten", "10s", "999999")
        ),
        ("SkipPlay", {"callId": "a", "to": "-1"}, "to.invalid", "must be 0 to"),
        *(
            ("SpeedPlay", {"callId": "a", "speed": speed}, "speed.invalid", "from 0.5 to 2, or up or down")
            for speed in ("0", "3", "-1", "150", "fast", "1,5", "nan", "0.4999", "٢")
        ),
        ("Play", {"callId": "a", "announcement": "x", "speed": "up"}, "speed.invalid", "from 0.5 to 2, not"),
        ("Play", {"callId": "a", "announcement": "x", "from": "1m"}, "from.invalid", "must be 0 to"),
    ],
)
def test_a_bad_parameter_is_named(method: str, given: dict[str, str], code: str, message: str) -> None:
    with pytest.raises(BadParameter, match=r".") as caught:
        take(method, **given)
    assert caught.value.code == code
    assert message in str(caught.value)


def test_sip_uris_are_taken_where_the_configuration_says_so() -> None:
    assert take("Call", Dialect(sip_uris=True), callee="sip:bob@10.0.0.1:5060") == requests.Call(
        "sip:bob@10.0.0.1:5060"
    )


def test_a_repeated_parameter_is_refused() -> None:
    with pytest.raises(BadParameter, match="given twice"):
        Parameters([("callId", "a"), ("callId", "b")])


@given(st.sampled_from(methods.METHODS), st.lists(st.tuples(st.text(), st.text())))
def test_anything_is_a_request_or_a_bad_parameter(method: str, pairs: list[tuple[str, str]]) -> None:
    name = find_method(method)
    assert name
    with suppress(BadParameter):
        read(name, Parameters(pairs), DIALECT)


@pytest.mark.parametrize("written", ["0", "-1", "1.5", "x", "", "٣", "1e3", "0" * 29 + "7", "9" * 5000])
def test_a_seq_that_is_no_number(written: str) -> None:
    with pytest.raises(BadParameter, match="positive whole number"):
        sequence("seq", written, 1.8e9)


@pytest.mark.parametrize("written", [str(2**63), str(2**63 - 1), "9" * 20, "1800086400000000001"])
def test_a_seq_that_would_use_up_all_others(written: str) -> None:
    with pytest.raises(BadParameter, match="seq must be at most 1800086400000000000, which is the clock"):
        sequence("seq", written, 1.8e9)


def test_a_seq_may_be_the_clock_in_any_unit_also_one_that_is_ahead() -> None:
    for written in (1, 1_800_000_000_000, 1_800_000_000_000_000, 1_800_086_400_000_000_000):
        assert sequence("seq", str(written), 1.8e9) == written


def test_every_method_has_its_reader():
    assert {name.lower() for name in methods.METHODS} == requests._READERS.keys()


@pytest.mark.parametrize(
    ("path", "can"),
    [
        ("/Trace/apikey/K", True),
        ("/simulate/apikey/K", True),
        ("/Tr%61ce/apikey/K", True),
        ("/health", True),
        ("/recordings/a.wav", True),
        ("/Call/apikey/K", False),
        ("/C%61ll/apikey/K", False),
        ("/StopRecord/apikey/K", False),
        ("/Script/apikey/K", False),
        ("/QueryCall/apikey/K", False),
        ("//Call/apikey/K", False),
        ("/nothing", False),
    ],
)
def test_what_may_change_something_is_not_left(path: str, can: bool) -> None:
    assert App.can_be_left(cast(App, None), Request("GET", path)) == can
