"""What a statement may ask of the run that it is in, and of the place where it stands.

The run and its executor keep to these, and what a statement means is said in their terms alone.  So
meanings stand below the run, which is made of them, and no module has to know one that knows it.
"""

from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Literal, Protocol

from attrs import frozen

from ringful.grammar import nodes
from ringful.grammar.span import Span
from ringful.interpreter import effects
from ringful.interpreter.conference import Conference
from ringful.interpreter.events import Signalled, Started
from ringful.interpreter.leg import EventHandler, Handling, Leg, ToneHandler
from ringful.interpreter.secrets import Secrets
from ringful.interpreter.settings import Settings
from ringful.interpreter.strand import Signal, Strand, Wait
from ringful.interpreter.task import Task, TaskState
from ringful.interpreter.values import Value
from ringful.media import port


@frozen
class Sending:
    """A message that a run wants to send, until the house has said whether it takes it."""

    number: str
    notify: str | None = None


Watch = Callable[[nodes.Statement, str], None]
"""Told each statement as it begins (with no way), and which way is taken where there are several."""


class Doings(Protocol):
    """How a run acts, and what it writes down."""

    def perform(self, effect: effects.Effect) -> None:
        """Journal *effect* and let it out."""

    def tell(
        self,
        url: str | None,
        action: str | None,
        call_id: str,
        secret: frozenset[str] = frozenset(),
        /,
        **fields: str,
    ) -> None:
        """Post a callback to *url* (None: nobody wants to know); traces mask its fields *secret*."""

    def note(self, name: str, leg: Leg | None, data: Mapping[str, object]) -> None:
        """Journal what came of a statement on *leg*, or on none."""

    def note_failure(self, what: Literal["play", "record", "sms"], why: str) -> None:
        """Remember that something could not be played, recorded or sent."""

    def take_way(self, statement: nodes.Statement, way: str) -> None:
        """Tell whoever watches that the run goes on from *statement* by *way* (see `grammar.branches`)."""

    def set_timer(self, seconds: float, action: Callable[[], None] | None = None) -> int:
        """Set a timer; when it fires, *action* is done, or the strand that waits for it goes on."""

    def cancel_timer(self, timer: int) -> None:
        """Forget *timer*, unless it has fired."""

    def is_set(self, timer: int) -> bool:
        """Say whether *timer* has neither fired nor been cancelled."""

    def next_asking(self) -> int:
        """Number a question to the web."""


class Strands(Protocol):
    """What runs side by side within a run."""

    strands: list[Strand]

    def spawn(self, leg: Leg | None, coroutine: Coroutine[Wait, Signal, None]) -> Strand:
        """Make a strand of *coroutine*; it starts when the present one waits."""

    def begin_block(self, leg: Leg | None, block: nodes.Block, names: dict[str, Value]) -> None:
        """Run *block* on *leg*, or on none, as a strand of its own."""

    def advance(self, strand: Strand, signal: Signal | None) -> None:
        """Let *strand* go on with *signal*."""

    def signal(self, signal: Signal) -> bool:
        """Give *signal* to the first strand that waits for it; say whether there was one."""

    def announce(self, signal: Signal) -> None:
        """Give *signal* to every strand that waits for it."""


class Legs(Protocol):
    """The legs of a run."""

    legs: dict[str, Leg]
    subject: Leg | None
    """The script's own leg; None where it has none."""
    over: list[Leg]
    """The legs that are over, and of which nobody has taken note yet; never a room."""

    def new_leg(self, call: nodes.Call, name: str, names: dict[str, Value], number: str | None = None) -> Leg:
        """Make the leg that *call* asks for, to *number* (None: to its own one).  Raises Fault."""

    def until_turn(self) -> float:
        """Take the next turn to place a further leg; give how many seconds it is off."""

    def hear(self, event: port.Event) -> None:
        """Take an event of a leg, unless that leg is over."""

    def close(self, leg: Leg, why: str, *, order: bool = True, by: effects.Reject | None = None) -> None:
        """Make the end of *leg* certain: end its strands and, with *order*, hang it up (or do *by*)."""

    def price(self, leg: Leg) -> Decimal:
        """What *leg* costs."""

    def cut_farewell(self) -> None:
        """End what ``on hangup`` still does."""


