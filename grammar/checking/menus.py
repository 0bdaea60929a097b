"""Menus: every branch can be chosen, and there is something to choose."""

from collections.abc import Iterator, Mapping, Sequence

from ringful.grammar import nodes
from ringful.grammar.blocks import Role, blocks_of
from ringful.grammar.checking.index import Index
from ringful.grammar.errors import Problem
from ringful.grammar.tones import TONES, known_patterns


def check_menus(body: nodes.Block, index: Index) -> Iterator[Problem]:
    """Check the menus and the tone handlers in *body*."""
    if index.has(nodes.OnTone):
        yield from _handlers(body, {})
    for menu in index.of(nodes.Menu):
        yield from _menu(menu)


def _menu(menu: nodes.Menu) -> Iterator[Problem]:
    if not menu.choices:
        hint = 'write a branch, e.g. `"1" { … }`'
        yield Problem("empty-menu", "this menu has nothing to choose", menu.span, hint)
    taken: dict[str, nodes.Line] = {}
    yield from _shadowed(menu.choices, taken, "branch")
    anything = any(isinstance(choice.tones, nodes.AnyTone) for choice in menu.choices)
    if menu.otherwise is not None and (anything or set(TONES) <= taken.keys()):
        message = "`otherwise` can never match: every tone has its branch"
        yield Problem("shadowed", message, menu.otherwise.span)


_ON_THE_SAME_LEG: frozenset[Role] = frozenset({"branch", "until", "loop", "prompt", "background", "handler"})


def _handlers(block: nodes.Block, outer: Mapping[str, nodes.Line]) -> Iterator[Problem]:
    """Check the handlers of *block*, where those of the blocks around it have taken their tones."""
    taken = dict(outer)
    for statement in block.statements:
        if isinstance(statement, nodes.OnTone):  # (An `until` within another takes the keys of that.)
            yield from _shadowed([statement], taken, "handler")
        for role, inner in blocks_of(statement):
            yield from _handlers(inner, taken if role in _ON_THE_SAME_LEG else {})


def _shadowed(
    lines: Sequence[nodes.Choice | nodes.OnTone], taken: dict[str, nodes.Line], what: str
) -> Iterator[Problem]:
    for line in lines:
        tones = ("any",) if isinstance(line.tones, nodes.AnyTone) else known_patterns(line.tones)
        if len(set(tones)) < len(tones):
            yield Problem("double", "a tone stands here twice", line.tones.span, severity="warning")
        shadows = {tone: taken[tone] for tone in tones if tone in taken}
        if shadows:
            tone, first = next(iter(shadows.items()))
            place = f"the {what} at line {first.span.line}"
            message = f"`{tone}` is taken by {place}"
            if len(shadows) == len(set(tones)):
                message = f"this {what} can never match: `{tone}` is taken by {place}"
            yield Problem("shadowed", message, line.tones.span)
        taken.update({tone: line for tone in tones if tone not in taken})
