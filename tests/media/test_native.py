"""The engine's native part: by itself under sanitizers, and what becomes of it where it cannot be."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ringful.media import buses
from ringful.media.engine import native

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "media" / "engine" / "csrc"
TEST = Path(__file__).parent / "native" / "sound_test.c"
WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-Werror"]


@pytest.fixture(scope="module")
def compiler() -> str:
    found = shutil.which("cc")
    assert found, "there is no C compiler: apt-get install gcc"
    return found


@pytest.mark.parametrize("options", [["-O0"], ["-O3"]], ids=["plain", "optimized"])
def test_the_native_part_by_itself_under_sanitizers(
    compiler: str, tmp_path: Path, options: list[str]
) -> None:
    sanitizers = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    built = tmp_path / "sound_test"
    command = [compiler, *WARNINGS, *options, *sanitizers, "-I", str(SOURCES), "-o", str(built), str(TEST)]
    subprocess.run([*command, *map(str, sorted(SOURCES.glob("*.c")))], check=True)
    done = subprocess.run([built], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "all hold\n", "")


def test_a_check_that_fails_is_seen(compiler: str, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong_test.c"
    wrong.write_text(TEST.read_text().replace("all(6)", "all(5)"))
    built = tmp_path / "wrong_test"
    command = [compiler, *WARNINGS, "-I", str(SOURCES), "-o", str(built), str(wrong)]
    subprocess.run([*command, *map(str, sorted(SOURCES.glob("*.c")))], check=True)
    done = subprocess.run([built], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "all(5)" in done.stdout


def test_what_is_installed_is_what_the_sources_say(compiler: str) -> None:
    """A test of an older build would hold nothing."""
    newest = max(path.stat().st_mtime for path in SOURCES.glob("*.[ch]"))
    assert native.COMPILED.stat().st_mtime > newest, "make install, to compile it anew"


def test_python_and_c_agree_on_the_layout_of_a_bus(compiler: str, tmp_path: Path) -> None:
    source = tmp_path / "layout.c"
    source.write_text(
        '#include <stdio.h>\n#include "sound.h"\nint main(void) { printf("%d %d %d %d %zu %zu %zu", '
        "SEATS, TURNS, SAMPLES, BUS_BYTES, offsetof(struct bus, seat), sizeof(struct seat), "
        "offsetof(struct seat, to)); }\n"
    )
    subprocess.run([compiler, "-I", str(SOURCES), "-o", str(tmp_path / "layout"), str(source)], check=True)
    said = subprocess.run([tmp_path / "layout"], capture_output=True, text=True, check=True).stdout
    ours = (buses.SEATS, buses.TURNS, buses.SAMPLES, buses.BUS_BYTES, buses.HEAD_BYTES, buses.SEAT_BYTES)
    assert tuple(map(int, said.split())) == (*ours, buses.TO_OFFSET)


@pytest.mark.parametrize("content", [None, b"", b"not a library"])
def test_a_native_part_that_cannot_be_loaded_says_why(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "libsound.so"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(native.NoNative, match="its part in C cannot be loaded: "):
        native.load(path)


def test_a_library_of_another_build_is_not_taken(compiler: str, tmp_path: Path) -> None:
    source, built = tmp_path / "other.c", tmp_path / "libsound.so"
    source.write_text("int buses_open(void *memory, int count) { return memory && count; }\n")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(built), str(source)], check=True)
    with pytest.raises(native.NoNative, match="library_find"):
        native.load(built)
