"""Phones on real SIP: a pool of media workers behind the port.

A leg lives in one worker.  The pool keeps account of everything that was ordered on each leg, so
that whatever ends the leg (the far end, an order, a worker that dies) each order has its one end,
told before the leg's.  Workers are filled one after another, one is kept warm, idle ones are let go.
"""

import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
import trio
from attrs import frozen

from ringful.ground.faults import Fence, Tasks, fault
from ringful.media import port, wav
from ringful.media.connections import Connections
from ringful.media.incoming import STATUS, Reception
from ringful.media.options import ask_options
from ringful.media.pool_leg import PoolLeg
from ringful.media.sounds import SoundError, Sounds
from ringful.media.worker_process import WorkerProcess, start_worker

log = structlog.get_logger()

PAUSES = (0.0, 0.1, 1.0, 5.0, 30.0)
"""Seconds before a worker takes the place of one that is gone: those that live shortly come later."""
LIVES_SECONDS = 5.0
"""A worker that dies sooner than this died of its start."""
IDLE_SECONDS = 30.0
"""How long a worker without calls is kept, beyond the one that is kept warm."""


@frozen
class PoolSettings:
    """Where calls go, and how many there may be."""

    address: str = "127.0.0.1"
    first_port: int = 0
    """The first worker's SIP port; the next workers take the next ones.  0: any."""
    trunk: str = "sip:127.0.0.1:5070"
    username: str = ""
    password: str = ""
    transport: str = "udp"
    from_number: str = ""
    max_calls: int = 60
    silence_limit: float | None = 60.0
    """Seconds after which a far end of which nothing is heard is given up; None: never."""


