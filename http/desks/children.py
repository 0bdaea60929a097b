"""Simulations for clients, each in a process of its own.

The server sends one JSON document and reads one.  It does not load what simulates: that takes memory, and
only the child (`desks.simulator`) needs it.
"""

import json
import sys

import trio

from ringful.http.desks.simulate import Order, Simulated
from ringful.interpreter.journal import keep

CPU_SECONDS = 5
WALL_SECONDS = 20.0
TOO_LARGE = 3
"""The child's exit code where its memory did not do."""


async def simulate(order: Order) -> Simulated:
    """Run *order* in a child.  Raises TimeoutError, MemoryError."""
    sent = {
        "case": order.case,
        "name": order.source.name,
        "text": order.source.text,
        "uses": {path: used.text for path, used in order.source.uses.items()},
        "params": {name: keep(value) for name, value in order.params.items()},
    }
    command = [sys.executable, "-m", "ringful.http.desks.simulator"]
    with trio.move_on_after(WALL_SECONDS) as patience:
        done = await trio.run_process(
            command,
            stdin=json.dumps(sent).encode(),
            capture_stdout=True,
            capture_stderr=True,
            check=False,
        )
    if patience.cancelled_caught or done.returncode < 0:
        raise TimeoutError(f"it takes more than {CPU_SECONDS} s to compute")
    if done.returncode == TOO_LARGE:
        raise MemoryError("it takes more memory than a simulation may have")
    if done.returncode:
        raise RuntimeError(f"a simulation broke down: {done.stderr.decode(errors='replace')[-2000:]}")
    return Simulated(**json.loads(done.stdout))
