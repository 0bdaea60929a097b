"""Connections that callbacks go by: kept where that is safe, and given up where it is not."""

from functools import partial
from ipaddress import ip_network

import h11
import pytest
import trio
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ringful.http.outward import posting
from ringful.http.outward.addresses import wrong
from ringful.http.outward.answers import Answer
from ringful.http.outward.posting import open_poster, target_of
from tests.server import PATIENCE, TRUSTED

LOOPBACK = [ip_network("127.0.0.0/8")]


class Receiver:
    """Answers each request with what is next of *says*, and counts its connections."""

    def __init__(self, *says: bytes) -> None:
        self.says, self.connections, self.requests = list(says), 0, 0

    async def serve(self, stream: trio.SocketStream) -> None:
        self.connections += 1
        got = b""
        async for part in stream:
            got += part
            while got.endswith(b"a=b"):
                got, self.requests = b"", self.requests + 1
                await stream.send_all(self.says.pop(0))


async def posted(receiver: Receiver, times: int) -> list[Answer]:
    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, host="127.0.0.1"), receiver.serve, 0)
        url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}/a"
        with trio.fail_after(PATIENCE):
            async with open_poster(LOOPBACK, trusted=TRUSTED) as poster:
                answers = [await poster.post(url, b"", b"a=b") for _ in range(times)]
        nursery.cancel_scope.cancel()
    return answers


async def test_a_connection_is_used_again() -> None:
    receiver = Receiver(*[b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"] * 3)
    assert [one.status for one in await posted(receiver, 3)] == [200, 200, 200]
    assert receiver.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokay",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
    ],
)
async def test_what_comes_behind_an_answer_is_no_answer_to_the_next_post(answer: bytes) -> None:
    receiver = Receiver(answer, b"HTTP/1.1 503 Later\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n")
    assert (await posted(receiver, 2))[1] == Answer(503, "7")
    assert (receiver.connections, receiver.requests) == (2, 2)


HOSTS = st.from_regex(r"[a-zA-Z0-9._@:%~-]{1,30}", fullmatch=True) | st.text(max_size=20)


@given(host=HOSTS, path=st.text(max_size=30))
@example(host="a:b@h.example:8080", path="/a b?c=d#e")
@example(host="h.example", path="/\r\nX-Other: y")
@example(host="m\u00fcnchen.example", path="/\u00fc?\u00fc")
@settings(max_examples=500)
def test_a_head_is_what_h11_makes_of_it(host: str, path: str) -> None:
    url = f"http://{host}{path}"
    if not wrong(url):
        head = target_of(url).head + b"Content-Length: 0\r\n\r\n"
        reading = h11.Connection(h11.SERVER)
        reading.receive_data(head)
        request = reading.next_event()
        assert isinstance(request, h11.Request)
        assert reading.next_event() == h11.EndOfMessage()
        assert h11.Connection(h11.CLIENT).send(request) == head


async def test_no_more_connections_are_kept_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "MAX_IDLE", 0)
    receiver = Receiver(*[b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"] * 2)
    await posted(receiver, 2)
    assert receiver.connections == 2
