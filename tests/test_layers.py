"""Who may import whom, and what is packed: the house's walls."""

# The first import of this file: with an http/__init__.py it would find ours, and fail at once.
import http.client
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from ast import Import, ImportFrom, parse, walk
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SETUP = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
FOLDERS = {name: ROOT / folder for name, folder in SETUP["package-dir"].items()}
ROOMS = sorted({name.split(".")[1] for name in FOLDERS})
MODULES = sorted(path for folder in FOLDERS.values() for path in folder.glob("*.py"))
NAMES = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in MODULES}
"""The modules by their dotted names, without ``ringful.``."""

# What each room may know of the others: a whole room, or single modules.
MAY_IMPORT = {
    "ground": set(),
    "grammar": set(),
    "media": {"ground"},
    # A SIP MESSAGE goes by the phones that the media room has.
    "messages": {"ground", "media.port"},
    "store": {"ground"},
    "scripts": set(),
    # Flows of other systems become trees, and nothing is read for it.
    "importing": {"grammar"},
    "editor": {"grammar"},
    "interpreter": {"grammar", "ground", "media.port", "messages.port", "store.port"},
    # The shape of a sound file is pure, and so is what the simulated recorder writes; and so is how a
    # text is split.
    "simulation": {
        "grammar",
        "ground",
        "interpreter",
        "media.port",
        "media.wav",
        "messages.port",
        "messages.segments",
        "store.port",
    },
    "http": {
        "grammar",
        "ground",
        "interpreter",
        "media.port",
        "simulation",
        "store.port",
        "store.window",
    },
    "bench": {
        "grammar",
        "ground",
        "http",
        "interpreter",
        "media",
        "messages",
        "simulation",
        "store",
    },
    "command": {
        "bench",
        "editor",
        "grammar",
        "ground",
        "http",
        "importing",
        "interpreter",
        "media",
        "messages",
        "scripts",
        "simulation",
        "store",
    },
}

# Libraries with one home.  What belongs to a room is nowhere else.
HOME = {
    "dns": "media",
    "lark": "grammar",
    "pjsua2": "media",
    "smtplib": "messages",
    "soundfile": "media",
    "soxr": "media",
    "sqlalchemy": "store",
    "alembic": "store",
    "sqlite3": "store",
    "psycopg": "store",
    "httptools": "http",
    "h11": "http",
    "httpx2": "http",
    "httpcore2": "http",
    "prometheus_client": "ground",
    "cyclopts": "command",
    "pygls": "editor",
    "lsprotocol": "editor",
    "pygments": "editor",
    "rich": "command",
}


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


def imports(path: Path) -> set[str]:
    """Give the dotted names that the module at *path* imports, wherever in it."""
    found = set()
    for node in walk(parse(path.read_text(encoding="utf-8"))):
        match node:
            case Import(names):
                found |= {alias.name for alias in names}
            case ImportFrom(module, names, 0):
                # `from ringful.media import port` imports the module ringful.media.port.
                found |= {f"{module}.{alias.name}" for alias in names}
            case ImportFrom():
                raise AssertionError(f"{path}: imports are absolute")
    return found


def ours(path: Path) -> set[str]:
    """Give what the module imports of ours, without ``ringful.``."""
    return {name.removeprefix("ringful.") for name in imports(path) if name.startswith("ringful.")}


def allowed(name: str, room: str) -> bool:
    known = {room} | MAY_IMPORT[room]
    return any(name == one or name.startswith(f"{one}.") for one in known)


