"""`ringful bench calls`: what it reckons, and that it measures a real server.  No test minds times."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from functools import partial
from math import isnan
from pathlib import Path
from xml.etree import ElementTree

import pytest
import trio
from attrs import evolve

from ringful.bench.calls import curves, judged, recordings, results, server
from ringful.bench.calls.asking import Asker, RefusedError
from ringful.bench.calls.hammer import Assault, Borne, assault
from ringful.bench.calls.jobs import BRIEF, MAIN_JOB, Job, Jobs, Told
from ringful.bench.calls.loads import Work, events
from ringful.bench.calls.numbers import open_numbers
from ringful.bench.calls.parts import Part, Seen, Story, part_of, story_of
from ringful.bench.calls.relay import open_relay
from ringful.bench.calls.requests import Requests, requests
from ringful.bench.calls.site import Place
from ringful.bench.calls.usage import Look, Window, kind_of, look
from ringful.bench.calls.web import Web, open_web
from ringful.bench.calls.wire import Message, Wire, WireError
from ringful.bench.calls.workload import WORKLOADS, Load, sustained, wrong_in
from ringful.bench.figures import Figure
from ringful.bench.media import sip
from ringful.bench.media.heard import Heard, Lateness
from ringful.bench.pace import Pace
from ringful.ground.complaint import Complaint
from ringful.http.signing import sign
from ringful.media import wav
from tests.server import PATIENCE, nobody
from tests.typed import ringful

MS = 1_000_000
SECOND = 1000 * MS
LATE = Lateness(1.5, 4.0)
BEGAN = Look(100.0, 100 * SECOND, {"node": 1000.0, "workers": 500.0}, {}, {}, 10.0, 20.0, 4000.0)
ENDED = Look(
    110.0,
    110 * SECOND,
    {"node": 1300.0, "workers": 700.0},
    {"node": 90.0, "workers": 60.5},
    {"node": 1, "workers": 4},
    40.0,
    60.0,
    5000.0,
)
WINDOW = Window(BEGAN, ENDED)
FIELDS = {"WaitForToneDetected": {"tone": "1"}, "RecordComplete": {"duration": "2.1"}}


def job(number: str = "12012000000", asked: float = 101.0, expected: tuple[str, ...] = MAIN_JOB) -> Job:
    """Give a call that went well, asked for at so many seconds: its callbacks came every 100 ms."""
    made = Job(number, expected, int(asked * SECOND), int(asked * SECOND) + 5 * MS, "r1-1")
    for place, action in enumerate(expected):
        at = made.asked + (place + 1) * 100 * MS
        made.told.append(Told(action, at, {"action": action, **FIELDS.get(action, {})}))
    return made


def seen(number: str = "12012000000", asked: float = 101.0, seconds: float = 5.0, **more: object) -> Seen:
    at = int(asked * SECOND)
    good = {"packets": 280, "first_frames": 100, "second_frames": 50, "key_ns": at, "next_ns": at + 30 * MS}
    heard = Heard(number, **{**good, **more})
    return Seen(number, at + 10 * MS, at + 20 * MS, at + 20 * MS + int(seconds * SECOND), heard)


def work(*pairs: tuple[Job, Seen | None], calls: float = 2) -> Work:
    told = {one.number: one for _, one in pairs if one}
    return Work(calls, tuple(one for one, _ in pairs), Story(told, LATE), WINDOW)


def values(measures: object) -> dict[str, float]:
    return {one.name: one.value for one in measures}


# Figures


def test_the_main_jobs_figures():
    early = (job("1", 95.0), seen("1", 95.0, seconds=8.0))
    good = (job("2", 101.0), seen("2", 101.0, gap_ns=2 * MS, missing=3, hole=5))
    cut = (job("3", 108.0), seen("3", 108.0, first_frames=40))
    found = values(results.of_main_job(work(early, good, cut)))
    seconds = 3.02 + 5.0 + 1.98
    assert found["calls"] == pytest.approx(seconds / 10)
    assert (found["calls made"], found["calls failed"]) == (3, 1)
    assert found["node's CPU"] == pytest.approx(300 / seconds)
    assert found["workers' CPU"] == pytest.approx(200 / seconds)
    assert found["all processes' CPU"] == pytest.approx(500 / seconds)
    # Two ended in the window: the early one and the good one.
    assert (found["node, a call"], found["workers, a call"]) == (150.0, 100.0)
    assert found["set-up, p99"] == pytest.approx(100.0)
    assert found["request to INVITE, p50"] == pytest.approx(10.0)
    assert found["key to sound, p50"] == pytest.approx(30.0)
    assert (found["gap's arrival, p99"], found["gap between sounds, most"]) == (2.0, 5)
    assert (found["packets missing"], found["memory"], found["workers"]) == (3, 150.5, 4)
    assert found["other processes"] == pytest.approx((1000 - 500 - 30 - 40) / 10_000)


def test_what_was_not_measured_is_no_number():
    found = values(results.of_main_job(work()))
    assert all(
        isnan(found[name]) for name in ("node's CPU", "node, a call", "set-up, p99", "key to sound, p99")
    )
    assert found["calls failed"] == 0


def test_calls_at_a_rate():
    brief = partial(job, expected=BRIEF)
    refused = Job("3", BRIEF, 103 * SECOND, refused=True, failure="Call: 429 key.limit")
    pairs = [
        (brief("1", 99.0), seen("1", 99.0, 0.3)),
        (brief("2", 102.0), seen("2", 102.0, 0.3)),
        (refused, None),
        (brief("4", 104.0), None),
    ]
    found = values(results.of_set_up(work(*pairs)))
    assert (found["calls placed"], found["calls made"]) == (0.3, 4)
    assert (found["calls refused"], found["calls failed"]) == (1, 1)
    assert (found["node, a call"], found["set-up, p50"]) == (300.0, 100.0)
    assert found["request answered, p99"] == pytest.approx(5.0)


def test_events_are_timed_from_the_wire_to_the_callback():
    number = Part.PROBE.number(7)
    timed = (job(number, 101.0, BRIEF), seen(number, 101.0, 0.15))
    found = values(results.of_events(work(timed, (job("1"), seen("1")))))
    assert (found["calls timed"], found["calls failed"]) == (1, 0)
    assert found["answer to callback, p50"] == pytest.approx(80.0)
    assert found["end to callback, p50"] == pytest.approx(30.0)
    assert found["event to callback, p99"] == pytest.approx(80.0)


def test_requests_are_told_by_connections():
    borne = {
        1: (Borne(500, 0, 5.0, 2.0, 3.0), WINDOW),
        8: (Borne(0, 8, 10.0, None, None, "no answer"), WINDOW),
    }
    found = values(results.of_requests(Requests(0, borne, work())))
    assert (found["requests, 1 connection"], found["request, 1 connection, p99"]) == (100.0, 3.0)
    assert found["node, a request, 1 connection"] == pytest.approx(0.6)
    assert isnan(found["request, 8 connections, p50"])
    assert found["requests failed, 8 connections"] == 8


@pytest.mark.parametrize(
    ("change", "heard", "said"),
    [
        ({}, {}, ""),
        ({"failure": "Call: 429 key.limit"}, {}, "Call: 429 key.limit"),
        ({"told": []}, {}, "its callbacks: none"),
        ({"told": job().told[:2]}, {}, "its callbacks: CallEstablished, PlayStart"),
        ({"told": [*job().told[1:], job().told[0]]}, {}, "its callbacks: PlayStart, PlayComplete, .*"),
        ({}, {"first_frames": 90}, "of its sounds, 90 and 50 packets were heard"),
        ({}, {"second_frames": 3}, "of its sounds, 100 and 3 packets were heard"),
    ],
)
def test_a_call_is_good_only_where_all_of_it_happened(change, heard, said):
    made = job()
    for name, value in change.items():
        setattr(made, name, value)
    assert re.fullmatch(said, judged.failure(made, seen(**heard)))


@pytest.mark.parametrize(
    ("action", "fields", "said"),
    [
        ("WaitForToneDetected", {"tone": "2"}, "the key 1 was pressed, and 2 came"),
        ("WaitForToneDetected", {}, "the key 1 was pressed, and none came"),
        ("RecordComplete", {"duration": "0.4"}, "0.4 s were recorded"),
        ("RecordComplete", {"duration": "two"}, "the recording has no duration: two"),
        ("RecordComplete", {}, "the recording has no duration: nothing"),
    ],
)
def test_what_a_callback_says_must_be_so(action, fields, said):
    made = job()
    made.told = [evolve(one, fields=fields) if one.action == action else one for one in made.told]
    assert judged.failure(made, seen()) == said


def test_a_call_of_which_the_far_end_knows_nothing_is_no_good():
    assert judged.failure(job(), None) == "the far end knows nothing of it"


def test_a_callback_that_comes_twice_counts_once():
    jobs = Jobs()
    made = jobs.begin(Part.BRIEF)
    for event, action in (("a", "CallEstablished"), ("a", "CallEstablished"), ("b", "CalleeHangUp")):
        assert not made.over.is_set()
        jobs.receive(f"/{made.number}", {"event": event, "action": action}, 7)
    assert [one.action for one in made.told] == list(BRIEF)
    assert made.over.is_set()
    assert (made.at("CalleeHangUp"), made.at("CallFailed")) == (7, 0)
    jobs.receive("/nobody", {}, 7)


def test_the_number_says_what_a_phone_does():
    assert [part_of(f"+{part.number(12)}") for part in Part] == list(Part)
    assert Part.MAIN.number(1) == "12012000001"
    assert part_of("anonymous") is Part.HELD
    told = Story({"7": seen("7")}, LATE)
    assert story_of(json.loads(json.dumps(told.as_json()))) == Story(
        {"7": evolve(seen("7"), heard=evolve(seen("7").heard, hertz=[]))}, LATE
    )


def test_processes_are_of_a_kind():
    kinds = ["ringful-worker", "ringful-media", "kamailio", "python", "asterisk"]
    assert [kind_of(name) for name in kinds] == ["workers", "workers", "front", "node", "node"]
    found = look(1, 1)
    assert set(found.cpu) <= {"node", "workers", "front"}
    assert found.machine > 0


@pytest.mark.parametrize(
    ("first", "body", "said"),
    [
        ("HTTP/1.1 200 OK", wav.header(4000) + b"\x00\x10" * 2000, ""),
        ("HTTP/1.1 200 OK", wav.header(4000) + b"\x01\x00" * 2000, "its recording is silent"),
        ("HTTP/1.1 200 OK", b"R", "its recording is silent"),
        ("HTTP/1.1 404 Not Found", b"", "its recording could not be had: HTTP/1.1 404 Not Found"),
    ],
)
def test_somebody_is_heard_in_a_recording(first, body, said):
    assert recordings.fault_in(Message(first, {}, body)) == said


def test_what_went_wrong_is_told_with_the_servers_log():
    bad = [(Job(str(number), BRIEF, failure="429"), None) for number in range(7)]
    told = wrong_in(evolve(work(*bad), said="disk full"))
    assert told[4:7] == ["4: 429", "the server's log: disk full", "5: 429"]
    assert wrong_in(work((job(), seen()))) == []


def test_our_own_customer_is_told_to_be_slow():
    found = [Figure("calls placed", "calls/s", (70.0,), "")]
    assert results.doubts("W1 at 80/s", 80, found) == [
        "W1 at 80/s: our own customer placed only 70 calls a second"
    ]
    assert results.doubts("W1 at 71/s", 71, found) == results.doubts("W2 at 60", 60, []) == []


# Curves


def test_a_curve_bends_where_it_is_farthest_from_straight():
    assert curves.bend_of(((10, 1.0), (30, 3.0), (60, 6.0), (100, 10.0))) is None
    assert curves.bend_of(((10, 1.0), (30, 1.0), (60, 1.2), (100, 10.0))) == 2
    assert curves.bend_of(((10, 5.0), (30, 5.0), (60, 5.0))) is None
    assert curves.bend_of(((10, 5.0), (30, 5.9), (60, 5.1))) is None
    assert curves.bend_of(((10, 0.0), (30, 0.0), (60, 0.0))) is None
    assert curves.bend_of(((10, 1.0), (60, 9.0))) is None
    assert curves.bend_of(((10, 1.0), (10, 2.0), (10, 1.0))) is None
    assert curves.bend_of(()) is None


def load(workload: str, at: float, unit: str = "", wrong: tuple[str, ...] = (), **figures: float) -> Load:
    names = {"cpu": "node's CPU", "gap": "gap's arrival, p99", "node": "node busy", "all": "machine busy"}
    names |= {name: f"calls {name}" for name in ("made", "refused", "failed")}
    made = tuple(Figure(names[name], "ms", (value,), "") for name, value in figures.items())
    return Load(workload, at, unit, made, wrong)


def test_a_picture_has_a_curve_for_each_figure_and_one_for_what_was_before():
    loads = [load("W2", at, cpu=7.0, gap=gap) for at, gap in ((60, 2.0), (10, 1.0), (100, 40.0))]
    loads += [load("W2", 200, cpu=float("nan"), gap=90.0), load("W7", 10, cpu=1.0)]
    earlier = {("W2 at 10", "node's CPU"): 9.0, ("W2 at 60", "node's CPU"): 8.0}
    drawn = ElementTree.fromstring(curves.picture(loads, earlier, "A & B <2 cores>"))
    name = "{http://www.w3.org/2000/svg}"
    texts = [one.text for one in drawn.iter(f"{name}text")]
    assert "A & B <2 cores>" in texts
    assert "node's CPU (7)" in texts
    assert "gap's arrival, p99 (90)" in texts
    assert not any("W7" in (text or "") for text in texts), "one load alone is no curve"
    lines = [one.get("points", "").split() for one in drawn.iter(f"{name}polyline")]
    assert [len(one) for one in lines] == [2, 3, 0, 4]
    assert curves.bends(loads) == ["W2, gap's arrival, p99: at 60 (2)"]
    loads += [load("W7", at, gap=gap, node=gap / 9, all=2.0) for at, gap in ((20, 1.0), (30, 9.0))]
    loads[4] = load("W7", 10, gap=1.0)
    assert curves.bends(loads)[1:] == [
        "W7, gap's arrival, p99: at 20 (1). "
        "at 20 the node had 0.11 cores, and 2.00 of the machine's worked; "
        "at 30 the node had 1.00 cores, and 2.00 of the machine's worked"
    ]
    assert ElementTree.fromstring(curves.picture([], {}, "nothing"))


def test_the_rate_that_was_sustained_is_told():
    good = load("W1", 20, "/s")
    bad = load("W1", 60, "/s", ("1: refused",), made=600.0, refused=5.0, failed=1.0)
    at = "at 60, of 600 calls 5 were refused, and 1 failed"
    assert sustained([good, bad]) == [f"W1: 20 calls a second were sustained; {at}"]
    assert sustained([good]) == ["W1: 20 calls a second were sustained; a higher rate was not tried"]
    assert sustained([bad]) == [f"W1: no rate was sustained; {at}"]
    assert sustained([load("W2", 20)]) == []
    assert good.name == "W1 at 20/s"


def test_every_workload_has_curves():
    assert WORKLOADS.keys() == curves.PANELS.keys()


# SIP and HTTP as the far end and the customer speak them

INVITE = (
    b"INVITE sip:+12012000000@127.0.0.1:9 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1:7\r\nm: <sip:a@127.0.0.1:7;ob>\r\n"
    b"Record-Route: <sip:p;lr>\r\nf: <sip:a@b>;tag=t\r\nt: <sip:c@d>\r\ni: call-1\r\nCSeq: 7 INVITE\r\n\r\n"
)


def test_the_far_end_hangs_up():
    request = sip.read(INVITE)
    assert request
    sent = sip.read(sip.bye(request, "ours", "sip:127.0.0.1:9", "b1"))
    assert sent
    assert (sent.method, sent.uri) == ("BYE", "sip:a@127.0.0.1:7;ob")
    assert (sent.header("from"), sent.header("to")) == ("<sip:c@d>;tag=ours", "<sip:a@b>;tag=t")
    assert (sent.header("call-id"), sent.header("route")) == ("call-1", "<sip:p;lr>")
    assert sip.answered(sip.response(request, "200 OK", "x")) == "call-1"
    assert sip.answered(b"SIP/2.0 481 Gone\r\nCall-ID:  a b\r\n\r\n") == "a"
    for odd in (b"", b"\xff", INVITE, b"SIP/2.0 100 Trying\r\ni: a\r\n\r\n", b"SIP/2.0 200 OK\r\n\r\n"):
        assert sip.answered(odd) == ""


async def read(*parts: bytes) -> list[Message]:
    near, far = trio.testing.memory_stream_pair()
    for part in parts:
        await near.send_all(part)
    await near.send_eof()
    found = []
    while message := await Wire(far).next():
        found.append(message)
    return found


async def test_messages_are_read_one_after_another():
    near, far = trio.testing.memory_stream_pair()
    await near.send_all(
        b"POST /1 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nConnection: Close\r\n\r\n"
    )
    await near.send_eof()
    wire = Wire(far)
    first, second, end = await wire.next(), await wire.next(), await wire.next()
    assert first
    assert second
    assert (first.first, first.body, first.closes) == ("POST /1 HTTP/1.1", b"abc", False)
    assert (second.first, second.body, second.closes) == ("GET /2 HTTP/1.1", b"", True)
    assert end is None


@pytest.mark.parametrize(
    "odd",
    [
        b"GET / HTTP/1.1\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nContent-Length: -4\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"\xff\x00" * 600_000,
    ],
)
async def test_what_is_no_message_is_an_error(odd):
    with pytest.raises(WireError):
        await read(odd)


def test_the_customers_web_server_knows_its_sounds():
    told: list[object] = []
    web = Web({"/a.wav": b"sound"}, lambda path, fields, at: told.append((path, fields)))
    whole = web.answer(Message("GET /a.wav HTTP/1.1", {}, b""))
    assert whole.endswith(b'ETag: "5"\r\nContent-Length: 5\r\n\r\nsound')
    assert b"304" in web.answer(Message("GET /a.wav HTTP/1.1", {"if-none-match": '"5"'}, b""))
    assert b"404" in web.answer(Message("GET /b.wav HTTP/1.1", {}, b""))
    assert b"404" in web.answer(Message("", {}, b""))
    assert b"200" in web.answer(Message("POST /7 HTTP/1.1", {}, b"action=PlayStart&x="))
    assert told == [("/7", {"action": "PlayStart", "x": ""})]


async def test_who_is_80_ms_away_is_told_later(autojump_clock, numbers):
    came: list[float] = []
    async with (
        open_web({}, lambda path, fields, at: came.append(trio.current_time())) as port,
        open_relay(port, 40.0) as away,
    ):
        asker = Asker(away, "h", "k", "s", numbers)
        began = trio.current_time()
        answer = await asker.get("/")
        # There and back to open the connection, there, and back.
        assert trio.current_time() - began == pytest.approx(160.0, abs=1)
        assert answer.first == "HTTP/1.1 404 Not Found"
        with pytest.raises(RefusedError, match=r"^Call: 404$"):
            await asker.ask("Call", callee="7")
        assert trio.current_time() - began == pytest.approx(240.0, abs=1)
        await asker.close()


@pytest.fixture
def numbers(tmp_path):
    with open_numbers(tmp_path / "seq") as counted:
        yield counted


async def test_a_connection_that_was_closed_while_it_rested_is_opened_again(numbers):
    asked: list[str] = []

    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            message = await Wire(stream).next()
            assert message
            asked.append(message.first)
            await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nr1")

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        asker = Asker(listener.socket.getsockname()[1], "h", "k", "s", numbers)
        assert [await asker.ask("Call", callee=str(number)) for number in range(3)] == ["r1"] * 3
        await asker.close()
        nursery.cancel_scope.cancel()
    assert [re.sub("&.*", "", one) for one in asked] == [
        f"GET /Call/apikey/k?callee={number}" for number in range(3)
    ]


async def test_a_seq_that_was_overtaken_is_asked_for_again_once(numbers):
    answers = [b"409 Conflict", b"200 OK", b"409 Conflict", b"409 Conflict", b"429 Too Many Requests"]

    async def serve(stream: trio.SocketStream) -> None:
        wire = Wire(stream)
        async with stream:
            while await wire.next():
                await stream.send_all(b"HTTP/1.1 %b\r\nContent-Length: 0\r\n\r\n" % answers.pop(0))

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        asker = Asker(listener.socket.getsockname()[1], "h", "k", "s", numbers)
        assert await asker.ask("Call") == ""
        for status in (409, 429):
            with pytest.raises(RefusedError, match=f"^Call: {status}$"):
                await asker.ask("Call")
        await asker.close()
        nursery.cancel_scope.cancel()
    assert numbers.next() == 6


def test_a_server_that_is_gone_is_a_refusal(numbers):
    with nobody() as address:
        order = Assault(int(address.partition(":")[2]), address, "k", "s", ("r1-1",), 2, 0.1, "")
        borne = assault(order, numbers)
    assert (borne.requests, borne.failed, borne.p99) == (0, 1, None)
    assert borne.refusal == "no answer: Connection refused"


@pytest.mark.parametrize(("said", "requests", "failed"), [("Connection: close\r\n", 3, 0), ("", 6, 3)])
def test_a_connection_that_is_ended_is_opened_again_and_no_failure_where_that_was_said(
    numbers, said, requests, failed
):
    answer = f"HTTP/1.1 200 OK\r\n{said}Content-Length: 0\r\n\r\n".encode()

    def serve(listener):
        for left in (2, 1, 0):
            client, _ = listener.accept()
            with client:
                client.recv(65536)
                if not left:
                    listener.close()
                client.sendall(answer)
                if not said:
                    client.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=[listener])
        thread.start()
        port = listener.getsockname()[1]
        borne = assault(Assault(port, f"127.0.0.1:{port}", "k", "s", ("r1-1",), 1, 30.0, ""), numbers)
        thread.join()
    # In the end nobody listens.
    assert (borne.requests, borne.failed) == (requests, failed + 1)


def test_numbers_are_counted_by_all_who_have_the_file(numbers, tmp_path):
    assert [numbers.next(), numbers.next()] == [1, 2]
    with open_numbers(tmp_path / "seq") as others:
        assert [others.next(), numbers.next(), others.next()] == [3, 4, 5]


def test_requests_are_signed_and_no_seq_is_used_twice(numbers):
    asker = Asker(1, "h:1", "k", "s", numbers)
    first, second = (asker.request("Call", callee="+1 2").decode() for _ in range(2))
    found = re.fullmatch(
        r"GET (/Call/apikey/k)\?callee=%2B1%202&seq=(\d+)&sig=(\w+) HTTP/1\.1\r\nHost: h:1\r\n\r\n", first
    )
    assert found
    assert sign("s", "GET", found[1], [("callee", "+1 2"), ("seq", found[2])]) == found[3]
    assert first != second


# Servers

ORDER = server.Order("127.0.0.1:9", "http://127.0.0.1:8", 7)


def test_a_port_is_held_for_the_server():
    with server.held_port() as port, socket.socket() as other, socket.socket() as ours:
        with pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ours.bind(("127.0.0.1", port))
        ours.listen()


def test_a_line_says_the_key():
    assert server.key_in("starting\nkey K S\nkey L T\n") == ("K", "S")
    assert server.key_in("key K\nkeys are kept\n") is None


def test_a_server_is_told_where_everything_is(monkeypatch, tmp_path):
    monkeypatch.setenv("RINGFUL_STORE__URL", "sqlite:////precious.db")
    monkeypatch.setenv("RINGFUL_ENGINE", "python")
    found = server.environment(ORDER, 80, tmp_path, "K", "S")
    assert {name: value for name, value in found.items() if name.startswith("BENCH_")} == {
        "BENCH_HTTP": "127.0.0.1:80",
        "BENCH_TRUNK": "127.0.0.1:9",
        "BENCH_WEB": "http://127.0.0.1:8",
        "BENCH_CALLS": "7",
        "BENCH_FOLDER": str(tmp_path),
        "BENCH_KEY": "K",
        "BENCH_SECRET": "S",
    }
    assert "RINGFUL_STORE__URL" not in found
    assert found["RINGFUL_ENGINE"] == "python"


@pytest.mark.parametrize(
    ("command", "patience", "said"),
    [
        ("echo no disk >&2; exit 3", 30.0, "the server has ended with 3: no disk"),
        ("/nowhere/server", 30.0, "the server has ended with 127: .*/nowhere/server.*"),
        ("exec sleep 100", 0.3, r"the server was not ready within 0\.3 s: .*nobody listens there.*"),
    ],
)
async def test_a_server_that_does_not_start_is_told(tmp_path, command, patience, said):
    with pytest.raises(Complaint, match=f"^{said}$"):
        async with server.open_server(evolve(ORDER, command=command, patience=patience), tmp_path):
            raise AssertionError("it is not ready")


async def test_a_server_that_answers_but_is_not_ready_is_told(tmp_path):
    log = tmp_path / "log"
    log.write_text("1\n2\n3\n4\nno trunk\nno disk\n")
    said = "the server was not ready .* must answer 200, and 404 Not Found; it said: 2 / 3 / .*no disk"
    async with open_web({}, lambda path, fields, at: None) as port:
        process = await trio.lowlevel.open_process(["sleep", "100"])
        with pytest.raises(Complaint, match=f"^{said}$"):
            await server.until_ready(process, port, 4.0, log)
        process.kill()
        await process.wait()


# A real server


async def test_events_and_the_main_job_are_measured_on_a_real_server():
    found = await events(Place(), 1, Pace(seconds=2.0, ramp=0.0, settle=0.1))
    assert judged.failures(found) == []
    told = values(results.of_events(found))
    assert told["calls timed"] == 10
    assert 0 < told["event to callback, p50"] <= told["event to callback, p99"]
    main = values(results.of_main_job(found))
    assert main["node's CPU"] > 0
    assert main["workers"] >= 2


async def test_requests_are_measured_on_a_real_server():
    found = await requests(Place(), 0, Pace(seconds=0.4))
    assert judged.failures(found.work) == []
    assert found.borne.keys() == {1, 8}
    assert [borne.refusal for borne, _ in found.borne.values()] == ["", ""]
    assert all(borne.requests > 0 for borne, _ in found.borne.values())


def test_a_server_is_measured_that_a_command_starts(capsys, tmp_path):
    told, page = tmp_path / "figures.json", tmp_path / "page.md"
    earlier = tmp_path / "earlier.json"
    before = {"workload": "W1 at 5/s", "name": "node, a call", "median": 1.0}
    earlier.write_text(json.dumps({"figures": [before]}))
    options = ("--workloads", "w1", "--rates", "5", "--seconds", "1", "--json", told, "--write", page)
    more = ("--server", f": another one; {server.OURS}", "--folder", tmp_path, "--compare", earlier)
    output, errors, code = ringful(capsys, "bench", "calls", *map(str, (*options, *more)))
    assert (errors, code) == ("", 0)
    found = {(one["workload"], one["name"]): one["median"] for one in json.loads(told.read_text())["figures"]}
    assert {name for name, _ in found} == {"W1 at 5/s"}
    assert found["W1 at 5/s", "calls failed"] == 0, output
    assert found["W1 at 5/s", "calls made"] == 21
    assert found["W1 at 5/s", "node, a call"] > 0
    assert "W1: 5 calls a second were sustained; a higher rate was not tried" in output
    assert re.search(r"^node, a call +[\d.,]+ \(x[\d.]+\) +ms/call$", output, re.MULTILINE)
    assert "| calls failed | 0 |" in page.read_text()
    assert ElementTree.parse(page.with_suffix(".svg"))
    written = {"earlier.json", "figures.json", "page.md", "page.svg"}
    assert {file.name for file in tmp_path.iterdir()} == written


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_whatever_ends_the_command_leaves_neither_a_server_nor_a_folder(ending, tmp_path):
    """A server says that it has begun, and is never ready."""
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    folder = tmp_path / "folder"
    folder.mkdir()
    stub = f"echo $$ $BENCH_FOLDER > {begun}; exec sleep 3600"
    options = ("--workloads", "W1", "--rates", "5", "--folder", str(folder), "--server", stub)
    command = [sys.executable, "-m", "ringful.command.main", "bench", "calls", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        pid, its_folder = begun.read_text().split()
        assert Path(its_folder).parent == folder
        process.send_signal(ending)
        _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (130, "")
    assert list(folder.iterdir()) == []
    assert not Path("/proc", pid).exists()


TIMES = "--rounds is at least 1, --seconds more than 0, and --ramp not less than 0, both 3600 at most"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--workloads", "W3"], "there is no workload `W3`; .*W2.*"),
        (["--workloads", "w9"], "there is no workload `W9`; .*W2.*"),
        (["--workloads", "W1 W2"], "there is no workload `W1 W2`; .*"),
        (["--calls", "0"], "--calls 0: numbers from 1 to 500, as 10,30,60"),
        (["--calls", "-1"], "--calls -1: numbers from 1 to 500, as 10,30,60"),
        (["--calls", "a"], "--calls a: numbers from 1 to 500, as 10,30,60"),
        (["--calls", "nan"], "--calls nan: numbers from 1 to 500, as 10,30,60"),
        (["--calls", "10,10000"], "--calls 10,10000: numbers from 1 to 500, as 10,30,60"),
        (["--calls", ""], "--calls : numbers from 1 to 500, as 10,30,60"),
        (["--rates", "0.5"], "--rates 0.5: numbers from 1 to 1000, as 20,40,60"),
        (["--rates", "1001"], "--rates 1001: numbers from 1 to 1000, as 20,40,60"),
        (["--rounds", "0"], TIMES),
        (["--seconds", "0"], TIMES),
        (["--seconds", "-1"], TIMES),
        (["--seconds", "nan"], TIMES),
        (["--seconds", "inf"], TIMES),
        (["--ramp", "nan"], TIMES),
        (["--server", " "], "--server: a shell command that starts a server"),
        (["--write", "/nowhere/page.md"], "/nowhere: there is no such folder"),
        (["--write", "/tmp"], "/tmp: no file can be written there"),
        (["--folder", "/nowhere"], "/nowhere: there is no such folder"),
        (["--compare", "/nowhere.json"], "/nowhere.json: No such file or directory"),
        (["--server", "echo away >&2; exit 7"], "the server has ended with 7: away"),
    ],
)
def test_what_cannot_be_measured_is_told(capsys, arguments, said):
    output, errors, code = ringful(capsys, "bench", "calls", "--json", "-", *arguments)
    assert (output, code) == ("", 2)
    assert re.fullmatch(f"ringful: {said}\n", errors), errors
