"""Authors elsewhere: `ringful test` with nothing but the installed package, in a folder of their own."""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

DOCS = (Path(__file__).parents[1] / "docs" / "testing.md").read_text(encoding="utf-8")
FILES: list[tuple[str, str]] = re.findall(r"^```file ([\w.]+)\n(.*?)^```$", DOCS, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def installed(wheel_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a fresh environment, which sees our libraries but not our sources."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(folder / "bin/python")]
    subprocess.run(
        [*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel_file)],
        check=True,
        capture_output=True,
    )
    # A path file adds a folder, and does not read the path files in it: not that of our editable install.
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    libraries = folder / "lib" / version / "site-packages" / "libraries.pth"
    libraries.write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "ringful"


def ringful(command: Path, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(command), *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_cases_are_tested_with_the_installed_package(installed: Path, tmp_path: Path) -> None:
    for name, body in FILES:
        # The page shows with an order what a sweep brings to light.
        if not name.startswith("order."):
            (tmp_path / name).write_text(body)
    where = subprocess.run(
        [str(installed.parent / "python"), "-c", "import ringful.command.test as t; print(t.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(str(installed.parents[1]))
    assert ringful(installed, tmp_path, "test").returncode == 1
    updated = ringful(installed, tmp_path, "test", "--update")
    assert (updated.returncode, updated.stderr) == (0, "")
    done = ringful(installed, tmp_path, "test", "--coverage", "--sweep", "--mutate", "--junit", "out.xml")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.startswith("2 passed\n")
    assert "0 things broken" in done.stdout
    assert (tmp_path / "out.xml").read_text().startswith("<?xml")


@pytest.mark.parametrize("module", ["ringful.media.engine.native", "ringful.grammar.reading.moves.compiled"])
def test_the_wheel_brings_the_native_parts_for_every_python(
    installed: Path, wheel_file: Path, module: str
) -> None:
    """They were compiled when the wheel was made: where it is installed, nothing is."""
    assert "-py3-none-linux_" in wheel_file.name
    load = f"import {module} as native; print(native.load()._name)"
    done = subprocess.run(
        [str(installed.parent / "python"), "-c", load],
        cwd=installed.parent,
        env={"PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(installed.parents[1]))
