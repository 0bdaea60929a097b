"""What the log says of calls and trunks, and what it must never say."""

import io
import json
import logging
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

from ringful.ground import log as ground_log
from ringful.ground.faults import fault
from ringful.ground.log import scrubbed
from ringful.interpreter.calls.log import who
from ringful.interpreter.calls.trunk_failures import Trunk, failure, host_of, kind_of, trunk_of
from ringful.interpreter.leg import Leg
from tests.command.test_run import run, written
from tests.server import PATIENCE, RINGFUL, Server, phone, receiver, server
from tests.trunk import Trunk as FalseTrunk
from tests.trunk import false_trunk

ROOT = Path(__file__).parents[2]
NUMBER = "15125551234"
WORDS = "open sesame"
PIN = "835291"


@contextmanager
def logging_to(form: str, level: str = "info") -> Iterator[io.StringIO]:
    """Log to a text, and leave all as it was."""
    kept, root = structlog.get_config(), logging.getLogger()
    handlers, threshold = list(root.handlers), root.level
    out = io.StringIO()
    ground_log.set_up(form, level, out)
    try:
        yield out
    finally:
        structlog.configure(**kept)
        root.handlers[:] = handlers
        root.setLevel(threshold)


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


# The log itself


def test_ours_and_the_libraries_lines_are_alike_in_both_forms() -> None:
    with logging_to("json") as out:
        structlog.get_logger().info("ours", call="r1-a", n=3)
        logging.getLogger("another.library").warning("theirs %s", "x")
        logging.getLogger("httpx2").info("GET http://h/secret")
    ours, theirs = lines_of(out.getvalue())
    assert (ours["level"], ours["event"], ours["call"], ours["n"]) == ("info", "ours", "r1-a", 3)
    assert (theirs["level"], theirs["event"], theirs["logger"]) == ("warning", "theirs x", "another.library")
    with logging_to("text") as out:
        structlog.get_logger().info("ours", call="r1-a")
        logging.getLogger("another.library").warning("theirs")
    assert re.search(r"info +\] ours +call=r1-a\n", out.getvalue())
    assert re.search(r"warning +\] theirs +\[another.library\]\n", out.getvalue())


@pytest.mark.parametrize(
    ("level", "said"), [("debug", "diwe"), ("info", "iwe"), ("warning", "we"), ("error", "e")]
)
def test_the_level_says_what_is_left_out(level: str, said: str) -> None:
    with logging_to("json", level) as out:
        log = structlog.get_logger()
        log.debug("d")
        log.info("i")
        log.warning("w")
        log.error("e")
    assert "".join(line["event"] for line in lines_of(out.getvalue())) == said


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_fault_shows_its_traceback_and_no_local_variable(form: str) -> None:
    def fail() -> None:
        pin = int("4711") * 10**6
        raise ValueError(f"http://user:hidden@h.example/{len(str(pin))}")

    with logging_to(form) as out:
        try:
            fail()
        except ValueError as error:
            told = fault("trying", error, call="r1-a")
    assert "in fail" in out.getvalue()
    assert told.split()[-1] in out.getvalue()
    assert not re.search("4711000000|hidden", out.getvalue())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://user:pass@host/", "http://host"),
        ("see https://h.example:8443/a/b?pin=1#x, or not", "see https://h.example:8443 or not"),
        ("wss://[::1]:80/x", "wss://[::1]:80"),
        ("http://h:99999999/x", "http://…"),
        ("user:pass@host:80", "host:80"),
        ("sip:me:pass@host;transport=tcp", "sip:me@host;transport=tcp"),
        ("postgresql+psycopg://u:p@db/ringful", "postgresql+psycopg://db"),
        ("a\nb\x1b[2J\u2028c", "a\\nb\\x1b[2J\\u2028c"),
        ("nothing to hide: 12:30, a@b", "nothing to hide: 12:30, a@b"),
    ],
)
def test_urls_are_shown_as_scheme_and_host_and_nothing_moves_the_cursor(text: str, shown: str) -> None:
    assert scrubbed(text) == shown


def test_what_must_never_be_shown_is_not_whoever_gives_it() -> None:
    with logging_to("json") as out:
        structlog.get_logger().error("e", digits="4711", text="hello", why="it failed", secret="s3", n=None)
    (line,) = lines_of(out.getvalue())
    assert [line[name] for name in ("digits", "text", "secret", "why", "n")] == [
        "…",
        "…",
        "…",
        "it failed",
        None,
    ]


