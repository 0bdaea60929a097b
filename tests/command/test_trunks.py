"""Trunks of a running server: registered, watched, told of; and `ringful trunks`."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
import trio
import trio.testing

from ringful.media.trunking.names import Names
from tests.command.test_log import lines_of
from tests.forked import done
from tests.registrar import Registrar, registrar
from tests.server import PATIENCE, Server, free_port, server

DEFAULT = "127.0.0.1:5070"


def section(name: str, far: Registrar, **more: object) -> str:
    keys = {"address": far.address, "username": far.username, "password": far.password, **more}
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    return "\n".join([f"[sip.trunks.{name}]", *lines, "", ""])


@contextmanager
def serving(folder: Path, *sections: str) -> Iterator[tuple[Server, Path]]:
    folder.mkdir()
    (folder / "ringful.toml").write_text("".join(sections))
    log = folder / "log"
    with log.open("w") as out:
        more = {"RINGFUL_LOG__FORMAT": "json", "RINGFUL_SIP__OPTIONS": "true"}
        with server(folder, DEFAULT, log=out, **more) as running:
            yield running, log


def eventually(found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def ready(running: Server) -> tuple[int, str]:
    try:
        with urlopen(f"{running.base}/ready", timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def trunks(folder: Path, *arguments: str) -> tuple[int, str, str]:
    ended = done("trunks", *arguments, cwd=folder)
    return ended.returncode, ended.stdout, ended.stderr


def events(log: Path) -> list[str]:
    return [line["event"] for line in lines_of(log.read_text())]


def test_a_server_registers_and_says_how_its_trunks_stand(tmp_path: Path) -> None:
    with (
        registrar(algorithms=("SHA-256", "MD5")) as north,
        registrar(refuses={"REGISTER": 403, "OPTIONS": 503}) as south,
    ):
        tables = section("north", north, register=True), section("south", south, register=True)
        with serving(tmp_path / "s", *tables) as (running, log):
            assert north.wait_for("REGISTER 200", "OPTIONS 200")
            assert list(north.bindings) == [f"sip:alice@{running.sip}"]
            assert north.algorithms_used == ["SHA-256"]
            assert south.wait_for("REGISTER 403", "OPTIONS 503")
            eventually(lambda: "south: not registered: the trunk forbids" in ready(running)[1])
            eventually(lambda: "north: registered; answers in" in ready(running)[1])
            # One that takes calls is enough.
            assert ready(running)[0] == 200
            with urlopen(f"{running.base}/metrics", timeout=PATIENCE) as answer:
                metrics = answer.read().decode().splitlines()
            assert 'ringful_trunk_registered{trunk="north"} 1.0' in metrics
            assert 'ringful_trunk_registered{trunk="south"} 0.0' in metrics
            assert 'ringful_trunk_registration_failures_total{trunk="south"} 1.0' in metrics
            assert 'ringful_trunk_alive{trunk="south"} 0.0' in metrics
            code, out, _ = trunks(running.folder, "list", "--url", running.base)
            assert code == 0
            rows = {line.split()[0]: line for line in out.splitlines()}
            assert north.address in rows["north"]
            assert " no " in rows["south"]
            said = [line for line in lines_of(log.read_text()) if line.get("trunk") == "south"]
            assert any("sip.trunks.south.from_number" in line.get("why", "") for line in said)
            # Its end is the registration's.
            assert running.process
            running.process.terminate()
            running.process.wait(PATIENCE)
        assert north.bindings == {}
    assert events(log).count("registered with a trunk") == 1
    assert events(log).count("a trunk does not have us registered") == 1


def test_a_server_whose_only_trunk_refuses_it_is_not_ready(tmp_path: Path) -> None:
    with registrar(password="another") as far:
        wrong = section("only", far, register=True, password="wrong")
        with serving(tmp_path / "s", wrong) as (running, _):
            eventually(lambda: ready(running)[0] == 503)
            assert "does not take our credentials" in ready(running)[1]
            assert "sip.trunks.only.password" in ready(running)[1]
        assert far.heard.count("REGISTER 401") == 2


@pytest.mark.parametrize(
    ("far", "more", "code", "said"),
    [
        ({}, {}, 0, "credentials: taken: alice@127.0.0.1"),
        ({"algorithms": ("SHA-256",)}, {}, 0, "credentials: taken"),
        ({}, {"password": "wrong"}, 1, "credentials: the trunk does not take our credentials (401): correct"),
        ({"refuses": {"REGISTER": 404}}, {}, 1, "it does not know alice@127.0.0.1 (404)"),
        ({"refuses": {"REGISTER": 405}}, {}, 1, "only a call shows"),
        ({"refuses": {"OPTIONS": 403}}, {}, 1, "OPTIONS: answered in"),
        ({}, {"address": "nowhere.invalid"}, 1, "name: its name cannot be resolved"),
        ({}, {"address": "127.0.0.1:9"}, 1, "OPTIONS: nothing listens there"),
        (
            {},
            {"address": "127.0.0.1:9", "transport": "tcp"},
            1,
            "OPTIONS: nothing listens there",
        ),
    ],
)
def test_a_trunk_that_is_tried(
    tmp_path: Path, far: dict[str, object], more: dict[str, object], code: int, said: str
) -> None:
    with registrar(**far) as made:
        made.bindings["sip:alice@elsewhere"] = 300
        (tmp_path / "ringful.toml").write_text(section("north", made, **more))
        found, out, err = trunks(tmp_path, "test", "north")
        assert (found, said in out) == (code, True), out + err
        # Who is registered there stays so.
        assert made.bindings == {"sip:alice@elsewhere": 300}


def test_a_trunk_that_there_is_not(tmp_path: Path) -> None:
    code, _, err = trunks(tmp_path, "test", "north")
    assert (code, err) == (2, "ringful: there is no trunk north; there are: trunk\n")
    code, _, err = trunks(tmp_path, "list", "--url", f"http://127.0.0.1:{free_port()}")
    assert code == 2
    assert "no server answers" in err


async def test_a_name_is_asked_for_once_and_an_old_answer_is_better_than_none(
    monkeypatch: pytest.MonkeyPatch, mock_clock: trio.testing.MockClock
) -> None:
    asked: list[str] = []
    answers: list[object] = ["192.0.2.1", OSError("dead"), "192.0.2.2"]

    def look_up(host: str) -> tuple[str, ...]:
        asked.append(host)
        found = answers.pop(0)
        if isinstance(found, OSError):
            raise found
        return (str(found),)

    monkeypatch.setattr("ringful.media.trunking.names._look_up", look_up)
    names, found = Names(), []

    async def ask() -> None:
        found.append(await names.addresses("sip.example.com"))

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(ask)
    assert (found, len(asked)) == ([("192.0.2.1",)] * 5, 1)
    mock_clock.jump(31)
    assert await names.addresses("sip.example.com") == ("192.0.2.1",)
    assert len(asked) == 2
    mock_clock.jump(3)
    assert await names.addresses("sip.example.com") == ("192.0.2.2",)
    assert await names.addresses("203.0.113.9") == ("203.0.113.9",)
    assert len(asked) == 3
    answers.append(OSError("no such name"))
    with pytest.raises(OSError, match="no such name"):
        await names.addresses("nowhere.example.com")
