"""A script in the making: its names, what it lost, and what a case of it needs.

A `Draft` is one document's; a `Body` is one block of its script.  What a dialect writes into a text
in place of a value (``{{From}}``, ``%{call.from}``) its `Pieces` takes apart.
"""

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias
from urllib.parse import urljoin

from attrs import define, evolve, field

from ringful.grammar import nodes
from ringful.grammar.functions import BOUND, BOUND_BY_MESSAGE
from ringful.grammar.vocabulary import KEYWORDS, RESERVED
from ringful.importing.facts import Fact, Heard, Web
from ringful.importing.losses import Loss, Weight

Part: TypeAlias = str | nodes.Expression
Pieces: TypeAlias = "Callable[[Draft, str], tuple[Part, ...]]"

APP = "app"
"""The param that holds where the application is, in a script whose document does not say it."""
APP_ADDRESS = "https://app.example"
ANSWER = nodes.Duration(15_000)
"""How long the application has for an answer."""
NUMBER = "number"
"""The param that is the number of ours, or the one that is called."""
_LONGEST_NAME = 40
_LONGEST_TEXT = 5_000


@define
class Draft:
    """What is known of a script as it is made."""

    pieces: Pieces
    base: str = ""
    """The document's own address, against which others are read; none: they are the application's."""
    losses: list[Loss] = field(factory=list)
    facts: list[Fact] = field(factory=list)
    params: dict[str, nodes.Expression | None] = field(factory=dict)
    flows: list[nodes.Flow] = field(factory=list)
    names: set[str] = field(factory=lambda: {*BOUND, *BOUND_BY_MESSAGE, *RESERVED, *KEYWORDS, NUMBER})
    heard: Heard | None = None
    """The sound that a caller heard last."""
    recording: bool = False
    """Something is recorded in the background."""
    outbound: bool = False
    """The script calls somebody, so that nothing can be heard before the answer."""
    voice: str = ""
    """The voice of what is said without one of its own."""

    def name(self, wish: str) -> str:
        """Give a name that nothing else has, as near to *wish* as may be."""
        name = plain_name(wish)
        tried, number = name, 2
        while tried in self.names:
            tried, number = f"{name}_{number}", number + 1
        self.names.add(tried)
        return tried

    def param(self, name: str, default: nodes.Expression | None = None) -> nodes.Name:
        """Give the param of this *name*, which the script has from now on."""
        if name in BOUND or name == NUMBER:
            return nodes.Name(name)
        if name in BOUND_BY_MESSAGE:
            name = f"{name}_value"
        if name not in self.params:
            self.params[name] = default
            self.names.add(name)
        return nodes.Name(name)

    def text(self, said: str) -> nodes.Text:
        """Give *said* as a text, with the values that it names."""
        said = clean(said)
        if len(said) > _LONGEST_TEXT:
            why = f"it is cut after {_LONGEST_TEXT} characters"
            self.losses.append(Loss("a text", f"the end of “{said[:20]}…”", why))
        return joined(self.pieces(self, said[:_LONGEST_TEXT]))

    def value(self, said: str) -> nodes.Expression:
        """Give *said* as a text, or, if it is nothing but a value, as that."""
        text = self.text(said)
        if len(text.parts) == 1 and not isinstance(text.parts[0], str):
            return text.parts[0]
        return text

    def address(self, said: str) -> nodes.Expression | None:
        """Give *said* as an address of the web, or None if it is none."""
        said = clean(said).replace(" ", "%20")
        parts = [part for part in self.pieces(self, said) if part != ""]
        if len(parts) == 1 and not isinstance(parts[0], str):
            return parts[0]
        if re.match(r"https?://[^\s/{}]+", said, re.IGNORECASE):
            return self.text(said)
        if not said or re.match(r"[a-z][a-z0-9+.-]*:|//", said, re.IGNORECASE):
            return None
        if self.base:
            return self.text(urljoin(self.base, said))
        rest = self.pieces(self, said if said.startswith("/") else f"/{said}")
        return joined((self.param(APP, nodes.text(APP_ADDRESS)), *rest))

    def asked(self, address: nodes.Expression, answer: str | None = None) -> None:
        """Note that the application is asked there; *answer* is JSON, and None a script."""
        match address:
            case nodes.Text(parts) if all(isinstance(part, str) or part == nodes.Name(APP) for part in parts):
                url = "".join(part if isinstance(part, str) else APP_ADDRESS for part in parts)
                self.facts.append(Web(url, answer))


