"""The same request again gets the first answer again and does nothing, whatever became of the first."""

import json
import random
import socket
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from ringful.http.signing import canonical_query, sign
from tests.asking import ask
from tests.server import PATIENCE, Server, free_port, server

NUMBER = "15125551234"


@pytest.fixture(scope="module")
def ringful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose trunk leads nowhere."""
    folder = tmp_path_factory.mktemp("again")
    with server(folder, f"127.0.0.1:{free_port()}", RINGFUL_LIMITS__CONCURRENT="1000") as running:
        yield running


def get(url: str, accept: str = "text/plain") -> tuple[str, bool]:
    """Ask; give the answer, and whether it says that it was given before."""
    with urlopen(Request(url, headers={"Accept": accept}), timeout=PATIENCE) as answer:
        return answer.read().decode(), answer.headers.get("Ringful-Replayed") == "true"


def calls(ringful: Server) -> list[str]:
    """Give the IDs of all calls, the oldest first."""
    with sqlite3.connect(ringful.folder / "ringful.db") as database:
        return [row[0] for row in database.execute("SELECT call_id FROM calls ORDER BY created")]


@contextmanager
def locked(ringful: Server) -> Iterator[None]:
    """Let the server's writes wait."""
    database = sqlite3.connect(ringful.folder / "ringful.db", isolation_level=None)
    try:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")
    finally:
        database.close()


