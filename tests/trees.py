"""Trees of every kind that a text can express, for property tests.

Each strategy gives trees that obey the rules of ringful.grammar.nodes (names are names, durations
whole milliseconds, literals of a text merged), so that what is shown must parse to the same tree.
"""

from decimal import Decimal
from typing import Any, get_args

from attrs import evolve
from hypothesis import strategies as st

from ringful.grammar import nodes
from ringful.grammar.vocabulary import KEYWORDS, RESERVED

_PLAIN = ["a", "x1", "order", "_", "text", "length"]

names = st.sampled_from([*_PLAIN, *sorted(KEYWORDS - RESERVED)])
"""Names that a script may give, words of the language among them."""

words = st.sampled_from([*_PLAIN, *sorted(KEYWORDS)])
"""Words that may stand after a dot or as a key: any."""

marks = st.text(
    st.one_of(
        st.sampled_from('\n\t"\\{}#;:/ \u00a0\u2028\ufeff“é𝄞'),
        st.characters(min_codepoint=32, exclude_categories=("Cs",)),
    ),
    min_size=1,
    max_size=12,
)

comment = st.text(st.characters(min_codepoint=32, exclude_categories=("Cs",)), max_size=12).map(str.rstrip)

numbers = st.one_of(
    st.integers(0, 10**15),
    st.decimals(0, 10**9, places=4).map(abs),
    st.sampled_from([0, Decimal("0.5"), Decimal("1E+2"), Decimal("1.50")]),
)

_TIMES = [0, 500, 1500, 8000, 90_000, 60_000, 120_000, 3_600_000, 5_400_000]
durations = st.one_of(st.sampled_from(_TIMES), st.integers(0, 10**10))


def _text(parts: list[Any]) -> nodes.Text:
    merged: list[Any] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    return nodes.Text(tuple(merged))


def _compound(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, max_size=3).map(tuple)
    operators = st.sampled_from(
        ["or", "and", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "+", "-", "*", "/", "%"]
    )
    functions = st.sampled_from(["length", "and", "f", "tone", "if"])
    return st.one_of(
        st.lists(st.one_of(marks, inner), max_size=4).map(_text),
        st.builds(nodes.List, several),
        maps(inner),
        st.builds(nodes.Field, inner, words),
        st.builds(nodes.Index, inner, inner),
        st.builds(nodes.Unary, st.sampled_from(["not", "-"]), inner),
        st.builds(nodes.Binary, operators, inner, inner),
        st.builds(nodes.Apply, functions, several),
    )


