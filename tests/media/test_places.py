"""Where a trunk's name leads: NAPTR, SRV and A, from a name server of sockets, and what becomes of calls."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
import trio
import trio.testing
from attrs import define, field

from ringful.media import port
from ringful.media.trunking.names import Names
from ringful.media.trunking.places import Places, in_order
from ringful.media.trunking.records import Answered, NameServers, Naptr, Srv
from ringful.media.trunking.standing import Surroundings
from ringful.media.trunking.trial import trial
from ringful.media.trunking.watch import TrunkWatch
from tests.media.test_pool import line
from tests.trunk import false_trunk, trunk_to

HOST = "carrier.example"


@define(eq=False)
class NameServer:
    """Answers by UDP with the records of its *zone*, ``(name, kind)`` → lines; None: it says nothing."""

    zone: dict[tuple[str, str], list[str]] | None
    at_port: int = 0
    asked: list[tuple[str, str]] = field(factory=list)
    ttl: int = 60
    spoiled: Callable[[bytes], bytes] = lambda data: data

    async def serve(self, ours: trio.socket.SocketType) -> None:
        while True:
            data, source = await ours.recvfrom(4096)
            if self.zone is not None:
                await ours.sendto(self.spoiled(self._answer(dns.message.from_wire(data), self.zone)), source)

    def _answer(self, query: dns.message.Message, zone: dict[tuple[str, str], list[str]]) -> bytes:
        (question,) = query.question
        name, kind = str(question.name).rstrip("."), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        said = dns.message.make_response(query)
        said.flags |= dns.flags.RA
        if lines := zone.get((name, kind)):
            said.answer.append(dns.rrset.from_text(question.name, self.ttl, "IN", kind, *lines))
        elif not any(known == name for known, _ in zone):
            said.set_rcode(dns.rcode.NXDOMAIN)
        return said.to_wire()


@asynccontextmanager
async def name_server(zone: dict[tuple[str, str], list[str]] | None) -> AsyncIterator[NameServer]:
    with trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM) as ours:
        await ours.bind(("127.0.0.1", 0))
        server = NameServer(zone, ours.getsockname()[1])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.serve, ours)
            yield server
            nursery.cancel_scope.cancel()


class Hosts(Names):
    """Names of a table of our own, instead of the machine's."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, tuple[str, ...]] = {}

    async def addresses(self, host: str) -> tuple[str, ...]:
        try:
            return self.known[host] if host in self.known else await super().addresses(host)
        except OSError as error:
            raise OSError(f"{host} is not known") from error


def asking(server: NameServer) -> Places:
    hosts = Hosts()
    hosts.known = {"a." + HOST: ("192.0.2.1",), "b." + HOST: ("192.0.2.2", "192.0.2.3"), HOST: ("192.0.2.9",)}
    return Places(hosts, NameServers(["127.0.0.1"], server.at_port))


SRV = {
    ("_sip._udp." + HOST, "SRV"): [f"20 0 5090 b.{HOST}.", f"10 5 5070 a.{HOST}.", f"1 1 0 c.{HOST}."],
    (HOST, "A"): ["1.2.3.4"],
}
NAPTR = {
    (HOST, "NAPTR"): [
        f'20 10 "s" "SIP+D2U" "" old.{HOST}.',
        f'10 20 "s" "SIP+D2U" "" _sip._udp.{HOST}.',
        f'10 10 "s" "SIPS+D2T" "" _sips._tcp.{HOST}.',
        '5 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .',
    ]
}


async def test_srv_says_where_in_what_order_and_at_what_port() -> None:
    async with name_server(SRV) as server:
        places = asking(server)
        expected = [("192.0.2.1", 5070), ("192.0.2.2", 5090), ("192.0.2.3", 5090)]
        assert await places.of(HOST, 0, "udp") == expected
        assert await places.of(HOST, 0, "udp", spread=True) == expected
        assert server.asked == [(HOST, "NAPTR"), ("_sip._udp." + HOST, "SRV")], "asked once"
        assert await places.of(f"{HOST}.", 0, "udp") == expected
        # No SRV for that transport: its name is where it is.
        assert await places.of(HOST, 0, "tcp") == [("192.0.2.9", 5060)]
        assert await places.of(HOST, 0, "tls") == [("192.0.2.9", 5061)]
        # Who names a port, an address or a name without a dot means that.
        asked = len(server.asked)
        assert await places.of(HOST, 5080, "udp") == [("192.0.2.9", 5080)]
        assert await places.of("203.0.113.7", 0, "udp") == [("203.0.113.7", 5060)]
        assert await places.of("localhost", 0, "udp") == [("127.0.0.1", 5060)]
        assert len(server.asked) == asked


async def test_naptr_names_the_srv_of_our_transport() -> None:
    async with name_server(SRV | NAPTR | {("_sips._tcp." + HOST, "SRV"): [f"1 1 5061 a.{HOST}."]}) as server:
        places = asking(server)
        assert (await places.of(HOST, 0, "udp"))[0] == ("192.0.2.1", 5070)
        assert await places.of(HOST, 0, "tls") == [("192.0.2.1", 5061)]
        assert ("old." + HOST, "SRV") not in server.asked


async def test_a_trial_says_where_naptr_offers_another_transport() -> None:
    records = {(HOST, "NAPTR"): [f'1 1 "s" "SIP+D2T" "" t.{HOST}.', f'2 1 "s" "SIPS+D2T" "" s.{HOST}.']}
    async with name_server(records) as server:
        places = asking(server)
        places.names = Hosts()
        places.names.known = {HOST: ("127.0.0.1",)}
        around = Surroundings(lambda status, _: f"it said {status}")
        said = [one async for one in trial(trunk_to(HOST, "north"), places, around)]
    assert (said[0].what, said[0].well) == ("name", True)
    told = "it offers SIP by tcp and tls, not by udp: set its transport"
    assert (said[1].what, said[1].found, said[1].well) == ("NAPTR", told, False)


