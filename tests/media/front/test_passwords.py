"""Callers whom the front knows by a password, or by TLS, and where it speaks TLS itself."""

import os
import ssl
import subprocess
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import trio

from ringful.media import port
from ringful.media.front.settings import FAILURES, Certificate
from ringful.media.trunking.digest import authorization, challenge
from ringful.media.trunks import Credentials, Trunk
from tests.media.front.fronted import fronted
from tests.media.sip_peer import Call, Message, read, sdp, sip_peer
from tests.server import PATIENCE, free_port

OURS = "+18005550000"
RIGHT = Credentials("pbx$1@home", 'pa"ss$word@\\#|')
ELSEWHERE = ip_network("192.0.2.0/24")
NORTH = Trunk("north", "192.0.2.1", networks=(ELSEWHERE,), theirs=RIGHT)


async def invite_with(call: Call, who: Credentials) -> Message:
    """Send an INVITE without and one with a password; give what the second is answered with."""
    await call.begin("INVITE", sdp=sdp())
    asked = await call.final()
    assert asked.status == 407
    await call.ack(asked)
    found = challenge(asked.headers["proxy-authenticate"])
    assert found
    call.theirs = call.theirs.partition(";tag=")[0]
    value = authorization(found, who, "INVITE", call.target, cnonce="c0ffee", count=1)
    await call.begin("INVITE", f"Proxy-Authorization: {value}", sdp=sdp())
    return await call.final()


async def test_a_stranger_with_the_right_password_is_heard_until_it_hangs_up(tmp_path: Path) -> None:
    async with (
        fronted(tmp_path, NORTH) as behind,
        sip_peer("127.0.0.2") as peer,
        trio.open_nursery() as nursery,
    ):

        async def answer() -> None:
            behind.pool.answer(await behind.offered.receive())

        nursery.start_soon(answer)
        call = peer.outgoing(behind.address, OURS)
        said = await invite_with(call, RIGHT)
        assert said.status == 200
        await call.ack(said)
        await behind.line.next(port.Answered, "c1")
        assert (await call.ask("INVITE", sdp=sdp(version=2))).status == 200
        assert (await call.hang_up()).status == 200
        assert (await behind.line.next(port.HungUp, "c1")).by == "callee"


async def test_wrong_passwords_shut_a_stranger_out_and_nobody_else(tmp_path: Path) -> None:
    async with (
        fronted(tmp_path, NORTH) as behind,
        sip_peer("127.0.0.2") as peer,
        sip_peer("127.0.0.3") as other,
    ):
        for n in range(FAILURES):
            call = peer.outgoing(behind.address, OURS)
            who = Credentials(RIGHT.username, f"guess{n}") if n % 2 else Credentials(f"user{n}", "x")
            said = await invite_with(call, who)
            assert said.status == 407
            await call.ack(said)
        late = await peer.call(behind.address, OURS, sdp=sdp())
        # Another stranger is asked for its password as ever, which tells that the one before has been read.
        call = await other.call(behind.address, OURS, sdp=sdp())
        assert (await call.final()).status == 407
        assert not [one for one in peer.came if one.header("call-id") == late.name]
        await behind.front.look()
        assert behind.front.counts["shut_out"] == 1
        assert behind.pool.legs == {}


def certificates(folder: Path) -> Certificate:
    """Make an authority, and a certificate of 127.0.0.1 that it has signed."""
    made = folder / "tls"
    made.mkdir(parents=True)
    key, ours = made / "key.pem", made / "cert.pem"
    options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    name = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    subprocess.run(
        ["openssl", "req", "-x509", *options, "-keyout", str(key), "-out", str(ours), *name],
        check=True,
        capture_output=True,
    )
    return Certificate(ours, key, ours)


async def message_of(stream: "trio.SSLStream[Any]", wanted: int | str) -> Message:
    """Give the next message that is a request of that method, or a response of that status at least."""
    heard = b""
    with trio.fail_after(PATIENCE):
        while True:
            heard += await stream.receive_some(65536)
            while b"\r\n\r\n" in heard:
                head, _, rest = heard.partition(b"\r\n\r\n")
                one = read(head + b"\r\n\r\n", ("127.0.0.1", 0))
                assert one
                length = int(one.header("content-length") or 0)
                if len(rest) < length:
                    break
                message = read(heard[: len(head) + 4 + length], ("127.0.0.1", 0))
                heard = rest[length:]
                assert message
                if message.method == wanted or (isinstance(wanted, int) and message.status >= wanted):
                    return message