def test_a_log_that_cannot_be_written_ends_nothing() -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    out = Full()
    kept = structlog.get_config()
    handlers = list(logging.getLogger().handlers)
    ground_log.set_up("text", "info", out)
    try:
        structlog.get_logger().error("nobody reads this")
        logging.getLogger("another.library").error("nor this")
    finally:
        structlog.configure(**kept)
        logging.getLogger().handlers[:] = handlers


# What a trunk's refusal means


TRUNK = Trunk("sip.example:5080")


@pytest.mark.parametrize(
    ("status", "rang", "words", "kind"),
    [
        (407, False, "asks for credentials (407): set sip.username and sip.password", "credentials"),
        (401, False, "asks for credentials (401)", "credentials"),
        (403, False, "sip.from_number", "forbidden"),
        (408, False, "firewall", "timeout"),
        (488, False, "G.711", "codec"),
        (503, False, "no line free", "unavailable"),
        (500, False, "a fault of its own", "unavailable"),
        (302, False, "elsewhere (302)", "other"),
        (420, False, "does not take our request (420)", "other"),
        (486, True, None, ""),
        (404, False, None, ""),
        (408, True, None, ""),
        (603, False, None, ""),
    ],
)
def test_a_status_in_words(status: int, rang: bool, words: str | None, kind: str) -> None:
    said = failure(TRUNK, NUMBER, "unreachable", status, "", rang=rang)
    assert words in said if words else said is None  # type: ignore[operator]
    assert kind_of("unreachable", status, rang=rang) == kind


def test_credentials_that_are_refused_and_names_that_are_nobodys() -> None:
    said = failure(Trunk("h", "me"), NUMBER, "rejected", 407, "", rang=False)
    assert said == "the trunk does not take our credentials (407): correct sip.username and sip.password"
    said = failure(TRUNK, NUMBER, "unreachable", None, "the trunk's name cannot be resolved", rang=False)
    assert said
    assert "correct sip.trunk" in said
    assert failure(TRUNK, NUMBER, "cancelled", 487, "", rang=True) is None
    assert trunk_of("sip:u@sip.example:5080;transport=tcp", "") == TRUNK
    assert host_of(TRUNK, "sip:a:b@other.example;x=y") == "other.example"


@pytest.mark.parametrize(
    ("ended_by", "closing", "refused", "by"),
    [
        ("callee", "far end", None, "far end"),
        ("callee", "script", None, "far end"),
        ("server", "script", None, "script"),
        ("server", "api", None, "request"),
        ("server", "shutdown", None, "server"),
        ("server", "max duration", None, "max duration"),
        ("callee", "transferred", None, "transfer"),
        ("lost", "far end", None, "lost"),
        (None, "far end", "busy", "far end"),
        (None, "far end", "unreachable", "trunk"),
        (None, "no answer", "noanswer", "ring timeout"),
        (None, "far end", "capacity", "server"),
    ],
)
def test_who_ended_a_leg(ended_by: str | None, closing: str, refused: Any, by: str) -> None:
    leg = Leg("a", NUMBER, closing=closing, ended_by=ended_by, refused=refused)
    assert who(leg, ended_by) == by


# A real server


class Told:
    """A server and the log that it writes."""

    def __init__(self, running: Server, log: Path) -> None:
        self.server, self.log = running, log

    def asking(self) -> Server:
        """Give the server, its seq where that of `ringful run` is: at the milliseconds."""
        self.server.seq = time.time_ns() // 1_000_000
        return self.server

    def of(self, call_id: str) -> list[dict[str, Any]]:
        return [line for line in lines_of(self.log.read_text()) if line.get("call") == call_id]


@contextmanager
def logged(folder: Path, trunk: str, **environment: str) -> Iterator[Told]:
    folder.mkdir(exist_ok=True)
    bare = folder / "bin"
    bare.mkdir()
    log = folder / "log"
    with log.open("w") as out:
        environment = {"RINGFUL_LOG__FORMAT": "json", "PATH": str(bare), **environment}
        with server(folder, trunk, log=out, **environment) as running:
            yield Told(running, log)


