"""A key that lets no script cost more than so much: what is refused, and which statement is to blame."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve

from ringful.grammar.reading.parser import parse
from ringful.http.problems import Problem
from ringful.interpreter.calls.switchboard import Refusal
from ringful.interpreter.events import Started
from ringful.interpreter.money.dear import why_too_dear
from ringful.interpreter.money.rates import Rate, RateTable
from ringful.interpreter.settings import Settings
from ringful.store.port import Key
from tests.house import KEY, Rig, Said, answers, house
from tests.inside import asked, text_of

FIRST = "15125550001"
CAREFUL = evolve(KEY, key="careful", most_cost=Decimal("1.00"))
"""A call costs a cent a second in these tests: a script may last for 100 s."""


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with house(tmp_path, answers(FIRST)) as made:
        await made.store.put_key(CAREFUL)
        yield made


RATES = RateTable(
    (
        Rate("1", Decimal("0.60")),
        Rate("44", Decimal("6.00")),
        Rate("1", per_segment=Decimal("0.01")),
        Rate("44", per_segment=Decimal("0.10")),
        Rate("1", Decimal("0.06"), direction="inbound"),
        Rate("1", direction="inbound", per_segment=Decimal("0.001")),
    )
)


def why(script: str, most: str, uses: dict[str, str] | None = None, **params: object) -> str:
    """Say why *script* is too dear."""
    used = {path: parse(text) for path, text in (uses or {}).items()}
    started = Started(parse(script), params, uses=used)  # type: ignore[arg-type]
    return why_too_dear(started, Decimal(most), Settings(rates=RATES))


@pytest.mark.parametrize(
    ("script", "params", "cost"),
    [
        (f'call "{FIRST}"\nwait 100s\n', {}, "1"),
        ("param to\ncall to\nwait 100s\n", {"to": FIRST}, "1"),
        (f'param to = "{FIRST}"\ncall to\nwait 100s\n', {"to": "447700900000"}, "10"),
        ('param to = none\ncall "{to}"\nwait 100s\n', {"to": FIRST}, "1"),
        (f'call "{FIRST}"\nsms "{FIRST}" "Hello."\nhangup\n', {}, "0.02"),
        (f'sms "{FIRST}" "{"x" * 160}"\n', {}, "0.01"),
        (f'sms "{FIRST}" "{"x" * 161}"\n', {}, "0.02"),
        (f'sms "{FIRST}" "{"é" * 71}"\n', {}, "0.02"),
        (f'sms "{FIRST}" "{"[" * 81}"\n', {}, "0.02"),
        (f'param text\nsms "{FIRST}" text\n', {"text": "Hello."}, "0.01"),
        (
            f'param text\nask "http://h/" as now\nsms "{FIRST}" "{{text}} {{now}}"\n',
            {"text": "Hello."},
            "0.1",
        ),
        (f'repeat 5 times {{ sms "{FIRST}" "Hello." }}\n', {}, "0.05"),
        ('param to\nfor one in to { sms one "Hello." }\n', {"to": (FIRST, FIRST, FIRST)}, "0.3"),
        ('inbound "+15125550000"\nstay for 100s\n', {}, "0.1"),
        ('inbound sms "+15125550000"\nnotify "http://h/"\n', {}, "0.01"),
        (f'use "lib.call"\ncall "{FIRST}"\ndo rest()\n', {}, "1"),
        ("param to = []\nfor one in to { call one { wait 10s } }\n", {}, "0"),
        ('notify "http://h/"\n', {}, "0"),
    ],
)
def test_a_script_may_cost_what_it_can_and_no_less(script: str, params: dict[str, object], cost: str) -> None:
    uses = {"lib.call": "flow rest() { wait 100s }\n"}
    assert why(script, cost, uses, **params) == ""
    if cost != "0":
        less = why(script, str(Decimal(cost) - Decimal("0.0001")), uses, **params)
        assert less.startswith("this script can cost ")


@pytest.mark.parametrize(
    ("script", "params", "said"),
    [
        (
            f'call "{FIRST}"\nstay\n',
            {},
            "this script can cost 144 USD, and a script of this key may cost 5 USD at most: "
            f'`call "{FIRST}"` (line 1) can last 4 h, which costs 144 USD',
        ),
        (
            "param to\nfor one in to { call one { wait 10s } }\n",
            {"to": (FIRST,) * 9},
            "`call one` (line 2) can last 10 s, 9 times, which costs 9 USD",
        ),
        (
            f'param n = 1\ncall "{FIRST}"\nrepeat n times {{ sms "{FIRST}" "x" }}\nhangup\n',
            {"n": 600},
            f'`sms "{FIRST}"` (line 3) can have 1 segment, 600 times, which costs 6 USD',
        ),
        (
            'ask "http://h/" as to\nfor one in to { call one { stay } }\n',
            {},
            "nobody can say what this script can cost, and a script of this key may cost 5 USD at most: "
            "how often `call one` (line 2) is done is worked out as the script runs",
        ),
        (
            f'call "{FIRST}"\non tone "1" {{ sms "{FIRST}" "x" }}\nhangup\n',
            {},
            f'how often `sms "{FIRST}"` (line 2) is done is worked out as the script runs',
        ),
        (
            f'call "{FIRST}"\nfollow "http://h/next"\nhangup\n',
            {},
            '`follow "http://h/next"` (line 2) runs what an application answers, '
            "which may call and send anything",
        ),
        (
            "param to\nlet more = to\nfor one in more { call one { stay } }\n",
            {"to": (FIRST,)},
            "how often `call one` (line 3) is done is worked out as the script runs",
        ),
    ],
)
def test_the_statement_that_is_to_blame_is_named(script: str, params: dict[str, object], said: str) -> None:
    assert said in why(script, "5", **params)


def test_a_flow_has_names_of_its_own() -> None:
    script = "param to\ndo all(to)\nflow all(to) { for one in to { call one { stay } } }\n"
    assert "how often `call one` (line 3)" in why(script, "5", to=(FIRST,))


async def post(rig: Rig, method: str, body: str, key: Key = CAREFUL, **given: str) -> Said:
    """Ask with the text of a script as the body."""
    answer = await asked(rig.app, f"/{method}/apikey/{key.key}", given, body, content_type="text/plain")
    return Said(answer.status, text_of(answer))


async def test_scripts_that_are_run(rig: Rig) -> None:
    dear, cheap = f'call "{FIRST}"\nwait 101s\n', f'call "{FIRST}"\nhangup\n'
    said = await post(rig, "Run", dear)
    assert (said.status, said.code) == (403, "script.toodear")
    assert "this script can cost 1.01 USD, and a script of this key may cost 1 USD at most" in said.text
    assert said.text.count("\n") == 1
    assert (await post(rig, "Run", cheap)).status == 200
    assert (await post(rig, "Run", dear, KEY)).status == 200
    await post(rig, "Script", dear, name="dear")
    assert (await rig.ask("Run", CAREFUL, name="dear")).code == "script.toodear"
    assert (await rig.ask("Call", CAREFUL, callee=FIRST, script="dear")).code == "script.toodear"
    # What is queued on a call is the caller's own to end.
    assert (await rig.ask("Call", CAREFUL, callee=FIRST)).status == 200


async def test_a_conference_call(rig: Rig) -> None:
    said = await rig.ask("ConfCall", CAREFUL, moderator=FIRST, attendees="15125550003,15125550004")
    assert said.code == "script.toodear"
    assert "`call attendee` (confcall.call, line 16)" in said.text
    assert "2 times" in said.text
    rich = evolve(CAREFUL, most_cost=Decimal("500"))
    await rig.store.put_key(rich)
    assert (
        await rig.ask("ConfCall", CAREFUL, moderator=FIRST, attendees="15125550003,15125550004")
    ).status == 200


async def test_numbers_and_keywords_that_are_bound(rig: Rig) -> None:
    calls = f'inbound "+18005550000"\ncall "{FIRST}" as other {{ stay }}\nwait 200s\n'
    texts = 'inbound sms "+18005550000" keyword "JOIN"\nfollow "http://h/next"\n'
    for name, text in (("calls", calls), ("texts", texts)):
        assert (await post(rig, "Script", text, name=name)).status == 200
    said = await rig.ask("Number", CAREFUL, number="+18005550000", script="calls")
    assert (said.code, f'call "{FIRST}"' in said.text) == ("script.toodear", True)
    assert (await rig.ask("Number", CAREFUL, number="+18005550000", callbackUrl="http://h/")).status == 200
    said = await rig.ask("Keyword", CAREFUL, number="+18005550000", keyword="JOIN", script="texts")
    assert said.code == "script.toodear"


async def test_a_version_that_comes_later_is_held_to_it_when_somebody_calls(rig: Rig) -> None:
    cheap = f'inbound "+18005550000"\ncall "{FIRST}" {{ wait 1s }}\nwait 200s\n'
    await post(rig, "Script", cheap, name="calls")
    assert (await rig.ask("Number", CAREFUL, number="+18005550000", script="calls")).status == 200
    desk = rig.numbers
    assert desk
    number = desk.numbers.at("+18005550000")
    assert number
    assert (await desk.started(CAREFUL, number)).script.header
    await post(rig, "Script", cheap.replace("wait 1s", "stay"), name="calls")
    with pytest.raises(Refusal, match="calls: this script can cost"):
        await desk.started(CAREFUL, number)


async def test_without_a_limit_anything_may_run(rig: Rig) -> None:
    script = parse('ask "http://h/" as to\nfor one in to { call one { stay } }\n')
    assert rig.numbers
    library = rig.numbers.library
    await library.hold_cost(KEY, Started(script))
    with pytest.raises(Problem):
        await library.hold_cost(CAREFUL, Started(script))
    free = evolve(CAREFUL, most_cost=Decimal(0))
    await library.hold_cost(free, Started(parse('notify "http://h/"\n')))
