"""Which addresses may be reached on a customer's behalf, and in which disguises they come."""

from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpcore2
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from ringful.http.outward.addresses import host_of, literal, permitted, refusal, wrong
from ringful.http.outward.guard import AddressRefused, GuardedBackend, guarded_client
from ringful.http.outward.outbound import Outbound, OutboundError
from ringful.http.reading.parameters import BadParameter, Parameters
from ringful.http.reading.requests import Dialect, read
from tests.server import TRUSTED


def words(text: str) -> list[str]:
    return text.split()


INNER = words("""
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254
    169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.8 192.0.0.170 192.0.2.1 192.88.99.1
    192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.7 224.0.0.1 239.255.255.255
    240.0.0.1 255.255.255.255 :: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:10.0.0.1 ::ffff:127.0.0.1
    ::ffff:7f00:1 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::10.0.0.1 64:ff9b:1::7f00:1
    64:ff9b:1::808:808 100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1
    2001:20::1 2001:db8::1 2002:7f00:1:: 2002:a00:1::1 2002:c0a8:101::1 3fff::1 3fff:fff::1 5f00::1
    4000::1 8000::1 fc00::1 fd12:3456::1 fe80::1 fe80::1%eth0 fec0::1 feff::1 ff02::1 ff0e::1
    2a00:1450::5efe:a00:1 2a00:1450::200:5efe:7f00:1
""")

PUBLIC = words("""
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 93.184.216.34 100.63.255.255 100.128.0.1 126.255.255.255
    128.0.0.1 169.253.255.255 172.15.255.255 172.32.0.1 191.255.255.255 192.0.1.1 192.167.255.255
    192.169.0.1 198.17.255.255 198.20.0.1 223.255.255.255 2000::1 2001:200::1 2001:4860:4860::8888
    2003::1 2606:4700:4700::1111 2a00:1450::1 3ffe::1 2002:808:808::1 64:ff9b::808:808
    ::ffff:8.8.8.8 2a00:1450::5efe:808:808
""")


@pytest.mark.parametrize("address", INNER)
def test_inner_addresses_are_not_permitted(address: str) -> None:
    assert not permitted(address, ())


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_permitted(address: str) -> None:
    assert permitted(address, ())


@given(st.ip_addresses())
def test_nothing_is_public_that_python_holds_for_private(address: IPv4Address | IPv6Address) -> None:
    # Of 6to4, versions of Python think differently: what counts is where it leads to (RFC 3056, 2).
    six_to_four = address.sixtofour if isinstance(address, IPv6Address) else None
    if permitted(str(address), ()):
        assert (six_to_four or address).is_global


@given(st.ip_addresses(v=4))
def test_an_address_of_6to4_is_as_public_as_where_it_leads(address: IPv4Address) -> None:
    around = IPv6Address(0x2002 << 112 | int(address) << 80)
    assert permitted(str(around), ()) == permitted(str(address), ())


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.1.2.3", "10.0.0.0/8"),
        ("::ffff:10.1.2.3", "10.0.0.0/8"),
        ("::127.0.0.1", "127.0.0.0/8"),
        ("64:ff9b::7f00:1", "127.0.0.0/8"),
        ("64:ff9b::7f00:1", "64:ff9b::/96"),
        ("64:ff9b:1::7f00:1", "64:ff9b:1::/48"),
        ("2002:7f00:1::", "127.0.0.0/8"),
        ("2002:7f00:1::", "2002::/16"),
        ("2001::1", "2001::/32"),
        ("fec0::1", "fec0::/10"),
        ("fe80::1%eth0", "fe80::/10"),
        ("::1", "::1/128"),
    ],
)
def test_what_is_allowed_is_permitted_by_itself_or_by_what_it_carries(address: str, network: str) -> None:
    assert not permitted(address, ())
    assert permitted(address, (ip_network(network),))


