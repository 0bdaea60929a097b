"""A plain answer is read as h11 would read it, and what is not plain is left to h11."""

from collections.abc import Iterator
from itertools import product
from urllib.parse import urlencode

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringful.http.outward.answers import Answer, Plain, read_plain
from ringful.http.outward.letter import form

HEADERS = (
    b"Content-Length: 0",
    b"content-length:2",
    b"Content-Length:  12 ",
    b"Content-Length: +2",
    b"Content-Length: 1_0",
    b"Content-Length: 2, 2",
    b"Content-Length: 999999999",
    b"Content-Length: 9999999999",
    b"Content-Length:",
    b"Content-Length : 2",
    b"X-Content-Length: 7",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: identity",
    b"Transfer-Encoding:",
    b"Connection: keep-alive",
    b"Connection: Keep-Alive",
    b"Connection: close",
    b"connection: CLOSE",
    b"Connection: keep-alive, close",
    b"Connection: Upgrade",
    b"Upgrade: websocket",
    b"Keep-Alive: timeout=5",
    b"Retry-After: 7",
    b"retry-after:Wed, 21 Oct 2026 07:28:00 GMT",
    b"Retry-After:\t7",
    b"Retry-After: \xff",
    b"Retry-After:  ",
    b"Server: a \x01 b",
    b"Server: \x00",
    b"Date: x\rContent-Length: 1",
    b" folded: 1",
    b"\tfolded",
    b": nameless",
    b"without a colon",
    b"a b: c",
    b"",
)
LINES = (
    b"HTTP/1.1 200 OK",
    b"HTTP/1.1 200",
    b"HTTP/1.1 200 ",
    b"HTTP/1.1  200 OK",
    b"HTTP/1.1 204 No Content",
    b"HTTP/1.1 304 Not Modified",
    b"HTTP/1.1 503 Later\tor never",
    b"HTTP/1.1 410 Gone",
    b"HTTP/1.1 999 Odd",
    b"HTTP/1.1 000 None",
    b"HTTP/1.1 100 Continue",
    b"HTTP/1.1 101 Switching Protocols",
    b"HTTP/1.1 2000 OK",
    b"HTTP/1.1 20 OK",
    b"HTTP/1.1 2\xb20 OK",
    b"HTTP/1.0 200 OK",
    b"HTTP/9.9 200 OK",
    b"HTTP/2 200",
    b"http/1.1 200 OK",
    b"\r\nHTTP/1.1 200 OK",
    b" HTTP/1.1 200 OK",
)
ENDS = (b"\r\n", b"\n", b"\r", b"\r\r\n")
BODIES = (b"", b"ok", b"x" * 12, b"x" * 13, b"HTTP/1.1 500 Oh\r\n\r\n", b"0\r\n\r\n")


def answers() -> Iterator[bytes]:
    """Make answers that are plain but for one or two things."""
    length = b"Content-Length: 2"
    for line, header, end in product(LINES, HEADERS, ENDS):
        yield line + end + length + b"\r\n" + header + b"\r\n\r\nok"
        yield line + b"\r\n" + header + b"\r\n" + length + end + b"\r\nok"
        yield line + b"\r\n" + header + b"\r\n" + end + b"ok"
    for first, second, body in product(HEADERS, HEADERS, BODIES):
        yield b"\r\n".join((LINES[0], first, second, b"", body))
    for cut in range(40):
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"[:cut]


def read_by_h11(data: bytes) -> Plain:
    """Read what is the whole of an answer's head, and what there is of its body."""
    http = h11.Connection(h11.CLIENT)
    http.send(h11.Request(method="POST", target="/", headers=[("Host", "h")]))
    http.send(h11.EndOfMessage())
    http.receive_data(data)
    head = http.next_event()
    assert isinstance(head, h11.Response)
    after = [value.decode("latin-1") for name, value in head.headers if name == b"retry-after"]
    length = dict(head.headers).get(b"content-length", b"")
    missing = 0 if head.status_code in (204, 304) else int(length)
    while isinstance(event := http.next_event(), h11.Data):
        missing -= len(event.data)
    assert (event is h11.NEED_DATA) == (missing > 0)
    missing -= len(http.trailing_data[0])
    stays = http.their_state is not h11.MUST_CLOSE and http.our_state is not h11.MUST_CLOSE
    return Plain(Answer(head.status_code, after[0] if after else None), missing, stays)


def test_what_is_read_as_plain_is_what_h11_reads() -> None:
    read = {data: plain for data in answers() if (plain := read_plain(data))}
    assert {data: read_by_h11(data) for data in read} == read
    assert len(read) > 500


@pytest.mark.parametrize(
    ("data", "missing", "stays"),
    [
        (b"HTTP/1.1 200 OK\r\nDate: today\r\nContent-Length: 2\r\n\r\nok", 0, True),
        (b"HTTP/1.1 201\r\ncontent-length:2\r\nConnection: Keep-Alive\r\n\r\n", 2, True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", 0, False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokay", -2, True),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", 0, True),
    ],
)
def test_an_answer_as_most_are_is_plain(data: bytes, missing: int, stays: bool) -> None:
    plain = read_plain(data)
    assert plain is not None
    assert (plain.missing, plain.stays) == (missing, stays)


@given(st.dictionaries(st.text(), st.text()))
def test_a_form_is_what_the_library_makes_of_it(fields: dict[str, str]) -> None:
    assert form(fields) == urlencode(fields).encode()
