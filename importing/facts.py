"""What happens on a call that goes through all of a script: the stuff of its case."""

from typing import TypeAlias

from attrs import frozen


@frozen
class Heard:
    """The end of a sound whose URL or text holds *sound*: what a caller waits for."""

    sound: str


@frozen
class Press:
    """The caller presses *keys*."""

    keys: str
    when: Heard | None


@frozen
class Speak:
    """The caller speaks, into a recording."""

    seconds: int
    when: Heard | None


@frozen
class Stay:
    """The caller is in a place that only a hang-up ends."""


@frozen
class Rung:
    """A phone that is called."""

    number: str


@frozen
class Web:
    """The application is asked at *url*; *answer* is JSON, None a script."""

    url: str
    answer: str | None


Fact: TypeAlias = Press | Speak | Stay | Rung | Web
