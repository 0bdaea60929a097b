"""Requests without a call: sent until there is an answer, and nothing but that answer is believed."""

import pytest
import trio
from attrs import evolve

from ringful.media.trunking.exchange import Place, exchange, options
from ringful.media.trunking.messages import final
from tests.server import free_port
from tests.trunk import false_trunk

NOBODY = "127.0.0.1"


async def test_options_of_a_server_that_answers_and_one_that_does_not() -> None:
    with false_trunk() as trunk:
        trunk.options = 405
        host, _, at_port = trunk.address.partition(":")
        asked, place = options(trunk.address, "udp"), Place(host, int(at_port))
        assert (await exchange(asked, place)).status == 405
        trunk.options = 0
        with trio.move_on_after(1) as limit:
            await exchange(asked, place)
        assert limit.cancelled_caught
        assert trunk.asked.count("OPTIONS") >= 3  # A datagram may be lost.


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_nobody_is_there(transport: str) -> None:
    at_port = free_port()
    with pytest.raises(OSError, match="refused"):
        await exchange(options(f"{NOBODY}:{at_port}", transport), Place(NOBODY, at_port, transport))


def test_only_a_final_answer_to_our_own_request_counts() -> None:
    asked = evolve(options("h", "udp"), call_id="abc", number=1)
    ours = b"SIP/2.0 200 OK\r\nCall-ID: abc\r\nCSeq: 1 OPTIONS\r\n\r\n"
    trying = b"SIP/2.0 100 Trying\r\ni: abc\r\nCSeq: 1 OPTIONS\r\n\r\n"
    assert final(ours, asked).status == 200
    assert final(trying + ours, asked).status == 200
    assert final(ours.replace(b"Call-ID", b"i"), asked).status == 200
    assert final(ours, evolve(asked, call_id="abd")) is None
    assert final(ours, evolve(asked, number=2)) is None
    assert final(trying, asked) is None
    assert final(b"\xff\x00", asked) is None
