"""Names: every one has a value wherever it is used, on every way there.

A block has no names of its own: what `if` or a loop binds stays bound after it, if it was bound on
every way.  What runs beside the script (another leg, the background, a handler) sees what was bound
where it began, and the script sees nothing of what it binds.  A flow sees its parameters only.
"""

from collections.abc import Iterable
from typing import NamedTuple, get_args

from attrs import fields

from ringful.grammar import foreign, nodes
from ringful.grammar.blocks import Role, within
from ringful.grammar.checking.index import Index, inside_of
from ringful.grammar.errors import MAX_PROBLEMS, Problem
from ringful.grammar.functions import BOUND, BOUND_BY_CALL, BOUND_BY_MESSAGE
from ringful.grammar.paths import Paths
from ringful.grammar.span import Span
from ringful.grammar.spell import suggest
from ringful.grammar.vocabulary import KEYWORDS, RESERVED
from ringful.grammar.walk import walk

_BRANCHES = ("prompt", "timeout", "otherwise")


class _Known(NamedTuple):
    """One more name that is bound; those before it hang on *before*."""

    before: "_Known | None"
    name: str
    depth: int


class _Names(NamedTuple):
    """What is bound on every way, and what the running recording binds when it is stopped."""

    known: _Known | None = None
    recording: str | None = None


def check_names(
    script: nodes.Script, never_back: frozenset[str], index: Index, given: Iterable[str] = ()
) -> list[Problem]:
    """Check the names of *script*, which begins where those that are *given* are bound."""
    problems: list[Problem] = []
    bound = BOUND | brought_by(script.header)
    scope = _Scope(index.own, never_back, problems, index, given, bound)
    for param in script.params:
        scope.binders.setdefault(param.name, []).append(param.span)
    for param in script.params:
        scope.may_bind(param.name, param.span)
        if param.default is not None:
            scope.use(walk(param.default))
        scope.given.add(param.name)
    if script.header is not None:
        scope.use(inside_of(script.header))
        if isinstance(script.header, nodes.Call) and script.header.name:
            scope.may_bind(script.header.name, script.header.span)
            scope.given.add(script.header.name)
    scope.given |= bound
    scope.block(script.body, _Names())
    return problems


def brought_by(header: nodes.Header | None) -> frozenset[str]:
    """Give the names that are bound besides those of every run, by what begins a script with *header*."""
    match header:
        case nodes.InboundSms():
            return BOUND_BY_MESSAGE
        case nodes.Inbound():
            return BOUND_BY_CALL
        case _:
            return frozenset()


_NAMING = frozenset(
    {
        nodes.Connect,
        nodes.Hangup,
        nodes.Mute,
        nodes.Unmute,
        nodes.WaitCall,
        nodes.StartRecord,
        nodes.StopRecord,
        nodes.For,
        nodes.OnEvent,
        nodes.OnMember,
        nodes.OnTone,
    }
)
"""Statements that name a leg, or bind a name otherwise than at once: `_Scope.step` says what of each."""

_LEGS = ("others",)
"""What could be meant besides, where a leg is named."""
_PLACE_A_LEG = "a leg is named where it is placed: `start call NUMBER as NAME`"


