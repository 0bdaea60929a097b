"""Announcements from a real web server, files and speech: fetched, checked, converted, kept."""

import io
import shutil
import time
import wave
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
import soundfile
import trio
from attrs import define, field

from ringful.command.demonstration.sounds import melody
from ringful.http.outward.guard import guarded_client
from ringful.http.outward.outbound import Outbound
from ringful.media import wav
from ringful.media.library import announcements
from ringful.media.library import convert as conversion
from ringful.media.library.announcements import UNSAID_SECONDS, UNSAID_STALE_SECONDS, Library
from ringful.media.library.stretch import stretch
from ringful.media.port import Announcement, Ringback, Speech
from ringful.media.sounds import SoundError
from tests.server import PATIENCE, TRUSTED


@define
class Web:
    """A web server: (status, headers, body) by path, and what it was asked."""

    files: dict[str, tuple[int, dict[str, str], bytes]] = field(factory=dict)
    asked: list[tuple[str, str | None]] = field(factory=list)
    url: str = ""


@pytest.fixture
def web() -> Iterator[Web]:
    state = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers.get("If-None-Match")
            state.asked.append((self.path, known))
            status, headers, body = state.files.get(self.path, (404, {}, b""))
            if known and known == headers.get("ETag"):
                status, body = 304, b""
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@asynccontextmanager
async def library(
    folder: Path, allow: str = "127.0.0.0/8", clock: Callable[[], float] = time.time
) -> AsyncIterator[Library]:
    sounds = folder / "sounds"
    sounds.mkdir(exist_ok=True)
    async with guarded_client([ip_network(allow)], trusted=TRUSTED) as client, trio.open_nursery() as nursery:
        own = ("http://ringful.test/recordings/", folder / "recordings")
        fetch = Outbound(client).fetch
        yield Library(folder / "cache", [sounds], fetch, nursery, recordings=own, clock=clock)
        nursery.cancel_scope.cancel()


def tone(rate: int, hertz: float, seconds: float = 1.0, channels: int = 1) -> "np.ndarray[Any, Any]":
    one = 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)
    return np.column_stack([one] * channels)


def encoded(kind: str, subtype: str | None, rate: int, hertz: float = 440, channels: int = 1) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, tone(rate, hertz, channels=channels), rate, subtype=subtype, format=kind)
    return file.getvalue()


def convert(source: Path, target: Path) -> None:
    with source.open("rb") as reading, target.open("wb") as writing:
        conversion.convert(reading, writing)


def read(path: Path) -> "np.ndarray[Any, Any]":
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)


def pitch(sound: "np.ndarray[Any, Any]") -> float:
    return float(np.argmax(np.abs(np.fft.rfft(sound))) * 8000 / len(sound))


@pytest.mark.parametrize(
    ("kind", "subtype", "rate", "channels"),
    [
        ("WAV", "PCM_16", 8000, 1),
        ("WAV", "PCM_16", 44100, 2),
        ("WAV", "PCM_U8", 11025, 1),
        ("WAV", "PCM_24", 48000, 2),
        ("WAV", "FLOAT", 16000, 1),
        ("WAV", "ULAW", 8000, 1),
        ("FLAC", None, 32000, 2),
        ("OGG", "VORBIS", 22050, 1),
        ("OGG", "OPUS", 48000, 1),
        ("MP3", None, 44100, 2),
    ],
)
def test_any_audio_becomes_what_a_worker_plays(
    tmp_path: Path, kind: str, subtype: str | None, rate: int, channels: int
) -> None:
    source = tmp_path / "source"
    source.write_bytes(encoded(kind, subtype, rate, channels=channels))
    convert(source, tmp_path / "out.wav")
    sound = read(tmp_path / "out.wav")
    assert abs(len(sound) - 8000) < 800
    middle = sound[1600:6400]
    assert abs(pitch(middle) - 440) < 3
    assert abs(np.sqrt((middle**2).mean()) / (16384 / np.sqrt(2)) - 1) < 0.06
    assert len(wav.samples_of(tmp_path / "out.wav")) == 2 * len(sound)


