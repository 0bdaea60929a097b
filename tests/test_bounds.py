"""The longest time that a script can hold its lines, and what that costs."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings

from ringful.grammar import nodes
from ringful.grammar.bounds import Limits, longest
from ringful.grammar.explain import explain
from ringful.grammar.parser import parse
from tests import trees
from tests.conftest import GoldenCase

LIMITS = Limits(sounds={"known": 4000})


def price(number: str | None, seconds: int) -> Decimal:
    """A cent for each started ten seconds; twice that where any number may be called."""
    return Decimal(-(-seconds // 10)) / 100 * (2 if number is None else 1)


@pytest.mark.golden("bounds/*.golden")
def test_bounds(case: GoldenCase) -> None:
    bound = longest(parse(case["script"]), limits=LIMITS)
    case.expect("bounds", explain(bound, price, "USD"))


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
    assert explain(bound, price)
