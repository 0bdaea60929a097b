"""What far ends say to an INVITE of ours, and how a call ends: what is told of it."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from ringful.media import port
from ringful.media.engine.outcomes import may_follow, rings, why_lost
from tests.media.sip_peer import sdp, sip_peer
from tests.media.test_pool import line
from tests.server import receiver, server
from tests.trunk import false_trunk, trunk_to


@pytest.mark.parametrize(
    ("status", "does"), [(100, False), (180, True), (181, False), (182, True), (183, True), (199, False)]
)
def test_what_rings(status: int, does: bool) -> None:
    assert rings(status) == does


@pytest.mark.parametrize(
    ("target", "may"),
    [
        ("sip:1513@192.0.2.7", True),
        ("<sip:1513@192.0.2.7:5080;transport=udp>", True),
        ("SIP:192.0.2.7", True),
        ("sip:1513@192.0.3.7", False),
        ("sip:1513@trunk.test", False),
        ("sip:192.0.2.7@192.0.3.7", False),
        ("sips:1513@192.0.2.7", False),
        ("sip:1@192.0.2.7;maddr=192.0.3.7", False),
        ("sip:1@192.0.2.7;transport=udp;MAddr=192.0.3.7", False),
        ("sip:1@192.0.2.7?Replaces=7", False),
        ("sip:1@192.0.2.7%2e", False),
        ("tel:+15125551234", False),
        ("", False),
    ],
)
def test_where_a_redirection_may_lead(target: str, may: bool) -> None:
    assert may_follow(target, ["198.51.100.0/24", "192.0.2.0/24"]) == may


def test_why_a_call_is_lost() -> None:
    refreshed = "the far end did not refresh the session in time (RFC 4028)"
    assert why_lost(200, "No session refresh received.") == refreshed
    assert why_lost(408, "Request Timeout") == "the far end did not answer our re-INVITE"
    assert why_lost(481, "Gone") == "the far end does not know the call any more (481)"
    assert why_lost(500, "Oh") == "the call could not go on: Oh (500)"
    assert why_lost(0, "") == "the call could not go on"


async def test_provisional_answers_ring_where_they_mean_it(tmp_path: Path) -> None:
    async with sip_peer() as peer, line(tmp_path) as calls:
        for status in (181, 182, 199):
            calls.ring(f"c{status}", peer.address)
            call = await peer.called()
            await call.answer(status)
            await call.answer(486)
            refused = await calls.next(port.Refused, f"c{status}")
            assert (refused.reason, refused.sip_status) == ("busy", 486)
            await peer.request("ACK")
        assert [event.leg for event in calls.told if isinstance(event, port.Ringing)] == ["c182"]


@pytest.mark.parametrize("status", [300, 301, 302, 305, 380])
async def test_a_redirection_is_told_as_what_it_was(tmp_path: Path, status: int) -> None:
    async with sip_peer() as peer, line(tmp_path) as calls:
        calls.ring("a", peer.address)
        call = await peer.called()
        await call.answer(status, "Contact: <sip:1513@127.0.0.9>")
        refused = await calls.next(port.Refused)
        assert (refused.reason, refused.sip_status) == ("unreachable", status)
        await peer.request("ACK")
        assert peer.asked == ["INVITE", "ACK"]


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (sdp(0), "SDP negotiation failed"),
        (sdp(4444, codecs="18 101"), "Unable to create media session"),
        (sdp(4444, codecs="101"), "Unable to create media session"),
        ("", "SDP offer/answer incomplete"),
    ],
    ids=["port 0", "G.729", "keys alone", "no SDP"],
)
async def test_an_answer_without_sound_is_no_call(tmp_path: Path, answer: str, detail: str) -> None:
    async with sip_peer() as peer, line(tmp_path) as calls:
        calls.ring("a", peer.address)
        call = await peer.called()
        await call.answer(200, sdp=answer)
        refused = await calls.next(port.Refused)
        assert refused == port.Refused(
            "a", "rejected", 488, f"it was answered with no sound that we can use: {detail}"
        )
        assert not any(isinstance(event, port.Answered) for event in calls.told)
        # It is told that it is over.
        await peer.request("ACK")
        await peer.request("BYE")


async def test_a_redirection_within_the_trunks_networks_is_followed(tmp_path: Path) -> None:
    """Each of the two peers sends us to the other; what the last one says is what is told."""
    networks = (ip_network("127.0.0.0/30"),)
    async with (
        sip_peer() as one,
        sip_peer() as other,
        line(tmp_path, trunks=(trunk_to(one.address, redirects=2, networks=networks),)) as calls,
    ):
        calls.pool.ring("a", "+1512", None, calls.send.send_nowait)
        call = await one.called()
        await call.answer(
            302, "Contact: <sip:1@192.0.2.1>, <sip:2@192.0.2.2>", f"Contact: <sip:3@{other.address}>"
        )
        call = await other.called()
        assert call.invite
        assert call.invite.uri == f"sip:3@{other.address}"
        await call.answer(180)
        mouth = await other.mouth(440)
        await call.answer(200, sdp=sdp(mouth.port))
        await calls.next(port.Answered)
        await call.hang_up()
        assert (await calls.next(port.HungUp)).by == "callee"


@pytest.mark.parametrize(("redirects", "last"), [(1, 302), (2, 486)])
async def test_so_many_redirections_are_followed_and_no_more(
    tmp_path: Path, redirects: int, last: int
) -> None:
    async with (
        sip_peer() as one,
        line(tmp_path, trunks=(trunk_to(one.address, redirects=redirects),)) as calls,
    ):
        calls.pool.ring("a", "+1512", None, calls.send.send_nowait)
        for number in range(redirects):
            # Whoever sends us twice to the same place is not followed there again.
            await (await one.called()).answer(302, f"Contact: <sip:{number}@{one.address}>")
            await one.request("ACK")
        await (await one.called()).answer(last, f"Contact: <sip:more@{one.address}>")
        assert (await calls.next(port.Refused)).sip_status == last


def test_the_web_application_is_told_what_it_was(tmp_path: Path) -> None:
    with receiver({}) as web, false_trunk() as trunk, server(tmp_path, trunk.address) as ringful:
        trunk.status = 302
        ringful.ask("Call", callee="15125551234", callbackUrl=f"{web.url}/call")
        ((_, failed),) = web.until("CallFailed")
        assert (failed["reason"], failed["sipStatus"], failed["billAmount"]) == ("unreachable", "302", "0")
