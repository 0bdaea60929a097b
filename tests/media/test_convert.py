"""Sounds as people have them: every format that can be written, joined, streamed, cut off; and no sounds.

What is converted is compared by its length and its pitch.  The bounds of a conversion are tried on
real processes: one that hangs, one that dies, one whose node is gone.
"""

import io
import os
import random
import signal
import struct
import subprocess
import sys
import wave
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import trio
import trio.testing

from ringful.command.demonstration.sounds import melody
from ringful.media import wav
from ringful.media.library import convert, converter, converting
from ringful.media.library.converter import Converter
from ringful.media.library.local import milliseconds_of
from ringful.media.sounds import SoundError
from tests.server import PATIENCE


def tone(rate: int, hertz: float, seconds: float = 1.0, channels: int = 1) -> "np.ndarray[Any, Any]":
    one = 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)
    return np.column_stack([one] * channels)


def encoded(
    kind: str, subtype: str | None = None, rate: int = 8000, hertz: float = 440, channels: int = 1
) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, tone(rate, hertz, channels=channels), rate, subtype=subtype, format=kind)
    return file.getvalue()


def converted(folder: Path, body: bytes) -> "np.ndarray[Any, Any]":
    """Convert *body* in this process; give its samples."""
    (folder / "source").write_bytes(body)
    with (folder / "source").open("rb") as source, (folder / "out.wav").open("wb") as target:
        convert.convert(source, target)
    return read(folder / "out.wav")


def read(path: Path) -> "np.ndarray[Any, Any]":
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)


def pitch(sound: "np.ndarray[Any, Any]") -> float:
    return float(np.argmax(np.abs(np.fft.rfft(sound * np.hanning(len(sound))))) * 8000 / len(sound))


def is_heard(sound: "np.ndarray[Any, Any]", *pitches: float) -> None:
    """Hold that *sound* is tones of *pitches*, a second each."""
    assert abs(len(sound) / 8000 - len(pitches)) < 0.09 * len(pitches)
    for number, hertz in enumerate(pitches):
        middle = sound[int((number + 0.35) * 8000) : int((number + 0.75) * 8000)]
        assert abs(pitch(middle) - hertz) < 5
        assert np.sqrt((middle**2).mean()) > 5000


def _written() -> Iterator[tuple[str, str, int]]:
    """Give every format and coding that can be written, and at which rate."""
    for kind in soundfile.available_formats():
        # RAW says nothing of itself; SD2 is two files, of which a web server gives one.
        if kind in ("RAW", "SD2"):
            continue
        for subtype in soundfile.available_subtypes(kind):
            # An XI is an instrument's sample, and says no rate.
            for rate in (44100,) if kind == "XI" else (8000, 16000, 24000, 44100):
                try:
                    encoded(kind, subtype, rate)
                except soundfile.LibsndfileError:
                    continue
                yield kind, subtype, rate
                break


WRITTEN = list(_written())


def test_the_table_of_formats_is_whole() -> None:
    assert len(WRITTEN) > 100
    assert {kind for kind, _, _ in WRITTEN} >= {
        "WAV",
        "MP3",
        "OGG",
        "FLAC",
        "AIFF",
        "AU",
        "CAF",
        "W64",
        "RF64",
    }
    assert ("WAV", "GSM610", 8000) in WRITTEN


@pytest.mark.parametrize(("kind", "subtype", "rate"), WRITTEN)
def test_what_can_be_written_is_heard(tmp_path: Path, kind: str, subtype: str, rate: int) -> None:
    is_heard(converted(tmp_path, encoded(kind, subtype, rate)), 440)


@pytest.mark.parametrize(
    ("kind", "subtype", "rate"),
    [
        ("WAV", "PCM_24", 48000),
        ("FLAC", None, 32000),
        ("MP3", None, 44100),
        ("OGG", "OPUS", 48000),
        ("AIFF", "PCM_16", 11025),
        ("MP3", None, 22050),
        ("MP3", None, 8000),
    ],
)
def test_several_channels_become_one(tmp_path: Path, kind: str, subtype: str | None, rate: int) -> None:
    is_heard(converted(tmp_path, encoded(kind, subtype, rate, channels=2)), 440)


