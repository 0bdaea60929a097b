"""The buses: sound that all workers share, so that legs hear each other wherever they live.

A bus is a row of seats in memory, one for each leg that speaks on it.  On tick *n* of the machine's
clock a leg writes the 20 ms that it heard into its seat; on tick *n* + 1 each worker adds up all seats
that were written on *n*, and gives each of its legs the sum less its own.  A seat that nobody writes
is silent, so a worker that dies just leaves empty seats.  The memory has no name and goes with the
last process that holds it.

The layout is that of ``engine/bus.h``, and a test holds the two equal.  Who sits where is the pool's
to say: it gives no seat away before the leg that had it has left it, or its worker has died.
"""

import os

SEATS = 256
"""Seats of a bus."""
TURNS = 4
"""Ticks for which what was written into a seat stays there."""
SAMPLES = 160
"""Samples of a tick: 20 ms at 8 kHz."""
HEAD_BYTES = 64
"""The bus's head: a 32-bit count of the seats that were ever taken, and room."""
SEAT_BYTES = 1344
"""A seat: the number of the tick for each turn (64 bits), the samples of each (16 bits), whom they are for
(32 bits), and room."""
TO_OFFSET = 8 * TURNS + 2 * TURNS * SAMPLES
"""Where in a seat it stands whom the samples of each turn are for: a sitting (`seats`), 0: all on the bus."""
BUS_BYTES = 85 * 4096
"""A bus: its head and its seats, in whole pages."""


def shared_memory(buses: int) -> int:
    """Make memory for *buses* buses; give its file descriptor.  Pages that nobody touches cost nothing."""
    made = os.memfd_create("ringful buses", os.MFD_CLOEXEC)
    os.ftruncate(made, buses * BUS_BYTES)
    return made
