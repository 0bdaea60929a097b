"""`ringful keys`, as a person runs it."""

import subprocess
import sys
from base64 import b64decode
from decimal import Decimal
from pathlib import Path

import pytest
import trio

from ringful.command import main
from ringful.command.errors import CommandError
from ringful.store.open import open_store
from tests.typed import ringful


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder, whose database is made on the first use."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stored():
    async def read():
        async with open_store("sqlite:///ringful.db") as store:
            return {key.name: key for key in await store.keys()}

    return trio.run(read)


def test_the_installed_command_adds_a_key_alone_on_a_line(here):
    command = Path(sys.executable).with_name("ringful")
    done = subprocess.run([command, "keys", "add", "me"], capture_output=True, text=True, check=True)
    (line,) = done.stdout.splitlines()
    key, secret = line.split(" ")
    assert done.stderr == ""
    assert len(b64decode(secret, validate=True)) == 24
    assert (stored()["me"].key, stored()["me"].secret) == (key, secret)


def test_a_key_is_given_what_was_asked_for(here, capsys):
    limits = ["--calls-per-second", "2.5", "--concurrent", "7", "--cap", "10.50"]
    _, errors, code = ringful(
        capsys, "keys", "add", "--prefix", "+1512", "--prefix", "44", "a name", "--no-signing", *limits
    )
    assert (errors, code) == ("", 0)
    key = stored()["a name"]
    assert (key.prefixes, key.signing) == (("+1512", "44"), False)
    assert (key.calls_per_second, key.concurrent, key.spending_cap) == (2.5, 7, Decimal("10.50"))
    output, _, _ = ringful(capsys, "keys", "list")
    assert output == (
        f"{key.key}  a name  UNSIGNED requests are taken  may call +1512,44  2.5 calls/s  7 calls at once  "
        "may spend 10.50\n"
    )


def test_keys_are_listed_without_their_secrets_and_revoked(here, capsys):
    for name in ("one", "two"):
        ringful(capsys, "keys", "add", name)
    keys = stored()
    assert ringful(capsys, "keys", "revoke", keys["one"].key) == ("", "", 0)
    output, _, _ = ringful(capsys, "keys", "list")
    assert output == f"{keys['one'].key}  one  revoked\n{keys['two'].key}  two\n"
    first = stored()["one"].revoked
    ringful(capsys, "keys", "revoke", keys["one"].key)
    assert stored()["one"].revoked == first


@pytest.mark.parametrize(
    ("args", "said", "code"),
    [
        (["revoke", "nobody"], "there is no key nobody; see: ringful keys list", 1),
        (["add", " "], "NAME: expected a name in one line, not  ", 2),
        (["add", "a\nb"], "NAME: expected a name in one line", 2),
        (["add", "x", "--prefix", "Texas"], "--prefix: expected digits such as +1512, not Texas", 2),
        (["add", "x", "--concurrent", "0"], "--concurrent: expected a number above 0, not 0", 2),
        (["add", "x", "--calls-per-second", "nan"], "--calls-per-second: expected a number above 0", 2),
        (["add", "x", "--cap=-1"], "--cap: expected an amount, not -1", 2),
        (["add", "x", "--cap", "NaN"], "--cap: expected an amount, not NaN", 2),
        (["add", "x", "--cap", "much"], "--cap", 2),
        (["add"], "NAME", 2),
        (["add", "x", "--bogus"], "--bogus", 2),
        (["lend"], "lend", 2),
        (["list", "--config", "none.toml"], "none.toml: No such file or directory", 2),
    ],
)
def test_what_is_wrong_is_said_in_a_line(here, capsys, args, said, code):
    if args[0] == "revoke":
        ringful(capsys, "keys", "add", "me")
    output, errors, ended = ringful(capsys, "keys", *args)
    assert (output, ended) == ("", code)
    assert errors.startswith("ringful: ")
    assert said.lower() in errors.lower()
    assert "Traceback" not in errors
    assert Path("ringful.db").exists() == (args[0] == "revoke")


def test_a_database_that_cannot_be_opened_is_said(here, capsys, monkeypatch):
    monkeypatch.setenv("RINGFUL_STORE__URL", "sqlite:///none/ringful.db")
    output, errors, code = ringful(capsys, "keys", "add", "me")
    assert (output, code) == ("", 2)
    assert errors == (
        "ringful: none/ringful.db: it cannot be opened: its folder is missing, or may not be written\n"
    )


def test_the_configuration_names_the_database(here, capsys):
    (here / "other.toml").write_text('[store]\nurl = "sqlite:///other.db"\n')
    ringful(capsys, "keys", "add", "me", "--config", "other.toml")
    assert (here / "other.db").exists()
    assert not (here / "ringful.db").exists()


def test_a_fault_of_ours_is_one_line_too(here, capsys, monkeypatch):
    def broken(_path):
        raise RuntimeError("several\nlines")

    monkeypatch.setattr("ringful.command.keys.configuration", broken)
    output, errors, code = ringful(capsys, "keys", "list")
    assert (output, code) == ("", 1)
    assert (
        errors
        == "ringful: a fault of ringful itself: RuntimeError: several lines (RINGFUL_TRACE=1 shows where)\n"
    )
    monkeypatch.setenv("RINGFUL_TRACE", "1")
    with pytest.raises(RuntimeError):
        main.run(["keys", "list"])


def test_the_first_of_a_group_of_errors_is_told(here, capsys, monkeypatch):
    def broken(_path):
        raise BaseExceptionGroup(
            "", [ExceptionGroup("", [CommandError("that is it", 2)]), KeyboardInterrupt()]
        )

    monkeypatch.setattr("ringful.command.keys.configuration", broken)
    assert ringful(capsys, "keys", "list") == ("", "ringful: that is it\n", 2)
