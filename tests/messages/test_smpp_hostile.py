"""Hostile SMSCs on real sockets, and TLS: one bind ends, and nothing else does."""

import io
import random
import shutil
import struct
import subprocess
from functools import partial

import pytest
import trio

from ringful.bench.messages.submits import smsc as willing_smsc
from ringful.ground import log
from ringful.messages.smpp import codec, line
from ringful.messages.smpp.codec import Framer, Pdu
from ringful.messages.smpp.connection import SmppConnection
from ringful.messages.smpp.transport import SmppTransport
from tests.messages.desk import NotingDesk
from tests.messages.mutations import deliver_body, mutated
from tests.messages.smscs import running
from tests.server import PATIENCE


class HostileSmsc:
    """Takes a bind, and then sends what *says* gives for each connection, reading or not."""

    def __init__(self, says, reads=True):
        self.says, self.reads = says, reads
        self.binds = 0

    async def serve(self, stream):
        framer = Framer()
        asked = []
        try:
            while not asked:
                asked += [pdu.sequence for pdu in framer.feed(await stream.receive_some())]
            await stream.send_all(Pdu(codec.BIND_TRANSCEIVER | codec.RESPONSE, 0, asked[0], b"x\0").octets())
            self.binds += 1
            for data in self.says(self.binds):
                await stream.send_all(data)
            while self.reads and await stream.receive_some():
                pass
            if not self.reads:
                await trio.sleep_forever()
        except trio.BrokenResourceError:
            pass


async def listening(nursery, hostile):
    start = partial(trio.serve_tcp, hostile.serve, 0, host="127.0.0.1")
    (listener,) = await nursery.start(start)
    return f"127.0.0.1:{listener.socket.getsockname()[1]}"


def several(n):
    """Give a few hundred PDUs of anything, the same ones for the same connection."""
    chance = random.Random(n)
    return [mutated(chance, [1, 2, 3]) for _ in range(30)] + [b"\xff" * 16]


@pytest.fixture
def at_once(monkeypatch):
    """Have binds made again at once."""
    monkeypatch.setattr(line, "FIRST", 0.01)
    monkeypatch.setattr(line, "LONGEST", 0.02)


async def test_hostile_octets_end_their_bind_and_no_other(nursery, at_once, capfd):
    hostile = HostileSmsc(several)
    address = await listening(nursery, hostile)
    desk = NotingDesk(returns=True)
    async with willing_smsc() as willing:
        connections = [
            SmppConnection(address, "ringful", name="hostile", binds=2, response_timeout=0.5),
            SmppConnection(willing, "ringful", name="willing"),
        ]
        nursery.start_soon(SmppTransport(connections).run, desk)
        count = 0
        with trio.fail_after(PATIENCE):
            while hostile.binds < 20:
                count += 1
                desk.put(f"text {count}")
                await trio.sleep(0.02)
        # Taken by the one, or refused by the other: none is lost.
        await desk.until(lambda: len({note[0] for note in desk.of("taken") + desk.of("refused")}) == count)
        standing = [note for note in desk.notes if note[0] in ("up", "down") and note[1] == "willing"]
        nursery.cancel_scope.cancel()
    assert standing == [("up", "willing", "")]
    assert "a fault of ringful itself" not in "".join(capfd.readouterr())
    assert {note[3] for note in desk.of("taken")} >= {"willing"}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            b"GET / HTTP/1.1\r\nHost: smsc\r\n\r\n",
            "what the SMSC sends is no SMPP: a PDU says that it has 1195725856",
        ),
        (
            struct.pack(">IIII", 15, 5, 0, 1),
            "what the SMSC sends is no SMPP: a PDU says that it has 15 octets",
        ),
        (
            struct.pack(">IIII", 65537, 5, 0, 1),
            "no SMPP: a PDU says that it has 65537 octets; it can have 16 to 65536",
        ),
    ],
)
async def test_what_is_no_smpp_is_said_to_be_none(nursery, said, why):
    address = await listening(nursery, HostileSmsc(lambda _: [said]))
    desk = NotingDesk()
    nursery.start_soon(SmppTransport([SmppConnection(address, "ringful")]).run, desk)
    ((_, told),) = await desk.told("down")
    nursery.cancel_scope.cancel()
    assert why in told


async def test_half_a_pdu_is_waited_for_no_longer_than_an_answer(nursery):
    half = Pdu(codec.DELIVER_SM, 0, 1, deliver_body()).octets()[:30]
    address = await listening(nursery, HostileSmsc(lambda _: [half]))
    desk = NotingDesk()
    connection = SmppConnection(address, "ringful", response_timeout=0.3, enquire_link=0.1)
    nursery.start_soon(SmppTransport([connection]).run, desk)
    assert (await desk.told("down"))[0][1] == "the SMSC did not answer within 0.3 s"
    nursery.cancel_scope.cancel()


