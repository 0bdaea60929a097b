"""Media workers' processes, as the node starts and ends them.

A worker is forked from a template, which has imported everything: that takes a tenth of the time
and a third of the memory of a new process (see `engine.template`).  The template is started with the
first worker.  When it dies, its workers live on, and another takes its place.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from array import array
from contextlib import suppress
from typing import Any

import structlog
import trio
from attrs import define

from ringful.ground.children import spared

log = structlog.get_logger()

FORK_SECONDS = 15.0
"""How long a fork may take: some milliseconds, and with a new template a quarter of a second."""
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""A library for matrices would start threads, and a process with threads cannot fork."""
_DESCRIPTORS = array("i").itemsize


@define(eq=False)
class Child:
    """A process that was forked for us, by its descriptor: no other process is ever meant by it."""

    pid: int
    _descriptor: int
    _ended: bool = False

    async def ended(self) -> None:
        """Return when it has ended."""
        if not self._ended:
            await trio.lowlevel.wait_readable(self._descriptor)
            self._ended = True

    def kill(self) -> None:
        """End it, if it has not."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)

    async def leave(self, seconds: float) -> None:
        """Wait so long for its end, which it has been told; then end it."""
        with trio.move_on_after(seconds):
            await self.ended()
        if not self._ended:
            self.kill()
            await self.ended()
        # Where its parent was gone, and this process is the first of its container, it is ours.
        with suppress(ChildProcessError):
            os.waitid(os.P_PIDFD, self._descriptor, os.WEXITED | os.WNOHANG)  # noqa: ASYNC222 (it does not wait)
        os.close(self._descriptor)


def launch(control: int) -> "subprocess.Popen[bytes]":
    """Start a template that obeys the socket with the descriptor *control*.  Raises OSError."""
    with spared():
        return subprocess.Popen(
            [sys.executable, "-m", "ringful.media.engine.template", str(control)],
            pass_fds=[control],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={**os.environ, **_ONE_THREAD},
        )


@define(eq=False)
class Template:
    """A template that runs, and the socket to it."""

    process: "subprocess.Popen[bytes]"
    control: trio.socket.SocketType

    def end(self) -> None:
        """End it; the workers live on."""
        self.control.close()
        self.process.kill()
        self.process.wait()


class Templates:
    """The template of the day."""

    def __init__(self) -> None:
        self._template: Template | None = None
        self._turns = trio.Lock()
        self._started = trio.Event()
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The template's process, once there is one."""
        return self._template.process.pid if self._template else None

    async def fork(self, config: dict[str, Any], connection: socket.socket, buses: int) -> Child:
        """Have a worker forked that has *connection* and the memory *buses*.  Raises OSError.

        It is not to be cancelled half-way: a process would run that nobody knows.
        """
        order = json.dumps(config).encode()
        descriptors = array("i", [connection.fileno(), buses])
        with trio.CancelScope(shield=True):
            async with self._turns:
                for again in (True, False):
                    template = self._template or self._start()
                    try:
                        with trio.fail_after(FORK_SECONDS):
                            return await _ask(template.control, order, descriptors)
                    except (ConnectionError, trio.ClosedResourceError, trio.TooSlowError) as error:
                        self._lose(template)
                        if not again:
                            raise OSError("the template of the media workers does not live") from error
        raise AssertionError

    def _start(self) -> Template:
        if self._closed:
            raise OSError("the media workers are being ended")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                process = launch(theirs.fileno())
            except BaseException:
                ours.close()
                raise
        template = self._template = Template(process, trio.socket.from_stdlib_socket(ours))
        self._started.set()
        self._started = trio.Event()
        return template

    async def watch(self) -> None:
        """See that a template that has died leaves no zombie, and is not asked any more; until cancelled."""
        while True:
            started, template = self._started, self._template
            if template is None:
                await started.wait()
                continue
            # Its socket cannot be watched, since answers come by it.
            descriptor = os.pidfd_open(template.process.pid)
            try:
                await trio.lowlevel.wait_readable(descriptor)
            finally:
                os.close(descriptor)
            self._lose(template)

    def _lose(self, template: Template) -> None:
        if template is self._template:
            log.error("the process that media workers are forked from died; another takes its place")
            self._template = None
            template.end()

    def close(self) -> None:
        """End the template, when the workers have ended."""
        self._closed = True
        template, self._template = self._template, None
        if template:
            template.end()


async def _ask(control: trio.socket.SocketType, order: bytes, descriptors: "array[int]") -> Child:
    await control.sendmsg([order], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])
    data, ancillary, _, _ = await control.recvmsg(1 << 16, socket.CMSG_SPACE(_DESCRIPTORS))
    if not data:
        raise ConnectionResetError("it has gone")
    answer = json.loads(data)
    if "reason" in answer:
        raise OSError(answer["reason"])
    found = array("i")
    for _, _, given in ancillary:
        found.frombytes(given[: len(given) - len(given) % _DESCRIPTORS])
    os.set_inheritable(found[0], False)
    return Child(answer["pid"], found[0])