# Joined sounds


def id3(text: bytes = b"a title") -> bytes:
    body = b"TIT2" + struct.pack(">I", len(text)) + b"\0\0" + text
    return b"ID3\x04\0\0" + bytes([0, 0, len(body) >> 7, len(body) & 127]) + body


@pytest.mark.parametrize(
    "between",
    [b"", id3(), b"TAG" + bytes(125), b"APETAGEX" + struct.pack("<IIII8x", 2000, 32, 0, 1 << 31), bytes(500)],
)
def test_joined_mp3s_play_all(tmp_path: Path, between: bytes) -> None:
    one, other = encoded("MP3", rate=44100), encoded("MP3", rate=44100, hertz=660)
    is_heard(converted(tmp_path, id3() + one + between + other + between), 440, 660)


def test_joined_mp3s_of_different_rates_and_without_counts(tmp_path: Path) -> None:
    one, other = encoded("MP3", rate=44100), encoded("MP3", rate=16000, hertz=660, channels=2)
    # Without its first frame, which counts the others, an MP3 is what a stream is cut into.
    bare = one[one.index(b"\xff\xfb", 100) :]
    is_heard(converted(tmp_path, bare + other + one), 440, 660, 440)


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [
        ("OGG", "VORBIS"),
        ("OGG", "OPUS"),
        ("FLAC", None),
        ("WAV", "PCM_16"),
        ("WAV", "GSM610"),
    ],
)
def test_other_joined_sounds_play_all(tmp_path: Path, kind: str, subtype: str | None) -> None:
    rate = 8000 if subtype == "GSM610" else 48000
    one, other = encoded(kind, subtype, rate), encoded(kind, subtype, rate, hertz=660)
    is_heard(converted(tmp_path, one + other + one), 440, 660, 440)


def test_an_mp3_that_counts_fewer_frames_than_it_has(tmp_path: Path) -> None:
    body = bytearray(encoded("MP3", rate=44100))
    place = body.index(b"Xing") + 8
    body[place : place + 4] = struct.pack(">I", 3)
    is_heard(converted(tmp_path, bytes(body)), 440)


def test_mp3_in_a_wav(tmp_path: Path) -> None:
    form = chunk(b"fmt ", struct.pack("<HHIIHHHHIHHH", 0x55, 1, 44100, 16000, 1, 0, 12, 1, 2, 417, 1, 1393))
    mp3 = chunk(b"data", encoded("MP3", rate=44100))
    is_heard(converted(tmp_path, riff(form, mp3)), 440)


# WAVs whose header is wrong


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    return name + struct.pack("<I", len(body) if size is None else size) + body


SOUND = melody([440], 1.0)[44:]
FORMAT = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16))
LIST = chunk(b"LIST", b"INFOISFT\x04\0\0\0abcd")
ODD = chunk(b"note", b"odd")
RF64_SIZES = chunk(b"ds64", struct.pack("<QQQI", 0, len(SOUND), 8000, 0))


def riff(*chunks: bytes, size: int | None = None, name: bytes = b"RIFF") -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return name + struct.pack("<I", len(body) if size is None else size) + body


