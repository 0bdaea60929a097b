"""`follow` and `ask` on a real call: the application answers over HTTP while the phone is up."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ringful.command.demonstration.web import web_application
from tests.asking import ask
from tests.server import phone, receiver, server

SCRIPT = """\
call "15125550001" notify "{told}"
ask "{app}/order" with {{ order: "A-1" }} as found for 5s
follow "{app}/next" with {{ state: found.state }} for 5s else {{
    notify "{told}" with {{ action: "nothing" }}
}}
hangup
"""


@contextmanager
def application(script: str) -> Iterator[tuple[str, list[Mapping[str, str]]]]:
    """Answer ``/order`` with JSON and ``/next`` with *script*; give the address and what was asked."""
    asked: list[Mapping[str, str]] = []

    def answer(path: str, fields: Mapping[str, str], _: Mapping[str, str]) -> bytes:
        asked.append(fields)
        return (json.dumps({"state": "packed"}) if path == "/order" else script).encode()

    with web_application({}, answer) as base:
        yield base, asked


def test_the_application_decides_as_the_call_goes(tmp_path: Path) -> None:
    # Longer than what is parsed in passing, and run to its last line.
    steps = "".join(f'let step_{n} = "{n}"\n' for n in range(300))
    with receiver({}) as told, phone() as (address, _), server(tmp_path, address) as ringful:
        last = f'notify "{told.url}" with {{ action: "followed", step: step_299 }}\n'
        with application(f"{steps}{last}") as (app, asked):
            run = ask(ringful, "Run", SCRIPT.format(told=told.url, app=app))
            assert run.status == 200, run.text
            told.until("followed", "ServerHangup")
        assert asked[1]["state"] == "packed"
        assert next(fields for _, fields in told.told if fields["action"] == "followed")["step"] == "299"


def test_an_answer_that_is_wrong_is_told_and_nothing_of_it_runs(tmp_path: Path) -> None:
    with receiver({}) as told, phone() as (address, _), server(tmp_path, address) as ringful:
        first = f'notify "{told.url}" with {{ action: "half" }}\n'
        with application(f'{first}say "Hello {{who}}"\n') as (app, _):
            assert ask(ringful, "Run", SCRIPT.format(told=told.url, app=app)).status == 200
            told.until("nothing", "ServerHangup")
        failed = next(fields for _, fields in told.told if fields["action"] == "FollowFailed")
        assert "`who` has no value here" in failed["reason"]
        assert (failed["line"], failed["column"]) == ("2", "13")
        assert "half" not in told.actions
