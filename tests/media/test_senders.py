"""Who may send sound to a worker: what the kernel lets through, and to which far ends it goes."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from ringful.media.engine.senders import Senders, is_behind_nat
from tests.server import free_port


def bound(stack: ExitStack, host: str = "127.0.0.1", at_port: int = 0) -> socket.socket:
    made = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    made.bind((host, at_port))
    return made


class Line:
    """An RTP socket and its RTCP socket, the far end, and strangers."""

    def __init__(self, stack: ExitStack) -> None:
        self.port = free_port(2, even=True)
        self.rtp, self.rtcp = (bound(stack, at_port=self.port + more) for more in (0, 1))
        self.far = bound(stack)
        far_port = self.far.getsockname()[1]
        self.others = {
            "same address, another port": bound(stack),
            "another address, the same port": bound(stack, "127.0.0.2", far_port),
        }
        self.senders = Senders(lambda one: one in (self.port, self.port + 1))

    def heard(self, more: int = 0) -> list[str]:
        """Have everybody send; give whose sound arrives."""
        for name, one in {"far": self.far, **self.others}.items():
            one.sendto(name.encode(), ("127.0.0.1", self.port + more))
        ours, found = (self.rtp, self.rtcp)[more], []
        while True:
            try:
                found.append(ours.recv(100, socket.MSG_DONTWAIT).decode())
            except BlockingIOError:
                return found


@pytest.fixture
def line() -> Iterator[Line]:
    with ExitStack() as stack:
        yield Line(stack)


def test_nobody_may_send_before_it_is_known_who_will(line: Line) -> None:
    assert len(line.heard()) == 3
    line.senders.shut_new()
    assert line.heard() == line.heard(1) == []


def test_what_came_before_it_was_shut_is_heard_by_nobody(line: Line) -> None:
    for one in line.others.values():
        for _ in range(20):
            one.sendto(b"early", ("127.0.0.1", line.port))
    line.senders.shut_new()
    line.senders.allow(line.port, line.port + 1, *line.far.getsockname())
    assert line.heard() == ["far"]


def test_only_the_address_of_the_sdp_may_send(line: Line) -> None:
    line.senders.shut_new()
    line.senders.allow(line.port, line.port + 1, *line.far.getsockname())
    assert line.heard() == ["far"]
    # RTCP may come from any port of it.
    assert line.heard(1) == ["far", "same address, another port"]
    # Sockets that are known are not shut anew.
    line.senders.shut_new()
    assert line.heard() == ["far"]


def test_it_changes_with_the_signalling(line: Line) -> None:
    line.senders.shut_new()
    line.senders.allow_all(line.port, line.port + 1)
    assert len(line.heard()) == 3
    line.senders.allow(line.port, line.port + 1, *line.far.getsockname())
    assert line.heard() == ["far"]
    other = line.others["another address, the same port"]
    line.senders.allow(line.port, line.port + 1, *other.getsockname())
    assert line.heard() == ["another address, the same port"]
    line.senders.allow_all(line.port, line.port + 1)
    line.senders.allow_all(line.port, line.port + 1)
    assert len(line.heard()) == 3


def test_a_socket_that_takes_the_place_of_another_is_shut_as_well(line: Line) -> None:
    line.senders.shut_new()
    number = line.rtp.fileno()
    line.rtp.close()
    with ExitStack() as stack:
        line.rtp = bound(stack, at_port=line.port)
        assert line.rtp.fileno() == number
        line.senders.shut_new()
        assert line.heard() == []


def test_sockets_that_are_not_ours_to_shut(line: Line) -> None:
    senders = Senders(lambda one: one == line.port + 2)
    senders.shut_new()
    senders.allow(line.port, line.port + 1, "192.0.2.1", 9)
    assert len(line.heard()) == 3


@pytest.mark.parametrize(
    ("said", "signalled", "behind"),
    [
        ("192.168.1.20", "203.0.113.5", True),
        ("10.9.8.7", "127.0.0.1", True),
        ("100.64.3.2", "203.0.113.5", True),
        ("172.31.255.255", "203.0.113.5", True),
        ("172.32.0.0", "203.0.113.5", False),
        ("192.168.1.20", "192.168.1.20", False),
        ("192.168.1.20", "10.0.0.1", False),
        ("203.0.113.9", "203.0.113.5", False),
        ("203.0.113.9", "10.0.0.1", False),
        ("127.0.0.1", "127.0.0.1", False),
        ("", "127.0.0.1", False),
        ("10.0.0.1", "", False),
        ("trunk.example.com", "10.0.0.1", False),
        ("::1", "127.0.0.1", False),
    ],
)
def test_who_is_behind_nat(said: str, signalled: str, behind: bool) -> None:
    assert is_behind_nat(said, signalled) is behind