@pytest.mark.parametrize(
    "body",
    [
        riff(FORMAT, chunk(b"data", SOUND, 0), size=0),
        riff(FORMAT, chunk(b"data", SOUND, 0xFFFFFFFF), size=0xFFFFFFFF),
        riff(FORMAT, LIST, chunk(b"data", SOUND, 0x7FFFFFFF), size=0x7FFFFFFF),
        riff(FORMAT, chunk(b"data", SOUND, 4096), size=4096 + 36),
        riff(FORMAT, chunk(b"data", SOUND, len(SOUND) + 1000)),
        riff(FORMAT, chunk(b"data", SOUND), size=0),
        riff(FORMAT, ODD, chunk(b"data", SOUND)),
        riff(ODD, FORMAT, LIST, ODD + b"\0", chunk(b"data", SOUND), LIST),
        riff(ODD + b"\0", FORMAT, chunk(b"data", SOUND), ODD),
        riff(FORMAT, chunk(b"junk", bytes(100), 0xFFFFFFFF), chunk(b"data", SOUND)),
        riff(chunk(b"fmt ", FORMAT[8:], 0), chunk(b"data", SOUND)),
        riff(RF64_SIZES, FORMAT, chunk(b"data", SOUND, 0xFFFFFFFF), size=0xFFFFFFFF, name=b"RF64"),
        riff(FORMAT, chunk(b"data", SOUND, 0xFFFFFFFF), size=0xFFFFFFFF, name=b"RF64"),
        id3() + riff(FORMAT, chunk(b"data", SOUND)),
        riff(FORMAT, chunk(b"data", SOUND + b"\x01")),
    ],
)
def test_a_wav_whose_sizes_are_wrong_plays_what_is_there(tmp_path: Path, body: bytes) -> None:
    sound = converted(tmp_path, body)
    is_heard(sound, 440)
    assert abs(len(sound) - 8000) < 60


def test_chunks_behind_the_samples_are_not_heard(tmp_path: Path) -> None:
    body = riff(FORMAT, chunk(b"data", SOUND), chunk(b"bext", b"\x7f\x81" * 40_000), ODD)
    assert len(converted(tmp_path, body)) == 8000


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [
        ("WAV", "PCM_16"),
        ("WAV", "GSM610"),
        ("WAV", "IMA_ADPCM"),
        ("W64", "PCM_16"),
        ("AIFF", "PCM_16"),
        ("AU", "ULAW"),
        ("CAF", "PCM_16"),
        ("FLAC", None),
        ("MP3", None),
    ],
)
def test_a_truncated_file_plays_what_is_there(tmp_path: Path, kind: str, subtype: str | None) -> None:
    rate = 8000 if subtype == "GSM610" else 44100
    body = encoded(kind, subtype, rate)
    sound = converted(tmp_path, body[: len(body) * 2 // 3])
    assert 0.4 < len(sound) / 8000 < 0.85
    assert abs(pitch(sound[800:2800]) - 440) < 5


def test_a_truncated_stream_plays_its_whole_pages(tmp_path: Path) -> None:
    file = io.BytesIO()
    soundfile.write(file, tone(44100, 440, 20), 44100, format="OGG")
    body = file.getvalue()
    sound = converted(tmp_path, body[: len(body) // 2])
    assert 4 < len(sound) / 8000 < 11
    assert abs(pitch(sound[8000:16000]) - 440) < 5


def test_a_streamed_file_of_another_kind(tmp_path: Path) -> None:
    au = bytearray(encoded("AU", "PCM_16"))
    au[8:12] = b"\xff\xff\xff\xff"
    is_heard(converted(tmp_path, bytes(au)), 440)


# What is no sound


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "it is empty"),
        (b"<!DOCTYPE html>\n<html><body>Not found</body></html>", "it is an HTML page, not a sound"),
        ("\ufeff <html lang='de'>ä</html>".encode(), "it is an HTML page"),
        (b"<?xml version='1.0'?><rss/>", "it is an XML document"),
        (b'{"error": "gone"}', "it is JSON"),
        (b"hello", "it is a text, not a sound; WAV, MP3, OGG and FLAC can be played"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "it is a PNG picture"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(100), "it is a JPEG picture"),
        (b"%PDF-1.7\n", "it is a PDF document"),
        (b"PK\x03\x04" + bytes(50), "it is a ZIP archive"),
        (b"\0\0\0\x20ftypM4A " + bytes(50), r"it is an MPEG-4 file \(AAC\)"),
        (b"\xff\xf1\x50\x80\x04\x3f\xfc" + bytes(range(256)), "it is a sound in AAC"),
        (b"RIFF\x10\0\0\0WEBPVP8 " + bytes(50), "it is a WebP picture"),
        (
            riff(chunk(b"fmt ", struct.pack("<HHIIHH", 0x161, 1, 8000, 8000, 1, 16)), chunk(b"data", SOUND)),
            r"it is a WAV file in a coding \(0x0161\)",
        ),
        (riff(FORMAT)[:20], "it is a WAV file that ends before its sound begins"),
        (wav.header(0), "there is no sound in it"),
        (riff(FORMAT, chunk(b"data", b""), LIST), "there is no sound in it"),
        (random.Random(1).randbytes(5000), "it is no audio that can be read"),
    ],
)
def test_what_is_no_sound_is_said(tmp_path: Path, body: bytes, reason: str) -> None:
    with pytest.raises(SoundError, match=f"^{reason}"):
        converted(tmp_path, body)


def test_what_would_be_days_of_sound_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SoundError, match="sample rate is 2 Hz"):
        converted(
            tmp_path, riff(chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 2, 4, 2, 16)), chunk(b"data", SOUND))
        )
    monkeypatch.setattr(convert, "MAX_SECONDS", 3600)
    file = io.BytesIO()
    soundfile.write(file, np.zeros(8000 * 3700, np.int16), 8000, format="FLAC")
    assert len(file.getvalue()) < 1_000_000
    with pytest.raises(SoundError, match="longer than 1 hours"):
        converted(tmp_path, file.getvalue())


