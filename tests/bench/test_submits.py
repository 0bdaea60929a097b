"""What `bench.messages` measures is real: each message is taken, or it is said that one was not."""

import pytest
import trio

from ringful.bench.messages import submits
from ringful.messages.smpp.connection import SmppConnection
from ringful.messages.smpp.transport import SmppTransport
from tests.messages.desk import NotingDesk


async def test_each_message_is_taken():
    assert await submits.submit_rate(300) > 0


async def test_what_is_not_taken_is_no_figure(monkeypatch):
    monkeypatch.setattr(submits, "TEXT", "")
    with pytest.raises(submits.Untrue, match="the text is empty"):
        await submits.submit_rate(3)


async def test_the_smsc_brings_receipts():
    desk = NotingDesk()
    async with submits.smsc("receipts") as address, trio.open_nursery() as nursery:
        nursery.start_soon(SmppTransport([SmppConnection(address, "bench")]).run, desk)
        for _ in range(20):
            desk.put("Your table is ready.")
        await desk.until(lambda: len(desk.brought) == 20)
        nursery.cancel_scope.cancel()
    named = {note[-1] for note in desk.of("taken")}
    assert {(one.remote_id, one.delivery) for one in desk.brought} == {(name, "delivered") for name in named}
