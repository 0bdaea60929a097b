"""Scripts with conferences run on real SIP: every run of them tells what virtual time tells.

One phone does what all phones of a case do, and knows the announcements by their pitch.  What each leg
and each conference tells is compared by itself: what happens at the same instant on two of them has no
order on real lines.
"""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import trio

from ringful.command.demonstration.sounds import melody
from ringful.command.demonstration.web import web_application
from ringful.interpreter.trace import Tracer
from ringful.simulation.cases.agreement import Told, disagreement, told
from ringful.simulation.cases.case import Case
from ringful.simulation.cases.reader import parse_case
from ringful.simulation.cases.writer import show_case, show_value
from ringful.simulation.simulate import run_case
from ringful.store.open import open_store
from ringful.store.port import Entry
from tests.asking import ask
from tests.media.test_pool import pitch, samples
from tests.server import PATIENCE, free_port, phone, server

OURS = "+18005550000"
ROOT = Path(__file__).parents[2]
SOUND = re.compile(r'http://h/[^"\s{}]+\.wav')

ANY_ORDER = ("opened", "queued")
"""When a room is there, as seen from what was queued on it meanwhile."""

CONFCALL = """\
script {root}/scripts/confcall.call
param moderator = "15125550001"
param attendees = ["15125550002", "15125550003", "15125550004"]
param wait_tone_audio = "http://h/press.wav"
param expected_tone = "1"
param wait_connect_audio = "http://h/wait.wav"
sound "http://h/press.wav" 3s
sound "http://h/wait.wav" 20s
phone "15125550001" {{
    answer after 1s
    press "1" when "press.wav" starts after 1s
    hang up when "wait.wav" ends after 6s
}}
phone "15125550002" {{
    answer after 3s
    hang up after 4s
}}
phone "15125550003" {{
    busy after 1s
}}
phone "15125550004" {{
    answer after 5s
    hang up after 2s
}}
"""

MEETING = """\
script {{
    call "15125550001"
    conference room most 3 notify "http://h/room"
    call "15125550002" {{
        join room muted as why notify "http://h/join"
        play "http://h/bye.wav"
    }}
    on tone "5" {{ kick others from room }}
    in room {{
        start record notify "http://h/record"
        play "http://h/welcome.wav"
        wait tone "7" for 20s notify "http://h/wait"
    }}
    start join room notify "http://h/join"
    wait 8s
    leave room
    play "http://h/bye.wav"
    hangup
}}
sound "http://h/welcome.wav" 2s
sound "http://h/bye.wav" 1s
phone "15125550001" {{
    answer after 1s
    press "7" when "welcome.wav" ends after 1s
    press "5" after 2s
}}
phone "15125550002" {{
    answer after 1s
}}
"""


PUSH = """\
script {root}/scripts/push_conference.call
param host = "15125550001"
param team = ["15125550002", "15125550003"]
param topic = "the daily meeting"
param recorded = true
param app = "http://h"
sound "hold_music.wav" 1m
phone "15125550001" {{
    answer after 1s
    press "1" after 10s
    hang up after 20s
}}
phone "15125550002" {{
    answer after 2s
    press "1" after 8s
    hang up after 5s
}}
phone "15125550003" {{
    busy after 1s
}}
"""

SPOKEN = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="nothing speaks here")


def journals(folder: Path) -> dict[str, Sequence[Entry]]:
    """Read the journals of all runs, by what each is called where the call is ``call-1``."""

    async def read() -> dict[str, Sequence[Entry]]:
        async with open_store(f"sqlite:///{folder / 'ringful.db'}") as store:
            return {call.call_id: await store.journal(call.call_id) for call in await store.calls()}

    found = trio.run(read)
    (first,) = [call_id for call_id in found if "." not in call_id]
    return {call_id.replace(first, "call-1"): entries for call_id, entries in found.items()}


def ran(case: Case, base: str, folder: Path) -> dict[str, Sequence[Entry]]:
    """Run *case* for real; give its journals."""
    names = sorted(case.lengths)
    (folder / "announcements").mkdir()
    (folder / "announcements" / "hold_music.wav").write_bytes(melody([440], 60))
    script = folder / "case.call"
    script.write_text(case.source.text)
    (folder / "phones.golden").write_text(show_case(case))
    tones = [f"{400 + 100 * place}={name}" for place, name in enumerate(names)]
    given = [f"{name}:={show_value(value)}" for name, value in case.params.items()]
    params = [word for one in given for word in ("--param", one)]
    with (
        phone("--case", str(folder / "phones.golden"), "--sound", *tones) as (address, _),
        server(folder, address) as ringful,
    ):
        ringful.command("run", script.name, *params)
        ringful.stop()
    return journals(folder)


