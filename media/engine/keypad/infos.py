"""Keys by SIP INFO (RFC 6086; ``application/dtmf-relay`` and ``application/dtmf``, which no RFC has).

The library reads the first character after ``Signal=``, so that 11 were 1, and asserts where no line ends.
It never sees such an INFO: it is taken before the library's dialogs, for a call that is up, and answered
200 whatever its body says.
"""

import re
from collections.abc import Callable
from ctypes import POINTER, byref, c_int, c_void_p
from typing import Any

from attrs import define, frozen

from ringful.media.engine.keypad.keys import key_in
from ringful.media.engine.library import Library, Words

KINDS = ("application/dtmf-relay", "application/dtmf")


@frozen
class Info:
    """An INFO whose body may be a key."""

    kind: str
    call_id: str
    sequence: int
    """Its CSeq."""
    ours: str
    """The tag of our side, and the far end's."""
    theirs: str


def read(message: str) -> Info | None:
    """Read the head of an INFO; None where its body is of another kind, or something is missing."""
    head = re.split(r"\r?\n\r?\n", message, maxsplit=1)[0]
    kind = _header(head, "Content-Type", "c").partition(";")[0].strip().lower()
    sequence = re.match(r"\d+", _header(head, "CSeq", "CSeq"))
    if kind not in KINDS or not sequence:
        return None
    call_id = _header(head, "Call-ID", "i").strip()
    tags = (_tag(_header(head, *names)) for names in (("To", "t"), ("From", "f")))
    return Info(kind, call_id, int(sequence[0]), *tags)


def _header(head: str, name: str, short: str) -> str:
    found = re.search(rf"^(?:{name}|{short})[ \t]*:[ \t]*(.*(?:\r?\n[ \t].*)*)", head, re.I | re.M)
    return found[1] if found else ""


def _tag(value: str) -> str:
    found = re.search(r";\s*tag\s*=\s*([^;\s]+)", value.rpartition(">")[2], re.I)
    return found[1] if found else ""


@define
class Infos:
    """Gives keys to *press* (the Call-ID, the CSeq and the key), which says whether it knows the call."""

    press: Callable[[str, int, str | None], bool]
    _find: Any = None

    def open(self, library: Library) -> None:
        """Look calls up in the library from now on."""
        words = POINTER(Words)
        self._find = library.loaded.pjsip_ua_find_dialog
        self._find.restype, self._find.argtypes = c_void_p, [words, words, words, c_int]

    def take(self, message: str, body: str) -> bool:
        """Say whether an INFO was for us, and is to be answered 200."""
        info = read(message)
        if info is None or not self._is_within(info):
            return False
        return self.press(info.call_id, info.sequence, key_in(info.kind, body))

    def _is_within(self, info: Info) -> bool:
        """Say whether it belongs to a call that is up: whoever sends it knows both tags."""
        if self._find is None:
            return False
        said = [one.encode() for one in (info.call_id, info.ours, info.theirs)]
        return bool(self._find(*(byref(Words(one, len(one))) for one in said), 0))
