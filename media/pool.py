"""Phones and rooms on real SIP: a pool of media workers behind the port.

A leg lives in one worker.  The pool keeps account of everything that was ordered on each leg, so
that whatever ends the leg (the far end, an order, a worker that dies) each order has its one end,
told before the leg's.
"""

import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path
from random import randrange

import structlog
import trio
from attrs import evolve, field, frozen

from ringful.ground.faults import Fence, Tasks, fault
from ringful.media import buses, port
from ringful.media.admission import Admission, BehindFront
from ringful.media.connections import Connections
from ringful.media.incoming import STATUS, Reception
from ringful.media.numbers import as_written_there
from ringful.media.pool_leg import PoolLeg
from ringful.media.ranges import Ranges
from ringful.media.rooms import Rooms
from ringful.media.routing import is_worth_another, is_worth_another_place
from ringful.media.seats import Seats
from ringful.media.sounds import SoundError, Sounds
from ringful.media.templates import Templates
from ringful.media.texts import Texts
from ringful.media.through import Through
from ringful.media.trunking.exchange import Place, exchange, options
from ringful.media.trunks import Trunk
from ringful.media.ways import Ways, is_uri, order_by, parties, terms
from ringful.media.worker_process import Start, WorkerProcess
from ringful.media.workers import Workers, engine_wanted

log = structlog.get_logger()


@frozen
class PoolSettings:
    """Where calls go, and how many there may be."""

    address: str = "127.0.0.1"
    first_port: int = 0
    """The first worker's SIP port; the next workers take the next ones.  0: any."""
    trunks: tuple[Trunk, ...] = (Trunk("trunk", "127.0.0.1", 5070),)
    public_address: str = ""
    """What others know us by, where that is another address than *address*."""
    media_address: str = ""
    """Where far ends send sound to, as the SDP says it; empty: *address*."""
    max_calls: int = 60
    silence_limit: float | None = 60.0
    """Seconds after which a far end of which nothing is heard is given up; None: never."""
    rtp_ports: tuple[int, int] = (0, 0)
    """The first and the last port for RTP; 0: any."""
    front: BehindFront | None = None
    """The SIP front before the workers; None: there is none."""
    symmetric_rtp: bool = True
    """Whether sound comes from the port that its SDP names, and from no other."""
    engine: str = field(factory=engine_wanted)
    """What makes the sound: ``auto``, or ``python`` for the fallback."""

    @property
    def buses(self) -> int:
        """How many buses there are: as many rooms as calls, a connection for each two, and some that rest."""
        return 2 * self.max_calls + 8


