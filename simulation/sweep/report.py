"""Tell what a sweep found: each fault once, with the shortest case that shows it."""

from attrs import evolve

from ringful.simulation.cases.writer import show_case
from ringful.simulation.sweep.shrink import shrink
from ringful.simulation.sweep.sweep import Sweep


def report(sweep: Sweep, seconds: float) -> str:
    """Show what *sweep* did in so many *seconds*, and what it broke."""
    rate = round(sweep.runs / seconds) if seconds else 0
    shown = [f"sweep: {sweep.runs} runs, {rate} a second; {len(sweep.found)} things broken"]
    for violation, count in sweep.shortest():
        shortest = shrink(violation)
        case = evolve(shortest.case, injections=[*shortest.case.injections, shortest.injection])
        shown += [
            "",
            f"broken in {count} runs: {violation.broken.law} (put in: {violation.injection.what})",
            f"  {shortest.broken.said}",
            f"  for example {violation.case.path}: {violation.injection}; in short:",
            *(f"    {line}" for line in show_case(case).splitlines()),
        ]
    return "\n".join([*shown, ""])