def test_the_length_of_a_sound_is_that_of_all_in_it(tmp_path: Path) -> None:
    (tmp_path / "two.mp3").write_bytes(encoded("MP3", rate=44100) * 2)
    (tmp_path / "gsm.wav").write_bytes(encoded("WAV", "GSM610"))
    (tmp_path / "text.wav").write_bytes(b"text")
    assert abs((milliseconds_of("two.mp3", [tmp_path]) or 0) - 2000) < 5
    assert abs((milliseconds_of("gsm", [tmp_path]) or 0) - 1000) < 50
    assert milliseconds_of("text", [tmp_path]) is None


def mutated(number: int, seeds: "list[bytes]") -> bytes:
    """Give a file that somebody broke, the same one for each *number*."""
    chance = random.Random(number)
    body = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        place = chance.randrange(min(len(body), chance.choice((64, 512, 100_000)))) if body else 0
        match chance.randrange(6):
            case 0:
                body[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                body[place : place + 4] = chance.choice(
                    (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\x80")
                )
            case 2:
                del body[place : place + chance.randrange(1, 200)]
            case 3:
                body[place:place] = chance.randbytes(chance.randrange(1, 50))
            case 4:
                del body[place:]
            case _:
                other = chance.choice(seeds)
                body[place:place] = other[chance.randrange(len(other)) :][:2000]
    return bytes(body)


def seeds() -> list[bytes]:
    """Give a tenth of a second in every format."""
    found = []
    for kind, subtype, rate in WRITTEN:
        file = io.BytesIO()
        soundfile.write(file, tone(rate, 440, 0.1), rate, subtype=subtype, format=kind)
        found.append(file.getvalue())
    return found


@asynccontextmanager
async def running(**options: Any) -> AsyncIterator[Converter]:
    async with trio.open_nursery() as nursery:
        made = Converter(**options)
        nursery.start_soon(made.serve)
        yield made
        nursery.cancel_scope.cancel()


async def test_what_somebody_broke_is_played_or_refused(tmp_path: Path) -> None:
    count, whole = int(os.environ.get("RINGFUL_FUZZ", "400")), seeds()
    outcomes: dict[str, int] = {}
    async with running() as sounds, trio.open_nursery() as nursery:

        async def try_some(first: int) -> None:
            for number in range(first, count, 4):
                source, target = tmp_path / f"{first}", tmp_path / f"{first}.wav"
                source.write_bytes(mutated(number, whole))
                try:
                    with trio.fail_after(PATIENCE):
                        await sounds.convert(source, target)
                    said = "played"
                    assert len(wav.samples_of(target)) > 0
                except SoundError as error:
                    said = str(error)
                    assert "fault of the server" not in said, number
                outcomes[said] = outcomes.get(said, 0) + 1

        for first in range(4):
            nursery.start_soon(try_some, first)
    assert sum(outcomes.values()) == count
    assert outcomes["played"] > count // 4
    if "RINGFUL_FUZZ" in os.environ:
        print(*sorted(outcomes.items(), key=lambda one: -one[1]), sep="\n")
    assert not parts(tmp_path)


# The process


async def test_a_sound_is_converted_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "gsm.wav").write_bytes(encoded("WAV", "GSM610"))
    (tmp_path / "page").write_bytes(b"<html></html>")
    async with running() as sounds:
        await sounds.convert(tmp_path / "gsm.wav", tmp_path / "out.wav")
        is_heard(read(tmp_path / "out.wav"), 440)
        with pytest.raises(SoundError, match="HTML page"):
            await sounds.convert(tmp_path / "page", tmp_path / "page.wav")
        with pytest.raises(SoundError, match="No such file"):
            await sounds.convert(tmp_path / "none", tmp_path / "none.wav")
        with pytest.raises(SoundError, match="No such file"):
            await sounds.convert(tmp_path / "gsm.wav", tmp_path / "gone" / "out.wav")
    assert not parts(tmp_path)
    assert not (tmp_path / "page.wav").exists()


async def test_what_is_right_already_needs_no_process(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(melody([440], 1.0))
    async with running() as sounds:
        await sounds.convert(tmp_path / "plain", tmp_path / "out.wav")
        assert sounds.pid is None
    assert (tmp_path / "out.wav").read_bytes() == (tmp_path / "plain").read_bytes()


async def test_the_converter_is_started_again_where_it_died(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(encoded("FLAC"))
    async with running() as sounds:
        await sounds.convert(tmp_path / "a", tmp_path / "1.wav")
        first = sounds.pid
        assert first
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(first, number)  # meant for the node
        await sounds.convert(tmp_path / "a", tmp_path / "2.wav")
        assert sounds.pid == first
        os.kill(first, signal.SIGKILL)
        await until(lambda: exists(first, state="Z"))
        await sounds.convert(tmp_path / "a", tmp_path / "3.wav")
        assert sounds.pid not in (None, first)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Let the converter's process do something else than convert."""

    def tell(change: str) -> None:
        program = tmp_path / "program"
        lines = [
            "import ctypes, os, signal, sys, time",
            "from ringful.media.library import converting",
            change,
            "converting.main()",
        ]
        program.write_text("\n".join(lines))
        real = subprocess.Popen

        def start(command: list[str], **options: Any) -> "subprocess.Popen[bytes]":
            assert command[1:3] == ["-m", "ringful.media.library.converting"]
            return real([sys.executable, str(program), *command[3:]], **options)

        monkeypatch.setattr(converter.subprocess, "Popen", start)

    return tell


def working(pid: int) -> bool:
    """Say whether a conversion has been bounded, and does its work: it is nicer than others by then."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[16] != "0"


async def until(fact: Callable[[], bool]) -> None:
    with trio.fail_after(PATIENCE):
        while not fact():  # noqa: ASYNC110 (what other processes do is no event here)
            await trio.sleep(0.01)


def jobs(sounds: Converter) -> list[int]:
    """Give the processes of the conversions that are being done."""
    parent = sounds.pid
    return (
        [int(one) for one in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
        if parent
        else []
    )


async def until_some(sounds: Converter) -> list[int]:
    """Wait until conversions are being done; give their processes."""
    await until(lambda: bool(jobs(sounds)))
    return jobs(sounds)


async def until_none(pids: list[int]) -> None:
    await until(lambda: not any(exists(pid) for pid in pids))


def exists(pid: int, *, state: str = "") -> bool:
    """Say whether process *pid* is there, in *state* if that is given."""
    try:
        return f"\nState:\t{state}" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def parts(folder: Path) -> list[Path]:
    """Give what conversions left lying about."""
    return list(folder.glob("*.part"))


HANG = """
def convert(source, target):
    hangs = source.read(4) == b"hang"
    while hangs:
        pass
    source.seek(0)
    real(source, target)
real, converting.convert = converting.convert, convert
"""


async def test_one_that_hangs_is_stopped_and_delays_no_other(
    tmp_path: Path, told: Callable[[str], None]
) -> None:
    told(HANG)
    (tmp_path / "hangs").write_bytes(b"hang")
    (tmp_path / "a").write_bytes(encoded("FLAC"))
    async with running(seconds=3.0) as sounds, trio.open_nursery() as nursery:
        order: list[str] = []

        async def hang() -> None:
            with pytest.raises(SoundError, match="more than 3 seconds"):
                await sounds.convert(tmp_path / "hangs", tmp_path / "hangs.wav")
            order.append("hangs")

        nursery.start_soon(hang)
        hanging = await until_some(sounds)
        sounds.seconds = PATIENCE
        await sounds.convert(tmp_path / "a", tmp_path / "a.wav")
        order.append("a")
        await until_none(hanging)
    assert order == ["a", "hangs"]
    assert not parts(tmp_path)


async def test_one_that_nobody_waits_for_any_more_ends(tmp_path: Path, told: Callable[[str], None]) -> None:
    told(HANG)
    (tmp_path / "a").write_bytes(b"hang")
    async with running() as sounds:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sounds.convert, tmp_path / "a", tmp_path / "a.wav")
            hanging = await until_some(sounds)
            await until(lambda: working(hanging[0]))
            nursery.cancel_scope.cancel()
        await until_none(hanging)
    assert not parts(tmp_path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("def convert(source, target):\n    os.kill(os.getpid(), signal.SIGSEGV)", "does not survive it"),
        (
            "def convert(source, target):\n    kept = [bytearray(2**20) for _ in range(10_000)]",
            "too much memory",
        ),
        ("def convert(source, target):\n    raise ValueError('nobody expected this')", "fault of the server"),
        (
            "converting.CPU_SECONDS = 1\ndef convert(source, target):\n    while True: pass",
            "more than 1 seconds of work",
        ),
    ],
)
async def test_one_that_fails_as_nobody_expected(
    tmp_path: Path, told: Callable[[str], None], change: str, reason: str
) -> None:
    told(f"{change}\nconverting.convert = convert")
    (tmp_path / "a").write_bytes(b"x")
    async with running() as sounds:
        for _ in range(2):
            with pytest.raises(SoundError, match=reason):
                await sounds.convert(tmp_path / "a", tmp_path / "a.wav")
    assert not parts(tmp_path)


def test_memory_is_bounded(tmp_path: Path) -> None:
    body = encoded("WAV", "PCM_16", 8000, channels=1)
    many = riff(
        chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1000, 8000, 16_000_000, 2000, 16)),
        chunk(b"data", body * 3000),
    )
    (tmp_path / "many").write_bytes(many)
    program = (
        "import sys\nfrom ringful.media.library.convert import convert\n"
        "with open(sys.argv[1], 'rb') as a, open(sys.argv[2], 'wb') as b: convert(a, b)\n"
        "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "many"), str(tmp_path / "out.wav")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    # What the file itself takes is mapped, and counted too.
    assert int(done.stdout) * 1024 - len(many) < converting.MEMORY // 4


NODE = """
import sys, trio
from pathlib import Path
from ringful.media.library.converter import Converter
async def main():
    made = Converter()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(made.serve)
        await made.convert(Path(sys.argv[1]), Path(sys.argv[2]))
        print(made.pid, flush=True)
        await trio.sleep_forever()
trio.run(main)
"""


async def test_the_converter_ends_with_its_node(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(encoded("FLAC"))
    command = [sys.executable, "-c", NODE, str(tmp_path / "a"), str(tmp_path / "out.wav")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as node:  # noqa: ASYNC220
        assert node.stdout
        pid = int(node.stdout.readline())
        assert exists(pid)
        node.kill()
    await until_none([pid])
