"""A fault in one order to a worker fails that order, and neither its leg nor the others of the worker."""

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from ringful.bench.media import sip
from ringful.media import port
from ringful.media.engine.recording import Disk, Quiet, Recorder
from ringful.media.engine.worker import failure_of
from ringful.media.wire import encode_event
from tests.media.test_pool import line, write_tone
from tests.server import phone

HUSH = {"muted": False, "deaf": False, "to": 0}


async def test_an_order_that_nobody_expected_fails_alone(tmp_path: Path) -> None:
    write_tone(tmp_path / "tone.wav", 440, 0.2)
    with phone("--answer-after", "0s") as (address, _):
        async with line(tmp_path) as calls:
            calls.ring("a", address)
            await calls.next(port.Answered)
            leg = calls.pool.legs["a"]
            assert leg.worker
            leg.worker.tell({"do": "dance", "leg": "a"})
            leg.recordings[7] = tmp_path / "r.wav"
            leg.worker.tell(
                {"do": "record", "leg": "a", "recording": 7, "path": None, "silence": None, "beep": 0}
            )
            failed = await calls.next(port.RecordingFailed)
            assert failed.detail.startswith("a fault of the server; its log has more under ")
            # One that would sit where there is no bus stands, and its seat is free.
            leg.worker.tell({"do": "sit", "leg": "a", "sitting": 99, "bus": None, "seat": 0} | HUSH)
            calls.pool.play("a", 1, port.Announcement("tone.wav"))
            assert (await calls.next(port.PlaybackEnded)).reason == "end"
            assert len(calls.pool.workers) == 1


@pytest.mark.parametrize(
    ("command", "event"),
    [
        ({"do": "ring", "leg": "a"}, port.Refused("a", "unreachable", None, "why")),
        ({"do": "play", "leg": "a", "playback": 1}, port.PlaybackFailed("a", 1, "why")),
        ({"do": "send_tones", "leg": "a", "sending": 1}, port.TonesSent("a", 1, sent=False)),
        (
            {"do": "transfer", "leg": "a", "transfer": 1},
            port.TransferFailed("a", 1, "unreachable", None, "why"),
        ),
        ({"do": "mute", "leg": "a"}, None),
    ],
)
def test_every_order_has_its_failure(command: dict[str, object], event: port.Event | None) -> None:
    assert failure_of(command, "why") == (encode_event(event) if event else None)


def test_a_seat_that_could_not_be_taken_is_free_again() -> None:
    for order in ("sit", "open_voice"):
        failed = failure_of({"do": order, "leg": "a", "sitting": 7}, "why")
        assert failed == {"is": "NotSeated", "leg": "a", "sitting": 7, "detail": "why"}
    assert failure_of({"do": "close_voice", "leg": "r"}, "why") == {"is": "VoiceClosed", "leg": "r"}


@asynccontextmanager
async def refusing() -> AsyncIterator[str]:
    """Run a trunk that answers 503 to each call at once; give its address."""
    ours = trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM)
    await ours.bind(("127.0.0.1", 0))

    async def serve() -> None:
        while True:
            data, source = await ours.recvfrom(65536)
            request = sip.read(data)
            if request and request.method == "INVITE":
                await ours.sendto(sip.response(request, "503 No", "far"), source)

    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve)
            yield "{}:{}".format(*ours.getsockname())
            nursery.cancel_scope.cancel()
    finally:
        ours.close()


async def test_calls_that_are_refused_at_once_end_no_worker(tmp_path: Path) -> None:
    """The library keeps each one's sockets for half a second, and has places for 64 of them."""
    async with refusing() as address, line(tmp_path, max_calls=8) as calls:
        for number in range(150):
            calls.ring(f"c{number}", address)
            await calls.all(port.Refused, number - 6)
        ends = await calls.all(port.Refused, 150)
        assert {(end.sip_status, end.reason) for end in ends} == {(503, "unreachable")}
        assert calls.pool.crew.died == 0


def test_a_recording_whose_folder_cannot_be_searched_any_more_has_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[port.Event] = []
    disk = Disk()
    recorder = Recorder("a", 1, tmp_path / "r.wav", disk, told.append, Quiet())

    def denied(_path: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "exists", denied)
    recorder.end("stopped")
    disk.close()
    assert [type(one) for one in told] == [port.RecordingStarted, port.RecordingFailed]
