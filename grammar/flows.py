"""What flows a script has, and what follows from what is in them."""

from collections.abc import Iterator, Mapping

from attrs import field, frozen

from ringful.grammar import nodes
from ringful.grammar.blocks import within
from ringful.grammar.paths import Paths

_NO_FLOWS: Mapping[str, nodes.Flow] = {}


MAX_NESTED = 32
"""How deep flows may run in one another; a call that went deeper would end with a fault."""


@frozen
class Flows:
    """The flows that a script can name, its own and those of the scripts that it uses."""

    by_name: Mapping[str, nodes.Flow]
    named: Mapping[str, tuple[str, ...]] = field(factory=dict)
    """The flows that each flow names, those that exist."""
    order: tuple[str, ...] = ()
    """Every flow, after those that it names (but for those that lead back to themselves)."""
    never_back: frozenset[str] = frozenset()
    """Flows after which nothing runs: every way through them ends the call."""
    recursive: frozenset[str] = frozenset()

    @property
    def too_deep(self) -> frozenset[str]:
        """The flows that run through more than MAX_NESTED, themselves among them."""
        depths: dict[str, int] = {}
        for name in self.order:
            depths[name] = 1 + max((depths.get(inner, 0) for inner in self.named[name]), default=0)
        return frozenset(name for name, depth in depths.items() if depth > MAX_NESTED)


class _Ends(Paths[bool]):
    """Find out whether a way leads out of a block; the state is nothing but that it goes on."""

    def meet(self, one: bool, other: bool) -> bool:
        return one


def flows_of(
    script: nodes.Script, uses: Mapping[str, nodes.Script], given: Mapping[str, nodes.Flow] = _NO_FLOWS
) -> Flows:
    """Gather the flows of *script* and of everything that it uses, beside those that are *given*."""
    by_name: dict[str, nodes.Flow] = dict(given)
    for one in (*used_by(script, uses), script):
        for statement in one.body.statements:
            if isinstance(statement, nodes.Flow):
                by_name[statement.name] = statement
    named = {name: _named(flow, by_name) for name, flow in by_name.items()}
    order, recursive = _order(named)
    return Flows(by_name, named, order, _never_back(by_name, order, recursive), recursive)


def used_by(script: nodes.Script, uses: Mapping[str, nodes.Script]) -> Iterator[nodes.Script]:
    """Give every script that *script* uses, directly or by another one, each once."""
    seen: set[str] = set()
    waiting = [script]
    while waiting:
        for use in waiting.pop().uses:
            if use.path in uses and use.path not in seen:
                seen.add(use.path)
                yield uses[use.path]
                waiting.append(uses[use.path])


def _named(flow: nodes.Flow, by_name: Mapping[str, nodes.Flow]) -> tuple[str, ...]:
    dos = (one.flow for one in within(flow.block) if isinstance(one, nodes.Do))
    return tuple(dict.fromkeys(name for name in dos if name in by_name))


def _order(named: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Give the flows with those that they name before them, and those that lead back to themselves.

    Without recursion, since a thousand flows may form one chain.
    """
    finished: dict[str, None] = {}
    looping: set[str] = set()
    for root in named:
        path: dict[str, Iterator[str]] = {}
        if root not in finished:
            path[root] = iter(named[root])
        while path:
            top = next(reversed(path))
            inner = next((one for one in path[top] if one not in finished), None)
            if inner is None:
                del path[top]
                finished[top] = None
            elif inner in path:
                names = list(path)
                looping.update(names[names.index(inner) :])
            else:
                path[inner] = iter(named[inner])
    return tuple(finished), frozenset(looping)


def _never_back(
    by_name: Mapping[str, nodes.Flow], order: tuple[str, ...], recursive: frozenset[str]
) -> frozenset[str]:
    never: set[str] = set()
    for name in order:
        block = by_name[name].block
        returns = any(isinstance(one, nodes.Return | nodes.Break) for one in within(block))
        if name not in recursive and not returns and _Ends(never).block(block, True) is None:
            never.add(name)
    return frozenset(never)
