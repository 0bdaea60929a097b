"""What a key may call, and how often."""

from pathlib import Path

import pytest

from ringful.interpreter.calls.limits import Bucket, may_call
from tests.asking import ask
from tests.server import phone, receiver, server


@pytest.mark.parametrize(
    ("number", "allowed"),
    [
        ("15125551234", True),
        ("+18005551212", True),
        ("+14165551234", False),  # Canada shares +1
        ("+18765551234", False),  # and so does Jamaica
        ("+442071838750", False),
        ("nonsense", False),
        ("15125551234@evil.example", False),
        ("15125551234;user=phone", False),
        ("1 512 555 1234", False),
        ("sip:bob@10.0.0.1", False),
        ("SIPS:bob@10.0.0.1", False),
    ],
)
def test_without_prefixes_only_the_own_country_may_be_called(number: str, allowed: bool) -> None:
    assert may_call(number, (), "US") is allowed


def test_prefixes_replace_the_country() -> None:
    assert may_call("442071838750", ("+44",), "US")
    assert not may_call("15125551234", ("+44",), "US")


def test_sip_uris_are_called_where_the_configuration_says_so() -> None:
    assert may_call("sip:bob@10.0.0.1:5060", (), "US", sip_uris=True)
    assert not may_call("sip:bob@10.0.0.1>;x", (), "US", sip_uris=True)
    assert may_call("sip:bob@10.0.0.1", ("sip:bob",), "US", sip_uris=True)
    assert not may_call("sip:eve@10.0.0.1", ("sip:bob",), "US", sip_uris=True)


def test_a_bucket_says_how_long_to_wait() -> None:
    bucket = Bucket(2.0)
    assert [bucket.take(100.0) for _ in range(3)] == [0.0, 0.0, 0.5]
    assert bucket.take(100.5) == 0.0


def test_the_legs_that_a_script_places_count_for_its_key(tmp_path: Path) -> None:
    with (
        receiver({}) as told,
        phone() as (address, _),
        server(tmp_path, address) as ringful,
    ):
        added = ringful.command("keys", "add", "few", "--concurrent", "2", "--calls-per-second", "50")
        ringful.key, ringful.secret = added.split()
        rings = "\n".join(f'call "1512555000{n}" notify "{told.url}" {{ wait 1m }}' for n in range(3))
        run = ask(ringful, "Run", f"{rings}\nwait 1m\n").text.strip()
        told.until("CallFailed", "CallEstablished")
        failed = [fields for _, fields in told.told if fields["action"] == "CallFailed"]
        assert [fields["reason"] for fields in failed] == ["capacity"]
        assert ask(ringful, "Call", callee="15125550009").status == 429
        assert ask(ringful, "Hangup", callId=run).status == 200
        told.until("ServerHangup")
