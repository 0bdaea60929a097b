"""Serve the application on hypercorn, under trio."""

import logging
from collections.abc import Awaitable, Callable
from functools import partial

import hypercorn.trio
import hypercorn.trio.run
import trio
from hypercorn.config import Config
from quart_trio import QuartTrio

from ringful.http.connection import Connection

hypercorn.trio.run.TCPServer = Connection  # type: ignore[assignment, attr-defined]  # it has no place for one


async def serve(
    app: QuartTrio,
    bind: str,
    shutdown: Callable[[], Awaitable[None]],
    *,
    task_status: "trio.TaskStatus[list[str]]" = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve *app* on *bind* (``127.0.0.1:0`` takes any port) until *shutdown* returns.

    Started with `nursery.start`, it gives the URLs that it listens on.  Raises OSError where it cannot.
    """
    config = Config()
    config.bind = [bind]
    config.accesslog = None
    config.errorlog = logging.getLogger("hypercorn.error")
    config.graceful_timeout = 3
    run = partial(hypercorn.trio.serve, app, config, shutdown_trigger=shutdown)
    async with trio.open_nursery() as nursery:
        bound = await nursery.start(run)
        task_status.started(list(bound))
