"""What a phone of a case does with text messages, and how a line of that is read.

These lines are no steps: a phone texts and reads beside its calls, and what one line says of messages
holds for all phones of its number.
"""

from attrs import evolve, frozen

from ringful.simulation.cases.lines import TEXT, Lines

FORMS = {
    "texts": 'texts "+15125550000" "JOIN now" after 1s',
    "replies": 'replies "YES" when "Ready?" comes after 5s',
    "refuses": 'refuses texts "it is switched off"',
    "gives": "gives no receipts",
    "wants": "wants no texts",
}
SWITCHED_OFF = "it is switched off"


@frozen
class TextLine:
    """A text that a phone sends to *number*, so long *after* the one before."""

    number: str
    text: str
    after: float = 0.0
    at: float | None = None
    """The time since the beginning, instead of *after*."""


@frozen
class ReplyLine:
    """What a phone answers to a message that holds *to*, so long *after* it came."""

    text: str
    after: float = 0.0
    to: str = ""
    each: bool = False
    """To each such message; otherwise to the first that no line before this one answers."""


@frozen
class Texting:
    """What a phone does with messages; without a word of it, it reads them."""

    texts: tuple[TextLine, ...] = ()
    replies: tuple[ReplyLine, ...] = ()
    refuses: str | None = None
    """Why no message reaches it; None: they do."""
    receipts: bool = True
    """Whether it is told that one has reached it."""
    wanted: bool = True
    """Whether it is known to want messages."""

    def joined(self, other: "Texting") -> "Texting":
        """Give what two lists of lines about one number say together."""
        return Texting(
            (*self.texts, *other.texts),
            (*self.replies, *other.replies),
            other.refuses if self.refuses is None else self.refuses,
            self.receipts and other.receipts,
            self.wanted and other.wanted,
        )


NOTHING = Texting()


def read_texting(lines: Lines, line: str, before: Texting) -> Texting:
    """Read *line*, the present one of *lines*; give it with what was said *before*.  Raises ScriptError."""
    match line.split():
        case ["texts", *_]:
            return evolve(before, texts=(*before.texts, _text(lines, line)))
        case ["replies", *_]:
            return evolve(before, replies=(*before.replies, _reply(lines, line)))
        case ["refuses", "texts", *_]:
            found = lines.match(rf"refuses\s+texts(?:\s+{TEXT})?", line, FORMS["refuses"])
            return evolve(before, refuses=lines.unquoted(found[1]) if found[1] else SWITCHED_OFF)
        case ["gives", "no", "receipts"]:
            return evolve(before, receipts=False)
        case ["wants", "no", "texts"]:
            return evolve(before, wanted=False)
        case ["refuses", *_]:
            hint = f"write `refuses transfers`, or `{FORMS['refuses']}`"
            raise lines.wrong(f"`{line}` cannot be read here", hint, word=line)
        case [verb, *_]:
            raise lines.wrong(f"`{line}` cannot be read here", f"write `{FORMS[verb]}`", word=line)
    raise AssertionError(line)


def _text(lines: Lines, line: str) -> TextLine:
    found = lines.match(rf"texts\s+{TEXT}\s+{TEXT}(?:\s+(after|at)\s+(\S+))?", line, FORMS["texts"])
    time = lines.seconds(found[4]) if found[4] else 0.0
    number, text = lines.unquoted(found[1]), lines.unquoted(found[2])
    return TextLine(number, text, 0.0, time) if found[3] == "at" else TextLine(number, text, time)


def _reply(lines: Lines, line: str) -> ReplyLine:
    pattern = rf"replies\s+{TEXT}(\s+to\s+each)?(?:\s+when\s+{TEXT}\s+comes)?(?:\s+after\s+(\S+))?"
    found = lines.match(pattern, line, FORMS["replies"])
    to = lines.unquoted(found[3]) if found[3] else ""
    after = lines.seconds(found[4]) if found[4] else 0.0
    return ReplyLine(lines.unquoted(found[1]), after, to, bool(found[2]))


def texted(lines: Lines, number: str, texting: Texting) -> Texting:
    """Give *texting* of the phone *number*.  Raises ScriptError where it cannot be that phone's."""
    if texting.texts and number == "*":
        raise lines.wrong("a phone that texts has a number", 'write e.g. `phone "+15125551234" {`')
    return texting
