"""The process of one simulation for a client: it reads an order, and writes what came of it.

`desks.children` starts it, as ``python -m ringful.http.desks.simulator``.  Its time, memory and answer are
bounded: a script that does not end, or grows without bound, ends this process and nothing else.
"""

import json
import resource
import sys
from pathlib import Path
from typing import Any

from attrs import asdict

from ringful.grammar.errors import ScriptError
from ringful.grammar.reading.parser import parse
from ringful.http.desks.children import CPU_SECONDS, TOO_LARGE
from ringful.http.desks.simulate import Simulated
from ringful.http.diagnostics import diagnose
from ringful.http.present import line_as_json
from ringful.interpreter.journal import kept
from ringful.interpreter.sources import Source
from ringful.interpreter.tell import stamp
from ringful.interpreter.trace import Tracer, render
from ringful.simulation.cases.reader import parse_case
from ringful.simulation.simulate import Simulation

MEMORY = 1024 * 1024 * 1024
"""Bytes of address space."""
MAX_LINES = 10_000
"""Lines of a trace that are told."""


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
