"""Bare sockets: everything arrives, in its order, however slowly it is taken."""

import socket
from collections.abc import Iterator

import pytest
import trio
import trio.testing

from ringful.ground.pipe import Pipe
from ringful.ground.sockets import receive, send, send_now
from tests.server import PATIENCE

LONG = bytes(range(256)) * 20_000
"""More than sockets hold."""


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


async def all_of(taken: socket.socket, size: int) -> bytes:
    got = b""
    with trio.fail_after(PATIENCE):
        while len(got) < size:
            got += await receive(taken, 10_000)
    return got


async def test_what_does_not_go_at_once_goes_when_there_is_room(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    waits: list[float] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(send, ours, LONG, lambda: waits.append(trio.current_time()))
        await trio.testing.wait_all_tasks_blocked()
        assert waits
        assert send_now(ours, b"more") == 0
        assert await all_of(theirs, len(LONG)) == LONG


async def test_what_goes_at_once_waits_for_nothing(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends

    def waits() -> None:
        raise AssertionError("there was room")

    await send(ours, b"short", waits)
    await send(ours, b"", waits)
    assert await all_of(theirs, 5) == b"short"


async def test_who_has_gone_breaks_it_off(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    theirs.close()
    with pytest.raises(OSError, match="Broken pipe"):
        await send(ours, b"short", lambda: None)


async def test_a_pipe_keeps_what_is_sent_in_order_while_the_other_side_is_slow(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    pipe = Pipe(ours)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pipe.flush)
        for part in (b"first", LONG, b"then", b"last"):
            pipe.send(part)
        await trio.testing.wait_all_tasks_blocked()
        pipe.send(b" of all")
        got = await all_of(theirs, len(LONG) + 20)
        nursery.cancel_scope.cancel()
    assert got == b"first" + LONG + b"thenlast of all"
