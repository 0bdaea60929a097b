"""A far end on baresip, a SIP stack of another family: it answers one call and does as it is told.

``far_baresip.py PORT SAYS.wav HEARS.wav``: both files 16-bit, 8 kHz, mono.  Standard input takes a
word a line: ``speak``, ``hold``, ``resume``, ``press KEY``, ``transfer URI``, ``hangup``.  Standard
output gives a JSON object a line for what happens.  As callee it sends a re-INVITE of its own 100 ms
after the ACK.
"""

import asyncio
import json
import os
import sys
import time
import wave
from typing import Any

import baresip

TICK = 0.02
SILENCE = bytes(320)


def say(event: str, **more: Any) -> None:
    print(json.dumps({"event": event, **more}), flush=True)


class Far:
    """The one call, what it says, and what it hears."""

    def __init__(self, says: str, hears: str) -> None:
        with wave.open(says) as file:
            self.speech = file.readframes(file.getnframes())
        self.hears = wave.open(hears, "wb")  # noqa: SIM115 (closed when the call is over)
        self.hears.setparams((1, 2, 8000, 0, "NONE", ""))
        self.call: Any = None
        self.place: int | None = None
        self.over = asyncio.Event()

    def take(self, call: Any) -> None:
        """Take the call that comes in."""
        self.call = call
        call.on(self.hear)
        say("invite")
        self._answering = asyncio.ensure_future(call.answer())

    def hear(self, event: Any) -> None:
        """Tell an event of the call."""
        name = event.event.name.lower()
        if name == "call_established":
            self._media = asyncio.ensure_future(self.media())
        if name == "call_closed":
            self.over.set()
        say(name, text=event.text)

    async def media(self) -> None:
        """Say and hear 20 ms at a time, until the call is over."""
        due = time.monotonic()
        while self.call.state is not baresip.CallState.CLOSED:
            try:
                self.exchange()
            except baresip.AudioNotActive:
                pass  # It is on hold.
            except baresip.AudioRestarted:
                say("restarted")
            due += TICK
            await asyncio.sleep(max(0.001, due - time.monotonic()))

    def exchange(self) -> None:
        """Send what there is room for, and take what has come."""
        audio, info = self.call.audio, self.call.audio.info()
        if info.tx_ready:
            assert (info.tx_sample_rate, info.tx_channels) == (8000, 1)
            room = 1600 - info.tx_buffered
            if self.place is not None and room > 0:
                self.place += audio.write(self.speech[self.place : self.place + room])
                if self.place >= len(self.speech):
                    self.place = None
                    say("spoke")
            elif room > 0:
                audio.write(SILENCE)
        if info.rx_ready and (heard := audio.read(65536)):
            self.hears.writeframes(heard)

    async def obey(self, line: str) -> None:
        """Do as a line of the standard input says."""
        word, _, rest = line.strip().partition(" ")
        try:
            match word:
                case "speak":
                    self.place = 0
                case "press":
                    await self.call.send_dtmf(rest)
                case "hold" | "resume" | "hangup":
                    await getattr(self.call, word)()
                case "transfer":
                    await self.call.transfer(rest, timeout=10)
            say("done", word=word)
        except baresip.BaresipError as error:
            say("failed", word=word, why=f"{type(error).__name__}: {error}")


async def main(port: int, says: str, hears: str) -> None:
    far = Far(says, hears)
    runtime = baresip.Runtime()
    listen = f"sip_listen 127.0.0.1:{port}\n"
    await runtime.start(
        baresip.Config(
            net_interface="127.0.0.1", rtp_timeout=0, native_log_level="error", extra_config_text=listen
        )
    )
    account = baresip.Account(
        "far", f"127.0.0.1:{port}", "", reg_interval=0, audio_codecs=("pcmu",), extra_params=("catchall=yes",)
    )
    agent = await baresip.UserAgent.create(runtime, account)
    agent.on_incoming(far.take)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    say("ready", address=f"127.0.0.1:{port}")
    tasks = set()

    async def listen_to_orders() -> None:
        async for line in reader:
            tasks.add(asyncio.ensure_future(far.obey(line.decode())))

    tasks.add(asyncio.ensure_future(listen_to_orders()))
    await far.over.wait()
    far.hears.close()
    say("over")


asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
os._exit(0)
