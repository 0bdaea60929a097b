"""`ringful callbacks` and its methods, beside a running server and without one."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import trio
from attrs import frozen

from ringful.store.open import open_store
from ringful.store.port import Post, PostState, Write
from tests.asking import ask, ask_json
from tests.server import PATIENCE, Receiver, Server, free_port, receiver, server
from tests.typed import ringful


def post(key: str, call_id: str, n: int, url: str) -> Post:
    return Post(f"{call_id}-{n}", key, call_id, n, url, {"action": f"Number{n}", "n": str(n)}, time.time())


def put(folder: Path, *states: PostState) -> None:
    """Write posts into the store, as they stand."""

    async def write() -> None:
        async with open_store(f"sqlite:///{folder}/ringful.db") as store:
            await store.submit(Write(posts=[one.post for one in states], post_states=states)).wait()

    trio.run(write)


def park(folder: Path, key: str, call_id: str, url: str, numbers: Sequence[int]) -> None:
    put(
        folder,
        *(PostState(post(key, call_id, n, url), "parked", 35, 0.0, "it answered 404") for n in numbers),
    )


# Without a server.


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    park(tmp_path, "K", "c1", "http://h.example/secret?token=1", [1, 2])
    park(tmp_path, "other", "c2", "http://h2.example/", [1])
    put(
        tmp_path,
        PostState(post("K", "c3", 1, "http://h.example/b"), "pending", 2, 0.0, "no answer in time"),
        PostState(post("K", "c3", 2, "http://h.example/b"), "delivered", 1, 0.0),
    )
    return tmp_path


def listed(capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    output, errors, code = ringful(capsys, "callbacks", "list", *options)
    assert (errors, code) == ("", 0)
    return [line.split("  ")[0] for line in output.splitlines()]


def test_what_was_not_delivered_is_listed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert listed(capsys) == ["c1-1", "c1-2", "c2-1", "c3-1"]
    assert listed(capsys, "--parked") == ["c1-1", "c1-2", "c2-1"]
    assert listed(capsys, "--waiting") == ["c3-1"]
    assert listed(capsys, "--call", "c1", "--limit", "1") == ["c1-1"]
    assert listed(capsys, "--key", "other") == ["c2-1"]
    output, _, _ = ringful(capsys, "callbacks", "list", "--call", "c1", "--limit", "1")
    assert output == "c1-1  parked  c1  1  Number1  h.example  35 attempts  it answered 404\n"


def test_one_is_shown(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output, _, code = ringful(capsys, "callbacks", "show", "c1-2")
    assert code == 0
    lines = output.splitlines()
    assert {"state: parked", "attempts: 35", "lastError: it answered 404", "field n: 2"} <= set(lines)
    assert "url: http://h.example/secret?token=1" in lines


def test_what_is_sent_again_waits_for_the_server(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ringful(capsys, "callbacks", "resend", "c1-2") == ("1 callback will be sent again\n", "", 0)
    assert listed(capsys, "--waiting") == ["c1-2", "c3-1"]
    _, errors, code = ringful(capsys, "callbacks", "resend", "c1-2")
    assert (errors, code) == ("ringful: the callback c1-2 is waiting; only parked ones are sent again\n", 1)
    url = "http://h.example/secret?token=1"
    assert ringful(capsys, "callbacks", "resend", "--url", url) == ("1 callback will be sent again\n", "", 0)
    assert ringful(capsys, "callbacks", "resend", "--all") == ("1 callback will be sent again\n", "", 0)
    assert listed(capsys, "--waiting") == ["c1-1", "c1-2", "c2-1", "c3-1"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["list", "--call", "none"], 1, "there are no such callbacks"),
        (["list", "--limit", "0"], 2, "--limit: expected a number above 0, not 0"),
        (["show", "none"], 1, "there is no callback none; see: ringful callbacks list"),
        (["resend", "none"], 1, "there is no callback none; see: ringful callbacks list"),
        (["resend", "c3-2"], 1, "the callback c3-2 is delivered; only parked ones are sent again"),
        (["resend", "--call", "c3"], 1, "there are no such callbacks that are parked"),
        (["resend"], 2, "say which: events, or --url, --call, --key, or --all"),
        (["resend", "c1-1", "--all"], 2, "say which: events, or --url, --call, --key, or --all"),
    ],
)
def test_what_cannot_be_done(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    output, errors, ended = ringful(capsys, "callbacks", *arguments)
    assert (output, ended) == ("", code)
    assert errors.startswith(f"ringful: {said}")


# Beside a server.


@pytest.fixture(scope="module")
def web() -> Iterator[Receiver]:
    with receiver({}) as listening:
        yield listening


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("callbacks"), f"127.0.0.1:{free_port()}") as made:
        yield made


def arrived(web: Receiver, many: int) -> list[str]:
    return [web.arrived.get(timeout=PATIENCE)[1]["event"] for _ in range(many)]


def test_a_running_server_takes_up_what_the_command_marks(running: Server, web: Receiver) -> None:
    park(running.folder, running.key, "m1", f"{web.url}/a", [3, 1, 2])
    assert running.command("callbacks", "resend", "--call", "m1") == "3 callbacks will be sent again\n"
    assert arrived(web, 3) == ["m1-1", "m1-2", "m1-3"]


@frozen
class Known:
    """A call with two parked callbacks, and what another key has."""

    call_id: str
    url: str


@pytest.fixture(scope="module")
def known(running: Server, web: Receiver) -> Known:
    # The call fails at once: nobody is at the trunk's port.  Its own callback is delivered.
    call_id = running.ask("Call", callee="15125551234", callbackUrl=f"{web.url}/call")
    while "CallFailed" not in (action := web.arrived.get(timeout=PATIENCE)[1]["action"]):
        assert action
    url = f"{web.url}/parked"
    park(running.folder, running.key, call_id, url, [101, 102])
    park(running.folder, "another", "z1", url, [1])
    return Known(call_id, url)


def test_a_call_tells_its_callbacks(running: Server, known: Known) -> None:
    found = running.query(known.call_id)
    assert found["callbacks"] == {"waiting": 0, "parked": 2, "delivered": 1}
    assert found["undelivered"][0] == {
        "event": f"{known.call_id}-101",
        "action": "Number101",
        "host": known.url.split("/")[2],
        "state": "parked",
        "attempts": 35,
        "lastError": "it answered 404",
    }
    text = running.ask("QueryCall", callId=known.call_id)
    assert "callbacks: waiting=0  parked=2  delivered=1\n" in text


def test_a_key_lists_its_own_callbacks_page_by_page(running: Server, known: Known) -> None:
    first = ask_json(running, "QueryCallbacks", state="parked", limit="1")
    assert [one["event"] for one in first["callbacks"]] == [f"{known.call_id}-101"]
    assert first["callbacks"][0]["url"] == known.url
    assert first["more"]
    rest = ask_json(running, "QueryCallbacks", state="parked", after=first["callbacks"][0]["event"])
    assert [one["event"] for one in rest["callbacks"]] == [f"{known.call_id}-102"]
    assert not rest["more"]
    of_call = ask_json(running, "QueryCallbacks", callId=known.call_id, state="delivered")
    assert [one["action"] for one in of_call["callbacks"]] == ["CallFailed"]


@pytest.mark.parametrize(
    ("method", "given", "status", "code"),
    [
        ("QueryCallbacks", {"state": "lost"}, 400, "state.invalid"),
        ("QueryCallbacks", {"limit": "1001"}, 400, "limit.invalid"),
        ("QueryCallbacks", {"limit": "0"}, 400, "limit.invalid"),
        ("QueryCallbacks", {"callId": "z1"}, 404, "call.unknown"),
        ("QueryCallbacks", {"after": "z1-1"}, 404, "callback.unknown"),
        ("CallbackResend", {}, 400, "event.missing"),
        ("CallbackResend", {"event": "z1-1"}, 404, "callback.unknown"),
        ("CallbackResend", {"event": "m1-1"}, 409, "callback.notparked"),
        ("CallbackResend", {"event": "m1-1", "url": "http://other.example/"}, 404, "callback.unknown"),
        ("CallbackResend", {"callId": "z1"}, 404, "call.unknown"),
    ],
)
def test_what_is_refused(
    running: Server, known: Known, method: str, given: dict[str, str], status: int, code: str
) -> None:
    answer = ask(running, method, **given)
    assert (answer.status, answer.code) == (status, code)


def test_a_client_sends_its_own_again(running: Server, known: Known, web: Receiver) -> None:
    assert ask(running, "CallbackResend", event=f"{known.call_id}-102").text == "1\n"
    assert arrived(web, 1) == [f"{known.call_id}-102"]
    assert ask_json(running, "CallbackResend", url=known.url) == {"resent": 1, "more": False}
    assert arrived(web, 1) == [f"{known.call_id}-101"]
    assert ask(running, "CallbackResend", callId=known.call_id).text == "0\n"
    assert "z1-1  parked" in running.command("callbacks", "list", "--parked")
