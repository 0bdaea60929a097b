"""Cases run on real SIP: the server, its workers, a phone that does what the case's phones do.

The phone knows the announcements by their pitch.  The journal of the real call must tell what virtual
time tells: the same lines in the same order.  Times are not compared, since a busy machine is late;
what depends on them (which key was in time) shows in the lines.
"""

import json
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import trio
from attrs import frozen

from ringful.command.demonstration.sounds import melody
from ringful.command.demonstration.web import web_application
from ringful.interpreter.settings import Settings
from ringful.interpreter.sources import Source, parsed
from ringful.interpreter.trace import Tracer
from ringful.simulation.cases.agreement import disagreement, told
from ringful.simulation.cases.case import Case
from ringful.simulation.cases.reader import parse_case
from ringful.simulation.cases.writer import show_case
from ringful.simulation.replay.replay import golden, replay
from ringful.simulation.simulate import run_case
from ringful.store.open import open_store
from ringful.store.port import Entry
from tests.forked import done
from tests.server import PATIENCE, Server, phone, server

RUN = Path(__file__).parents[1] / "golden" / "run"
REAL = [
    "a_handler_runs_beside_the_script",
    "a_key_typed_ahead_is_not_lost",
    "a_menu_and_a_code",
    "a_missing_announcement_is_told_and_passed_over",
    "a_question_to_the_web_decides",
    "a_tone_cuts_a_prompt_and_is_taken_by_the_wait",
    "a_voicemail_ends_with_a_key",
    "a_wrong_key_is_a_misfire_and_the_limit_passes",
    "background_music_while_the_web_is_asked",
    "the_callee_declines",
    "the_seeds_six_calls",
    "two_announcements_and_a_hang_up_in_the_second",
]
AT_ONCE = 4
"""As many calls as a phone of one process takes."""
SOUND = re.compile(r'http://h/[^"\s{}]+\.wav')
NUMBER = "15125551234"


@frozen
class Part:
    """A case, with a number and addresses of its own, so that several can run at the same time."""

    name: str
    text: str

    @property
    def case(self) -> Case:
        return parse_case(self.text, RUN / "x.golden")


def parts() -> list[Part]:
    made = []
    for place, name in enumerate(REAL):
        text = (RUN / f"{name}.golden").read_text().partition("\n---\n")[0] + "\n"
        own = text.replace("http://h/", f"http://h/{place}/").replace(NUMBER, f"151255510{place:02}")
        made.append(Part(name, own.replace('"*"', f'"151255510{place:02}"')))
    return made


def served(part: Part, pitches: Mapping[str, float]) -> dict[str, bytes]:
    """Give a tone for each announcement of a case, as long as it says."""
    case = part.case
    return {
        name.removeprefix("http://h"): melody([pitches[name]], case.lengths.get(name, 2.0))
        for name in SOUND.findall(part.text)
        if name not in case.missing
    }


class Web:
    """The web of all cases: the answers of each address in turn."""

    def __init__(self, made: Sequence[Part]) -> None:
        self._left = [answer for part in made for answer in part.case.web]

    def answer(self, path: str, _: Mapping[str, str], __: Mapping[str, str]) -> bytes | None:
        found = next((one for one in self._left if one.url == f"http://h{path}"), None)
        if found is None:
            return None
        if sum(one.url == found.url for one in self._left) > 1:
            self._left.remove(found)
        if found.fails:
            return b"this is no JSON"
        time.sleep(found.after or 0)
        return json.dumps(found.value).encode()


def journals(folder: Path) -> dict[str, Sequence[Entry]]:
    """Read the journals of all calls, by number."""

    async def read() -> dict[str, Sequence[Entry]]:
        async with open_store(f"sqlite:///{folder / 'ringful.db'}") as store:
            return {call.callee: await store.journal(call.call_id) for call in await store.calls()}

    return trio.run(read)