@pytest.mark.parametrize(
    ("address", "network"),
    [("10.1.2.3", "10.2.0.0/16"), ("::1", "0.0.0.0/8"), ("64:ff9b:1::7f00:1", "127.0.0.0/8")],
)
def test_what_is_allowed_allows_nothing_else(address: str, network: str) -> None:
    assert not permitted(address, (ip_network(network),))


DISGUISES = words("""
    2130706433 0x7f000001 0x7f.1 0x7f.0.0.0x1 017700000001 127.1 127.0.1 127.0.0.1
    127.0.0.1. 0 0.0 [::1] [::ffff:7f00:1] [::ffff:127.0.0.1] [0:0:0:0:0:0:0:1] [::127.0.0.1]
    [64:ff9b::7f00:1] localhost LOCALHOST localhost. a.localhost
""")


@pytest.mark.parametrize("host", DISGUISES)
async def test_the_own_machine_is_not_reached_in_any_disguise(host: str) -> None:
    """Through the real backend and the real resolver; and the façade says so before anything is tried."""
    url = f"http://{host}:9/"
    assert not wrong(url)
    assert "which must not be reached" in refusal(url, ())
    async with guarded_client((), trusted=TRUSTED) as client:
        with pytest.raises(OutboundError, match=r"fetch\.allow does not name it|cannot be resolved"):
            await Outbound(client).fetch(url, {}, 10)


FULL_WIDTH = str.maketrans({str(digit): chr(0xFF10 + digit) for digit in range(10)})
CIRCLED = str.maketrans({"0": "\u24ea", "1": "\u2460", "2": "\u2461", "7": "\u2466"})


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1".translate(FULL_WIDTH),
        "127.0.0.1".translate(CIRCLED),
        "127.0.0.1".replace(".", "\uff0e"),
        "127.0.0.1".replace(".", "\u3002"),
    ],
)
async def test_other_digits_and_dots_are_no_way_in(host: str) -> None:
    url = f"http://{host}:9/"
    assert wrong(url) or refusal(url, ())
    async with guarded_client((), trusted=TRUSTED) as client:
        with pytest.raises(OutboundError, match=r"no web address|must not be reached|cannot be resolved"):
            await Outbound(client).fetch(url, {}, 10)


async def test_a_name_that_leads_inside_is_refused_and_fetch_allow_is_named() -> None:
    async def resolver(host: str, port: int) -> list[str]:
        return ["93.184.216.34", "64:ff9b::a00:1"]

    with pytest.raises(AddressRefused, match=r"shop\.test is at 64:ff9b::a00:1, .*fetch\.allow") as caught:
        await GuardedBackend((), resolver).connect_tcp("shop.test", 80)
    assert not caught.value.for_good
    with pytest.raises(AddressRefused) as caught:
        await GuardedBackend(()).connect_tcp("10.0.0.1", 80)
    assert caught.value.for_good


@pytest.mark.parametrize("host", ["a" * 64, "a..b", ".", "\udc80", "x" * 300])
async def test_a_host_that_no_resolver_takes_cannot_be_resolved(host: str) -> None:
    with pytest.raises(httpcore2.ConnectError, match="cannot be resolved"):
        await GuardedBackend(()).connect_tcp(host, 80)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://[::1", "it cannot be read: "),
        (f"http://{'a' * 64}.example/", "its host has a part longer than 63 characters"),
        (f"http://{'a.' * 130}example/", "its host is longer than 253 characters"),
        ("http://a..b/", "its host has an empty part"),
        ("http://.com/", "its host has an empty part"),
        ("http:///x", "it names no host"),
        ("http://./x", "it names no host"),
        ("http://h:0/", "there is no port 0"),
        ("http://h:99999/", "there is no port 99999"),
        ("http://h:8a/", "it cannot be read: "),
        ("http://%31%32%37.0.0.1/", "no host has '%' in its name"),
        ("http://h/\x00", "it holds a blank or a control character"),
        ("http://0177.0.0.1/", "it cannot be read: "),
        ("http://h x/", "it holds a blank or a control character"),
        ("ftp://h/", "it is no http or https URL"),
        ("javascript:alert(1)", "it is no http or https URL"),
        ("//h/x", "it is no http or https URL"),
        ("", "it is no http or https URL"),
        ("http://[v1.x]/", "it cannot be read: "),
        ("http://\u2488com/", "it cannot be read: "),
    ],
)
def test_what_can_never_be_an_address(url: str, why: str) -> None:
    assert wrong(url).startswith(why)


