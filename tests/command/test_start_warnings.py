"""What `serve` and `phone` say when they start: what is missing, and what would do."""

import os
import socket
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from ringful.command.configuration.config import Config, Http, Media, Rates, Sip, StoreSection
from ringful.command.errors import CommandError
from ringful.command.serving.missing import missing
from ringful.command.serving.ports import check_udp, enough_for_sound, usable_sip
from ringful.command.serving.trunks import surroundings
from ringful.ground.holder import holder_of
from ringful.interpreter.money.rates import Rate
from ringful.media.trunking.places import Places
from ringful.media.trunking.watch import TrunkWatch
from ringful.media.trunks import Trunk as Way
from tests.command.test_log import lines_of, logged
from tests.forked import done
from tests.server import PATIENCE, free_port
from tests.trunk import Trunk, false_trunk

NOW = time.time()


def config(folder: Path) -> Config:
    """A configuration of which nothing is missing."""
    (folder / "sounds").mkdir()
    return Config(
        http=Http(public_url="https://voice.example.com"),
        media=Media(folders=(folder / "sounds",), cache=folder / "cache"),
        store=StoreSection(recordings=folder / "recordings"),
        rates=Rates(table=(Rate(per_minute=Decimal(0)),)),
    )


def test_where_nothing_is_missing_nothing_is_said(tmp_path: Path) -> None:
    assert list(missing(config(tmp_path), NOW)) == []


def test_each_thing_that_is_missing_is_a_line_with_its_key_and_what_would_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = config(tmp_path)
    (tmp_path / "file").touch()
    folders = attrs.evolve(whole.media, folders=(tmp_path / "none",), cache=tmp_path / "file" / "cache")
    poor = attrs.evolve(
        whole,
        http=Http(bind="0.0.0.0:8080"),
        media=folders,
        store=StoreSection(recordings=tmp_path / "file"),
        rates=Rates(),
    )
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("ringful.command.serving.missing.COMPILED", tmp_path / "none.so")
    said = list(missing(poor, 86400.0))
    begins = [
        "espeak-ng is not installed: ",
        "there was no C compiler: ",
        f"media.folders: {tmp_path}/none is not there: ",
        f"store.recordings: {tmp_path}/file is not a folder: ",
        f"media.cache: {tmp_path}/file/cache is not a folder: ",
        "http.public_url is not set: ",
        "rates.table is empty: ",
        "the clock says 1970-01-02: ",
    ]
    assert [line[: len(begin)] for line, begin in zip(said, begins, strict=True)] == begins


def test_a_folder_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may write everywhere: what the system says of a folder is given here.
    (tmp_path / "recordings").mkdir()
    may = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path / "recordings" and may(path, mode))
    (said,) = missing(config(tmp_path), NOW)
    assert "cannot be written" in said


# The trunk


@pytest.fixture(scope="module")
def trunk() -> Iterator[Trunk]:
    with false_trunk() as made:
        yield made


def to(address: str, **sip: str) -> Way:
    (way,) = Sip(trunk=f"sip:{address}", **sip).ways  # type: ignore[arg-type]
    return way


async def why_no_trunk(way: Way) -> str:
    _, why, _ = await TrunkWatch([way], Places(), surroundings(Config())).probe(way)
    return why


@pytest.mark.parametrize("status", [200, 404, 405, 486])
async def test_a_trunk_that_answers_is_there(trunk: Trunk, status: int) -> None:
    trunk.options = status
    assert await why_no_trunk(to(trunk.address)) == ""


async def test_a_trunk_that_refuses_or_is_silent_is_told_in_words(trunk: Trunk) -> None:
    trunk.options = 407
    assert "set sip.username and sip.password" in await why_no_trunk(to(trunk.address))
    assert await why_no_trunk(to(trunk.address, username="me")) == ""
    trunk.options = 403
    assert "forbids" in await why_no_trunk(to(trunk.address))
    trunk.options = 503
    assert "no line free" in await why_no_trunk(to(trunk.address))
    trunk.options = 0
    assert "no answer to OPTIONS within 2 s" in await why_no_trunk(to(trunk.address))


