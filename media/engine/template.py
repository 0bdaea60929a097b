"""The process that media workers are forked from: it has imported everything, and begun nothing.

``python -m ringful.media.engine.template FD``.  A message with two descriptors orders a worker: its
socket to the node, and the memory of the buses; the message is its configuration.  The answer is its
process ID, with a descriptor of the process, or why there is none.  This process has one thread, and
nothing of the library is begun in it, so that a fork of it is as good as a new one.

When the node is gone, the workers see that by their own sockets and end.  Those that do not, since
they hang, are ended by this process, which ends last.
"""

import gc
import json
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from traceback import print_exc
from typing import Any, NoReturn

from ringful.ground.children import ignore
from ringful.media.engine import worker

GRACE_SECONDS = 5.0
"""How long workers have to end by themselves when the node is gone."""


class Template:
    """The socket to the node, and the workers that have been forked and live."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._live: list[int] = []

    def run(self) -> None:
        """Fork workers until the node is gone."""
        while True:
            try:
                order, descriptors, _, _ = socket.recv_fds(self._control, 1 << 20, 2)
            except ConnectionResetError:
                return
            if not order:
                return
            self._live = [one for one in self._live if not _ended(one, 0)]
            connection, buses = descriptors
            answer, process = self._fork(json.loads(order), connection, buses)
            for descriptor in descriptors:
                os.close(descriptor)
            with suppress(BrokenPipeError):
                socket.send_fds(self._control, [json.dumps(answer).encode()], process)
            self._live += process

    def _fork(self, config: dict[str, Any], connection: int, buses: int) -> tuple[dict[str, Any], list[int]]:
        # A child that ends at once is to be there until it has its descriptor, and then to leave no zombie.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        try:
            pid = os.fork()
            if pid == 0:
                self._be_worker(config, connection, buses)
            process = os.pidfd_open(pid)
        except OSError as error:
            return {"reason": f"no process can be started: {error}"}, []
        finally:
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG) != (0, 0):
                    pass
        return {"pid": pid}, [process]

    def _be_worker(self, config: dict[str, Any], connection: int, buses: int) -> NoReturn:
        try:
            _call_it("ringful-worker")
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._control.close()
            for descriptor in self._live:
                os.close(descriptor)
            worker.work(socket.socket(fileno=connection), config, buses)
        except BaseException:
            print_exc()
        finally:
            os._exit(1)

    def end_workers(self) -> None:
        """Wait until all workers have ended, and end those that do not."""
        until = time.monotonic() + GRACE_SECONDS
        for process in self._live:
            if not _ended(process, max(0.0, until - time.monotonic())):
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(process, signal.SIGKILL)


def _ended(process: int, seconds: float) -> bool:
    """Wait so long for the end of a process; its descriptor is closed with that."""
    waiting = select.poll()
    waiting.register(process, select.POLLIN)
    if not waiting.poll(seconds * 1000):
        return False
    os.close(process)
    return True


def _call_it(name: str) -> None:
    """Have `ps` and `top` show this process as *name*."""
    with suppress(OSError):
        Path("/proc/self/comm").write_text(name)


def main() -> None:
    """Run a template."""
    _call_it("ringful-media")
    # To end is for the node to say.
    ignore()
    control = socket.socket(fileno=int(sys.argv[1]))
    worker.warm()
    gc.collect()
    gc.freeze()
    template = Template(control)
    template.run()
    template.end_workers()
    os._exit(0)


if __name__ == "__main__":
    main()
