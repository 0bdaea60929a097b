"""Which seqs of a key may still be used.

A seq is a positive integer that works once.  It need not come in order, so that several clients can
work side by side, but it must be above the newest one that was used minus `WINDOW`: what lies lower
counts as used, and so nothing of it need be remembered.

A request reserves its seq, and then either commits it, when what it did is durable, or releases it,
when it is refused: a refused request has changed nothing, its seq included.  Only what is committed
moves the window, so a request that comes to nothing never pushes another one's seq out of it.

Each secret of a key has its own seqs: what was signed with one says nothing to another.
"""

from collections.abc import Iterable, Sequence

from ringful.store.port import Key

WINDOW = 1024


def seqs_of(key: Key, generation: int | None = None) -> str:
    """Give the name under which the used seqs of *key* are kept: those of one secret (the present one)."""
    number = key.generation if generation is None else generation
    return f"{key.key}.{number}" if number else key.key


def accepted(key: Key, now: float) -> Sequence[tuple[str, str]]:
    """Give the secrets that hold at *now*, the present one first, each with the name of its seqs."""
    found = [(key.secret, seqs_of(key))]
    if key.old_secret is not None and key.old_until is not None and now < key.old_until:
        found.append((key.old_secret, seqs_of(key, key.generation - 1)))
    return found


class SeqUsed(Exception):
    """The seq was used, or lies below the window; the message says which, and what would do."""


class SeqWindow:
    """The seqs of one key: *used* are those that the store knows."""

    def __init__(self, used: Iterable[int] = ()) -> None:
        self._used = set(used)
        self._reserved: set[int] = set()
        self.newest = max(self._used, default=0)
        """The highest seq that was used, 0 before the first."""

    def reserve(self, seq: int) -> None:
        """Take *seq* for a request.  Raises SeqUsed, and ValueError where it is not positive."""
        if seq < 1:
            raise ValueError(f"seq must be a positive integer, not {seq}")
        if seq <= self.newest - WINDOW:
            raise SeqUsed(
                f"seq {seq} is too old: it must be above {self.newest - WINDOW}, "
                f"which is {WINDOW} below the newest one used; use {self.newest + 1} or higher"
            )
        if seq in self._used:
            raise SeqUsed(f"seq {seq} was used before; use {self.newest + 1} or higher")
        if seq in self._reserved:
            raise SeqUsed(f"seq {seq} is taken by another request; use each seq once")
        self._reserved.add(seq)

    def release(self, seq: int) -> None:
        """Give *seq* back: the request that reserved it was refused."""
        self._reserved.remove(seq)

    def commit(self, seq: int) -> None:
        """Count *seq*, which was reserved, as used."""
        self._reserved.remove(seq)
        self._used.add(seq)
        self.newest = max(self.newest, seq)
        if len(self._used) > 2 * WINDOW:
            self._used = {known for known in self._used if known > self.newest - WINDOW}
