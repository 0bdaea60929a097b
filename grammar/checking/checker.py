"""Check a script before any phone rings: everything that is wrong with it, at once.

`check` is pure and never raises.  Each pass looks for one kind of fault, and none of them trusts
the tree to be small: what is too deep is told and looked at no further, and time is linear.
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import islice

from ringful.grammar import nodes
from ringful.grammar.checking.flows import check_flows
from ringful.grammar.checking.handlers import check_handlers
from ringful.grammar.checking.index import Index, index_of, inside_of
from ringful.grammar.checking.kinds_of_names import names_in
from ringful.grammar.checking.legs import check_legs
from ringful.grammar.checking.menus import check_menus
from ringful.grammar.checking.names import check_names
from ringful.grammar.checking.places import Subject, check_places, subject_of
from ringful.grammar.checking.recordings import check_recordings
from ringful.grammar.checking.secrets import check_secrets
from ringful.grammar.checking.values import check_values
from ringful.grammar.checking.waits import check_waits
from ringful.grammar.checking.ways import check_ways
from ringful.grammar.errors import MAX_PROBLEMS, Problem
from ringful.grammar.flows import Flows, flows_of
from ringful.grammar.walk import too_deep

_NO_SCRIPTS: Mapping[str, nodes.Script] = {}
_NO_FLOWS: Mapping[str, nodes.Flow] = {}


def check(script: nodes.Script, uses: Mapping[str, nodes.Script] = _NO_SCRIPTS) -> tuple[Problem, ...]:
    """Give the problems of *script*, in the order of its text; *uses* are the scripts it may use, by path.

    Problems of the scripts in *uses* are theirs: check those by themselves.
    """
    index = index_of(script.body)
    lines = (*script.params, *((script.header,) if script.header else ()))
    doubtful = (*(lines if index.shallow else (script,)), *uses.values())
    deep = [problem for problem in map(too_deep, doubtful) if problem]
    if deep:
        return tuple(deep)
    return _sorted(_script(script, uses, index))


def check_statement(
    statement: nodes.Statement, names: Collection[str], subject: Subject = "leg"
) -> tuple[Problem, ...]:
    """Give the problems of one statement that is to run where *names* are bound, on *subject*."""
    return check_statements((statement,), names, subject)


def check_statements(
    statements: tuple[nodes.Statement, ...],
    names: Collection[str],
    subject: Subject = "leg",
    *,
    flows: Mapping[str, nodes.Flow] = _NO_FLOWS,
    secrets: Collection[str] = (),
) -> tuple[Problem, ...]:
    """Give the problems of *statements* that join a run where *names* are bound, on *subject*.

    *flows* are those that the run has, and *secrets* the names that hold one.  What the run has
    going on in the background is not known, so nothing is said about that.
    """
    body = nodes.Block(statements)
    index = index_of(body)
    deep = None if index.shallow else too_deep(body)
    if deep:
        return (deep,)
    script = nodes.Script(body)
    known = flows_of(script, _NO_SCRIPTS, flows)
    problems = [
        *check_flows(script, _NO_SCRIPTS, known, index),
        *check_names(script, known.never_back, index, names),
        *check_ways(body, known.never_back, subject, index, fresh=False),
        *_shared(script, subject, known, index, secrets, names),
    ]
    return _sorted(problems)


def _script(script: nodes.Script, uses: Mapping[str, nodes.Script], index: Index) -> Iterator[Problem]:
    flows = flows_of(script, uses)
    yield from check_flows(script, uses, flows, index)
    yield from check_names(script, flows.never_back, index)
    subject = subject_of(script.header)
    yield from check_ways(script.body, flows.never_back, subject, index)
    if index.has(nodes.StartRecord):
        yield from check_recordings(script.body, flows)
    if index.has(nodes.OnHangup, nodes.OnTone):
        yield from check_handlers(script.body, flows)
    for line in (*script.params, *script.uses, *((script.header,) if script.header else ())):
        yield from check_values(line, inside_of(line))
    yield from _shared(script, subject, flows, index)


def _shared(
    script: nodes.Script,
    subject: Subject,
    flows: Flows,
    index: Index,
    secrets: Collection[str] = (),
    given: Collection[str] = (),
) -> Iterator[Problem]:
    """Give what is checked alike in whole scripts and in single statements."""
    body = script.body
    yield from check_places(body, subject, flows)
    yield from check_waits(flows, index)
    if index.has(nodes.Menu, nodes.OnTone):
        yield from check_menus(body, index)
    yield from check_legs(script, index)
    yield from check_secrets(script, flows, index, secrets)
    yield from _values(script, index, given)


def _values(script: nodes.Script, index: Index, given: Collection[str]) -> Iterator[Problem]:
    """Check the values in each scope: the script's own, and every flow's."""
    scopes = [(index.own, {*given, *(param.name for param in script.params)})]
    for flow in script.body.statements:
        if isinstance(flow, nodes.Flow):
            scopes.append((index.flows[id(flow)], set(flow.parameters)))
    for statements, unknown in scopes:
        names = names_in(statements, unknown)
        for statement in statements:
            yield from islice(check_values(statement, index.inside[id(statement)], names), MAX_PROBLEMS)


def _sorted(problems: Iterator[Problem] | list[Problem]) -> tuple[Problem, ...]:
    """Order *problems* as the text is, errors first where there are too many to tell."""
    found = list(dict.fromkeys(problems))
    if len(found) > MAX_PROBLEMS:
        found = sorted(found, key=lambda one: one.severity)[:MAX_PROBLEMS]
    return tuple(sorted(found, key=lambda one: (one.span, one.code)))
