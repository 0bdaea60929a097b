"""`ringful sign`: what it prints is what the server takes."""

import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from ringful.http.signing import string_to_sign, verify
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


def test_the_newest_key_that_holds_signs(here, capsys):
    for name in ("old", "new", "gone"):
        output, _, _ = ringful(capsys, "keys", "add", name)
        key = output.split()[0]
        if name == "new":
            newest = key
    ringful(capsys, "keys", "revoke", key)
    assert f"/apikey/{newest}?" in ringful(capsys, "sign", "QueryCall", "callId=x")[0]


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