def by_leg(entries: Sequence[Entry], call_id: str) -> dict[str, list[Told]]:
    """Give what each leg of the run *call_id* tells."""
    lines = [line for line in Tracer().lines(entries) if line.verb not in ANY_ORDER]
    legs = dict.fromkeys(line.leg for line in lines)
    first = call_id.partition(".")[0]
    return {
        leg.replace(first, "call-1"): told([one for one in lines if one.leg == leg], first) for leg in legs
    }


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(CONFCALL, id="confcall"),
        pytest.param(MEETING, id="meeting"),
        pytest.param(PUSH, id="push conference", marks=SPOKEN),
    ],
)
def test_real_runs_tell_what_virtual_time_tells(written: str, tmp_path: Path) -> None:
    text = written.format(root=ROOT)
    lengths = parse_case(text, tmp_path / "x").lengths
    names = sorted(set(SOUND.findall(text)))
    pitches = {name: 400.0 + 100 * place for place, name in enumerate(names)}
    files = {name.removeprefix("http://h"): melody([pitches[name]], lengths[name]) for name in names}
    with web_application(files, lambda *_: None) as base:
        case = parse_case(text.replace("http://h", base), tmp_path / "x")
        real = ran(case, base, tmp_path)
    virtual = run_case(case)
    assert real.keys() == virtual.runs.keys()
    for run in virtual.runs:
        expected = by_leg([entry for entry in virtual.entries if entry.call_id == run], run)
        heard = by_leg(real[run], real[run][0].call_id)
        assert heard.keys() == expected.keys()
        for leg, lines in expected.items():
            shown = "\n".join(one.shown for one in heard[leg])
            assert not disagreement(lines, heard[leg]), f"{disagreement(lines, heard[leg])}\n\n{shown}"


@SPOKEN
def test_calls_that_know_nothing_of_each_other_meet_by_a_pin(tmp_path: Path) -> None:
    rooms = {"1234": {"room": "team-a", "host": False}, "4711": {"room": "team-a", "host": True}}
    told: list[tuple[str, Mapping[str, str]]] = []

    def take(path: str, fields: Mapping[str, str], _: Mapping[str, str]) -> bytes | None:
        told.append((path, fields))
        return json.dumps(rooms[fields["pin"]]).encode() if path == "/pin" else None

    spoken, heard = tmp_path / "spoken.wav", tmp_path / "heard.wav"
    spoken.write_bytes(melody([440], 2.0))
    with web_application({}, take) as base, server(tmp_path, f"127.0.0.1:{free_port()}") as ringful:
        ask(ringful, "Script", (ROOT / "scripts" / "pin_conference.call").read_text(), name="pin")
        ask(ringful, "Number", number=OURS, script="pin", app=base)
        calling = ("--call", OURS, "--server", ringful.sip)
        guest = ("--caller-id", "+15125550002", "--press", "1234#@quiet", "--hear", str(heard))
        # Her second key comes when she has been told which keys there are, and is in.
        host = ("--caller-id", "+15125550001", "--press", "4711#@quiet", "5@quiet")
        speech = ("--say", str(spoken), "--say-after", "2", "--hang-up-after", "1s")
        with (
            phone(*calling, *guest) as (_, listening),
            phone(*calling, *host, *speech) as (_, speaking),
        ):
            assert speaking.wait(2 * PATIENCE) == 0
            assert listening.wait(2 * PATIENCE) == 0
        ringful.stop()
    of_rooms = [(fields["action"], fields.get("reason")) for path, fields in told if path == "/room"]
    assert sorted(one for one in of_rooms if one[0] != "ConfCallSpeaking") == [
        ("ConfCallCompleted", "moderator left"),
        ("ConfCallJoined", None),
        ("ConfCallJoined", None),
        ("ConfCallLeft", "ended"),
        ("ConfCallLeft", "hangup"),
        ("ConfCallStarted", None),
    ]
    assert ("ConfCallSpeaking", None) in of_rooms
    assert len({fields["confCallId"] for path, fields in told if path == "/room"}) == 1
    sound = samples(heard)
    tenths = [sound[place : place + 4000] for place in range(0, len(sound) - 4000, 800)]
    loud = [one for one in tenths if np.abs(one).mean() > 1000]
    assert sum(abs(pitch(one) - 440) < 5 for one in loud) > 10
