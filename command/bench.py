"""`ringful bench`: how fast ringful is on this machine."""

import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import gettempdir

from cyclopts import App

from ringful.bench import report
from ringful.bench.earlier import ratio, read_earlier
from ringful.bench.figures import Effort, Figure
from ringful.bench.machine import this_machine
from ringful.bench.media.loads import Shape
from ringful.bench.media.peer import VOICES
from ringful.bench.media.picture import picture
from ringful.bench.media.results import doubts
from ringful.bench.media.workload import Asked
from ringful.bench.media.workload import media as media_loads
from ringful.bench.pace import Pace
from ringful.bench.workloads import WORKLOADS
from ringful.command.arguments.loads import MOST, Printed, chosen, counts, there, writable
from ringful.command.errors import CommandError
from ringful.command.measuring.whole import calls as whole_calls
from ringful.command.showing.figures import keep
from ringful.ground.files import write_whole

app = App(name="bench", help="Measure how fast ringful is on this machine.")
app.command(whole_calls, name="calls")

SAID = 5
"""How many calls that went wrong are told one by one."""


@app.default
def bench(
    *names: str,
    json: Printed = None,
    compare: Path | None = None,
    rounds: int = 5,
    seconds: float = 1.0,
    runs: int = 10_000,
    folder: Path | None = None,
    write: Path | None = None,
) -> None:
    """Measure how fast ringful is on this machine.

    Calls and conferences on the media workers are measured by `ringful bench media`, whole servers by
    `ringful bench calls`.

    Parameters
    ----------
    names
        What to measure: language, cases, statements, idle, store, messages, front; everything, where
        none is named.
    json
        Write the figures to this file as JSON, every round of them; - prints them, and nothing else.
    compare
        Say how many times the figures in this file, of an earlier --json, the new ones are.
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
    asked = chosen(names, WORKLOADS)
    effort = Effort(rounds, seconds, runs, folder or Path(gettempdir()))
    there(effort.folder)
    writable(json, write)
    earlier = read_earlier(compare) if compare else {}
    machine = this_machine()
    quiet = json == Path("-")
    if not quiet:
        print(machine, flush=True)
    taken: dict[str, list[Figure]] = {}
    for name in asked:
        taken[name] = []
        for figure in WORKLOADS[name](effort):
            taken[name].append(figure)
            if not quiet:
                print(report.line(figure, ratio(name, figure, earlier)), flush=True)
    keep(json, machine, rounds, taken)
    if write:
        write_whole(write, report.page(machine, rounds, taken))


@app.command
def media(
    *,
    calls: str = "20",
    conference: str = "",
    seconds: float = 30.0,
    rounds: int = 1,
    ramp: float = 6.0,
    json: Printed = None,
    compare: Path | None = None,
    write: Path | None = None,
) -> None:
    """Measure what calls cost: real SIP and sound, between the media workers and a far end of our own.

    Each call hears 2 s and 1 s of sound, presses a key, hears a beep and is recorded for 2 s, again and
    again. The far end is another process on this machine, and says how late it was itself.

    Parameters
    ----------
    calls
        How many calls at once, for one load after another: 4,20,60. Empty: none.
    conference
        Conferences of so many legs, so many of them at once, everybody speaking: 50x1,5x10.
    seconds
        How long each load is looked at, once it has settled.
    rounds
        How often each load is put on.
    ramp
        Seconds within which a load's calls begin.
    json
        Write the figures to this file as JSON; - prints them, and nothing else.
    compare
        Say how many times the figures in this file, of an earlier --json, the new ones are.
    write
        Write a page of Markdown to this file, and a picture to the same name with .svg.
    """
    if rounds < 1 or not seconds > 0 or not ramp >= 0:
        raise CommandError("--rounds is at least 1, --seconds more than 0, and --ramp not less than 0", 2)
    asked = Asked(counts("--calls", calls, "4,20,60"), _shapes(conference), Pace(seconds, ramp), rounds)
    writable(json, write)
    earlier = read_earlier(compare) if compare else {}
    machine = this_machine()
    quiet = json == Path("-")
    if not quiet:
        print(machine, flush=True)
    taken: dict[str, Sequence[Figure]] = {}
    told: list[str] = []
    for load in media_loads(asked):
        taken[load.name] = load.figures
        told += [f"{load.name}: {doubt}" for doubt in doubts(load.figures, machine.cores)]
        told += [f"{load.name}: {wrong}" for wrong in load.wrong[:SAID]]
        if not quiet:
            print(f"{load.name}: measured", flush=True)
    keep(json, machine, rounds, taken)
    if not quiet:
        print("", report.aligned(report.table(taken, earlier)), *told, sep="\n")
    if write:
        drawing = write.with_suffix(".svg")
        write_whole(
            drawing, picture(taken, earlier, f"What a call costs: {machine.cpu}, {machine.cores} cores")
        )
        write_whole(write, report.media_page(machine, seconds, taken, earlier, told, drawing.name))


def _shapes(conference: str) -> tuple[Shape, ...]:
    shapes = []
    for one in (one.strip() for one in conference.split(",") if one.strip()):
        found = re.fullmatch(r"([0-9]{1,3})x([0-9]{1,3})", one)
        shape = Shape(int(found[1]), int(found[2])) if found else None
        if shape is None or not 2 <= shape.legs <= VOICES or not 0 < shape.all <= MOST:
            raise CommandError(
                f"--conference {one}: LEGSxCONFERENCES, as 50x1 or 5x10, of 2 to {VOICES} legs each "
                f"and {MOST} in all",
                2,
            )
        shapes.append(shape)
    return tuple(dict.fromkeys(shapes))