@define
class Body:
    """A block in the making."""

    draft: Draft
    statements: list[nodes.Statement] = field(factory=list)
    comments: list[str | None] = field(factory=list)
    """What stands above the next statement."""
    is_over: bool = False
    """Nothing that came after would be reached."""
    is_outer: bool = False
    """It is the script's own block."""

    @property
    def is_first(self) -> bool:
        """Say whether a call that came in is not answered yet: all that it heard was early."""
        return self.is_outer and all(map(_is_unheard, self.statements))

    def add(self, *statements: nodes.Statement) -> None:
        """Let *statements* come next."""
        for statement in statements:
            self.statements.append(evolve(statement, comments=(*statement.comments, *self.comments)))
            self.comments.clear()

    def end(self, *statements: nodes.Statement) -> None:
        """Let *statements* be the last ones."""
        self.add(*statements)
        self.is_over = True

    def lose(self, place: str, what: str, why: str, weight: Weight = "lost") -> None:
        """Say in the script, and at the end, what it does not say; the same words stand in it once."""
        loss = Loss(place, clean(what)[:60], why, weight)
        if not any(one.what == loss.what and one.why == loss.why for one in self.draft.losses):
            self.comments += wrapped(loss.comment)
        self.draft.losses.append(loss)

    def inner(self) -> "Body":
        """Begin a block within this one."""
        return Body(self.draft)

    def block(self) -> nodes.Block:
        """Give the block as it stands."""
        return nodes.Block(tuple(self.statements), tuple(self.comments))

    def hear(self, sound: nodes.Expression) -> None:
        """Note that *sound* is what the caller heard last."""
        literals = [part for part in getattr(sound, "parts", ()) if isinstance(part, str)]
        longest = max(literals, key=len, default="").strip()
        self.draft.heard = Heard(longest) if longest else None


def _is_unheard(statement: nodes.Statement) -> bool:
    """Say whether a call that came in is not answered by *statement*."""
    return isinstance(statement, nodes.Let | nodes.Wait) or getattr(statement, "early", False)


def joined(parts: Sequence[Part]) -> nodes.Text:
    """Make a text of *parts*: adjacent literals become one, empty ones none."""
    found: list[Part] = []
    for part in parts:
        if isinstance(part, str) and found and isinstance(found[-1], str):
            found[-1] += part
        elif part != "":
            found.append(part)
    return nodes.Text(tuple(found))


def clean(said: str) -> str:
    """Put *said* on one line that UTF-8 can say, without control characters."""
    said = said.encode("utf-8", "replace").decode()
    return " ".join("".join(" " if ord(c) < 32 or ord(c) == 127 else c for c in said).split())


def plain_name(wish: str) -> str:
    """Make a name of the language of *wish*: ``DialCallStatus`` becomes ``dial_call_status``."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", wish).lower()
    name = re.sub(r"[^a-z0-9]+", "_", name)[:_LONGEST_NAME].strip("_")
    if not name or name[0].isdigit():
        name = f"value_{name}".strip("_")
    return f"{name}_value" if name in RESERVED else name


def wrapped(comment: str, width: int = 100) -> list[str]:
    """Break *comment* into lines."""
    lines = [""]
    for word in clean(comment).split():
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append(f"   {word}")
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return lines


def fields(**values: nodes.Expression) -> nodes.Map:
    """Give fields to post, as the other system calls them."""
    return nodes.Map(tuple(nodes.Entry(key, value) for key, value in values.items()))
