"""Golden cases as values: what is given to a script, and the trace that must come out.

A case is one text file; `case_reader` reads it, and docs/testing.md has its form.  Everything is
seconds, counted from the beginning of the run where nothing else is said.
"""

from decimal import Decimal
from pathlib import Path
from typing import Literal

from attrs import define, field, frozen

from ringful.grammar.showing.expressions import show_duration
from ringful.interpreter import events
from ringful.interpreter.money.rates import Rate
from ringful.interpreter.sources import Source
from ringful.interpreter.values import Value
from ringful.simulation.cases.texting import NOTHING, Texting

ENDING = ".golden"
SHARED = "shared.given"
"""A file of this name holds what is given to every case in its folder."""
START = 1_767_225_600.0
"""Cases begin at 2026-01-01T00:00:00Z, where they do not say otherwise."""
RULE = "---"
"""The line between what is given and what must come out."""


@frozen
class Heard:
    """A moment of a sound: when one whose name contains *sound* starts or ends, the *turn*-th time."""

    sound: str
    edge: Literal["starts", "ends"]
    turn: int = 1


@frozen
class StepLine:
    """A line of a phone: a *verb* with its *arguments*, and when it is done."""

    verb: str
    arguments: tuple[str, ...] = ()
    after: float = 0.0
    when: Heard | None = None
    """What it waits for first; None: the step before."""
    at: float | None = None
    """The time since the beginning, instead of *after* and *when*."""
    gap: float | None = None
    """Seconds between the keys of one line."""
    line: int = field(default=0, eq=False)
    said: str = field(default="", eq=False)
    """Where it stands in the case's own file, and as what."""


@frozen
class PhoneBlock:
    """What one phone does; ``*`` is every number that has no phone of its own."""

    number: str
    steps: tuple[StepLine, ...] = ()
    calls: str | None = None
    """The number of ours that it calls, so many seconds *after* the beginning; None: we ring it."""
    after: float = 0.0
    transferable: bool = True
    """Whether it lets itself be sent to another number."""
    texting: Texting = NOTHING
    name: str = ""
    """What it is called, where it calls."""
    diverted_from: str = ""
    """The number that sends its call on to ours."""
    line: int = field(default=0, eq=False)
    """Where it stands in the case's own file; 0: in none."""


@frozen
class SmsAnswer:
    """What is said to the next message to *number* (``*``: to any): it is taken, or refused for *reason*."""

    number: str
    reason: events.RefusedMessage | None = None
    detail: str = ""


@frozen
class WebAnswer:
    """What the web says to the next question at *url*; *fails* is the reason where it says nothing."""

    url: str
    value: Value = None
    fails: str | None = None
    after: float | None = 0.0
    """None: it never answers."""


@frozen
class BadRecording:
    """Every recording fails for *reason*, so long *after* it has begun."""

    reason: str
    after: float = 0.0


Fault = Literal[
    "hang up",
    "now hangup",
    "now leave",
    "lose",
    "press",
    "playback fails",
    "recording fails",
    "busy",
    "silent",
    "unreachable",
    "web fails",
    "web never answers",
    "web answers",
    "fetch fails",
    "message refused",
    "message fails",
    "receipt lost",
]
"""What can be put in: what begins with ``now`` is the API's, ``hang up`` the far end's."""


@frozen
class Injection:
    """Something that goes wrong, or a key that is pressed, although the case does not say so."""

    what: Fault
    step: int
    """After how many steps of the simulated world."""
    leg: str = ""
    tone: str = ""
    value: str = ""
    """What the web answers, as JSON."""
    at: float | None = None
    """So many seconds after the beginning, instead of a *step*."""

    def __str__(self) -> str:
        said = f' "{self.tone}"' if self.tone else f" {self.value}" if self.value else ""
        when = f"step {self.step}" if self.at is None else show_duration(round(self.at * 1000))
        return f"inject {self.what}{said}{f' on {self.leg}' if self.leg else ''} at {when}"


@frozen
class Promise:
    """What must be in the trace of every run of a case, or, where it is *never* to be, in none."""

    never: bool
    verb: str
    """The trace's word: ``post``, ``say`` …"""
    text: str = ""
    """A part of what stands behind it."""

    def __str__(self) -> str:
        said = f' "{self.text}"' if self.text else ""
        return f"{'never' if self.never else 'always'} {self.verb}{said}"


@define
class Case:
    """A case as it is written."""

    path: Path
    above: str
    below: str
    source: Source
    title: str
    params: dict[str, Value] = field(factory=dict)
    lengths: dict[str, float] = field(factory=dict)
    missing: dict[str, str] = field(factory=dict)
    bad_recording: BadRecording | None = None
    web: list[WebAnswer] = field(factory=list)
    sms: list[SmsAnswer] = field(factory=list)
    phones: list[PhoneBlock] = field(factory=list)
    requests: list[tuple[float, events.Event]] = field(factory=list)
    """What comes in through the API: after so many seconds, and what."""
    elsewhere: list[tuple[float, str, events.Event]] = field(factory=list)
    """The same for another run than the first: a conference, or a further call."""
    injections: list[Injection] = field(factory=list)
    promises: list[Promise] = field(factory=list)
    rates: list[Rate] = field(factory=list)
    """What legs cost; none: nothing."""
    cap: Decimal | None = None
    """What their key may spend on them."""
    clock: float = START
    """When it begins, in Unix seconds."""
    chance: str = ""
    """What chance comes from; empty: from the call's ID."""
    unchecked: bool = False
    """The script runs although the checker finds errors in it."""

    lines: dict[tuple[str, str], int] = field(factory=dict, eq=False)
    """Where the case's own file gives what: the word of the line, and what it names."""

    def rewritten(self, trace: str) -> str:
        """Give the file's text with *trace* as what must come out."""
        return f"{self.above.rstrip()}\n{RULE}\n{trace}"
