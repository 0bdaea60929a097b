"""Checks that look at some kinds of nodes alone name just those that their arms are for."""

import ast
import inspect
from collections.abc import Callable, Iterator
from textwrap import dedent

import pytest

from ringful.grammar import nodes
from ringful.grammar.checking import names, posts, values, ways

LOOKED_AT = (
    (values._expression, values._LOOKED_INTO),
    (values._range, values._RANGED),
    (posts.check_posts, posts.POSTING),
    (ways._Ways._judge, ways._JUDGED),
    (ways._Ways.step, ways._CHANGING),
    (names._Scope.step, names._NAMING),
)


def kinds(pattern: ast.pattern) -> Iterator[type]:
    """Give the kinds of nodes that *pattern* itself asks for, first of several values."""
    match pattern:
        case ast.MatchClass(ast.Attribute(attr=name)):
            yield getattr(nodes, name)
        case ast.MatchOr(several):
            for one in several:
                yield from kinds(one)
        case ast.MatchSequence([first, *_]):
            yield from kinds(first)


@pytest.mark.parametrize(("function", "looked_at"), LOOKED_AT, ids=lambda one: getattr(one, "__name__", ""))
def test_each_arm_is_reached(function: Callable[..., object], looked_at: frozenset[type]) -> None:
    tree = ast.parse(dedent(inspect.getsource(function)))
    arms = [one.pattern for one in ast.walk(tree) if isinstance(one, ast.match_case)]
    assert {kind for arm in arms for kind in kinds(arm)} == looked_at
