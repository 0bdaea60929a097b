"""The SIP front of a node: from before the first worker until after the last.

It is looked after: what ends is started again, what does not answer is ended and started again, and calls
that are up go on meanwhile, since the front keeps nothing of them that they need.
"""

import socket
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from ipaddress import IPv4Network, IPv6Network, ip_network
from secrets import token_hex

import structlog
import trio
from attrs import define, field

from ringful.ground.faults import Fence, fault
from ringful.media.front import process
from ringful.media.front.desk import Desk
from ringful.media.front.process import FrontError, Kamailio
from ringful.media.front.rpc import RpcError, rpc
from ringful.media.front.settings import FrontSettings, heard, render, tls_table
from ringful.media.trunking.exchange import Place, exchange, options
from ringful.media.trunking.places import Places
from ringful.media.trunks import Trunk

log = structlog.get_logger()

PAUSES = (0.0, 0.5, 2.0, 5.0, 15.0)
"""Seconds before it is started again: one that lives shortly comes later."""
LIVES_SECONDS = 20.0
LOOK_SECONDS = 5.0
"""How often it is looked after."""
PATIENCE = 3
"""How many times in a row it may not answer."""
NODE_PORTS = 60
"""The uppermost of the workers' ports, from which the node itself asks trunks."""
COUNTS = ("strangers", "shut_out", "too_fast", "malformed", "node_away", "worker_away")


