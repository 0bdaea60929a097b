"""A real server in a process of its own, a client that signs, and a web application that listens."""

import json
import os
import queue
import signal
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from attrs import define, field

from ringful.command.demonstration.web import web_application
from ringful.http.signing import signed_url
from tests.forked import PATIENCE as PATIENCE
from tests.forked import RINGFUL as RINGFUL
from tests.forked import Process, done, ringful


def _own_ports() -> Iterator[int]:
    """Give the ports of this test process, in turn: no other process takes any of them by chance.

    They lie between those of RTP (10000 to 20000, as servers and far ends have it) and those that the
    kernel hands out, and each process that tests run in has its own.
    """
    name = os.environ.get("PYTEST_XDIST_WORKER", "")
    place = int(name.removeprefix("gw")) % 8 if name else os.getpid() % 8
    first = 21_000 + 1_400 * place
    return cycle(range(first, first + 1_400))


TRUSTED = ssl.create_default_context()
"""The certificates that this machine believes, for `guarded_client`: to read them anew takes a moment."""

_ports = _own_ports()


def free_port(count: int = 1, *, even: bool = False) -> int:
    """Give the first of *count* ports in a row at which nobody listens, by TCP or UDP.

    With *even*, it is an even one.
    """
    while True:
        first = next(_ports)
        if even and first % 2:
            continue
        row = [first, *(next(_ports) for _ in range(count - 1))]
        if row[-1] - first == count - 1 and all(map(_is_free, row)):
            return first


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


@contextmanager
def nobody() -> Iterator[str]:
    """Give an address at which nobody listens, and that nobody else is given meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"


@define
class Receiver:
    """What the web application was told, in the order of arrival."""

    url: str
    arrived: "queue.SimpleQueue[tuple[str, dict[str, str], dict[str, str]]]"
    told: list[tuple[str, dict[str, str]]] = field(factory=list)

    def until(self, *actions: str) -> list[tuple[str, dict[str, str]]]:
        """Wait until all of *actions* have been told; give everything that was."""
        while not set(actions) <= {fields.get("action") for _, fields in self.told}:
            path, fields, _ = self.arrived.get(timeout=PATIENCE)
            self.told.append((path, fields))
        return self.told

    @property
    def actions(self) -> list[str]:
        return [fields["action"] for _, fields in self.told]


@contextmanager
def receiver(files: Mapping[str, bytes]) -> Iterator[Receiver]:
    """Listen; what is posted to the path of one of *files* is answered with it, as JSON."""
    arrived: queue.SimpleQueue[tuple[str, dict[str, str], dict[str, str]]] = queue.SimpleQueue()

    def take(path: str, fields: Mapping[str, str], headers: Mapping[str, str]) -> bytes | None:
        arrived.put((path, dict(fields), dict(headers)))
        return files.get(path)

    with web_application(files, take) as url:
        yield Receiver(url, arrived)


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@define
class Server:
    """A running `ringful serve` in *folder*."""

    folder: Path
    environment: dict[str, str]
    base: str
    process: Process | None = None
    key: str = ""
    secret: str = ""
    seq: int = 0
    sip: str = ""
    """Where calls come in."""
    log: IO[str] | None = None
    """Where it logs; None: as the tests do."""

    def start(self, *, start_new_session: bool = False) -> None:
        """Start it; with *start_new_session* in a group of processes of its own."""
        self.process = ringful(
            "serve",
            cwd=self.folder,
            env=self.environment,
            stderr=self.log,
            start_new_session=start_new_session,
        )
        assert self.process.stdout
        for line in self.process.stdout:
            if line.startswith("sip:"):
                self.sip = line.removeprefix("sip:").strip()
            if line.startswith("http"):
                return
        raise AssertionError("the server did not start")

    def workers(self) -> list[int]:
        """Give its media workers: they are forked from a child of its own."""
        assert self.process
        return [
            worker
            for child in _children(self.process.pid)
            for worker in _children(child)
            if Path(f"/proc/{worker}/comm").read_text() == "ringful-worker\n"
        ]

    def until_draining(self) -> None:
        """Wait until it takes no new calls, as /ready says."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                with urlopen(f"{self.base}/ready", timeout=PATIENCE):
                    pass
            except HTTPError as error:
                with error:
                    if b"draining: no new calls" in error.read():
                        return
            time.sleep(0.1)
        raise AssertionError("it does not drain")

    def kill(self) -> None:
        if self.process is None:
            return
        self.process.kill()
        self.gone()

    def stop(self) -> int:
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        return self.gone()

    def gone(self) -> int:
        """Wait until it has ended; give its exit code."""
        assert self.process
        assert self.process.stdout
        code = self.process.wait(PATIENCE)
        self.process.stdout.close()
        self.process = None
        return code

    def command(self, *arguments: str) -> str:
        ended = done(*arguments, cwd=self.folder, env=self.environment)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def url(self, method: str, seq: int | None = None, **parameters: str) -> str:
        self.seq += 1
        pairs = [*parameters.items(), ("seq", str(seq or self.seq))]
        return signed_url(self.secret, "GET", self.base, f"/{method}/apikey/{self.key}", pairs)

    def ask(self, method: str, **parameters: str) -> str:
        with urlopen(self.url(method, **parameters), timeout=PATIENCE) as response:
            return str(response.read().decode().strip("\n"))

    def query(self, call_id: str) -> dict[str, Any]:
        request = Request(self.url("QueryCall", callId=call_id), headers={"Accept": "application/json"})
        with urlopen(request, timeout=PATIENCE) as response:
            found: dict[str, Any] = json.load(response)
            return found

    def refused(self, url: str) -> tuple[int, str]:
        try:
            with urlopen(url, timeout=PATIENCE) as response:
                raise AssertionError(f"it was taken: {response.read()!r}")
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()


@contextmanager
def server(folder: Path, trunk: str, *, log: IO[str] | None = None, **environment: str) -> Iterator[Server]:
    port = free_port()
    settings = {
        "RINGFUL_HTTP__BIND": f"127.0.0.1:{port}",
        "RINGFUL_SIP__BIND": "127.0.0.1:0",
        "RINGFUL_SIP__TRUNK": f"sip:{trunk}",
        # A far end of a test takes so many calls, and is asked nothing else.
        "RINGFUL_SIP__OPTIONS": "false",
        "RINGFUL_FETCH__ALLOW": "127.0.0.0/8",
        "RINGFUL_LIMITS__CALLS_PER_SECOND": "100",
        "RINGFUL_LIMITS__DRAIN": "1s",
        # Each test's server would begin with the same ones.
        "RINGFUL_MEDIA__PORTS": "any",
    }
    made = Server(folder, {**os.environ, **settings, **environment}, f"http://127.0.0.1:{port}")
    made.key, made.secret = made.command("keys", "add", "test").split()
    made.log = log
    made.start()
    try:
        yield made
    finally:
        made.kill()


@contextmanager
def phone(*options: str) -> Iterator[tuple[str, Process]]:
    """Start `ringful phone`; give its address and its process, whose lines are JSON."""
    process = ringful("phone", "--json", "--listen", "127.0.0.1:0", *options)
    try:
        assert process.stdout
        yield json.loads(process.stdout.readline())["address"], process
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
