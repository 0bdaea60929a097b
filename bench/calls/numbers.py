"""Numbers that are each used once, by all processes of a customer: one counts on from what another used.

A server takes a number late only by so many, so that clocks will not do for processes that ask side by side.
"""

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

_COUNT = struct.Struct("<Q")


@frozen
class Numbers:
    """A count that is kept in an open file."""

    handle: int

    def next(self) -> int:
        """Give the next number, 1 first."""
        fcntl.lockf(self.handle, fcntl.LOCK_EX)
        try:
            (used,) = _COUNT.unpack(os.pread(self.handle, _COUNT.size, 0) or _COUNT.pack(0))
            os.pwrite(self.handle, _COUNT.pack(used + 1), 0)
        finally:
            fcntl.lockf(self.handle, fcntl.LOCK_UN)
        return int(used) + 1


@contextmanager
def open_numbers(file: Path) -> Iterator[Numbers]:
    """Give the numbers that are counted in *file*."""
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield Numbers(handle)
    finally:
        os.close(handle)
