"""The longest time that a script can hold its lines, and what that costs."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings

from ringful.grammar import nodes
from ringful.grammar.bounds.bound import Limits, longest
from ringful.grammar.bounds.explain import explain
from ringful.grammar.reading.parser import parse
from tests import trees
from tests.conftest import GoldenCase

LIMITS = Limits(sounds={"known": 4000})


class Prices:
    """A cent for each started ten seconds, two for a segment; twice that where it may be any number."""

    def call(self, number: str | None, seconds: int) -> Decimal:
        return Decimal(-(-seconds // 10)) / 100 * (2 if number is None else 1)

    def message(self, number: str | None, segments: int) -> Decimal:
        return Decimal(segments) / 50 * (2 if number is None else 1)

    def inbound(self, number: str | None, seconds: int) -> Decimal:
        return Decimal(0)

    def inbound_message(self, number: str | None, segments: int) -> Decimal:
        return Decimal(0)


PRICES = Prices()


@pytest.mark.golden("bounds/*.golden")
def test_bounds(case: GoldenCase) -> None:
    bound = longest(parse(case["script"]), limits=LIMITS)
    case.expect("bounds", explain(bound, PRICES, "USD"))


def test_the_parts_make_up_the_whole() -> None:
    text = 'call "1"\nmenu tries 2 for 3s {\n    prompt { wait 1s }\n    "1" { wait 7s }\n}\nwait 2s\n'
    (leg,) = longest(parse(text)).legs
    assert leg.talking == 2 * (1000 + 3000) + 7000 + 2000
    assert leg.talking == sum((part.milliseconds or 0) * part.times for part in leg.parts)


def test_a_bound_above_the_longest_duration_is_that() -> None:
    (leg,) = longest(parse('call "1"\nwait 5h\n')).legs
    assert (leg.kept, leg.alone) == ("maximum", 5 * 3_600_000)
    assert leg.talking == Limits().maximum


def test_flows_of_used_scripts_count() -> None:
    uses = {"lib.call": parse("flow pause() { wait 7s }\n")}
    (leg,) = longest(parse('use "lib.call"\ncall "1"\ndo pause()\n'), uses).legs
    assert leg.talking == 7000


def test_a_long_script_is_bounded_in_linear_time() -> None:
    text = 'call "1"\n' + "".join(f"flow f{n}() {{ do f{n + 1}()\nwait 1ms }}\n" for n in range(5000))
    (leg,) = longest(parse(text + "do f0()\n")).legs
    assert leg.talking == 5000


def test_flows_that_double_are_bounded_in_linear_time() -> None:
    text = "".join(f"flow f{n}() {{ do f{n + 1}(); do f{n + 1}() }}\n" for n in range(3000))
    last = 'flow f3000() { wait 1s; call "2" { wait 1s } }\n'
    bound = longest(parse(f'call "1"\n{text}{last}do f0()\n'))
    assert (bound.legs[0].talking, bound.legs[0].kept) == (Limits().maximum, "maximum")
    assert bound.legs[1].count is None
    shown = explain(bound, PRICES)
    assert "by its text alone more than 1000 h" in shown
    assert "wait 1 s x very often" in shown


def test_a_chain_of_legs_that_wait_for_one_another_is_not_followed_for_ever() -> None:
    nested = "if caller == called { " * 60 + "connect leg{} for 1s" + " }" * 60
    legs = "".join(f'call "2" as leg{n} {{ {nested.replace("leg{}", f"leg{n + 1}")} }}\n' for n in range(500))
    bound = longest(parse(f'call "1"\n{legs}connect leg0 for 1s\n'))
    assert bound.legs[0].kept == "maximum"


def test_a_recursive_flow_has_no_bound() -> None:
    bound = longest(parse('call "1"\ndo f()\nflow f() { wait 1s; call "2" { wait 1s }; do f() }\n'))
    assert [leg.kept for leg in bound.legs] == ["maximum", "text"]
    assert bound.legs[1].count is None


def test_a_script_with_very_many_lines_is_not_told_whole() -> None:
    lines = explain(longest(parse('call "1"\n' + "wait 1s\n" * 300))).split("\n")
    assert lines[-1] == "  … and 100 more lines"
    assert len(lines) == 202


def test_what_another_script_takes_is_told_with_its_name() -> None:
    uses = {"lib.call": parse("flow pause() { wait 7s }\n", "lib.call")}
    shown = explain(longest(parse('use "lib.call"\ncall "1"\nwait 1s\ndo pause()\n', "a.call"), uses))
    assert shown.split("\n")[1:] == ["  line 3: wait 1 s", "  lib.call, line 1: wait 7 s"]


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(trees.scripts)
def test_any_script_has_a_bound(script: nodes.Script) -> None:
    bound = longest(script)
    assert all(0 <= leg.talking <= Limits().maximum for leg in bound.legs)
    assert explain(bound, PRICES)
