"""Where hosts' names lead, asked of the machine's resolver with a limit and kept for a while.

A name server that does not answer holds nobody for longer than `PATIENCE`, and no thread that others
need.  A name that was found once is still believed for an hour where nobody can say better.  Only
addresses of IPv4 are asked for (A); `places` asks for SRV and NAPTR (RFC 3263).
"""

import socket
from ipaddress import IPv4Address

import trio
from attrs import define, field

PATIENCE = 3.0
KEPT = 30.0
"""Seconds for which an answer is given again."""
REFUSED = 2.0
"""Seconds for which a name that was not found is not asked for again."""
BELIEVED = 3600.0
"""Seconds for which an old answer is better than none."""
_MOST = 1000
_MOST_ADDRESSES = 4
"""Of a name that are kept."""


@define(eq=False)
class Names:
    """Names that were asked for."""

    _found: dict[str, tuple[float, tuple[str, ...]]] = field(factory=dict)
    _failed: dict[str, tuple[float, str]] = field(factory=dict)
    _asking: dict[str, trio.Event] = field(factory=dict)
    # Threads that wait for a dead name server: few, and none of those that files and sounds are read by.
    _threads: trio.CapacityLimiter = field(factory=lambda: trio.CapacityLimiter(8))

    async def addresses(self, host: str) -> tuple[str, ...]:
        """Give the addresses of *host*.  Raises OSError, whose text says why there is none."""
        if is_address(host):
            return (host,)
        found = self._kept(host, KEPT)
        if found is None and not self._failed_lately(host):
            await self._ask(host)
            found = self._kept(host, KEPT)
        if found is None:
            found = self._kept(host, BELIEVED)
        if found is None:
            raise OSError(self._failed.get(host, (0, "the name server does not answer"))[1])
        return found

    def known(self, host: str) -> tuple[str, ...]:
        """Give the addresses of *host* as far as they are known already."""
        return (host,) if is_address(host) else self._kept(host, BELIEVED) or ()

    def _kept(self, host: str, seconds: float) -> tuple[str, ...] | None:
        at, addresses = self._found.get(host, (float("-inf"), ()))
        return addresses if trio.current_time() - at < seconds else None

    def _failed_lately(self, host: str) -> bool:
        return trio.current_time() - self._failed.get(host, (float("-inf"), ""))[0] < REFUSED

    async def _ask(self, host: str) -> None:
        """Ask once, however many wait for it."""
        if host in self._asking:
            await self._asking[host].wait()
            return
        if len(self._found) + len(self._failed) > _MOST:
            self._found.clear()
            self._failed.clear()
        asked = self._asking[host] = trio.Event()
        why = f"the name server did not answer within {PATIENCE:g} s"
        try:
            with trio.move_on_after(PATIENCE):
                found = await trio.to_thread.run_sync(
                    _look_up, host, abandon_on_cancel=True, limiter=self._threads
                )
                why = ""
                self._found[host] = (trio.current_time(), found)
                self._failed.pop(host, None)
        except (OSError, UnicodeError) as error:
            why = str(getattr(error, "strerror", "") or error) or type(error).__name__
        finally:
            if why:
                self._failed[host] = (trio.current_time(), why)
            del self._asking[host]
            asked.set()


def _look_up(host: str) -> tuple[str, ...]:
    found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_DGRAM)
    return tuple(dict.fromkeys(str(one[4][0]) for one in found))[:_MOST_ADDRESSES]


def is_address(host: str) -> bool:
    """Say whether *host* is an address of IPv4, and no name."""
    try:
        IPv4Address(host)
    except ValueError:
        return False
    return True
