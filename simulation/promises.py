"""What a case promises of each of its runs, whatever goes wrong: ``always post URL``, ``never say TEXT``."""

from collections.abc import Iterator, Sequence

from ringful.interpreter.trace import Tracer
from ringful.simulation.cases.case import Promise
from ringful.simulation.invariants import Broken
from ringful.store.port import Entry


def broken_promises(promises: Sequence[Promise], entries: Sequence[Entry]) -> Iterator[Broken]:
    """Give those of *promises* that a run with these *entries* does not keep."""
    if not promises:
        return
    lines = Tracer().lines(entries)
    for promise in promises:
        kept = [one for one in lines if one.verb == promise.verb and promise.text in one.text]
        if promise.never and kept:
            yield Broken(str(promise), f"{kept[0].leg}: {kept[0].verb} {kept[0].text}")
        elif not promise.never and not kept:
            said = f' with "{promise.text}"' if promise.text else ""
            yield Broken(str(promise), f"there is no `{promise.verb}`{said} in the trace")