@pytest.mark.parametrize(
    "url",
    [
        "http://h",
        "https://a_b.example:8443/x?y#z",
        "http://[2001:db8::1]:80/",
        "http://exämple.de/",
        "HTTP://X.",
    ],
)
def test_what_may_be_an_address(url: str) -> None:
    assert wrong(url) == ""


@given(st.text() | st.from_regex(r"https?://[^/]{0,80}(/.*)?"))
def test_every_text_is_one_or_the_other(url: str) -> None:
    host_of(url)
    if not wrong(url):
        refusal(url, ())


@given(st.ip_addresses(v=4))
def test_an_address_is_the_same_in_every_base(address: object) -> None:
    number = int(ip_address(str(address)))
    for host in (str(number), hex(number), f"0{number:o}", f"{number >> 24}.{number & 0xFFFFFF}"):
        assert literal(host) == str(address)


@pytest.mark.parametrize(
    "name", ["example.com", "1.example", "0x7f.example", "1.2.3.4.5", "cafe", "256.1.1.1"]
)
def test_names_are_no_literal_addresses(name: str) -> None:
    assert literal(name) is None


async def test_the_client_keeps_no_cookies(nursery: trio.Nursery) -> None:
    asked = []

    async def answer(stream: trio.SocketStream) -> None:
        asked.append(await stream.receive_some())
        await stream.send_all(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n")
        await stream.aclose()

    serve = partial(trio.serve_tcp, answer, 0, host="127.0.0.1")
    (listener,) = await nursery.start(serve)
    port = listener.socket.getsockname()[1]
    async with guarded_client((ip_network("127.0.0.0/8"),), trusted=TRUSTED) as client:
        for _ in range(2):
            await Outbound(client).fetch(f"http://127.0.0.1:{port}/", {}, 10)
    assert len(asked) == 2
    assert not any(b"cookie" in one.lower() for one in asked)


ALL = (ip_network("0.0.0.0/0"), ip_network("::/0"))
INWARD = (
    "http://127.0.0.1:5000/",
    "http://localhost/x",
    "http://2130706433/",
    "http://[::1]/",
    "https://10.0.0.1/",
)
NAMED = {
    "Call": ("callbackUrl", {"callee": "15125551234"}),
    "Play": ("announcement", {"callId": "a"}),
    "Record": ("callbackUrl", {"callId": "a"}),
    "WaitForTone": ("callbackUrl", {"callId": "a", "tone": "1"}),
    "StartToneDetector": ("callbackUrl", {"callId": "a"}),
    "StopToneDetector": ("callbackUrl", {"callId": "a"}),
    "Run": ("callbackUrl", {"name": "x"}),
    "Number": ("callbackUrl", {"number": "18005550000"}),
}


@pytest.mark.parametrize("url", INWARD)
@pytest.mark.parametrize("method", NAMED)
def test_what_can_never_be_reached_is_refused_at_once(method: str, url: str) -> None:
    name, others = NAMED[method]
    given = [*others.items(), (name, url)]
    with pytest.raises(BadParameter, match=r"fetch\.allow does not name it") as caught:
        read(method.lower(), Parameters(given), Dialect(refusal=partial(refusal, allow=())))
    assert caught.value.code == f"{name}.address"
    read(method.lower(), Parameters(given), Dialect(refusal=partial(refusal, allow=ALL)))


def test_a_recording_of_our_own_may_be_played_wherever_it_is() -> None:
    dialect = Dialect(refusal=partial(refusal, allow=()), own="http://127.0.0.1:8080/recordings/")
    given = [("callId", "a"), ("announcement", "http://127.0.0.1:8080/recordings/r1-a.wav")]
    read("play", Parameters(given), dialect)
