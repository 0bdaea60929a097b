"""Cases in several processes: as in one, and whatever becomes of a process, the other cases are tried.

A case that is a pipe keeps its process for as long as the test wants, and tells the test that it does.
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ringful.simulation.cases.spread import FEW, processes, try_spread
from ringful.simulation.cases.verdicts import Verdict, find_cases, try_cases
from tests.server import RINGFUL

CASE = """\
case Number {number} is told
script {{
    let number = {number}
    notify "http://shop.example/{number}" with {{ number: number }}
}}
---
"""


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    """A folder of cases: some pass, some fail, one cannot be read, one warns."""
    for number in range(40):
        (tmp_path / f"{number:02}.golden").write_text(CASE.format(number=number))
    assert all(one.state == "updated" for one in try_cases(find_cases((tmp_path,)), update=True))
    for number in (3, 17, 38):
        path = tmp_path / f"{number:02}.golden"
        path.write_text(path.read_text().replace(f"let number = {number}", "let number = 99"))
    (tmp_path / "20.golden").write_text("phone 20\n---\n")
    warned = tmp_path / "25.golden"
    warned.write_text('web "http://nobody.example" -> 1\n' + warned.read_text())
    return tmp_path


def ringful(folder: Path, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run([*RINGFUL, "test", *arguments], cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def said(verdict: Verdict) -> tuple[Path, str, str, str]:
    return verdict.path, verdict.title, verdict.state, verdict.said


def test_several_processes_say_what_one_says(cases: Path) -> None:
    alone = ringful(cases, "--jobs", "1")
    assert alone[0] == 1
    assert alone[1].endswith("36 passed, 3 failed, 1 could not be run\n")
    assert "25.golden: warning" in alone[1]
    assert ringful(cases, "--jobs", "3") == alone
    assert ringful(cases, "--jobs", "99") == alone


def test_several_processes_write_what_one_writes(cases: Path) -> None:
    before = {path.name: path.read_text() for path in cases.iterdir()}
    alone = ringful(cases, "--update", "--jobs", "1")
    written = {path.name: path.read_text() for path in cases.iterdir()}
    for name, text in before.items():
        (cases / name).write_text(text)
    assert ringful(cases, "--update", "--jobs", "3") == alone
    assert {path.name: path.read_text() for path in cases.iterdir()} == written != before


def test_few_cases_are_not_worth_a_process() -> None:
    assert processes(FEW - 1) == 1
    assert processes(FEW) == min(FEW, len(os.sched_getaffinity(0)))


def test_no_processes_are_no_answer(cases: Path) -> None:
    assert ringful(cases, "--jobs", "0") == (2, "", "ringful: --jobs: 0 processes can do nothing\n")


@contextmanager
def at_a_pipe(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start `ringful test` in *folder*, and give it with the process that reads the case ``30``, a pipe."""
    pipe = folder / "30.golden"
    pipe.unlink()
    os.mkfifo(pipe)
    command = [*RINGFUL, "test", *arguments]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as testing:
        try:
            with pipe.open("wb", buffering=0) as ours:
                # More than a pipe holds: when this is written, somebody reads.
                ours.write(b"#" * 100_000)
                yield testing, _reader(pipe)
        finally:
            testing.kill()


def _reader(pipe: Path) -> int:
    found = set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(link) == str(pipe):
                found.add(int(link.parts[2]))
        except OSError:
            continue  # It has ended meanwhile, or is another user's.
    (reader,) = found - {os.getpid()}
    return reader


def test_a_case_that_ends_its_process_is_told_by_name(cases: Path) -> None:
    _, before, _ = ringful(cases, "--jobs", "1")
    with at_a_pipe(cases, "--jobs", "2") as (testing, reader):
        assert reader != testing.pid
        os.kill(reader, signal.SIGKILL)
        out, err = testing.communicate()
    told = "30.golden: it cannot be run:\n  its process was ended by SIGKILL\n\n"
    begun, _, rest = before.partition("38.golden")
    rest = rest.replace("36 passed, 3 failed, 1 could", "35 passed, 3 failed, 2 could")
    assert (out, err, testing.returncode) == (f"{begun}{told}38.golden{rest}", "", 1)


def test_a_case_that_hangs_is_told_by_name_and_the_next_is_tried(cases: Path) -> None:
    pipe = cases / "00.golden"
    pipe.unlink()
    os.mkfifo(pipe)
    hung, passed = try_spread([pipe, cases / "01.golden"], 1, patience=2.0)
    why = "nothing came of it for 2 s, so its process was ended"
    assert said(hung) == (pipe, "00", "wrong", why)
    assert passed.state == "passed"


def test_ctrl_c_ends_all(cases: Path) -> None:
    with at_a_pipe(cases, "--jobs", "2") as (testing, reader):
        # A terminal sends it to all of them.
        os.killpg(testing.pid, signal.SIGINT)
        _, err = testing.communicate()
        assert (err, testing.returncode) == ("", 130)
        with pytest.raises(ProcessLookupError):
            os.kill(reader, 0)
        with pytest.raises(ProcessLookupError):
            os.killpg(testing.pid, 0)
