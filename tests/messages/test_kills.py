"""A thousand messages while the SMSC is killed, or the server: nothing is lost, and what comes twice is told.

The server is `ringful serve`, the SMSC is npm's in a process of its own, and both are ended by SIGKILL.
"""

import random
import re
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.error import HTTPError
from urllib.request import urlopen

import trio

from ringful.store.open import open_store
from ringful.store.port import MessageFilter
from tests.messages.smscs import running
from tests.server import PATIENCE, free_port, receiver, server

MANY = 1000
AHEAD = 800
"""So many wait before there is an SMSC; the others come while it takes them."""
OWN = "+15125550000"
FIRST = 15125600000


class World:
    """The server, the SMSCs that were there, one after the other, and what the application was told."""

    def __init__(self, stack, running_server, hook, port):
        self.stack, self.server, self.hook, self.port = stack, running_server, hook, port
        self.smscs, self.told = [], []

    async def smsc(self, ids):
        smsc = await self.stack.enter_async_context(running("npm", port=self.port, ids=ids))
        self.smscs.append(smsc)
        return smsc

    async def send(self, some):
        """Ask for some messages, several at a time, whatever happens to the server meanwhile."""
        left = iter(some)

        async def ask():
            for n in left:
                url = self.server.url(
                    "SendReceiveSms",
                    callee=str(FIRST + n),
                    message=f"message {n}",
                    callbackUrl=f"{self.hook.url}/{n}",
                )
                # The same request, with the same seq: it was done, or it was not, and never twice.
                while not await trio.to_thread.run_sync(_fetch, url):  # noqa: ASYNC110
                    await trio.sleep(0.1)

        async with trio.open_nursery() as nursery:
            for _ in range(8):
                nursery.start_soon(ask)

    def numbers(self):
        """Give how often each message came to any of the SMSCs."""
        return Counter(one["destination"][2] for smsc in self.smscs for one in smsc.seen("submit"))

    def listen(self):
        """Take what the application was told since."""
        while not self.hook.arrived.empty():
            path, fields, _ = self.hook.arrived.get()
            self.told.append((path, fields))
        return self.told

    async def until(self, true):
        with trio.fail_after(4 * PATIENCE):
            while not true():  # noqa: ASYNC110
                await trio.sleep(0.05)

    def reached(self, status):
        return {path for path, fields in self.listen() if fields.get("status") == status}


def _fetch(url):
    """Ask; say whether there was an answer."""
    try:
        with urlopen(url, timeout=PATIENCE) as response:
            response.read()
    except HTTPError:
        raise
    except OSError:
        return False
    return True


@asynccontextmanager
async def world(folder):
    port = free_port()
    with receiver({}) as hook:
        config = (
            f'[sms]\nsource = "{OWN}"\ntransport = "smpp"\n'
            f'[sms.smpp]\naddress = "127.0.0.1:{port}"\nname = "npm"\nsystem_id = "ringful"\n'
        )
        (folder / "ringful.toml").write_text(config)
        with server(folder, "127.0.0.1:9") as running_server:
            async with AsyncExitStack() as stack:
                made = World(stack, running_server, hook, port)
                yield made


async def check(world):
    """Hold that all arrived and was told once, that what came twice is marked, and that replies find home."""
    await world.until(lambda: len(world.reached("sent")) == MANY)
    came = world.numbers()
    assert set(came) == {str(FIRST + n) for n in range(MANY)}
    double = {number for number, times in came.items() if times > 1}
    async with open_store(f"sqlite:///{world.server.folder}/ringful.db") as store:
        kept, after = [], None
        while page := await store.find_messages(MessageFilter(inbound=False), after=after, limit=1000):
            kept, after = kept + list(page), page[-1]
    marked = {one.number.lstrip("+") for one in kept if one.twice}
    assert double <= marked, "what came twice is told as that"
    assert marked, "something was under way when they were killed"
    print(f"came twice: {len(double)}; may have come twice: {len(marked)} of {MANY}")
    # Every outcome once.
    for status in ("queued", "sent"):
        told = Counter(
            (path, fields["event"]) for path, fields in world.listen() if fields.get("status") == status
        )
        assert len({path for path, _ in told}) == MANY
        assert len({event for _, event in told}) == MANY
    await replies(world)


async def replies(world):
    smsc = world.smscs[-1]
    some = random.Random(7).sample(range(MANY), 25)
    for n in some:
        fields = {"source_addr": str(FIRST + n), "destination_addr": OWN.lstrip("+")}
        await smsc.deliver(f"reply {n}".encode(), **fields)
    await world.until(lambda: sum("reply" in fields for _, fields in world.listen()) >= len(some))
    found = {(path, fields["reply"]) for path, fields in world.listen() if "reply" in fields}
    assert {(re.search(r"\d+$", path)[0], said) for path, said in found} == {
        (str(n), f"reply {n}") for n in some
    }
    assert all(one["status"] == 0 for one in smsc.seen("acknowledged"))


async def test_the_smsc_and_then_the_server_are_killed_in_the_middle(tmp_path):
    async with trio.open_nursery() as nursery, world(tmp_path) as here:
        await here.send(range(AHEAD))
        first = await here.smsc("a")
        nursery.start_soon(here.send, range(AHEAD, MANY))
        await first.until("submit", MANY // 3)
        first.process.kill()
        await first.process.wait()
        second = await here.smsc("b")
        await second.until("submit", MANY // 3)
        await trio.to_thread.run_sync(here.server.kill)
        await trio.to_thread.run_sync(here.server.start)
        await check(here)