@contextmanager
def asked(url: str) -> Iterator[None]:
    """Ask, and go away without reading the answer."""
    parts = urlsplit(url)
    with socket.create_connection((str(parts.hostname), parts.port or 80)) as web:
        web.sendall(f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        yield


def drop(url: str, *, after: float = 0.0) -> None:
    """Ask, and go away at some time, which does not matter."""
    with asked(url):
        time.sleep(after)


def until_taken(ringful: Server, wrong: str) -> None:
    """Wait until the seq of *wrong*, which would be refused in any case, is taken by another request."""
    deadline = time.monotonic() + PATIENCE
    while "is taken by another request; use each seq once" not in ringful.refused(wrong)[1]:
        assert time.monotonic() < deadline


def test_the_first_answer_comes_again_in_the_form_that_is_asked_for(ringful: Server) -> None:
    before = len(calls(ringful))
    url = ringful.url("Call", callee=NUMBER)
    text, again = get(url)
    assert not again
    assert get(url) == (text, True)
    told, again = get(url, "application/json")
    assert (json.loads(told), again) == ({"callId": text.strip()}, True)
    assert calls(ringful)[before:] == [text.strip()]


def test_a_conference_is_opened_once_however_often_it_is_asked_for(ringful: Server) -> None:
    for method, given in (
        ("StartConf", {"moderator": "15125550009"}),
        ("ConfCall", {"moderator": NUMBER, "attendees": "15125550000"}),
    ):
        before, url = len(calls(ringful)), ringful.url(method, **given)
        first, again = get(url), get(url)
        assert (first[0], again) == (again[0], (first[0], True))
        assert len(calls(ringful)) == before + 2
        told = json.loads(get(url, "application/json")[0])
        assert told == {"confCallId": first[0].strip()}


def test_the_same_seq_with_anything_else_is_a_conflict(ringful: Server) -> None:
    url = ringful.url("Call", callee=NUMBER)
    get(url)
    before, seq = calls(ringful), ringful.seq
    for other in (
        ringful.url("Call", seq, callee="15125550000"),
        ringful.url("Call", seq, callee=NUMBER, label="x"),
        ringful.url("QueryCalls", seq),
        url.replace("/Call/", "/call/"),
    ):
        status, text = ringful.refused(other)
        assert (status, text.split(":")[0]) == (
            (401, "sig.wrong") if "/call/" in other else (409, "seq.used")
        )
    path = f"/Call/apikey/{ringful.key}"
    pairs = [("callee", NUMBER), ("seq", str(seq))]
    for body in (b"", b"callerId=15125550000"):
        signature = sign(ringful.secret, "POST", path, pairs, body)
        request = Request(f"{ringful.base}{path}?{canonical_query(pairs)}&sig={signature}", data=body)
        assert ringful.refused(request)[0] == 409  # type: ignore[arg-type]
    assert calls(ringful) == before


def test_who_asks_eight_times_at_once_gets_one_call_and_eight_answers(ringful: Server) -> None:
    before = len(calls(ringful))
    url = ringful.url("Call", callee=NUMBER)
    with ThreadPoolExecutor(8) as many:
        answers = list(many.map(get, [url] * 8))
    assert len(calls(ringful)[before:]) == 1
    assert {text.strip() for text, _ in answers} == set(calls(ringful)[before:])
    assert sorted(again for _, again in answers) == [False] + [True] * 7


def test_a_second_one_waits_for_the_first_which_is_worked_on(ringful: Server) -> None:
    before = len(calls(ringful))
    url = ringful.url("Call", callee=NUMBER)
    wrong = ringful.url("Call", ringful.seq, callee="nonsense")
    with ThreadPoolExecutor(2) as many:
        with locked(ringful):
            both = [many.submit(get, url) for _ in range(2)]
            until_taken(ringful, wrong)
            assert not any(one.done() for one in both)
        answers = [one.result(PATIENCE) for one in both]
    assert [text.strip() for text, _ in answers] == calls(ringful)[before:] * 2


def test_who_goes_away_before_the_answer_learns_it_by_asking_again(ringful: Server) -> None:
    for after in (0.0, 0.001, 0.003, 0.01, 0.03):
        before = len(calls(ringful))
        url = ringful.url("Call", callee=NUMBER)
        drop(url, after=after)
        text, _ = get(url)
        assert calls(ringful)[before:] == [text.strip()]


def test_who_goes_away_while_the_disk_is_busy_learns_it_too(ringful: Server) -> None:
    before = len(calls(ringful))
    url = ringful.url("Call", callee=NUMBER)
    wrong = ringful.url("Call", ringful.seq, callee="nonsense")
    with locked(ringful):
        with asked(url):
            until_taken(ringful, wrong)
        for _ in range(20):  # It is still worked on, although nobody waits for it.
            assert ringful.refused(wrong)[0] == 409
    text, again = get(url)
    assert (again, calls(ringful)[before:]) == (True, [text.strip()])


def test_a_refused_request_again_is_another_try(ringful: Server) -> None:
    url = ringful.url("Record", callId="r1-none")
    assert [ringful.refused(url)[0] for _ in range(3)] == [404, 404, 404]
    call_id = ringful.ask("Call", callee=NUMBER)
    stop = ringful.url("RecordStop", callId=call_id)
    assert [ringful.refused(stop)[0] for _ in range(2)] == [409, 409]


def test_nothing_that_changes_something_is_done_twice(ringful: Server) -> None:
    call_id = ringful.ask("Call", callee=NUMBER)
    play = ringful.url("Play", callId=call_id, announcement="x")
    assert [get(play), get(play)] == [("", False), ("", True)]
    assert [task["statement"] for task in ringful.query(call_id)["queue"]] == ['play "x"']
    bind = ringful.url("Number", number="18005550000", callbackUrl="https://shop.example/calls")
    free = ringful.url("NumberRemove", number="18005550000")
    assert [get(bind), get(free), get(bind), get(free)] == [
        ("+18005550000\n", False),
        ("", False),
        ("+18005550000\n", True),
        ("", True),
    ]
    assert get(ringful.url("Number")) == ("", False)
    hang_up = ringful.url("Hangup", callId=call_id)
    assert [get(hang_up), get(hang_up)] == [("", False), ("", True)]


def test_an_upload_again_is_the_version_that_it_was(ringful: Server) -> None:
    texts = ['call "15125551234"\n', 'call "15125551235"\n', 'call "15125551234"\n']
    first = ringful.seq + 1
    said = [ask(ringful, "Script", text, name="again").text for text in texts]
    ringful.seq = first - 1
    assert (
        [ask(ringful, "Script", text, name="again").text for text in texts] == said == ["1\n", "2\n", "3\n"]
    )
    ringful.seq = first - 1
    as_json = ask(ringful, "Script", texts[0], accept="application/json", name="again").json
    assert (as_json["version"], as_json["new"]) == (1, True)
    ringful.seq = first + 2
    assert ask(ringful, "Script", texts[0], accept="application/json", name="again").json["new"] is False
    started = ringful.url("Run", name="again")
    run, _ = get(started)
    assert get(started, "application/json") == (json.dumps({"callId": run.strip()}) + "\n", True)


def test_what_only_asks_is_asked_anew(ringful: Server) -> None:
    call_id = ringful.ask("Call", callee=NUMBER)
    url = ringful.url("QueryCall", callId=call_id)
    first, _ = get(url, "application/json")
    ringful.ask("Play", callId=call_id, announcement="x")
    second, again = get(url, "application/json")
    assert again
    assert (json.loads(first)["queue"], len(json.loads(second)["queue"])) == ([], 1)


def test_a_question_that_nobody_waited_for_keeps_no_seq(ringful: Server) -> None:
    call_id = ringful.ask("Call", callee=NUMBER)
    lines = len(get(ringful.url("Trace", callId=call_id))[0].splitlines())
    held = ringful.url("Trace", callId=call_id, after=str(lines + 100), wait="20")
    other = ringful.url("QueryCall", ringful.seq, callId=call_id)
    wrong = ringful.url("Trace", ringful.seq - 1, callId="")
    with asked(held):
        until_taken(ringful, wrong)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            assert get(other)[1] is False
            return
        except OSError:
            pass  # It has not been noticed yet that the client is gone.
    raise AssertionError("the seq was never given back")


def test_a_server_that_was_killed_in_between_gives_the_answer_when_it_is_there_again(tmp_path: Path) -> None:
    dice = random.Random(7)
    with server(tmp_path, f"127.0.0.1:{free_port()}") as ringful:
        for seen_first in (True, False, False):
            before = len(calls(ringful))
            url = ringful.url("Call", callee=NUMBER, label="kept")
            with asked(url):
                deadline = time.monotonic() + PATIENCE
                while seen_first and len(calls(ringful)) == before:
                    assert time.monotonic() < deadline
                if not seen_first:
                    time.sleep(dice.uniform(0.0, 0.02))
                ringful.kill()
            ringful.start()
            text, again = get(url)
            assert calls(ringful)[before:] == [text.strip()]
            assert again or not seen_first
            assert get(url) == (text, True)
            assert ringful.query(text.strip())["label"] == "kept"
            listed, _ = get(ringful.url("QueryCalls", label="kept", limit="1"))
            assert listed.startswith(text.strip())
