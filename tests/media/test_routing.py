"""Which trunk a call goes by: by rule, and on real SIP, where the first ones do not take it."""

import socket
from pathlib import Path

import pytest

from ringful.media import port
from ringful.media.routing import is_worth_another, ways
from ringful.media.trunks import Trunk
from tests.media.test_pool import Line, line
from tests.server import phone
from tests.trunk import false_trunk, trunk_to

TRUNKS = (
    Trunk("all", "h"),
    Trunk("us", "h", prefixes=("1",)),
    Trunk("texas", "h", prefixes=("1512", "1210"), order=5),
    Trunk("austin", "h", prefixes=("1512",), order=4),
    Trunk("uk", "h", prefixes=("44",)),
)


@pytest.mark.parametrize(
    ("number", "dead", "wanted"),
    [
        ("+15125551234", "", "austin texas us all"),
        ("15125551234", "", "austin texas us all"),
        ("+12105551234", "", "texas us all"),
        ("+13035551234", "", "us all"),
        ("+442012345678", "", "uk all"),
        ("+4", "", "all"),
        ("+", "", "all"),
        ("+15125551234", "austin us", "texas all austin us"),
        ("+442012345678", "uk all", "uk all"),
    ],
)
def test_the_longest_prefix_then_the_order_and_the_dead_last(number: str, dead: str, wanted: str) -> None:
    assert " ".join(one.name for one in ways(TRUNKS, number, dead.split())) == wanted


def test_a_number_that_no_trunk_takes() -> None:
    assert ways(TRUNKS[1:], "+39061234567") == ()


@pytest.mark.parametrize("status", [None, 401, 402, 403, 407, 408, 488, 500, 502, 503, 504, 599, 606])
def test_what_a_trunk_says_of_itself_another_one_may_not_say(status: int | None) -> None:
    assert is_worth_another(port.Refused("a", "unreachable", status), rang=False)
    assert not is_worth_another(port.Refused("a", "unreachable", status), rang=True)


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        *(("busy", status) for status in (486, 600)),
        *(("unreachable", status) for status in (404, 410, 484)),
        ("rejected", 603),
        ("noanswer", 480),
        ("cancelled", 487),
        ("capacity", None),
    ],
)
def test_what_is_said_of_the_callee_is_so_by_every_way(reason: port.RefusalReason, status: int) -> None:
    assert not is_worth_another(port.Refused("a", reason, status), rang=False)


def ring(ours: Line, leg: str, number: str = "+15125551234") -> None:
    ours.pool.ring(leg, number, None, ours.send.send_nowait)


async def test_a_call_goes_on_to_the_trunk_that_takes_it(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        gone = f"127.0.0.1:{closed.getsockname()[1]}"
    with false_trunk() as full, false_trunk() as strict, phone("--answer-after", "0.1s") as (address, _):
        full.status, strict.status = 503, 403
        trunks = (
            trunk_to("nowhere.invalid", "lost"),
            trunk_to(gone, "gone", transport="tcp"),
            trunk_to(full.address, "full"),
            trunk_to(strict.address, "strict", username="me", password="secret"),
            trunk_to(address, "good", username="us", password="secret"),
        )
        async with line(tmp_path, trunks=trunks) as ours:
            ring(ours, "a")
            await ours.next(port.Answered, "a")
            assert [event for event in ours.told if isinstance(event, port.Refused)] == []
            assert ours.pool.legs["a"].trunk == trunks[-1]
            assert ("INVITE" in full.asked, "INVITE" in strict.asked) == (True, True)
            ours.pool.hang_up("a")
            await ours.next(port.HungUp, "a")


async def test_the_last_trunks_word_is_the_calls(tmp_path: Path) -> None:
    with false_trunk() as full, false_trunk() as strict:
        full.status, strict.status = 503, 403
        trunks = (trunk_to(full.address, "full"), trunk_to(strict.address, "strict"))
        async with line(tmp_path, trunks=trunks) as ours:
            ring(ours, "a")
            end = await ours.next(port.Refused, "a")
            assert (end.reason, end.sip_status) == ("rejected", 403)
            strict.status = 488
            full.asked.clear()
            strict.status = 603
            ring(ours, "b")
            assert (await ours.next(port.Refused, "b")).sip_status == 603
            # A callee who declines is not asked again by way of another.
            full.status, strict.asked[:] = 603, []
            ring(ours, "c")
            assert (await ours.next(port.Refused, "c")).sip_status == 603
            assert strict.asked == []


async def test_as_many_trunks_with_passwords_as_there_are_no_accounts_for(tmp_path: Path) -> None:
    with phone("--answer-after", "0.1s") as (address, _):
        trunks = tuple(
            trunk_to(address, f"t{n}", prefixes=(str(n),), username=f"u{n}", password="p")
            for n in range(10, 22)
        )
        async with line(tmp_path, trunks=trunks) as ours:
            for n in range(10, 22):
                ring(ours, f"leg{n}", f"+{n}5551234")
                await ours.next(port.Answered, f"leg{n}")
                ours.pool.hang_up(f"leg{n}")
                await ours.next(port.HungUp, f"leg{n}")
            assert ours.pool.crew.died == 0