@pytest.fixture(scope="module")
def line() -> Iterator[str]:
    """A phone that answers, and presses a secret."""
    presses = [part for n, key in enumerate(PIN) for part in ("--press", f"{key}@{0.3 + n * 0.3:.1f}s")]
    with phone("--answer-after", "0.1s", *presses) as (address, _):
        yield address


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, line: str) -> Iterator[Told]:
    """A server without a speech synthesizer, whose log is JSON."""
    with logged(tmp_path_factory.mktemp("server") / "s", line) as made:
        yield made


def id_of(err: str) -> str:
    return err.split()[1]


def test_a_call_has_a_line_for_its_beginning_and_one_for_its_end(told: Told, tmp_path: Path) -> None:
    code, _, err = run(told.server, written(tmp_path, f'call "{NUMBER}"\nwait 100ms\n'))
    assert code == 0, err
    begins, ended = told.of(id_of(err))
    same = {"key": told.server.key, "name": "test", "direction": "outbound", "number": NUMBER}
    assert begins.items() >= ({"event": "a call begins", "level": "info"} | same).items()
    end = {"event": "a call has ended", "outcome": "completed", "by": "script", "seconds": 1, "bill": "0"}
    assert ended.items() >= (end | same).items()


def test_what_is_secret_keyed_or_said_is_in_no_line_and_no_url_is_whole(told: Told, tmp_path: Path) -> None:
    with receiver({}) as web:
        host = web.url.removeprefix("http://")
        url = f"http://agent:hunter2@{host}/missing-830561.wav?token=abcdef"
        text = f"""call "{NUMBER}" notify "{url}"
gather pin secret digits 6 for 8s
say "{WORDS}"
play "{url}"
let key = "9081" + "7263"
play "digit-{{key}}"
ask "{url}" with {{ pin: pin }} as answer for 2s else {{ wait 1ms }}
"""
        code, out, err = run(told.server, written(tmp_path, text))
    assert code == 1, err
    assert "3 sounds could not be made" in err
    failed = [one for one in told.of(id_of(err)) if one["event"] == "a sound could not be made"]
    assert [one["sound"] for one in failed] == ["speech", f"http://{host}", "announcement"]
    assert "espeak-ng" in failed[0]["why"]
    assert "pressed" in out
    said = json.dumps([{**one, "timestamp": ""} for one in lines_of(told.log.read_text())])
    hidden = (PIN, WORDS, "hunter2", "agent", "abcdef", "830561", "90817263", "missing", told.server.secret)
    assert [one for one in hidden if one in said] == []


def test_a_sound_that_cannot_be_made_is_told_by_query_and_by_run(told: Told, tmp_path: Path) -> None:
    text = f'call "{NUMBER}"\nsay "{WORDS}"\nsay "{WORDS}"\n'
    code, _, err = run(told.server, written(tmp_path, text))
    why = "there is no speech synthesizer here: install espeak-ng"
    assert (code, err.splitlines()[-1].partition("but ")[2]) == (1, f"2 sounds could not be made: {why}")
    known = told.asking().query(id_of(err))
    assert known["outcome"] == "completed"
    assert known["failures"] == [{"what": "play", "why": why, "times": 2}]
    assert told.of(id_of(err))[-1]["failures"] == 2


def test_a_recordings_folder_that_is_gone_is_made_anew_or_told(told: Told, tmp_path: Path) -> None:
    folder = told.server.folder / "recordings"
    shutil.rmtree(folder)
    script = written(tmp_path, f'call "{NUMBER}"\nrecord for 200ms\n')
    code, _, err = run(told.server, script)
    assert code == 0, err
    assert [file.name for file in folder.iterdir()] == [f"{id_of(err)}.wav"]
    shutil.rmtree(folder)
    folder.write_text("in the way")
    with receiver({}) as web:
        text = f'call "{NUMBER}"\nrecord for 200ms notify "{web.url}/r"\n'
        code, _, err = run(told.server, written(tmp_path, text))
        fields = web.until("RecordFailed")[-1][1]
    folder.unlink()
    assert (code, "1 recording could not be made" in err) == (1, True)
    assert "Not a directory" in fields["reason"]
    (warned,) = [one for one in told.of(id_of(err)) if one["level"] == "warning"]
    assert (warned["event"], "Not a directory" in warned["why"]) == ("a recording could not be made", True)


