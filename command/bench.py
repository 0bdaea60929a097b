"""`ringful bench`: how fast ringful is on this machine."""

import json as json_text
from collections.abc import Sequence
from pathlib import Path
from tempfile import gettempdir

from ringful.bench import report
from ringful.bench.figures import Effort, Figure
from ringful.bench.machine import this_machine
from ringful.bench.workloads import WORKLOADS
from ringful.command.errors import CommandError
from ringful.grammar.spell import suggest
from ringful.ground.files import write_whole


def bench(
    *names: str,
    json: bool = False,
    rounds: int = 5,
    seconds: float = 1.0,
    runs: int = 10_000,
    folder: Path | None = None,
    write: Path | None = None,
) -> None:
    """Measure how fast ringful is on this machine.

    Parameters
    ----------
    names
        What to measure: language, cases, statements, idle, store; everything, where none is named.
    json
        Print the figures as JSON, every round of them.
    rounds
        How often each figure is taken; its median is told, and its spread.
    seconds
        How long a round lasts at least.
    runs
        How many idle runs are kept in memory at once.
    folder
        Where the database is made whose disk is measured; where temporary files go, if not given.
    write
        Write the figures to this file too, as a page of Markdown.
    """
    if rounds < 1 or runs < 1 or not seconds > 0:
        raise CommandError("--rounds and --runs are at least 1, and --seconds is more than 0", 2)
    chosen = _chosen(names)
    effort = Effort(rounds, seconds, runs, folder or Path(gettempdir()))
    for needed in (effort.folder, *([write.absolute().parent] if write else [])):
        if not needed.is_dir():
            raise CommandError(f"{needed}: there is no such folder", 2)
    machine = this_machine()
    if not json:
        print(machine, flush=True)
    taken: dict[str, list[Figure]] = {}
    for name in chosen:
        taken[name] = []
        for figure in WORKLOADS[name](effort):
            taken[name].append(figure)
            if not json:
                print(report.line(figure), flush=True)
    if json:
        print(json_text.dumps(report.document(machine, effort, taken), indent=2))
    if write:
        write_whole(write, report.page(machine, effort, taken))


def _chosen(names: Sequence[str]) -> list[str]:
    for name in names:
        if name not in WORKLOADS:
            known = suggest(name, WORKLOADS) or f"there are: {', '.join(WORKLOADS)}"
            raise CommandError(f"there is no workload `{name}`; {known}", 2)
    return list(dict.fromkeys(names)) or list(WORKLOADS)
