"""Make a case that shows a fault as short as it can be, for whoever has to mend it."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from attrs import evolve

from ringful.grammar import nodes
from ringful.grammar.errors import ScriptError
from ringful.grammar.rewrite import rewritten
from ringful.grammar.showing.printer import show
from ringful.interpreter.sources import Source, parsed
from ringful.simulation.cases.case import Case, PhoneBlock
from ringful.simulation.cases.reader import check_case
from ringful.simulation.cases.texting import Texting
from ringful.simulation.simulate import Simulation
from ringful.simulation.sweep.sweep import Violation, broken_laws, injections

ItemT = TypeVar("ItemT")

MOST_RUNS = 3000
"""After so many runs, what has been reached is good enough."""


def shrink(violation: Violation) -> Violation:
    """Leave out of the case whatever the fault does not need."""
    runs = 0
    found = True
    while found and runs < MOST_RUNS:
        found = False
        for simpler in _simpler(violation.case):
            smaller, tried = _same_fault(simpler, violation)
            runs += tried
            if smaller:
                violation, found = smaller, True
                break
            if runs >= MOST_RUNS:
                break
    return violation


def _same_fault(case: Case, violation: Violation) -> tuple[Violation | None, int]:
    """Look for the same fault in *case*; tell how many runs it took."""
    wanted = violation.injection
    try:
        check_case(case)
        if any(law.law == violation.broken.law for law in broken_laws(case, None)):
            return None, 1
        there = injections(Simulation(case))
    except Exception:  # what cannot run at all is no shorter case of it
        return None, 1
    runs = 1
    for injection in there:
        if evolve(injection, step=wanted.step) == wanted:
            runs += 1
            for law in broken_laws(case, injection):
                if law.law == violation.broken.law:
                    return Violation(law, case, injection), runs
    return None, runs


def _simpler(case: Case) -> Iterator[Case]:
    """Give cases that lack one thing, the largest things first."""
    for script in _shorter_scripts(case.source):
        yield evolve(case, source=script)
    for phones in _without_one(case.phones):
        yield evolve(case, phones=phones)
    for place, phone in enumerate(case.phones):
        for steps in _without_one(phone.steps):
            shorter: PhoneBlock = evolve(phone, steps=tuple(steps))
            yield evolve(case, phones=[*case.phones[:place], shorter, *case.phones[place + 1 :]])
        for texting in _less_texting(phone.texting):
            quieter: PhoneBlock = evolve(phone, texting=texting)
            yield evolve(case, phones=[*case.phones[:place], quieter, *case.phones[place + 1 :]])
    for answers in _without_one(case.sms):
        yield evolve(case, sms=answers)
    for requests in _without_one(case.requests):
        yield evolve(case, requests=requests)
    for elsewhere in _without_one(case.elsewhere):
        yield evolve(case, elsewhere=elsewhere)
    for web in _without_one(case.web):
        yield evolve(case, web=web)
    for name in case.lengths:
        yield evolve(case, lengths={one: seconds for one, seconds in case.lengths.items() if one != name})
    for name in case.params:
        yield evolve(case, params={one: value for one, value in case.params.items() if one != name})


def _less_texting(texting: Texting) -> Iterator[Texting]:
    for texts in _without_one(texting.texts):
        yield evolve(texting, texts=tuple(texts))
    for replies in _without_one(texting.replies):
        yield evolve(texting, replies=tuple(replies))
    for plain in (
        evolve(texting, refuses=None),
        evolve(texting, receipts=True),
        evolve(texting, wanted=True),
    ):
        if plain != texting:
            yield plain


def _without_one(items: Iterable[ItemT]) -> Iterator[list[ItemT]]:
    all_items = list(items)
    for place in range(len(all_items)):
        yield [*all_items[:place], *all_items[place + 1 :]]


def _shorter_scripts(source: Source) -> Iterator[Source]:
    def left_out(node: nodes.Node) -> list[None]:
        return [None] if isinstance(node, nodes.Line) else []

    for script, _ in rewritten(source.script, left_out):
        try:
            text = show(script)
            yield Source("script", text, parsed(text, "script"), source.uses)
        except ScriptError:
            continue