def test_http_is_the_standard_librarys():
    assert not (ROOT / "http" / "__init__.py").exists()
    assert Path(http.client.__file__).parent != ROOT / "http"
    found = subprocess.run(
        [sys.executable, "-c", "import http.client, ringful.http.signing; print(http.client.__file__)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not found.stdout.startswith(str(ROOT / "http"))


def test_every_room_has_its_rule():
    assert set(MAY_IMPORT) == set(ROOMS)
    assert len(MODULES) > 50


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_knows_only_what_its_room_may(path):
    room = room_of(path)
    strangers = sorted(name for name in ours(path) if not allowed(name, room))
    assert not strangers, f"{room} may not import {strangers}"
    foreign = {name.partition(".")[0] for name in imports(path)}
    lodgers = sorted(name for name in foreign if HOME.get(name, room) != room)
    assert not lodgers, f"{lodgers} may not be imported in {room}"
    assert not foreign & set(ROOMS) - {"http"}, "our rooms are imported as ringful.…"


def knows(path: Path) -> set[str]:
    """Give the modules of ours that the one at *path* imports, for types alone as well."""
    return {name for name in ours(path) | {n.rpartition(".")[0] for n in ours(path)} if name in NAMES}


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Give the sets of modules that import each other, by way of others or not."""
    reach: dict[str, set[str]] = {}

    def reached(name: str) -> set[str]:
        seen: set[str] = set()
        ahead = [name]
        while ahead:
            for other in graph[ahead.pop()] - seen:
                seen.add(other)
                ahead.append(other)
        return seen

    reach = {name: reached(name) for name in graph}
    in_circles = {name for name in graph if name in reach[name]}
    found = {
        frozenset(other for other in reach[name] if name in reach.get(other, set())) for name in in_circles
    }
    return sorted(sorted(one) for one in found)


def test_no_two_modules_import_each_other():
    assert circles({name: knows(path) for name, path in NAMES.items()}) == []


def test_a_circle_would_be_seen(tmp_path):
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    module = tmp_path / "typed.py"
    module.write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ringful.interpreter.run import Run\n"
    )
    assert knows(module) == {"interpreter.run"}


def test_a_folder_can_be_seen_at_a_glance():
    crowded = {
        str(folder.relative_to(ROOT)): len(list(folder.glob("*.py")))
        for folder in FOLDERS.values()
        if len(list(folder.glob("*.py"))) > 24
    }
    assert crowded == {}


def test_the_page_about_the_house_names_every_room():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    picture = page.partition("```\n")[2].partition("```")[0]
    for name in FOLDERS:
        _, room, *inner = name.split(".")
        assert f"{inner[0]}/" in picture if inner and room != "store" else f"── {room} ─" in picture
    told = dict(re.findall(r"^\| (`[a-z`, ]+`) \| (.*) \|$", page, re.MULTILINE))
    assert {name for names in told for name in re.findall(r"`(\w+)`", names)} == {*MAY_IMPORT} - {"scripts"}


def test_pjsua2_is_imported_where_calls_and_frames_are():
    users = [path.stem for path in MODULES if any(name.startswith("pjsua2") for name in imports(path))]
    assert users == ["endpoint", "leg", "pjsua", "plain"]


def test_pygls_is_imported_by_one_module():
    users = [path for path in MODULES if any(name.startswith("pygls") for name in imports(path))]
    assert users == [ROOT / "editor" / "server.py"]


def test_the_grammar_needs_no_trio():
    modules = [path for path in MODULES if room_of(path) == "grammar"]
    libraries = {name.partition(".")[0] for path in modules for name in imports(path)}
    assert not libraries & {"trio", "structlog"}


def test_the_ports_need_nothing_but_attrs():
    for port in ("media/port.py", "store/port.py"):
        needed = {name.partition(".")[0] for name in imports(ROOT / port)}
        assert needed <= {"attrs", "collections", "decimal", "pathlib", "typing"}


def test_a_forbidden_import_would_be_seen(tmp_path):
    module = tmp_path / "late.py"
    module.write_text("def late():\n    from ringful.media.engine import pjsua\n    import lark.exceptions\n")
    assert imports(module) == {"ringful.media.engine.pjsua", "lark.exceptions"}
    assert not allowed("media.engine.pjsua", "interpreter")
    assert allowed("media.port.Sound", "interpreter")
    assert not allowed("media.portrait", "interpreter")


def test_every_module_is_in_a_listed_package():
    assert sorted(SETUP["packages"]) == sorted(FOLDERS)
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            assert path.parent in FOLDERS.values(), f"{path} would be missing from the wheel"


def test_every_package_is_typed_and_only_http_lacks_an_init():
    for name, folder in FOLDERS.items():
        assert (folder / "__init__.py").exists() == (name != "ringful.http")
    for room in ROOMS:
        assert (ROOT / room / "py.typed").exists()


@pytest.fixture(scope="module")
def wheel(wheel_file, tmp_path_factory):
    """Unpack the wheel."""
    unpacked = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheel_file) as packed:
        packed.extractall(unpacked)
    return unpacked


def test_the_wheel_holds_every_file_of_ours_and_no_other(wheel):
    packed = {str(path.relative_to(wheel / "ringful")) for path in (wheel / "ringful").rglob("*.*")}
    kinds = {".py", ".lark", ".call", ".cfg", ".typed"}
    sources = {
        str(path.relative_to(ROOT))
        for folder in FOLDERS.values()
        for path in folder.iterdir()
        if path.suffix in kinds
    }
    assert packed == sources | {"media/engine/libsound.so", "grammar/reading/moves/libmoves.so"}
    assert {"grammar/reading/call.lark", "store/migrations/m0001_first.py"} <= packed
    assert not (wheel / "ringful" / "__init__.py").exists()


USES_THE_WHEEL = """
import sys, trio
from ringful.grammar.reading.parser import parse
from ringful.store import open, migrations
assert migrations.__file__.startswith(sys.argv[1]), migrations.__file__

async def use():
    async with open.open_store(f"sqlite:///{sys.argv[2]}/ringful.db") as store:
        return await store.keys()

parse('call "15125550001"\\nhangup\\n')
print(list(trio.run(use)))
"""


def test_the_wheel_works_away_from_the_sources(wheel, tmp_path):
    used = subprocess.run(
        [sys.executable, "-P", "-c", USES_THE_WHEEL, wheel, tmp_path],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(wheel)},
        capture_output=True,
        text=True,
    )
    assert (used.stdout, used.stderr) == ("[]\n", "")
