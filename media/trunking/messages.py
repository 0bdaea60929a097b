"""The few SIP messages that the node itself writes and reads: requests without a call, and their answers.

Pure.  What calls need is the library's, in the workers.
"""

import re
from collections.abc import Iterable

from attrs import field, frozen

_SHORT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length"}
_STRAY = re.compile(r"[\x00-\x1f\x7f]+")


@frozen
class Answer:
    """A response; *headers* by their long lower-case names, each with its values in order."""

    status: int
    reason: str = ""
    headers: dict[str, list[str]] = field(factory=dict)

    def all(self, name: str) -> list[str]:
        """Give the values of the header *name*."""
        return self.headers.get(name, [])

    def number(self, name: str) -> int | None:
        """Give the whole number that the header *name* begins with."""
        found = re.match(r"\s*(\d{1,9})", next(iter(self.all(name)), ""))
        return int(found[1]) if found else None


@frozen
class Request:
    """A request, but for what the socket that it leaves by knows: Via and Contact."""

    method: str
    uri: str
    to: str
    """The URI in To, and in From where *sender* says nothing else."""
    call_id: str
    number: int
    """Of its CSeq."""
    tag: str
    sender: str = ""
    contact: str = ""
    """A whole value of Contact; empty: there is none."""
    more: tuple[tuple[str, str], ...] = ()

    def written(self, via: str, branch: str) -> bytes:
        """Give it as it goes out; *via* is the transport and where answers reach us."""
        lines = [
            f"{self.method} {self.uri} SIP/2.0",
            f"Via: SIP/2.0/{via};rport;branch=z9hG4bK{branch}",
            "Max-Forwards: 70",
            f"From: <{self.sender or self.to}>;tag={self.tag}",
            f"To: <{self.to}>",
            f"Call-ID: {self.call_id}",
            f"CSeq: {self.number} {self.method}",
            *([f"Contact: {self.contact}"] if self.contact else []),
            *(f"{name}: {value}" for name, value in self.more),
            "User-Agent: ringful",
            "Content-Length: 0",
        ]
        return "\r\n".join([*lines, "", ""]).encode()


def answers(data: bytes) -> Iterable[Answer]:
    """Give the responses that *data* holds, whole ones alone."""
    text = data.decode("utf-8", "replace")
    for part in re.split(r"(?=^SIP/2\.0 )", text, flags=re.MULTILINE):
        head, ended, _ = part.partition("\r\n\r\n")
        first, _, rest = head.partition("\r\n")
        found = re.fullmatch(r"SIP/2\.0 ([1-6]\d\d)(?: (.*))?", first)
        if ended and found:
            yield Answer(int(found[1]), _STRAY.sub(" ", found[2] or "")[:200], _headers(rest))


def _headers(text: str) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    for line in re.sub(r"\r\n[ \t]+", " ", text).split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            name = name.strip().lower()
            headers.setdefault(_SHORT.get(name, name), []).append(value.strip())
    return headers


def final(data: bytes, request: Request) -> Answer | None:
    """Give the final response to *request* that is in *data*; None if there is none."""
    for answer in answers(data):
        about = answer.all("call-id")[:1], " ".join(answer.all("cseq")[:1]).split()
        if answer.status >= 200 and about == ([request.call_id], [str(request.number), request.method]):
            return answer
    return None
