"""Texts between a pool and its workers, and in a worker; the way over SIP is in tests/messages."""

from typing import Any, cast

import pytest
import trio
import trio.lowlevel
from attrs import define, field

from ringful.media import port
from ringful.media.engine.library import Library
from ringful.media.engine.texts import Inbox, Outbox, decoded, outcome, why_not
from ringful.media.engine.worker import failure_of
from ringful.media.texts import AT_ONCE, Texts
from tests.media.lines import FakeLine
from tests.server import PATIENCE


@define
class Door:
    """Stands for whoever knows the entrance."""

    entrance: FakeLine | None = field(factory=FakeLine)


def told(name: str, kind: str = "answered", status: int = 200) -> dict[str, Any]:
    return {"is": "TextSent", "text": name, "kind": kind, "status": status, "reason": "So"}


async def until(said: Any) -> None:
    with trio.fail_after(PATIENCE):
        while not said():
            await trio.lowlevel.checkpoint()


async def test_few_are_under_way_at_a_time_and_each_hears_its_own_end(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    door = Door()
    texts = Texts(door, nursery)
    assert door.entrance
    line, ends = door.entrance, {}

    async def send(n: int) -> None:
        ends[n] = await texts.send("sip:x", "+1", f"text {n}")

    for n in range(3 * AT_ONCE):
        nursery.start_soon(send, n)
    await until(lambda: len(line.orders) == AT_ONCE)
    await trio.testing.wait_all_tasks_blocked()
    assert len(line.orders) == AT_ONCE
    while len(ends) < 3 * AT_ONCE:
        for order in line.orders[len(ends) :]:
            number = int(order["body"].split()[1])
            texts.hear(line, told(order["text"], status=200 + number))
            texts.hear(line, told(order["text"], status=500))
        await trio.sleep(1)
    assert ends == {n: port.TextOutcome("answered", 200 + n, "So") for n in range(3 * AT_ONCE)}


async def test_they_are_few_within_a_second_also_where_each_is_answered_at_once(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    door = Door()
    texts = Texts(door, nursery)
    line, ends = door.entrance, 0
    assert line

    async def send() -> None:
        nonlocal ends
        while True:
            await texts.send("sip:x", "+1", "Hello")
            ends += 1

    async def answer() -> None:
        while True:
            orders, line.orders = line.orders, []
            for order in orders:
                texts.hear(line, told(order["text"]))
            await trio.sleep(0.001)

    with trio.move_on_after(10):
        async with trio.open_nursery() as inner:
            inner.start_soon(answer)
            for _ in range(3 * AT_ONCE):
                inner.start_soon(send)
    assert 700 < ends <= 800 + AT_ONCE


async def test_without_an_entrance_nothing_leaves(nursery: trio.Nursery) -> None:
    texts = Texts(Door(None), nursery)
    assert await texts.send("sip:x", "", "Hello") == port.TextOutcome(
        "unsent", reason="no media worker listens at sip.bind"
    )


async def test_what_a_dead_worker_had_may_have_arrived(nursery: trio.Nursery) -> None:
    door = Door()
    texts = Texts(door, nursery)
    line = door.entrance
    assert line
    ends: list[port.TextOutcome] = []

    async def send() -> None:
        ends.append(await texts.send("sip:x", "", "Hello"))

    nursery.start_soon(send)
    await until(lambda: line.orders)
    texts.worker_ended(FakeLine())
    await trio.testing.wait_all_tasks_blocked()
    assert ends == []
    texts.worker_ended(line)
    await until(lambda: ends)
    assert ends == [port.TextOutcome("unknown", reason="the media process died")]
    # What it says when it is no more is nobody's.
    texts.hear(line, told(line.orders[0]["text"]))


async def test_whoever_takes_texts_says_the_answer(nursery: trio.Nursery) -> None:
    line, texts = FakeLine(), Texts(Door(), nursery)
    came = {"is": "TextOffered", "text": "in-1", "sender": "+1", "number": "+2", "body": "Hello"}

    async def take(offer: port.TextOffer) -> int:
        assert offer == port.TextOffer("+1", "+2", "Hello")
        return 202

    async def fail(offer: port.TextOffer) -> int:
        raise LookupError("nobody thought of it")

    for n, (desk, status) in enumerate([(None, 480), (take, 202), (fail, 500)]):
        texts.desk = desk
        texts.hear(line, came)
        await until(lambda n=n: len(line.orders) > n)
        assert line.orders[-1] == {"do": "answer_text", "text": "in-1", "status": status}


# In the worker


@pytest.mark.parametrize(
    ("status", "reason", "answered", "kind"),
    [
        (200, "OK", True, ("answered", 200)),
        (408, "Request Timeout", True, ("answered", 408)),
        (408, "Request Timeout", False, ("unknown", 408)),
        (503, "Connection refused", False, ("unsent", 503)),
        (503, "Unsupported transport (PJSIP_EUNSUPTRANSPORT)", False, ("unsent", 503)),
        (503, "Connection reset by peer", False, ("unknown", 503)),
        (503, "Message too long (PJSIP_EMSGTOOLONG)", False, ("answered", 513)),
    ],
)
def test_what_is_known_of_a_text(status: int, reason: str, answered: bool, kind: tuple[str, int]) -> None:
    said = outcome("t1", status, reason, answered=answered)
    assert (said["kind"], said["status"]) == kind


def test_an_outcome_is_told_once() -> None:
    said: list[dict[str, Any]] = []
    box = Outbox(said.append)
    box.note("t1", 7, object())
    box.heard(7, 503, "Connection refused", answered=False)
    box.failed(7, 120111, "Connection refused")
    box.heard(8, 200, "OK", answered=True)
    assert [one["kind"] for one in said] == ["unsent"]
    box.note("t2", 7, object())
    box.failed(7, 171039, "Invalid URI")
    assert said[1:] == [
        {"is": "TextSent", "text": "t2", "kind": "unsent", "status": 171039, "reason": "Invalid URI"}
    ]


def test_an_order_that_nobody_expected_has_its_outcome() -> None:
    said = failure_of({"do": "send_text", "text": "t1"}, "why")
    assert said == {"is": "TextSent", "text": "t1", "kind": "unknown", "status": 500, "reason": "why"}
    assert failure_of({"do": "answer_text", "text": "in-1"}, "why") is None


HEAD = "MESSAGE sip:+2@us SIP/2.0\r\nFrom: <sip:+1@x>\r\n"


def test_a_library_that_we_do_not_know_says_200_by_itself() -> None:
    said: list[dict[str, Any]] = []
    logged: list[str] = []
    box = Inbox(said.append, lambda job: job(), logged.append)

    class Other:
        loaded = object()

    box.open(cast(Library, Other()))
    assert logged[0].startswith("texts that come in are acknowledged before they are kept: ")
    box.came(f"{HEAD}Content-Type: text/plain\r\n\r\nHi", "text/plain", "Hi")
    box.came(f"{HEAD}Content-Type: text/html\r\n\r\nHi", "text/html", "Hi")
    assert said == [{"is": "TextOffered", "text": "in-1", "sender": "+1", "number": "+2", "body": "Hi"}]
    box.answer("in-1", 200)


@pytest.mark.parametrize(
    ("message", "kind", "status"),
    [
        (f"{HEAD}Content-Length: 2\r\n\r\nHi", "text/plain", 0),
        (f"{HEAD}l: 4\r\n\r\n👩", "Text/Plain", 0),
        (f"{HEAD}L:5\r\n\r\n👩", "text/plain", 513),
        (f"{HEAD}Content-Length: 1\n\n\udcff", "text/plain", 0),
        (f"{HEAD}\r\nContent-Length: 99\r\n\r\n", "text/plain", 0),
        (f"{HEAD}c: text/plain\r\n\r\n", "", 0),
        (f"{HEAD}\r\n\r\nContent-Type: text/plain", "", 415),
        (f"{HEAD}Content-Type: text/plainer\r\n\r\n", "", 415),
    ],
)
def test_what_a_text_must_be(message: str, kind: str, status: int) -> None:
    assert why_not(message, kind) == status


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("Hi 👩", "text/plain", "Hi 👩"),
        ("a\udcff", "text/plain", "a\ufffd"),
        ("caf\udce9", "text/plain;charset=ISO-8859-1", "café"),
        ("caf\udce9", 'text/plain; x=1; charset="windows-1252"', "café"),
        ("caf\udce9", "text/plain;charset=iso-8859-99", "caf\ufffd"),
        ("\\ud83d", "text/plain;charset=unicode_escape", "\\ud83d"),
        ("abc", "text/plain;charset=utf-16", None),
    ],
)
def test_a_body_is_read_as_its_character_set_says(body: str, kind: str, text: str | None) -> None:
    made = decoded(body, f"{HEAD}Content-Type: {kind}\r\n\r\n{body}")
    made.encode()
    assert text is None or made == text
