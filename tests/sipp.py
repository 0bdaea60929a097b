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


@contextmanager
def sipp(scenario: str, folder: Path) -> "Iterator[tuple[str, subprocess.Popen[bytes]]]":
    """Start sipp with a scenario of tests/sipp for one call; give its address and its process."""
    if shutil.which("sipp") is None:
        if os.environ.get("CI"):
            pytest.fail("sipp is not installed: apt-get install sip-tester")
        pytest.skip("sipp is not installed: apt-get install sip-tester")
    dtmf_pcap(folder / "one.pcap", 1, 120)
    port, media = free_port(), free_port()
    command = ["sipp", "-sf", str(SCENARIOS / f"{scenario}.xml"), "-i", "127.0.0.1", "-mi", "127.0.0.1"]
    command += [
        "-p",
        str(port),
        "-mp",
        str(media // 2 * 2),
        "-m",
        "1",
        "-nostdin",
        "-timeout",
        f"{PATIENCE:.0f}s",
    ]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not _listens(port):
            assert process.poll() is None, "sipp did not start"
        yield f"127.0.0.1:{port}", process
    finally:
        process.kill()
        process.wait()
