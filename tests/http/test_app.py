"""The façade over real HTTP: bad input gets a clear answer, and nothing is half done."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from ringful.http.signing import canonical_query, sign
from tests.server import PATIENCE, Server, free_port, receiver, server

NUMBER = "15125551234"


@pytest.fixture(scope="module")
def ringful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose trunk leads nowhere."""
    with server(tmp_path_factory.mktemp("server"), f"127.0.0.1:{free_port()}") as running:
        yield running


def post(ringful: Server, method: str, body: bytes, *, sig_in_form: bool, **query: str) -> tuple[int, str]:
    path = f"/{method}/apikey/{ringful.key}"
    signature = sign(ringful.secret, "POST", path, query.items(), body)
    if sig_in_form:
        body += b"&sig=" + signature.encode()
    else:
        query["sig"] = signature
    request = Request(f"{ringful.base}{path}?{canonical_query(query.items())}", data=body)
    if not sig_in_form:
        request.full_url += f"&sig={signature}"
    try:
        with urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def calls(ringful: Server) -> int:
    return len(ringful.command("calls", "list").splitlines())


def test_an_unknown_key(ringful: Server) -> None:
    status, text = ringful.refused(ringful.url("Call", callee=NUMBER).replace(ringful.key, "nobody"))
    assert (status, text.split(":")[0]) == (401, "key.unknown")


def test_a_wrong_signature_shows_what_ought_to_have_been_signed(ringful: Server) -> None:
    before = calls(ringful)
    url = ringful.url("Call", callee=NUMBER)
    request = Request(url[:-4] + "0000", headers={"Accept": "application/json"})
    with pytest.raises(HTTPError) as caught, urlopen(request, timeout=PATIENCE):
        pass
    with caught.value as error:
        problem = json.load(error)
        assert error.headers["Content-Type"] == "application/problem+json"
    assert (problem["status"], problem["code"]) == (401, "sig.wrong")
    assert problem["signed"].startswith(f"GET\n/Call/apikey/{ringful.key}\ncallee={NUMBER}&seq=")
    assert calls(ringful) == before


def test_a_missing_signature(ringful: Server) -> None:
    url = ringful.url("Call", callee=NUMBER)
    assert ringful.refused(url.partition("&sig=")[0])[0] == 401


def test_a_replayed_seq_and_one_that_a_refused_request_gave_back(ringful: Server) -> None:
    status, text = ringful.refused(ringful.url("Call", seq=500, callee="nonsense"))
    assert (status, text.split(":")[0]) == (400, "callee.invalid")
    url = ringful.url("Call", seq=500, callee=NUMBER)
    with urlopen(url, timeout=PATIENCE) as answer:
        assert answer.read().startswith(b"r1-")
    other = ringful.url("Call", seq=500, callee="15125550000")
    status, text = ringful.refused(other)
    assert (status, text.split(":")[0]) == (409, "seq.used")
    ringful.kill()
    ringful.start()
    assert ringful.refused(other)[0] == 409
    ringful.seq = 1000


@pytest.mark.parametrize("sig_in_form", [True, False])
def test_a_form(ringful: Server, sig_in_form: bool) -> None:
    ringful.seq += 1
    body = f"callee={NUMBER}&seq={ringful.seq}".encode()
    status, text = post(ringful, "Call", body, sig_in_form=sig_in_form)
    assert (status, text[:3]) == (200, "r1-")


def test_another_keys_call_and_an_unknown_one(ringful: Server) -> None:
    call_id = ringful.ask("Call", callee=NUMBER)
    ringful.ask("Play", callId=call_id, announcement="x")
    mine = (ringful.key, ringful.secret)
    ringful.key, ringful.secret = ringful.command("keys", "add", "other").split()
    try:
        for method in ("Record", "QueryCall", "Script", "Trace", "Hangup"):
            assert ringful.refused(ringful.url(method, callId=call_id))[0] == 404
        assert ringful.refused(ringful.url("Record", callId="r1-none"))[0] == 404
    finally:
        ringful.key, ringful.secret = mine
    assert [task["statement"] for task in ringful.query(call_id)["queue"]] == ['play "x"']


def test_an_operation_that_makes_no_sense_now(ringful: Server) -> None:
    call_id = ringful.ask("Call", callee=NUMBER)
    assert ringful.refused(ringful.url("RecordStop", callId=call_id))[0] == 409
    assert ringful.refused(ringful.url("StopToneDetector", callId=call_id))[0] == 409
    ringful.ask("Hangup", callId=call_id)
    assert ringful.refused(ringful.url("Record", callId=call_id))[0] == 409


def test_a_number_abroad_is_not_allowed(ringful: Server) -> None:
    before = calls(ringful)
    status, text = ringful.refused(ringful.url("Call", callee="442071838750"))
    assert (status, text.split(":")[0]) == (403, "call.notallowed")
    assert calls(ringful) == before


def test_a_body_that_is_too_large_leaves_the_server_well(ringful: Server) -> None:
    status, text = post(ringful, "Call", b"x=" + b"a" * 100_000, sig_in_form=False)
    assert (status, text.split(":")[0]) == (413, "body.large")
    assert ringful.ask("Call", callee=NUMBER)


def test_unknown_paths_and_methods(ringful: Server) -> None:
    status, text = ringful.refused(ringful.url("Cal", callee=NUMBER))
    assert (status, text.split(":")[0]) == (404, "method.unknown")
    assert ringful.refused(f"{ringful.base}/nothing")[0] == 404
    assert ringful.refused(f"{ringful.base}/recordings/..%2fringful.db")[0] == 404
    assert ringful.refused(f"{ringful.base}/recordings/none.wav")[0] == 404
    request = Request(f"{ringful.base}/Call/apikey/k", method="DELETE")
    with pytest.raises(HTTPError) as caught, urlopen(request, timeout=PATIENCE):
        pass
    with caught.value:
        assert caught.value.code == 405


def test_health_and_the_first_page(ringful: Server) -> None:
    with urlopen(f"{ringful.base}/health", timeout=PATIENCE) as answer:
        assert answer.read() == b"ok\n"
    with urlopen(ringful.base, timeout=PATIENCE) as answer:
        assert b"ringful" in answer.read()


def test_json_for_those_who_want_it(ringful: Server) -> None:
    request = Request(ringful.url("Call", callee=NUMBER), headers={"Accept": "application/json"})
    with urlopen(request, timeout=PATIENCE) as answer:
        assert json.load(answer)["callId"].startswith("r1-")


def test_an_unsigned_key_and_a_revoked_one(ringful: Server) -> None:
    key, _ = ringful.command("keys", "add", "trial", "--no-signing").split()
    url = f"{ringful.base}/Call/apikey/{key}?callee={NUMBER}"
    with urlopen(url, timeout=PATIENCE) as answer:
        assert answer.status == 200
    ringful.command("keys", "revoke", key)
    assert "revoked" in ringful.command("keys", "list")
    ringful.kill()
    ringful.start()
    assert ringful.refused(url)[0] == 401


def test_a_key_over_its_limits_is_told_when_to_come_back(tmp_path: Path) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    with receiver({}), server(tmp_path, nowhere, RINGFUL_LIMITS__CONCURRENT="1") as ringful:
        ringful.ask("Call", callee=NUMBER)
        with (
            pytest.raises(HTTPError) as caught,
            urlopen(ringful.url("Call", callee=NUMBER), timeout=PATIENCE),
        ):
            pass
        with caught.value as error:
            assert error.code == 429
            assert int(error.headers["Retry-After"]) >= 1
