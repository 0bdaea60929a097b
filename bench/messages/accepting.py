"""How many messages a second are accepted: each a script of one statement, run and kept.

Nothing carries them meanwhile, and every message has another number and a URL for its status: so each is a
run's journal, a message's journal, its row, and a callback.  No HTTP is in it.
"""

import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import trio

from ringful.bench.figures import Effort, Figure
from ringful.grammar import nodes
from ringful.ground.faults import Fence
from ringful.interpreter.calls.live import House
from ringful.interpreter.calls.node import NodeLimits, Switchboard
from ringful.interpreter.events import Started
from ringful.interpreter.messages.board import Draft
from ringful.interpreter.messages.office import MessageSettings, Office
from ringful.interpreter.settings import Settings
from ringful.interpreter.values import Value
from ringful.messages.port import Carrier, Desk
from ringful.messages.segments import split
from ringful.simulation.phones.agenda import Agenda
from ringful.simulation.phones.phones import SimulatedPhones
from ringful.simulation.phones.world import World
from ringful.store.open import open_store
from ringful.store.port import Key, Post

AT_ONCE = 32
KEY = Key("bench", "c2VjcmV0", "bench", 0.0, prefixes=("+",))
TEXT = "Your order {} is on its way."


class Nothing:
    """A carrier that takes no message."""

    carrier: Carrier = "smpp"

    def parts(self, text: str) -> int:
        """Say in how many parts it would go."""
        return len(split(text).parts)

    async def run(self, desk: Desk) -> None:
        """Wait."""
        await trio.sleep_forever()


def accepting(effort: Effort) -> Iterator[Figure]:
    """Measure accepted messages a second."""
    about = (
        f"{AT_ONCE} tasks at once, each waits until its message is on the disk (SQLite, full sync), with its "
        "run's journal and a callback; other numbers each; no HTTP; by the clock"
    )
    with TemporaryDirectory(dir=effort.folder) as folder:
        measure = partial(_measure, Path(folder), effort.seconds)
        each = tuple(trio.run(measure) for _ in range(effort.rounds))
    yield Figure("accepted messages", "messages/s", each, about)


async def _measure(folder: Path, seconds: float) -> float:
    url = f"sqlite:///{folder}/{time.monotonic_ns()}.db"
    async with open_store(url) as store, trio.open_nursery() as nursery:
        settings = MessageSettings("+15125550000", usual="smpp")
        told: list[Post] = []
        office = Office(
            store, told.append, {"smpp": Nothing()}, settings, lambda _key, _number: True, time.time
        )
        phones = SimulatedPhones(Agenda(), World(()), keep_files=False)
        house = House(
            phones, store, told.append, _ask, Settings(), folder, lambda _key, _number: True, office=office
        )
        switchboard = Switchboard(house, Fence(nursery), NodeLimits())
        counts: list[int] = []
        async with trio.open_nursery() as senders:
            for number in range(AT_ONCE):
                senders.start_soon(_send, switchboard, number, seconds, counts)
        nursery.cancel_scope.cancel()
    return sum(counts) / seconds


async def _send(switchboard: Switchboard, sender: int, seconds: float, counts: list[int]) -> None:
    n = 0
    with trio.move_on_after(seconds):
        while True:
            number, text = f"+1512{sender:02}{n % 100_000:05}", TEXT.format(n)
            sms = nodes.Sms(nodes.text(number), nodes.text(text), notify=nodes.text("http://app.example/sms"))
            started = Started(nodes.Script(nodes.Block((sms,))))
            await switchboard.judge(KEY, Draft(number, text))
            await switchboard.send(KEY, switchboard.new_id(), started)
            n += 1
    counts.append(n)


async def _ask(url: str, fields: Mapping[str, str], want: str) -> Value:
    raise OSError(f"there is no web: {url} was to give {want} for {len(fields)} fields")
