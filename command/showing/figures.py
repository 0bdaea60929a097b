"""Figures of `ringful bench` as JSON: printed, or kept for a later ``--compare``."""

import json
from pathlib import Path

from ringful.bench import report
from ringful.bench.machine import Machine
from ringful.ground.files import write_whole


def keep(file: Path | None, machine: Machine, rounds: int, taken: report.Taken) -> None:
    """Write the figures to *file*; ``-`` prints them, None does nothing.  Raises Complaint."""
    if file is None:
        return
    text = json.dumps(report.document(machine, rounds, taken), indent=2)
    if file == Path("-"):
        print(text)
    else:
        write_whole(file, text + "\n")
