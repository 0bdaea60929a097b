"""Who may send sound to us: a filter in the kernel on each RTP socket of a worker.

The library follows whoever sends: a far end that goes on after its call would get the sound of the next
call that has its port.  So a socket takes nothing from its making on; when a call's SDP is known, it
takes what comes from the address there and from nowhere else.  Behind NAT, where the SDP says a private
address and the signalling came from elsewhere, it is the first port there that sends after the answer.
The filter is classic BPF (Linux, Documentation/networking/filter.rst), needs no privilege, and drops
before the library is woken.
"""

import ctypes
import os
import socket
import stat
import struct
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address, IPv4Network

_SO_ATTACH_FILTER = 26
_SO_DETACH_FILTER = 27
_FROM_NETWORK = 0xFFF00000
"""SKF_NET_OFF: offsets from here count from the IP header."""
_LOAD_WORD, _LOAD_HALF, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x28, 0x15, 0x06
_ALL = 0xFFFFFFFF
_INSIDE = tuple(
    IPv4Network(one) for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
"""Addresses behind NAT (RFC 1918, RFC 6598)."""


def is_behind_nat(said: str, signalled: str) -> bool:
    """Say whether *said*, of the SDP, cannot be where sound comes from, since *signalled* is outside."""
    try:
        inside, outside = IPv4Address(said), IPv4Address(signalled)
    except ValueError:
        return False
    return any(inside in one for one in _INSIDE) and not any(outside in one for one in _INSIDE)


def _program(*instructions: tuple[int, int, int, int]) -> bytes:
    return b"".join(struct.pack("<HBBI", *one) for one in instructions)


_NOBODY = _program((_RETURN, 0, 0, 0))


def only(address: str, at_port: int | None) -> bytes:
    """Give the filter that lets pass what comes from *address*, and from *at_port* if that is given."""
    number = int(IPv4Address(address))
    if at_port is None:
        return _program(
            (_LOAD_WORD, 0, 0, _FROM_NETWORK + 12),
            (_JUMP_IF_EQUAL, 0, 1, number),
            (_RETURN, 0, 0, _ALL),
            (_RETURN, 0, 0, 0),
        )
    return _program(
        (_LOAD_WORD, 0, 0, _FROM_NETWORK + 12),
        (_JUMP_IF_EQUAL, 0, 3, number),
        (_LOAD_HALF, 0, 0, 0),
        (_JUMP_IF_EQUAL, 0, 1, at_port),
        (_RETURN, 0, 0, _ALL),
        (_RETURN, 0, 0, 0),
    )


_QUEUED = 2000
"""Datagrams that a socket may have waiting."""


@contextmanager
def _socket(number: int, family: int = -1, kind: int = -1, protocol: int = -1) -> Iterator[socket.socket]:
    """Lend the socket with file descriptor *number*, which is the library's, and stays open."""
    lent = socket.socket(family, kind, protocol, number)
    try:
        yield lent
    finally:
        lent.detach()


def udp_port(number: int) -> int:
    """Give the port of the UDP socket with file descriptor *number*; 0 where it is another one."""
    with _socket(number) as one:
        is_udp = one.family == socket.AF_INET and one.type == socket.SOCK_DGRAM
        return int(one.getsockname()[1]) if is_udp else 0


def _filter(number: int, program: bytes | None) -> None:
    """Have the UDP socket with file descriptor *number* take what *program* lets pass; None: everything."""
    with _socket(number, socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_UDP) as one:
        if program is None:
            with suppress(OSError):  # It had none.
                one.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
            return
        room = ctypes.create_string_buffer(program, len(program))
        header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(room))
        one.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, header)


def _empty(number: int) -> None:
    """Throw away what the UDP socket with file descriptor *number* has got before it was shut.

    Where this process stood still for a moment, that may be so much that the library would follow its sender.
    """
    with _socket(number, socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_UDP) as one, suppress(OSError):
        for _ in range(_QUEUED):
            one.recv(1, socket.MSG_DONTWAIT)


class Senders:
    """The RTP sockets of a process: those whose port *is_rtp*."""

    def __init__(self, is_rtp: Callable[[int], bool]) -> None:
        self._is_rtp = is_rtp
        self._ports: dict[int, tuple[int, int]] = {}
        """Of each socket, by its file descriptor: the inode, and its port (0: it is none of UDP)."""

    def shut_new(self) -> None:
        """Let nobody send to sockets that were made since the last time."""
        known, self._ports = self._ports, {}
        for name in os.listdir("/proc/self/fd"):
            number = int(name)
            with suppress(OSError):
                found = os.fstat(number)
                if not stat.S_ISSOCK(found.st_mode):
                    continue
                # A number is another socket's soon, and an inode is not.
                before = known.get(number)
                if before is not None and before[0] == found.st_ino:
                    self._ports[number] = before
                    continue
                at_port = udp_port(number)
                self._ports[number] = found.st_ino, at_port
                if self._is_rtp(at_port):
                    _filter(number, _NOBODY)
                    _empty(number)

    def number(self, at_port: int) -> int | None:
        """Give the file descriptor of our socket at a port; None where it is not known."""
        return next((number for number, _ in self._of((at_port,))), None)

    def allow(self, rtp: int, rtcp: int, address: str, at_port: int | None = None) -> None:
        """Let *address* alone send to our ports *rtp*, from *at_port*, and *rtcp*, from any port."""
        self._set({rtp: only(address, at_port), rtcp: only(address, None)})

    def allow_all(self, rtp: int, rtcp: int) -> None:
        """Let everybody send to our ports, until it is known who does."""
        self._set({rtp: None, rtcp: None})

    def _set(self, programs: dict[int, bytes | None]) -> None:
        found = self._of(programs)
        if len(found) < len(programs):
            self.shut_new()
            found = self._of(programs)
        for number, at_port in found:
            if self._is_rtp(at_port):
                _filter(number, programs[at_port])

    def _of(self, ports: Container[int]) -> list[tuple[int, int]]:
        """Give the sockets that have one of *ports*, as far as they are known: (file descriptor, port)."""
        found = []
        for number, (inode, at_port) in self._ports.items():
            if at_port in ports:
                with suppress(OSError):
                    if os.fstat(number).st_ino == inode:
                        found.append((number, at_port))
        return found
