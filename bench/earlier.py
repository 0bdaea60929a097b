"""Figures of an earlier day, from the JSON that was kept of them."""

import json
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import TypeAlias

from ringful.bench.figures import Figure
from ringful.ground.complaint import Complaint
from ringful.ground.files import read_text

Earlier: TypeAlias = Mapping[tuple[str, str], float]
"""Medians by workload and name."""


def read_earlier(file: Path) -> Earlier:
    """Read what ``--json`` has written.  Raises Complaint."""
    try:
        told = json.loads(read_text(file))
        found = {(one["workload"], one["name"]): one["median"] for one in told["figures"]}
        return {which: float(median) for which, median in found.items() if median is not None}
    except (ValueError, LookupError, TypeError) as error:
        raise Complaint(f"{file}: these are no figures of `ringful bench --json`", 2) from error


def ratio(workload: str, figure: Figure, earlier: Earlier) -> str:
    """Say how many times the earlier figure *figure* is: ``x0.27``; nothing of counts, and of what was 0."""
    before = earlier.get((workload, figure.name))
    if not figure.unit or not before or not isfinite(figure.median):
        return ""
    return f"x{figure.median / before:.2f}"
