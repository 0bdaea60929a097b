"""Figures for people, for programs, and as a page that is kept."""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import asdict

from ringful.bench.figures import Effort, Figure, shown
from ringful.bench.machine import Machine

Taken = Mapping[str, Sequence[Figure]]
"""The figures of each workload."""


def line(figure: Figure) -> str:
    """Show *figure* as a line for people."""
    rounds = len(figure.rounds)
    said = f"({figure.spread} in {rounds} rounds)" if rounds > 1 else "(one round)"
    return f"{figure.name:34} {shown(figure.median):>10} {figure.unit:13} {said}"


def document(machine: Machine, effort: Effort, taken: Taken) -> dict[str, Any]:
    """Give everything as plain values for JSON."""
    return {
        "machine": asdict(machine),
        "rounds": effort.rounds,
        "figures": [
            {
                "workload": workload,
                "name": figure.name,
                "unit": figure.unit,
                "median": figure.median,
                "least": min(figure.rounds),
                "most": max(figure.rounds),
                "rounds": list(figure.rounds),
                "about": figure.about,
            }
            for workload, figures in taken.items()
            for figure in figures
        ],
    }


def page(machine: Machine, effort: Effort, taken: Taken) -> str:
    """Give a page of Markdown."""
    rows = [
        f"| {figure.name} | **{shown(figure.median)}** {figure.unit} | {figure.spread} | {figure.about} |"
        for figures in taken.values()
        for figure in figures
    ]
    return "\n".join(
        [
            "# Figures",
            "",
            f"Machine: {machine}",
            "",
            f"Taken by `ringful bench`: the median of {effort.rounds} rounds, and their spread.",
            "Rates are by the processor's time, of one process; the store's are by the clock.",
            "",
            "| what | median | spread | measured |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )
