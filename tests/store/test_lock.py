"""One server for a store; what makes a database, and what does not; who may read it."""

import os
import signal
import sqlite3
import subprocess
import time
from pathlib import Path
from stat import S_IMODE

import pytest

from ringful.ground.children import spared
from ringful.media.library.speech import speak
from ringful.store.engine import parse_url
from ringful.store.lock import owned, shared
from ringful.store.open import open_store, own_store
from ringful.store.port import StoreError
from tests.forked import done
from tests.server import PATIENCE, RINGFUL, free_port, phone, receiver, server

NUMBER = "15125551234"


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def test_the_lock_is_found_by_every_path_to_the_database(tmp_path, monkeypatch):
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    (tmp_path / "other.db").symlink_to(real / "ringful.db")
    monkeypatch.chdir(real)
    with owned(parse_url(url_of(real / "ringful.db"))):
        for path in ("ringful.db", "../real/ringful.db", tmp_path / "link/ringful.db", tmp_path / "other.db"):
            with (
                pytest.raises(StoreError, match=f"process {os.getpid()}, since"),
                owned(parse_url(url_of(path))),
            ):
                pass
        uri = f"sqlite:///file:{real}/ringful.db?mode=rw&uri=true"
        with pytest.raises(StoreError, match="another server has this store"), owned(parse_url(uri)):
            pass
    with owned(parse_url(url_of(real / "ringful.db"))) as lock:
        lock.tell(["sip:127.0.0.1:5060", "http://127.0.0.1:8080"])
        with (
            pytest.raises(StoreError, match=r"since [\d: Z-]+, sip:127\.0\.0\.1:5060, http://"),
            shared(parse_url(url_of(real / "ringful.db"))),
        ):
            pass


def test_what_makes_tables_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr("ringful.store.lock.PATIENCE", 0.05)
    url = parse_url(url_of(tmp_path / "ringful.db"))
    with (
        shared(url),
        shared(url),
        pytest.raises(StoreError, match="does not say which"),
        owned(url),
    ):
        pass
    with owned(url):
        pass


async def test_tables_are_not_changed_under_a_server(tmp_path):
    path = tmp_path / "ringful.db"
    async with open_store(url_of(path)):
        pass
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0002'")
    connection.close()
    with owned(parse_url(url_of(path))), pytest.raises(StoreError, match="of another version of ringful"):
        async with open_store(url_of(path)):
            pass


async def test_a_second_owner_leaves_no_trace(tmp_path):
    path = tmp_path / "ringful.db"
    async with own_store(url_of(path)) as (_, lock):
        lock.tell(["here"])
        before = (tmp_path / "ringful.db.lock").read_bytes(), path.read_bytes()
        with pytest.raises(StoreError, match="here"):
            async with own_store(url_of(path)):
                pass
        assert ((tmp_path / "ringful.db.lock").read_bytes(), path.read_bytes()) == before


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    """A server with a call up, which is told to a web application."""
    folder = tmp_path_factory.mktemp("up")
    with (
        receiver({}) as web,
        phone("--answer-after", "0s") as (address, _),
        server(folder, address) as ringful,
    ):
        call_id = ringful.ask("Call", callee=NUMBER, callbackUrl=f"{web.url}/call")
        web.until("CallEstablished")
        yield ringful, web, call_id


def test_a_second_server_says_whose_the_store_is_and_hurts_nobody(up):
    ringful, web, call_id = up
    elsewhere = {"RINGFUL_HTTP__BIND": f"127.0.0.1:{free_port()}"}
    second = done("serve", cwd=ringful.folder, env={**ringful.environment, **elsewhere})
    assert (second.returncode, second.stdout) == (2, "")
    last = second.stderr.splitlines()[-1]
    assert f"process {ringful.process.pid}, since" in last
    assert ringful.base in last
    ringful.ask("WaitForTone", callId=call_id, tone="1")
    known = ringful.query(call_id)
    assert (known["state"], known["queue"][0]["state"]) == ("up", "running")
    assert web.actions == ["CallEstablished"]


def test_commands_beside_a_server_work(up):
    ringful, _, call_id = up
    assert call_id in ringful.command("calls", "list")
    assert "KEY" not in ringful.command("keys", "add", "another")


def test_only_its_owner_can_read_what_the_server_makes(up):
    ringful, _, call_id = up
    ringful.ask("Record", callId=call_id)
    for path in [*ringful.folder.iterdir(), *(ringful.folder / "recordings").iterdir()]:
        assert S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert {path.name for path in ringful.folder.glob("ringful.db*")} >= {
        "ringful.db",
        "ringful.db-wal",
        "ringful.db.lock",
    }


async def test_a_database_that_others_could_read_is_narrowed(tmp_path):
    path = tmp_path / "ringful.db"
    async with open_store(url_of(path)):
        pass
    path.chmod(0o644)
    async with own_store(url_of(path)):
        assert S_IMODE(path.stat().st_mode) == 0o600


