"""Requests of far ends within a call, and outside of any: each has its right answer, and the call goes on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ringful.media import port
from ringful.media.engine.answers import METHODS, outside, within
from ringful.media.engine.outcomes import transfer_end
from tests.media.sip_peer import Call, Message, Peer, sdp, sip_peer
from tests.media.test_pool import Line, line
from tests.rtp_far_end import Mouth

ACTIVE, TERMINATED = "active;expires=60", "terminated;reason=noresource"
TRYING = "SIP/2.0 100 Trying\r\n"
STRANGE = "Content-Type: application/strange"


async def answered(calls: Line, peer: Peer, name: str = "a") -> tuple[Call, Mouth]:
    """Ring the peer, which answers; it speaks to where the offer said."""
    calls.ring(name, peer.address)
    call = await peer.called()
    mouth = await peer.mouth(440)
    await call.answer(200, sdp=sdp(mouth.port))
    await peer.request("ACK")
    await calls.next(port.Answered, name)
    assert call.invite
    mouth.to = call.invite.sound
    return call, mouth


@asynccontextmanager
async def talking(folder: Path) -> AsyncIterator[tuple[Line, Call, Mouth]]:
    """Give a call that is up, and that the far end hangs up after all."""
    async with sip_peer() as peer, line(folder) as calls:
        call, mouth = await answered(calls, peer)
        yield calls, call, mouth
        assert (await call.hang_up()).status == 200
        assert (await calls.next(port.HungUp)).by == "callee"


ALLOWED = frozenset(METHODS.split(", "))


def allowed(said: Message) -> frozenset[str]:
    return frozenset(said.header("allow").split(", ")) - {""}


async def test_requests_within_a_call(tmp_path: Path) -> None:
    async with talking(tmp_path) as (_, call, _):
        for number, headers in enumerate([(), ("Accept: application/sdp",)]):
            said = await call.ask("OPTIONS", *headers)
            assert (number, said.status, allowed(said)) == (number, 200, ALLOWED)
        for method in ("NONSENSE", "REGISTER"):
            said = await call.ask(method)
            assert (method, said.status, allowed(said)) == (method, 405, ALLOWED)
        for method in ("NOTIFY", "SUBSCRIBE", "PUBLISH"):
            said = await call.ask(method, "Event: dialog")
            assert (method, said.status) == (method, 489)
        assert (await call.ask("INFO")).status == 200
        # A gate before the library may have taken away what nobody here reads.
        assert (await call.ask("INFO", STRANGE, body="what?")).status in (200, 415)
        package = await call.ask("INFO", "Info-Package: weather", STRANGE, body="rain")
        assert (package.status, "recv-info" in package.headers) == (469, True)


async def test_requests_outside_of_a_call(tmp_path: Path) -> None:
    async with sip_peer() as peer, line(tmp_path) as calls:
        (address,) = calls.pool.addresses
        for method, statuses in [
            ("NONSENSE", {405}),
            ("REGISTER", {405}),
            ("REFER", {405, 603}),
            ("SUBSCRIBE", {489}),
            ("PUBLISH", {489}),
            ("NOTIFY", {481, 489}),
            ("INFO", {481}),
            ("UPDATE", {481}),
            ("BYE", {481}),
            ("OPTIONS", {200}),
        ]:
            said = await peer.outgoing(address, "+1800").ask(
                method, "Event: presence", "Refer-To: <sip:1@2.3.4.5>"
            )
            assert (method, said.status in statuses) == (method, True)
            assert said.status != 405 or allowed(said) == ALLOWED
        call = peer.outgoing(address, "+1800")
        call.theirs += ";tag=none"
        assert (await call.ask("OPTIONS")).status == 481


def test_what_is_for_others_to_answer() -> None:
    assert [outside(one) for one in ("INVITE", "ACK", "CANCEL", "OPTIONS", "MESSAGE")] == [None] * 5
    assert within("").status == 405


@pytest.mark.parametrize(
    ("headers", "body", "status", "header"),
    [
        ("", "", 200, ""),
        (f"{STRANGE}\r\n", "what?", 415, "Accept"),
        (f"{STRANGE}\r\n", "", 415, "Accept"),
        ("c : text/plain\r\nInfo-package: weather\r\n", "rain", 469, "Recv-Info"),
    ],
)
def test_what_an_info_is_answered_with(headers: str, body: str, status: int, header: str) -> None:
    said = within(f"INFO sip:a@b SIP/2.0\r\n{headers}\r\n{body}")
    assert (said.status, "".join(name for name, _ in said.headers)) == (status, header)


@pytest.mark.parametrize(
    ("notes", "end"),
    [
        ([(ACTIVE, TRYING), (TERMINATED, "SIP/2.0 200 OK\r\n")], None),
        (
            [(ACTIVE, ""), ("active", TRYING), ("active", "SIP/2.0 180 Ringing"), (ACTIVE, "SIP/2.0 200 OK")],
            None,
        ),
        ([("pending", TRYING), ("active", "SIP/2.0 486 Busy Here\r\n")], ("busy", 486)),
        ([(ACTIVE, TRYING), (TERMINATED, "")], ("unreachable", None)),
        # We want to hear more than the far end is ready to tell: it refuses, and says the end all the same.
        ([("active;expires=1", TRYING), ("", ""), (TERMINATED, "SIP/2.0 200 OK\r\n")], None),
    ],
    ids=["as it should be", "always active", "pending", "no end", "no refresh"],
)
async def test_what_comes_of_a_refer(
    tmp_path: Path, notes: list[tuple[str, str]], end: tuple[str, int | None] | None
) -> None:
    async with talking(tmp_path) as (calls, call, _):
        call.peer.by_itself["SUBSCRIBE"] = 405
        calls.pool.transfer("a", 7, "sip:9@127.0.0.1")
        await call.answer(202, to=await call.peer.request("REFER"))
        for state, body in notes:
            if not state:
                await call.peer.request("SUBSCRIBE")
                continue
            kind = ["Content-Type: message/sipfrag;version=2.0"] if body else []
            await call.ask("NOTIFY", "Event: refer", f"Subscription-State: {state}", *kind, body=body)
        if end is None:
            assert await calls.next(port.Transferred) == port.Transferred("a", 7)
        else:
            failed = await calls.next(port.TransferFailed)
            assert (failed.reason, failed.sip_status) == end
        assert not [one for one in calls.told if isinstance(one, port.HungUp | port.TransferFailed)][
            end is not None :
        ]


async def test_a_refer_that_is_refused(tmp_path: Path) -> None:
    async with talking(tmp_path) as (calls, call, _):
        calls.pool.transfer("a", 7, "sip:9@127.0.0.1")
        await call.answer(403, to=await call.peer.request("REFER"))
        failed = await calls.next(port.TransferFailed)
        assert (failed.reason, failed.sip_status) == ("rejected", 403)


@pytest.mark.parametrize(
    ("event", "state", "body", "status"),
    [
        ("refer", "active", TRYING, None),
        ("refer;id=7", "active", "SIP/2.0 603 No", 603),
        ("refer", "terminated", TRYING, 0),
        ("dialog", "terminated", "SIP/2.0 200 OK", None),
        ("refer", "terminated", "2.0 200 OK", 0),
    ],
)
def test_what_a_notify_says(event: str, state: str, body: str, status: int | None) -> None:
    message = f"NOTIFY sip:a@b SIP/2.0\r\nEvent: {event}\r\nSubscription-State: {state}\r\n\r\n{body}"
    assert transfer_end(message) == status
