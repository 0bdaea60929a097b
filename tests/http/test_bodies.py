"""Queries and forms: read as the standard library reads them, with its words for what cannot be read."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringful.http.problems import Problem
from ringful.http.reading.bodies import pairs
from ringful.http.reading.parameters import MAX_LENGTH, BadParameter, Parameters


def by_the_library(text: bytes) -> tuple[tuple[str, str], ...] | str:
    try:
        found = parse_qsl(text.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError as error:
        return f"the parameters cannot be read: {error}"
    return tuple(found)


def by_us(text: bytes) -> tuple[tuple[str, str], ...] | str:
    try:
        return pairs(text)
    except Problem as problem:
        return problem.detail


@given(st.text(alphabet="ab=&+%2F0c3dé;\0 ").map(str.encode) | st.binary(max_size=20))
def test_pairs_are_what_the_library_makes_of_them(text: bytes) -> None:
    assert by_us(text) == by_the_library(text)


def test_too_many_pairs() -> None:
    assert len(pairs(b"a=&" * 99 + b"a")) == 100
    assert by_us(b"&" * 100) == by_the_library(b"&" * 100)
    assert by_us(b"&" * 100) == "the parameters cannot be read: Max number of fields exceeded"


@pytest.mark.parametrize("point", [*range(0x20), 0x7F, 0xD800, 0xDFFF])
def test_no_value_holds_what_cannot_be_kept_or_moves_the_cursor(point: int) -> None:
    for value in (f"a{chr(point)}b", chr(point), f"\u00a0{chr(point)}"):
        with pytest.raises(BadParameter) as caught:
            Parameters([("label", value)])
        kept = 0 < point < 0xD800
        said = "holds a control character" if kept else f"cannot hold the character U+{point:04X}"
        assert str(caught.value) == f"label {said}"


def test_every_other_character_is_taken() -> None:
    every = [chr(one) for one in range(0x20, 0x110000) if one != 0x7F and not 0xD800 <= one < 0xE000]
    for at in range(0, len(every), MAX_LENGTH):
        Parameters([("label", "".join(every[at : at + MAX_LENGTH]))])
    with pytest.raises(BadParameter, match="label is longer than 2048 characters"):
        Parameters([("label", "x" * (MAX_LENGTH + 1))])
