"""What the processes of a server take, as the kernel counts it: by kind, with what has ended meanwhile."""

import os
import time
from collections import Counter, defaultdict
from collections.abc import Mapping

from attrs import frozen

from ringful.bench.media import measured

NODE, WORKERS, FRONT = "node", "workers", "front"
KINDS = (NODE, WORKERS, FRONT)
_KINDS = {"ringful-worker": WORKERS, "ringful-media": WORKERS, "kamailio": FRONT}


def kind_of(name: str) -> str:
    """Give the kind of a process by its *name* (``ps -o comm``): what is neither worker nor front is node."""
    return _KINDS.get(name, NODE)


@frozen
class Look:
    """The processor's time until now, in milliseconds, and memory where it was asked for, in megabytes."""

    at: float
    """When: seconds of the monotonic clock."""
    clock: int
    """The same by the machine's clock, in nanoseconds."""
    cpu: Mapping[str, float]
    memory: Mapping[str, float]
    processes: Mapping[str, int]
    far: float
    client: float
    machine: float
    """All that ran on this machine."""


@frozen
class Window:
    """A stretch of time, and what was used in it."""

    began: Look
    ended: Look

    @property
    def seconds(self) -> float:
        """How long it was."""
        return self.ended.at - self.began.at

    def cpu(self, kind: str) -> float:
        """Give the milliseconds that processes of a *kind* took."""
        return self.ended.cpu.get(kind, 0.0) - self.began.cpu.get(kind, 0.0)

    @property
    def others(self) -> float:
        """What those took who have nothing to do with us, in milliseconds."""
        ours = sum(map(self.cpu, KINDS)) + self.far + self.client
        return max(0.0, self.ended.machine - self.began.machine - ours)

    @property
    def far(self) -> float:
        """What the far end took, in milliseconds."""
        return self.ended.far - self.began.far

    @property
    def client(self) -> float:
        """What the customer's program took, in milliseconds."""
        return self.ended.client - self.began.client


def look(server: int, far: int) -> Look:
    """Look at the *server*'s processes and at ourselves now."""
    cpu, memory, processes = defaultdict[str, float](float), defaultdict[str, float](float), Counter[str]()
    for pid in {server, *measured.workers_of(server, 0)}:
        kind = kind_of(measured.name_of(pid))
        cpu[kind] += measured.cpu_ms(pid, children=True)
        memory[kind] += measured.memory_mb([pid])
        processes[kind] += 1
    client, machine = measured.cpu_ms(os.getpid()), measured.machine_ms()
    return Look(
        time.monotonic(), time.time_ns(), cpu, memory, processes, measured.cpu_ms(far), client, machine
    )
