"""`ringful sign`: what it prints is what the server takes."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit
from urllib.request import urlopen

import pytest
import trio

from ringful.command.asking.client import Client
from ringful.http.signing import string_to_sign, verify
from ringful.store.open import open_store
from ringful.store.port import Write
from tests.asking import within_a_second
from tests.server import PATIENCE, free_port, server
from tests.typed import ringful


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def parts(url):
    """Give the path, the parameters in order, and the signature of *url*."""
    split = urlsplit(url.strip())
    pairs = parse_qsl(split.query, keep_blank_values=True, strict_parsing=True)
    return split.path, [pair for pair in pairs if pair[0] != "sig"], dict(pairs)["sig"]


def test_the_installed_command_signs_with_a_key_of_the_store(here):
    command = Path(sys.executable).with_name("ringful")
    added = subprocess.run([command, "keys", "add", "me"], capture_output=True, text=True, check=True)
    key, secret = added.stdout.split()
    arguments = ["Play", "callId=a b", "announcement=http://x/ü?a=b&c=d+e", "seq=7"]
    done = subprocess.run([command, "sign", *arguments], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.startswith(f"http://127.0.0.1:8080/Play/apikey/{key}?")
    assert done.stdout.count("\n") == 1
    path, pairs, signature = parts(done.stdout)
    assert sorted(pairs) == [("announcement", "http://x/ü?a=b&c=d+e"), ("callId", "a b"), ("seq", "7")]
    assert verify(secret, signature, string_to_sign("GET", path, pairs))


@pytest.mark.parametrize(("option", "method"), [([], "GET"), (["--post"], "POST")])
def test_a_key_and_secret_can_be_given(here, capsys, option, method):
    given = ["--key", "K", "--secret", "S", "--url", "https://voice.example.com/"]
    output, _, code = ringful(capsys, "sign", "Call", "callee=15125550001", "seq=1", *given, *option)
    assert code == 0
    assert output.startswith("https://voice.example.com/Call/apikey/K?callee=15125550001&seq=1&sig=")
    path, pairs, signature = parts(output)
    assert verify("S", signature, string_to_sign(method, path, pairs))
    assert not Path("ringful.db").exists()


def test_the_address_is_the_configurations(here, capsys, monkeypatch):
    given = ["Call", "callee=15125550001", "seq=1", "--key", "K", "--secret", "S"]
    monkeypatch.setenv("RINGFUL_HTTP__BIND", "127.0.0.1:9000")
    assert ringful(capsys, "sign", *given)[0].startswith("http://127.0.0.1:9000/Call/")
    monkeypatch.setenv("RINGFUL_HTTP__PUBLIC_URL", "https://voice.example.com")
    assert ringful(capsys, "sign", *given)[0].startswith("https://voice.example.com/Call/")


def test_without_a_seq_each_is_newer_than_the_last(here, capsys, monkeypatch):
    given = ["Call", "callee=15125550001", "--key", "K", "--secret", "S"]
    seqs = []
    for now in (1_700_000_000_000_000_000, 1_700_000_000_001_000_000):
        monkeypatch.setattr("time.time_ns", lambda now=now: now)
        seqs.append(int(dict(parts(ringful(capsys, "sign", *given)[0])[1])["seq"]))
    assert 0 < seqs[0] < seqs[1] < 2**63


def test_the_key_that_signs_is_the_only_one_or_the_one_that_is_named(here, capsys, monkeypatch):
    ids = {name: ringful(capsys, "keys", "add", name)[0].split()[0] for name in ("mine", "gone")}
    ask = ["sign", "QueryCall", "callId=x"]
    ringful(capsys, "keys", "revoke", "gone")
    assert f"/apikey/{ids['mine']}?" in ringful(capsys, *ask)[0]
    ids["hers"] = ringful(capsys, "keys", "add", "hers")[0].split()[0]
    output, errors, code = ringful(capsys, *ask)
    assert (output, code) == ("", 2)
    assert errors == (
        "ringful: there are several keys: say --key NAME, or RINGFUL_KEY: "
        f"mine ({ids['mine']}), hers ({ids['hers']})\n"
    )
    for name in ("mine", "hers"):
        assert f"/apikey/{ids[name]}?" in ringful(capsys, *ask, "--key", name)[0]
        assert f"/apikey/{ids[name]}?" in ringful(capsys, *ask, "--key", ids[name])[0]
    monkeypatch.setenv("RINGFUL_KEY", "hers")
    assert f"/apikey/{ids['hers']}?" in ringful(capsys, *ask)[0]
    assert f"/apikey/{ids['mine']}?" in ringful(capsys, *ask, "--key", "mine")[0]
    assert "was revoked" in ringful(capsys, *ask, "--key", "gone")[1]
    ringful(capsys, "keys", "add", "hers")
    assert "several keys are called hers: say which by its ID: " in ringful(capsys, *ask)[1]


@pytest.mark.parametrize("unit", [1_000_000, 1_000, 1])
@pytest.mark.parametrize("ahead", [-3600, 0, 3600])
def test_a_seq_is_above_whatever_clients_count_in(here, capsys, unit, ahead):
    key = ringful(capsys, "keys", "add", "me")[0].split()[0]
    newest = (time.time_ns() + ahead * 1_000_000_000) // unit

    async def use():
        async with open_store("sqlite:///ringful.db") as store:
            await store.submit(Write(seqs=[(key, newest)])).wait()

    trio.run(use)
    seqs = [int(dict(parts(ringful(capsys, "sign", "QueryCall", "callId=x")[0])[1])["seq"]) for _ in range(2)]
    assert newest < seqs[0] < (time.time_ns() + (ahead + 86_400) * 1_000_000_000) // unit
    assert seqs[0] < seqs[1] or ahead > 0  # Each tells of its own only once it was used.


def test_a_client_takes_the_seq_that_the_server_tells_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with server(tmp_path, f"127.0.0.1:{free_port()}") as running:
        far = time.time_ns() + 3600 * 1_000_000_000
        urlopen(running.url("QueryCalls", far), timeout=PATIENCE).close()
        client = Client(running.base, running.key, running.secret)
        assert client.ask("QueryCalls", {}) == {"calls": [], "next": None}
        assert client.newest == far + 1
        assert client.say("QueryCalls", {}) == ""
        signed = running.command("sign", "QueryCalls")
        with urlopen(signed.strip(), timeout=PATIENCE) as answer:
            assert answer.status == 200
        # A new secret has seqs of its own.
        running.secret = running.command("keys", "rotate", "test", "--for", "1h").split()[1]
        within_a_second(200, partial(running.url, "QueryCalls", 1), 401)
        status, text = running.refused(running.url("QueryCalls", 2**63 - 1))
        assert (status, text.split(":")[0]) == (400, "seq.invalid")


@pytest.mark.parametrize(
    ("args", "said", "code"),
    [
        (["Cal", "callee=1"], "there is no method Cal; there are: ", 2),
        (["Call", "callee"], "'callee': expected name=value", 2),
        (["Call", "callee=1"], "there is no database at ", 2),
        (
            ["Call", "callee=1", "--key", "K", "--secret", "S", "--url", "voice"],
            "'voice': expected an address",
            2,
        ),
        ([], "method", 2),
    ],
)
def test_what_is_wrong_is_said_in_a_line(here, capsys, args, said, code):
    output, errors, ended = ringful(capsys, "sign", *args)
    assert (output, ended) == ("", code)
    assert errors.startswith("ringful: ")
    assert errors.count("\n") == 1
    assert said.lower() in errors.lower()


@pytest.mark.parametrize(
    ("revision", "said"), [(None, "there is no database at "), ("9999", "was made by a newer ringful")]
)
def test_a_database_that_is_not_as_it_is_needed_is_told(here, capsys, revision, said):
    if revision is None:
        Path("ringful.db").touch()
    else:
        ringful(capsys, "keys", "add", "me")
        with closing(sqlite3.connect("ringful.db")) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
    for command in (["sign", "QueryCalls"], ["calls", "list"], ["keys", "list"]):
        output, errors, ended = ringful(capsys, *command)
        assert (output, ended) == ("", 2)
        assert said in errors
