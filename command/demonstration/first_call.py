"""The first call, end to end, on this machine: what `ringful demo` shows.

A server, a phone in a process of its own, and a small web application talk to each other over real
HTTP, SIP and RTP on loopback; then the six calls of the API reference are made.  What happens is
shown as it happens, and compared with what the reference says.
"""

import json
import math
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from urllib.request import Request, urlopen

import trio
from attrs import define, evolve, field, frozen

from ringful.command.configuration.config import Config, Fetching, Http, Media, Sip, StoreSection
from ringful.command.demonstration.sounds import melody, sound
from ringful.command.demonstration.web import web_application
from ringful.command.errors import CommandError
from ringful.command.serving.house import Joined, open_house
from ringful.http.serve import serve as serve_http
from ringful.http.signing import signed_url
from ringful.interpreter.money.rates import Rate
from ringful.interpreter.trace import Tracer
from ringful.media import wav
from ringful.store.keys import new_key_id, new_secret
from ringful.store.port import Entry, Key

NUMBER = "15125551234"
LIMIT = 50.0
"""Seconds that the whole call may take."""

EXPECTED = {
    "/call_notify": ["CallEstablished", "CalleeHangUp"],
    "/record_notify": ["RecordStart", "RecordComplete"],
    "/tone_notify": ["ToneDetectorStart", "ToneDetected 4", "ToneDetected 2"],
}
"""What each callback URL must be told, in order."""


@frozen
class Callback:
    """A callback as it came in."""

    path: str
    fields: Mapping[str, str]


@define
class Show:
    """Print what happens, with the seconds since the beginning."""

    began: float = field(factory=time.monotonic)
    tracer: Tracer = field(factory=Tracer)

    def line(self, who: str, text: str) -> None:
        """Print one line."""
        print(f"{time.monotonic() - self.began:8.3f}  {who:<12} {text}", flush=True)

    def entry(self, entry: Entry) -> None:
        """Print a journal line, if it is one that an onlooker cares for."""
        line = self.tracer.line(entry)
        if line and line.verb != "post":  # callbacks are shown when they arrive
            self.line(line.verb, line.text)


async def first_call(folder: Path) -> None:
    """Make the call, with everything that it writes in *folder*.  Raises CommandError."""
    show = Show()
    token = trio.lowlevel.current_trio_token()
    send, receive = trio.open_memory_channel[Callback](math.inf)

    def came_in(path: str, fields: Mapping[str, str], _: Mapping[str, str]) -> None:
        callback = Callback(path, fields)
        token.run_sync_soon(send.send_nowait, callback)

    files = {
        "/welcome_message.wav": sound("Welcome to ringful.", [523, 659, 784]),
        "/please_press_1.wav": sound("Please press 1, and say something.", [784, 659]),
    }
    with web_application(files, came_in) as web:
        show.line("web", f"an application listens on {web}")
        phone, address = _start_phone(folder)
        show.line("phone", f"a phone listens on sip:{address}")
        try:
            with trio.fail_after(LIMIT):
                await _with_server(folder, web, address, receive, show)
        except trio.TooSlowError:
            raise CommandError(f"the demo failed: the call was not over within {LIMIT:.0f} s") from None
        finally:
            phone.kill()
            phone.wait()


def _start_phone(folder: Path) -> "tuple[subprocess.Popen[str], str]":
    spoken = folder / "spoken.wav"
    spoken.write_bytes(melody([440, 494, 523, 587, 659], 0.5))
    command = [sys.executable, "-m", "ringful.command.main", "phone", "--listen", "127.0.0.1:0", "--json"]
    command += ["--answer-after", "1s", "--say", str(spoken), "--say-after", "1", "--hang-up-after", "1s"]
    command += ["--press", "1@quiet", "--press", "4@+4s", "--press", "2@+1s", "--calls", "1"]
    phone = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert phone.stdout
    for line in phone.stdout:
        if line.startswith("{"):
            return phone, str(json.loads(line)["address"])
    raise CommandError("the demo failed: the phone did not start")


