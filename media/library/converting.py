"""The converter's process: everything is imported once, and each file is converted in a fork.

``python -m ringful.media.library.converting FD``.  A message with three descriptors orders a conversion: the
socket that it is answered on, the file to read, and the file to write.  It says ``convert``, or ``stretch``
and a speed.  The fork has bounds for
time and memory, needs no file that it was not given, and dies where nobody waits for it any more;
whatever a stranger's file does to a decoder, it does to that fork alone.  This process has one
thread, or it could not fork.
"""

import ctypes
import fcntl
import json
import os
import resource
import signal
import socket
import sys
import traceback
from typing import Any

from ringful.media.library.convert import convert
from ringful.media.library.stretch import stretch
from ringful.media.sounds import SoundError

CPU_SECONDS = 30
"""What a conversion may use of a processor: some two hours of MP3."""
WALL_SECONDS = 60
MEMORY = 512 * 1024 * 1024
"""Bytes that a conversion may have for itself; it needs some 60 MB."""
_NICE = 5
"""Calls come first."""
_PR_SET_PDEATHSIG = 1


def _die_with_parent(parent: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _bound(job: socket.socket) -> None:
    """Bound this process, and let it end when the other side of *job* is closed."""

    def too_slow(number: int, frame: Any) -> None:
        raise SoundError(f"it takes more than {CPU_SECONDS} seconds of work to read")

    signal.signal(signal.SIGXCPU, too_slow)
    # A decoder that never comes back to Python is ended a little later, without a word.
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(WALL_SECONDS + 5)
    fcntl.fcntl(job, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(job, fcntl.F_SETFL, fcntl.fcntl(job, fcntl.F_GETFL) | os.O_ASYNC)
    os.nice(_NICE)


def _answer(order: str, source: int, target: int) -> dict[str, str]:
    try:
        with open(source, "rb") as reading, open(target, "wb") as writing:
            match order.split():
                case ["stretch", speed]:
                    stretch(reading, writing, float(speed))
                case _:
                    convert(reading, writing)
    except SoundError as error:
        return {"reason": str(error)}
    except MemoryError:
        return {"reason": "it needs too much memory to be read"}
    except Exception:
        return {"fault": traceback.format_exc()}
    return {}


def _work(job: socket.socket, order: str, source: int, target: int, parent: int) -> None:
    """Do one conversion, as *order* says, in a fork of its own."""
    _die_with_parent(parent)
    # Decoders write what they think of a file to the standard error.
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    _bound(job)
    job.sendall(json.dumps(_answer(order, source, target)).encode())


def serve(control: socket.socket) -> None:
    """Convert what is ordered on *control* until that is closed."""
    own = os.getpid()
    while True:
        message, given, _, _ = socket.recv_fds(control, 64, 3)
        if not message:
            return
        if len(given) == 3:
            job = socket.socket(fileno=given[0])
            try:
                child = os.fork()
            except OSError as error:
                job.sendall(json.dumps({"reason": f"it cannot be converted: {error.strerror}"}).encode())
                child = -1
            if child == 0:
                try:
                    control.close()
                    _work(job, message.decode(), given[1], given[2], own)
                finally:
                    os._exit(0)
            job.close()
            given = given[1:]
        for one in given:
            os.close(one)


def main() -> None:
    """Serve the node that started this process, and end with it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that no child has to be waited for
    serve(socket.socket(fileno=int(sys.argv[1])))


if __name__ == "__main__":
    main()