class Pool:
    """Implements `port.Phones`, `port.Rooms` and `port.Texts`; made by `open_pool`."""

    def __init__(
        self, settings: PoolSettings, sounds: Sounds, nursery: Tasks, templates: Templates, memory: int
    ) -> None:
        """*memory* is the descriptor of the memory of all buses."""
        self._settings, self._sounds, self._nursery = settings, sounds, nursery
        self.telling: AbstractContextManager[object] = nullcontext()
        """What a worker says at once is told within it: who hears of it may act at its end."""
        self.legs: dict[str, PoolLeg] = {}
        self.ways = Ways(settings.trunks, fronted=settings.front is not None)
        self.seats = Seats(settings.buses)
        self._rooms = Rooms(self.seats, settings.max_calls + 8, lambda: self.crew.live, self._later)
        self._connections = Connections(self.seats, self._later)
        behind = settings.front
        first = 0 if behind else settings.first_port
        self._reception = Reception(settings.address, first, fronted=behind is not None)
        self.texts = Texts(self._reception, nursery)
        self.through = Through(self._reception, settings.public_address or _named(settings.address))
        config = {
            "address": "127.0.0.1" if behind else settings.address,
            "public_address": settings.public_address,
            "media_address": settings.media_address,
            "media_bind": settings.address,
            "front": behind.port if behind else 0,
            "known_as": behind.known_as if behind else "",
            "tcp": not behind and any(trunk.transport != "udp" for trunk in settings.trunks),
            "terms": terms(settings.trunks),
            "silence_limit": settings.silence_limit,
            "symmetric_rtp": settings.symmetric_rtp,
            "engine": settings.engine,
        }
        ranges = Ranges(*settings.rtp_ports, start=randrange(1000))
        start = Start(templates, config, memory)
        ports = behind.worker_ports if behind else None
        self.crew = Workers(self, start, ranges, self._reception, settings.max_calls, nursery, ports)
        self.admission = Admission(self.crew, self._reception, lambda: len(self.legs), settings.max_calls)

    @property
    def workers(self) -> list[WorkerProcess]:
        """The workers that run."""
        return self.crew.live

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        async def act() -> None:
            await trio.sleep(seconds)
            action()

        self._nursery.start_soon(act)

    # The port

    @property
    def backlog(self) -> float:
        """See `port.Phones.backlog`."""
        return self.crew.backlog

    def open(self, desk: port.Desk) -> None:
        """See `port.Phones.open`."""
        self._reception.open(desk)

    def ring(
        self,
        leg: str,
        number: str,
        caller_id: str | None,
        sink: port.Sink,
        *,
        shown: port.Shown | None = None,
    ) -> None:
        """See `port.Phones.ring`."""
        kept = PoolLeg(leg, sink, number, caller_id, shown or port.PLAINLY)
        if len(self.legs) >= self._settings.max_calls or self.crew.closing:
            sink(port.Refused(leg, "capacity", None, "all legs of this server are in use"))
            return
        self.legs[leg] = kept
        self._nursery.start_soon(self._place, kept)

    def hang_up(self, leg: str) -> None:
        """See `port.Phones.hang_up`."""
        kept = self.legs.get(leg)
        if kept is None:
            self._rooms.hang_up(leg)
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

    def progress(self, leg: str) -> None:
        """See `port.Phones.progress`."""
        kept = self.legs.get(leg)
        if kept and kept.worker:
            kept.worker.tell({"do": "progress", "leg": leg})

    def reject(self, leg: str, status: int) -> None:
        """See `port.Phones.reject`."""
        kept = self.legs.get(leg)
        if kept and kept.worker:
            kept.worker.tell({"do": "refuse", "leg": leg, "status": status})

    def prepare(self, sound: port.Sound) -> None:
        """See `port.Phones.prepare`."""
        if self._ready(sound) is None:
            self._nursery.start_soon(self._fetch, sound)

    def play(
        self, leg: str, playback: int, sound: port.Sound, *, background: bool = False, offset: float = 0.0
    ) -> None:
        """See `port.Phones.play`."""
        kept = self._find(leg)
        if kept is None:
            return
        kept.cues.discard(playback)
        kept.playbacks[playback] = "fetching"
        how = {"background": background, "offset": offset}
        self._with_file(kept, sound, partial(self._play, kept, playback, how), background=background)

    def cue(self, leg: str, playback: int, sound: port.Sound) -> None:
        """See `port.Phones.cue`."""
        kept = self._find(leg)
        if kept is None:
            return
        kept.cues.add(playback)
        self._with_file(kept, sound, partial(self._cue, kept, playback))

    def stop_playback(self, leg: str, playback: int) -> None:
        """See `port.Phones.stop_playback`."""
        kept = self._find(leg)
        if kept is None:
            return
        if kept.playbacks.get(playback) == "fetching":
            kept.playbacks[playback] = "stopped"
            # It may have been cued, and be heard already.
        kept.cues.discard(playback)
        if kept.line:
            kept.line.tell({"do": "stop_playback", "leg": leg, "playback": playback})

    def record(
        self,
        leg: str,
        recording: int,
        path: Path,
        *,
        silence: float | None = None,
        beep: bool = False,
        within: float | None = None,
    ) -> None:
        """See `port.Phones.record`."""
        kept = self._find(leg)
        if kept is None:
            return
        if kept.line is None:
            kept.sink(port.RecordingFailed(leg, recording, "the call has not been answered"))
            return
        kept.recordings[recording] = path
        quiet = {"silence": silence, "within": within}
        order = {"recording": recording, "path": str(path.absolute()), "beep": beep, **quiet}
        kept.line.tell({"do": "record", "leg": leg, **order})

    def stop_recording(self, leg: str, recording: int) -> None:
        """See `port.Phones.stop_recording`."""
        kept = self._find(leg)
        if kept and kept.line:
            kept.line.tell({"do": "stop_recording", "leg": leg, "recording": recording})

    def send_tones(self, leg: str, sending: int, tones: str) -> None:
        """See `port.Phones.send_tones`."""
        kept = self.legs.get(leg)
        if kept is None:
            if self._rooms.find(leg):
                self._rooms.send_tones(leg, sending, tones)
            return
        if kept.worker is None:
            kept.sink(port.TonesSent(leg, sending, sent=False))
            return
        kept.sendings.add(sending)
        kept.worker.tell({"do": "send_tones", "leg": leg, "sending": sending, "tones": tones})

    def connect(self, leg: str, other: str, connection: int) -> None:
        """See `port.Phones.connect`."""
        kept, beside = self.legs.get(leg), self.legs.get(other)
        if kept is None:
            return
        if self._rooms.of(kept) or (beside and self._rooms.of(beside)):
            kept.sink(port.ConnectFailed(leg, connection, "it is in a conference"))
        else:
            self._connections.connect(kept, beside, connection)

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
        self._rooms.muted(kept)

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
        trunk = kept.trunk or next(iter(self.ways.of(number)), None)
        uri = self.ways.address(number, None if is_uri(number) else trunk)
        kept.worker.tell({"do": "transfer", "leg": leg, "transfer": transfer, "uri": uri})

    async def send_text(self, number: str, sender: str, text: str) -> port.TextOutcome:
        """See `port.Texts.send_text`."""
        trunk = None if is_uri(number) else next(iter(self.ways.of(number)), None)
        if trunk is None and not is_uri(number):
            return port.TextOutcome("unsent", reason="no trunk takes this number")
        targets = await self.ways.targets(number, trunk)
        if not targets:
            return port.TextOutcome("unsent", reason="the trunk's name cannot be resolved")
        shown = sender or (trunk.from_number if trunk else "")
        if trunk:
            shown = as_written_there(shown, trunk)
        return await self.texts.send(targets[0].uri, shown, text, trunk.name if trunk else "")

    def take_texts(self, desk: port.TextDesk | None) -> None:
        """See `port.Texts.take_texts`."""
        self.texts.desk = desk

    def open_room(self, room: str, sink: port.Sink, *, speaking: bool = False) -> None:
        """See `port.Rooms.open_room`."""
        self._rooms.open(room, sink, speaking=speaking)

    def join(
        self, room: str, leg: str, *, muted: bool = False, deaf: bool = False, heard_by: str | None = None
    ) -> None:
        """See `port.Rooms.join`."""
        kept = self.legs.get(leg)
        if kept and kept.answered and self._rooms.find(room):
            self._connections.leave(kept)
            self._rooms.join(room, kept, muted=muted, deaf=deaf, heard_by=heard_by)

    def leave(self, room: str, leg: str) -> None:
        """See `port.Rooms.leave`."""
        if kept := self.legs.get(leg):
            self._rooms.leave(room, kept)

    def speaking(self, room: str) -> frozenset[str]:
        """See `port.Rooms.speaking`."""
        return self._rooms.speaking(room)

    def _find(self, name: str) -> PoolLeg | None:
        """Give the leg or the room that is called *name*."""
        return self.legs.get(name) or self._rooms.find(name)

    # Sounds

    def _ready(self, sound: port.Sound) -> Path | None:
        """Give the file of *sound* where it is there; what is wrong with it is found by who fetches it."""
        try:
            return self._sounds.ready(sound)
        except Exception as error:
            fault("looking whether a sound is there", error)
            return None

    async def _fetch(self, sound: port.Sound) -> Path | str:
        try:
            return await self._sounds.path(sound)
        except SoundError as error:
            return str(error)
        except Exception as error:
            return fault("having a sound made", error)

    def _with_file(
        self, leg: PoolLeg, sound: port.Sound, act: Callable[[Path | str], None], *, background: bool = False
    ) -> None:
        """Have *act* done with the file of *sound*, or with why there is none, in its turn on *leg*.

        Where the file is there, and nothing before it waits for its own, that is at once: no task is needed.
        """
        waits = leg.line is None or not (background or leg.is_in_turn)
        if not waits and (file := self._ready(sound)):
            act(file)
        else:
            turn = (None, trio.Event()) if background else leg.take_turn()
            self._nursery.start_soon(self._in_turn, sound, act, *turn)

    async def _in_turn(
        self,
        sound: port.Sound,
        act: Callable[[Path | str], None],
        before: trio.Event | None,
        done: trio.Event,
    ) -> None:
        file = await self._fetch(sound)
        if before is not None:
            await before.wait()
        try:
            act(file)
        finally:
            done.set()

    def _play(self, leg: PoolLeg, playback: int, how: dict[str, bool | float], file: Path | str) -> None:
        try:
            self._play_now(leg, playback, how, file)
        except Exception as error:
            why = fault("playing a sound", error, call=leg.name)
            self._hear(leg, port.PlaybackFailed(leg.name, playback, why))

    def _play_now(self, leg: PoolLeg, playback: int, how: dict[str, bool | float], file: Path | str) -> None:
        if leg.over or playback not in leg.playbacks or leg.line is None:
            return
        if isinstance(file, str):
            self._hear(leg, port.PlaybackFailed(leg.name, playback, file))
        elif leg.playbacks[playback] == "stopped":
            self._hear(leg, port.PlaybackEnded(leg.name, playback, "stopped"))
        else:
            leg.playbacks[playback] = "sent"
            order = {"playback": playback, "path": str(file)} | how
            leg.line.tell({"do": "play", "leg": leg.name, **order})

    def _cue(self, leg: PoolLeg, playback: int, file: Path | str) -> None:
        if not leg.over and playback in leg.cues and leg.line and isinstance(file, Path):
            leg.line.tell({"do": "cue", "leg": leg.name, "playback": playback, "path": str(file)})

    # Legs

    async def _place(self, leg: PoolLeg) -> None:
        try:
            await self._placed(leg)
        except Exception as error:
            self.failed(leg.name, fault("placing a call", error, call=leg.name))

    async def _placed(self, leg: PoolLeg) -> None:
        if leg.trunk is None and not is_uri(leg.number):
            leg.trunk, *others = self.ways.of(leg.number) or (None,)
            leg.others = tuple(others)
            if leg.trunk is None:
                self._end(leg, port.Refused(leg.name, "unreachable", None, "no trunk takes this number"))
                return
        if leg.trunk:
            self.ways.note(leg.name, leg.trunk)
            leg.sink(port.Routed(leg.name, leg.trunk.name))
        leg.targets = leg.targets or await self.ways.targets(leg.number, leg.trunk)
        if not leg.targets:
            host = "the number's host" if leg.trunk is None else "the trunk's name"
            self._ended_before_the_answer(
                leg, port.Refused(leg.name, "unreachable", None, f"{host} cannot be resolved")
            )
            return
        worker = await self.crew.free(lambda: not leg.over)
        if leg.over or worker is None:
            return
        leg.worker = worker
        worker.legs.add(leg.name)
        way = order_by(leg.trunk, others=bool(leg.others))
        way |= parties(leg.number, leg.caller_id, leg.shown, leg.trunk)
        uri, by = self.ways.by(leg.targets[0].uri, leg.trunk)
        worker.tell({"do": "ring", "leg": leg.name, "uri": uri, "by": by, **way})
        if leg.muted:
            worker.tell({"do": "mute", "leg": leg.name, "muted": True})
        self.crew.keep_warm()

    def _ended_before_the_answer(self, leg: PoolLeg, end: port.Refused) -> None:
        """End *leg*, or try it by the next trunk."""
        if self._tries_another_place(leg, end):
            return
        tried = leg.trunk and not (leg.over or leg.cancelled or leg.inbound)
        if leg.trunk and tried and is_worth_another(end, rang=leg.rang):
            self.ways.failed(leg.trunk, end)
        if leg.over or not leg.others or leg.cancelled or not is_worth_another(end, rang=leg.rang):
            self._end(leg, end)
            return
        before, (leg.trunk, *others) = leg.trunk, leg.others
        leg.others, leg.targets = tuple(others), []
        log.warning(
            "a trunk did not take a call: the next one is tried",
            call=leg.name,
            trunk=before.name if before else "",
            then=leg.trunk.name,
            status=end.sip_status,
            why=end.detail,
        )
        self._place_again(leg)

    def _tries_another_place(self, leg: PoolLeg, end: port.Refused) -> bool:
        """Try *leg* at the next place of its trunk, where there is one that may say otherwise."""
        if leg.over or leg.cancelled or not leg.targets or not is_worth_another_place(end, rang=leg.rang):
            return False
        before = leg.targets.pop(0)
        self.ways.places.failed(before.spot)
        if not leg.targets:
            return False
        log.warning(
            "a trunk's server did not take a call: its next one is tried",
            call=leg.name,
            trunk=leg.trunk.name if leg.trunk else "",
            place="{}:{}".format(*before.spot),
            then="{}:{}".format(*leg.targets[0].spot),
            status=end.sip_status,
            why=end.detail,
        )
        self._place_again(leg)
        return True

    def _place_again(self, leg: PoolLeg) -> None:
        if leg.worker:
            leg.worker.legs.discard(leg.name)
            leg.worker.idle_since = time.monotonic()
        leg.worker = None
        self._nursery.start_soon(self._place, leg)

    def offered(self, worker: WorkerProcess, name: str, offer: port.Offer, source: str) -> None:
        """Take a call that has come in at a worker from *source*, or refuse it."""
        trunk = self.ways.came_by(source)
        offer = evolve(offer, trunk=trunk.name if trunk else "")
        full = len(self.legs) >= self._settings.max_calls or self.crew.closing
        taken = "capacity" if full else self._reception.ask(offer)
        if not isinstance(taken, port.Taken):
            worker.tell({"do": "refuse", "leg": name, "status": STATUS[taken]})
            return
        self.legs[taken.leg] = PoolLeg(
            taken.leg, taken.sink, offer.caller, inbound=True, worker=worker, trunk=trunk
        )
        if trunk:
            self.ways.note(taken.leg, trunk)
        worker.legs.add(taken.leg)
        worker.tell({"do": "take", "offer": name, "leg": taken.leg})
        self.crew.keep_warm()

    def hear(self, worker: WorkerProcess, event: port.Event) -> None:
        """Take an event of a worker."""
        if isinstance(event, port.HungUp | port.Refused):
            self.seats.leg_ended(worker, event.leg)
        leg = self.legs.get(event.leg)
        if leg is None:
            self._rooms.hear(worker, event)
            return
        if isinstance(event, port.Refused) and event.reason == "capacity" and leg.tries < 3:
            # The library knew better than we did; another worker will do.
            worker.occupied = worker.capacity
            leg.tries += 1
            self._place_again(leg)
            return
        self._hear(leg, event)

    def _hear(self, leg: PoolLeg, event: port.Event) -> None:
        if isinstance(event, port.Refused):
            self._ended_before_the_answer(leg, event)
        elif isinstance(event, port.HungUp):
            self._end(leg, event)
        elif isinstance(event, port.TonesSent) and event.sending < 0:
            self._rooms.sent(leg, event.sending)
        else:
            leg.note(event)
            leg.sink(event)

    def speaks(self, worker: WorkerProcess, leg: str, speaks: bool) -> None:
        """Hear that *leg*, which sits on a bus, begins or ends to speak."""
        self._rooms.speaks(worker, leg, speaks)

    def voice_closed(self, worker: WorkerProcess, room: str) -> None:
        """Hear that the voice of *room* has ended."""
        self.seats.leg_ended(worker, room)
        self._rooms.closed(worker, room)

    def _end(self, leg: PoolLeg, end: port.HungUp | port.Refused, *, died: bool = False) -> None:
        """End *leg*, and what is open of it: all that its worker knew of, where that *died*."""
        if leg.over:
            return
        leg.over = True
        try:
            self._connections.leg_ends(leg)
            self._rooms.leg_ends(leg)
            for event in list(leg.ends(died=died)):
                leg.sink(event)
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
        self.crew.notice()

    # Workers

    def failed(self, leg: str, why: str) -> None:
        """Let *leg* end, since what happened on it, or was to, could not be done for a fault of ours."""
        kept = self.legs.get(leg)
        if kept is None:
            self._rooms.failed(leg, why)
            return
        if kept.worker:
            kept.worker.tell({"do": "hang_up", "leg": leg})
        if kept.answered:
            self._end(kept, port.HungUp(leg, "lost", why))
        else:
            self._end(kept, port.Refused(leg, "unreachable", None, why))

    def noticed(self) -> None:
        """Hear that a worker has more or fewer calls than before."""
        self.crew.notice()

    def shaken(self) -> None:
        """Hear that a worker takes no more calls, since its library asserted."""
        self.crew.shaken += 1
        self.crew.notice()

    def began(self) -> None:
        """Hear that there is a worker more."""
        self._rooms.worker_began()

    def none_began(self, why: str) -> None:
        """Hear that no worker can be started."""
        for leg in [leg for leg in self.legs.values() if leg.worker is None]:
            self._end(leg, port.Refused(leg.name, "capacity", None, why))
        self._rooms.no_worker(why)

    def buried(self, worker: WorkerProcess) -> None:
        """Hear that *worker* has ended: all that it had is lost."""
        self.seats.line_ended(worker)
        self.texts.worker_ended(worker)
        if self._settings.front and not worker.dismissed:
            self._settings.front.died(worker.port)
        for leg in [leg for leg in self.legs.values() if leg.worker is worker]:
            detail = "the media process died"
            if leg.answered:
                self._end(leg, port.HungUp(leg.name, "lost", detail), died=True)
            else:
                self._end(leg, port.Refused(leg.name, "unreachable", None, detail), died=True)
        self._rooms.worker_ended(worker)

    def close(self) -> None:
        """Take no more calls, end the rooms, and let all workers go."""
        self._rooms.close()
        self.crew.close()

    async def why_deaf(self) -> str:
        """Say why calls cannot come in by SIP; nothing where the entrance has answered."""
        entrance = self._reception.entrance
        if entrance is None:
            place = f"{self._settings.address}:{self._settings.first_port}"
            return f"none of our workers listens at sip.bind, {place}"
        host = _reachable(self._settings.address)
        await exchange(options(f"{host}:{entrance.port}", "udp"), Place(host, entrance.port))
        return ""

    @property
    def entrance(self) -> int | None:
        """The port where calls come in; None: there is none now."""
        entrance = self._reception.entrance
        return entrance.port if entrance else None

    @property
    def addresses(self) -> list[str]:
        """Where the workers listen."""
        return [f"{self._settings.address}:{worker.port}" for worker in self.workers]


def _named(address: str) -> str:
    return "" if address == "0.0.0.0" else address


def _reachable(address: str) -> str:
    return "127.0.0.1" if address == "0.0.0.0" else address


@asynccontextmanager
async def open_pool(settings: PoolSettings, sounds: Sounds) -> AsyncIterator[Pool]:
    """Give a pool with one warm worker; all workers end with it."""
    memory = buses.shared_memory(settings.buses)
    templates = Templates()
    try:
        async with trio.open_nursery() as nursery:
            tasks = Fence(nursery)
            pool = Pool(settings, sounds, tasks, templates, memory)
            tasks.start_soon(templates.watch)
            tasks.start_soon(pool.crew.let_idle_go)
            try:
                await pool.crew.warm()
                yield pool
            finally:
                pool.close()
                nursery.cancel_scope.cancel()
    finally:
        # The workers have ended, and the template, whose children they were, has taken note of it.
        templates.close()
        os.close(memory)
