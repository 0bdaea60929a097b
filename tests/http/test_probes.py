"""/health, /ready and /metrics: what they say, to whom, and what it costs to ask."""

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import trio

from ringful.ground.disk import why_short
from ringful.ground.metrics import Metrics
from ringful.http import exchange, probes
from ringful.http.probes import Probes, Readiness, shown
from ringful.media.workers import Workers
from ringful.store.open import open_store
from tests.server import PATIENCE, Server, free_port, server
from tests.trunk import false_trunk

PARTS = ["store", "sip", "worker", "disk", "trunks", "draining"]


@pytest.fixture(scope="module")
def ringful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("server"), f"127.0.0.1:{free_port()}") as running:
        yield running


def ask(ringful: Server, path: str, **headers: str) -> tuple[int, str]:
    request = Request(
        ringful.base + path, headers={name.replace("_", "-"): one for name, one in headers.items()}
    )
    try:
        with urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def parts_of(text: str) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in text.splitlines())


def until(ringful: Server, part: str, *, well: bool) -> str:
    """Ask until *part* is well, or is not; give what is said of it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        said = parts_of(ask(ringful, "/ready")[1])[part]
        if (said == "ok") == well:
            return said
        time.sleep(0.2)
    raise AssertionError(f"{part}: {said}")


def test_a_server_that_is_well_says_so_in_both_forms(ringful: Server) -> None:
    assert ask(ringful, "/health") == (200, "ok\n")
    status, text = ask(ringful, "/ready")
    found = parts_of(text)
    assert found.pop("engine").partition(":")[0] in ("c", "python")
    assert found.pop("packets") == "checked"
    assert found.pop("front") == "none"
    assert found.pop("messages") == "none are sent here"
    assert found.pop("trunk states").startswith("trunk: ")
    assert (status, found) == (200, dict.fromkeys(PARTS, "ok"))
    status, text = ask(ringful, "/ready", Accept="application/json")
    told = json.loads(text)
    assert told.pop("engine").partition(":")[0] in ("c", "python")
    assert told.pop("packets") == "checked"
    assert told.pop("front") == "none"
    assert told.pop("messages") == "none are sent here"
    assert told.pop("trunk states").startswith("trunk: ")
    assert told == {"ready": True, "checks": {name: {"ok": True} for name in PARTS}}


@pytest.mark.parametrize("replaced", [False, True])
def test_a_database_that_is_moved_away_or_replaced(ringful: Server, replaced: bool) -> None:
    file, away = ringful.folder / "ringful.db", ringful.folder / "away.db"
    file.rename(away)
    if replaced:
        file.write_bytes(away.read_bytes())
    said = until(ringful, "store", well=False)
    assert ("another file" if replaced else "moved away") in said
    assert ask(ringful, "/ready")[0] == 503
    assert ask(ringful, "/health")[0] == 200
    away.rename(file)
    until(ringful, "store", well=True)


def test_a_worker_that_hangs_is_neither_heard_nor_obeys(ringful: Server) -> None:
    (worker,) = ringful.workers()
    os.kill(worker, signal.SIGSTOP)
    try:
        assert "no answer within" in until(ringful, "worker", well=False)
        assert "no answer within" in until(ringful, "sip", well=False)
        assert ask(ringful, "/health") == (200, "ok\n")
    finally:
        os.kill(worker, signal.SIGCONT)
    until(ringful, "worker", well=True)
    until(ringful, "sip", well=True)


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
@pytest.mark.parametrize("path", ["/ready", "/metrics"])
def test_what_a_proxy_passes_on_is_told_that_there_is_nothing(
    ringful: Server, path: str, header: str
) -> None:
    status, text = ask(ringful, path, **{header: "203.0.113.9"})
    assert (status, text.split(":")[0]) == (404, "path.unknown")
    assert ask(ringful, "/health", **{header: "203.0.113.9"})[0] == 200
    assert ask(ringful, path)[0] == 200


def test_a_server_that_ends_is_alive_and_not_ready(tmp_path: Path) -> None:
    with false_trunk() as trunk, server(tmp_path, trunk.address, RINGFUL_LIMITS__DRAIN="20s") as ringful:
        trunk.status = 180
        ringful.ask("Call", callee="15125551234")
        assert ringful.process
        ringful.process.send_signal(signal.SIGTERM)
        assert "ending" in until(ringful, "draining", well=False)
        assert ask(ringful, "/health") == (200, "ok\n")
        ringful.process.send_signal(signal.SIGTERM)


def test_a_disk_without_room_and_a_sip_address_that_another_has(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        bind = f"127.0.0.1:{other.getsockname()[1]}"
        least = {"RINGFUL_STORE__MIN_FREE": "900000GB", "RINGFUL_SIP__BIND": bind}
        with server(tmp_path, "127.0.0.1:9", **least) as ringful:
            status, text = ask(ringful, "/ready", Accept="application/json")
    checks = json.loads(text)["checks"]
    assert status == 503
    assert "store.min_free is 900000000 MB" in checks["disk"]["why"]
    assert checks["sip"]["why"] == f"none of our workers listens at sip.bind, {bind}"
    assert checks["store"] == checks["worker"] == {"ok": True}


# Without a server


def test_places_that_are_not_there_are_measured_where_they_would_be(tmp_path: Path) -> None:
    assert why_short([tmp_path / "a" / "b"], 1) == ""
    assert str(tmp_path / "a") in why_short([tmp_path / "a"], 10**18)


async def test_parts_are_asked_once_a_second_and_what_fails_is_named(autojump_clock: object) -> None:
    asked = []

    async def well() -> str:
        asked.append(trio.current_time())
        return ""

    async def hangs() -> str:
        await trio.sleep_forever()
        raise AssertionError

    async def broken() -> str:
        raise RuntimeError("what nobody expected")

    async def refused() -> str:
        raise ConnectionRefusedError(111, "Connection refused")

    ready = Readiness({"well": well, "hangs": hangs, "broken": broken, "refused": refused})
    found = await ready.find()
    assert list(found) == ["well", "hangs", "broken", "refused"]
    assert (found["well"], found["hangs"]) == ("", "no answer within 2 s")
    assert "its log has more" in found["broken"]
    assert "Connection refused" in found["refused"]
    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(ready.find)
    assert len(asked) == 1
    await trio.sleep(probes.KEPT)
    await ready.find()
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("peer", "told"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("10.2.0.1", False),
        ("x", False),
    ],
)
def test_who_is_told(peer: str, told: bool) -> None:
    probes = Probes(Metrics(), Readiness({}), [ip_network("10.1.0.0/16"), ip_network("fd00::/8")])
    for place in ("ready", "metrics", "trunks"):
        assert probes.tells(place, exchange.Request("GET", f"/{place}", peer=peer)) is told
    assert probes.tells("health", exchange.Request("GET", "/health", peer=peer))


async def test_one_part_that_is_not_well_is_enough() -> None:
    assert shown({"a": "", "b": "gone"}, {}, as_json=False).status == 503
    assert shown({"a": "", "b": ""}, {}, as_json=False).status == 200


async def test_what_is_told_beside_the_parts_makes_nobody_unready() -> None:
    answer = shown({"a": ""}, {"engine": "python: no compiler"}, as_json=False)
    assert (answer.status, answer.body) == (200, "a: ok\nengine: python: no compiler\n")


def test_packets_that_are_not_checked_are_told() -> None:
    crew = object.__new__(Workers)
    crew.unchecked = "its part in C cannot be loaded"
    told = "not checked, a hostile one can end a worker: its part in C cannot be loaded"
    assert crew.packets == told


async def test_the_store_says_why_it_cannot_be_written(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path}/a.db") as store:
        before = (tmp_path / "a.db-wal").stat().st_size
        assert await store.why_unwritable() == ""
        assert (tmp_path / "a.db-wal").stat().st_size > before
        (tmp_path / "a.db").unlink()
        assert "moved away or deleted" in await store.why_unwritable()
