"""Every example of docs/testing.md is what happens."""

import re
from pathlib import Path

import pytest

from ringful.command.main import run
from ringful.grammar.errors import ScriptError
from ringful.simulation.cases.reader import parse_case

TEXT = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
FENCES: list[tuple[str, str, str]] = re.findall(
    r"^```(\w+) ?([\w.]*)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE
)


def fences(kind: str) -> list[tuple[str, str]]:
    return [(name, body) for one, name, body in FENCES if one == kind]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, body in fences("file"):
        (tmp_path / name).write_text(body)
    monkeypatch.chdir(tmp_path)
    run(["test", "--update"])
    return tmp_path


def test_every_kind_of_fence_is_tested() -> None:
    kinds = {kind for kind, _, _ in FENCES}
    assert kinds == {"file", "trace", "text", "wrong", "problem", "coverage", "mutants", "sweep"}


def test_the_trace(folder: Path) -> None:
    for name, body in fences("trace"):
        assert (folder / name).read_text().partition("---\n")[2] == body


def test_the_coverage(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (name, shown) = fences("coverage")[0]
    run(["test", "--coverage", name])
    assert shown in capsys.readouterr().out


def test_the_mutants(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (name, shown) = fences("mutants")[0]
    run(["test", "--mutate", name])
    assert shown in capsys.readouterr().out


def test_the_sweep_finds_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["test", "--sweep", "club.golden", "refund.golden"])
    assert "0 things broken" in capsys.readouterr().out


def test_the_sweep_finds_what_is_promised_and_not_kept(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (name, shown) = fences("sweep")[0]
    with pytest.raises(SystemExit):
        run(["test", "--sweep", name])
    told = capsys.readouterr().out
    assert shown in told
    assert "no `.state`" in told


def test_the_sweeps_example_is_what_a_sweep_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    example = next(body for _, body in fences("text") if body.startswith("sweep:"))
    lines = [line[4:] for line in example[example.index("    case") :].splitlines()]
    (tmp_path / "voicemail.golden").write_text("\n".join(lines[:-1]) + "\n---\n")
    monkeypatch.chdir(tmp_path)
    run(["test", "--update"])
    capsys.readouterr()
    with pytest.raises(SystemExit):
        run(["test", "--sweep"])
    assert example[example.index("  script:3") :] in capsys.readouterr().out


def test_the_wrong_example(tmp_path: Path) -> None:
    for name, body in fences("file"):
        (tmp_path / name).write_text(body)
    (_, wrong), (_, shown) = fences("wrong")[0], fences("problem")[0]
    with pytest.raises(ScriptError) as caught:
        parse_case(wrong, tmp_path / "wrong.golden")
    assert str(caught.value).replace(f"{tmp_path}/wrong.golden:", "") + "\n" == shown


def test_every_word_of_the_form_is_told_of() -> None:
    source = Path(__file__).parents[2] / "simulation" / "cases"
    words = re.findall(r'^            "(\w+)": self\._', (source / "reader.py").read_text(), re.MULTILINE)
    steps = re.findall(r'^    "(\w+)": ', (source / "steps.py").read_text(), re.MULTILINE)
    assert len(words) > 10
    assert len(steps) > 8
    for word in (*words, *steps):
        assert re.search(rf"`{word}\b", TEXT), word