def run(folder: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return done(*arguments, cwd=folder, env={**os.environ, **environment})


@pytest.mark.parametrize(
    "arguments",
    [
        ["calls", "list"],
        ["calls", "show", "r1-x"],
        ["keys", "list"],
        ["keys", "revoke", "K"],
        ["sign", "Call", "callee=15125551234"],
        ["run", "x.call"],
        ["recordings", "list"],
        ["recordings", "remove", "x.wav"],
    ],
    ids=" ".join,
)
def test_a_command_that_finds_no_database_says_so_and_makes_none(tmp_path, arguments):
    (tmp_path / "x.call").write_text('call "15125551234"\nhangup\n')
    done = run(tmp_path, *arguments)
    said = f"ringful: there is no database at {tmp_path}/ringful.db; start the server there, or name its"
    assert done.returncode == 2
    assert done.stderr.startswith(said)
    assert [path.name for path in tmp_path.iterdir()] == ["x.call"]


@pytest.mark.parametrize("arguments", [["serve"], ["keys", "add", "me"], ["calls", "list"]], ids=" ".join)
def test_a_database_of_something_else_gets_no_tables_of_ours(tmp_path, arguments):
    with sqlite3.connect(tmp_path / "ringful.db") as connection:
        connection.execute("CREATE TABLE holidays (day TEXT)")
    connection.close()
    before = (tmp_path / "ringful.db").read_bytes()
    done = run(tmp_path, *arguments, RINGFUL_SIP__BIND="127.0.0.1:0", RINGFUL_HTTP__BIND="127.0.0.1:0")
    assert done.returncode == 2
    assert "ringful.db is a database of something else (its tables: holidays)" in done.stderr
    assert (tmp_path / "ringful.db").read_bytes() == before


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_a_driver_that_is_missing_is_said_with_what_would_do(tmp_path, scheme):
    done = run(tmp_path, "keys", "add", "me", RINGFUL_STORE__URL=f"{scheme}://me@127.0.0.1:1/ringful")
    assert done.returncode == 2
    assert "psycopg" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_postgresql_is_that_of_psycopg_3():
    assert parse_url("postgresql://me@host/name").drivername == "postgresql+psycopg"


# Signals


def ended_by_a_signal_to_the_group(folder: Path, number: int) -> None:
    with receiver({}) as web, phone("--answer-after", "0s", "--calls", "1") as (address, far_end):
        with server(folder, address) as ringful:
            ringful.kill()
            ringful.start(start_new_session=True)
            call_id = ringful.ask("Call", callee=NUMBER, callbackUrl=f"{web.url}/call")
            web.until("CallEstablished")
            process = ringful.process
            os.killpg(process.pid, number)
            told = web.until("ServerHangup")
            assert (told[-1][1]["callId"], told[-1][1]["reason"]) == (call_id, "shutdown")
            assert ringful.gone() == 0
            line = ringful.command("calls", "list")
            assert "completed" in line
        # The far end was told, by a BYE: the phone has had its one call, and leaves.
        assert far_end.wait(PATIENCE) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_the_whole_group_lets_the_calls_end_properly(tmp_path, number):
    ended_by_a_signal_to_the_group(tmp_path, number)


def test_a_terminal_that_is_closed_lets_the_calls_end_properly(tmp_path):
    with (
        receiver({}) as web,
        phone("--answer-after", "0s") as (address, _),
        server(tmp_path, address) as ringful,
    ):
        ringful.kill()
        master, terminal = os.openpty()
        process = subprocess.Popen(
            [*RINGFUL, "serve"],
            cwd=tmp_path,
            env=ringful.environment,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )
        try:
            os.close(terminal)
            said = b""
            while b"http" not in said:
                said += os.read(master, 4096)
            ringful.ask("Call", callee=NUMBER, callbackUrl=f"{web.url}/call")
            web.until("CallEstablished")
            os.close(master)
            # What a session's leader is sent by the kernel, if the terminal is its own.
            process.send_signal(signal.SIGHUP)
            assert web.until("ServerHangup")[-1][1]["reason"] == "shutdown"
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
            process.wait()


async def test_the_synthesizer_is_deaf_to_signals(tmp_path, monkeypatch):
    program = tmp_path / "espeak-ng"
    program.write_text('#!/bin/sh\nfor one in TERM INT HUP; do kill -$one $$; done\necho spoken > "$7"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    await speak("Hello.", None, tmp_path / "spoken.wav")
    assert (tmp_path / "spoken.wav").read_text() == "spoken\n"


def test_a_signal_before_it_is_ready_ends_the_server_at_once(tmp_path):
    environment = {**os.environ, "RINGFUL_SIP__BIND": "127.0.0.1:0", "RINGFUL_HTTP__BIND": "127.0.0.1:0"}
    process = subprocess.Popen(
        [*RINGFUL, "serve"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + PATIENCE
    while not (tmp_path / "ringful.db").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said.decode()


def test_a_child_is_deaf_to_signals_from_its_first_instruction_on():
    program = "import signal, sys; sys.stdout.write(str(sorted(signal.pthread_sigmask(0, []))))"
    with spared():
        found = subprocess.run(["python3", "-c", program], capture_output=True, text=True, check=True)
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        assert name in found.stdout
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, []) & {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
