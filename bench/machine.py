"""The machine that figures are from: a figure without it says nothing."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

from attrs import frozen


@frozen
class Machine:
    """What a figure depends on."""

    cpu: str
    cores: int
    memory_gb: float
    system: str
    python: str
    ringful: str
    load: float
    """How many processes wanted to run in the minute before: more than *cores* is too busy to measure on."""

    def __str__(self) -> str:
        cores = f"{self.cores} core" + ("" if self.cores == 1 else "s")
        return (
            f"{self.cpu}, {cores}, {self.memory_gb:g} GB; {self.system}; "
            f"{self.python}; ringful {self.ringful}; load {self.load:g}"
        )


def this_machine() -> Machine:
    """Look at the machine that we are on."""
    pages, page = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return Machine(
        _cpu(),
        len(os.sched_getaffinity(0)),
        round(pages * page / 1e9, 1),
        f"{platform.system()} {platform.release()}",
        f"{platform.python_implementation()} {platform.python_version()}",
        version("ringful"),
        round(os.getloadavg()[0], 1),
    )


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()
