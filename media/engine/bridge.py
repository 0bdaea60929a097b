"""Who hears whom: the connections in the library's bridge between two parties.

A party is a call of this process, or a link to one in another process.  Connections are made anew
whenever a party's media changes, since the library forgets them then; making one twice does no harm.
"""

from typing import Any, Protocol


class Party(Protocol):
    """One of two that hear each other."""

    muted: bool
    """What comes from it goes nowhere."""

    @property
    def voice(self) -> Any:
        """The port that its sound comes from; None while it has none."""
        ...

    @property
    def ears(self) -> list[Any]:
        """The ports that are to hear the other: its own, and those that record it."""
        ...


def carry(source: Party, sink: Party) -> None:
    """Let *sink* hear *source*, unless that is muted."""
    if source.voice is not None and not source.muted:
        for ear in sink.ears:
            source.voice.startTransmit(ear)


def cut(source: Party, sink: Party) -> None:
    """Let *sink* hear *source* no longer."""
    if source.voice is not None:
        for ear in sink.ears:
            source.voice.stopTransmit(ear)
