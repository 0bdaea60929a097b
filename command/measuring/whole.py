"""`ringful bench calls`: what a whole server does under calls."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ringful.bench import report
from ringful.bench.calls.loads import Pace
from ringful.bench.calls.server import OURS
from ringful.bench.calls.site import Place
from ringful.bench.calls.workload import MEANINGS, WORKLOADS, Asked, Load
from ringful.bench.calls.workload import calls as call_loads
from ringful.bench.earlier import Earlier, read_earlier
from ringful.bench.figures import Figure
from ringful.bench.machine import this_machine
from ringful.bench.media.results import doubts
from ringful.command.arguments.loads import Printed, chosen, counts, there, writable
from ringful.command.errors import CommandError
from ringful.command.showing.figures import keep

SAID = 5
"""How many calls that went wrong are told one by one."""
MOST_SECONDS = 3600.0


def calls(
    *,
    workloads: str = "",
    calls: str = "10,30,60",
    rates: str = "20,40,60,80,100",
    seconds: float = 30.0,
    ramp: float = 6.0,
    rounds: int = 1,
    json: Printed = None,
    compare: Path | None = None,
    write: Path | None = None,
    server: str = OURS,
    folder: Path | None = None,
) -> None:
    """Measure a whole server under calls: real SIP, sound, requests and callbacks.

    The server is a process of its own, with a database of its own; so is the far end, whose phones
    answer, listen, press a key, speak and hang up. This command is the customer: it asks, and is told.
    docs/operation.md says what the workloads W1, W2, W4, W5, W6 and W7 are.

    Parameters
    ----------
    workloads
        Which: W2,W7; all, where none is named.
    calls
        How many calls at once, for one load after another.
    rates
        Calls a second for W1, one after another, until one is not sustained.
    seconds
        How long each load is looked at, once it has settled.
    ramp
        Seconds within which a load's calls begin.
    rounds
        How often each load is put on.
    json
        Write the figures to this file as JSON; - prints them, and nothing else.
    compare
        Say how many times the figures in this file, of an earlier --json, the new ones are.
    write
        Write a page of Markdown to this file, and the curves as a picture to the same name with .svg.
    server
        A shell command that starts another server in the place of this ringful; see docs/operation.md.
    folder
        Where the server's folder is made, with its database; where temporary files go, if not given.
    """
    if rounds < 1 or not 0 < seconds <= MOST_SECONDS or not 0 <= ramp <= MOST_SECONDS:
        raise CommandError(
            "--rounds is at least 1, --seconds more than 0, and --ramp not less than 0, "
            f"both {MOST_SECONDS:g} at most",
            2,
        )
    if not server.strip():
        raise CommandError("--server: a shell command that starts a server", 2)
    if folder:
        there(folder)
    writable(json, write)
    asked = Asked(
        tuple(chosen((one.strip() for one in workloads.split(",") if one.strip()), WORKLOADS)),
        counts("--calls", calls, "10,30,60"),
        counts("--rates", rates, "20,40,60", 1000),
        Pace(seconds, ramp),
        Place(server, folder),
        rounds,
    )
    earlier = read_earlier(compare) if compare else {}
    _measure(asked, json, earlier, write)


def _measure(asked: Asked, json: Path | None, earlier: Earlier, write: Path | None) -> None:
    machine, quiet = this_machine(), json == Path("-")
    if not quiet:
        print(machine, flush=True)
    loads: list[Load] = []
    told: list[str] = []
    for load in call_loads(asked):
        loads.append(load)
        told += [f"{load.name}: {doubt}" for doubt in doubts(load.figures, machine.cores)]
        told += [f"{load.name}: {wrong}" for wrong in load.wrong[:SAID]]
        if not quiet:
            print(f"{load.name}: measured", flush=True)
    taken = {load.name: load.figures for load in loads}
    keep(json, machine, asked.rounds, taken)
    if not quiet:
        print(*_tables(loads, earlier), *told, sep="\n")


def _tables(loads: Sequence[Load], earlier: Earlier) -> list[str]:
    """Give a table for each workload, with a column for each load."""
    by_workload: dict[str, dict[str, Sequence[Figure]]] = {}
    for load in loads:
        by_workload.setdefault(load.workload, {})[load.name] = load.figures
    return [_table(name, taken, earlier) for name, taken in by_workload.items()]


def _table(workload: str, taken: Mapping[str, Sequence[Figure]], earlier: Earlier) -> str:
    return f"\n{workload}: {MEANINGS[workload]}\n{report.aligned(report.table(taken, earlier))}"