def command(ringful: Server, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return done(*arguments, cwd=ringful.folder, env=ringful.environment, timeout=3 * PATIENCE)


@frozen
class Ran:
    """What ran for real: the server that has ended, and by name each case and its journal."""

    ringful: Server
    base: str
    cases: dict[str, Case]
    journals: dict[str, Sequence[Entry]]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Run all cases on one server, some at a time."""
    folder = tmp_path_factory.mktemp("real")
    made = parts()
    names = sorted({name for part in made for name in SOUND.findall(part.text)})
    pitches = {name: 400.0 + 100 * place for place, name in enumerate(names)}
    files = {path: sound for part in made for path, sound in served(part, pitches).items()}
    with web_application(files, Web(made).answer) as base:
        cases = {part.name: parse_case(part.text.replace("http://h", base), folder / "x") for part in made}
        everybody = Case(folder / "x", "", "", Source("", "", parsed("", "")), "All phones")
        everybody.phones = [phone for case in cases.values() for phone in case.phones]
        (folder / "all.golden").write_text(show_case(everybody))
        tones = [f"{hz:.0f}={name.replace('http://h', base)}" for name, hz in pitches.items()]
        for name, case in cases.items():
            (folder / f"{name}.call").write_text(case.source.text)
        with (
            phone("--case", str(folder / "all.golden"), "--sound", *tones) as (address, _),
            server(folder, address) as ringful,
            ThreadPoolExecutor(AT_ONCE) as pool,
        ):
            # A callee who declines is told by the exit code as well.
            done = list(pool.map(lambda name: command(ringful, "run", f"{name}.call"), cases))
            assert {one.returncode for one in done} <= {0, 1}, [one.stderr for one in done]
            ringful.stop()
        kept = journals(folder)
    return Ran(ringful, base, cases, {part.name: kept[_number(cases[part.name])] for part in made})


def _number(case: Case) -> str:
    return case.phones[0].number.removeprefix("+")


@pytest.mark.parametrize("name", REAL)
def test_a_real_call_tells_what_virtual_time_tells(name: str, ran: Ran, tmp_path: Path) -> None:
    entries, virtual = ran.journals[name], run_case(ran.cases[name])
    real = told(Tracer().lines(entries), entries[0].call_id)
    apart = disagreement(told(Tracer().lines(virtual.entries), "call-1"), real)
    assert not apart, apart + "\n\n" + "\n".join(one.shown for one in real)
    # Retold in virtual time it is the same call; its masked case passes.
    assert not replay(entries, None).notes
    text, apart = golden(entries, Settings(), tmp_path / "made.golden", keys="answering")
    assert not apart, apart
    made = parse_case(text, tmp_path / "made.golden")
    assert run_case(made).trace == made.below
    assert "1512555" not in text


def test_the_commands_make_a_case_and_replay_the_call(ran: Ran) -> None:
    ringful, folder = ran.ringful, ran.ringful.folder
    call_id = ran.journals["a_menu_and_a_code"][0].call_id
    ringful.command("calls", "golden", call_id, "--to", "made.golden")
    assert ringful.command("test", "made.golden") == "1 passed\n"
    made = (folder / "made.golden").read_text()
    assert "4711" not in made
    assert 'press "2" when' in made
    assert ringful.command("calls", "replay", call_id).startswith("identical")
    changed = folder / "changed.call"
    changed.write_text((folder / "a_menu_and_a_code.call").read_text().replace("digits 4", "digits 3"))
    done = command(ringful, "calls", "replay", call_id, "--script", "changed.call")
    assert done.returncode == 1
    shown = done.stdout.splitlines()
    assert any(line.startswith("  - ") and "code=4711 " in line for line in shown), done.stdout
    assert any(line.startswith("  + ") and "code=471 " in line for line in shown), done.stdout
    assert any(line.startswith("    = changed.call:8 | notify") for line in shown), done.stdout
    assert command(ringful, "calls", "golden", "nowhere").returncode == 1
