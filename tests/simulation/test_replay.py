"""Journals retold: the case of a call goes as the call went, masked or not, and under another script."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from ringful.interpreter.settings import Settings
from ringful.interpreter.sources import Source, parsed
from ringful.simulation.cases.reader import parse_case, read_case
from ringful.simulation.cases.verdicts import find_cases
from ringful.simulation.replay.masking import Mask
from ringful.simulation.replay.replay import compare, golden, replay
from ringful.simulation.replay.retelling import retell
from ringful.simulation.simulate import Simulation, run_case
from ringful.store.port import Entry

ROOT = Path(__file__).parents[2]
PLACE = Path("retold.golden")


def journal(path: Path) -> Sequence[Entry]:
    entries = run_case(read_case(path)).entries
    return [entry for entry in entries if entry.call_id == "call-1"]


def is_alone(path: Path) -> bool:
    """Say whether a case's call is in no conference, as its trace tells: no case is run for that.

    Nor has it a chance of its own, which no real call has: theirs comes from their IDs.
    """
    given, _, trace = path.read_text().rpartition("\n---\n")
    return "\nchance " not in given and not re.search(
        "^[^ ]+ +call-1 +(conference|join) ", trace, re.MULTILINE
    )


CASES = [path for path in find_cases((ROOT / "tests" / "golden" / "run", ROOT / "scripts")) if is_alone(path)]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_retold_call_goes_as_it_went(path: Path) -> None:
    entries = journal(path)
    simulation = Simulation(retell(entries, PLACE))
    simulation.go()
    assert not compare(entries, simulation)
    assert not replay(entries, None).difference


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_masked_case_goes_as_the_call_went(path: Path) -> None:
    entries = journal(path)
    text, apart = golden(entries, Settings(), PLACE, keys="answering")
    assert not apart
    case = parse_case(text, PLACE)
    assert run_case(case).trace == case.below
    assert golden(entries, Settings(), PLACE, keys="answering") == (text, "")


def call(script: str, phone: str, more: str = "") -> Sequence[Entry]:
    text = f'script {{\n{script}}}\n{more}phone "+15125551234" {{\n{phone}}}\n---\n'
    return run_case(parse_case(text, Path("x.golden"))).entries


def source(text: str) -> Source:
    return Source("new.call", text, parsed(text, "new.call"))


MENU = """call "+15125551234"
say "Press 1."
wait tone "1" for 5s else { say "Nothing." }
say "Thanks."
"""
PHONE = '    answer after 2s\n    press "1" when "Press" ends after 2s\n'


def test_keys_answer_what_they_answered_to() -> None:
    entries = call(MENU, PHONE)
    longer = MENU.replace("Press 1.", "If you are happy with all this, then press 1.")
    same = replay(entries, source(MENU.replace("wait", "# nothing new\nwait")))
    assert same.difference == []
    heard_at = {"answering": "00:08.400", "absolute": "00:04.800"}
    for keys, at in heard_at.items():
        lengthened = MENU.replace('say "Press 1."\n', 'say "Welcome to the shop."\nsay "Press 1."\n')
        trace = replay(entries, source(lengthened), keys=keys).trace  # type: ignore[arg-type]
        pressed = next(line for line in trace.splitlines() if "pressed" in line)
        assert pressed.startswith(at) == (keys == "absolute")
        assert "Thanks" in trace
        assert "Nothing." not in trace
    unheard = replay(entries, source(longer))
    (note,) = unheard.notes
    assert "press 1 answered 'Press 1.', which is not heard now" in note
    assert "Thanks" in unheard.trace


def test_a_change_is_shown_with_the_scripts_line() -> None:
    entries = call(MENU, PHONE)
    changed = replay(entries, source(MENU.replace("for 5s", "for 1s")))
    shown = "\n".join(changed.difference)
    assert '+ 00:03.800  call-1  say           "Nothing."  @new.call:3' in shown
    assert "= new.call:3 | wait tone" in shown


def test_a_params_that_the_new_script_lacks_are_left_out() -> None:
    entries = call('param a\n    call "+15125551234"\n    say a\n', "    answer\n", 'param a = "x"\n')
    replayed = replay(entries, source('call "+15125551234"\nsay "x"\n'))
    assert replayed.difference == []
    assert replayed.notes == ["the script has no param `a`: it is left out"]


def test_numbers_addresses_and_codes_are_masked_and_menus_are_not() -> None:
    script = (
        'call "+15125551234"\n'
        'menu { prompt { say "Press 7." } "7" { notify "https://u:pw@h.example/n?token=abc&x=1" } }\n'
        'gather code digits 4 { say "Your code." }\n'
        'if code == "4711" { say "For 512-555-1234 it is right, code {spell(code)}." }\n'
        'notify "https://h.example/c" with { code: code, from: 15125551234 }\n'
    )
    phone = (
        '    answer\n    press "7" when "Press" ends after 1s\n    press "4711" when "Your" ends after 1s\n'
    )
    text, apart = golden(call(script, phone), Settings(), PLACE, keys="answering")
    assert not apart
    for secret in ("5125551234", "512-555", "4711", "4 7 1 1", "u:pw", "abc"):
        assert secret not in text, secret
    for kept in (
        'press "7"',
        "+15550000001",
        "555-000-0002",
        'code == "1001"',
        "code=1001",
        "masked@h.example",
    ):
        assert kept in text, kept


def test_masks_are_consistent_and_leave_small_numbers() -> None:
    mask = Mask()
    said = mask.text("+15125551234 (512) 555-1234 15125551234 in 1234567ms, order 12345, at 2026")
    first, rest = said.split(" ", 1)
    assert first == "+15550000001"
    assert "15550000001" in rest
    assert "1234567ms" in rest
    assert "order 12345, at 2026" in rest


def test_requests_are_retold() -> None:
    more = (
        'queue after 2s: play "http://h/a.wav"\nqueue after 2s: menu {\n    "1" { say "x" }\n}\n'
        'now stop tones notify "http://h/n" after 3s\nnow hangup because "shutdown" after 30s\n'
    )
    script = 'call "+15125551234" notify "http://h/c"\nstart tones notify "http://h/n"\nstay\n'
    entries = call(script, "    answer\n", more)
    assert "reason=shutdown" in golden(entries, Settings(), PLACE, keys="answering")[0]
    assert replay(entries, None).notes == []


TEXTED = """case A text is answered
script {
    inbound sms "+18005550000" keyword "JOIN" notify "http://h/in"
    sms caller "Welcome, {caller}." notify "http://h/sms"
    sms "+15125559999" "One more." notify "http://h/sms"
    sms caller "Bye." notify "http://h/sms"
    call caller { say "Hello." }
}
sms "+15125559999" -> refused spent "it is used up"
sms "+15125551234" -> taken
sms "+15125551234" -> refused capacity
phone "+15125551234" {
    texts "+18005550000" "Join, I am 5125551234"
    answer after 2s
}
"""


def live(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Give the journal of ``call-1`` as a server writes it: with other IDs, and without those of messages."""

    def renamed(text: str) -> str:
        return text.replace("call-1", "r1-abcd").replace("text-1", "m7-77777")

    return [
        one._replace(call_id=renamed(one.call_id), data=json.loads(renamed(json.dumps(one.data))))
        for one in entries
        if one.call_id == "call-1"
    ]


