"""The SIP and RTP engine: the only module that imports pjsua2.

Everything here happens in the thread that made the `Engine` and calls its `step`, but for three
things, each marked: frames are asked for and given in pjmedia's clock thread, files are written in
the disk thread, and both tell events through `emit`, which must be safe to call from any thread.
The library asserts, and an assertion ends the process: no pjsua2 object may be used, or dropped, in
another thread; `getInfo` is not asked of a call that never got an ID; nothing is answered with a
final response inside a callback.
"""

import ctypes
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from traceback import format_exception
from typing import Any

import pjsua2 as pj
from attrs import frozen

from ringful.media import port, wav
from ringful.media.engine import bridge
from ringful.media.engine.beep import BEEP
from ringful.media.engine.link import Exchange
from ringful.media.engine.outcomes import refusal, refused, transfer_failure
from ringful.media.engine.playing import Channel
from ringful.media.engine.recording import Disk, Recorder

_POINTER = ctypes.c_void_p
_DIGIT_SECONDS = 0.235
"""From one digit's beginning to the next one's: 100 ms of tone, and a pause."""
_RETIRE_SECONDS = 0.2
"""How long a port is kept after it was disconnected: the bridge does that some ticks later."""
_REFUSE_SECONDS = 0.25
"""How long a call that comes in keeps its place before it is refused.

Its two sockets can be used again half a second later, and the library has some 60: calls that come
and go faster end the process.  With four places this bounds them (300 at once were survived at a
quarter of a second, and not at a tenth).
"""
_AUDIO_SECONDS = 5.0
"""How long a call that is answered may be without sound, as where no codec was agreed on."""


@frozen
class EngineConfig:
    """Where an engine listens, and as whom it calls."""

    address: str = "127.0.0.1"
    port: int = 0
    transport: str = "udp"
    username: str = ""
    password: str = ""
    from_number: str = ""
    silence_limit: float | None = None
    """Seconds after which a far end of which nothing is heard is given up; None: never."""


class _Frames(pj.AudioMediaPort):  # type: ignore[misc]
    """A port that gives and takes 20 ms frames without SWIG's copy of each byte.

    `std::vector` is {begin, end, capacity}, so its first word is where the bytes are.  The two
    callbacks run in the clock thread: they must be short, and must not call the library.
    """

    def __init__(
        self, give: Callable[[], bytes | None] | None, take: Callable[[bytes | None], None] | None
    ) -> None:
        super().__init__()
        self._give, self._take = give, take
        self._out = pj.ByteVector(wav.SILENCE)
        self._address = _POINTER.from_address(int(self._out.this)).value or 0
        shape = pj.MediaFormatAudio()
        shape.type, shape.id = pj.PJMEDIA_TYPE_AUDIO, pj.PJMEDIA_FORMAT_PCM
        shape.clockRate, shape.channelCount, shape.bitsPerSample = wav.RATE, 1, 16
        shape.frameTimeUsec, shape.avgBps, shape.maxBps = 20000, wav.RATE * 16, wav.RATE * 16
        self.createPort("frames", shape)

    # As a party of a bridge: a link to a leg in another process.

    muted = False

    @property
    def voice(self) -> Any:
        return self

    @property
    def ears(self) -> list[Any]:
        return [self]

    def onFrameRequested(self, frame: Any) -> None:
        data = self._give() if self._give else None
        if data is None:
            frame.type = pj.PJMEDIA_FRAME_TYPE_NONE
            return
        ctypes.memmove(self._address, data, wav.FRAME_BYTES)
        frame.type, frame.buf, frame.size = pj.PJMEDIA_FRAME_TYPE_AUDIO, self._out, wav.FRAME_BYTES

    def onFrameReceived(self, frame: Any) -> None:
        if self._take is None:
            return
        size = frame.size
        address = _POINTER.from_address(int(frame.buf.this)).value if size else None
        self._take(ctypes.string_at(address, size) if address else None)


