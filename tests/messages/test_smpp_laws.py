"""Whatever an SMSC does, and whenever: nothing is lost, nothing goes twice but what was told to be unsure."""

import random
from collections import Counter

import pytest
import trio
from trio.testing import MockClock

from ringful.messages.port import Outgoing
from ringful.messages.smpp import line
from ringful.messages.smpp.connection import SmppConnection
from ringful.messages.smpp.parts import submits_of
from ringful.messages.smpp.transport import SmppTransport
from tests.messages.desk import NotingDesk
from tests.messages.scripted import ScriptedSmsc

DAY = 86400.0


class WhimsicalSmsc(ScriptedSmsc):
    """Answers as chance has it, and late; and closes connections whenever it likes."""

    def __init__(self, nursery, chance):
        super().__init__(nursery)
        self.chance = chance
        self.refused = []
        self.most = 0
        self._open = Counter()

    def _outcome(self, pdu):
        status, body = super()._outcome(pdu)
        if not body or body == b"scripted\0":
            return status, body
        status = self.chance.choice([0] * 12 + [0x58, 0x14, 0x08, 0x04, None])
        if status:
            self.refused.append(self.submits[-1][1].payload)
        return status, body if status == 0 else b""

    async def _answer(self, stream, pdu, status, body):
        submit = bool(pdu.command == 4)
        self._open[stream] += submit
        self.most = max(self.most, self._open[stream])
        await trio.sleep(self.chance.choice([0, 0, 0, 0.1, 1, 5]))
        self._open[stream] -= submit and status is not None
        await super()._answer(stream, pdu, status, body)

    async def close_some(self):
        """Close a connection now and then."""
        while True:
            await trio.sleep(self.chance.uniform(1, 40))
            if self.streams:
                await self.chance.choice(self.streams[-3:]).aclose()


async def carried(seed, monkeypatch):
    """Carry forty messages by two binds, and give the desk, the SMSC and the parts by their octets."""
    chance = random.Random(seed)
    connection = SmppConnection("smsc:1", "ringful", name="one", binds=2, window=3, response_timeout=10.0)
    desk = NotingDesk(returns=True, patience=DAY)
    known = {}
    async with trio.open_nursery() as nursery:
        smsc = WhimsicalSmsc(nursery, chance)
        monkeypatch.setattr(line, "connect", smsc.connect)
        nursery.start_soon(smsc.close_some)
        nursery.start_soon(SmppTransport([connection], clock=lambda: 0.0, random=chance.random).run, desk)
        for n in range(40):
            # Each part of each message is like no other.
            text = "".join(f"{n}-{k} " for k in range(chance.choice([3, 40, 120])))
            sent = Outgoing(f"sms-{n + 1}", "+15125550199", "+15125550000", text)
            for part, submit in submits_of(sent, connection, "gsm", 0.0).items():
                known[submit.payload] = (sent.message_id, part)
            desk.put(text)
            await trio.sleep(chance.choice([0, 0, 1]))
        await desk.until(lambda: len(desk.of("taken")) == len(known))
        nursery.cancel_scope.cancel()
    return desk, smsc, known


@pytest.mark.parametrize("seed", range(60))
def test_nothing_is_lost_and_nothing_goes_twice_in_silence(seed, monkeypatch):
    desk, smsc, known = trio.run(carried, seed, monkeypatch, clock=MockClock(autojump_threshold=0))
    assert not desk.of("refused")
    taken = Counter(note[:2] for note in desk.of("taken"))
    unsure = Counter(note[:2] for note in desk.of("unsure"))
    refused = Counter(known[payload] for payload in smsc.refused)
    seen = Counter(known[submit.payload] for _, submit in smsc.submits)
    assert taken == Counter(known.values())
    for part, times in seen.items():
        assert times <= taken[part] + unsure[part] + refused[part], part
    assert smsc.most <= 3
    assert len(smsc.attempts) > 2
    assert sum(unsure.values()) > 0 or seed
