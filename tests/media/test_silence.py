"""A far end of which nothing is heard any more counts as lost; one that is held, or only quiet, does not."""

import signal
import socket
import struct
from contextlib import ExitStack, suppress
from pathlib import Path

import trio

from ringful.command.demonstration.sounds import melody
from ringful.media import port
from ringful.media.ranges import UNIT
from tests.media.test_pool import line, write_tone
from tests.server import PATIENCE, free_port, phone, receiver, server
from tests.sipp import sipp

NUMBER = "15125551234"
HELD = [
    ("sendonly", "127.0.0.1"),
    ("recvonly", "127.0.0.1"),
    ("inactive", "127.0.0.1"),
    ("sendrecv", "0.0.0.0"),
]


async def test_a_far_end_that_sends_nothing_is_lost_and_hung_up(tmp_path: Path) -> None:
    with sipp("answer", tmp_path) as (address, far):
        async with line(tmp_path, silence_limit=1.0) as calls:
            calls.ring("a", address)
            end = await calls.next(port.HungUp)
            assert (end.by, end.detail) == ("lost", "nothing was heard from the far end for 1 s")
            # It has seen the BYE.
            assert await trio.to_thread.run_sync(far.wait, PATIENCE) == 0


async def test_silence_while_a_call_is_held_is_meant(tmp_path: Path) -> None:
    with ExitStack() as stack:
        fars = []
        for number, (direction, connection) in enumerate(HELD):
            folder = tmp_path / str(number)
            folder.mkdir()
            keys = ("-key", "direction", direction, "-key", "connection", connection)
            fars.append(stack.enter_context(sipp("hold", folder, *keys)))
        async with line(tmp_path, silence_limit=2.0) as calls:
            for number, (address, _) in enumerate(fars):
                calls.ring(str(number), address)
            ends = await calls.all(port.HungUp, len(HELD))
            assert {end.by for end in ends} == {"lost"}
            # A hang-up while it held would have failed the scenario.
            codes = [await trio.to_thread.run_sync(far.wait, PATIENCE) for _, far in fars]
            assert codes == [0] * len(HELD)


def rtcp_ports(pid: int) -> list[int]:
    """Give the ports at which process *pid* may take RTCP: the odd ones."""
    own = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            own.add(str(entry.readlink()))
    lines = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    ports = [int(line[1].rpartition(":")[2], 16) for line in lines if f"socket:[{line[9]}]" in own]
    return [port for port in ports if port % 2]


async def test_who_says_by_rtcp_that_he_hears_is_not_lost(tmp_path: Path) -> None:
    report = struct.pack(">BBHIIIIIII", 0x81, 201, 7, 0x1234, 0x5678, 0, 0, 0, 0, 0)
    with (
        sipp("answer", tmp_path) as (address, far),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        # Of a range, RTCP has the odd ports.
        first = free_port(4 * UNIT, even=True)
        async with line(tmp_path, silence_limit=2.0, rtp_ports=(first, first + 4 * UNIT - 1)) as calls:
            calls.ring("a", address)
            await calls.next(port.Answered)
            # Longer than the limit: only who counts reports lets the call go on.
            for _ in range(25):
                for at in rtcp_ports(calls.pool.workers[0].pid):
                    sender.sendto(report, ("127.0.0.1", at))
                await trio.sleep(0.2)
            assert calls.receive.statistics().current_buffer_used == 0
            assert (await calls.next(port.HungUp)).by == "lost"
            assert await trio.to_thread.run_sync(far.wait, PATIENCE) == 0


async def test_who_is_heard_is_not_lost_and_who_dies_is(tmp_path: Path) -> None:
    write_tone(tmp_path / "long.wav", 440, 6)
    with (
        sipp("answer", tmp_path, "-rtp_echo") as (echo, far),
        phone("--answer-after", "0s") as (address, process),
    ):
        async with line(tmp_path, silence_limit=4.0) as calls:
            calls.ring("echo", echo)
            calls.ring("phone", address)
            await calls.all(port.Answered, 2)
            calls.pool.play("echo", 1, port.Announcement("long.wav"))
            assert await calls.next(port.PlaybackEnded, "echo") == port.PlaybackEnded("echo", 1, "end")
            calls.pool.hang_up("echo")
            assert (await calls.next(port.HungUp, "echo")).by == "server"
            process.send_signal(signal.SIGKILL)
            end = await calls.next(port.HungUp, "phone")
            assert (end.by, end.detail) == ("lost", "nothing was heard from the far end for 4 s")
            assert await trio.to_thread.run_sync(far.wait, PATIENCE) == 0


def test_the_web_application_is_told_why(tmp_path: Path) -> None:
    with (
        receiver({"/long.wav": melody([440] * 20)}) as web,
        phone("--answer-after", "0s") as (address, process),
        server(tmp_path, address, RINGFUL_MEDIA__SILENCE_LIMIT="1s") as ringful,
    ):
        call_id = ringful.ask("Call", callee=NUMBER, callbackUrl=f"{web.url}/call")
        ringful.ask("Play", callId=call_id, announcement=f"{web.url}/long.wav", callbackUrl=f"{web.url}/play")
        web.until("PlayStart")
        process.kill()
        told = web.until("ServerHangup")
        assert told[-1][1]["reason"] == "lost"
        assert told[-1][1]["detail"] == "nothing was heard from the far end for 1 s"
