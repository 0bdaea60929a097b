"""Conferences by REST on real SIP: phones that each send a tone of their own, and who hears which."""

import io
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import urlopen
from xml.etree import ElementTree

import numpy as np

from ringful.command.demonstration.sounds import melody
from tests.asking import ask_json
from tests.media.test_pool import samples
from tests.server import PATIENCE, Receiver, Server, free_port, phone, receiver, server

TONES = (400, 600, 900)
SOUND = 1500
"""What is played to all."""


class Party:
    """A phone that speaks one tone."""

    def __init__(self, folder: Path, tone: int, stack: ExitStack) -> None:
        self.tone, self.heard = tone, folder / f"heard-{tone}.wav"
        spoken = folder / f"spoken-{tone}.wav"
        spoken.write_bytes(melody([tone], 60.0))
        options = ("--answer-after", "0.1s", "--say", str(spoken), "--hear", str(self.heard))
        address, self.process = stack.enter_context(phone(*options))
        self.uri = f"sip:15125550{tone}@{address}"


@contextmanager
def parties(folder: Path) -> Iterator[tuple[Server, Receiver, list[Party]]]:
    files = {"/welcome.wav": melody([SOUND], 1.0)}
    with ExitStack() as stack:
        web = stack.enter_context(receiver(files))
        several = [Party(folder, tone, stack) for tone in TONES]
        trunk = f"127.0.0.1:{free_port()}"
        ringful = stack.enter_context(server(folder, trunk, RINGFUL_SIP__ALLOW_SIP_URIS="true"))
        yield ringful, web, several


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.05)


def tells(web: Receiver, action: str, count: int = 1, **wanted: str) -> list[dict[str, str]]:
    """Wait until the application was told *action* with these fields so many times."""
    while True:
        told = [one for _, one in web.told if {"action": action, **wanted}.items() <= one.items()]
        if len(told) >= count:
            return told
        path, fields, _ = web.arrived.get(timeout=PATIENCE)
        web.told.append((path, fields))


def inside(ringful: Server, conference: str) -> set[str]:
    """Give the IDs of who is in."""
    found = ask_json(ringful, "QueryConf", confCallId=conference)
    leader = found["moderator"]
    some = [*found["participants"], *([leader] if leader and leader["state"] == "in" else [])]
    return {one["id"] for one in some}


def share(sound: "np.ndarray[tuple[int], np.dtype[np.float64]]", tone: int) -> float:
    """Give how much of *sound* is of *tone*."""
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    frequencies = np.fft.rfftfreq(len(sound), 1 / 8000)
    return float(power[np.abs(frequencies - tone) < 12].sum() / max(1.0, power.sum()))


