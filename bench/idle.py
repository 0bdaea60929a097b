"""What an idle run costs in memory: one that was answered and waits for a key.

Measured in a child process, since what another workload left behind would count too:
``python -m ringful.bench.idle RUNS [traced]`` prints the bytes of each run.  The runs share one
script's tree, and their journals are not kept, as in a server, whose store has them.
"""

import gc
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

from ringful.bench import texts
from ringful.bench.figures import Effort, Figure
from ringful.interpreter.events import Started
from ringful.simulation.cases.reader import parse_case
from ringful.simulation.simulate import Simulation

SETTLED = 60.0
"""Seconds of virtual time after which every call has been answered and has heard its prompt."""


def idle(effort: Effort) -> Iterator[Figure]:
    """Measure the bytes of a run, as the system and as Python count them."""
    about = f"{effort.runs:,} runs on simulated legs that wait for a key, in one process; one script"
    resident = tuple(_child(effort.runs) for _ in range(effort.rounds))
    yield Figure("an idle run, resident", "bytes", resident, f"{about}; growth of the resident set")
    allocated = tuple(_child(effort.runs, "traced") for _ in range(effort.rounds))
    yield Figure("an idle run, allocated", "bytes", allocated, f"{about}; by tracemalloc")


def _child(runs: int, *more: str) -> float:
    command = [sys.executable, "-m", "ringful.bench.idle", str(runs), *more]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def bytes_of_a_run(runs: int, *, traced: bool) -> float:
    """Begin *runs* runs, and give what each has added to this process."""
    simulation = Simulation(parse_case(texts.inline(texts.IDLE) + texts.ANSWERED, Path("idle.golden")))
    _begin(simulation, "warm", 1)
    if traced:
        tracemalloc.start()
    before = _size(traced)
    _begin(simulation, "call", runs)
    return (_size(traced) - before) / runs


def _begin(simulation: Simulation, name: str, runs: int) -> None:
    ended = simulation.agenda.elapsed + SETTLED
    for number in range(runs):
        started = Started(simulation.script, {"number": f"1512{number:07}"})
        simulation.place(f"{name}-{number}", started)
        simulation.agenda.run(limit_seconds=simulation.agenda.elapsed)
        simulation.entries.clear()
    simulation.agenda.run(limit_seconds=ended)
    simulation.entries.clear()
    simulation.visited.clear()
    waiting = sum(bool(run.subject and run.subject.state == "up") for run in simulation.runs.values())
    if waiting != len(simulation.runs):
        raise AssertionError(f"only {waiting} of {len(simulation.runs)} runs are idle")


def _size(traced: bool) -> float:
    gc.collect()
    if traced:
        return tracemalloc.get_traced_memory()[0]
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise OSError("this system does not say how much memory a process has")


if __name__ == "__main__":
    print(bytes_of_a_run(int(sys.argv[1]), traced="traced" in sys.argv[2:]))
