"""How many messages a second leave by one bind of window 10: with an SMSC of our own in another process.

Once for SMPP alone (`submits`), and once as on a server: out of an outbox, *being sent* in the store before
they leave, and with their journals, their rows and a callback when they have been taken.
"""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import trio

from ringful.bench.figures import Effort, Figure
from ringful.bench.messages.submits import TEXT, WINDOW, smsc, submit_rate
from ringful.ground.faults import Fence
from ringful.interpreter.events import Started
from ringful.interpreter.messages.incoming import Inbox
from ringful.interpreter.messages.keywords import Keywords
from ringful.interpreter.messages.letter import Letter
from ringful.interpreter.messages.office import MessageSettings, Office
from ringful.interpreter.messages.room import MessageRoom
from ringful.messages.smpp.connection import SmppConnection
from ringful.messages.smpp.transport import SmppTransport
from ringful.store.open import open_store
from ringful.store.port import Commit, Key, Keyword, Message, Post, Store, Write

MESSAGES = 2500
"""For each second that a round is to last; they are gone before."""
OWN = "+15125550000"
KEY = Key("bench", "c2VjcmV0", "bench", 0.0)


def sending(effort: Effort) -> Iterator[Figure]:
    """Measure submits a second."""
    messages = max(100, round(MESSAGES * effort.seconds))
    window = f"one bind of window {WINDOW}, an SMSC in another process; {messages:,} messages; by the clock"
    each = tuple(trio.run(submit_rate, messages) for _ in range(effort.rounds))
    yield Figure("submits, SMPP alone", "submits/s", each, window)
    with TemporaryDirectory(dir=effort.folder) as folder:
        each = tuple(trio.run(_measure, Path(folder), messages) for _ in range(effort.rounds))
    about = f"{window}; out of the outbox, with their rows, journals and callbacks (SQLite, full sync)"
    yield Figure("submits of a server", "submits/s", each, about)


async def _measure(folder: Path, messages: int) -> float:
    url = f"sqlite:///{folder}/{time.monotonic_ns()}.db"
    async with open_store(url) as store, smsc() as address:
        await store.put_key(KEY)
        for first in range(0, messages, 500):
            letters = [Letter(_message(n)).queued() for n in range(first, min(first + 500, messages))]
            await store.submit(_kept(letters)).wait()
        told: list[Post] = []
        transport = SmppTransport([SmppConnection(address, "bench", window=WINDOW)])
        settings = MessageSettings(OWN, usual="smpp")
        office = Office(
            store, told.append, {"smpp": transport}, settings, lambda _key, _number: True, time.time
        )
        async with _running(office, store, transport):
            began = time.monotonic()
            while office.counts.ended["sent"] < messages:  # noqa: ASYNC110  # a look every 5 ms costs nothing
                await trio.sleep(0.005)
            return messages / (time.monotonic() - began)


@asynccontextmanager
async def _running(office: Office, store: Store, transport: SmppTransport) -> AsyncIterator[None]:
    async with trio.open_nursery() as nursery:
        inbox = Inbox(office, Keywords(store, "US"), _read, _begin, lambda: "", lambda _number: None, _know)
        await MessageRoom(office, inbox).open([transport], Fence(nursery))
        yield
        nursery.cancel_scope.cancel()


def _message(n: int) -> Message:
    now = time.time()
    return Message(
        f"r1-{n}.sms",
        KEY.key,
        False,
        f"+1512{5_500_000 + n}",
        OWN,
        TEXT,
        now,
        "queued",
        now,
        carrier="smpp",
        notify="http://app.example/sms",
        call_id=f"r1-{n}",
        next_at=now,
    )


def _kept(letters: list[Letter]) -> Write:
    return Write(
        entries=[entry for letter in letters for entry in letter.entries],
        posts=[post for letter in letters for post in letter.posts],
        messages=[letter.message for letter in letters],
    )


async def _read(key: Key, keyword: Keyword) -> Started:
    raise AssertionError(f"{key.key} has no keyword {keyword.keyword}")


async def _begin(key: Key, call_id: str, started: Started, letter: Letter) -> Commit:
    raise AssertionError(f"nothing comes in: {key.key} {call_id} {started} {letter}")


async def _know(key: str) -> None:
    """Nothing is charged."""