class _Scope(Paths[_Names]):
    """One scope: a script's body, or a flow's.

    States share what they have in common, and the set of the names of the present one is kept up to
    date in `_bound`: so a pass is linear however many names there are.
    """

    def __init__(
        self,
        statements: Iterable[nodes.Statement],
        never_back: frozenset[str],
        problems: list[Problem],
        index: Index,
        given: Iterable[str] = (),
        bound: frozenset[str] = BOUND,
    ) -> None:
        super().__init__(never_back)
        # A header and the defaults of params stand before what a message brings.
        self.given = {*BOUND, *given}
        self._always = bound
        self._never = never_back
        self._problems = problems
        self._index = index
        self.binders = _binders(statements)
        self._told: set[str] = set()
        self._bound: dict[str, int] = {}
        self._at: _Known | None = None

    # Where ways lead.

    def step(self, statement: nodes.Statement, state: _Names) -> _Names:
        if state.known is not self._at:
            self._move(state.known)
        inside = self._index.inside[id(statement)]
        if inside:
            self.use(inside, _BRANCHES if statement.__class__ is nodes.Menu else ())
        names = bound_by(statement)
        if statement.__class__ not in _NAMING:
            return self._binds(statement, names, state) if names else state
        match statement:
            case nodes.Connect():
                self.use([nodes.Name(leg, span=statement.span) for leg in statement.legs], _LEGS)
            case nodes.Hangup(str(leg)) | nodes.Mute(str(leg)) | nodes.Unmute(str(leg)) | nodes.WaitCall(leg):
                self.use([nodes.Name(leg, span=statement.span)], _LEGS)
            case nodes.StopRecord() if state.recording:
                return _Names(_more(state.known, state.recording))
            case nodes.StartRecord(str(name)):
                self.may_bind(name, statement.span)
                return state._replace(recording=name)
            case nodes.OnEvent(name=str(name)):
                self.may_bind(name, statement.span)
            case nodes.For(name) | nodes.OnMember(name=str(name)) | nodes.OnTone(name=str(name)):
                # Bound in the block only: the list may be empty.
                self.may_bind(name, statement.span)
        return self._binds(statement, names, state)

    def _binds(self, statement: nodes.Statement, names: tuple[str, ...], state: _Names) -> _Names:
        known = state.known
        for name in names:
            self.may_bind(name, statement.span)
            known = _more(known, name)
        return state._replace(known=known)

    def enter(self, statement: nodes.Statement, role: Role, state: _Names) -> _Names:
        if isinstance(statement, _BY_TURNS) and statement.name:
            return state._replace(known=_more(state.known, statement.name))
        return state

    def meet(self, one: _Names, other: _Names) -> _Names:
        if one is other:
            return one
        recording = one.recording if one.recording == other.recording else None
        shared, new_one, new_other = _fork(one.known, other.known)
        both = set(new_other)
        for name in dict.fromkeys(new_one):
            if name in both:
                shared = _more(shared, name)
        return _Names(shared, recording)

    def statement(self, statement: nodes.Statement, before: _Names) -> _Names | None:
        if statement.__class__ is not nodes.Flow:
            return super().statement(statement, before)
        assert isinstance(statement, nodes.Flow)
        given = (*self._always, *statement.parameters)
        # One that does not stand at the top is told of elsewhere.
        own = self._index.flows.get(id(statement)) or within(statement.block)
        inner = _Scope(own, self._never, self._problems, self._index, given, self._always)
        for name in statement.parameters:
            inner.may_bind(name, statement.span)
        inner.block(statement.block, _Names())
        return before

    def _move(self, known: _Known | None) -> None:
        """Make `_bound` say what is bound at *known*."""
        _, gone, come = _fork(self._at, known)
        for name in gone:
            self._bound[name] -= 1
            if not self._bound[name]:
                del self._bound[name]
        for name in come:
            self._bound[name] = self._bound.get(name, 0) + 1
        self._at = known

    # Names.

    def may_bind(self, name: str, span: Span) -> None:
        """Hold that a script may bind *name*."""
        if name in self._always:
            what = "a message begins," if name in BOUND_BY_MESSAGE else "a call begins that came in,"
            where = "every run" if name in BOUND else f"every run that {what}"
            message = f"`{name}` is bound in {where} and cannot be given another value"
            self._problems.append(Problem("bound-name", message, span, "choose another name"))

    def use(self, inside: Iterable[nodes.Node], words: tuple[str, ...] = ()) -> None:
        """Hold that all names *inside* an expression have a value here; each name is told of once.

        *words* could have been meant as well.
        """
        for node in inside:
            if not isinstance(node, nodes.Name) or node.id in self._bound or node.id in self.given:
                continue
            if node.id not in self._told and len(self._problems) < MAX_PROBLEMS:
                self._told.add(node.id)
                self._problems.append(self._missing(node, words))

    def _missing(self, name: nodes.Name, words: tuple[str, ...]) -> Problem:
        lines = self.binders.get(name.id, ())
        earlier = [span for span in lines if span < name.span]
        if earlier:
            message = f"`{name.id}` has no value here on every way: it gets one at line {earlier[0].line}"
            hint = f"give it one before the ways part, e.g. `let {name.id} = none`"
            return Problem("unset", message, name.span, hint)
        if lines:
            message = f"`{name.id}` has no value yet: it gets one at line {lines[0].line}"
            return Problem("unset", message, name.span)
        if name.id in BOUND_BY_MESSAGE | BOUND_BY_CALL:
            what, header = ("message", "inbound sms") if name.id in BOUND_BY_MESSAGE else ("call", "inbound")
            hint = f"only a script that begins with `{header}` is given it"
            if name.id in self._always:
                hint = f"the {what} brings it, and a header or a default stands before that"
        else:
            own = (*words, *(self._bound.keys() | self.given) - self._always, *self.binders)
            near = suggest(name.id, own) or self._elsewhere(name.id) or suggest(name.id, self._always)
            hint = near or (_PLACE_A_LEG if words is _LEGS else self._hint(name.id))
        return Problem("unbound", f"`{name.id}` has no value here", name.span, hint)

    def _elsewhere(self, name: str) -> str:
        """Say what is written for a name that other languages have."""
        key = foreign.plain(name)
        if key in foreign.BRANCHES:
            return foreign.BRANCHES[key]
        meant = foreign.VALUES.get(key, "")
        return f"write `{meant}`" if meant in RESERVED | self._always else ""

    def _hint(self, name: str) -> str:
        if name in ("now", "today", "date", "time"):
            return f"what a clock shows is bound before: `clock TEXT as {name}`, where the text is a zone"
        if name in ("if", "for", "while", "repeat"):
            return "a block ends with `}`"
        if name in KEYWORDS:
            return "this is a word of the language; a text stands in double quotes"
        known = sorted((self.given | self._bound.keys()) - self._always)
        if known and len(known) <= 20:
            return f"names bound here: {', '.join(known)}"
        return "a text stands in double quotes"


