"""A registrar and trunk that wants to know who calls: a socket of UDP and a few lines, none of ours.

Digests are computed here once more, from RFC 3261 and RFC 8760, so that a mistake of ours is not made twice.
"""

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define, field

from tests.trunk import answering

HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


@define
class Registrar:
    """What it wants and does, and what it has heard."""

    address: str = ""
    username: str = "alice"
    password: str = "wonder land"
    algorithms: tuple[str, ...] = ("MD5",)
    """It challenges with each of them, in this order."""
    qop: str = "auth"
    proxy: bool = False
    """Whether it challenges by 407."""
    stale_after: int = 1000
    """How often a nonce may be used."""
    min_expires: int = 0
    grants: int | None = None
    """Seconds that it grants; None: what is asked for."""
    refuses: dict[str, int] = field(factory=dict)
    """Final statuses of methods; 0: no answer at all."""
    bindings: dict[str, int] = field(factory=dict)
    """Who is where, for how many seconds."""
    heard: list[str] = field(factory=list)
    """Each request with what came of it, such as ``REGISTER 401``."""
    algorithms_used: list[str] = field(factory=list)
    texts: list[str] = field(factory=list)
    _nonce: int = 0
    _used: int = 0
    changed: threading.Condition = field(factory=threading.Condition)

    def wait_for(self, *wanted: str, seconds: float = 20.0) -> bool:
        """Wait until all of *wanted* have been heard."""
        with self.changed:
            return self.changed.wait_for(lambda: all(one in self.heard for one in wanted), seconds)

    def answer(self, text: str) -> bytes | None:
        """Answer a request."""
        method = text.partition(" ")[0]
        status, more = self._judge(method, text)
        with self.changed:
            self.texts.append(text)
            self.heard.append(f"{method} {status}")
            self.changed.notify_all()
        return _response(text, status, more) if status and method != "ACK" else None

    def _judge(self, method: str, text: str) -> tuple[int, list[str]]:
        if method in ("ACK", "CANCEL"):
            return 0, []
        if method in self.refuses:
            return self.refuses[method], []
        if method == "OPTIONS":
            return 200, []
        if not (given := re.search(r"^(?:Proxy-)?Authorization:\s*Digest (.*)$", text, re.M)):
            return self._challenge()
        words = words_of(given[1])
        if words["nonce"] != f"n{self._nonce}" or self._used >= self.stale_after:
            return self._challenge(", stale=true")
        self._used += 1
        if words["response"] != self.expected(method, words):
            return (403, []) if self.proxy else self._challenge()
        self.algorithms_used.append(words.get("algorithm", "MD5"))
        if method != "REGISTER":
            return 486, []
        return self._bind(text)

    def expected(self, method: str, words: dict[str, str]) -> str:
        """Give the response that shows who calls."""

        def digest(said: str) -> str:
            return HASHES[words.get("algorithm", "MD5")](said.encode()).hexdigest()

        secret = digest(f"{self.username}:ringful.test:{self.password}")
        asked = digest(f"{method}:{words['uri']}")
        used = f"{words['nc']}:{words['cnonce']}:{words['qop']}:" if self.qop else ""
        return digest(f"{secret}:{words['nonce']}:{used}{asked}")

    def _challenge(self, more: str = "") -> tuple[int, list[str]]:
        self._nonce, self._used = self._nonce + 1, 0
        name = "Proxy-Authenticate" if self.proxy else "WWW-Authenticate"
        qop = f', qop="{self.qop}"' if self.qop else ""
        begin = f'{name}: Digest realm="ringful.test", nonce="n{self._nonce}", opaque="o"'
        lines = [f"{begin}, algorithm={one}{qop}{more}" for one in self.algorithms]
        return (407 if self.proxy else 401), lines

    def _bind(self, text: str) -> tuple[int, list[str]]:
        found = re.search(r"^Expires:\s*(\d+)", text, re.M)
        seconds = int(found[1]) if found else 3600
        if 0 < seconds < self.min_expires:
            return 423, [f"Min-Expires: {self.min_expires}"]
        contact = re.search(r"^Contact:\s*<([^>]*)>", text, re.M)
        if contact:
            self.bindings.pop(contact[1], None)
            if seconds:
                self.bindings[contact[1]] = self.grants or seconds
        return 200, [f"Contact: <{where}>;expires={left}" for where, left in self.bindings.items()]


@contextmanager
def registrar(**wanted: object) -> Iterator[Registrar]:
    """Listen on a free port of UDP."""
    with answering(lambda text: made.answer(text)) as address:
        made = Registrar(address, **wanted)  # type: ignore[arg-type]
        yield made


def words_of(authorization: str) -> dict[str, str]:
    """Give what stands in a value of Authorization."""
    return dict(re.findall(r'(\w+)="?((?<=")[^"]*|[^",\s]*)', authorization))


def _response(request: str, status: int, more: list[str]) -> bytes:
    copied = re.findall(r"^(?:Via|v|From|f|Call-ID|i|CSeq):.*$", request, re.M | re.I)
    to = re.findall(r"^(?:To|t):.*$", request, re.M | re.I)[0].strip()
    lines = [f"SIP/2.0 {status} As it is", *(one.strip() for one in copied), f"{to};tag=registrar", *more]
    return "\r\n".join([*lines, "Content-Length: 0", "", ""]).encode()
