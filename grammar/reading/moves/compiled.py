"""The way through the tables, in C (`csrc/`): a tenth of the time that it takes in Python.

The compiled library lies beside this module.  It is loaded by ctypes, and needs nothing of Python.  It
runs while no other thread of Python does, as all of the parser: what it takes is less than to wait for
them would be.
"""

import ctypes
import sys
from array import array
from ctypes import POINTER, Structure, c_bool, c_char_p, c_int16, c_int32, c_size_t, c_void_p
from pathlib import Path
from struct import Struct
from typing import Any, Final

from ringful.grammar.reading.moves.steps import TEXT, Go, Reduction, Shift, Step, Tables, Way

COMPILED: Final = Path(__file__).with_name("libmoves.so")
_KINDS: Final = (
    *("NAME", TEXT, "NEWLINE", "DURATION", "NUMBER", "CALLEE", "LITERAL", "ESCAPE", "$END", "COMMENT"),
)
_UNCALLED: Final = ("not", "true", "false", "none")
"""Words that name no function before a bracket."""
_LOOKS: Final = {
    "NAME": r"[a-z_][a-z0-9_]*",
    "CALLEE": rf"(?!(?:{'|'.join(_UNCALLED)})\()[a-z_][a-z0-9_]*(?=\()",
    "DURATION": r"[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h)(?![a-zA-Z0-9_])",
    "NUMBER": r"[0-9]+(?:\.[0-9]+)?",
    "LITERAL": '[^"\\\\{\x00-\x08\x0a-\x1f]+',
    "ESCAPE": r'\\["\\nt{]',
    "NEWLINE": "(?:\r?\n[ \t]*)+",
    "COMMENT": "#[^\n]*",
    "BLANK": "[ \t]+",
}
"""What the pieces look like that C reads without patterns; all others are words and marks."""
_BRACKETS: Final = {None: 0, "free": 1, "block": 2, "text": 3, "close": 4}
_LETTERS: Final = 128
_MOVE: Final = Struct("6i")
_ENCODING: Final = f"utf-32-{'le' if sys.byteorder == 'little' else 'be'}"


class NoCompiled(Exception):
    """Why the way cannot be gone in C here."""


class _Step(Structure):
    _fields_ = tuple(
        (name, c_int16) for name in ("takes", "to", "size", "what", "bracket", "build", "inner", "after")
    )


class _Tables(Structure):
    _fields_ = (
        *(
            (name, c_int32)
            for name in ("states", "kinds", "steps", "rows", "nodes", "start", "end", "comment")
        ),
        ("actions", POINTER(c_int16)),
        ("step", POINTER(_Step)),
        *((name, POINTER(c_int16)) for name in ("gotos", "letters", "words")),
        ("kind", c_int16 * len(_KINDS)),
        ("uncalled", c_int16 * len(_UNCALLED)),
    )


def load(path: Path = COMPILED) -> Any:
    """Load the compiled part.  Raises NoCompiled."""
    if any(one.stat().st_mtime > path.stat().st_mtime for one in path.parent.glob("csrc/*") if path.exists()):
        raise NoCompiled("its part in C is older than its sources: make install")
    try:
        loaded: Any = ctypes.PyDLL(str(path))
        for name, result, *arguments in (
            ("moves_of", c_int32, c_void_p, c_char_p, c_int32, c_char_p, c_int32, c_void_p),
            ("moves_trust", c_bool, c_void_p, c_size_t),
        ):
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise NoCompiled(f"its part in C cannot be loaded: {error}") from error
    return loaded


def by(tables: Tables, loaded: Any) -> Go:
    """Give what `plain.go` is with *tables*.  Raises NoCompiled, where they are not to be trusted."""
    if {kind: tables.patterns.get(kind) for kind in _LOOKS} != _LOOKS:
        raise NoCompiled("the pieces of a text look otherwise now than csrc/ has them")
    flat = _flat(tables)
    if not loaded.moves_trust(ctypes.byref(flat), ctypes.sizeof(_Tables)):
        raise NoCompiled("its tables lead out of themselves, or it was compiled for others")

    def go(text: str) -> Way | None:
        characters, size, depth = text.encode(_ENCODING, "surrogatepass"), len(text), c_int32()
        # Most texts have a move for every fourth character.
        most, given = size // 2 + 32, _MORE_ROOM
        while given == _MORE_ROOM:
            found = ctypes.create_string_buffer(most * _MOVE.size)
            given = loaded.moves_of(ctypes.byref(flat), characters, size, found, most, ctypes.byref(depth))
            most *= 2
        if given < 0:
            return None
        moves: Any = _MOVE.iter_unpack(memoryview(found)[: given * _MOVE.size])
        return Way(moves, depth.value)

    return go


_MORE_ROOM: Final = -2


def _flat(tables: Tables) -> _Tables:
    """Write *tables* as C reads them."""
    kinds = sorted({*_KINDS, *(kind for here in tables.steps.values() for kind in here)})
    number = {kind: at for at, kind in enumerate(kinds)}
    states = max(tables.steps) + 1
    distinct: dict[int, Step] = {id(step): step for here in tables.steps.values() for step in here.values()}
    step_of = {identity: at for at, identity in enumerate(distinct)}
    rows: dict[int, Any] = {
        id(one.after): one.after for one in distinct.values() if isinstance(one, Reduction)
    }
    row_of = {identity: at for at, identity in enumerate(rows)}
    actions = array("h", bytes(2 * states * len(kinds)))
    for state, here in tables.steps.items():
        for kind, step in here.items():
            actions[state * len(kinds) + number[kind]] = step_of[id(step)] + 1
    gotos = array("h", [-1]) * (states * len(rows))
    for at, after in enumerate(rows.values()):
        for before, to in after.items():
            gotos[at * states + before] = to
    steps = (_Step * len(distinct))(*[_step(one, row_of) for one in distinct.values()])
    letters, words = _spelled({kind: number[kind] for kind in kinds if kind not in _KINDS})
    return _Tables(
        *(states, len(kinds), len(distinct), len(rows), len(words), tables.start, tables.end, tables.comment),
        *(_shared(actions), steps, _shared(gotos), _shared(letters), _shared(words)),
        (c_int16 * len(_KINDS))(*[number[kind] for kind in _KINDS]),
        (c_int16 * len(_UNCALLED))(*[number.get(word, -1) for word in _UNCALLED]),
    )


def _step(step: Step, row_of: dict[int, int]) -> _Step:
    build = -1 if step.build is None else step.build
    if isinstance(step, Shift):
        return _Step(1, step.to, 0, -1 if step.what is None else step.what, _BRACKETS[step.bracket], build)
    return _Step(0, 0, step.size, -1, 0, build, step.inner, row_of[id(step.after)])


def _spelled(numbers: dict[str, int]) -> tuple["array[int]", "array[int]"]:
    """Give the tree of all words and marks: the node that follows each by a letter, and what ends there."""
    nothing = bytes(2 * _LETTERS)
    following, ends = array("h", nothing), array("h", [-1])
    for word, number in numbers.items():
        node = 0
        for letter in word.encode("ascii"):
            at = node * _LETTERS + letter
            if not following[at]:
                following[at] = len(ends)
                following.frombytes(nothing)
                ends.append(-1)
            node = following[at]
        ends[node] = number
    return following, ends


def _shared(numbers: "array[int]") -> Any:
    """Give *numbers* to C, without a copy."""
    return (c_int16 * len(numbers)).from_buffer(numbers)
