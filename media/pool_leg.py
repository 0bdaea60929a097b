"""A leg of the pool, or a room, which is one that nobody rings: what is open on it, and that it ends.

State, and nothing that acts: the pool changes it and tells what comes of that.
"""

from collections.abc import Iterator
from pathlib import Path

import trio
from attrs import define, field

from ringful.ground.faults import fault
from ringful.media import port, wav
from ringful.media.seats import Line
from ringful.media.trunks import Trunk
from ringful.media.ways import Target
from ringful.media.worker_process import WorkerProcess


@define(eq=False)
class PoolLeg:
    """A leg, and what has been ordered on it and has not ended."""

    name: str
    sink: port.Sink
    number: str = ""
    caller_id: str | None = None
    shown: port.Shown = port.PLAINLY
    """What else its far end is shown of who calls."""
    inbound: bool = False
    worker: WorkerProcess | None = None
    voice: Line | None = None
    """Of a room: where its orders go, in whichever worker that ends."""
    answered: bool = False
    over: bool = False
    cancelled: bool = False
    tries: int = 0
    trunk: Trunk | None = None
    """What it goes by, or came by; None: by none, as a ``sip:`` URI does."""
    others: tuple[Trunk, ...] = ()
    """What it can go by where that one does not take it."""
    targets: list[Target] = field(factory=list)
    """The places of that trunk which have not been tried, the one that it is rung at in front."""
    rang: bool = False
    playbacks: dict[int, str] = field(factory=dict)
    """Open playbacks: ``fetching``, ``sent``, or ``stopped`` while it was fetched."""
    cues: set[int] = field(factory=set)
    recordings: dict[int, Path] = field(factory=dict)
    sendings: set[int] = field(factory=set)
    transfers: set[int] = field(factory=set)
    muted: bool = False
    latest: trio.Event | None = None
    """Set when the latest foreground order has reached the worker: the next one waits for it."""

    @property
    def line(self) -> Line | None:
        """Where orders go; None while no worker has it."""
        return self.voice or self.worker

    @property
    def is_in_turn(self) -> bool:
        """Whether every foreground order has reached the worker: the next one may go at once."""
        return self.latest is None or self.latest.is_set()

    def take_turn(self) -> tuple[trio.Event | None, trio.Event]:
        """Give what a foreground order waits for, and what it sets: trio starts tasks in no order."""
        before, self.latest = self.latest, trio.Event()
        return before, self.latest

    def note(self, event: port.Event) -> None:
        """Take it that *event* ends what was ordered, if it does."""
        match event:
            case port.Ringing():
                self.rang = True
            case port.Answered():
                self.answered = True
            case port.PlaybackEnded(_, playback) | port.PlaybackFailed(_, playback):
                self.playbacks.pop(playback, None)
            case port.RecordingEnded(_, recording) | port.RecordingFailed(_, recording):
                self.recordings.pop(recording, None)
            case port.TonesSent(_, sending):
                self.sendings.discard(sending)
            case port.Transferred(_, transfer) | port.TransferFailed(_, transfer):
                self.transfers.discard(transfer)
            case _:
                pass

    def ends(self, *, died: bool) -> Iterator[port.Event]:
        """Give the ends of everything that is open; *died*: its worker, which knew of all."""
        for transfer in self.transfers:
            yield port.TransferFailed(self.name, transfer, "hangup")
        for playback in self.playbacks:
            yield port.PlaybackEnded(self.name, playback, "hangup")
        yield from self.recordings_lost("the media process died" if died else "the call ended")
        for sending in self.sendings:
            yield port.TonesSent(self.name, sending, sent=False)

    def recordings_lost(self, what: str) -> Iterator[port.Event]:
        """Give the ends of the recordings, which nobody goes on with because of *what*."""
        for recording, path in self.recordings.items():
            yield _rescued(self.name, recording, path, what)


def _rescued(leg: str, recording: int, path: Path, what: str) -> port.Event:
    """Tell the end of a recording whose worker cannot, because of *what*."""
    try:
        found = wav.repair(path)
    except OSError as error:
        return port.RecordingFailed(leg, recording, str(error))
    except Exception as error:
        return port.RecordingFailed(leg, recording, fault("mending a recording", error, call=leg))
    if found is None:
        return port.RecordingFailed(leg, recording, f"{what} before anything was recorded")
    return port.RecordingEnded(leg, recording, "lost", *found)
