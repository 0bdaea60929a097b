"""What flows a script has, and what follows from what is in them."""

from collections.abc import Iterator, Mapping

from attrs import frozen

from ringful.grammar import nodes
from ringful.grammar.blocks import within
from ringful.grammar.paths import Paths


@frozen
class Flows:
    """The flows that a script can name, its own and those of the scripts that it uses."""

    by_name: Mapping[str, nodes.Flow]
    never_back: frozenset[str] = frozenset()
    """Flows after which nothing runs: every way through them ends the call."""
    recursive: frozenset[str] = frozenset()

    def called_by(self, block: nodes.Block) -> Iterator[nodes.Flow]:
        """Give every flow that *block* leads to, each once; *block* is not in any of them."""
        seen: set[str] = set()
        waiting = [block]
        while waiting:
            for statement in within(waiting.pop()):
                if isinstance(statement, nodes.Do) and statement.flow not in seen:
                    seen.add(statement.flow)
                    if statement.flow in self.by_name:
                        yield self.by_name[statement.flow]
                        waiting.append(self.by_name[statement.flow].block)


class _Ends(Paths[bool]):
    """Find out whether a way leads out of a block; the state is nothing but that it goes on."""

    def meet(self, one: bool, other: bool) -> bool:
        return one


def flows_of(script: nodes.Script, uses: Mapping[str, nodes.Script]) -> Flows:
    """Gather the flows of *script* and of everything that it uses."""
    by_name: dict[str, nodes.Flow] = {}
    for one in (*used_by(script, uses), script):
        for statement in one.body.statements:
            if isinstance(statement, nodes.Flow):
                by_name[statement.name] = statement
    recursive = frozenset(_cycles(by_name))
    return Flows(by_name, frozenset(_never_back(by_name, recursive)), recursive)


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


def _named(flow: nodes.Flow, by_name: Mapping[str, nodes.Flow]) -> list[str]:
    found = {
        one.flow: None for one in within(flow.block) if isinstance(one, nodes.Do) and one.flow in by_name
    }
    return list(found)


def _order(by_name: Mapping[str, nodes.Flow]) -> tuple[list[str], set[str]]:
    """Give the flows with those that they name before them, and those that lead back to themselves.

    Without recursion, since a thousand flows may form one chain.
    """
    named = {name: _named(flow, by_name) for name, flow in by_name.items()}
    done: list[str] = []
    finished: set[str] = set()
    looping: set[str] = set()
    for root in by_name:
        path: dict[str, Iterator[str]] = {}
        if root not in finished:
            path[root] = iter(named[root])
        while path:
            top = next(reversed(path))
            inner = next((one for one in path[top] if one not in finished), None)
            if inner is None:
                del path[top]
                finished.add(top)
                done.append(top)
            elif inner in path:
                names = list(path)
                looping.update(names[names.index(inner) :])
            else:
                path[inner] = iter(named[inner])
    return done, looping


def _cycles(by_name: Mapping[str, nodes.Flow]) -> set[str]:
    return _order(by_name)[1]


def _never_back(by_name: Mapping[str, nodes.Flow], recursive: frozenset[str]) -> set[str]:
    never: set[str] = set()
    for name in _order(by_name)[0]:
        block = by_name[name].block
        returns = any(isinstance(one, nodes.Return | nodes.Break) for one in within(block))
        if name not in recursive and not returns and _Ends(never).block(block, True) is None:
            never.add(name)
    return never