async def test_a_call_in_by_tls(tmp_path: Path) -> None:
    made = certificates(tmp_path)
    here = Trunk("north", "127.0.0.1", 9, networks=(ip_network("127.0.0.1/32"),))
    more = {"tls": made, "tls_port": free_port()}
    async with fronted(tmp_path, here, more=more) as behind, sip_peer() as peer:
        trusting = ssl.create_default_context(cafile=str(made.authorities))
        at_port = behind.front.settings.tls_port
        stream = await trio.open_ssl_over_tcp_stream("127.0.0.1", at_port, ssl_context=trusting)
        async with stream:
            call = peer.outgoing(behind.address, OURS)
            invite = call.made("INVITE", sdp=sdp()).replace(b"SIP/2.0/UDP", b"SIP/2.0/TLS")
            await stream.send_all(invite)
            behind.pool.answer(await behind.offered.receive())
            said = await message_of(stream, 200)
            assert said.status == 200
            call._learn(said)
            await stream.send_all(call.made("ACK", branch="z9hG4bKack").replace(b"/UDP", b"/TLS"))
            await behind.line.next(port.Answered, "c1")
            behind.pool.hang_up("c1")
            assert (await message_of(stream, "BYE")).header("call-id") == call.name
        # A renewed certificate is shown to the next caller; the old one is not believed any more.
        renewed = certificates(tmp_path / "renewed")
        made.key.write_bytes(renewed.key.read_bytes())
        made.certificate.write_bytes(renewed.certificate.read_bytes())
        os.utime(made.certificate, (1, 1))
        await behind.front.look()
        trusting = ssl.create_default_context(cafile=str(renewed.authorities))
        async with await trio.open_ssl_over_tcp_stream("127.0.0.1", at_port, ssl_context=trusting) as stream:
            await stream.do_handshake()


async def test_a_call_out_by_tls_asks_for_a_certificate_that_it_believes(tmp_path: Path) -> None:
    made, at_port = certificates(tmp_path), free_port()
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(made.certificate, made.key)
    trunk = Trunk("north", "localhost", at_port, transport="tls", domain="voice.example")
    more = {"tls": made, "tls_port": free_port()}
    heard, invites = trio.open_memory_channel[Message](10)

    async def serve(stream: "trio.SSLStream[trio.SocketStream]") -> None:
        heard.send_nowait(await message_of(stream, "INVITE"))
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        listeners = await trio.open_ssl_over_tcp_listeners(at_port, serving, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, serve, listeners)
        async with fronted(tmp_path, trunk, more=more) as behind:
            behind.pool.ring("a", "+15125551234", None, behind.line.send.send_nowait)
            with trio.fail_after(PATIENCE):
                invite = await invites.receive()
            assert invite.uri == "sip:+15125551234@voice.example"
            assert invite.header("via").startswith("SIP/2.0/TLS")
        nursery.cancel_scope.cancel()


async def test_a_trunk_whose_certificate_nobody_has_signed_gets_no_call(tmp_path: Path) -> None:
    made, at_port = certificates(tmp_path), free_port()
    others = certificates(tmp_path / "other")
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(others.certificate, others.key)
    trunk = Trunk("north", "localhost", at_port, transport="tls")

    async def serve(stream: "trio.SSLStream[trio.SocketStream]") -> None:
        try:
            await message_of(stream, "INVITE")
        except trio.BrokenResourceError:
            return
        raise AssertionError("it was given a call")

    async with trio.open_nursery() as nursery:
        listeners = await trio.open_ssl_over_tcp_listeners(at_port, serving, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, serve, listeners)
        more = {"tls": made, "tls_port": free_port()}
        async with fronted(tmp_path, trunk, more=more) as behind:
            behind.pool.ring("a", "+15125551234", None, behind.line.send.send_nowait)
            assert (await behind.line.next(port.Refused)).reason == "unreachable"
        nursery.cancel_scope.cancel()