async def test_a_trunk_that_is_not_there() -> None:
    assert "nothing listens there" in await why_no_trunk(to(f"127.0.0.1:{free_port()}"))
    assert "nothing listens there" in await why_no_trunk(to(f"127.0.0.1:{free_port()}", transport="tcp"))
    assert "cannot be resolved" in await why_no_trunk(to("nowhere.invalid"))


def test_a_server_starts_all_the_same_and_its_log_says_what_is_missing(tmp_path: Path) -> None:
    trunk = f"127.0.0.1:{free_port()}"
    with logged(tmp_path / "s", trunk, RINGFUL_SIP__OPTIONS="true") as told:
        told.server.ask("Number")  # It works.
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and "nothing listens there" not in told.log.read_text():
            time.sleep(0.05)
        said = [line["event"] for line in lines_of(told.log.read_text()) if line["level"] == "warning"]
    assert any(line.startswith("espeak-ng is not installed") for line in said)
    assert any(line.startswith("media.folders: announcements is not there") for line in said)
    assert "the trunk does not answer as it ought to" in said


# Addresses in use


def failed(folder: Path, *arguments: str, **environment: str) -> str:
    ended = done(*arguments, cwd=folder, env={**os.environ, **environment})
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    return ended.stderr.splitlines()[-1]


def test_http_that_is_in_use_names_its_key_and_who_has_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        bind = f"127.0.0.1:{other.getsockname()[1]}"
        said = failed(tmp_path, "serve", RINGFUL_HTTP__BIND=bind, RINGFUL_SIP__BIND="127.0.0.1:0")
    assert said.startswith(f"ringful: http.bind: {bind} is in use by ")
    assert f"(pid {os.getpid()})" in said


def test_addresses_that_are_not_of_this_machine(tmp_path: Path) -> None:
    said = failed(tmp_path, "serve", RINGFUL_SIP__BIND="10.255.255.1:5060", RINGFUL_HTTP__BIND="127.0.0.1:0")
    assert said == "ringful: sip.bind: 10.255.255.1:5060 is no address of this machine"
    with pytest.raises(CommandError, match="no address of this machine"):
        usable_sip("10.255.255.1:5060")
    usable_sip("127.0.0.1:1")


def test_too_few_ports_for_the_calls_are_refused(tmp_path: Path) -> None:
    few = {"RINGFUL_MEDIA__PORTS": "10000-10999", "RINGFUL_HTTP__BIND": "127.0.0.1:0"}
    said = failed(tmp_path, "serve", RINGFUL_SIP__BIND="127.0.0.1:0", **few)
    assert said == (
        "ringful: media.ports: 10000-10999 is too small for media.max_calls = 60: "
        "1088 ports are wanted, as 10000-11089"
    )
    enough_for_sound((10_000, 11_087), 60)
    enough_for_sound((10_001, 11_089), 60)
    enough_for_sound((0, 0), 10_000)
    with pytest.raises(CommandError, match="too small"):
        enough_for_sound((10_001, 11_088), 60)


def test_sip_that_is_in_use_is_a_line_that_says_who_has_it(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        bind = f"127.0.0.1:{other.getsockname()[1]}"
        with logged(tmp_path / "s", "127.0.0.1:9", RINGFUL_SIP__BIND=bind) as told:
            (said,) = [line for line in lines_of(told.log.read_text()) if line["level"] == "error"]
    assert (said["address"], f"(pid {os.getpid()})" in said["by"]) == (bind, True)
    assert "sip.bind" in said["event"]


@pytest.mark.parametrize("case", [False, True])
def test_a_phone_on_a_port_in_use(tmp_path: Path, case: bool) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        bind = f"127.0.0.1:{other.getsockname()[1]}"
        more = ["--case", "none"] if case else []
        said = failed(tmp_path, "phone", "--listen", bind, *more)
    assert said.startswith(f"ringful: --listen: {bind} is in use by ")


def test_a_name_that_is_nobodys(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be resolved"):
        check_udp("--listen", "nowhere.invalid:5070")
    assert holder_of(free_port(), udp=True) == ""
