"""Simulations for clients: each in a process of its own, whose time, memory and answer are bounded.

The parent sends one JSON document and reads one; `python -m ringful.http.desks.simulator` is the child.
A script that does not end, or grows without bound, ends its child and nothing else.
"""

import json
import resource
import sys
from pathlib import Path
from typing import Any

import trio
from attrs import asdict

from ringful.grammar.errors import ScriptError
from ringful.grammar.reading.parser import parse
from ringful.http.desks.simulate import Order, Simulated
from ringful.http.diagnostics import diagnose
from ringful.http.present import line_as_json
from ringful.interpreter.journal import keep, kept
from ringful.interpreter.sources import Source
from ringful.interpreter.tell import stamp
from ringful.interpreter.trace import Tracer, render
from ringful.simulation.cases.reader import parse_case
from ringful.simulation.simulate import Simulation

CPU_SECONDS = 5
WALL_SECONDS = 20.0
MEMORY = 1024 * 1024 * 1024
"""Bytes of address space."""
TOO_LARGE = 3
"""The child's exit code where its memory did not do."""
MAX_LINES = 10_000
"""Lines of a trace that are told."""


async def simulate(order: Order) -> Simulated:
    """Run *order* in a child.  Raises TimeoutError, MemoryError."""
    sent = {
        "case": order.case,
        "name": order.source.name,
        "text": order.source.text,
        "uses": {path: used.text for path, used in order.source.uses.items()},
        "params": {name: keep(value) for name, value in order.params.items()},
    }
    command = [sys.executable, "-m", "ringful.http.desks.simulator"]
    with trio.move_on_after(WALL_SECONDS) as patience:
        done = await trio.run_process(
            command,
            stdin=json.dumps(sent).encode(),
            capture_stdout=True,
            capture_stderr=True,
            check=False,
        )
    if patience.cancelled_caught or done.returncode < 0:
        raise TimeoutError(f"it takes more than {CPU_SECONDS} s to compute")
    if done.returncode == TOO_LARGE:
        raise MemoryError("it takes more memory than a simulation may have")
    if done.returncode:
        raise RuntimeError(f"a simulation broke down: {done.stderr.decode(errors='replace')[-2000:]}")
    return Simulated(**json.loads(done.stdout))


def main() -> None:
    """Read an order from standard input, and write what came of it to standard output."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        made = json.dumps(asdict(perform(json.load(sys.stdin))))
    except MemoryError:
        sys.exit(TOO_LARGE)
    print(made)


def perform(sent: dict[str, Any]) -> Simulated:
    """Simulate what was sent."""
    uses = {path: Source(path, text, parse(text, path)) for path, text in sent["uses"].items()}
    source = Source(sent["name"], sent["text"], parse(sent["text"], sent["name"]), uses)
    try:
        case = parse_case(sent["case"], Path("case"), source, alone=True)
        case.params |= {name: kept(value) for name, value in sent["params"].items()}
        simulation = Simulation(case)
        simulation.go()
    except ScriptError as error:
        shown = diagnose(error.problems, {"case": sent["case"], source.name: source.text})
        refusal = shown.refusal.replace("the script has", "the case has", 1)
        return Simulated(shown.text, shown.members, refusal=refusal)
    return _told(simulation)


def _told(simulation: Simulation) -> Simulated:
    lines = Tracer().lines(simulation.entries)
    stopped = None
    if not simulation.over():
        stopped = "it goes on for more than a day, or does more than a simulation may"
    if len(lines) > MAX_LINES:
        stopped, lines = f"only the first {MAX_LINES} lines are told", lines[:MAX_LINES]
    posts = [entry for entry in simulation.entries if entry.name == "Notify"][:MAX_LINES]
    return Simulated(
        render(lines),
        [line_as_json(line) for line in lines],
        [
            {"at": stamp(post.at), "url": post.data["url"], "fields": dict(post.data["fields"])}
            for post in posts
        ],
        (simulation.run.outcome or None) if simulation.runs else None,
        stopped,
    )


if __name__ == "__main__":
    main()
