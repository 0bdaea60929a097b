"""Figures for people, for programs, and as a page that is kept."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from attrs import asdict

from ringful.bench.earlier import Earlier, ratio
from ringful.bench.figures import Figure, shown
from ringful.bench.machine import Machine

Taken = Mapping[str, Sequence[Figure]]
"""The figures of each workload."""


def line(figure: Figure, compared: str = "") -> str:
    """Show *figure* as a line for people; *compared* is how many times the earlier one it is."""
    rounds = len(figure.rounds)
    said = f"({figure.spread} in {rounds} rounds)" if rounds > 1 else "(one round)"
    text = f"{figure.name:34} {shown(figure.median):>10} {figure.unit:13} {said}"
    return f"{text} {compared} of before" if compared else text


def document(machine: Machine, rounds: int, taken: Taken) -> dict[str, Any]:
    """Give everything as plain values for JSON."""
    return {
        "machine": asdict(machine),
        "rounds": rounds,
        "figures": [
            {
                "workload": workload,
                "name": figure.name,
                "unit": figure.unit,
                "median": _plain(figure.median),
                "least": _plain(min(figure.rounds)),
                "most": _plain(max(figure.rounds)),
                "rounds": [_plain(one) for one in figure.rounds],
                "about": figure.about,
            }
            for workload, figures in taken.items()
            for figure in figures
        ],
    }


def _plain(value: float) -> float | None:
    """Give what JSON can say of *value*: where nothing was measured, nothing."""
    return value if isfinite(value) else None


def table(taken: Taken, earlier: Earlier) -> list[list[str]]:
    """Give rows of cells: a column for each workload, a row for each figure, its unit last."""
    found = {(load, one.name): one for load, figures in taken.items() for one in figures}
    units: dict[str, list[str]] = {}
    for one in found.values():
        told = units.setdefault(one.name, [])
        told += [one.unit] if one.unit not in told else []
    rows = [["", *taken, ""]]
    for name, told in units.items():
        cells = [_cell(load, found.get((load, name)), earlier) for load in taken]
        rows.append([name, *cells, ", ".join(told)])
    return rows


def _cell(workload: str, figure: Figure | None, earlier: Earlier) -> str:
    if figure is None or not isfinite(figure.median):
        return "-"
    said = shown(figure.median)
    compared = ratio(workload, figure, earlier)
    return f"{said} ({compared})" if compared else said


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Set *rows* for people: numbers at the right of their columns."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if 0 < place < len(widths) - 1 else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def marked(rows: Sequence[Sequence[str]]) -> str:
    """Set *rows* as a table of Markdown."""
    head, *others = [f"| {' | '.join(row)} |" for row in rows]
    rule = f"| --- |{' ---: |' * (len(rows[0]) - 2)} --- |"
    return "\n".join([head, rule, *others])


def page(machine: Machine, rounds: int, taken: Taken) -> str:
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
            f"Taken by `ringful bench`: the median of {rounds} rounds, and their spread.",
            "Rates are by the processor's time, of one process; the store's are by the clock.",
            "",
            "| what | median | spread | measured |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


def media_page(
    machine: Machine, seconds: float, taken: Taken, earlier: Earlier, told: Sequence[str], drawing: str
) -> str:
    """Give a page of Markdown about calls, with *drawing* beside it and what was *told* of the loads."""
    about = {one.name: one.about for figures in taken.values() for one in figures}
    compared = " In brackets: how many times the earlier figure it is." if earlier else ""
    return "\n".join(
        [
            "# What calls cost",
            "",
            f"Machine: {machine}",
            "",
            f"Taken by `ringful bench media`, {seconds:g} s for each load.{compared}",
            "",
            f"![the processor's time, load by load]({drawing})",
            "",
            marked(table(taken, earlier)),
            "",
            *(["What is to be said of it:", "", *(f"- {one}" for one in told), ""] if told else []),
            *(f"- **{name}**: {said}" for name, said in about.items()),
            "",
        ]
    )


def calls_page(
    machine: Machine, command: str, tables: Mapping[str, str], told: Mapping[str, Sequence[str]], drawing: str
) -> str:
    """Give a page of Markdown about a server under calls: *tables* and what is *told*, by their headings."""
    parts = [
        "# A server under calls",
        "",
        f"Machine: {machine}",
        "",
        f"Taken by `{command}`.",
        "",
        f"![figures over the load]({drawing})",
        "",
    ]
    for heading, text in tables.items():
        parts += [f"## {heading}", "", text, ""]
    for heading, lines in told.items():
        parts += [f"## {heading}", "", *(f"- {one}" for one in lines), ""] if lines else []
    return "\n".join(parts)