def ended(party: Party) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Give what a phone heard, whose call has ended."""
    until(lambda: party.heard.exists() and party.heard.stat().st_size > 44)
    time.sleep(0.5)
    return samples(party.heard)


def test_each_hears_all_others_and_not_itself_and_the_recording_has_everybody(tmp_path: Path) -> None:
    with parties(tmp_path) as (ringful, web, (host, ann, ben)):
        hook = f"{web.url}/told"
        calls = [ringful.ask("Call", callee=one.uri, callbackUrl=hook) for one in (host, ann, ben)]
        conference = ringful.ask("StartConf", moderator=host.uri, callId=calls[0], callbackUrl=hook)
        for one in calls[1:]:
            ringful.ask("JoinConf", confCallId=conference, participantCallId=one, callbackUrl=hook)
        until(lambda: inside(ringful, conference) == set(calls))
        ringful.ask("Record", confCallId=conference, callbackUrl=hook)
        ringful.ask("Play", confCallId=conference, announcement=f"{web.url}/welcome.wav", callbackUrl=hook)
        web.until("PlayComplete")
        time.sleep(1.5)
        speak = [
            one["speaks"] for one in ask_json(ringful, "QueryConf", confCallId=conference)["participants"]
        ]
        ringful.ask("HangupConf", confCallId=conference)
        told = web.until("ConfCallCompleted", "RecordComplete")
        until(lambda: ringful.query(conference)["state"] == "ended")
        url = next(fields["recordFile"] for _, fields in told if fields["action"] == "RecordComplete")
        with urlopen(url) as answer, wave.open(io.BytesIO(answer.read())) as file:
            recorded = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
        for party in (host, ann, ben):
            heard = ended(party)[-8000:-800]
            shares = {tone: share(heard, tone) for tone in TONES}
            assert shares.pop(party.tone) < 0.001
            assert all(part > 0.2 for part in shares.values()), (party.tone, shares)
    assert speak == [True, True]
    assert all(share(recorded[-8000:-800], tone) > 0.15 for tone in TONES)
    assert share(recorded[:8000], SOUND) > 0.05


def test_who_is_muted_deaf_or_put_out(tmp_path: Path) -> None:
    with parties(tmp_path) as (ringful, web, (host, ann, ben)):
        hook = f"{web.url}/told"
        calls = [ringful.ask("Call", callee=one.uri, callbackUrl=hook) for one in (host, ann, ben)]
        for one in calls:
            ringful.ask("JoinConf", confCallId="team", participantCallId=one, callbackUrl=hook)
        tells(web, "ConfCallJoined", 3)
        assert inside(ringful, "team") == set(calls)
        ringful.ask("MuteConf", confCallId="team", participantCallId=calls[1])
        ringful.ask("DeafenConf", confCallId="team", participantCallId=calls[2])
        time.sleep(2)
        ringful.ask("Hangup", callId=calls[0])
        heard = ended(host)[-8000:-800]
        assert share(heard, ann.tone) < 0.001
        assert share(heard, ben.tone) > 0.9
        ringful.ask("Hangup", callId=calls[2])
        assert np.abs(ended(ben)[-8000:-800]).max() < 50
        ringful.ask("KickConf", confCallId="team", participantCallId=calls[1])
        tells(web, "ConfCallLeft", reason="kicked")
        assert ringful.query(calls[1])["state"] == "up"


def test_a_coach_is_heard_by_whom_a_client_says(tmp_path: Path) -> None:
    with parties(tmp_path) as (ringful, web, (coach, ann, ben)):
        hook = f"{web.url}/told"
        calls = [ringful.ask("Call", callee=one.uri, callbackUrl=hook) for one in (coach, ann, ben)]
        ringful.ask("JoinConf", confCallId="team", participantCallId=calls[0], coach=calls[1])
        for one in calls[1:]:
            ringful.ask("JoinConf", confCallId="team", participantCallId=one, callbackUrl=hook)
        tells(web, "ConfCallJoined", 2)
        assert inside(ringful, "team") == set(calls)
        time.sleep(2)
        ringful.ask("Hangup", callId=calls[2])
        heard = ended(ben)
        assert share(heard[-8000:-800], ann.tone) > 0.9
        # Not even while the one that it coaches was not in yet.
        assert all(share(piece, coach.tone) < 0.1 for piece in np.array_split(heard, len(heard) // 1600))
        ringful.ask("CoachConf", confCallId="team", participantCallId=calls[0], coach=calls[1])
        ringful.ask("CoachConf", confCallId="team", participantCallId=calls[1], coach=calls[0])
        time.sleep(1.5)
        ringful.ask("Hangup", callId=calls[1])
        assert share(ended(ann)[-8000:-800], coach.tone) > 0.9
        ringful.ask("Hangup", callId=calls[0])
        heard = ended(coach)
        assert max(share(piece, ann.tone) for piece in np.array_split(heard, len(heard) // 1600)) > 0.9


def test_conf_call_on_real_lines(tmp_path: Path) -> None:
    with parties(tmp_path) as (ringful, web, (host, ann, ben)):
        hook = f"{web.url}/told"
        conference = ringful.ask(
            "ConfCall",
            moderator=host.uri,
            attendees=f"{ann.uri},{ben.uri}",
            callbackUrl=hook,
            waitConnectAudio=f"{web.url}/welcome.wav",
        )
        until(lambda: len(inside(ringful, conference)) == 3)
        root = ElementTree.fromstring(ringful.ask("QueryConf", confCallId=conference))
        assert root.findtext("moderator/phone") == host.uri
        time.sleep(1.5)
        ringful.ask("HangupConf", confCallId=conference)
        tells(web, "ConfCallCompleted", reason="api")
        ends = tells(web, "ServerHangup", 3)
        assert all(one["confCallId"] == conference and one["billAmount"] for one in ends)


def test_a_node_that_is_killed_ends_its_conference_at_the_next_start(tmp_path: Path) -> None:
    with parties(tmp_path) as (ringful, web, (host, ann, _)):
        hook = f"{web.url}/told"
        calls = [ringful.ask("Call", callee=one.uri, callbackUrl=hook) for one in (host, ann)]
        conference = ringful.ask("StartConf", moderator=host.uri, callId=calls[0], callbackUrl=hook)
        ringful.ask("JoinConf", confCallId=conference, participantCallId=calls[1], callbackUrl=hook)
        until(lambda: inside(ringful, conference) == set(calls))
        ringful.ask("Record", confCallId=conference, callbackUrl=hook)
        web.until("RecordStart")
        time.sleep(1)
        ringful.kill()
        ringful.start()
        told = web.until("ConfCallCompleted", "ConfCallLeft", "ServerHangup", "RecordComplete")
        reasons = {fields["action"]: fields.get("reason") for _, fields in told}
        assert (reasons["ConfCallCompleted"], reasons["RecordComplete"]) == ("lost", "lost")
        assert ringful.query(conference)["outcome"] == "lost"
