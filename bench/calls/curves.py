"""Figures over the load as curves: where they bend, and a picture of them as SVG.  Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isfinite
from typing import TypeAlias
from xml.sax.saxutils import escape

from attrs import frozen

from ringful.bench.calls.results import (
    ALL_CPU,
    MACHINE_BUSY,
    NODE_BUSY,
    NODE_CALL,
    NODE_CPU,
    WORKERS_CALL,
    WORKERS_CPU,
)
from ringful.bench.calls.workload import Load
from ringful.bench.earlier import Earlier
from ringful.bench.figures import shown

Point: TypeAlias = tuple[float, float]
"""A load, and what was measured there."""
Points: TypeAlias = tuple[Point, ...]
"""In the order of the loads."""
BENT = 0.2
"""How far from the line between its ends a curve's point is, as a part of the whole, that is a bend."""
FLAT = 0.25
"""A curve that rises and falls by no more than this part of its height is flat: it bends nowhere."""
_WIDE, _HIGH, _LEFT, _RIGHT, _TOP, _BOTTOM, _HEAD = 470, 270, 52, 20, 34, 64, 56
_COLOURS = ("#2f6f8f", "#c98a2b", "#7a4b8c", "#3f7d4e")
_MAIN = (
    ("CPU, ms for each second of a call", (NODE_CPU, WORKERS_CPU, ALL_CPU)),
    ("times, ms", ("gap's arrival, p99", "key to sound, p50", "key to sound, p99", "set-up, p99")),
    ("calls failed, packets missing", ("calls failed", "packets missing")),
)
PANELS: Mapping[str, Sequence[tuple[str, Sequence[str]]]] = {
    "W1": (
        ("CPU, ms a call", (NODE_CALL, WORKERS_CALL)),
        ("set-up, ms", ("set-up, p50", "set-up, p99", "request answered, p99")),
        ("calls failed and refused", ("calls failed", "calls refused")),
    ),
    "W2": _MAIN,
    "W4": (("event to callback, ms", ("event to callback, p50", "event to callback, p99")),),
    "W5": (
        ("requests a second", ("requests, 1 connection", "requests, 8 connections")),
        ("a request, p99, ms", ("request, 1 connection, p99", "request, 8 connections, p99")),
    ),
    "W6": (("memory, MB", ("memory", "node's memory", "workers' memory")),),
    "W7": _MAIN,
}
"""What is drawn of each workload: what the axis counts, and the figures."""


@frozen
class Curve:
    """A figure over the load, and what it was before."""

    name: str
    points: Points
    before: Points = ()

    @property
    def bend(self) -> Point | None:
        """The point where it bends, if it does."""
        place = bend_of(self.points)
        return None if place is None else self.points[place]


@frozen
class Panel:
    """Curves that share an axis."""

    workload: str
    title: str
    unit: str
    curves: tuple[Curve, ...]


def bend_of(points: Points) -> int | None:
    """Give the point that is farthest from the line between both ends; None where none is far."""
    if len(points) < 3:
        return None
    (x0, y0), (x1, y1) = points[0], points[-1]
    values = [y for _, y in points]
    high = max(values) - min(values)
    if high <= FLAT * max(map(abs, values)) or x0 == x1:
        return None
    off = [abs(y - y0 - (y1 - y0) * (x - x0) / (x1 - x0)) / high for x, y in points]
    most = max(off)
    return off.index(most) if most >= BENT else None


def panels(loads: Sequence[Load], earlier: Earlier) -> Iterator[Panel]:
    """Give what can be drawn of *loads*; one load alone is no curve."""
    for workload, drawn in PANELS.items():
        ours = sorted((load for load in loads if load.workload == workload), key=lambda load: load.at)
        for title, names in drawn:
            curves = tuple(one for name in names if len((one := _curve(ours, name, earlier)).points) > 1)
            if curves:
                yield Panel(workload, title, ours[0].unit, curves)


def _curve(loads: Sequence[Load], name: str, earlier: Earlier) -> Curve:
    found = [(load, one.median) for load in loads for one in load.figures if one.name == name]
    points = tuple((load.at, value) for load, value in found if isfinite(value))
    before = ((load.at, earlier.get((load.name, name))) for load, _ in found)
    return Curve(name, points, tuple((at, value) for at, value in before if value is not None))


