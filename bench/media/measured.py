"""What the processes took meanwhile, as the kernel counts it.

The workers are whatever descends from us but the far end, however they were started; the node is this
process: the pool, and what gives it orders.
"""

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from attrs import frozen

_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@frozen
class Usage:
    """The processor's time until now, in milliseconds."""

    at: float
    """When: seconds of the monotonic clock."""
    workers: Mapping[int, float]
    node: float
    far: float
    machine: float
    """All that ran on this machine."""


@frozen
class Window:
    """A stretch of time, and what was used in it: milliseconds, megabytes."""

    began: float
    ended: float
    workers_ms: float
    node_ms: float
    far_ms: float
    others_ms: float
    """What others took who have nothing to do with us."""
    processes: int
    memory_mb: float

    @property
    def seconds(self) -> float:
        """How long it was."""
        return self.ended - self.began


def descendants(of: int, parents: Mapping[int, int]) -> set[int]:
    """Give the processes that descend from *of*, by everybody's *parents*."""
    found, ahead = set[int](), [of]
    while ahead:
        one = ahead.pop()
        children = {pid for pid, parent in parents.items() if parent == one} - found
        found |= children
        ahead.extend(children)
    return found


def fields_of(stat: str) -> list[str]:
    """Give the fields of a process's ``stat`` from the third on: its name may hold anything."""
    return stat.rpartition(")")[2].split()


def workers_of(pid: int, far: int) -> set[int]:
    """Give the processes that descend from *pid*, but for the far end."""
    parents = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (stat := _read(entry / "stat")):
            parents[int(entry.name)] = int(fields_of(stat)[1])
    return descendants(pid, parents) - {far}


def usage(far: int) -> Usage:
    """Look at all of us now."""
    us = os.getpid()
    workers = {pid: cpu_ms(pid) for pid in workers_of(us, far)}
    return Usage(time.monotonic(), workers, cpu_ms(us), cpu_ms(far), machine_ms())


def between(before: Usage, after: Usage, memory_mb: float) -> Window:
    """Give what was used between two looks; a worker that came in between began with nothing."""
    workers = sum(now - before.workers.get(pid, 0) for pid, now in after.workers.items())
    node, far = after.node - before.node, after.far - before.far
    others = max(0.0, after.machine - before.machine - workers - node - far)
    count = len(after.workers)
    return Window(before.at, after.at, workers, node, far, others, count, memory_mb)


def machine_ms() -> float:
    """Give the processor's time that all have taken who run on this machine."""
    busy = [int(one) for one in (_read(_PROC / "stat").partition("\n")[0]).split()[1:9]]
    return (sum(busy) - busy[3] - busy[4]) * _TICK_MS


def cpu_ms(pid: int, *, children: bool = False) -> float:
    """Give the processor's time that a process has taken, with that of threads which have ended.

    With *children*, that of children which have ended and were waited for, too.
    """
    stat = _read(_PROC / str(pid) / "stat")
    if not stat:
        return 0.0
    return sum(int(one) for one in fields_of(stat)[11 : 15 if children else 13]) * _TICK_MS


def name_of(pid: int) -> str:
    """Give the name of a process, as ``ps -o comm`` does; empty where it has gone."""
    return _read(_PROC / str(pid) / "comm").strip()


def fine_cpu_ms(pids: Iterable[int]) -> float:
    """Give the time of all threads that processes have now, to the nanosecond: `cpu_ms` counts tens of ms."""
    told = [_read(one) for pid in pids for one in (_PROC / str(pid)).glob("task/*/schedstat")]
    return sum(int(one.split()[0]) for one in told if one) / 1e6


def memory_mb(pids: Iterable[int]) -> float:
    """Give the memory of processes, what they share shared among them (PSS)."""
    told = [_read(_PROC / str(pid) / "smaps_rollup") for pid in pids]
    lines = [line for one in told for line in one.splitlines() if line.startswith("Pss:")]
    return sum(int(line.split()[1]) for line in lines) / 1024


def _read(path: Path) -> str:
    """Read a file of the kernel's; nothing where its process has gone."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
