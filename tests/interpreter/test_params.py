"""The values that a script is started with."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringful.grammar.reading.parser import parse
from ringful.grammar.showing.printer import show
from ringful.interpreter import events
from ringful.interpreter.evaluate import Fault
from ringful.interpreter.journal import decode_event, encode
from ringful.interpreter.params import bind, missing, read
from ringful.interpreter.values import Duration, Value
from ringful.store.port import Entry


def default(written: str):  # type: ignore[no-untyped-def]
    return parse(f"param p = {written}\n").params[0].default


@pytest.mark.parametrize(
    ("written", "text", "value"),
    [
        ("3", "5", 5),
        ("-3", "-5", -5),
        ("0.5", "1.50", Decimal("1.50")),
        ("3", "4.0", 4),
        ("8s", "2m", Duration(120_000)),
        ("8s", "0.5s", Duration(500)),
        ("true", "FALSE", False),
        ("[1]", "1, 2,3", (1, 2, 3)),
        ("[]", "a,b", ("a", "b")),
        ("[]", "", ()),
        ('"x"', "007", "007"),
        ("none", "007", "007"),
    ],
)
def test_a_text_takes_the_kind_of_the_default(written: str, text: str, value: Value) -> None:
    found = read(text, default(written))
    assert (found, type(found)) == (value, type(value))


def test_without_a_default_it_stays_text() -> None:
    assert read("15125551234", None) == "15125551234"


@pytest.mark.parametrize(
    ("written", "text", "expected"),
    [
        ("3", "three", "a number"),
        ("3", "9" * 30, "a number"),
        ("8s", "8", "a duration"),
        ("true", "1", "true or false"),
        ("[1]", "1,x", "a number"),
    ],
)
def test_what_is_of_another_kind_is_told(written: str, text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        read(text, default(written))


def test_what_is_missing() -> None:
    script = parse("param a\nparam b = 1\nparam c\n")
    assert missing(script, ["c"]) == ["a"]


def test_a_default_may_use_the_params_before_it() -> None:
    names: dict[str, Value] = {}
    bind(parse('param a\nparam b = "{a}!"\n'), {"a": "x"}, names)
    assert names == {"a": "x", "b": "x!"}


@pytest.mark.parametrize(("given_", "message"), [({}, "needs a value"), ({"a": 1, "z": 2}, "it has: a")])
def test_what_cannot_be_bound(given_: dict[str, Value], message: str) -> None:
    with pytest.raises(Fault, match=message):
        bind(parse("param a\n"), given_, {})


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.decimals(allow_nan=False, allow_infinity=False, places=3)
    | st.builds(Duration, st.integers(0, 10**6))
    | texts,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(texts | st.sampled_from(["$number", "$ms", "$map"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(values)
def test_the_journal_keeps_values_as_they_are(value: Value) -> None:
    for event in (events.Started(parse(""), {"a": value}), events.WebAnswered(1, value)):
        entry = Entry("c", 1, 0.0, "event", type(event).__name__, encode(event))
        assert decode_event(entry) == event


def test_the_journal_keeps_what_a_run_began_with() -> None:
    used = parse('flow hello() { say "Hello" }\n', "lib.call")
    script = parse('use "lib.call"\ncall "15125551234"\ndo hello()\n')
    began = events.Started(
        script, {}, uses={"lib.call": used}, notify="http://h/", origin=events.Origin("greet", 3)
    )
    entry = Entry("c", 1, 0.0, "event", "Started", encode(began))
    again = decode_event(entry)
    assert again == began
    assert isinstance(again, events.Started)
    assert show(again.uses["lib.call"]) == show(used)
