"""Listen for clients, and serve each one's connection.

No more of them are open at a time than may be, whoever opens them: calls need descriptors too.  One that
comes beyond that takes the place of the one whose client has been silent for longest, of those that wait
for theirs: who opens many and asks nothing pushes out his own.  Where none waits for its client, the new
one is refused.
"""

import errno
import math
import socket
from collections.abc import Awaitable, Callable

import structlog
import trio
from attrs import define, field

from ringful.http.connection import Answering, Connection, turn_away

log = structlog.get_logger()

LOOK_SECONDS = 1.0
"""How often it is seen whether a connection has waited for too long."""
GRACE_SECONDS = 3.0
"""How long answers that are under way may take when the server ends."""

_BACKLOG = 1024
_AT_ONCE = 100
"""So many are taken before others have their turn."""
_TOO_MANY = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
"""Why no connection can be taken for now."""


@define(eq=False)
class _Connections:
    """Those that are open, no more than *most*."""

    app: Answering
    most: int
    open: set[Connection] = field(factory=set)
    _crowded: bool = False
    """Whether it was told in the log that there are as many as may be."""

    def make_room(self) -> bool:
        """See to it that there is room for another one; False where there is none."""
        if len(self.open) < self.most:
            return True
        if not self._crowded:
            self._crowded = True
            log.warning("as many connections are open as may be", connections=self.most)
        waiting = sorted((one for one in self.open if one.due != math.inf), key=lambda one: one.since)
        first = next((one for one in waiting if not one.is_unread()), None)
        if first is None:
            return False
        self.open.discard(first)
        first.give_way()
        self.app.gave_way()
        return True

    def added(self, taken: socket.socket, peer: str) -> Connection:
        """Add the connection of a socket that was *taken*."""
        taken.setblocking(False)
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(self.app, taken, peer)
        self.open.add(connection)
        return connection

    def look(self, now: float) -> None:
        """End those that are not worth waiting for."""
        for connection in self.open:
            if connection.is_given_up(now):
                connection.scope.cancel()
        self._crowded = self._crowded and len(self.open) > self.most // 2


async def serve(
    app: Answering,
    bind: str,
    shutdown: Callable[[], Awaitable[None]],
    *,
    most: int,
    task_status: "trio.TaskStatus[list[str]]" = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve *app* on *bind* (``127.0.0.1:0`` takes any port) until *shutdown* returns.

    No more than *most* connections are open at a time.

    Started with `nursery.start`, it gives the URLs that it listens on.  Raises OSError where it cannot.
    """
    connections = _Connections(app, most)
    with _listen(bind) as listener:
        host, port = listener.getsockname()[:2]
        async with trio.open_nursery() as nursery:
            async with trio.open_nursery() as taking:
                taking.start_soon(_take, listener, nursery, connections)
                taking.start_soon(_look, connections)
                task_status.started([f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"])
                await shutdown()
                taking.cancel_scope.cancel()
            listener.close()
            for connection in tuple(connections.open):
                connection.end()
            nursery.cancel_scope.deadline = trio.current_time() + GRACE_SECONDS


def _listen(bind: str) -> socket.socket:
    """Listen on *bind*.  Raises OSError."""
    host, _, port = bind.rpartition(":")
    host = host.strip("[]")
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, int(port)))
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


async def _take(listener: socket.socket, nursery: trio.Nursery, connections: _Connections) -> None:
    """Take every client that comes: many at each round of the loop, which is long where much is done."""
    while True:
        await trio.lowlevel.wait_readable(listener)
        try:
            for _ in range(_AT_ONCE):
                taken, address = listener.accept()
                if connections.make_room():
                    nursery.start_soon(_serve, connections.added(taken, address[0]), connections)
                else:
                    turn_away(connections.app, taken)
        except BlockingIOError:
            pass  # There are no more.
        except OSError as error:  # It went away again, as a rule.
            if error.errno in _TOO_MANY:
                log.error("no client's connection can be taken", why=str(error))
                await trio.sleep(LOOK_SECONDS)


async def _serve(connection: Connection, connections: _Connections) -> None:
    try:
        await connection.run()
    finally:
        connections.open.discard(connection)


async def _look(connections: _Connections) -> None:
    while True:
        await trio.sleep(LOOK_SECONDS)
        connections.look(trio.current_time())
