"""Everything that a load needs: far end, web server, the server itself, and who asks it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import trio
from attrs import frozen

from ringful.bench.calls.asking import Asker, open_asker
from ringful.bench.calls.jobs import BEEP, FIRST, SECOND, Jobs
from ringful.bench.calls.numbers import open_numbers
from ringful.bench.calls.parts import BEEP_SECONDS, Story, story_of
from ringful.bench.calls.relay import open_relay
from ringful.bench.calls.server import OURS, START_SECONDS, Order, Server, open_server
from ringful.bench.calls.usage import Look, Window, look
from ringful.bench.calls.web import open_web
from ringful.bench.media.answering import Answering, open_far_end
from ringful.bench.media.ulaw import tone
from ringful.media import wav

_LEVEL = 8000
_SOUNDS = ((FIRST, 440, 2.0), (SECOND, 880, 1.0), (BEEP, 1000, BEEP_SECONDS))


@frozen
class Place:
    """Where loads are put on: which server, and in which folder its own is made."""

    command: str = OURS
    folder: Path | None = None
    patience: float = START_SECONDS


@frozen
class Site:
    """A server that is ready, and all around it."""

    server: Server
    far: Answering
    asker: Asker
    jobs: Jobs
    web: str
    numbers: Path
    """Where seq is counted."""

    def look(self) -> Look:
        """See what the server's processes have taken until now."""
        return look(self.server.pid, self.far.pid)

    async def window(self, seconds: float) -> Window:
        """See what they take within *seconds*."""
        began = self.look()
        await trio.sleep(seconds)
        return Window(began, self.look())

    async def story(self) -> Story:
        """End the far end; give what it saw.  Raises Complaint."""
        return story_of(await self.far.told())


@asynccontextmanager
async def open_site(place: Place, calls: int, away: float = 0.0) -> AsyncIterator[Site]:
    """Give a server for *calls* at once, whose customer is *away*: seconds there and back.

    Raises Complaint where it does not start.
    """
    jobs = Jobs()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="ringful-bench-", dir=place.folder)))
        far = await stack.enter_async_context(open_far_end(calls, "ringful.bench.calls.far_end"))
        port = await stack.enter_async_context(open_web(_sounds(), jobs.receive))
        if away:
            port = await stack.enter_async_context(open_relay(port, away / 2))
        web = f"http://127.0.0.1:{port}"
        order = Order(f"127.0.0.1:{far.port}", web, calls, place.command, place.patience)
        server = await stack.enter_async_context(open_server(order, folder))
        port = server.port
        if away:
            port = await stack.enter_async_context(open_relay(port, away / 2))
        base = f"127.0.0.1:{server.port}"
        numbers = folder / "seq"
        counted = stack.enter_context(open_numbers(numbers))
        asker = await stack.enter_async_context(open_asker(port, base, server.key, server.secret, counted))
        yield Site(server, far, asker, jobs, web, numbers)


def _sounds() -> dict[str, bytes]:
    made = {}
    for path, hertz, seconds in _SOUNDS:
        sound = tone(hertz, seconds, _LEVEL).astype("<i2").tobytes()
        made[path] = wav.header(len(sound)) + sound
    return made