class Leg(pj.Call):  # type: ignore[misc]
    """A call in the library, and the sound that goes through it."""

    def __init__(self, engine: "Engine", name: str, call_id: int = pj.PJSUA_INVALID_ID) -> None:
        super().__init__(engine.account, call_id)
        self.engine, self.name = engine, name
        self.ordered_end = False
        self.ended_by_bye = False
        self.inbound = call_id != pj.PJSUA_INVALID_ID
        self.began = time.monotonic()
        self.accepted = False
        """It came in, and was told to be answered."""
        self.rang = self.confirmed = self.answered = self.over = False
        self.audio: Any = None
        self.channels: dict[bool, tuple[Channel, _Frames]] = {}
        self.recorders: dict[int, tuple[Recorder, _Frames | None]] = {}
        self.listeners: list[_Frames] = []
        self.beeping: dict[int, Callable[[], None]] = {}
        self.digits: list[tuple[float, int, str | None]] = []
        self.partner: bridge.Party | None = None
        self.connection = 0
        self.link = 0
        self.muted = False
        self.transferring: int | None = None
        self.quality: port.Quality | None = None
        self.held = False
        """One of the two sides is not to send: there is nothing to be heard, or no more than music."""
        self.quiet = 0.0
        """For how many seconds there has been no sign of the far end."""
        self.signs = (0, 0)
        self.lost = ""
        """Why we gave the far end up."""

    # What the library says

    def onCallState(self, prm: Any) -> None:
        info = self.getInfo()
        status, state = info.lastStatusCode, info.state
        if state == pj.PJSIP_INV_STATE_EARLY and status in (180, 183) and not (self.rang or self.inbound):
            self.rang = True
            self.engine.emit(port.Ringing(self.name))
        elif state == pj.PJSIP_INV_STATE_CONFIRMED:
            self.confirmed, self.began = True, time.monotonic()
            self._say_answered()
        elif state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.audio = None
            self.engine.ended(self, status, info.lastReason)

    def onCallTsxState(self, prm: Any) -> None:
        tsx = prm.e.body.tsxState.tsx
        if tsx.method == "BYE" and tsx.role == pj.PJSIP_ROLE_UAS:
            self.ended_by_bye = True

    def onCallMediaState(self, prm: Any) -> None:
        info = self.getInfo()
        self.audio, self.held = None, True
        for index, media in enumerate(info.media):
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status in (
                pj.PJSUA_CALL_MEDIA_ACTIVE,
                pj.PJSUA_CALL_MEDIA_REMOTE_HOLD,
            ):
                self.audio = self.getAudioMedia(index)
                self.held = (
                    media.status != pj.PJSUA_CALL_MEDIA_ACTIVE
                    or media.dir != pj.PJMEDIA_DIR_ENCODING_DECODING
                )
        self.reconnect()
        self._say_answered()

    def onDtmfDigit(self, prm: Any) -> None:
        tone = prm.digit.upper()
        if tone in "0123456789*#ABCD":
            self.engine.emit(port.TonePressed(self.name, tone, "info" if prm.method == 1 else "rfc4733"))

    def onCallTransferRequest(self, prm: Any) -> None:
        # Left alone, the library calls whatever number the far end names, at our expense.
        name = self.engine.sent(self.name, prm.dstUri)
        if name is None:
            prm.statusCode = pj.PJSIP_SC_DECLINE
        else:
            prm.newCall = self.engine.legs[name] = Leg(self.engine, name)

    def onCallReplaceRequest(self, prm: Any) -> None:
        # Nor may a stranger take the place of a far end.
        prm.statusCode = pj.PJSIP_SC_DECLINE

    def onCallTransferStatus(self, prm: Any) -> None:
        if prm.finalNotify:
            self._end_transfer(int(prm.statusCode))
            prm.cont = False

    def _end_transfer(self, status: int) -> None:
        transfer, self.transferring = self.transferring, None
        if transfer is None:
            return
        if 200 <= status < 300:
            self.engine.emit(port.Transferred(self.name, transfer))
        else:
            self.engine.emit(port.TransferFailed(self.name, transfer, transfer_failure(status), status))

    def _say_answered(self) -> None:
        if self.confirmed and self.audio is not None and not self.answered:
            self.answered = True
            self.engine.emit(port.Answered(self.name))

    # Sound

    def reconnect(self) -> None:
        """Connect all ports anew: every media update takes the connections away."""
        if self.audio is None:
            return
        # Somebody must always listen: the jitter buffer of a call that is heard now and then grows, and
        # what comes through it is late by some 300 ms, and hurried.
        self.audio.startTransmit(self.engine.nobody)
        for _, frames in self.channels.values():
            frames.startTransmit(self.audio)
        for _, taking in self.recorders.values():
            if taking:
                self.audio.startTransmit(taking)
        for listener in self.listeners:
            self.audio.startTransmit(listener)
        self.meet()

    @property
    def voice(self) -> Any:
        return self.audio

    @property
    def ears(self) -> list[Any]:
        own = [] if self.audio is None else [self.audio]
        return own + [taking for _, taking in self.recorders.values() if taking]

    def meet(self) -> None:
        """Let this leg and its partner hear each other, as far as they have sound."""
        partner = self.partner
        if partner is None:
            return
        for source, sink in ((self, partner), (partner, self)):
            try:
                bridge.carry(source, sink)
            except pj.Error as error:
                # One of them is between two media; what comes next connects them anew.
                self.engine.log(f"{self.name}: not connected yet: {error.reason}")

    def join(self, partner: bridge.Party, connection: int) -> None:
        """Make *partner* the one that this leg hears."""
        self.partner, self.connection = partner, connection

    def part(self) -> None:
        """Let this leg and its partner hear each other no longer."""
        partner, self.partner = self.partner, None
        if partner is None:
            return
        for source, sink in ((self, partner), (partner, self)):
            # A media update, or the end of one of them, may have taken the connections away already.
            with suppress(pj.Error):
                bridge.cut(source, sink)
        if isinstance(partner, Leg):
            partner.partner = None
        else:
            self.engine.exchange.forget(self.link)
            self.engine.retire(partner)

    def mute(self, muted: bool) -> None:
        """Keep what the far end says from the partner, or let it through again."""
        self.muted = muted
        if muted and self.partner is not None:
            with suppress(pj.Error):
                bridge.cut(self, self.partner)
        self.meet()

    def transfer(self, transfer: int, uri: str) -> None:
        """Ask the far end to call *uri* instead of us."""
        if self.transferring is not None:
            detail = "another transfer of this call is on its way"
            self.engine.emit(port.TransferFailed(self.name, transfer, "rejected", None, detail))
            return
        self.transferring = transfer
        try:
            self.xfer(uri, pj.CallOpParam())
        except pj.Error as error:
            self.transferring = None
            self.engine.emit(port.TransferFailed(self.name, transfer, "unreachable", None, error.reason))

    def channel(self, background: bool) -> Channel:
        """Give the channel, made on its first use."""
        if background not in self.channels:
            channel = Channel(self._told)
            frames = _Frames(channel.frame, None)
            self.channels[background] = (channel, frames)
            if self.audio is not None:
                frames.startTransmit(self.audio)
        return self.channels[background][0]

    def _told(self, playback: int, what: str) -> None:
        """Tell of a playback; in the clock thread or this one."""
        if playback < 0:
            if what == "end":
                self.engine.soon(self.beeping.pop(-playback, lambda: None))
        elif what == "started":
            self.engine.emit(port.PlaybackStarted(self.name, playback))
        else:
            self.engine.emit(port.PlaybackEnded(self.name, playback, what))  # type: ignore[arg-type]

    def record(self, recording: int, path: Path, silence: float | None) -> None:
        """Begin to record."""
        if self.over:
            return
        recorder = Recorder(self.name, recording, path, self.engine.disk, self.engine.emit, silence)
        frames = _Frames(None, recorder.take)
        self.recorders[recording] = (recorder, frames)
        if self.audio is not None:
            self.audio.startTransmit(frames)
        self.meet()

    def listen(self, take: Callable[[bytes | None], None]) -> None:
        """Give every frame to *take*."""
        frames = _Frames(None, take)
        self.listeners.append(frames)
        if self.audio is not None:
            self.audio.startTransmit(frames)

    def stop_recording(self, recording: int, reason: str = "stopped") -> None:
        """End a recording, also one whose beep is still heard."""
        if self.beeping.pop(recording, None):
            self.channel(False).stop(-recording)
            reason_port = port.RecordingFailed(self.name, recording, port.NOT_BEGUN)
            self.engine.emit(reason_port)
            return
        recorder, frames = self.recorders.pop(recording, (None, None))
        if recorder:
            recorder.end(reason)  # type: ignore[arg-type]
            self._retire(frames)

    def _retire(self, frames: _Frames | None) -> None:
        if frames is None:
            return
        if self.audio is not None:
            # A media update may have taken the connection away already.
            with suppress(pj.Error):
                self.audio.stopTransmit(frames)
        if self.partner is not None and self.partner.voice is not None:
            with suppress(pj.Error):
                self.partner.voice.stopTransmit(frames)
        self.engine.retire(frames)

    def tick(self, now: float) -> None:
        """Do what is due."""
        if self.confirmed and not self.answered and now - self.began > _AUDIO_SECONDS:
            self.engine.hang_up(self.name)
        for number, (recorder, frames) in list(self.recorders.items()):
            recorder.flush()
            if recorder.over:
                del self.recorders[number]
                self._retire(frames)
        while self.digits and self.digits[0][0] <= now:
            _, sending, digit = self.digits.pop(0)
            if digit is None:
                self.engine.emit(port.TonesSent(self.name, sending))
            else:
                self._send_digit(digit)

    def _send_digit(self, digit: str) -> None:
        order = pj.CallSendDtmfParam()
        order.method, order.duration, order.digits = pj.PJSUA_DTMF_METHOD_RFC2833, 100, digit
        try:
            self.sendDtmf(order)
        except pj.Error as error:
            self.engine.log(f"{self.name}: a digit could not be sent: {error.reason}")

    def send_tones(self, sending: int, tones: str) -> None:
        """Send digits one after another, behind those that are on their way."""
        at = max([time.monotonic(), *(due for due, _, _ in self.digits)])
        for digit in tones:
            self.digits.append((at, sending, digit))
            at += _DIGIT_SECONDS
        self.digits.append((at, sending, None))

    def measure(self, seconds: float) -> None:
        """Read the stream's figures, which are gone once the call is; *seconds* after the last time."""
        self.quiet = self.quiet + seconds if self.answered and not self.held else 0.0
        if self.audio is None:
            return
        try:
            stat = self.getStreamStat(0)
        except pj.Error:
            return
        received = stat.rtcp.rxStat
        self.quality = port.Quality(received.pkt, received.loss, round(received.jitterUsec.mean / 1000, 1))
        # Who is muted may send no sound, and yet say by RTCP how he hears us.
        signs = (received.pkt, stat.rtcp.txStat.updateCount)
        if signs != self.signs:
            self.signs, self.quiet = signs, 0.0

    def close_orders(self) -> None:
        """End all that was ordered, since the leg has ended; of connections, the pool tells."""
        self.part()
        if self.transferring is not None:
            self.engine.emit(port.TransferFailed(self.name, self.transferring, "hangup"))
            self.transferring = None
        # First, since ending a beep asks for its channel.  Nothing may refer to this leg in a circle in
        # the end: the collector would drop it in whatever thread it runs in, and the library aborts.
        for recording in list(self.beeping):
            self.stop_recording(recording, "hangup")
        for channel, frames in self.channels.values():
            channel.end()
            self.engine.retire(frames)
        self.channels.clear()
        for listener in self.listeners:
            self.engine.retire(listener)
        self.listeners.clear()
        for recording in list(self.recorders):
            self.stop_recording(recording, "hangup")
        for sending in dict.fromkeys(sending for _, sending, _ in self.digits):
            self.engine.emit(port.TonesSent(self.name, sending, sent=False))
        self.digits.clear()


