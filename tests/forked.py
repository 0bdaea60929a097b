"""Commands of `ringful`, and media workers' templates, forked from a process that has imported everything.

A server's start is mostly imports, two seconds of a core, and the suite starts hundreds of servers and
phones.  So each process of the tests has one template (``python -m tests.forked FD``), and its forks are
what a new process would be: their own environment, folder, files, session and end.  What Python or the
C library read before anything else (``TZ``, ``LD_PRELOAD``, ``PYTHON…``) a fork would come too late for:
with any such difference a new process is started.
"""

import atexit
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from typing import IO, Any, TypeAlias

from ringful.media import templates

ROOT = Path(__file__).parent.parent
PATIENCE = 30.0
"""Seconds after which a test gives up waiting for something that ought to come."""
RINGFUL = [sys.executable, "-m", "ringful.command.main"]
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""A library for matrices would start threads, and a process with threads cannot fork."""
_IMPORTED = (
    "ringful.command.main",
    "ringful.command.serve",
    "ringful.command.phone",
    "ringful.command.keys",
    "ringful.media.phone",
    "ringful.media.engine.template",
    "ringful.simulation.phones.acting",
    "ringful.store.migrating",
)


class Forked:
    """A forked process, as `subprocess.Popen` has them."""

    def __init__(self, pid: int, handle: int, status: int, stdout: IO[str] | None) -> None:
        self.pid, self.stdout = pid, stdout
        self.stdin = self.stderr = None
        self.returncode: int | None = None
        self._handle, self._status = handle, status

    def poll(self) -> int | None:
        """Give its exit code, if it has ended."""
        return self._ended(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; give its exit code, a negative one where a signal ended it."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("ringful", timeout or 0.0)
        return code

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], timeout)[0]:
            told = os.read(self._status, 16)
            # Nothing is told where the template is gone.
            self.returncode = int(told) if told else -signal.SIGKILL
            os.close(self._status)
            os.close(self._handle)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it lives."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Tell it to end."""
        self.send_signal(signal.SIGTERM)


Process: TypeAlias = Forked | subprocess.Popen[str]


class _Template:
    """The process that has imported everything, and the socket to it."""

    def __init__(self) -> None:
        self.environment = dict(os.environ)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forked", str(theirs.fileno())],
                cwd=ROOT,
                env=self.environment | _ONE_THREAD,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._control = ours
        atexit.register(self.end)

    def end(self) -> None:
        """End it; what was forked lives on."""
        self._control.close()
        self._process.wait()

    def fork(self, order: Mapping[str, Any], *descriptors: int) -> tuple[int, int, int]:
        """Fork; give the process's ID, its descriptor, and where its exit code will be told.

        *descriptors* are its output, its errors, and what else it is to have.
        """
        status, told = os.pipe()
        socket.send_fds(self._control, [json.dumps(order).encode()], [told, *descriptors])
        os.close(told)
        answer, (handle,), _, _ = socket.recv_fds(self._control, 64, 1)
        return int(answer), handle, status


@cache
def _template() -> _Template:
    return _Template()


def begin() -> None:
    """Have the template import, beside what this process does meanwhile."""
    _template()


def _order(
    module: str,
    env: Mapping[str, str],
    cwd: Path | None = None,
    arguments: Sequence[str] = (),
    *,
    session: bool = False,
) -> Mapping[str, Any] | None:
    """Give the order for a fork with the environment *env*; None, where only a new process will do."""
    own = _template().environment
    changed = {name for name in env.keys() | own.keys() if env.get(name) != own.get(name)}
    if any(not name.startswith(("RINGFUL_", "PYTEST_")) for name in changed):
        return None
    return {
        "module": module,
        "arguments": arguments,
        "cwd": str(cwd or Path.cwd()),
        "env": {name: env.get(name) for name in changed | _ONE_THREAD.keys()},
        "session": session,
    }