def test_a_recording_that_is_deleted_while_it_is_written_has_failed(told: Told, tmp_path: Path) -> None:
    with receiver({}) as web:
        call_id = told.asking().ask("Call", callee=NUMBER)
        told.asking().ask("Record", callId=call_id, callbackUrl=f"{web.url}/r")
        web.until("RecordStart")
        shutil.rmtree(told.server.folder / "recordings")
        told.asking().ask("Hangup", callId=call_id)
        web.until("RecordFailed")
    assert "RecordComplete" not in web.actions


@pytest.mark.parametrize(
    ("status", "words"),
    [(407, "set sip.username and sip.password"), (403, "forbids"), (503, "no line free"), (488, "G.711")],
)
def test_a_trunk_that_refuses_is_told_with_what_would_help(
    refusing: tuple[Told, FalseTrunk], tmp_path: Path, status: int, words: str
) -> None:
    told, trunk = refusing
    trunk.status = status
    code, _, err = run(told.server, written(tmp_path, f'call "{NUMBER}"\nwait 1s\n'))
    assert code == 1, err
    (warned,) = [one for one in told.of(id_of(err)) if one["level"] == "warning"]
    assert (warned["event"], warned["sip"]) == ("the trunk did not take a call", status)
    assert warned["host"] == trunk.address
    assert words in warned["why"]
    ended = told.of(id_of(err))[-1]
    assert (ended["event"], ended["sip"]) == ("a call has ended", status)


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Told, FalseTrunk]]:
    with (
        false_trunk() as trunk,
        logged(tmp_path_factory.mktemp("refused") / "s", trunk.address) as told,
    ):
        yield told, trunk


def test_a_trunk_that_has_no_address(tmp_path: Path) -> None:
    with logged(tmp_path / "s", "nowhere.invalid") as told:
        code, _, err = run(told.server, written(tmp_path, f'call "{NUMBER}"\nwait 1s\n'))
        assert code == 1, err
        (warned,) = [one for one in told.of(id_of(err)) if one["level"] == "warning"]
        assert (warned["host"], "cannot be resolved: correct sip.trunk" in warned["why"]) == (
            "nowhere.invalid",
            True,
        )


def test_a_phone_that_is_busy_is_no_failure_of_the_trunk(told: Told, tmp_path: Path) -> None:
    with phone("--status", "486") as (address, _):
        text = f'call "sip:1@{address}"\nwait 1s\n'
        with logged(tmp_path / "s", address, RINGFUL_SIP__ALLOW_SIP_URIS="true") as mine:
            code, _, err = run(mine.server, written(tmp_path, text))
            assert code == 1
            begins, ended = mine.of(id_of(err))
    assert begins["number"] == f"sip:1@{address}"
    assert (ended["outcome"], ended["sip"], ended["by"]) == ("busy", 486, "far end")


def test_a_call_that_comes_in_is_told_too(told: Told, tmp_path: Path) -> None:
    told.asking().ask("Number", number="18005550000", callbackUrl="http://127.0.0.1:1/")
    done = subprocess.run(
        [*RINGFUL, "phone", "--call", "18005550000", "--server", told.server.sip,
         "--caller-id", "15125550001",
         "--give-up-after", "1s"],
        capture_output=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1)
    (begins,) = [one for one in lines_of(told.log.read_text()) if one.get("direction") == "inbound"][:1]
    assert begins["event"] == "a call begins"
    assert (begins["number"], begins["caller"]) == ("+18005550000", "+15125550001")


# The page about it

LOGGED = re.compile(
    r'\blog\.(?:info|warning|error|exception)\(\s*"([^"]+)"|LogLine\((?:"\w+"|\w+), f?"([^"]+)"'
)


def test_every_line_that_can_be_logged_has_its_meaning_in_the_docs() -> None:
    page = (ROOT / "docs" / "operation.md").read_text()
    section = page.partition("## What each line of the log means")[2].partition("\n## ")[0]
    said = set()
    for room in ("command", "ground", "http", "interpreter", "media", "messages", "store"):
        for path in (ROOT / room).rglob("*.py"):
            said |= {one or other for one, other in LOGGED.findall(path.read_text())}
    said |= {one.replace("{what}", what) for one in said for what in ("a call", "a script")}
    said = {one for one in said if "{" not in one}
    assert len(said) > 20
    listed = set(re.findall(r"^\| `([^`]+)` \| (?:info|warning|error)", section, re.MULTILINE))
    assert listed == said
