"""Child processes that outlast a signal to the whole group, as systemd and terminals send it.

The server ends its calls properly when it is told to end, and needs its children until then; they end
with it all the same, each in its own way.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

SPARED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""What is for the server alone."""
SPARE = ("/bin/sh", "-c", 'trap "" TERM INT HUP; exec "$@"', "sh")
"""Before a program's own command: it is started with those signals ignored."""


@contextmanager
def spared() -> Iterator[None]:
    """Start what is started here, in this thread, with those signals blocked from its first instruction on.

    It should ignore them as soon as it can (`ignore`), and then they are as if they had never come.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SPARED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ignore() -> None:
    """Ignore those signals from now on, those too that came while they were blocked."""
    for one in SPARED:
        signal.signal(one, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SPARED)
