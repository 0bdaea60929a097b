"""Many short calls, and whether anything grows without end: ``python -m tests.soak [--calls 20000]``.

A real server, real SIP to sipp and back, real callbacks.  Every so often it looks at what the server
and its workers hold; in the end it compares the last quarter of the calls with the second one.
"""

import argparse
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path
from queue import Empty, SimpleQueue
from urllib.parse import urlsplit

from attrs import astuple, fields, frozen

from ringful.command.demonstration.sounds import melody
from ringful.http.signing import signed_url
from tests.burden import FINAL, Burden, burdened

CLIENTS = 4
AT_ONCE = 40
"""Calls that are up or on their way at most."""


@frozen
class Held:
    """What the server holds at a moment; memory in MB."""

    calls: int
    server_mb: float
    workers_mb: float
    workers: int
    descriptors: int
    threads: int
    database_mb: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the soak; 0 where all has levelled off."""
    parser = argparse.ArgumentParser(description="Many short calls on a real server.")
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--every", type=int, default=0, help="calls between two looks; 1 in 20 of all")
    given = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="ringful-soak-"))
    try:
        # What is old goes, so that the database levels off too.
        with burdened(folder, melody([440], 0.2), RINGFUL_STORE__KEEP="60s") as burden:
            looks = soak(burden, given.calls, given.every or max(1, given.calls // 20))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    grown = growth(looks)
    for line in grown:
        print(f"it grows: {line}")
    print("all has levelled off" if not grown else "not all has levelled off")
    return bool(grown)


def soak(burden: Burden, calls: int, every: int) -> list[Held]:
    """Place *calls*, and look at the server after each *every* that have ended."""
    room, left, ended = threading.Semaphore(AT_ONCE), SimpleQueue[int](), 0
    for number in range(calls):
        left.put(number)
    clients = [
        threading.Thread(target=_place, args=(burden, left, room), daemon=True) for _ in range(CLIENTS)
    ]
    began = time.monotonic()
    for client in clients:
        client.start()
    looks = [look(burden, 0)]
    print("  ".join(f"{field.name:>12}" for field in fields(Held)))
    while ended < calls:
        _, told, _ = burden.web.arrived.get(timeout=60)
        if told["action"] in FINAL:
            ended += 1
            room.release()
            if ended % every == 0:
                looks.append(look(burden, ended))
                print("  ".join(f"{value:>12.5g}" for value in astuple(looks[-1])), flush=True)
    print(f"{calls / (time.monotonic() - began):.1f} calls a second")
    return looks


def _place(burden: Burden, left: "SimpleQueue[int]", room: threading.Semaphore) -> None:
    ringful = burden.ringful
    connection = HTTPConnection(urlsplit(ringful.base).netloc)
    callback = burden.web.url

    def ask(method: str, seq: int, **parameters: str) -> str:
        pairs = [*parameters.items(), ("seq", str(seq))]
        path = f"/{method}/apikey/{ringful.key}"
        url = urlsplit(signed_url(ringful.secret, "GET", ringful.base, path, pairs))
        connection.request("GET", f"{url.path}?{url.query}")
        answer = connection.getresponse()
        said = answer.read().decode()
        if answer.status != 200:
            raise RuntimeError(f"{method}: {answer.status} {said}")
        return said.strip()

    while True:
        try:
            number = left.get_nowait()
        except Empty:
            return
        room.acquire()
        seq = 4 * number + 1
        call_id = ask("Call", seq, callee="15125551234", callbackUrl=callback)
        ask("Play", seq + 1, callId=call_id, announcement=f"{callback}/tone.wav", callbackUrl=callback)
        ask("Hangup", seq + 2, callId=call_id, immediate="false")


def look(burden: Burden, calls: int) -> Held:
    """See what the server and its workers hold."""
    assert burden.ringful.process
    pid = burden.ringful.process.pid
    workers = burden.workers()
    threads = int(_status(pid)["Threads"])
    database = burden.ringful.folder.glob("ringful.db*")
    return Held(
        calls,
        _resident(pid),
        sum(map(_resident, workers)),
        len(workers),
        len(list(Path(f"/proc/{pid}/fd").iterdir())),
        threads,
        sum(file.stat().st_size for file in database) / 1e6,
    )


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _resident(pid: int) -> float:
    try:
        return int(_status(pid)["VmRSS"].split()[0]) / 1024
    except (FileNotFoundError, KeyError):
        return 0.0  # It has just been let go.


def growth(looks: Sequence[Held]) -> list[str]:
    """Say what the last quarter holds that the second one did not, beyond a tenth and a little."""
    quarter = max(1, len(looks) // 4)
    second, last = looks[quarter : 2 * quarter], looks[-quarter:]
    found = []
    for name, slack in (
        ("server_mb", 5),
        ("workers_mb", 40),
        ("descriptors", 20),
        ("threads", 8),
        ("database_mb", 5),
    ):
        before = max(getattr(one, name) for one in second)
        after = max(getattr(one, name) for one in last)
        if after > before * 1.1 + slack:
            found.append(f"{name}: {before:.1f} in the second quarter, {after:.1f} in the last")
    return found


if __name__ == "__main__":
    sys.exit(main())
