"""A fault in one order to a worker fails that order, and neither its leg nor the others of the worker."""

from pathlib import Path

import pytest

from ringful.media import port
from ringful.media.engine.worker import failure_of
from ringful.media.wire import encode_event
from tests.media.test_pool import line, write_tone
from tests.server import phone

HUSH = {"muted": False, "deaf": False}


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
