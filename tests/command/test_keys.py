"""`ringful keys`, as a person runs it."""

import subprocess
import sys
import time
from base64 import b64decode
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode

import pytest
import trio
from attrs import evolve

from ringful.command import keys, main
from ringful.command.errors import CommandError
from ringful.http.outward.letter import signature
from ringful.interpreter.calls.limits import may_call
from ringful.interpreter.tell import stamp
from ringful.store.keys import ANYWHERE
from ringful.store.open import open_store
from ringful.store.window import accepted
from tests.asking import within_a_second
from tests.server import PATIENCE, free_port, receiver, server
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
        "spent 0 of 10.50, 10.50 left\n"
    )


def test_keys_are_listed_without_their_secrets_and_revoked(here, capsys):
    for name in ("one", "two"):
        ringful(capsys, "keys", "add", name)
    made = stored()
    assert ringful(capsys, "keys", "revoke", made["one"].key) == ("", "", 0)
    output, _, _ = ringful(capsys, "keys", "list")
    assert output == f"{made['one'].key}  one  revoked\n{made['two'].key}  two\n"
    first = stored()["one"].revoked
    ringful(capsys, "keys", "revoke", made["one"].key)
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


def test_only_what_is_named_is_changed(here, capsys):
    limits = ["--calls-per-second", "2.5", "--concurrent", "7", "--cap", "10.50"]
    ringful(capsys, "keys", "add", "me", "--prefix", "+1512", *limits)
    before = stored()["me"]
    changes = [
        (["--cap", "20"], {"spending_cap": Decimal(20)}),
        (["--no-cap"], {"spending_cap": None}),
        (["--prefix", "44", "--prefix", "+49"], {"prefixes": ("44", "+49")}),
        (["--any-prefix"], {"prefixes": ("+",)}),
        (["--no-prefixes"], {"prefixes": ()}),
        (["--calls-per-second", "5", "--concurrent", "3"], {"calls_per_second": 5.0, "concurrent": 3}),
        (["--no-calls-per-second", "--no-concurrent"], {"calls_per_second": None, "concurrent": None}),
        (["--no-signing"], {"signing": False}),
        (["--signing"], {"signing": True}),
    ]
    for options, fields in changes:
        assert ringful(capsys, "keys", "set", "me", *options) == ("", "", 0)
        before = evolve(before, **fields)
        assert stored()["me"] == before
    ringful(capsys, "keys", "set", before.key, "--name", "you")
    assert stored() == {"you": evolve(before, name="you")}


def test_anywhere_is_anywhere():
    for number in ("+442071838750", "15125551234", "+9601234567"):
        assert may_call(number, ANYWHERE, "US")


def test_a_new_secret_and_the_old_one_for_a_while(here, capsys):
    key, first = ringful(capsys, "keys", "add", "me")[0].split()
    rotated, _, code = ringful(capsys, "keys", "rotate", "me")
    assert code == 0
    assert rotated.split()[0] == key
    second = rotated.split()[1]
    now = time.time()
    known = stored()["me"]
    assert accepted(known, now) == [(second, f"{key}.1"), (first, key)]
    assert accepted(known, now + 24 * 3600) == [(second, f"{key}.1")]
    for listed in ("list",), ("show", "me"):
        output, _, _ = ringful(capsys, "keys", *listed)
        assert f"holds until {stamp(known.old_until)}" in output
        assert first not in output
        assert second not in output
    _, errors, code = ringful(capsys, "keys", "rotate", "me", "--for", "1h")
    assert code == 1
    assert "drop it with --end first, or both with --for 0s" in errors
    assert ringful(capsys, "keys", "rotate", "me", "--end") == ("", "", 0)
    assert accepted(stored()["me"], now) == [(second, f"{key}.1")]
    assert ringful(capsys, "keys", "rotate", "me", "--end")[1:] == (
        f"ringful: no old secret of me ({key}) holds\n",
        1,
    )
    third = ringful(capsys, "keys", "rotate", "me", "--for", "0s")[0].split()[1]
    assert accepted(stored()["me"], now) == [(third, f"{key}.2")]


def test_all_about_a_key_is_shown_but_its_secret(here, capsys):
    key, secret = ringful(capsys, "keys", "add", "me", "--cap", "5")[0].split()
    output, errors, code = ringful(capsys, "keys", "show", key)
    assert (errors, code) == ("", 0)
    assert secret not in output
    assert output.splitlines()[:2] == [f"key: {key}", "name: me"]
    assert "spent: 0 of 5, 5 left\na script may cost: anything\nnewest seq: none was used\n" in output
    assert output.endswith("old secret: none holds\n")


