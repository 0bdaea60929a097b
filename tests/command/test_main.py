"""The `ringful` command itself: what it says of its commands, and what it does not wait for."""

import subprocess
import sys
from importlib import import_module, metadata
from inspect import getdoc
from pathlib import Path

import pytest
from cyclopts import App

from ringful.command import main, one_call
from ringful.command.calls import OF_ONE_CALL
from ringful.command.main import COMMANDS, app_for, run

LOADED = """
import sys
from ringful.command.main import run
try:
    run(sys.argv[1:])
except SystemExit as ended:
    assert not ended.code, ended.code
print("\\n".join(sys.modules))
"""


def loaded(*arguments: str) -> tuple[set[str], str]:
    """Run a command in a process of its own; give the modules that it loaded, and what it said."""
    ran = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=True
    )
    return set(ran.stdout.splitlines()), ran.stdout


@pytest.mark.parametrize(("place", "said"), COMMANDS.items(), ids=COMMANDS)
def test_the_help_says_of_a_command_what_the_command_says_of_itself(place: str, said: str) -> None:
    module, _, name = place.partition(":")
    found = getattr(import_module(f"ringful.command.{module}"), name)
    text = found.help if isinstance(found, App) else getdoc(found)
    assert text.partition("\n\n")[0].replace("\n", " ") == said


def test_what_looks_into_a_call_says_the_same_of_itself() -> None:
    for name, said in OF_ONE_CALL.items():
        text = getdoc(getattr(one_call, name)) or ""
        assert text.partition("\n\n")[0].replace("\n", " ") == said


def test_the_room_of_commands_holds_commands_alone() -> None:
    """What commands share stands in rooms below: `one_call` is the second half of `calls`."""
    modules = {file.stem for file in Path(main.__file__).parent.glob("*.py")}
    assert modules == {place.partition(":")[0] for place in COMMANDS} | {
        "__init__",
        "errors",
        "main",
        "one_call",
    }


def test_every_command_can_be_loaded() -> None:
    commands = app_for([]).resolved_commands()
    assert {"serve", "check", "keys", "calls"} <= commands.keys()


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_load_no_command(option: str) -> None:
    modules, said = loaded(option)
    ours = {name for name in modules if name.startswith("ringful.")}
    assert ours == {
        "ringful.command",
        "ringful.command.errors",
        "ringful.command.main",
        "ringful.ground",
        "ringful.ground.complaint",
        "ringful.ground.logger",
        "ringful.store",
        "ringful.store.port",
    }
    assert not modules & {"structlog", "trio", "numpy", "lark"}
    if option == "--help":
        names = [place.split(":")[1].removesuffix("_") for place in COMMANDS if not place.endswith(":app")]
        assert all(f" {name} " in said for name in names)


def test_a_command_says_all_of_itself(capsys: pytest.CaptureFixture[str]) -> None:
    run(["run", "--help"])
    assert "Ctrl-C hangs up" in capsys.readouterr().out
    run(["--help", "run"])
    assert "Usage: ringful run" in capsys.readouterr().out


def test_checking_loads_only_the_language(tmp_path) -> None:
    script = tmp_path / "a.call"
    script.write_text('call "15125551234"\nhangup\n', encoding="utf-8")
    modules, _ = loaded("check", str(script))
    assert "ringful.grammar.checking.checker" in modules
    assert not modules & {"structlog", "trio", "numpy", "phonenumbers", "sqlalchemy", "pjsua2"}


@pytest.mark.parametrize("arguments", [("calls", "list"), ("sign", "QueryCalls")])
def test_a_short_command_waits_for_nothing_that_it_does_not_need(
    arguments: tuple[str, ...], tmp_path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    loaded("keys", "add", "me")
    modules, _ = loaded(*arguments)
    assert "ringful.store.reads" in modules
    heavy = {
        "alembic",
        "trio",
        "structlog",
        "httptools",
        "lark",
        "numpy",
        "phonenumbers",
        "pjsua2",
        "httpx2",
        "rich",
    }
    assert not modules & heavy


def test_a_server_keeps_nothing_in_memory_for_tracebacks_in_colour(tmp_path: Path) -> None:
    whatever = LOADED.replace("assert not ended.code, ended.code", "pass")
    order = [sys.executable, "-c", whatever, "serve", "--config", str(tmp_path / "none.toml")]
    ran = subprocess.run(order, capture_output=True, text=True, check=True)
    assert "none.toml" in ran.stderr
    modules = set(ran.stdout.splitlines())
    assert "structlog" in modules
    assert not modules & {"rich", "pygments"}


def test_who_signs_with_a_key_and_a_secret_waits_for_no_store(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    modules, said = loaded("sign", "QueryCalls", "--key", "K", "--secret", "S")
    assert "/QueryCalls/apikey/K?" in said
    assert not modules & {"sqlalchemy", "trio", "structlog", "lark"}


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    run(["--version"])
    assert capsys.readouterr().out == metadata.version("ringful") + "\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chekc"], 'ringful: Unknown command "chekc". Did you mean "check"?'),
        (["check", "--nah"], "ringful: Unknown option: --nah."),
        (["check"], "ringful: name at least one script"),
    ],
)
def test_an_error_is_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(arguments)
    captured = capsys.readouterr()
    assert ended.value.code == 2
    assert captured.out == ""
    assert captured.err.startswith(said)
    assert captured.err.count("\n") == 1
