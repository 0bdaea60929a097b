"""sipp as the far end: an independent SIP stack, whose exit code says whether it saw what it should."""

import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.server import PATIENCE, free_port

SCENARIOS = Path(__file__).parent / "sipp"


def dtmf_pcap(path: Path, event: int, payload_type: int) -> None:
    """Write one key press of 100 ms by RFC 4733 as a capture that sipp can play."""
    packets = [(False, step * 160) for step in range(1, 6)] + [(True, 800)] * 3
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for number, (last, duration) in enumerate(packets):
            payload = struct.pack(">BBH", event, (0x80 if last else 0) | 10, duration)
            marker = 0x80 if number == 0 else 0
            rtp = (
                struct.pack(">BBHII", 0x80, marker | payload_type, 1000 + number, 160000, 0x5151AAAA)
                + payload
            )
            udp = struct.pack(">HHHH", 6000, 6000, 8 + len(rtp), 0) + rtp
            loopback = bytes([127, 0, 0, 1])
            ip = (
                struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0, loopback, loopback)
                + udp
            )
            frame = bytes(12) + b"\x08\x00" + ip
            file.write(struct.pack("<IIII", 0, number * 20000, len(frame), len(frame)) + frame)


def _listens(port: int) -> bool:
    return any(f":{port:04X} " in line for line in Path("/proc/net/udp").read_text().splitlines())


def _start(scenario: str, folder: Path, *options: str) -> "subprocess.Popen[bytes]":
    command = ["sipp", "-sf", str(SCENARIOS / f"{scenario}.xml"), "-i", "127.0.0.1", "-mi", "127.0.0.1"]
    command += ["-mp", str(free_port(4, even=True)), "-nostdin", "-timeout", f"{PATIENCE:.0f}s", *options]
    command += [] if "-m" in options else ["-m", "1"]
    with (folder / "sipp.err").open("ab") as errors:
        return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=errors)


def _need_sipp() -> None:
    if shutil.which("sipp") is None:
        if os.environ.get("CI"):
            pytest.fail("sipp is not installed: apt-get install sip-tester")
        pytest.skip("sipp is not installed: apt-get install sip-tester")


@contextmanager
def calling(
    scenario: str, folder: Path, number: str, address: str, *options: str
) -> "Iterator[subprocess.Popen[bytes]]":
    """Let sipp call *number* at *address* by a scenario of tests/sipp; its exit code says how it went."""
    _need_sipp()
    # Of the one who calls, the payload type is the one in its own offer.
    dtmf_pcap(folder / "call.pcap", 1, 101)
    process = _start(scenario, folder, "-p", str(free_port()), "-s", number, *options, address)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def sipp(scenario: str, folder: Path, *options: str) -> "Iterator[tuple[str, subprocess.Popen[bytes]]]":
    """Start sipp with a scenario of tests/sipp for one call; give its address and its process."""
    _need_sipp()
    dtmf_pcap(folder / "one.pcap", 1, 120)
    port = free_port()
    process = _start(scenario, folder, "-p", str(port), *options)
    try:
        while not _listens(port):
            assert process.poll() is None, "sipp did not start"
        yield f"127.0.0.1:{port}", process
    finally:
        process.kill()
        process.wait()