@pytest.mark.parametrize(
    ("args", "said", "code"),
    [
        (["set", "me"], "nothing to change is named; see: ringful keys set --help", 2),
        (["set", "nobody", "--no-cap"], "there is no key nobody; see: ringful keys list", 1),
        (["set", "two", "--no-cap"], "several keys are called two: say which by its ID: two (", 2),
        (["set", "me", "--cap", "1", "--no-cap"], "give only one of --cap and --no-cap", 2),
        (["set", "me", "--prefix", "1", "--any-prefix"], "give only one of --prefix and --any-prefix", 2),
        (["set", "me", "--any-prefix", "--no-prefixes"], "only one of --any-prefix and --no-prefixes", 2),
        (["set", "me", "--concurrent", "1", "--no-concurrent"], "only one of --concurrent and --no-con", 2),
        (["set", "me", "--prefix", ""], "--prefix: expected digits such as +1512", 2),
        (["set", "me", "--prefix", "+"], "--prefix: expected digits such as +1512", 2),
        (["set", "me", "--prefix", "1234567890123456"], "--prefix: expected digits such as +1512", 2),
        (["set", "me", "--name", ""], "--name: expected a name in one line", 2),
        (["set", "me", "--name", "a\tb"], "--name: expected a name in one line", 2),
        (["set", "me", "--concurrent=-1"], "--concurrent: expected a number above 0, not -1", 2),
        (["set", "me", "--concurrent", "many"], "--concurrent", 2),
        (["set", "me", "--calls-per-second", "inf"], "--calls-per-second: expected a number above 0", 2),
        (["set", "me", "--cap", "Infinity"], "--cap: expected an amount", 2),
        (["set", "me", "--secret", "x"], "--secret", 2),
        (["set"], "KEY", 2),
        (["rotate"], "KEY", 2),
        (["rotate", "nobody"], "there is no key nobody", 1),
        (["rotate", "gone"], "the key gone (", 1),
        (["rotate", "me", "--for", "tomorrow"], "--for: expected a duration such as 24h", 2),
        (["rotate", "me", "--for", "-1h"], "--for", 2),
        (["rotate", "me", "--for", "99999999h"], "--for: expected a duration such as 24h", 2),
        (["rotate", "me", "--for", ""], "--for: expected a duration such as 24h", 2),
        (["rotate", "me", "--for", "1h", "--end"], "give only one of --for and --end", 2),
        (["rotate", "me", "--end"], "no old secret of me (", 1),
        (["show"], "KEY", 2),
        (["show", "nobody"], "there is no key nobody", 1),
        (["revoke", "two"], "several keys are called two", 2),
    ],
)
def test_a_change_that_is_wrong_changes_nothing(several, capsys, args, said, code):
    before = everything()
    output, errors, ended = ringful(capsys, "keys", *args)
    assert (output, ended) == ("", code)
    assert errors.count("\n") == 1
    assert said.lower() in errors.lower()
    assert everything() == before


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """A folder with some keys, two of the same name."""
    folder = tmp_path_factory.mktemp("several")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("me", "two", "two", "gone"):
            keys.add(name)
        keys.revoke("gone")
        yield folder


def everything():
    async def read():
        async with open_store("sqlite:///ringful.db") as store:
            return await store.keys()

    return trio.run(read)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with server(tmp_path_factory.mktemp("running"), f"127.0.0.1:{free_port()}") as made:
        yield made


def test_a_running_server_takes_a_change_up(running):
    def abroad():
        return running.url("Call", callee="442071838750")

    assert running.refused(abroad())[0] == 403
    running.command("keys", "set", "test", "--any-prefix")
    within_a_second(200, abroad, 403)
    running.command("keys", "set", "test", "--no-prefixes", "--concurrent", "1000")
    # So many calls in a second may be too many: a number that may not be called is refused before that.
    within_a_second(403, abroad, 200, 429)


def test_a_running_server_takes_both_secrets_and_then_one(running):
    old = running.secret
    new = running.command("keys", "rotate", "test", "--for", "1h").split()[1]

    def asked(secret):
        running.secret = secret
        return running.url("QueryCalls")

    within_a_second(200, lambda: asked(new), 401)
    within_a_second(200, lambda: asked(old))
    running.command("keys", "rotate", "test", "--end")
    within_a_second(401, lambda: asked(old), 200)
    within_a_second(200, lambda: asked(new))


def test_callbacks_are_signed_with_both_secrets(running):
    running.secret = running.command("keys", "rotate", "test", "--for", "0s").split()[1]
    old = running.secret
    new = running.command("keys", "rotate", "test", "--for", "1h").split()[1]
    running.secret = new
    within_a_second(200, lambda: running.url("QueryCalls"), 401)
    with receiver({}) as web:
        running.ask("Call", callee="15125551234", callbackUrl=f"{web.url}/call", label="Müller 7")
        _, fields, headers = web.arrived.get(timeout=PATIENCE)
    assert fields["label"] == "Müller 7"
    by_name = {name.lower(): value for name, value in headers.items()}
    body = urlencode(fields).encode()
    at = int(by_name["webhook-timestamp"])
    assert by_name["webhook-signature"].split() == [
        signature(secret, by_name["webhook-id"], at, body) for secret in (new, old)
    ]


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
