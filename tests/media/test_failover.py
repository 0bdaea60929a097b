"""A call that a trunk does not take goes by the next one, on real SIP."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ringful.media import port
from ringful.media.engine.parties.outgoing import Patience
from ringful.media.trunks import UNHEARD
from tests.media.sip_peer import sdp, sip_peer
from tests.media.test_pool import line
from tests.trunk import false_trunk, trunk_to

NUMBER = "+15125551234"


async def test_the_next_trunk_is_tried_and_one_that_is_avoided_comes_last(tmp_path: Path) -> None:
    with false_trunk() as north, false_trunk() as south:
        north.status, south.status = 503, 486
        both = trunk_to(north.address, "north", prefixes=("1",)), trunk_to(south.address, "south")
        async with line(tmp_path, trunks=both) as calls:

            async def ring(leg: str) -> int | None:
                calls.pool.ring(leg, NUMBER, None, calls.send.send_nowait)
                return (await calls.next(port.Refused, leg)).sip_status

            assert await ring("a") == 486
            assert (north.asked.count("INVITE"), south.asked.count("INVITE")) == (1, 1)
            assert calls.pool.ways.failures == {"north": 1}
            assert calls.pool.ways.last_failures["north"].startswith("503")
            calls.pool.ways.avoided = lambda: {"north"}
            assert await ring("b") == 486
            assert (north.asked.count("INVITE"), south.asked.count("INVITE")) == (1, 2)
            # What is said of the callee is said by every trunk: nobody else is asked.
            south.status = 603
            assert await ring("c") == 603
            assert north.asked.count("INVITE") == 1
            # One that is avoided is better than none.
            south.status, north.status = 503, 404
            assert await ring("d") == 404
            # Of what all said, the last counts.
            north.status = 500
            assert await ring("e") == 500


async def test_a_name_that_leads_nowhere_is_a_reason_to_try_the_next(tmp_path: Path) -> None:
    with false_trunk() as south:
        south.status = 486
        both = trunk_to("nowhere.invalid", "north"), trunk_to(south.address, "south", order=1)
        async with line(tmp_path, trunks=both) as calls:
            calls.pool.ring("a", NUMBER, None, calls.send.send_nowait)
            assert (await calls.next(port.Refused)).sip_status == 486
            assert calls.pool.ways.last_failures["north"].endswith("cannot be resolved")


async def test_a_trunk_that_says_nothing_is_left_for_the_next_one_and_asked_last(tmp_path: Path) -> None:
    async with sip_peer() as north:
        with false_trunk() as south, accepting() as deaf:
            south.status = 486
            ways = (
                trunk_to(deaf, "east", transport="tcp", answer_within=1.0),
                trunk_to(north.address, "north", order=1, answer_within=1.0),
                trunk_to(south.address, "south", order=2),
            )
            async with line(tmp_path, trunks=ways) as calls:
                calls.pool.ring("a", NUMBER, None, calls.send.send_nowait)
                assert (await calls.next(port.Refused, "a")).sip_status == 486
                assert calls.pool.ways.failures == {"east": 1, "north": 1}
                said = "408 nothing was heard from it within 1 s"
                assert calls.pool.ways.last_failures == {"east": said, "north": said}
                # One that answers at last is told that nobody wants it any more.
                late = await north.called()
                await late.answer(200, sdp=sdp())
                await north.request("ACK")
                await north.request("BYE")
                # For a while nobody waits for them again.
                asked = len(north.asked)
                calls.pool.ring("b", NUMBER, None, calls.send.send_nowait)
                assert (await calls.next(port.Refused, "b")).sip_status == 486
                assert len(north.asked) == asked


async def test_a_trunk_by_which_nothing_rings_is_left_where_there_is_another(tmp_path: Path) -> None:
    async with sip_peer() as north:
        with false_trunk() as south:
            south.status = 486
            both = (
                trunk_to(north.address, "north", ring_within=1.0),
                trunk_to(south.address, "south", order=1),
            )
            async with line(tmp_path, trunks=both) as calls:
                calls.pool.ring("a", NUMBER, None, calls.send.send_nowait)
                call = await north.called()
                await call.answer(100)
                await call.answer(200, to=await north.request("CANCEL"))
                await call.answer(487)
                assert (await calls.next(port.Refused, "a")).sip_status == 486
                assert calls.pool.ways.last_failures["north"] == "408 nothing rang within 1 s"


@contextmanager
def accepting() -> Iterator[str]:
    """Take connections, and say nothing; gives the address."""
    with socket.create_server(("127.0.0.1", 0)) as ours:
        yield "{}:{}".format(*ours.getsockname())


def test_patience_ends_with_the_first_answer_and_with_what_goes_on() -> None:
    patience = Patience(answer_within=2.0, ring_within=5.0)
    assert not patience.waits
    patience.begin(10.0)
    assert (patience.why_over(11.9), patience.why_over(12.0)) == ("", f"{UNHEARD} within 2 s")
    patience.heard(401)
    patience.asked(11.0)
    assert patience.why_over(13.0) == f"{UNHEARD} within 2 s"
    patience.heard(100)
    assert (patience.why_over(14.9), patience.why_over(15.0)) == ("", "nothing rang within 5 s")
    patience.heard(181)
    assert (patience.why_over(99.0), patience.waits) == ("", False)
    endless = Patience()
    endless.begin(0.0)
    endless.asked(0.0)
    assert (endless.why_over(9e9), endless.waits) == ("", False)
