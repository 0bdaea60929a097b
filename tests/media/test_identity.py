"""Who calls, as it stands on the wire: of calls that come in, and of calls out as each trunk wants it."""

from pathlib import Path
from typing import Any

import pytest
import trio

from ringful.media import port
from ringful.media.trunks import Trunk
from tests.media.sip_peer import Message, Peer, sdp, sip_peer
from tests.media.test_pool import Line, line
from tests.trunk import trunk_to

OURS = "+18005550000"
CALLER = "+15125550100"


async def rung(
    calls: Line, peer: Peer, caller: str | None = CALLER, number: str = "+15125551234", **shown: Any
) -> Message:
    """Ring *number* by the trunk that the peer is, refuse it there, and give the INVITE."""
    leg = f"a{len(peer.came)}"
    calls.pool.ring(leg, number, caller, calls.send.send_nowait, shown=port.Shown(**shown))
    call = await peer.called()
    await call.answer(486)
    assert (await calls.next(port.Refused, leg)).reason == "busy"
    assert call.invite
    return call.invite


def trunk_of(peer: Peer, **more: Any) -> tuple[Trunk, ...]:
    return (trunk_to(peer.address, "north", domain="carrier.test", **more),)


async def test_a_name_is_shown_beside_the_number(tmp_path: Path) -> None:
    async with sip_peer() as peer, line(tmp_path, trunks=trunk_of(peer, asserted=True)) as calls:
        for name, written in [
            ("Ann Lee", '"Ann Lee"'),
            ('Lee; "A" \\ <sip:9@x>, Zoë 漢', '"Lee; \\"A\\" \\\\ <sip:9@x>, Zoë 漢"'),
            ("a\r\nb\x00c", '"a b c"'),
            ("n" * 300, f'"{"n" * 64}"'),
        ]:
            invite = await rung(calls, peer, name=name)
            assert invite.header("from").partition(";tag=")[0] == f"{written} <sip:{CALLER}@carrier.test>"
            assert invite.header("p-asserted-identity") == f"{written} <sip:{CALLER}@carrier.test>"
        invite = await rung(calls, peer, number="#31#")
        assert invite.uri.startswith("sip:%2331%23@")
        assert invite.header("from").startswith(f"<sip:{CALLER}@carrier.test>")


async def test_a_caller_who_is_withheld_is_told_to_a_trunk_alone_that_wants_to_know(tmp_path: Path) -> None:
    async with sip_peer() as peer, sip_peer() as other:
        north = trunk_to(peer.address, "north", domain="carrier.test", asserted=True, prefixes=("1",))
        trunks = (north, trunk_to(other.address, "south", from_number="+442079460000"))
        async with line(tmp_path, trunks=trunks) as calls:
            invite = await rung(calls, peer, name="Ann", withheld=True)
            anonymous = '"Anonymous" <sip:anonymous@anonymous.invalid>'
            assert invite.header("from").startswith(f"{anonymous};tag=")
            assert invite.headers["privacy"] == ["id"]
            assert invite.headers["p-asserted-identity"] == [f'"Ann" <sip:{CALLER}@carrier.test>']
            invite = await rung(calls, other, number="+442079460001", withheld=True)
            assert invite.header("from").startswith(f"{anonymous};tag=")
            assert invite.headers["privacy"] == ["id"]
            assert "p-asserted-identity" not in invite.headers
            whole = " ".join(value for name in invite.headers for value in invite.headers[name])
            assert CALLER not in whole
            assert "+442079460000" not in whole


@pytest.mark.parametrize("how", ["none", "diversion", "history-info", "both"])
async def test_who_sends_a_call_on_is_told_as_the_trunk_wants_it(tmp_path: Path, how: str) -> None:
    async with (
        sip_peer() as peer,
        line(tmp_path, trunks=trunk_of(peer, diversion=how, numbers="e164")) as calls,
    ):
        invite = await rung(calls, peer, diverted_from=OURS)
        diversion = ["<sip:18005550000@carrier.test>;reason=unconditional;counter=1;privacy=off;screen=no"]
        history = (
            "<sip:18005550000@carrier.test>;index=1, <sip:15125551234@carrier.test;cause=302>;index=1.1;mp=1"
        )
        assert invite.headers.get("diversion", []) == (diversion if how in ("diversion", "both") else [])
        assert invite.headers.get("history-info", []) == (
            [history] if how in ("history-info", "both") else []
        )
        invite = await rung(calls, peer)
        assert not invite.headers.keys() & {"diversion", "history-info", "privacy"}


