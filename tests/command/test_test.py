"""`ringful test` as an author meets it: output, exit codes, --update, -k, JUnit, coverage."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from junitparser import Error as JUnitError
from junitparser import Failure, JUnitXml

from ringful.command.main import run
from tests.server import RINGFUL

SCRIPT = """\
param shop = "http://shop.example"

call "+15125551234" notify "{shop}/call"

menu tries 1 for 5s {
    prompt { say "Press 1 or 2." }
    "1" { do done("yes") }
    "2" { do done("no") }
}
flow done(word) { notify "http://shop.example/order" with { outcome: word } }
"""

CASE = """\
case The buyer says yes
script ../approve.call
phone "+15125551234" {
    answer after 2s
    press "1" when "Press 1" ends after 1s
}
---
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "cases").mkdir()
    (tmp_path / "approve.call").write_text(SCRIPT)
    (tmp_path / "cases" / "yes.golden").write_text(CASE)
    monkeypatch.chdir(tmp_path)
    ringful("test", "--update")
    return tmp_path


def ringful(*arguments: str) -> int:
    """Run a command; give its exit code."""
    try:
        run(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_cases_pass_from_any_folder(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ringful("test") == 0
    assert ringful("test", "cases/yes.golden") == 0
    monkeypatch.chdir("/")
    capsys.readouterr()
    assert ringful("test", str(shop)) == 0
    assert capsys.readouterr().out == "1 passed\n"
    trace = (shop / "cases" / "yes.golden").read_text().partition("---\n")[2]
    assert "action=CalleeHangUp" not in trace
    assert 'say           "Press 1 or 2."  @approve.call:6' in trace
    assert "outcome=yes callId=call-1 at=2026-01-01T00:00:04.600Z n=2  @approve.call:10" in trace


def test_a_failure_shows_words_times_and_the_scripts_line(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = shop / "approve.call"
    script.write_text(SCRIPT.replace('do done("yes")', 'do done("maybe")').replace("Press 1 or 2", "Press 1"))
    before = (shop / "cases" / "yes.golden").read_text()
    capsys.readouterr()
    assert ringful("test") == 1
    out = capsys.readouterr().out
    assert "cases/yes.golden: the trace is another:" in out
    assert "`outcome=yes` became `outcome=maybe`" in out
    assert "= approve.call:10 | flow done(word)" in out
    assert "s earlier" in out
    assert out.endswith("0 passed, 1 failed\n")
    assert (shop / "cases" / "yes.golden").read_text() == before


def test_update_writes_the_case_and_shows_what_changed(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = shop / "cases" / "yes.golden"
    case.chmod(0o640)
    (shop / "approve.call").write_text(SCRIPT.replace('done("yes")', 'done("maybe")'))
    capsys.readouterr()
    assert ringful("test", "--update") == 0
    assert "`outcome=yes` became `outcome=maybe`" in capsys.readouterr().out
    assert case.read_text().startswith(CASE)
    assert case.stat().st_mode & 0o777 == 0o640
    assert ringful("test") == 0
    assert sorted(one.name for one in case.parent.iterdir()) == ["yes.golden"]


def test_a_case_without_a_trace_fails(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop / "cases" / "yes.golden").write_text(CASE)
    assert ringful("test") == 1
    assert "`--update` writes it" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda case, script: (case.replace("answer", "anser"), script), "did you mean `answer`?"),
        (
            lambda case, script: (case.replace("../approve", "../aprove"), script),
            "the folder has: approve.call",
        ),
        (lambda case, script: (case, script.replace("say", "sya")), "approve.call:6:"),
        (lambda case, script: (case, script.replace("done(word) {", "dnoe(word) {")), "approve.call:7:"),
        (lambda case, script: (case + "\udcff", script), "no UTF-8 text"),
    ],
)
def test_what_cannot_be_run_says_why(
    shop: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[str, str], tuple[str, str]],
    said: str,
) -> None:
    case, script = change(CASE, SCRIPT)
    (shop / "cases" / "yes.golden").write_text(case, errors="surrogateescape")
    (shop / "approve.call").write_text(script)
    assert ringful("test") == 1
    out = capsys.readouterr().out
    assert said in out
    assert "0 passed, 1 could not be run" in out


