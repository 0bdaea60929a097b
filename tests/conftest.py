"""Golden cases: text files whose input stands above what must come out.

A test marked ``@pytest.mark.golden("parse/*.golden")`` runs once for each matching file under
tests/golden and takes it as the argument ``case``.  A file opens with a sentence that says what it
shows; ``== name`` begins a section.  ``pytest --update-golden`` rewrites what is expected, and a
reviewer reads the difference.
"""

import os
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from ringful.media import templates
from tests import forked

ROOT = Path(__file__).parent.parent
GOLDEN = Path(__file__).parent / "golden"

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As in the background of a shell: what tests start would take no SIGINT either.
    signal.signal(signal.SIGINT, signal.default_int_handler)


class GoldenCase:
    """One golden file: ``case["script"]`` reads a section, ``case.expect("problems", text)`` holds one."""

    def __init__(self, path: Path, update: bool) -> None:
        self.path = path
        self._update = update
        title, *parts = ("\n" + path.read_text(encoding="utf-8")).split("\n== ")
        self.title = title.strip()
        self.sections: dict[str, str] = {}
        for part in parts:
            name, _, body = part.partition("\n")
            self.sections[name.strip()] = body.strip("\n") + "\n" if body.strip("\n") else ""

    def __getitem__(self, name: str) -> str:
        return self.sections[name]

    def get(self, name: str, default: str = "") -> str:
        """Give a section that a case may leave out."""
        return self.sections.get(name, default)

    def expect(self, name: str, text: str) -> None:
        """Hold that section *name* says *text*; outer blank lines do not count."""
        text = text.strip("\n") + "\n" if text.strip("\n") else ""
        if self._update and self.sections.get(name) != text:
            self.sections[name] = text
            self._write()
        assert name in self.sections, f"{self.path.name} has no section `{name}`; run pytest --update-golden"
        assert self.sections[name] == text, f"{self.path}: section `{name}`"

    def _write(self) -> None:
        parts = [f"== {name}\n{body}" for name, body in self.sections.items()]
        self.path.write_text("\n".join([f"{self.title}\n", *parts]), encoding="utf-8")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite what golden files expect")


def pytest_configure() -> None:
    """Let a hang-up signal mean to the servers of the tests what it means, also where nohup runs these."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)


WAITING = ("media", "http", "interpreter", "simulation", "command", "docs", "store", "editor", "grammar")
"""The rooms by how much of their tests waits for real calls: those begin first, so that no process is left
alone with them in the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that wait before those that compute; within a room they stay in their order."""

    def rank(item: pytest.Item) -> int:
        room = item.path.relative_to(ROOT / "tests").parts[0]
        return WAITING.index(room) + 1 if room in WAITING else 0

    items.sort(key=rank)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    mark = metafunc.definition.get_closest_marker("golden")
    if mark is None:
        return
    paths = sorted(GOLDEN.glob(mark.args[0]))
    assert paths, f"no golden file matches {mark.args[0]}"
    cases = [GoldenCase(path, metafunc.config.getoption("--update-golden")) for path in paths]
    metafunc.parametrize("case", cases, ids=[path.stem for path in paths])


@pytest.fixture(autouse=True, scope="module")
def _log_as_ever() -> Iterator[None]:
    """Let no test's log go on: a command that ran in this process has silenced it for those that follow."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


def pytest_sessionstart() -> None:
    """Have what is forked later import everything while the tests are collected, where many will be run."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        forked.begin()


@pytest.fixture(autouse=True, scope="module")
def _forked_templates(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fork the templates of media workers too, but where they are what is tested."""
    with pytest.MonkeyPatch.context() as patch:
        if not getattr(request.module, "OWN_TEMPLATES", False):
            patch.setattr(templates, "launch", forked.media_template)
        yield


@pytest.fixture(scope="session")
def wheel_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a wheel from a copy of the sources, so that nothing old lies in its build folder."""
    copy, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    for room in sorted({name.split(".")[1] for name in setup["package-dir"]}):
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    for name in ("pyproject.toml", "setup.py", "backend.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--no-deps", "--no-index"]
    built = subprocess.run(
        [*pip, "--no-build-isolation", "--wheel-dir", str(out), str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (made,) = out.glob("*.whl")
    return made
