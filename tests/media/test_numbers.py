"""Numbers as trunks write them: by rule, and on the wire, the called one and the caller's alike."""

from pathlib import Path
from typing import Any

import pytest

from ringful.media import port
from ringful.media.numbers import as_written_there
from ringful.media.trunks import NumberForm, Trunk
from tests.media.sip_peer import sip_peer
from tests.media.test_pool import line
from tests.trunk import trunk_to


@pytest.mark.parametrize(
    ("form", "country", "number", "written"),
    [
        ("+e164", "US", "+15125551234", "+15125551234"),
        ("+e164", "US", "15125551234", "+15125551234"),
        ("e164", "US", "+15125551234", "15125551234"),
        ("00", "DE", "+15125551234", "0015125551234"),
        ("national", "US", "+15125551234", "5125551234"),
        ("national", "US", "+442079460000", "011442079460000"),
        ("national", "DE", "+442079460000", "00442079460000"),
        ("national", "AU", "+442079460000", "0011442079460000"),
        ("national", "GB", "+442079460000", "02079460000"),
        ("national", "DE", "+4930123456", "030123456"),
        ("national", "IT", "+390612345678", "0612345678"),
        # Canada has the United States' code.
        ("national", "US", "+14165551234", "4165551234"),
        ("national", "", "+15125551234", "0015125551234"),
        # A number that no plan has is still one.
        ("national", "US", "+9991234567", "009991234567"),
        # The trunk's own.
        ("e164", "US", "911", "911"),
        ("+e164", "US", "40404", "40404"),
        ("+e164", "US", "*98", "*98"),
        ("00", "US", "anonymous", "anonymous"),
        ("+e164", "US", "0123456789", "0123456789"),
        ("+e164", "US", "1234567890123456", "1234567890123456"),
        ("+e164", "US", "", ""),
    ],
)
def test_a_number_in_each_form(form: NumberForm, country: str, number: str, written: str) -> None:
    assert as_written_there(number, Trunk("t", "h", country=country, numbers=form)) == written


@pytest.mark.parametrize(
    ("settings", "called", "caller", "asserted"),
    [
        ({}, "sip:+15125551234@{there}", "<sip:+15125550000@127.0.0.1>", ""),
        ({"numbers": "e164"}, "sip:15125551234@{there}", "<sip:15125550000@127.0.0.1>", ""),
        (
            {"numbers": "national", "country": "US", "domain": "example.com", "asserted": True},
            "sip:5125551234@{there}",
            "<sip:5125550000@example.com>",
            "<sip:5125550000@example.com>",
        ),
    ],
)
async def test_both_numbers_are_written_alike(
    tmp_path: Path, settings: dict[str, Any], called: str, caller: str, asserted: str
) -> None:
    async with sip_peer() as peer:
        trunk = trunk_to(peer.address, from_number="+15125550000", **settings)
        async with line(tmp_path, trunks=(trunk,)) as calls:
            # The caller's number is written as it comes from a script, or from the configuration.
            for leg, caller_id in (("a", "15125550000"), ("b", "+15125550000"), ("c", None)):
                calls.pool.ring(leg, "+15125551234", caller_id, calls.send.send_nowait)
                call = await peer.called()
                assert call.invite
                assert call.invite.uri == called.format(there=peer.address)
                assert call.invite.header("From").partition(";")[0] == caller
                there = "example.com" if "domain" in settings else peer.address.partition(":")[0]
                assert call.invite.header("To") in (
                    called.format(there=there),
                    f"<{called.format(there=there)}>",
                )
                assert call.invite.header("P-Asserted-Identity") == asserted
                await call.answer(486)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_who_is_known_by_another_address_says_so_everywhere(tmp_path: Path, transport: str) -> None:
    async with sip_peer() as peer:
        trunks = (
            trunk_to(peer.address, transport="udp"),
            trunk_to("127.0.0.1", "other", transport=transport),
        )
        known = {"public_address": "192.0.2.7", "media_address": "192.0.2.8"}
        async with line(tmp_path, trunks=trunks, **known) as calls:
            calls.pool.ring("a", "+15125551234", "+15125550000", calls.send.send_nowait)
            call = await peer.called()
            assert call.invite
            at_port = calls.pool.workers[0].port
            assert call.invite.header("Contact").startswith(f"<sip:ringful@192.0.2.7:{at_port}")
            assert call.invite.header("Via").startswith(f"SIP/2.0/UDP 192.0.2.7:{at_port};")
            assert call.invite.header("From").startswith("<sip:+15125550000@192.0.2.7>")
            assert "\nc=IN IP4 192.0.2.8" in call.invite.body
            await call.answer(486)
            assert (await calls.next(port.Refused)).sip_status == 486