def test_a_run_that_a_text_began_is_retold_with_what_was_said_to_its_messages() -> None:
    entries = live(run_case(parse_case(TEXTED, Path("x.golden"))).entries)
    assert replay(entries, None).notes == []
    assert replay(entries, None).difference == []
    text, apart = golden(entries, Settings(), PLACE, keys="answering")
    assert not apart
    for kept in (
        'inbound sms "+15550000001" keyword "JOIN"',
        'sms "+15550000002" -> refused spent "it is used up"',
        'sms "+15550000003" -> taken\nsms "+15550000003" -> refused capacity\n',
        'phone "+15550000003" {\n    texts "+15550000001" "Join, I am 5550000004"\n    answer after 2s\n}',
    ):
        assert kept in text, text
    assert "5551234" not in text
    case = parse_case(text, PLACE)
    assert run_case(case).trace == case.below
    script = parse_case(TEXTED, Path("x.golden")).source.text
    changed = replay(entries, source(script.replace('"Bye."', '"Goodbye."')))
    assert any("Goodbye." in line for line in changed.difference)


def test_what_cannot_be_retold_says_why() -> None:
    with pytest.raises(ValueError, match="no beginning"):
        retell([], PLACE)
    path = ROOT / "tests" / "golden" / "run" / "a_conference_has_a_queue_of_its_own.golden"
    with pytest.raises(ValueError, match="in a conference"):
        retell(journal(path), PLACE)


def test_a_call_that_virtual_time_cannot_repeat_is_never_called_the_same() -> None:
    entries = call('call "+15125551234"\nsay "x"\n', "    answer after 1s\n")
    other = [
        one._replace(data={**one.data, "reason": "stopped"}) if one.name == "PlaybackEnded" else one
        for one in entries
    ]
    assert replay(entries, None).apart == ""
    replayed = replay(other, None)
    assert "(stopped)" in replayed.apart
    assert (replayed.difference, replayed.notes) == ([], [])


def test_speech_that_could_not_be_had_is_retold() -> None:
    entries = call(
        'call "+15125551234"\nsay "x"\n', "    answer after 1s\n", 'missing "x" because "no voice"\n'
    )
    assert replay(entries, None).apart == ""
    text, apart = golden(entries, Settings(), PLACE, keys="answering")
    assert (apart, 'missing "x" because "no voice"' in text) == ("", True)