class _Account(pj.Account):  # type: ignore[misc]
    def __init__(self, engine: "Engine") -> None:
        super().__init__()
        self.engine = engine

    def onIncomingCall(self, prm: Any) -> None:
        self.engine.rung(prm.callId, prm.rdata.wholeMsg)


class Engine:
    """One pjsua2 endpoint; see the module's docstring."""

    def __init__(
        self,
        config: EngineConfig,
        emit: Callable[[port.Event], None],
        *,
        on_call: Callable[[str, str], None] | None = None,
        on_transfer: Callable[[str, str], None] | None = None,
        log: Callable[[str], None] = print,
    ) -> None:
        self.config, self.emit, self.log = config, emit, log
        self.on_call, self.on_transfer = on_call, on_transfer
        self.legs: dict[str, Leg] = {}
        self.disk = Disk(log)
        self.exchange = Exchange()
        self._soon: list[Callable[[], None]] = []
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._retired: list[tuple[float, Any]] = []
        self._rung = 0
        self._measured = 0.0
        self._library = ctypes.CDLL(pj._pjsua2.__file__)
        self._start()
        self.capacity = int(self._library.pjsua_call_get_max_count())

    def _start(self) -> None:
        self._library.pj_log_set_level(0)  # it speaks before it is told how loudly
        self.endpoint = pj.Endpoint()
        self.endpoint.libCreate()
        settings = pj.EpConfig()
        ua, media = settings.uaConfig, settings.medConfig
        ua.threadCnt, ua.mainThreadOnly, ua.maxCalls = 0, True, 1000
        ua.userAgent = "ringful"
        settings.logConfig.level = settings.logConfig.consoleLevel = 0
        media.clockRate = media.sndClockRate = wav.RATE
        media.channelCount, media.ptime, media.audioFramePtime = 1, 20, 20
        media.noVad, media.ecTailLen, media.quality = True, 0, 2
        media.hasIoqueue, media.threadCnt = True, 1
        media.sndAutoCloseTime = -1  # otherwise the bridge's clock stops, and ports leak (media-facts.md, 3)
        self.endpoint.libInit(settings)
        self._library.pjsip_tsx_set_timers(500, 4000, 5000, 8000)
        kind = pj.PJSIP_TRANSPORT_UDP
        transport = pj.TransportConfig()
        transport.port, transport.boundAddress = self.config.port, self.config.address
        made = self.endpoint.transportCreate(kind, transport)
        self.port = int(self.endpoint.transportGetInfo(made).localName.rsplit(":", 1)[1])
        if self.config.transport == "tcp":
            transport.port = self.port
            self.endpoint.transportCreate(pj.PJSIP_TRANSPORT_TCP, transport)
        self.endpoint.libStart()
        self.endpoint.audDevManager().setNullDev()
        self.nobody = self.endpoint.audDevManager().getPlaybackDevMedia()
        for codec in self.endpoint.codecEnum2():
            self.endpoint.codecSetPriority(codec.codecId, 0)
        self.endpoint.codecSetPriority("PCMU/8000", 255)
        self.endpoint.codecSetPriority("PCMA/8000", 254)
        self.account = _Account(self)
        self.account.create(self._account_config(), True)

    def _account_config(self) -> Any:
        account = pj.AccountConfig()
        account.idUri = self._own_uri(self.config.from_number or "ringful")
        if self.config.username:
            credentials = pj.AuthCredInfo("digest", "*", self.config.username, 0, self.config.password)
            account.sipConfig.authCreds.append(credentials)
        media = account.mediaConfig.transportConfig
        media.port, media.boundAddress = 0, self.config.address
        return account

    def _own_uri(self, user: str) -> str:
        return f"sip:{user}@{self.config.address}:{self.port}"

    # The loop

    def step(self, milliseconds: int = 10) -> None:
        """Handle what has happened, and what is due, for *milliseconds* at most."""
        self.endpoint.libHandleEvents(milliseconds)
        soon, self._soon = self._soon, []
        for job in soon:
            self._try(job)
        now = time.monotonic()
        due = [job for at, job in self._later if at <= now]
        self._later = [(at, job) for at, job in self._later if at > now]
        for job in due:
            self._try(job)
        for leg in list(self.legs.values()):
            if not leg.lost and not self._try(partial(leg.tick, now)):
                leg.lost = "a fault of the server, of which its log has more"
                self.hang_up(leg.name)
        if (passed := now - self._measured) > 1:
            self._measured = now
            for leg in list(self.legs.values()):
                # A machine that slept has not listened.
                leg.measure(min(passed, 2.0))
                self._give_up_silent(leg)
        self._let_go(now)

    def _try(self, job: Callable[[], None]) -> bool:
        """Do *job*; a fault in it is logged, ends nothing else, and gives False."""
        try:
            job()
        except Exception as error:
            self.log("".join(format_exception(error)))
            return False
        return True

    def _give_up_silent(self, leg: Leg) -> None:
        """End *leg* where nothing has been heard of its far end for too long: it may have died."""
        limit = self.config.silence_limit
        if limit is not None and leg.answered and not leg.ordered_end and leg.quiet > limit:
            leg.lost = f"nothing was heard from the far end for {limit:g} s"
            self.hang_up(leg.name)

    def _let_go(self, now: float) -> None:
        """Drop what has been retired for long enough.

        A call object that is dropped hangs up the call of its slot, and takes its callbacks: one that
        has ended is kept for as long as another call has its slot.
        """
        if not any(due <= now for due, _ in self._retired):
            return
        taken = {leg.getId() for leg in self.legs.values()}
        self._retired = [
            (due, one)
            for due, one in self._retired
            if due > now or (isinstance(one, Leg) and one.getId() in taken)
        ]

    def soon(self, job: Callable[[], None]) -> None:
        """Have *job* done at the next step; from any thread."""
        self._soon.append(job)

    def retire(self, frames: Any) -> None:
        """Drop a port or a call later, when the bridge has let go of it."""
        self._retired.append((time.monotonic() + _RETIRE_SECONDS, frames))

    @property
    def occupied(self) -> int:
        """How many calls the library holds: some longer than they are told to be over."""
        return int(self._library.pjsua_call_get_count())

    def close(self) -> None:
        """Write what is to be written; the process may end then."""
        self.disk.close()

    # Calls

    def ring(self, name: str, uri: str, caller_id: str | None) -> None:
        """Call *uri*."""
        leg = Leg(self, name)
        self.legs[name] = leg
        order = pj.CallOpParam(True)
        if caller_id:
            order.txOption.localUri = f"<{self._own_uri(caller_id)}>"
        try:
            leg.makeCall(uri, order)
        except pj.Error as error:
            if name in self.legs:
                reason: port.RefusalReason = "capacity" if error.status == 70010 else "unreachable"
                self._forget(leg)
                self.emit(port.Refused(name, reason, None, error.reason))

    def rung(self, call_id: int, message: str) -> None:
        """Take a call that comes in: keep it, and tell about it."""
        self._rung += 1
        name = f"in-{self._rung}"
        self.legs[name] = Leg(self, name, call_id)
        if self.on_call:
            called = self.on_call
            self.soon(lambda: called(name, message))
        else:
            self.soon(lambda: self.refuse(name, 486))

    def sent(self, name: str, uri: str) -> str | None:
        """Let the far end of leg *name* send us to *uri*; give the name of the new leg, or None."""
        if self.on_transfer is None:
            return None
        self._rung += 1
        told = self.on_transfer
        self.soon(lambda: told(name, uri))
        return f"sent-{self._rung}"

    def take(self, name: str, offer: str) -> None:
        """Let *offer*, which came in, ring, and call it *name* from now on."""
        leg = self.legs.pop(offer, None)
        if leg is None:
            self.emit(port.Refused(name, "cancelled", 487, "the caller gave up"))
            return
        leg.name = name
        self.legs[name] = leg
        self.respond(name, 180)

    def answer(self, name: str) -> None:
        """Answer a call that came in."""
        leg = self.legs.get(name)
        if leg and leg.inbound and not leg.accepted:
            self.respond(name, 200)

    def refuse(self, name: str, status: int) -> None:
        """Refuse a call that came in and rings, once it has kept its place for long enough."""
        leg = self.legs.get(name)
        if leg is None or not leg.inbound or leg.accepted or leg.ordered_end:
            return
        leg.ordered_end = True
        self._later.append((leg.began + _REFUSE_SECONDS, lambda: self.respond(name, status)))

    def respond(self, name: str, status: int) -> None:
        """Answer a call that came in, with a provisional or final status."""
        leg = self.legs.get(name)
        if leg is None:
            return
        leg.accepted = leg.accepted or status == 200
        order = pj.CallOpParam()
        order.statusCode = status
        try:
            leg.answer(order)
        except pj.Error as error:
            self.log(f"{name}: {error.reason}")

    def hang_up(self, name: str) -> None:
        """End a leg: a cancel, a hang-up or a refusal, as its state wants."""
        leg = self.legs.get(name)
        if leg is None or leg.ordered_end:
            return
        if leg.inbound and not leg.accepted:
            self.refuse(name, 480)
            return
        leg.ordered_end = True
        try:
            leg.hangup(pj.CallOpParam())
        except pj.Error as error:
            self.log(f"{name}: {error.reason}")

    def ended(self, leg: Leg, status: int, reason: str) -> None:
        """Tell the end of *leg*, behind the ends of all that was ordered on it."""
        if leg.over:
            return
        leg.over = True
        leg.close_orders()
        end: port.Event
        if leg.confirmed:
            by: port.Party = "callee" if leg.ended_by_bye or not leg.ordered_end else "server"
            if leg.lost and not leg.ended_by_bye:
                by, reason = "lost", leg.lost
            if not leg.answered:
                self.emit(port.Answered(leg.name))
            end = port.HungUp(leg.name, by, reason, leg.quality)
        elif leg.inbound:
            end = port.Refused(leg.name, refused(status), status or None, reason)
        elif leg.ordered_end:
            end = port.Refused(leg.name, "cancelled", status or None, reason)
        else:
            end = port.Refused(leg.name, refusal(status, leg.rang), status or None, reason)
        # Recordings are closed by the disk thread, and it does things in order.
        self.disk.do(lambda: self.emit(end))
        self._forget(leg)

    def _forget(self, leg: Leg) -> None:
        leg.over = True
        self.legs.pop(leg.name, None)
        self.retire(leg)

    # Sound

    def play(
        self, name: str, playback: int, path: Path, *, background: bool = False, cue: bool = False
    ) -> None:
        """Play the WAV at *path*, or cue it."""
        leg = self.legs.get(name)
        if leg is None or leg.over:
            return
        try:
            samples = wav.samples_of(path)
        except (OSError, ValueError) as error:
            if not cue:
                self.emit(port.PlaybackFailed(name, playback, str(error)))
            return
        channel = leg.channel(background)
        if cue:
            channel.cue(playback, samples)
        elif background:
            channel.replace(playback, samples)
        else:
            channel.add(playback, samples)

    def stop_playback(self, name: str, playback: int) -> None:
        """Cut a playback short, or take a cue back."""
        if leg := self.legs.get(name):
            for channel, _ in leg.channels.values():
                channel.stop(playback)

    def record(self, name: str, recording: int, path: Path, *, silence: float | None, beep: bool) -> None:
        """Record a leg, after a beep if that is wanted."""
        leg = self.legs.get(name)
        if leg is None or leg.over:
            return
        if not beep:
            leg.record(recording, path, silence)
            return
        leg.beeping[recording] = lambda: leg.record(recording, path, silence)
        leg.channel(False).add(-recording, memoryview(BEEP))

    def listen(self, name: str, take: Callable[[bytes | None], None]) -> None:
        """Give every frame of a leg to *take*, in the clock thread, until the leg ends."""
        if leg := self.legs.get(name):
            leg.listen(take)

    def stop_recording(self, name: str, recording: int) -> None:
        """End a recording."""
        if leg := self.legs.get(name):
            leg.stop_recording(recording)

    def send_tones(self, name: str, sending: int, tones: str) -> None:
        """Send digits by RFC 4733."""
        if leg := self.legs.get(name):
            leg.send_tones(sending, tones)

    # Between legs

    def connect(self, name: str, other: str, connection: int) -> None:
        """Let two legs of this process hear each other."""
        leg, partner = self.legs.get(name), self.legs.get(other)
        if leg is None or partner is None or leg.partner or partner.partner:
            self.emit(port.ConnectFailed(name, connection, "the other call is not up, or connected already"))
            return
        leg.join(partner, connection)
        partner.join(leg, connection)
        leg.meet()
        self.emit(port.Connected(name, connection))

    def link(self, name: str, connection: int, number: int, peer: int) -> None:
        """Let a leg hear one in the process whose exchange is at port *peer*, over link *number*."""
        leg = self.legs.get(name)
        if leg is None or leg.partner:
            self.emit(port.ConnectFailed(name, connection, "the call is not up, or connected already"))
            return
        end = self.exchange.open(number, peer)
        leg.link = number
        leg.join(_Frames(end.give, end.take), connection)
        leg.meet()
        self.emit(port.Connected(name, connection))

    def part(self, name: str, connection: int) -> None:
        """End a connection, or this process's end of it."""
        leg = self.legs.get(name)
        if leg and leg.partner and leg.connection == connection:
            leg.part()
            self.emit(port.Disconnected(name, connection, "stopped"))

    def mute(self, name: str, *, muted: bool) -> None:
        """Keep what a leg says from others, or let it through again."""
        if leg := self.legs.get(name):
            leg.mute(muted)

    def transfer(self, name: str, transfer: int, uri: str) -> None:
        """Ask a leg's far end to call *uri*."""
        if leg := self.legs.get(name):
            leg.transfer(transfer, uri)