class Pool:
    """Implements `port.Phones`; made by `open_pool`."""

    def __init__(self, settings: PoolSettings, sounds: Sounds, nursery: Tasks) -> None:
        self._settings, self._sounds, self._nursery = settings, sounds, nursery
        self.workers: list[WorkerProcess] = []
        self.legs: dict[str, PoolLeg] = {}
        self._connections = Connections()
        self._reception = Reception(settings.address, settings.first_port)
        self._starting = 0
        self.started = self.died = 0
        """Workers that were started, and those that ended without having been let go."""
        self._in_a_row = 0
        """How many workers have died of their start since one did not."""
        self._changed = trio.Event()
        self._closing = False

    # The port

    def open(self, desk: port.Desk) -> None:
        """See `port.Phones.open`."""
        self._reception.open(desk)

    def ring(self, leg: str, number: str, caller_id: str | None, sink: port.Sink) -> None:
        """See `port.Phones.ring`."""
        kept = PoolLeg(leg, sink, number, caller_id)
        if len(self.legs) >= self._settings.max_calls or self._closing:
            sink(port.Refused(leg, "capacity", None, "all legs of this server are in use"))
            return
        self.legs[leg] = kept
        self._nursery.start_soon(self._place, kept)

    def hang_up(self, leg: str) -> None:
        """See `port.Phones.hang_up`."""
        kept = self.legs.get(leg)
        if kept is None:
            return
        kept.cancelled = True
        if kept.worker:
            kept.worker.tell({"do": "hang_up", "leg": leg})
        else:
            self._end(kept, port.Refused(leg, "cancelled"))

    def answer(self, leg: str) -> None:
        """See `port.Phones.answer`."""
        kept = self.legs.get(leg)
        if kept and kept.worker:
            kept.worker.tell({"do": "answer", "leg": leg})

    def reject(self, leg: str, reason: port.Rejection) -> None:
        """See `port.Phones.reject`."""
        kept = self.legs.get(leg)
        if kept and kept.worker:
            kept.worker.tell({"do": "refuse", "leg": leg, "status": STATUS[reason]})

    def prepare(self, sound: port.Sound) -> None:
        """See `port.Phones.prepare`."""
        self._nursery.start_soon(self._fetch, sound)

    def play(self, leg: str, playback: int, sound: port.Sound, *, background: bool = False) -> None:
        """See `port.Phones.play`."""
        kept = self.legs.get(leg)
        if kept is None:
            return
        kept.cues.discard(playback)
        kept.playbacks[playback] = "fetching"
        turn = (None, trio.Event()) if background else kept.take_turn()
        self._nursery.start_soon(self._play, kept, playback, sound, background, *turn)

    def cue(self, leg: str, playback: int, sound: port.Sound) -> None:
        """See `port.Phones.cue`."""
        kept = self.legs.get(leg)
        if kept is None:
            return
        kept.cues.add(playback)
        self._nursery.start_soon(self._cue, kept, playback, sound, *kept.take_turn())

    def stop_playback(self, leg: str, playback: int) -> None:
        """See `port.Phones.stop_playback`."""
        kept = self.legs.get(leg)
        if kept is None:
            return
        if kept.playbacks.get(playback) == "fetching":
            kept.playbacks[playback] = "stopped"
            # It may have been cued, and be heard already.
        kept.cues.discard(playback)
        if kept.worker:
            kept.worker.tell({"do": "stop_playback", "leg": leg, "playback": playback})

    def record(
        self, leg: str, recording: int, path: Path, *, silence: float | None = None, beep: bool = False
    ) -> None:
        """See `port.Phones.record`."""
        kept = self.legs.get(leg)
        if kept is None:
            return
        if kept.worker is None:
            kept.sink(port.RecordingFailed(leg, recording, "the call has not been answered"))
            return
        kept.recordings[recording] = path
        order = {"recording": recording, "path": str(path.absolute()), "silence": silence, "beep": beep}
        kept.worker.tell({"do": "record", "leg": leg, **order})

    def stop_recording(self, leg: str, recording: int) -> None:
        """See `port.Phones.stop_recording`."""
        kept = self.legs.get(leg)
        if kept and kept.worker:
            kept.worker.tell({"do": "stop_recording", "leg": leg, "recording": recording})

    def send_tones(self, leg: str, sending: int, tones: str) -> None:
        """See `port.Phones.send_tones`."""
        kept = self.legs.get(leg)
        if kept is None:
            return
        if kept.worker is None:
            kept.sink(port.TonesSent(leg, sending, sent=False))
            return
        kept.sendings.add(sending)
        kept.worker.tell({"do": "send_tones", "leg": leg, "sending": sending, "tones": tones})

    def connect(self, leg: str, other: str, connection: int) -> None:
        """See `port.Phones.connect`."""
        if kept := self.legs.get(leg):
            self._connections.connect(kept, self.legs.get(other), connection)

    def disconnect(self, leg: str, connection: int) -> None:
        """See `port.Phones.disconnect`."""
        if kept := self.legs.get(leg):
            self._connections.disconnect(kept, connection)

    def mute(self, leg: str) -> None:
        """See `port.Phones.mute`."""
        self._mute(leg, True)

    def unmute(self, leg: str) -> None:
        """See `port.Phones.unmute`."""
        self._mute(leg, False)

    def _mute(self, leg: str, muted: bool) -> None:
        kept = self.legs.get(leg)
        if kept is None:
            return
        kept.muted = muted
        if kept.worker:
            kept.worker.tell({"do": "mute", "leg": leg, "muted": muted})

    def transfer(self, leg: str, transfer: int, number: str) -> None:
        """See `port.Phones.transfer`."""
        kept = self.legs.get(leg)
        if kept is None:
            return
        if kept.worker is None or not kept.answered:
            detail = "the call has not been answered"
            kept.sink(port.TransferFailed(leg, transfer, "rejected", None, detail))
            return
        kept.transfers.add(transfer)
        # The far end calls it, so the name of its host is for the far end to resolve.
        uri = self._address(number)
        kept.worker.tell({"do": "transfer", "leg": leg, "transfer": transfer, "uri": uri})

    # Sounds

    async def _fetch(self, sound: port.Sound) -> Path | str:
        try:
            return await self._sounds.path(sound)
        except SoundError as error:
            return str(error)
        except Exception as error:
            return fault("having a sound made", error)

    async def _play(
        self,
        leg: PoolLeg,
        playback: int,
        sound: port.Sound,
        background: bool,
        before: trio.Event | None,
        done: trio.Event,
    ) -> None:
        path = await self._fetch(sound)
        if before is not None:
            await before.wait()
        try:
            self._play_now(leg, playback, path, background=background)
        except Exception as error:
            why = fault("playing a sound", error, call=leg.name)
            self._hear(leg, port.PlaybackFailed(leg.name, playback, why))
        finally:
            done.set()

    def _play_now(self, leg: PoolLeg, playback: int, path: Path | str, *, background: bool) -> None:
        if leg.over or playback not in leg.playbacks or leg.worker is None:
            return
        if isinstance(path, str):
            self._hear(leg, port.PlaybackFailed(leg.name, playback, path))
        elif leg.playbacks[playback] == "stopped":
            self._hear(leg, port.PlaybackEnded(leg.name, playback, "stopped"))
        else:
            leg.playbacks[playback] = "sent"
            order = {"playback": playback, "path": str(path), "background": background}
            leg.worker.tell({"do": "play", "leg": leg.name, **order})

    async def _cue(
        self, leg: PoolLeg, playback: int, sound: port.Sound, before: trio.Event | None, done: trio.Event
    ) -> None:
        path = await self._fetch(sound)
        if before is not None:
            await before.wait()
        try:
            if not leg.over and playback in leg.cues and leg.worker and isinstance(path, Path):
                leg.worker.tell({"do": "cue", "leg": leg.name, "playback": playback, "path": str(path)})
        finally:
            done.set()

    # Legs

    async def _place(self, leg: PoolLeg) -> None:
        try:
            await self._placed(leg)
        except Exception as error:
            self.failed(leg.name, fault("placing a call", error, call=leg.name))

    async def _placed(self, leg: PoolLeg) -> None:
        uri = await self._uri(leg.number)
        if uri is None:
            self._end(leg, port.Refused(leg.name, "unreachable", None, "the trunk's name cannot be resolved"))
            return
        worker = await self._free_worker(leg)
        if leg.over or worker is None:
            return
        leg.worker = worker
        worker.legs.add(leg.name)
        worker.tell({"do": "ring", "leg": leg.name, "uri": uri, "caller_id": leg.caller_id})
        if leg.muted:
            worker.tell({"do": "mute", "leg": leg.name, "muted": True})
        self._keep_warm()

    def _address(self, number: str) -> str:
        """Give the URI of *number*."""
        if number.lower().startswith("sip:"):
            return number
        return f"sip:+{number.lstrip('+')}@{self._settings.trunk.removeprefix('sip:')}"

    async def _uri(self, number: str) -> str | None:
        """Give the URI to ring, its host resolved: the library would resolve it and block."""
        user, _, host = self._address(number)[4:].rpartition("@")
        host, _, options = host.partition(";")
        name, _, at_port = host.partition(":")
        try:
            found = await trio.socket.getaddrinfo(name, None, trio.socket.AF_INET)
        except OSError:
            return None
        address = found[0][4][0]
        options = f";{options}" if options else ""
        if self._settings.transport == "tcp" and "transport=" not in options:
            options += ";transport=tcp"
        place = f"{address}:{at_port}" if at_port else str(address)
        return f"sip:{user}@{place}{options}" if user else f"sip:{place}{options}"

    async def _free_worker(self, leg: PoolLeg) -> WorkerProcess | None:
        while not leg.over and not self._closing:
            free = [worker for worker in self.workers if self._reception.room(worker)]
            if free:
                return max(free, key=lambda worker: len(worker.legs))
            if not self._starting:
                self._start()
            await self._changed.wait()
        return None

    def offered(self, worker: WorkerProcess, name: str, offer: port.Offer) -> None:
        """Take a call that has come in at a worker, or refuse it."""
        full = len(self.legs) >= self._settings.max_calls or self._closing
        taken = "capacity" if full else self._reception.ask(offer)
        if not isinstance(taken, port.Taken):
            worker.tell({"do": "refuse", "leg": name, "status": STATUS[taken]})
            return
        self.legs[taken.leg] = PoolLeg(taken.leg, taken.sink, offer.caller, None, worker)
        worker.legs.add(taken.leg)
        worker.tell({"do": "take", "offer": name, "leg": taken.leg})
        self._keep_warm()

    def hear(self, worker: WorkerProcess, event: port.Event) -> None:
        """Take an event of a worker."""
        leg = self.legs.get(event.leg)
        if leg is None:
            return
        if isinstance(event, port.Refused) and event.reason == "capacity" and leg.tries < 3:
            # The library knew better than we did; another worker will do.
            worker.legs.discard(leg.name)
            worker.occupied = worker.capacity
            leg.worker, leg.tries = None, leg.tries + 1
            self._nursery.start_soon(self._place, leg)
            return
        self._hear(leg, event)

    def _hear(self, leg: PoolLeg, event: port.Event) -> None:
        match event:
            case port.Answered():
                leg.answered = True
            case port.PlaybackEnded(_, playback) | port.PlaybackFailed(_, playback):
                leg.playbacks.pop(playback, None)
            case port.RecordingEnded(_, recording) | port.RecordingFailed(_, recording):
                leg.recordings.pop(recording, None)
            case port.TonesSent(_, sending):
                leg.sendings.discard(sending)
            case port.Transferred(_, transfer) | port.TransferFailed(_, transfer):
                leg.transfers.discard(transfer)
            case port.Connected() | port.Disconnected() | port.ConnectFailed():
                self._connections.hear(leg, event)
                return
            case port.HungUp() | port.Refused():
                self._end(leg, event)
                return
            case _:
                pass
        leg.sink(event)

    def _end(self, leg: PoolLeg, end: port.HungUp | port.Refused, *, died: bool = False) -> None:
        """End *leg*, and what is open of it: all that its worker knew of, where that *died*."""
        if leg.over:
            return
        leg.over = True
        try:
            self._settle(leg, died)
        except Exception as error:
            fault("ending what is open on a call", error, call=leg.name)
        try:
            leg.sink(end)
        except Exception as error:
            fault("telling the end of a call", error, call=leg.name)
        del self.legs[leg.name]
        if leg.worker:
            leg.worker.legs.discard(leg.name)
            leg.worker.idle_since = time.monotonic()
        self._notice()

    def _settle(self, leg: PoolLeg, died: bool) -> None:
        """Tell the end of everything that is open on *leg*, whose worker *died* or not."""
        self._connections.leg_ends(leg)
        for transfer in leg.transfers:
            leg.sink(port.TransferFailed(leg.name, transfer, "hangup"))
        for playback in leg.playbacks:
            leg.sink(port.PlaybackEnded(leg.name, playback, "hangup"))
        for recording, path in leg.recordings.items():
            leg.sink(
                _rescued(leg.name, recording, path, "the media process died" if died else "the call ended")
            )
        for sending in leg.sendings:
            leg.sink(port.TonesSent(leg.name, sending, sent=False))

    # Workers

    def _notice(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    def _start(self) -> None:
        self._starting += 1
        self._nursery.start_soon(self._run_worker)

    def _keep_warm(self) -> None:
        """Have a worker at hand for the next call, as far as more calls are allowed."""
        most = math.ceil(self._settings.max_calls / 4) + 1
        if (
            not self._starting
            and not any(self._reception.room(worker) for worker in self.workers)
            and len(self.workers) < most
        ):
            self._start()

    async def _run_worker(self) -> None:
        settings = self._settings
        config = {
            "address": settings.address,
            "transport": settings.transport,
            "username": settings.username,
            "password": settings.password,
            "from_number": settings.from_number,
            "silence_limit": settings.silence_limit,
        }
        taken = {worker.port for worker in self.workers}
        ports = range(settings.first_port, settings.first_port + 200) if settings.first_port else [0]
        worker = None
        try:
            worker = await start_worker(config, [one for one in ports if one not in taken])
        except Exception as error:
            fault("starting a media worker", error)
        finally:
            self._starting -= 1
        if worker is None:
            self._in_a_row += 1
            log.error("no media worker can be started: every call will fail until one can")
            for leg in [leg for leg in self.legs.values() if leg.worker is None]:
                self._end(leg, port.Refused(leg.name, "capacity", None, "no media worker can be started"))
            if self._reception.lost:
                await self._replace(self._start)
            return
        self.workers.append(worker)
        self.started += 1
        self._reception.began(worker)
        self._notice()
        began = time.monotonic()
        try:
            await worker.serve(self)
        except Exception as error:
            fault("serving a media worker", error, pid=worker.pid)
        finally:
            self.workers.remove(worker)
            self._bury(worker)
        self._in_a_row = 0 if time.monotonic() - began > LIVES_SECONDS else self._in_a_row + 1
        if self._reception.ended(worker):
            await self._replace(self._start)
        elif not worker.dismissed:
            await self._replace(self._keep_warm)

    async def _replace(self, start: Callable[[], None]) -> None:
        """Have *start* see to another worker: at once, or after a pause where none will live."""
        await trio.sleep(PAUSES[min(self._in_a_row, len(PAUSES) - 1)])
        if not self._closing:
            start()

    def failed(self, leg: str, why: str) -> None:
        """Let *leg* end, since what happened on it, or was to, could not be done for a fault of ours."""
        kept = self.legs.get(leg)
        if kept is None:
            return
        if kept.worker:
            kept.worker.tell({"do": "hang_up", "leg": leg})
        if kept.answered:
            self._end(kept, port.HungUp(leg, "lost", why))
        else:
            self._end(kept, port.Refused(leg, "unreachable", None, why))

    def noticed(self) -> None:
        """Hear that a worker has more or fewer calls than before."""
        self._notice()

    def _bury(self, worker: WorkerProcess) -> None:
        lost = [leg for leg in self.legs.values() if leg.worker is worker]
        if not worker.dismissed:
            self.died += not self._closing
            log.error("a media worker died", pid=worker.pid, calls=len(lost))
        for leg in lost:
            detail = "the media process died"
            if leg.answered:
                self._end(leg, port.HungUp(leg.name, "lost", detail), died=True)
            else:
                self._end(leg, port.Refused(leg.name, "unreachable", None, detail), died=True)

    async def let_idle_go(self) -> None:
        """Dismiss workers that have been idle for a while; one is kept, and the entrance."""
        while True:
            await trio.sleep(IDLE_SECONDS / 6)
            try:
                self._let_idle_go()
            except Exception as error:
                fault("letting idle media workers go", error)

    def _let_idle_go(self) -> None:
        idle = [worker for worker in self.workers if not worker.legs and not worker.occupied]
        idle.sort(key=lambda worker: worker is not self._reception.entrance)
        for worker in idle[1:]:
            if time.monotonic() - worker.idle_since > IDLE_SECONDS:
                worker.dismiss()

    async def warm(self) -> None:
        """Start the first worker, and return when it is ready.  Raises OSError where none can be had."""
        self._start()
        while not self.workers:
            if not self._starting:
                raise OSError("no media worker can be started")
            with trio.move_on_after(0.5):
                await self._changed.wait()

    def close(self) -> None:
        """Take no more calls, and let all workers go."""
        self._closing = True
        for worker in list(self.workers):
            worker.dismiss()
        self._notice()

    async def why_mute(self) -> str:
        """Say why no worker does what it is told; nothing as soon as one has answered."""
        if not self.workers:
            return "no media worker runs; the log says why none could be started"
        answered = trio.Event()

        async def ask(worker: WorkerProcess) -> None:
            await worker.ping()
            answered.set()

        async with trio.open_nursery() as nursery:
            for worker in self.workers:
                nursery.start_soon(ask, worker)
            await answered.wait()
            nursery.cancel_scope.cancel()
        return ""

    async def why_deaf(self) -> str:
        """Say why calls cannot come in by SIP; nothing where the entrance has answered."""
        entrance = self._reception.entrance
        if entrance is None:
            place = f"{self._settings.address}:{self._settings.first_port}"
            return f"none of our workers listens at sip.bind, {place}"
        await ask_options(_reachable(self._settings.address), entrance.port)
        return ""

    @property
    def addresses(self) -> list[str]:
        """Where the workers listen."""
        return [f"{self._settings.address}:{worker.port}" for worker in self.workers]


def _reachable(address: str) -> str:
    return "127.0.0.1" if address == "0.0.0.0" else address


def _rescued(leg: str, recording: int, path: Path, what: str) -> port.Event:
    """Tell the end of a recording whose worker cannot, because of *what*."""
    try:
        found = wav.repair(path)
    except OSError as error:
        return port.RecordingFailed(leg, recording, str(error))
    except Exception as error:
        return port.RecordingFailed(leg, recording, fault("mending a recording", error, call=leg))
    if found is None:
        return port.RecordingFailed(leg, recording, f"{what} before anything was recorded")
    return port.RecordingEnded(leg, recording, "lost", *found)


@asynccontextmanager
async def open_pool(settings: PoolSettings, sounds: Sounds) -> AsyncIterator[Pool]:
    """Give a pool with one warm worker; all workers end with it."""
    async with trio.open_nursery() as nursery:
        tasks = Fence(nursery)
        pool = Pool(settings, sounds, tasks)
        tasks.start_soon(pool.let_idle_go)
        await pool.warm()
        try:
            yield pool
        finally:
            pool.close()
            nursery.cancel_scope.cancel()
