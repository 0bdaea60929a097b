"""How far something long is, on the error output: on a terminal in one line, elsewhere now and then."""

import time
from collections.abc import Callable
from typing import TextIO

from attrs import define, field

SECONDS = 10.0
"""Where it is no terminal, a line comes so often."""


@define
class Progress:
    """Tells on *stream*; `clear` takes the line away again."""

    stream: TextIO
    clock: Callable[[], float] = time.monotonic
    _told: float = field(init=False)
    _shown: bool = False

    def __attrs_post_init__(self) -> None:
        self._told = self.clock()

    def tell(self, said: str) -> None:
        """Say how far it is."""
        if self.stream.isatty():
            self.stream.write(f"\r{said}\x1b[K")
            self._shown = True
        elif self.clock() - self._told >= SECONDS:
            self._told = self.clock()
            self.stream.write(f"{said}\n")
        self.stream.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            self.stream.write("\r\x1b[K")
            self.stream.flush()