def test_an_unchecked_case_runs_a_script_with_errors(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop / "approve.call").write_text(SCRIPT.replace('say "Press 1 or 2."', "say missing"))
    (shop / "cases" / "yes.golden").write_text(f"unchecked\n{CASE}")
    assert ringful("test") == 1
    assert "+ 00:02.000  call-1  script failed" not in capsys.readouterr().out
    assert ringful("test", "--update") == 0
    assert "script failed" in (shop / "cases" / "yes.golden").read_text()


def test_what_is_shared_is_given_to_every_case_of_the_folder(shop: Path) -> None:
    cases = shop / "cases"
    (cases / "shared.given").write_text(
        'script ../approve.call\nparam shop = "http://other.example"\nsound "Press 1 or 2." 7s\n'
        'phone "+15125551234" {\n    busy\n}\n'
    )
    (cases / "busy.golden").write_text("case Nobody is free\n---\n")
    (cases / "own.golden").write_text(CASE.replace("script ../approve.call\n", ""))
    assert ringful("test", "--update") == 0
    assert "refused       busy 486" in (cases / "busy.golden").read_text()
    assert "http://other.example/call" in (cases / "busy.golden").read_text()
    assert '00:09.000  call-1  played        "Press 1 or 2."' in (cases / "own.golden").read_text()


def test_usage(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ringful("test", "nowhere") == 2
    assert ringful("test", "-k", "no such") == 2
    assert ringful("test", "--nonsense") == 2
    assert "no case here that holds 'no such'" in capsys.readouterr().err
    assert ringful("test", "-k", "YES") == 0


def test_junit_is_read_by_another_reader(shop: Path) -> None:
    cases = shop / "cases"
    (cases / "bad.golden").write_text("phoen\n---\n")
    (cases / "other.golden").write_text(CASE.replace("The buyer says yes", 'A <title> & "quotes" \x07'))
    assert ringful("test", "--junit", "results.xml") == 1
    xml = JUnitXml.fromfile(str(shop / "results.xml"))
    assert (xml.tests, xml.failures, xml.errors) == (3, 1, 1)
    (suite,) = list(xml)
    results = {case.name: case.result for case in suite}
    assert results["The buyer says yes"] == []
    assert isinstance(results['A <title> & "quotes" \N{REPLACEMENT CHARACTER}'][0], Failure)
    (error,) = results["bad"]
    assert isinstance(error, JUnitError)
    assert "did you mean `phone`?" in (error.text or "")
    assert {case.classname for case in suite} == {"cases"}


def test_coverage_names_lines_and_ways(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert ringful("test", "--coverage") == 0
    assert capsys.readouterr().out == (
        "1 passed\n"
        "approve.call: 4 of 5 statements, 1 of 4 ways on\n"
        '    5 | menu tries 1 for 5s {  <- no case takes the way: "2", timeout, otherwise\n'
        '    8 | "2" { do done("no") }  <- no case comes here\n'
        "coverage: 55.6 %\n"
    )
    assert ringful("test", "--fail-under", "55") == 0
    assert ringful("test", "--fail-under", "56") == 1


def test_coverage_of_several_cases_and_of_used_scripts(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop / "lib.call").write_text('flow done(word) { say "Bye." }\nflow never() { say "No." }\n')
    script = SCRIPT.partition("flow done")[0].replace("\ncall", '\nuse "lib.call"\n\ncall', 1)
    (shop / "approve.call").write_text(script)
    (shop / "cases" / "no.golden").write_text(CASE.replace('press "1"', 'press "2"'))
    assert ringful("test", "--update") == 0
    capsys.readouterr()
    assert ringful("test", "--coverage") == 0
    out = capsys.readouterr().out
    assert "approve.call: 4 of 4 statements, 2 of 4 ways on\n" in out
    assert "lib.call: 1 of 2 statements, 0 of 0 ways on\n    2 | flow never()" in out


def test_coverage_knows_a_script_by_whatever_path(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop / "more" / "deep").mkdir(parents=True)
    other = CASE.replace('press "1"', 'press "2"').replace("../approve", "../../approve")
    (shop / "more" / "deep" / "no.golden").write_text(other)
    assert ringful("test", "--update") == 0
    capsys.readouterr()
    assert ringful("test", "--coverage") == 0
    assert "approve.call: 5 of 5 statements, 2 of 4 ways on\n" in capsys.readouterr().out


def test_traces_do_not_depend_on_the_hash_seed() -> None:
    here = Path(__file__).parents[1]
    for seed in ("0", "1", "4711"):
        done = subprocess.run(
            [*RINGFUL, "test", str(here / "golden" / "run"), str(here.parent / "scripts")],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