@define(eq=False)
class Front:
    """The front that runs, or is to run again."""

    settings: FrontSettings
    inner: int
    """The port on 127.0.0.1 where it hears workers and the node."""
    desk: Desk
    places: Places
    kamailio: Kamailio
    restarts: int = 0
    why_down: str = ""
    """Why it does not run; empty where it does."""
    counts: dict[str, int] = field(factory=lambda: dict.fromkeys(COUNTS, 0))
    """Since the node has started, whatever ended meanwhile."""
    _before: dict[str, int] = field(factory=dict)
    _heard: str = ""
    _written: tuple[float, ...] = ()
    """When the certificate and its key were written that are in use."""
    _in_a_row: int = 0

    @property
    def node_ports(self) -> tuple[int, int]:
        """The ports from which the node asks trunks by way of the front."""
        last = self.settings.worker_ports[1]
        return last - NODE_PORTS + 1, last

    @property
    def words(self) -> str:
        """Say how it stands, in a line."""
        if self.why_down:
            return f"down: {self.why_down}"
        again = f", started again {self.restarts} times" if self.restarts else ""
        return f"kamailio {self.kamailio.version} at {self.settings.known_as}{again}"

    async def open(self, secret: str) -> None:
        """Write what it is told, see that it understands it, and start it.  Raises FrontError."""
        settings, folder, user = self.settings, self.settings.folder, self.kamailio.user
        process.private_folder(folder, user)
        first, last = settings.worker_ports
        if ended := await process.end_the_one_before(folder, range(first, last + 1)):
            log.warning("calls of a server that has died were ended", calls=ended)
        try:
            written = render(settings, self.inner, self.desk.port, secret)
            tls = tls_table(settings.tls) if settings.tls else ""
        except ValueError as error:
            raise FrontError(str(error)) from error
        process.write_private(folder / "kamailio.cfg", written, user)
        process.write_private(folder / "tls", tls, user)
        await self._write_heard()
        self._written = self._certificate_written()
        await self.kamailio.check()
        await self.kamailio.start()
        log.info(
            "the SIP front", kamailio=self.kamailio.version, address=settings.known_as, folder=str(folder)
        )

    def _certificate_written(self) -> tuple[float, ...]:
        tls = self.settings.tls
        try:
            return tuple(one.stat().st_mtime for one in (tls.certificate, tls.key)) if tls else ()
        except OSError:
            # It is being renewed.
            return self._written

    # Who is heard

    async def _write_heard(self) -> bool:
        """Write the file of those who are heard; say whether it is another than before."""
        found = {(trunk.name, one) for trunk in self.settings.trunks for one in await self._networks(trunk)}
        written = heard(sorted(found, key=str))
        if written == self._heard:
            return False
        self._heard = written
        process.write_private(self.settings.folder / "trunks", written, self.kamailio.user)
        return True

    async def _networks(self, trunk: Trunk) -> Iterable[IPv4Network | IPv6Network]:
        try:
            known = [
                ip_network(one) for one, _ in await self.places.of(trunk.host, trunk.port, trunk.transport)
            ]
        except (OSError, ValueError):
            # The watch over trunks says so.
            known = []
        return [*trunk.networks, *known]

    # Watching

    async def run(self) -> None:
        """Keep it running until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.desk.serve)
            while True:
                began = time.monotonic()
                why = await self._watch()
                self._in_a_row = 0 if time.monotonic() - began > LIVES_SECONDS else self._in_a_row + 1
                await self._again(why)

    async def _watch(self) -> str:
        """Return when it has to be started again, and say why."""
        running, silent = self.kamailio.process, 0
        assert running
        while True:
            with trio.move_on_after(LOOK_SECONDS):
                code = await running.wait()
                return f"it ended by itself ({code})"
            self._tell_news()
            try:
                await self.look()
                silent = 0
            except RpcError as error:
                silent += 1
                log.warning("the SIP front does not answer", why=str(error), times=silent)
                if silent >= PATIENCE:
                    return f"it did not answer {silent} times"
            except Exception as error:
                fault("looking after the SIP front", error)

    async def look(self) -> None:
        """Ask it what it has counted, and tell it who is heard now.  Raises RpcError."""
        found = await rpc(self.settings.folder, "cnt.grp_get_all", "script")
        for name in COUNTS:
            now = int(found.get(name, 0))
            self.counts[name] += now - self._before.get(name, 0)
            self._before[name] = now
        if await self._write_heard():
            await rpc(self.settings.folder, "permissions.addressReload")
        if self._written and (written := self._certificate_written()) != self._written:
            self._written = written
            await rpc(self.settings.folder, "tls.reload")
            log.info("the SIP front has read its certificate again")

    def _tell_news(self) -> None:
        lines = self.kamailio.news()
        for line in lines[: process.LOG_LINES]:
            log.warning("the SIP front says", line=line)
        if (more := len(lines) - process.LOG_LINES) > 0:
            log.warning("the SIP front says much more", lines=more)

    async def _again(self, why: str) -> None:
        log.error("the SIP front is started again: calls that are up go on", why=why)
        self.why_down = why
        self._tell_news()
        await self.kamailio.end()
        self._before.clear()
        while self.why_down:
            await trio.sleep(PAUSES[min(self._in_a_row, len(PAUSES) - 1)])
            try:
                await self.kamailio.start()
                self.restarts += 1
                self.why_down = ""
                log.info("the SIP front runs again", restarts=self.restarts)
            except FrontError as error:
                self._in_a_row += 1
                self.why_down = str(error)
                log.error("the SIP front cannot be started", why=str(error))

    async def ask(self) -> None:
        """Return when it has answered a request.  Raises OSError."""
        place = Place("127.0.0.1", self.inner, own_ports=self.node_ports)
        await exchange(options(f"127.0.0.1:{self.inner}", "udp"), place)

    async def end_calls(self, port: int) -> None:
        """Have the far ends told whose worker, at *port*, has died."""
        try:
            if ended := await process.end_calls(self.settings.folder, port):
                log.info("the far ends of a dead worker's calls were told", calls=ended)
        except RpcError as error:
            log.warning("the far ends of a dead worker's calls could not be told", why=str(error))


@asynccontextmanager
async def open_front(settings: FrontSettings, user: str | None = None) -> AsyncIterator[Front]:
    """Give a front that runs; it ends with this.  Raises FrontError where it cannot be started.

    *user*: whom it runs as; empty: us; None: us, but somebody without privileges where we are root.
    """
    async with trio.open_nursery() as nursery:
        tasks = Fence(nursery)
        with trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM) as asked:
            await asked.bind(("127.0.0.1", 0))
            inner = free_port()
            desk = Desk(asked, inner, tasks)
            runs_as = process.someone_unprivileged() if user is None else user
            kamailio = Kamailio(settings.folder, runs_as, settings.shared_megabytes)
            front = Front(settings, inner, desk, Places(), kamailio)
            try:
                await front.open(token_hex(16))
                tasks.start_soon(front.run)
                yield front
            finally:
                nursery.cancel_scope.cancel()
                with trio.CancelScope(shield=True):
                    await kamailio.end()


def free_port() -> int:
    """Give a UDP port of 127.0.0.1 that nobody has now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
