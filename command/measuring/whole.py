"""`ringful bench calls`: what a whole server does under calls."""

import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from ringful.bench import report
from ringful.bench.calls.curves import bends, picture
from ringful.bench.calls.results import doubts as own_doubts
from ringful.bench.calls.server import OURS
from ringful.bench.calls.site import Place
from ringful.bench.calls.workload import MEANINGS, SAID, WORKLOADS, Asked, Load, sustained
from ringful.bench.calls.workload import calls as call_loads
from ringful.bench.earlier import Earlier, read_earlier
from ringful.bench.figures import Figure
from ringful.bench.machine import Machine, this_machine
from ringful.bench.media.results import doubts
from ringful.bench.pace import Pace
from ringful.command.arguments.loads import Printed, chosen, counts, there, writable
from ringful.command.errors import CommandError
from ringful.command.showing.figures import keep
from ringful.ground.files import write_whole

MOST_SECONDS = 3600.0


def calls(
    *,
    workloads: str = "",
    calls: str = "10,30,60",
    rates: str = "20,40,60,80,100,150,200",
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
        tuple(chosen((one.strip().upper() for one in workloads.split(",") if one.strip()), WORKLOADS)),
        counts("--calls", calls, "10,30,60", least=1),
        counts("--rates", rates, "20,40,60", 1000, least=1),
        Pace(seconds, ramp),
        Place(server, folder),
        rounds,
        (lambda said: None) if json == Path("-") else (lambda said: print(f"{said} …", flush=True)),
    )
    earlier = read_earlier(compare) if compare else {}
    _end_as_by_ctrl_c()
    _measure(asked, json, earlier, write)


def _end_as_by_ctrl_c() -> None:
    """Let whatever ends this process end the server and remove its folder first, as Ctrl-C does."""
    for one in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(one) is not signal.SIG_IGN:
            signal.signal(one, lambda *_: signal.raise_signal(signal.SIGINT))


def _measure(asked: Asked, json: Path | None, earlier: Earlier, write: Path | None) -> None:
    machine, quiet = this_machine(), json == Path("-")
    if not quiet:
        print(machine, flush=True)
    loads: list[Load] = []
    told: list[str] = []
    for load in call_loads(asked):
        loads.append(load)
        told += [f"{load.name}: {doubt}" for doubt in doubts(load.figures, machine.cores)]
        told += own_doubts(load.name, load.at, load.figures)
        told += [f"{load.name}: {wrong}" for wrong in load.wrong[: SAID + 1]]
        if not quiet:
            good = f"{len(load.wrong)} things went wrong" if load.wrong else "nothing went wrong"
            print(f"{load.name}: measured, {good}", flush=True)
    keep(json, machine, asked.rounds, {load.name: load.figures for load in loads})
    told = [*sustained(loads), *told]
    if not quiet:
        for heading, taken in _by_workload(loads).items():
            print("", heading, report.aligned(report.table(taken, earlier)), sep="\n")
        print("", *told, sep="\n")
    if write:
        _write(write, machine, loads, earlier, told)


def _by_workload(loads: Sequence[Load]) -> dict[str, dict[str, Sequence[Figure]]]:
    """Give the figures by what was measured, and by load."""
    found: dict[str, dict[str, Sequence[Figure]]] = {}
    for load in loads:
        heading = f"{load.workload}: {MEANINGS[load.workload]}"
        found.setdefault(heading, {})[load.name] = load.figures
    return found


def _write(write: Path, machine: Machine, loads: Sequence[Load], earlier: Earlier, told: list[str]) -> None:
    drawing = write.with_suffix(".svg")
    title = f"A server under calls: {machine.cpu}, {machine.cores} cores"
    write_whole(drawing, picture(loads, earlier, title))
    tables = {
        heading: report.marked(report.table(taken, earlier)) for heading, taken in _by_workload(loads).items()
    }
    about = {one.name: one.about for load in loads for one in load.figures}
    said = {
        "What is to be said of it": told,
        "Where the curves bend": bends(loads),
        "What the figures are": [f"**{name}**: {about}" for name, about in about.items()],
    }
    write_whole(
        write, report.calls_page(machine, shlex.join(["ringful", *sys.argv[1:]]), tables, said, drawing.name)
    )
