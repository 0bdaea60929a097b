"""How fast golden cases run, each from its file to its trace as `ringful test` does it."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from ringful.bench import texts
from ringful.bench.figures import Effort, Figure, milliseconds, rates
from ringful.interpreter.sources import forget
from ringful.simulation.cases.verdicts import try_cases


def cases(effort: Effort) -> Iterator[Figure]:
    """Measure a case of half a minute, and one of an hour."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "order.call").write_text(texts.ORDER, encoding="utf-8")
        (folder / "hour.call").write_text(texts.HOUR, encoding="utf-8")
        order, hour = _case(folder, "order", texts.ORDER_CASE), _case(folder, "hour", texts.HOUR_CASE)
        about = "approve a shipment: 21 lines, a menu, two keys; the file is read, the trace compared"
        yield Figure("cases", "cases/s", rates(partial(_try, order), effort), f"{about}; script known")
        yield Figure(
            "cases, script parsed",
            "cases/s",
            rates(partial(_try_anew, order), effort),
            f"{about}; script new",
        )
        about = "an hour in a queue: 60 announcements, 60 pieces of music, 60 waits"
        each = milliseconds(rates(partial(_try, hour), effort))
        yield Figure("an hour of a call", "ms", each, f"{about}; script known")
        each = milliseconds(rates(partial(_try_anew, hour), effort))
        yield Figure("an hour of a call, script parsed", "ms", each, f"{about}; script new")


def _case(folder: Path, name: str, above: str) -> Path:
    """Write a case with the trace that comes out of it."""
    path = folder / f"{name}.golden"
    path.write_text(above, encoding="utf-8")
    next(try_cases([path], update=True))
    return path


def _try(path: Path) -> int:
    (verdict,) = try_cases([path])
    if verdict.state != "passed":
        raise AssertionError(f"{path.name}: {verdict.said}")
    return 1


def _try_anew(path: Path) -> int:
    forget()
    return _try(path)