ODD = [
    'From: "Ann <sip:+15125550100@t>;tag=odd',
    'From: Ann" "B" <sip:+15125550100@t>;tag=odd',
    "From: Ann Lee<sip:+15125550100@t>;tag=odd",
    'From: "' + "n" * 1500 + '" <sip:+15125550100@t>;tag=odd',
    'From: "\\"" <sip:+15125550100@t>;tag=odd',
    'From: "漢字 Zoë" <sip:+15125550100@t>;tag=odd',
    'From: "a, b; c" <sip:+15125550100@t;x=y?z=1>;tag=odd',
    "From: sip:+15125550100@t;tag=odd",
    "P-Asserted-Identity: ",
    'P-Asserted-Identity: "',
    "P-Asserted-Identity: <tel:+15125550100",
    'P-Asserted-Identity: "x" "y" <<sip:+1@h>>',
    "P-Asserted-Identity: " + ", ".join(["<sip:a@h>"] * 60),
    "P-Asserted-Identity: <sip:%00%ff@h>",
    "P-Preferred-Identity: nonsense",
    'Remote-Party-ID: "A <sip:+15125550100@t>;party=calling',
    "Remote-Party-ID: ;privacy=off",
    "Privacy: ",
    "Privacy: critical",
    "Privacy: none;none;;,",
    "Privacy: " + "x" * 1000,
    "Diversion: ",
    "Diversion: garbage",
    "Diversion: <sip:+18005550001@h",
    'Diversion: "x <sip:+18005550001@h>;reason=',
    'Diversion: <sip:+18005550001@h>;counter=99999999999999999999;reason="\\"',
    "Diversion: <sip:1@h>\r\nDiversion: <sip:2@h>\r\nDiversion: <tel:3>",
    "Diversion: " + ",".join(["<sip:1@h>;reason=unknown"] * 50),
    "Diversion: <sip:" + "1" * 1200 + "@h>",
    "History-Info: ",
    "History-Info: <sip:3@h?Reason=SIP%3Bcause%3D486%3Btext%3D%22Busy%22>;index=1, <sip:1@h>;index=1.1",
    "History-Info: <sip:3@h;cause=302>;index=1.1;mp=1",
    "History-Info: <sip:3@h>;index=0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0",
    "History-Info: <sip:3@h>;index=999999999999999999999",
    "History-Info: <sip:3@h?%>;index=1;mp=x",
    "History-Info: " + ", ".join(f"<sip:{n}@h>;index=1.{n}" for n in range(40)),
    'History-Info: "\\',
    "P-Called-Party-ID: <",
    "Diversion: <sip:1@h>\r\n ;reason=unknown\r\n\t;counter=1",
    "Diversion: \x01\x02\x7f\xff",
]


async def test_nothing_that_says_who_calls_costs_a_call(tmp_path: Path) -> None:
    async with sip_peer() as peer, line(tmp_path) as calls:
        offers: list[port.Offer] = []

        def desk(offer: port.Offer) -> port.RefusalReason:
            offers.append(offer)
            return "busy"

        calls.pool.open(desk)
        (address,) = calls.pool.addresses
        pid = calls.pool.workers[0].pid
        # A call that is refused keeps its place for a while, and a worker has four.
        places = trio.CapacityLimiter(3)

        async def ask(odd: str) -> None:
            async with places:
                made, headers = peer.outgoing(address, OURS), [odd]
                if odd.startswith("From: "):
                    made.ours, headers = odd.removeprefix("From: ").replace("=odd", f"={made.name}"), []
                request = made.made("INVITE", *headers, sdp=sdp())
                said = await peer.ask(request, made.address, made.name, made.number)
                assert said.status == 486, odd
                await made.ack(said)

        async with trio.open_nursery() as nursery:
            for odd in ODD:
                nursery.start_soon(ask, odd)
        assert len(offers) == len(ODD)
        assert {offer.called for offer in offers} == {OURS}
        assert {offer.caller for offer in offers} == {CALLER, "+1"}  # So one of them asserts.
        assert {offer.trunk for offer in offers} == {"trunk"}
        assert {"漢字 Zoë", "Ann Lee", "Ann"} & {offer.name for offer in offers} == {"漢字 Zoë", "Ann Lee"}
        assert [worker.pid for worker in calls.pool.workers] == [pid]


async def test_a_name_that_is_longer_than_a_packet_may_be_is_refused_and_harms_nobody(tmp_path: Path) -> None:
    async with sip_peer() as peer, line(tmp_path) as calls:
        calls.pool.open(lambda offer: "busy")
        (address,) = calls.pool.addresses
        made = peer.outgoing(address, OURS)
        made.ours = f'"{"n" * 4096}" <sip:{CALLER}@t>;tag={made.name}'
        await made.begin("INVITE", sdp=sdp())
        # A worker's library takes 4,000 bytes of a packet: of this one it sees half a name.
        after = await peer.call(address, OURS, sdp=sdp())
        assert (await after.final()).status == 486


@pytest.mark.parametrize("status", [404, 480, 486, 600, 603, 608])
async def test_a_caller_is_told_the_status(tmp_path: Path, status: int) -> None:
    async with sip_peer() as peer, line(tmp_path) as calls:
        calls.pool.open(lambda offer: port.Taken("c", calls.send.send_nowait))
        call = await peer.call(calls.pool.addresses[0], OURS, sdp=sdp())
        await call.provisional(180)
        calls.pool.reject("c", status)
        said = await call.final()
        assert said.status == status
        await call.ack(said)
        refused = await calls.next(port.Refused, "c")
        assert (refused.reason, refused.sip_status) == (
            "busy" if status in (486, 600) else "rejected",
            status,
        )