def test_what_a_telephone_cannot_carry_does_not_come_back_as_something_else(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(encoded("WAV", "PCM_16", 44100, hertz=6000))
    convert(tmp_path / "source", tmp_path / "out.wav")
    assert np.abs(read(tmp_path / "out.wav")[800:-800]).max() < 50


async def test_a_fetched_sound_is_asked_for_again_and_not_sent_again(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringful.media.library.announcements.UNSAID_SECONDS", 0.0)
    monkeypatch.setattr("ringful.media.library.announcements.UNSAID_STALE_SECONDS", 0.0)
    web.files["/a.wav"] = (200, {"ETag": '"1"'}, melody([440]))
    async with library(tmp_path) as sounds:
        first = await sounds.path(Announcement(f"{web.url}/a.wav"))
        assert await sounds.path(Announcement(f"{web.url}/a.wav")) == first
        web.files["/a.wav"] = (200, {"ETag": '"2"'}, melody([660]))
        assert await sounds.path(Announcement(f"{web.url}/a.wav")) != first
    assert web.asked == [("/a.wav", None), ("/a.wav", '"1"'), ("/a.wav", '"1"')]


async def test_what_says_nothing_is_fresh_for_a_moment_unless_it_forbids_that(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringful.media.library.announcements.UNSAID_SECONDS", 1000.0)
    web.files["/a.wav"] = (200, {"ETag": '"1"'}, melody([440]))
    web.files["/b.wav"] = (200, {"Cache-Control": "no-cache"}, melody([440]))
    async with library(tmp_path) as sounds:
        first = await sounds.path(Announcement(f"{web.url}/a.wav"))
        assert await sounds.path(Announcement(f"{web.url}/a.wav")) == first
        first.unlink()
        for name in ("a", "b", "b"):
            await sounds.path(Announcement(f"{web.url}/{name}.wav"))
        assert first.exists()
    assert [path for path, _ in web.asked] == ["/a.wav", "/a.wav", "/b.wav", "/b.wav"]


async def until(holds: Callable[[], bool]) -> None:
    with trio.fail_after(PATIENCE):
        while not holds():  # noqa: ASYNC110
            await trio.sleep(0.005)


async def test_what_says_nothing_is_played_for_a_while_longer_and_asked_for_meanwhile(
    web: Web, tmp_path: Path
) -> None:
    web.files["/a.wav"] = (200, {"ETag": '"1"'}, melody([440]))
    now, sound = 1000.0, Announcement(f"{web.url}/a.wav")
    async with library(tmp_path, clock=lambda: now) as sounds:
        first = await sounds.path(sound)
        now += UNSAID_SECONDS
        web.files["/a.wav"] = (200, {"ETag": '"2"'}, melody([660]))
        assert sounds.ready(sound) == sounds.ready(sound) == first
        await until(lambda: sounds.ready(sound) != first)
        second = sounds.ready(sound)
        assert [asked for _, asked in web.asked] == [None, '"1"']
        # What was taken down is not played once that is known.
        now += UNSAID_SECONDS
        web.files["/a.wav"] = (404, {}, b"")
        assert sounds.ready(sound) == second
        await until(lambda: sounds.ready(sound) is None)
        web.files["/a.wav"] = (200, {}, melody([440]))
        assert await sounds.path(sound) == first
        now += UNSAID_SECONDS + UNSAID_STALE_SECONDS
        assert sounds.ready(sound) is None


@pytest.mark.parametrize(
    ("control", "fresh", "longer"),
    [
        ("max-age=60", 60, 0),
        ("max-age=60, stale-while-revalidate=30", 60, 30),
        ("stale-while-revalidate=30", 3, 30),
        ("max-age=60, stale-while-revalidate=30, must-revalidate", 60, 0),
        ("public", 3, 15),
        ("no-cache, stale-while-revalidate=30", 0, 0),
    ],
)
async def test_how_long_a_file_is_played_without_being_asked_for(
    web: Web, tmp_path: Path, control: str, fresh: int, longer: int
) -> None:
    web.files["/a.wav"] = (200, {"Cache-Control": control}, melody([440]))
    now, sound = 1000.0, Announcement(f"{web.url}/a.wav")
    async with library(tmp_path, clock=lambda: now) as sounds:
        await sounds.path(sound)
        kept = sounds._kept[sound.url]
    assert (kept.fresh_until - now, kept.stale_until - now) == (fresh, fresh + longer)


async def test_max_age_and_no_store(web: Web, tmp_path: Path) -> None:
    web.files["/kept.wav"] = (200, {"Cache-Control": "max-age=60"}, melody([440]))
    web.files["/not.wav"] = (200, {"Cache-Control": "no-store", "ETag": '"1"'}, melody([440]))
    async with library(tmp_path) as sounds:
        for _ in range(2):
            await sounds.path(Announcement(f"{web.url}/kept.wav"))
            await sounds.path(Announcement(f"{web.url}/not.wav"))
    assert web.asked == [("/kept.wav", None), ("/not.wav", None), ("/not.wav", None)]


async def test_two_who_ask_at_once_share_a_fetch_and_one_may_give_up(web: Web, tmp_path: Path) -> None:
    web.files["/a.wav"] = (200, {}, melody([440]))
    found: list[Path] = []
    async with library(tmp_path) as sounds, trio.open_nursery() as nursery:

        async def ask() -> None:
            found.append(await sounds.path(Announcement(f"{web.url}/a.wav")))

        with trio.CancelScope() as given_up:
            given_up.cancel()
            await ask()
        nursery.start_soon(ask)
        nursery.start_soon(ask)
    assert len(found) == 2
    assert len(web.asked) == 1


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/missing.wav", "answered 404"),
        ("/text.wav", "it is a text, not a sound"),
        ("/inner.wav", "must not be reached"),
    ],
)
async def test_a_sound_that_cannot_be_had_says_why(web: Web, tmp_path: Path, path: str, reason: str) -> None:
    web.files["/text.wav"] = (200, {}, b"hello")
    web.files["/inner.wav"] = (302, {"Location": "http://192.168.1.1/x.wav"}, b"")
    async with library(tmp_path) as sounds:
        with pytest.raises(SoundError, match=reason):
            await sounds.path(Announcement(web.url + path))


async def test_loopback_is_refused_where_it_is_not_allowed(web: Web, tmp_path: Path) -> None:
    async with library(tmp_path, allow="10.0.0.0/8") as sounds:
        with pytest.raises(SoundError, match="must not be reached"):
            await sounds.path(Announcement(f"{web.url}/a.wav"))
        with pytest.raises(SoundError, match="must not be reached"):
            await sounds.path(Announcement(f"{web.url.replace('127.0.0.1', 'localhost')}/a.wav"))
    assert web.asked == []


async def test_files_are_played_from_their_folders_only(tmp_path: Path) -> None:
    async with library(tmp_path) as sounds:
        (tmp_path / "sounds" / "hello.wav").write_bytes(melody([440]))
        (tmp_path / "secret.wav").write_bytes(melody([440]))
        (tmp_path / "sounds" / "link.wav").symlink_to(tmp_path / "secret.wav")
        assert await sounds.path(Announcement("hello")) == await sounds.path(Announcement("hello.wav"))
        assert await sounds.path(Announcement(f"file://{tmp_path}/sounds/hello.wav"))
        for outside in ("secret.wav", "sounds/../secret.wav", "sounds/link.wav"):
            with pytest.raises(SoundError, match="outside"):
                await sounds.path(Announcement(f"file://{tmp_path}/{outside}"))
        for unknown in ("nothing", "link", "../secret"):
            with pytest.raises(SoundError, match="no such sound"):
                await sounds.path(Announcement(unknown))


async def test_speech(tmp_path: Path) -> None:
    assert shutil.which("espeak-ng"), "apt-get install espeak-ng"
    async with library(tmp_path) as sounds:
        said = await sounds.path(Speech("--version is what I say"))
        assert len(read(said)) > 4000
        assert await sounds.path(Speech("--version is what I say")) == said
        with pytest.raises(SoundError, match="no name of a voice"):
            await sounds.path(Speech("x", "-f/etc/passwd"))
        with pytest.raises(SoundError, match="espeak-ng cannot speak"):
            await sounds.path(Speech("x", "nosuchvoice"))


async def test_a_missing_synthesizer_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    async with library(tmp_path) as sounds:
        with pytest.raises(SoundError, match="install espeak-ng"):
            await sounds.path(Speech("x"))


async def test_an_announcement_that_is_too_large(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringful.media.library.announcements.MAX_BYTES", 1000)
    web.files["/large.wav"] = (200, {}, melody([440]))
    async with library(tmp_path) as sounds:
        with pytest.raises(SoundError, match="larger than 1000 bytes"):
            await sounds.path(Announcement(f"{web.url}/large.wav"))
        (tmp_path / "sounds" / "large.wav").write_bytes(melody([440]))
        with pytest.raises(SoundError, match="larger than 1000 bytes"):
            await sounds.path(Announcement("large"))


async def test_a_recording_of_our_own_is_played_from_the_disk(tmp_path: Path) -> None:
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "r1-abc.wav").write_bytes(encoded("WAV", "PCM_16", 8000, hertz=600))
    (tmp_path / "secret.wav").write_bytes(encoded("WAV", "PCM_16", 8000))
    url = "http://ringful.test/recordings/"
    async with library(tmp_path) as sounds:
        assert pitch(read(await sounds.path(Announcement(f"{url}r1-abc.wav")))) == pytest.approx(600, abs=2)
        for name in ("r1-none.wav", "../secret.wav", "%2e%2e/secret.wav"):
            with pytest.raises(SoundError):
                await sounds.path(Announcement(url + name))


async def test_the_ringing_tone_is_made_once(tmp_path: Path) -> None:
    async with library(tmp_path) as sounds:
        path = await sounds.path(Ringback())
        sound = read(path)
        assert len(sound) == 60 * 8000
        spectrum = np.abs(np.fft.rfft(sound[:16000]))
        assert sorted(int(place / 2) for place in np.argsort(spectrum)[-2:]) == [440, 480]
        assert not sound[2 * 8000 : 6 * 8000].any()
        assert sound[6 * 8000 : 7 * 8000].any()
        made = path.stat().st_ino
        assert (await sounds.path(Ringback())).stat().st_ino == made


def paced(folder: Path, samples: "np.ndarray[Any, Any]", speed: float) -> "np.ndarray[Any, Any]":
    """Give *samples* as they are heard at *speed*."""
    source, target = folder / "plain.wav", folder / "paced.wav"
    data = samples.astype("<i2").tobytes()
    source.write_bytes(wav.header(len(data)) + data)
    with source.open("rb") as reading, target.open("wb") as writing:
        stretch(reading, writing, speed)
    return read(target)


@pytest.mark.parametrize("speed", [0.5, 0.75, 1.25, 2.0])
def test_a_sound_is_heard_faster_or_slower_at_its_own_pitch(tmp_path: Path, speed: float) -> None:
    # More than is worked on together.
    sound = 20000 * tone(8000, 440, 80.0)[:, 0]
    heard = paced(tmp_path, sound, speed)
    assert abs(len(heard) - len(sound) / speed) < 0.06 * wav.RATE
    assert abs(pitch(heard) - 440) < 0.5
    # No period is cut in two: it is as loud everywhere as it was.
    loudness = np.sqrt((heard[: len(heard) // 800 * 800].reshape(-1, 800) ** 2).mean(axis=1))
    assert loudness.min() > 0.97 * loudness.max()


@pytest.mark.parametrize("count", [1, 159, 160, 161, 321, 500])
def test_a_sound_that_is_too_short_for_that_is_heard_all_the_same(tmp_path: Path, count: int) -> None:
    assert count / 2 <= len(paced(tmp_path, np.full(count, 1000.0), 2.0)) <= count


async def test_a_sound_at_another_speed_is_made_once(tmp_path: Path) -> None:
    (tmp_path / "sounds").mkdir()
    (tmp_path / "sounds" / "tone.wav").write_bytes(encoded("WAV", "PCM_16", 8000))
    async with library(tmp_path) as sounds:
        path = await sounds.path(Announcement("tone", 2.0))
        assert len(read(path)) == pytest.approx(4000, abs=240)
        made = path.stat().st_ino
        assert (await sounds.path(Announcement("tone", 2.0))).stat().st_ino == made
        assert len(read(await sounds.path(Announcement("tone")))) == 8000
        with pytest.raises(SoundError):
            await sounds.path(Announcement("none", 2.0))


async def test_a_recording_leaves_no_faster_copy_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcements, "_BRIEF_SECONDS", 0.05)
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "r1-abc.wav").write_bytes(encoded("WAV", "PCM_16", 8000))
    async with library(tmp_path) as sounds:
        copy = await sounds.path(Announcement("http://ringful.test/recordings/r1-abc.wav", 1.5))
        assert copy.parent == tmp_path / "cache"
        with trio.fail_after(PATIENCE):
            while copy.exists():  # noqa: ASYNC110
                await trio.sleep(0.02)
    copy.write_bytes(b"left by a server that was killed")
    async with library(tmp_path):
        assert not copy.exists()
