"""A picture of what calls cost: bars of the processor's time, load by load, as SVG."""

from collections.abc import Sequence
from math import isfinite
from xml.sax.saxutils import escape

from ringful.bench.earlier import Earlier
from ringful.bench.figures import shown
from ringful.bench.media.results import NODE_CPU, WORKERS_CPU
from ringful.bench.report import Taken

_WIDTH, _LEFT, _RIGHT, _BAR, _SPACE, _TOP = 760, 130, 190, 18, 16, 56
_COLOURS = {WORKERS_CPU: "#2f6f8f", NODE_CPU: "#c98a2b"}
_BEFORE = "#b9c4ca"


def picture(taken: Taken, earlier: Earlier, title: str) -> str:
    """Draw the workers' and the node's time for each load, with the earlier one in grey below it."""
    bars: list[tuple[str, str, float, str]] = []
    """The load where it begins, what is measured, how much, and its colour."""
    for load, figures in taken.items():
        label = load
        for figure in figures:
            if figure.name not in _COLOURS or not isfinite(figure.median):
                continue
            bars.append((label, figure.name, figure.median, _COLOURS[figure.name]))
            label = ""
            if (before := earlier.get((load, figure.name))) is not None:
                bars.append(("", f"{figure.name}, before", before, _BEFORE))
    most = max((value for *_, value, _ in bars), default=0.0) or 1.0
    lines: list[str] = []
    place = _TOP
    for label, what, value, colour in bars:
        place += _SPACE if label else 0
        lines += _bar(label, what, value, colour, place, (_WIDTH - _LEFT - _RIGHT) / most)
        place += _BAR + 2
    return _framed(
        lines, place + _SPACE, title, "ms of the processor's time for each second of a call: less is better"
    )


def _bar(label: str, what: str, value: float, colour: str, place: float, scale: float) -> list[str]:
    width, base = max(1.0, value * scale), place + 13
    named = f'<text x="{_LEFT - 8}" y="{base}" text-anchor="end" font-weight="bold">{escape(label)}</text>'
    return [
        *([named] if label else []),
        f'<rect x="{_LEFT}" y="{place}" width="{width:.1f}" height="{_BAR}" fill="{colour}"/>',
        f'<text x="{_LEFT + width + 6:.1f}" y="{base}">{shown(value)} {escape(what)}</text>',
    ]


def _framed(lines: Sequence[str], height: float, title: str, below: str) -> str:
    size = f'width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">',
            f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
            f'<text x="12" y="22" font-size="15" font-weight="bold">{escape(title)}</text>',
            f'<text x="12" y="41" fill="#555555">{escape(below)}</text>',
            *lines,
            "</svg>",
            "",
        ]
    )