def ringful(
    *arguments: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stderr: IO[str] | None = None,
    start_new_session: bool = False,
) -> Process:
    """Start a command; what it prints is in `stdout`, as text."""
    env = dict(os.environ if env is None else env)
    order = _order("ringful.command.main", env, cwd, arguments=arguments, session=start_new_session)
    if order is None:
        return subprocess.Popen(
            [*RINGFUL, *arguments],
            cwd=cwd,
            env=env,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=start_new_session,
        )
    read, write = os.pipe()
    made = _template().fork(order, write, 2 if stderr is None else stderr.fileno())
    os.close(write)
    return Forked(*made, os.fdopen(read, encoding="utf-8"))


def done(
    *arguments: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 4 * PATIENCE,
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end; it is killed after *timeout* seconds."""
    with TemporaryFile("w+", encoding="utf-8") as stderr:
        process = ringful(*arguments, cwd=cwd, env=env, stderr=stderr)
        patience = Timer(timeout, process.kill)
        patience.start()
        assert process.stdout
        with process.stdout:
            said = process.stdout.read()
        code = process.wait()
        patience.cancel()
        stderr.seek(0)
        return subprocess.CompletedProcess(arguments, code, said, stderr.read())


def media_template(control: int) -> Process:
    """Start a template of media workers, as `ringful.media.templates.launch` does."""
    order = _order("ringful.media.engine.template", os.environ)
    if order is None:
        return templates.launch(control)
    with Path(os.devnull).open("w") as nowhere:
        return Forked(*_template().fork(order, nowhere.fileno(), 2, control), None)


# What follows runs in the template.


def _fork_all(control: socket.socket) -> str:
    """Fork until the tests are over; give the module that is to be run, in each fork."""
    live: dict[int, int] = {}
    """The descriptors of the processes that live, and where the exit code of each is to be told."""
    ended: dict[int, int] = {}
    watched = select.poll()
    watched.register(control, select.POLLIN)
    while True:
        for ready, _ in watched.poll():
            if ready != control.fileno():
                watched.unregister(ready)
                if ready in live:
                    told = live.pop(ready)
                    _tell(ready, told)
                    ended[told] = ready
                    # It is a zombie until its end has been read, as a child of the tests would be.
                    watched.register(told, 0)
                else:
                    os.waitid(os.P_PIDFD, handle := ended.pop(ready), os.WEXITED)
                    os.close(handle)
                    os.close(ready)
                continue
            order, descriptors, _, _ = socket.recv_fds(control, 1 << 18, 4)
            if not order:
                os._exit(0)
            told, *given = descriptors
            pid = os.fork()
            if not pid:
                control.close()
                for descriptor in (told, *live, *live.values(), *ended, *ended.values()):
                    os.close(descriptor)
                return _become(json.loads(order), *given)
            handle = os.pidfd_open(pid)
            live[handle] = told
            watched.register(handle, select.POLLIN)
            for descriptor in given:
                os.close(descriptor)
            socket.send_fds(control, [str(pid).encode()], [handle])


def _tell(handle: int, told: int) -> None:
    """Tell the exit code of a process that has ended."""
    found = os.waitid(os.P_PIDFD, handle, os.WEXITED | os.WNOWAIT)
    assert found
    code = found.si_status if found.si_code == os.CLD_EXITED else -found.si_status
    with suppress(BrokenPipeError):
        os.write(told, str(code).encode())


def _become(order: Mapping[str, Any], stdout: int, stderr: int, *more: int) -> str:
    """Be a process of its own; give the module that it runs."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if order["session"]:
        os.setsid()
    for descriptor, place in ((stdout, 1), (stderr, 2)):
        os.dup2(descriptor, place)
        os.close(descriptor)
    os.chdir(order["cwd"])
    for name, value in order["env"].items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    sys.argv[1:] = [*order["arguments"], *map(str, more)]
    module: str = order["module"]
    return module


def _main() -> None:
    """Be the template, and in each fork the command that is wanted."""
    # Ctrl-C is for the tests, which end this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.path.remove(str(ROOT))
    for module in _IMPORTED:
        import_module(module)
    gc.collect()
    gc.freeze()
    import_module(_fork_all(socket.socket(fileno=int(sys.argv[1])))).main()


if __name__ == "__main__":
    _main()