class Queue(Protocol):
    """What is queued on a run."""

    tasks: list[Task]

    @property
    def waiting(self) -> list[Task]:
        """The tasks that wait for their turn, in their order."""

    def next_task(self) -> Task | None:
        """Give the first task that waits for its turn."""

    def settle(self, task: Task, state: TaskState, detail: str = "") -> None:
        """Give *task* its one outcome, and tell it."""


class Running(Doings, Strands, Legs, Queue, Protocol):
    """A run, as statements and events see it."""

    started: Started
    call_id: str
    script: nodes.Script
    settings: Settings
    secrets: Secrets
    names: dict[str, Value]
    conference: Conference | None
    """What is known of the conference that it is; None: it is none."""
    conferences: dict[str, str | None]
    """The conferences that it has made, each with the number of its moderator."""
    event_handlers: list[EventHandler]
    """The ``on event`` that are in force."""
    unheard: list[Signalled]
    """Events that came before anybody waited for them."""
    signals: int
    """How many events it has sent."""
    sendings: dict[str, Sending]
    """The messages that nobody has said of whether they are taken, by their IDs."""
    now: float
    position: Span
    steps: int
    chances: int
    """How often something was left to chance."""
    watch: Watch | None

    def new_id(self, word: str) -> str:
        """Give an ID that ends with *word* to a leg or a conference: nothing else of this run has it."""

    @property
    def duration(self) -> int | None:
        """The started seconds that the subject was up, or None while it never was."""


class Scope(Protocol):
    """The place where a statement stands: its run, its leg, the names that it finds."""

    run: Running
    leg: Leg | None
    names: dict[str, Value]
    flows: dict[str, nodes.Flow]
    depth: int
    """How many flows it is within."""
    handling: Handling | None
    """The handler that it is part of."""
    statement: nodes.Statement | None
    """The one that is being done."""
    listening: list[EventHandler | ToneHandler]
    """The ``on event`` and ``on tone`` that were met in it and are in force."""

    async def wait(
        self,
        wants: Callable[[Signal], bool],
        *,
        tones: str | None = None,
        misfires: bool = False,
        on_queued: Callable[[], None] | None = None,
    ) -> Signal:
        """Wait for the first signal that is wanted; see `strand.Wait`."""
        ...

    async def within(
        self,
        seconds: float | None,
        wants: Callable[[Signal], bool],
        *,
        tones: str | None = None,
        misfires: bool = False,
        on_queued: Callable[[], None] | None = None,
    ) -> Signal | None:
        """Wait as `wait` does, but for *seconds* at most; None when they have passed."""
        ...

    def need_leg(self) -> Leg:
        """Give the leg that a media statement needs.  Raises Fault where there is none."""
        ...

    def on(self, leg: Leg | None, names: dict[str, Value], *, deeper: int = 0) -> "Scope":
        """Give a place within the same flows, on *leg* and with *names*."""
        ...

    async def body(self, block: nodes.Block) -> None:
        """Run a block that stands for itself: a strand's."""

    async def block(self, block: nodes.Block) -> None:
        """Run the statements of *block* in order; its tone handlers end with it."""

    async def perform(self, statement: nodes.Statement) -> str:
        """Execute *statement*; return why it failed, or nothing where it did not."""
        ...

    def ahead(self, following: Callable[[], tuple[nodes.Statement, ...]]) -> AbstractContextManager[None]:
        """Say what follows while the context lasts, for looking ahead."""
        ...

    def upcoming(self) -> tuple[nodes.Statement, ...]:
        """Give the statements that follow the present one, as far as that is certain."""
        ...

    def queued(self) -> tuple[nodes.Statement, ...]:
        """Give the statements that wait in the queue."""
        ...

    def look_ahead(self) -> None:
        """Have the next sound of this leg fetched before its turn."""
