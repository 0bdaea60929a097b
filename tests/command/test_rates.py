"""`ringful rates`, as a person runs it."""

from pathlib import Path

import pytest

from tests.typed import ringful

CSV = """prefix,direction,per_minute,connection,first,following,per_segment,from
,outbound,0.10,,,,0.02,
1512,outbound,0.012,0.005,60,6,,
1512,outbound,0.015,0.005,60,6,,2030-01-01
,inbound,0.01,,60,60,,
"""
NOT_SECONDS = "--seconds is for calls; a message has --segments"
NOT_SEGMENTS = "--segments is for messages; a call has --seconds"
NOT_A_TIME = "--at: expected a time such as 2026-03-01 or 2026-03-01T06:00:00Z, not 'noon'"
STEPS = ", 0.005 to connect; 60 s at least, then in steps of 6 s"
SINCE = ", from 2030-01-01T00:00:00.000Z on"
OTHER = "0.10 EUR a minute; 1 s at least, then by the second"
IN = "0.01 EUR a minute; 60 s at least, then in steps of 60 s"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder with a table, and a configuration that names it."""
    monkeypatch.chdir(tmp_path)
    Path("rates.csv").write_text(CSV)
    Path("ringful.toml").write_text('[rates]\ncurrency = "EUR"\nfile = "rates.csv"\n')
    return tmp_path


def test_check_says_what_has_prices(capsys):
    assert ringful(capsys, "rates", "check") == (
        "4 rows, in EUR\n"
        f"outbound calls: 1 prefixes; all other numbers: {OTHER} (rates.csv:2)\n"
        f"inbound calls: 0 prefixes; all other numbers: {IN} (rates.csv:5)\n"
        "outbound messages: 0 prefixes; all other numbers: 0.02 EUR a segment (rates.csv:2)\n"
        "inbound messages: free, since no row says anything of them\n",
        "",
        0,
    )
    Path("ringful.toml").unlink()
    assert ringful(capsys, "rates", "check")[0].startswith("0 rows, in USD\noutbound calls: free, since")


def test_check_tells_all_that_is_wrong(capsys):
    Path("other.csv").write_text("prefix,per_minute\nx,1\n1,-1\n")
    assert ringful(capsys, "rates", "check", "other.csv") == (
        "other.csv:2: prefix: expected digits such as 1512, not 'x'\n"
        "other.csv:3: per_minute: expected an amount such as 0.012, not '-1'\n",
        "",
        1,
    )
    assert ringful(capsys, "rates", "check", "none.csv")[1:] == (
        "ringful: none.csv: No such file or directory\n",
        2,
    )


def test_a_server_does_not_start_with_a_table_that_is_wrong(capsys):
    Path("rates.csv").write_text("prefix,per_minute\n1,1\n")
    _, error, code = ringful(capsys, "serve")
    assert code == 2
    assert error.startswith("ringful: rates.csv:2: no row says what outbound calls of all other numbers cost")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["+15125551234", "--seconds", "61", "--at", "2026-01-01"],
            [
                f"rates.csv:3: prefix 1512: 0.012 EUR a minute{STEPS}",
                "61 s: 60 s and 1 * 6 s, so 66 s are billed",
                "0.005 + 0.012 * 66 / 60 = 0.0182 EUR",
                f"later: rates.csv:4: prefix 1512: 0.015 EUR a minute{STEPS}{SINCE}",
            ],
        ),
        (
            ["+15125551234", "--at", "2030-01-01", "--seconds", "0"],
            [
                f"rates.csv:4: prefix 1512: 0.015 EUR a minute{STEPS}{SINCE}",
                "0 s: 60 s, so 60 s are billed",
                "0.005 + 0.015 * 60 / 60 = 0.02 EUR",
            ],
        ),
        (
            ["+442012345678", "--seconds", "7"],
            [
                f"rates.csv:2: all other numbers: {OTHER}",
                "7 s: 1 s and 6 * 1 s, so 7 s are billed",
                "0.10 * 7 / 60 is, rounded to a ten-thousandth (half up), 0.0117 EUR",
            ],
        ),
        (
            ["+15125550000", "--direction", "in"],
            [
                f"rates.csv:5: all other numbers: {IN}",
                "60 s: 60 s, so 60 s are billed",
                "0.01 * 60 / 60 = 0.01 EUR",
            ],
        ),
        (
            ["+15125551234", "--segments", "3"],
            ["rates.csv:2: all other numbers: 0.02 EUR a segment", "0.02 * 3 = 0.06 EUR"],
        ),
        (["+1512", "--direction", "message-in"], ["free: no row says anything of inbound messages"]),
    ],
)
def test_explain_shows_the_row_and_the_arithmetic(capsys, arguments, said):
    output, errors, code = ringful(capsys, "rates", "explain", *arguments)
    assert (errors, code) == ("", 0)
    assert output.splitlines()[1:] == said


def test_explain_goes_by_now_and_by_a_file(capsys):
    Path("own.csv").write_text("prefix,per_minute\n,7\n")
    output, _, code = ringful(capsys, "rates", "explain", "+1 (512) 555-1234", "--file", "own.csv")
    assert code == 0
    assert output.splitlines()[-1] == "7 * 60 / 60 = 7 EUR"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["1512", "--seconds", "-1"], "--seconds: expected a whole number of at least 0, not -1"),
        (["1512", "--segments", "0"], "--segments: expected a whole number of at least 1, not 0"),
        (
            ["1512", "--direction", "in", "--segments", "2"],
            NOT_SEGMENTS,
        ),
        (
            ["1512", "--direction", "message", "--seconds", "2"],
            NOT_SECONDS,
        ),
        (["me"], "NUMBER: expected a number such as +15125551234"),
        (["+"], "NUMBER: expected a number such as +15125551234"),
        (
            ["1512", "--at", "noon"],
            "--at: expected a time such as 2026-03-01 or 2026-03-01T06:00:00Z, not 'noon'",
        ),
    ],
)
def test_what_explain_cannot_do_is_said(capsys, arguments, said):
    assert ringful(capsys, "rates", "explain", *arguments) == ("", f"ringful: {said}\n", 2)