def _configuration(folder: Path, address: str) -> Config:
    return Config(
        http=Http(bind=f"127.0.0.1:{_free_port()}"),
        sip=Sip(bind="127.0.0.1:0", trunk=f"sip:{address}", from_number="15125550000"),
        media=Media(folders=(folder,), cache=folder / "cache"),
        store=StoreSection(url=f"sqlite:///{folder}/ringful.db", recordings=folder / "recordings"),
        fetch=Fetching(allow=(ip_network("127.0.0.0/8"),)),
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _with_server(
    folder: Path, web: str, phone: str, receive: "trio.MemoryReceiveChannel[Callback]", show: Show
) -> None:
    config = _configuration(folder, phone)
    price = Rate(per_minute=Decimal("0.012"), connection=Decimal("0.005"), first=6, following=6)
    config = evolve(config, rates=evolve(config.rates, table=(price,)))
    async with open_house(config, watchers=(show.entry,)) as house, trio.open_nursery() as nursery:
        stop = trio.Event()
        listen = partial(serve_http, most=config.http.max_connections)
        await nursery.start(listen, house.app, config.http.bind, stop.wait)
        show.line("server", f"ringful listens on http://{config.http.bind} and sip:{house.pool.addresses[0]}")
        key = Key(new_key_id(), new_secret(), "demo", time.time())
        await house.store.put_key(key)
        client = Client(f"http://{config.http.bind}", key, show)
        call_id = await _six_calls(client, web)
        told = await _callbacks(receive, show)
        await _judge(client, house, call_id, told, show)
        stop.set()


@define
class Client:
    """A web application's side of the API."""

    base: str
    key: Key
    show: Show
    seq: int = 0

    async def ask(self, method: str, *, json_wanted: bool = False, **parameters: str) -> str:
        """Make one signed request and give its answer."""
        self.seq += 1
        pairs = [*parameters.items(), ("seq", str(self.seq))]
        url = signed_url(self.key.secret, "GET", self.base, f"/{method}/apikey/{self.key.key}", pairs)
        shown = "&".join(f"{name}={value}" for name, value in parameters.items())
        self.show.line("request", f"/{method}?{shown}")
        accept = "application/json" if json_wanted else "text/plain"
        return (await _get(url, accept)).decode().strip("\n")


async def _get(url: str, accept: str = "*/*") -> bytes:
    def get() -> bytes:
        with urlopen(Request(url, headers={"Accept": accept}), timeout=10) as response:
            return bytes(response.read())

    return await trio.to_thread.run_sync(get)


async def _six_calls(client: Client, web: str) -> str:
    call_id = await client.ask("Call", callee=NUMBER, callbackUrl=f"{web}/call_notify")
    await client.ask("Play", callId=call_id, announcement=f"{web}/welcome_message.wav")
    await client.ask("Play", callId=call_id, announcement=f"{web}/please_press_1.wav")
    await client.ask("WaitForTone", callId=call_id, tone="1")
    await client.ask("Record", callId=call_id, callbackUrl=f"{web}/record_notify")
    await client.ask("StartToneDetector", callId=call_id, callbackUrl=f"{web}/tone_notify")
    return call_id


async def _callbacks(receive: "trio.MemoryReceiveChannel[Callback]", show: Show) -> list[Callback]:
    """Take callbacks until each URL has been told its last."""
    told: list[Callback] = []
    async for callback in receive:
        told.append(callback)
        fields = "  ".join(f"{name}={value}" for name, value in callback.fields.items())
        show.line("callback", f"{callback.path}  {fields}")
        if all(len(_actions(told, path)) >= len(actions) for path, actions in EXPECTED.items()):
            break
        if callback.fields.get("action") in ("CallFailed", "ScriptFailed"):
            raise CommandError(f"the demo failed: {callback.fields}")
    return told


def _actions(told: list[Callback], path: str) -> list[str]:
    return [
        f"{one.fields.get('action', '')} {one.fields.get('tone', '')}".strip()
        for one in told
        if one.path == path
    ]


async def _judge(client: Client, house: Joined, call_id: str, told: list[Callback], show: Show) -> None:
    """Compare what was told with the reference, and show what the call came to.  Raises CommandError."""
    for path, actions in EXPECTED.items():
        if _actions(told, path) != actions:
            raise CommandError(f"the demo failed: {path} was told {_actions(told, path)}, not {actions}")
    if any(one.fields.get("callId") != call_id for one in told):
        raise CommandError("the demo failed: a callback named another call")
    if sorted(int(one.fields["n"]) for one in told) != list(range(1, len(told) + 1)):
        raise CommandError("the demo failed: the callbacks are not numbered without gaps")
    print("\nThe call as a script:\n")
    print(await client.ask("Script", callId=call_id))
    complete = next(one for one in told if one.fields.get("action") == "RecordComplete")
    data = await _get(complete.fields["recordFile"])
    samples = data[wav.HEADER_BYTES :]
    level = wav.level_db(wav.power(samples), len(samples) // 2)
    seconds = len(samples) / 2 / wav.RATE
    print(f"\nThe recording: {complete.fields['recordFile']}: {seconds:.2f} s, {level} dB")
    if level is None or level < -40 or abs(seconds - float(complete.fields["duration"])) > 0.001:
        raise CommandError("the demo failed: the recording does not hold what the phone said")
    end = next(one for one in told if one.fields.get("action") == "CalleeHangUp")
    print(f"The bill: {end.fields['billAmount']} USD for {end.fields['duration']} s")
    print("\nEverything happened as the API reference says.")