async def test_who_asks_and_never_reads_is_cut_off(nursery):
    asking = Pdu(codec.ENQUIRE_LINK, 0, 1).octets() * 4096
    address = await listening(nursery, HostileSmsc(lambda _: [asking] * 2000, reads=False))
    desk = NotingDesk()
    connection = SmppConnection(address, "ringful", response_timeout=2.0)
    nursery.start_soon(SmppTransport([connection]).run, desk)
    ((_, told),) = await desk.told("down")
    nursery.cancel_scope.cancel()
    assert told in (
        "what the SMSC sends is no SMPP: it asks, and does not read the answers",
        "the SMSC did not answer within 2 s",
    )


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"", "the SMSC closed the connection instead of answering the bind"),
        (
            b"HTTP/1.1 400 Bad Request\r\n",
            "what the SMSC sends is no SMPP: a PDU says that it has 1213486160",
        ),
        (
            Pdu(codec.SUBMIT_SM | codec.RESPONSE, 0, 9).octets() * 1001,
            "the SMSC sends everything but an answer to the bind",
        ),
    ],
)
async def test_a_bind_may_be_answered_with_anything(nursery, said, why):
    async def serve(stream):
        await stream.receive_some()
        await stream.send_all(said)
        await stream.send_eof()

    (listener,) = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
    desk = NotingDesk()
    address = f"127.0.0.1:{listener.socket.getsockname()[1]}"
    nursery.start_soon(SmppTransport([SmppConnection(address, "ringful")]).run, desk)
    ((_, told),) = await desk.told("down")
    nursery.cancel_scope.cancel()
    assert told.startswith(why)


class FaultyDesk(NotingDesk):
    """Has a fault of its own, once each, in what the transport calls."""

    faults = 2

    async def next(self):
        sent = await super().next()
        if self.faults == 2:
            self.faults -= 1
            self._return(sent)
            raise ZeroDivisionError("next")
        return sent

    def taken(self, *told):
        if self.faults == 1:
            self.faults -= 1
            raise ZeroDivisionError("taken")
        super().taken(*told)


async def test_a_fault_of_the_desk_ends_the_bind_and_not_the_transport(nursery, at_once):
    log.set_up("json", out=(lines := io.StringIO()))
    desk = FaultyDesk(returns=True)
    async with willing_smsc() as willing:
        nursery.start_soon(SmppTransport([SmppConnection(willing, "ringful", name="one")]).run, desk)
        desk.put("first")
        await desk.until(lambda: desk.faults == 0)
        desk.put("second")
        await desk.until(lambda: [note[0] for note in desk.of("taken")] == ["sms-2"])
        nursery.cancel_scope.cancel()
    assert lines.getvalue().count("a fault of ringful itself") == 2
    assert len(desk.of("up")) == 3


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.fail("openssl is not installed: apt-get install openssl")
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=smsc", "-days", "30"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, *files, *names], check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_bytes((folder / "key.pem").read_bytes() + (folder / "certificate.pem").read_bytes())
    return both


async def test_a_text_goes_by_tls(nursery, certificate):
    desk = NotingDesk()
    async with running("npm", certificate) as npm:
        connection = SmppConnection(npm.address, "ringful", tls=True, ca=certificate)
        async with trio.open_nursery() as inner:
            inner.start_soon(SmppTransport([connection]).run, desk)
            desk.put("secretly")
            await desk.told("taken")
            await npm.deliver(b"thanks")
            await desk.until(lambda: desk.brought)
            inner.cancel_scope.cancel()
        assert await npm.until("unbound")
    assert npm.seen("submit")[0]["text"] == "secretly"


async def test_a_certificate_that_nobody_trusts_is_refused(nursery, certificate):
    desk = NotingDesk()
    async with running("npm", certificate) as npm:
        nursery.start_soon(SmppTransport([SmppConnection(npm.address, "ringful", tls=True)]).run, desk)
        ((_, told),) = await desk.told("down")
        nursery.cancel_scope.cancel()
    assert told == "the SMSC cannot be reached: its certificate is not trusted: self-signed certificate"


async def test_tls_with_one_that_has_none_is_told(nursery):
    desk = NotingDesk()
    async with running("npm") as npm:
        connection = SmppConnection(npm.address, "ringful", tls=True, response_timeout=1.0)
        nursery.start_soon(SmppTransport([connection]).run, desk)
        ((_, told),) = await desk.told("down")
        nursery.cancel_scope.cancel()
    assert told.startswith("the SMSC ")


async def test_certificates_that_cannot_be_read_are_told(nursery, tmp_path):
    desk = NotingDesk()
    address = await listening(nursery, HostileSmsc(lambda _: []))
    connection = SmppConnection(address, "ringful", tls=True, ca=tmp_path / "none.pem")
    nursery.start_soon(SmppTransport([connection]).run, desk)
    assert (await desk.told("down"))[0][1] == "the SMSC cannot be reached: No such file or directory"
    nursery.cancel_scope.cancel()