def _more(known: _Known | None, name: str) -> _Known:
    return _Known(known, name, known.depth + 1 if known else 1)


def _fork(one: _Known | None, other: _Known | None) -> tuple[_Known | None, list[str], list[str]]:
    """Give what two states share, and the names that only one and only the other has."""
    new_one: list[str] = []
    new_other: list[str] = []
    while one is not other:
        if other is None or (one is not None and one.depth >= other.depth):
            assert one is not None
            new_one.append(one.name)
            one = one.before
        else:
            new_other.append(other.name)
            other = other.before
    return one, new_one, new_other


_BY_TURNS = nodes.For | nodes.OnMember | nodes.OnTone | nodes.OnEvent
"""Statements that bind a name in their block only."""

_LATER = {nodes.StartRecord, nodes.Flow, *get_args(_BY_TURNS)}

_BINDING: dict[type, tuple[str, ...]] = {
    kind: found
    for kind in get_args(nodes.Statement)
    if (found := tuple(one.name for one in fields(kind) if one.name in ("name", "counting")))
}
"""The fields that hold what a statement binds, of each kind that has such."""


def bound_by(statement: nodes.Statement) -> tuple[str, ...]:
    """Give the names that *statement* binds at once for what follows it."""
    if statement.__class__ in _LATER:
        return ()
    if isinstance(statement, nodes.Until):
        return (*_named(statement), *_begun(statement.block))
    return _named(statement)


def _begun(block: nodes.Block) -> tuple[str, ...]:
    """Give what is bound as soon as *block*, which a key may leave at any time, has begun."""
    first = block.statements[0] if block.statements else None
    at_once = nodes.Join | nodes.Connect | nodes.ConnectTo | nodes.Queue | nodes.Serve | nodes.Record
    return bound_by(first) if isinstance(first, at_once) else ()


def ever_bound_by(statement: nodes.Statement) -> tuple[str, ...]:
    """Give the names that *statement* binds at once, or in its turns, or when it is stopped."""
    return () if statement.__class__ is nodes.Flow else _named(statement)


def _named(statement: nodes.Statement) -> tuple[str, ...]:
    match _BINDING.get(statement.__class__):
        case None:
            return ()
        case (only,):
            name = getattr(statement, only)
            return (name,) if name else ()
        case several:
            return tuple([name for one in several if (name := getattr(statement, one))])


def _binders(statements: Iterable[nodes.Statement]) -> dict[str, list[Span]]:
    """Give where each name gets a value in *statements*, those of one scope."""
    found: dict[str, list[Span]] = {}
    for statement in statements:
        for name in ever_bound_by(statement):
            found.setdefault(name, []).append(statement.span)
    return found
