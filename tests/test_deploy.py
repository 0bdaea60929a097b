"""The unit of systemd: it is right, it leaves time to drain, and the server tells it how it stands."""

import configparser
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ringful.command.configuration.config import Config
from ringful.interpreter.settings import Settings
from tests.server import PATIENCE, RINGFUL

UNIT = Path(__file__).parents[1] / "deploy" / "ringful.service"


@pytest.fixture
def service() -> configparser.SectionProxy:
    read = configparser.ConfigParser(interpolation=None)
    read.optionxform = str  # type: ignore[method-assign,assignment]
    read.read(UNIT)
    return read["Service"]


def test_there_is_time_to_drain(service: configparser.SectionProxy) -> None:
    margin = Settings().closing_limit + 2 + 5 + 7
    assert int(service["TimeoutStopSec"]) > Config().limits.drain + margin


def test_it_is_hardened(service: configparser.SectionProxy) -> None:
    for name, value in {
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "PrivateTmp": "yes",
        "StateDirectory": "ringful",
        "UMask": "0077",
        "Restart": "on-failure",
        "Type": "notify",
    }.items():
        assert service[name] == value
    assert service["KillMode"] in ("mixed", "control-group")


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None and not os.environ.get("CI"), reason="there is no systemd here"
)
def test_systemd_finds_nothing_wrong_with_it(tmp_path: Path) -> None:
    installed = UNIT.read_text().replace("/opt/ringful/bin/ringful", str(Path(sys.executable)))
    (tmp_path / "ringful.service").write_text(installed)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / "ringful.service")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("abstract", [False, True])
def test_the_server_says_when_it_is_ready_and_when_it_stops(tmp_path: Path, abstract: bool) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        name = f"ringful-{os.getpid()}" if abstract else str(tmp_path / "notify")
        listening.bind(f"\0{name}" if abstract else name)
        listening.settimeout(PATIENCE)
        environment = {
            "RINGFUL_SIP__BIND": "127.0.0.1:0",
            "RINGFUL_HTTP__BIND": "127.0.0.1:0",
            "NOTIFY_SOCKET": f"@{name}" if abstract else name,
        }
        process = subprocess.Popen(
            [*RINGFUL, "serve"], cwd=tmp_path, env=os.environ | environment, stdout=subprocess.DEVNULL
        )
        try:
            assert listening.recv(100) == b"READY=1"
            process.send_signal(signal.SIGTERM)
            assert listening.recv(100) == b"STOPPING=1\nEXTEND_TIMEOUT_USEC=90000000"
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
            process.wait()
