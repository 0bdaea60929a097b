"""Listen for clients, and serve each one's connection."""

import errno
import socket
from collections.abc import Awaitable, Callable

import structlog
import trio

from ringful.http.connection import Answering, Connection

log = structlog.get_logger()

LOOK_SECONDS = 1.0
"""How often it is seen whether a connection has waited for too long."""
GRACE_SECONDS = 3.0
"""How long answers that are under way may take when the server ends."""

_BACKLOG = 1024
_TOO_MANY = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
"""Why no connection can be taken for now."""


async def serve(
    app: Answering,
    bind: str,
    shutdown: Callable[[], Awaitable[None]],
    *,
    task_status: "trio.TaskStatus[list[str]]" = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve *app* on *bind* (``127.0.0.1:0`` takes any port) until *shutdown* returns.

    Started with `nursery.start`, it gives the URLs that it listens on.  Raises OSError where it cannot.
    """
    connections: set[Connection] = set()
    with _listen(bind) as listener:
        host, port = listener.getsockname()[:2]
        async with trio.open_nursery() as nursery:
            async with trio.open_nursery() as taking:
                taking.start_soon(_take, app, listener, nursery, connections)
                taking.start_soon(_give_up, connections)
                task_status.started([f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"])
                await shutdown()
                taking.cancel_scope.cancel()
            listener.close()
            for connection in tuple(connections):
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


async def _take(
    app: Answering, listener: socket.socket, nursery: trio.Nursery, connections: set[Connection]
) -> None:
    """Take every client that comes."""
    while True:
        await trio.lowlevel.wait_readable(listener)
        try:
            taken, address = listener.accept()
        except OSError as error:  # It went away again, as a rule.
            if error.errno in _TOO_MANY:
                log.error("no client's connection can be taken", why=str(error))
                await trio.sleep(LOOK_SECONDS)
            continue
        taken.setblocking(False)
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(app, taken, address[0])
        connections.add(connection)
        nursery.start_soon(_serve, connection, connections)


async def _serve(connection: Connection, connections: set[Connection]) -> None:
    try:
        await connection.run()
    finally:
        connections.discard(connection)


async def _give_up(connections: set[Connection]) -> None:
    """End the connections that are not worth waiting for."""
    while True:
        await trio.sleep(LOOK_SECONDS)
        now = trio.current_time()
        for connection in tuple(connections):
            if connection.is_given_up(now):
                connection.scope.cancel()