def maps(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[nodes.Map]:
    """Maps with values from *inner*."""
    entry = st.builds(nodes.Entry, st.one_of(words, marks, st.just("")), inner)
    return st.builds(nodes.Map, st.lists(entry, max_size=3).map(tuple))


_leaves: st.SearchStrategy[Any] = st.one_of(
    st.builds(nodes.Name, names),
    marks.map(nodes.text),
    st.just(nodes.Text()),
    st.builds(nodes.Number, numbers),
    st.builds(nodes.Duration, durations),
    st.builds(nodes.Boolean, st.booleans()),
    st.just(nodes.Nothing()),
)

expressions: st.SearchStrategy[Any] = st.recursive(_leaves, _compound, max_leaves=6)
"""Expressions of every kind."""

_some = st.one_of(st.none(), expressions)
_name = st.one_of(st.none(), names)
_why = _name.filter(lambda name: name != "moderator")
_connected = names.filter(lambda name: name != "to")
"""What follows `connect to` is a number."""
_flag = st.booleans()
_keys: st.SearchStrategy[Any] = st.one_of(st.just(nodes.AnyTone()), expressions)
_tones = st.one_of(st.none(), _keys)
_asked: dict[str, st.SearchStrategy[Any]] = {"between": _some, "within": _some, "counting": _name}
_played: dict[str, Any] = {"start": _some, "speed": _some, "name": _name}
_further = st.lists(names, max_size=2).map(tuple)
_fields = st.one_of(st.none(), maps(expressions))


def _beside(line: nodes.Line, above: list[str | None], trailing: str | None, spaced: bool) -> nodes.Line:
    return evolve(line, comments=tuple(above), trailing=trailing, spaced=spaced)


def _commented(lines: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    above = st.lists(comment, max_size=2)
    return st.one_of(lines, st.builds(_beside, lines, above, st.one_of(st.none(), comment), st.booleans()))


_shown: dict[str, Any] = {"named": _some, "withheld": _flag, "diverted": _some}

_plain: st.SearchStrategy[Any] = st.one_of(
    st.just(nodes.Answer()),
    st.builds(nodes.Reject, st.sampled_from([None, "busy", "declined", "unavailable", "unknown", 404, 608])),
    st.builds(nodes.Play, expressions, _tones, _some, _some, _flag, _flag, **_played),
    st.builds(nodes.Play, expressions, _tones, notify=_some, background=st.just(True), forever=_flag),
    st.builds(nodes.PausePlay, _name),
    st.just(nodes.ResumePlay()),
    st.builds(nodes.Skip, expressions, st.sampled_from(["on", "back", "to"])),
    st.builds(nodes.Speed, st.one_of(st.sampled_from(["up", "down"]), expressions)),
    st.just(nodes.StopPlay()),
    st.builds(nodes.Say, expressions, _some, _tones, _some, _flag, **_played),
    st.builds(nodes.Record, _name, _some, _tones, _some, _flag, _some, _some),
    st.builds(nodes.StartRecord, _name, _some),
    st.just(nodes.StopRecord()),
    st.builds(nodes.Tone, expressions),
    st.builds(nodes.Wait, expressions),
    st.builds(nodes.WaitTone, _keys, _flag, _name, _some, _some),
    st.builds(nodes.StartTones, expressions),
    st.builds(nodes.StopTones, _some),
    st.builds(nodes.Gather, names, expressions, _some, _tones, _some, _some, _flag, _flag, **_asked),
    st.builds(nodes.Conference, names, _some, _flag, _some, _some, _some, _flag),
    st.builds(
        nodes.Join,
        expressions,
        _flag,
        _flag,
        _some,
        _flag,
        _flag,
        _flag,
        _some,
        _some,
        _some,
        _why,
        _flag,
        _some,
    ),
    st.builds(nodes.Members, st.sampled_from(get_args(nodes.Change)), _some, expressions),
    st.builds(nodes.Coach, _some, expressions),
    st.builds(nodes.Leave, expressions),
    st.builds(nodes.End, expressions),
    st.builds(nodes.Connect, _connected, _some, st.none(), _name, _further, _flag),
    st.builds(nodes.ConnectTo, expressions, _some, _some, _some, _some, st.none(), _name, _flag, _flag),
    st.builds(nodes.WaitCall, names, _name, _some),
    st.builds(nodes.WaitEvent, expressions, _name, _some),
    st.builds(nodes.Signal, expressions, _fields, _some),
    st.builds(nodes.Queue, expressions, _some, _name, _some),
    st.builds(nodes.Serve, expressions, _some, _some, _name, _some),
    st.builds(nodes.Transfer, expressions, _name),
    st.builds(nodes.Give, expressions),
    st.builds(nodes.Mute, _name),
    st.builds(nodes.Unmute, _name),
    st.builds(nodes.Hangup, _name),
    st.builds(nodes.Sms, expressions, expressions, _some, _some),
    st.builds(nodes.Notify, expressions, _fields),
    st.builds(nodes.Ask, expressions, names, _fields, _some),
    st.builds(nodes.Follow, expressions, _fields, _some),
    st.builds(nodes.Let, names, expressions),
    st.just(nodes.Break()),
    st.just(nodes.Again()),
    st.just(nodes.Back()),
    st.builds(nodes.Do, names, st.lists(expressions, max_size=3).map(tuple), _name),
    st.builds(nodes.Return, _some),
    st.builds(nodes.Clock, names, _some),
    st.builds(nodes.Pick, expressions, names, _some),
    st.builds(nodes.Stay, _some),
)


def blocks(statements: st.SearchStrategy[Any]) -> st.SearchStrategy[nodes.Block]:
    """Blocks of *statements*."""
    several = st.lists(_commented(statements), max_size=3).map(tuple)
    return st.builds(nodes.Block, several, st.lists(comment, max_size=2).map(tuple))


def _with_blocks(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    block = blocks(inner)
    maybe = st.one_of(st.none(), block)
    choices = st.lists(_commented(st.builds(nodes.Choice, _keys, block)), max_size=3).map(tuple)
    parameters = st.lists(names, max_size=3, unique=True).map(tuple)
    return st.one_of(
        st.builds(nodes.Call, expressions, _some, _some, _some, _name, block, every=_flag, **_shown),
        st.builds(nodes.WaitTone, _keys, _flag, _name, _some, _some, block),
        st.builds(nodes.Connect, _connected, _some, block, _name, _further),
        st.builds(nodes.WaitCall, names, _name, _some, block),
        st.builds(nodes.WaitEvent, expressions, _name, _some, block),
        st.builds(nodes.OnEvent, expressions, block, _name),
        st.builds(
            nodes.Gather, names, expressions, _some, _tones, prompt=block, keys=_flag, notify=_some, **_asked
        ),
        st.builds(nodes.Menu, block, choices, _some, _some, _flag, maybe, maybe, _name, **_asked),
        st.builds(nodes.Until, _keys, block, _name),
        st.builds(nodes.UntilEvent, expressions, block, _name),
        st.builds(nodes.ConnectTo, expressions, otherwise=block),
        st.builds(nodes.Queue, expressions, _some, _name, _some, block),
        st.builds(nodes.Serve, expressions, _some, _some, _name, _some, block),
        st.builds(nodes.In, expressions, block),
        st.builds(nodes.Ask, expressions, names, _fields, _some, block),
        st.builds(nodes.Follow, expressions, _fields, _some, block),
        st.builds(nodes.If, expressions, block, maybe),
        st.builds(nodes.Repeat, expressions, block),
        st.builds(nodes.For, names, expressions, block),
        st.builds(nodes.Flow, names, parameters, block),
        st.builds(nodes.OnHangup, block),
        st.builds(nodes.OnTone, _keys, block, _name),
        st.builds(nodes.OnMember, st.sampled_from(["join", "leave", "speech"]), block, _name),
        st.builds(nodes.Start, block),
    )


statements: st.SearchStrategy[Any] = st.recursive(_plain, _with_blocks, max_leaves=5)
"""Statements of every kind, with their blocks."""

headers: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.builds(nodes.Call, expressions, _some, _some, _some, _name, **_shown),
    st.builds(nodes.Inbound, expressions, _some),
    st.builds(nodes.InboundSms, expressions, _some, _some),
)

scripts: st.SearchStrategy[nodes.Script] = st.builds(
    nodes.Script,
    blocks(statements),
    headers.flatmap(lambda header: st.none() if header is None else _commented(st.just(header))),
    st.lists(_commented(st.builds(nodes.Param, names, _some, _flag)), max_size=2).map(tuple),
    st.lists(_commented(st.builds(nodes.Use, marks)), max_size=2).map(tuple),
)
"""Whole scripts."""
