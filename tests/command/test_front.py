"""`ringful serve` behind its front: what an operator sees, and what a server that is killed leaves."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import trio

from tests.media.front.fronted import need_kamailio
from tests.media.sip_peer import sdp, sip_peer
from tests.server import PATIENCE, RINGFUL, free_port


class Place:
    """Where a server runs that is killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sip, self.http, first = free_port(), free_port(), free_port(120)
        # The front runs as somebody else where we are root: not below a folder that is ours alone.
        self.front = Path(f"/tmp/ringful-test-{os.getpid()}-{self.sip}")
        (folder / "ringful.toml").write_text(
            f'[http]\nbind = "127.0.0.1:{self.http}"\n'
            f'[sip]\nbind = "127.0.0.1:{self.sip}"\nfront = "kamailio"\nfront_folder = "{self.front}"\n'
            f'worker_ports = "{first}-{first + 119}"\ntrunk = "sip:127.0.0.1:9"\noptions = false\n'
        )

    @contextmanager
    def served(self) -> "Iterator[subprocess.Popen[str]]":
        with (self.folder / "log").open("a") as said:
            process = subprocess.Popen(
                [*RINGFUL, "serve"], cwd=self.folder, stdout=subprocess.PIPE, stderr=said, text=True
            )
        try:
            assert process.stdout
            for line in process.stdout:
                if line.startswith("http"):
                    break
            else:
                raise AssertionError((self.folder / "log").read_text())
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE)
            assert process.stdout
            process.stdout.close()

    def ready(self) -> dict[str, Any]:
        asked = Request(f"http://127.0.0.1:{self.http}/ready", headers={"Accept": "application/json"})
        try:
            with urlopen(asked, timeout=PATIENCE) as answer:
                return dict(json.load(answer))
        except HTTPError as error:
            with error:
                return dict(json.load(error))

    def ringful(self, *words: str) -> str:
        done = subprocess.run(
            [*RINGFUL, *words], cwd=self.folder, capture_output=True, text=True, check=True, timeout=PATIENCE
        )
        return done.stdout

    def bind(self, number: str) -> None:
        voicemail = ("script=voicemail", "owner=15125550100")
        signed = self.ringful("sign", "Number", f"number={number}", *voicemail)
        urlopen(signed.strip(), timeout=PATIENCE).close()

    def clear(self) -> None:
        with suppress(OSError, ValueError):
            os.killpg(os.getpgid(int((self.front / "pid").read_text())), signal.SIGKILL)
        subprocess.run(["rm", "-rf", str(self.front)], check=False)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    need_kamailio()
    made = Place(tmp_path)
    try:
        yield made
    finally:
        made.clear()


async def test_a_killed_servers_calls_get_a_bye_from_the_next_one(place: Place) -> None:
    async with sip_peer() as peer:
        address = f"127.0.0.1:{place.sip}"
        with place.served() as server:
            place.ringful("keys", "add", "me")
            place.bind("18005550000")
            found = await trio.to_thread.run_sync(place.ready)
            assert found["front"].startswith("kamailio 5")
            assert found["checks"]["sip"] == {"ok": True}
            call = await peer.call(address, "18005550000", sdp=sdp())
            await call.ack(await call.final())
            os.kill(server.pid, signal.SIGKILL)
            server.wait()
            # Nobody decides now: the front, which lives on, says so.
            refused = await peer.call(address, "18005550000", sdp=sdp())
            said = await refused.final()
            assert (said.status, bool(said.header("retry-after"))) == (503, True)
            await refused.ack(said)
        with place.served():
            assert (await peer.request("BYE")).header("call-id") == call.name


def _fronts(folder: Path) -> list[int]:
    found = []
    for one in Path("/proc").iterdir():
        try:
            if one.name.isdecimal() and os.fsencode(folder) in (one / "cmdline").read_bytes():
                found.append(int(one.name))
        except OSError:
            continue
    return found


def test_the_front_has_no_privileges_and_its_files_are_private(place: Place) -> None:
    with place.served():
        running = _fronts(place.front)
        assert running
        if os.getuid() == 0:
            assert all(os.stat(f"/proc/{pid}").st_uid != 0 for pid in running)
        assert {one.stat().st_mode & 0o077 for one in (place.front, *place.front.glob("*.cfg"))} == {0}
    assert _fronts(place.front) == []


def test_a_front_that_cannot_start_is_said_with_the_reason(place: Place) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", place.sip))
        done = subprocess.run(
            [*RINGFUL, "serve"], cwd=place.folder, capture_output=True, text=True, timeout=PATIENCE
        )
    assert done.returncode == 2
    assert f"sip.bind: 127.0.0.1:{place.sip} is in use" in done.stderr