async def test_a_place_that_failed_is_asked_last_for_a_while(mock_clock: trio.testing.MockClock) -> None:
    places = Places(Hosts(), Told([Srv("127.0.0.1", 1), Srv("127.0.0.2", 2, 1)]))
    first, second = await places.of(HOST, 0, "udp")
    places.failed(first)
    assert await places.of(HOST, 0, "udp") == [second, first]
    mock_clock.jump(31)
    assert await places.of(HOST, 0, "udp") == [first, second]


async def test_a_service_that_is_said_to_be_nowhere() -> None:
    async with name_server({("_sip._udp." + HOST, "SRV"): ["0 0 0 ."]}) as server:
        with pytest.raises(OSError, match="it says by SRV that it has no SIP by udp"):
            await asking(server).of(HOST, 0, "udp")


@pytest.mark.parametrize(
    "spoiled", [lambda data: b"", lambda data: data[:20], lambda data: b"\xff" * 60, lambda data: data[::-1]]
)
async def test_answers_that_are_none_leave_the_name_itself(spoiled: Callable[[bytes], bytes]) -> None:
    async with name_server(SRV) as server:
        server.spoiled = spoiled
        assert await asking(server).of(HOST, 0, "udp") == [("192.0.2.9", 5060)]


@define
class Told:
    """Gives these SRV; or nobody answers."""

    srvs: list[Srv] | None
    seconds: float = 60.0
    asked: int = 0

    async def srv(self, name: str) -> Answered:
        self.asked += 1
        if self.srvs is None:
            raise OSError("nobody answers")
        return Answered(self.srvs, self.seconds)

    async def naptr(self, name: str) -> Answered:
        return Answered([Naptr("SIP+D2T", "elsewhere")], 1.0)


@pytest.mark.parametrize(("ttl", "kept"), [(300.0, 300.0), (0.0, 5.0), (1e9, 3600.0)])
async def test_records_are_kept_as_long_as_they_say(
    mock_clock: trio.testing.MockClock, ttl: float, kept: float
) -> None:
    told = Told([Srv("127.0.0.1", 1)], ttl)
    places = Places(Hosts(), told)
    for asked, later in ((1, kept - 0.1), (1, 0.2), (2, 0.0)):
        assert await places.of(HOST, 0, "udp") == [("127.0.0.1", 1)]
        assert told.asked == asked
        mock_clock.jump(later)
    # Where nobody can say better, what was found is believed for an hour.
    told.srvs = None
    mock_clock.jump(kept + 1)
    assert await places.of(HOST, 0, "udp") == [("127.0.0.1", 1)]


def dice(*numbers: float) -> Callable[[], float]:
    given: Iterator[float] = cycle(numbers)
    return lambda: next(given)


def test_weights_are_chances_within_one_priority() -> None:
    light, heavy, none, later = Srv("l", 1, 1, 10), Srv("h", 1, 1, 90), Srv("n", 1, 1, 0), Srv("z", 1, 2, 99)
    all_four = [later, none, light, heavy]
    assert in_order(all_four, None) == [heavy, light, none, later]
    assert in_order(all_four, dice(0.0)) == [heavy, light, none, later]
    assert in_order(all_four, dice(0.95)) == [light, heavy, none, later]
    assert in_order(all_four, dice(1.0)) == [none, light, heavy, later]
    assert in_order([], None) == []


async def test_a_call_goes_to_the_next_server_of_a_trunk_and_then_to_the_next_trunk(tmp_path: Path) -> None:
    with false_trunk() as first, false_trunk() as second, false_trunk() as other:
        first.status, second.status, other.status = 503, 486, 603
        spots = [one.address.split(":") for one in (first, second)]
        told = Told([Srv(host, int(at), priority=n) for n, (host, at) in enumerate(spots)])
        both = trunk_to(HOST, "north"), trunk_to(other.address, "south", order=1)
        async with line(tmp_path, trunks=both) as calls:
            calls.pool.ways.places.records = told

            async def ring(leg: str) -> int | None:
                calls.pool.ring(leg, "+15125551234", None, calls.send.send_nowait)
                return (await calls.next(port.Refused, leg)).sip_status

            assert await ring("a") == 486
            assert (first.asked.count("INVITE"), calls.pool.ways.failures) == (1, {})
            # It is asked last for a while.
            assert await ring("b") == 486
            assert first.asked.count("INVITE") == 1
            second.status = 503
            assert await ring("c") == 603
            assert (first.asked.count("INVITE"), calls.pool.ways.failures) == (2, {"north": 1})


async def test_a_trunk_lives_where_one_of_its_servers_answers() -> None:
    with false_trunk() as first, false_trunk() as second:
        first.options = 503
        spots = [one.address.split(":") for one in (first, second)]
        places = Places(Hosts(), Told([Srv(host, int(at), n) for n, (host, at) in enumerate(spots)]))
        trunk = trunk_to(HOST, "north")
        watch = TrunkWatch([trunk], places, Surroundings(lambda status, _: f"it said {status}"))
        assert (await watch.probe(trunk))[:2] == (True, "")
        assert (await watch.place(trunk)).port == int(spots[1][1])
        second.options = 503
        assert (await watch.probe(trunk))[:2] == (False, "it said 503")