def bends(loads: Sequence[Load]) -> list[str]:
    """Say of each curve that bends where, and how busy node and machine were there and at the last load."""
    busy = {(load.workload, load.at): _busy(load) for load in loads}
    told = []
    for panel in panels(loads, {}):
        for curve in panel.curves:
            if curve.bend:
                at, value = curve.bend
                last = curve.points[-1][0]
                said = [(f"at {where:g}{panel.unit}", busy[panel.workload, where]) for where in (at, last)]
                more = "; ".join(f"{where} {how}" for where, how in said if how)
                told.append(
                    f"{panel.workload}, {curve.name}: at {at:g}{panel.unit} ({shown(value)})"
                    + (f". {more}" if more else "")
                )
    return told


def _busy(load: Load) -> str:
    found = {one.name: one.median for one in load.figures}
    if NODE_BUSY not in found or MACHINE_BUSY not in found:
        return ""
    return f"the node had {found[NODE_BUSY]:.2f} cores, and {found[MACHINE_BUSY]:.2f} of the machine's worked"


def picture(loads: Sequence[Load], earlier: Earlier, title: str) -> str:
    """Draw a panel for each group of figures, two in a row; what was before is dashed."""
    drawn = list(panels(loads, earlier))
    width, height = 2 * _WIDE, _HEAD + _HIGH * ((len(drawn) + 1) // 2)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="22" font-size="15" font-weight="bold">{escape(title)}</text>',
        '<text x="12" y="41" fill="#555555">over the load; a ring is where a curve bends, '
        "dashes are what was before</text>",
    ]
    for place, panel in enumerate(drawn):
        lines += [
            f'<g transform="translate({_WIDE * (place % 2)},{_HEAD + _HIGH * (place // 2)})">',
            *_panel(panel),
            "</g>",
        ]
    return "\n".join([*lines, "</svg>", ""])


def _panel(panel: Panel) -> Iterator[str]:
    all_points = [point for one in panel.curves for point in (*one.points, *one.before)]
    most_x, most_y = (max(point[axis] for point in all_points) or 1.0 for axis in (0, 1))
    across, down = _WIDE - _LEFT - _RIGHT, _HIGH - _TOP - _BOTTOM

    def place(point: Point) -> Point:
        return _LEFT + across * point[0] / most_x, _TOP + down * (1 - max(0.0, point[1]) / most_y)

    said = f"{panel.workload}: {panel.title}"
    yield f'<text x="{_LEFT}" y="20" font-weight="bold">{escape(said)}</text>'
    yield f'<path d="M{_LEFT} {_TOP}V{_TOP + down}H{_LEFT + across}" fill="none" stroke="#888888"/>'
    yield f'<text x="{_LEFT - 6}" y="{_TOP + 5}" text-anchor="end">{shown(most_y)}</text>'
    yield f'<text x="{_LEFT - 6}" y="{_TOP + down}" text-anchor="end">0</text>'
    for at in sorted({point[0] for point in all_points}):
        x, _ = place((at, 0))
        yield f'<text x="{x:.1f}" y="{_TOP + down + 16}" text-anchor="middle">{at:g}{panel.unit}</text>'
    for number, curve in enumerate(panel.curves):
        yield from _drawn(curve, _COLOURS[number % len(_COLOURS)], place)
        x, y = _LEFT + 200 * (number % 2), _TOP + down + 34 + 16 * (number // 2)
        yield f'<rect x="{x}" y="{y - 9}" width="10" height="10" fill="{_COLOURS[number % len(_COLOURS)]}"/>'
        yield f'<text x="{x + 15}" y="{y}">{escape(curve.name)} ({shown(curve.points[-1][1])})</text>'


def _drawn(curve: Curve, colour: str, place: Callable[[Point], Point]) -> Iterator[str]:
    before = [place(point) for point in curve.before]
    yield _line(before, colour, ' stroke-dasharray="4 4" opacity="0.5"')
    yield _line([place(point) for point in curve.points], colour, "")
    for point in curve.points:
        x, y = place(point)
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>'
    if curve.bend:
        x, y = place(curve.bend)
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" fill="none" stroke="{colour}"/>'


def _line(points: Sequence[Point], colour: str, more: str) -> str:
    there = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{there}" fill="none" stroke="{colour}" stroke-width="2"{more}/>'
