"""What a run knows of its secrets, so that nobody reads them in what it writes down.

The journal keeps every key, since a run is made again from it; an entry that holds a secret is
*marked*, and who shows a journal to people shows no marked value.  A key that nobody waits for yet
may be the first of a secret, so in a script that has secrets those are marked as well.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from ringful.grammar import nodes
from ringful.grammar.flows import flows_of
from ringful.grammar.secrets import Masks, masks_of
from ringful.interpreter.values import Value, say

MARK = "secret"
"""The key of a marked entry."""
HIDDEN = "***"
"""What is shown instead."""

_MOST_KNOWN = 64
"""Of so many scripts it is kept what their runs must mask."""
_TELLING = 3
"""A value of fewer characters is found in any text by chance."""


class Secrets:
    """The secrets of one run; most have none, and so cost nothing."""

    __slots__ = ("_followed", "_known", "_script", "_uses", "_values")

    def __init__(self, script: nodes.Script, uses: Mapping[str, nodes.Script]) -> None:
        self._script, self._uses = script, uses
        self._known: Masks | None = None
        self._followed: tuple[tuple[tuple[nodes.Statement, ...], Masks], ...] = ()
        self._values: frozenset[str] = frozenset()

    @property
    def _masks(self) -> list[Masks]:
        if self._known is None:
            self._known = _known(self._script, self._uses)
        return [self._known, *[masks for _, masks in self._followed]]

    def follow(
        self,
        statements: tuple[nodes.Statement, ...],
        flows: Mapping[str, nodes.Flow],
        secret: Iterable[str],
    ) -> None:
        """Take up *statements* that an application sent, to run where the names *secret* hold one."""
        script = nodes.Script(nodes.Block(statements))
        # They are kept, since masks know a statement by its identity.
        masks = masks_of(script, flows_of(script, {}, flows), tuple(secret))
        self._followed = (*self._followed, (statements, masks))

    def fields(self, statement: nodes.Statement) -> frozenset[str]:
        """Name the fields of *statement* that hold a secret."""
        return frozenset().union(*[masks.fields.get(id(statement), ()) for masks in self._masks])

    def names(self, statement: nodes.Follow) -> frozenset[str]:
        """Name the values that hold a secret where *statement* stands."""
        return frozenset().union(*(masks.names.get(id(statement), ()) for masks in self._masks))

    def add(self, value: Value) -> None:
        """Hold that *value* is a secret."""
        if said := say(value):
            self._values |= {said}

    @property
    def any(self) -> bool:
        """Whether there are any: then a key that nobody takes yet may be one's first."""
        return any(masks.any for masks in self._masks)

    def said_in(self, value: object) -> bool:
        """Say whether a secret can be read in *value*."""
        said = str(value)
        return any(one in said for one in self._values if len(one) >= _TELLING)

    def conceal(self, text: str) -> str:
        """Give *text* without the secrets in it."""
        for value in sorted(self._values, key=len, reverse=True):
            text = text.replace(value, HIDDEN)
        return text


_found: OrderedDict[object, tuple[nodes.Script, Mapping[str, nodes.Script], Masks]] = OrderedDict()


def _known(script: nodes.Script, uses: Mapping[str, nodes.Script]) -> Masks:
    """Find what a run of *script* must mask, once for all the runs of the same trees."""
    key = (id(script), *((path, id(used)) for path, used in uses.items()))
    found = _found.get(key)
    # The trees are kept beside what was found, so that no others can have their identity meanwhile.
    if found is None:
        found = _found[key] = (script, uses, masks_of(script, flows_of(script, uses)))
        if len(_found) > _MOST_KNOWN:
            _found.popitem(last=False)
    return found[2]


def hidden(data: Mapping[str, Any]) -> bool:
    """Say whether a journal entry with *data* holds a secret."""
    return bool(data.get(MARK))
