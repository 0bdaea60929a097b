"""The SIP and RTP engine.

Everything here happens in the thread that made the `Engine` and calls its `step`, sound included; files
alone are written in the disk thread, which tells events through `emit`: that must be safe to call from
any thread.  The library asserts, and an assertion ends the process: no pjsua2 object may be used, or
dropped, in another thread; `getInfo` is not asked of a call that never got an ID; nothing is answered
with a final response inside a callback.
"""

import math
import time
from collections.abc import Callable, Mapping
from functools import partial
from mmap import mmap
from pathlib import Path
from traceback import format_exception
from typing import Any

import pjsua2 as pj
from attrs import field, frozen

from ringful.media import port, wav
from ringful.media.engine.accounts import Accounts, NoRoom, Terms
from ringful.media.engine.answers import Answers
from ringful.media.engine.filter.gate import Gate, NoGate
from ringful.media.engine.keypad.events import Events
from ringful.media.engine.keypad.infos import Infos
from ringful.media.engine.leg import Leg
from ringful.media.engine.library import Library
from ringful.media.engine.mixer import Mixer
from ringful.media.engine.native import NativeMixer, NoNative
from ringful.media.engine.outcomes import NO_SOUND, refusal, refused, why_lost
from ringful.media.engine.outgoing import Outgoing
from ringful.media.engine.recording import Disk
from ringful.media.engine.senders import Senders, is_behind_nat
from ringful.media.engine.sounding import Listener, Sitting, Sound
from ringful.media.engine.texts import Inbox, Outbox, Tell

_NOWHERE = 0
"""The bridge's own port, of which nothing is heard by anybody."""
_RETIRE_SECONDS = 0.2
"""How long a call is kept after its end: the bridge lets go of it some ticks later."""
_REFUSE_SECONDS = 0.25
"""How long a call that comes in keeps its place before it is refused.

Its two sockets can be used again half a second later, and the library has some 60: calls that come
and go faster end the process.  With four places this bounds them (300 at once were survived at a
quarter of a second, and not at a tenth).
"""
_LEARN_SECONDS = 2.0
"""How long after the answer whoever is behind NAT is looked for where its signalling comes from."""
_CHORES_SECONDS = 0.25
"""How often calls are looked after."""
_WRITE_SECONDS = 0.2
"""How often that is where something is recorded: what was not written is lost with this process."""


_SRTP = {
    "off": pj.PJMEDIA_SRTP_DISABLED,
    "optional": pj.PJMEDIA_SRTP_OPTIONAL,
    "required": pj.PJMEDIA_SRTP_MANDATORY,
}


@frozen
class EngineConfig:
    """Where an engine listens, and as whom it calls."""

    address: str = "127.0.0.1"
    port: int = 0
    public_address: str = ""
    """What others know us by, in Via, Contact and From; empty: *address*."""
    media_address: str = ""
    """Where far ends send sound to, as the SDP says it; empty: *address*."""
    tcp: bool = False
    """Whether it listens, and can call, by TCP as well."""
    terms: Mapping[str, Terms] = field(factory=dict, repr=False)
    """Those of each trunk that has some of its own."""
    silence_limit: float | None = None
    """Seconds after which a far end of which nothing is heard is given up; None: never."""
    rtp_port: int = 0
    """The first of our own RTP ports, which nobody else uses; 0: any."""
    rtp_ports: int = 0
    """How many there are."""
    engine: str = "auto"
    """``python``: let sound pass through Python, although it could through C."""


class _Account(pj.Account):  # type: ignore[misc]
    def __init__(self, engine: "Engine") -> None:
        super().__init__()
        self.engine = engine

    def onIncomingCall(self, prm: Any) -> None:
        self.engine.rung(prm.callId, prm.rdata.wholeMsg, prm.rdata.srcAddress)

    def onInstantMessage(self, prm: Any) -> None:
        self.engine.inbox.came(prm.rdata.wholeMsg, prm.contentType, prm.msgBody)

    def onInstantMessageStatus(self, prm: Any) -> None:
        answered = bool(prm.rdata.wholeMsg)
        self.engine.outbox.heard(int(prm.userData), int(prm.code), prm.reason, answered=answered)


class Engine:
    """One pjsua2 endpoint; see the module's docstring."""

    def __init__(
        self,
        config: EngineConfig,
        emit: Callable[[port.Event], None],
        *,
        buses: mmap | None = None,
        on_call: Callable[[str, str], None] | None = None,
        on_transfer: Callable[[str, str], None] | None = None,
        on_speech: Callable[[str, bool], None] = lambda leg, speaks: None,
        on_text: Tell = lambda said: None,
        on_shaken: Callable[[], None] = lambda: None,
        log: Callable[[str], None] = print,
    ) -> None:
        self.config, self.emit, self.log = config, emit, log
        self.on_call, self.on_transfer, self.on_speech = on_call, on_transfer, on_speech
        self.legs: dict[str, Leg] = {}
        self.voices: dict[str, Sound] = {}
        """Rooms' voices: sound without a call."""
        self.disk = Disk(log)
        self.infos = Infos(self._pressed)
        self.inbox, self.outbox = Inbox(on_text, self.soon, log, self.infos.take), Outbox(on_text)
        self.answers = Answers(log)
        self._soon: list[Callable[[], None]] = []
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._retired: list[tuple[float, Leg]] = []
        self._rung = 0
        self._measured = self._chores_at = 0.0
        self._library = Library(pj._pjsua2.__file__)
        self._senders = Senders(self._is_rtp)
        self._start()
        self.why_unchecked = ""
        """Why SIP packets reach the library as they are; empty where they are checked."""
        self._gate = self._open_gate(on_shaken)
        self.why_python = ""
        """Why sound passes through Python; empty where it does not."""
        self.mixer = self._mixer(buses)
        self._events = self._tap()
        self.capacity = int(self._library.max_calls())

    def _is_rtp(self, at_port: int) -> bool:
        """Say whether a UDP port of ours is one of RTP: of all that are open, that of SIP is none."""
        first, count = self.config.rtp_port, self.config.rtp_ports
        return first <= at_port < first + count if count else at_port not in (0, self.port)

    def _mixer(self, buses: mmap | None) -> Mixer:
        try:
            if self.config.engine == "python":
                raise NoNative("RINGFUL_ENGINE=python says so")
            return NativeMixer(self._library, buses)
        except NoNative as error:
            from ringful.media.engine.plain import PlainMixer  # It needs numpy, which takes memory.

            self.why_python = str(error)
            return PlainMixer(self._library, buses)

    def _open_gate(self, on_shaken: Callable[[], None]) -> Gate | None:
        try:
            return Gate(pj._pjsua2.__file__, self.log, on_shaken, transfers=self.on_transfer is not None)
        except NoGate as error:
            self.why_unchecked = str(error)
            return None

    def _tap(self) -> Events | None:
        try:
            return None if self.why_python else Events(self._library)
        except NoNative as error:
            self.log(f"keys are heard as the library tells them, not by each packet: {error}")
            return None

    @property
    def reads_events(self) -> bool:
        """Whether every packet of a telephone-event is seen."""
        return self._events is not None

    def _start(self) -> None:
        self._library.set_log_level(0)  # it speaks before it is told how loudly
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
        media.sndAutoCloseTime = -1  # The bridge has no clock of its own: the mixer gives it its ticks.
        self.endpoint.libInit(settings)
        self._library.set_timers(500, 4000, 5000, 8000)
        kind = pj.PJSIP_TRANSPORT_UDP
        transport = pj.TransportConfig()
        transport.port, transport.boundAddress = self.config.port, self.config.address
        transport.publicAddress = self.config.public_address
        made = self.endpoint.transportCreate(kind, transport)
        self.port = int(self.endpoint.transportGetInfo(made).localName.rsplit(":", 1)[1])
        if self.config.tcp:
            transport.port = self.port
            self.endpoint.transportCreate(pj.PJSIP_TRANSPORT_TCP, transport)
        self.endpoint.libStart()
        for codec in self.endpoint.codecEnum2():
            self.endpoint.codecSetPriority(codec.codecId, 0)
        self.endpoint.codecSetPriority("PCMU/8000", 255)
        self.endpoint.codecSetPriority("PCMA/8000", 254)
        self.inbox.open(self._library)
        self.answers.open(self._library)
        self.infos.open(self._library)
        self.accounts = Accounts(self._make_account, self.config.terms)
        self.account = self.accounts.plain

    def _make_account(self, terms: Terms | None) -> Any:
        made, settings = _Account(self), self._account_config()
        taken = any(srtp != "off" for _, _, srtp in self.config.terms.values())
        username, password, srtp = terms or ("", "", "optional" if taken else "off")
        if username:
            settings.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", username, 0, password))
        settings.mediaConfig.srtpUse = _SRTP[srtp]
        # Keys are in the SDP (RFC 4568): who reads the signalling can read them, so it ought to go by TLS.
        settings.mediaConfig.srtpSecureSignaling = 0
        settings.mediaConfig.srtpOpt.keyings = pj.IntVector([pj.PJMEDIA_SRTP_KEYING_SDES])
        made.create(settings, terms is None)
        return made

    def _account_config(self) -> Any:
        account = pj.AccountConfig()
        account.idUri = self._own_uri("ringful")
        media = account.mediaConfig.transportConfig
        media.port, media.boundAddress = self.config.rtp_port, self.config.address
        media.publicAddress = self.config.media_address
        # The library takes them in turn, so that each rests for a while after a call.  The last one that
        # it takes is as far behind the first as it is told, and RTCP has the next.
        media.portRange = max(0, self.config.rtp_ports - 2)
        # A second INVITE would follow each answer with two codecs, and refuse the far end's own meanwhile.
        account.mediaConfig.lockCodecEnabled = False
        return account

    def _own_uri(self, user: str) -> str:
        return f"sip:{user}@{self.config.public_address or self.config.address}:{self.port}"

    # The loop

    def step(self, milliseconds: int = 1000) -> None:
        """Handle what has happened, and what is due, for *milliseconds* at most."""
        busy = self._is_busy
        self.mixer.run(self._wait(milliseconds) if busy else milliseconds, ticking=busy)
        self._hear_events()
        soon, self._soon = self._soon, []
        for job in soon:
            self._try(job)
        now = time.monotonic()
        if any(at <= now for at, _ in self._later):
            due = [job for at, job in self._later if at <= now]
            self._later = [(at, job) for at, job in self._later if at > now]
            for job in due:
                self._try(job)
        is_time = now >= self._chores_at
        for leg in list(self.legs.values()):
            if leg.is_due(now, chores=is_time) and not leg.lost and not self._try(partial(leg.tick, now)):
                leg.lost = "a fault of the server, of which its log has more"
                self.hang_up(leg.name)
        if is_time:
            self._chores_at = now + self._pause
            self._do_chores(now)

    def _hear_events(self) -> None:
        for stream, packet in self._events.take() if self._events else ():
            if leg := next((one for one in self.legs.values() if one.stream == stream), None):
                leg.keys.packet(packet)

    def _pressed(self, call_id: str, sequence: int, key: str | None) -> bool:
        """Take the key of an INFO, if it says one; gives whether there is such a call."""
        leg = next((one for one in self.legs.values() if one.call_id == call_id), None)
        if leg and key:
            leg.keys.info(sequence, key)
        return leg is not None

    def catch_up(self) -> None:
        """Run the tick that is due: what is ordered next comes after it, also where we stood still."""
        if self._is_busy:
            self.mixer.run(0, ticking=True)

    @property
    def _is_busy(self) -> bool:
        return bool(self.legs or self.voices or self._retired or self._later)

    def _wait(self, most: int) -> int:
        """For how long nothing is due, in milliseconds."""
        if any(leg.sound.is_heard_here or leg.digits for leg in self.legs.values()):
            return min(most, 10)
        pause = self._pause
        if self._later:
            pause = min(pause, max(0.001, min(at for at, _ in self._later) - time.monotonic()))
        return min(most, math.ceil(1000 * pause))

    @property
    def _pause(self) -> float:
        """For how many seconds chores may wait."""
        voices = (*self.voices.values(), *(leg.sound for leg in self.legs.values()))
        return _WRITE_SECONDS if any(one.is_recorded for one in voices) else _CHORES_SECONDS

    def _do_chores(self, now: float) -> None:
        for voice in list(self.voices.values()):
            self._try(voice.write)
        for leg in list(self.legs.values()):
            if leg.unknown_sender is not None:
                self._try(partial(self._learn_sender, leg))
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
        taken = {leg.place for leg in self.legs.values()}
        self._retired = [(due, one) for due, one in self._retired if due > now or one.place in taken]

    def soon(self, job: Callable[[], None]) -> None:
        """Have *job* done at the next step; from any thread."""
        self._soon.append(job)

    def retire(self, leg: Leg) -> None:
        """Drop a call later, when the bridge has let go of it."""
        self._retired.append((time.monotonic() + _RETIRE_SECONDS, leg))

    @property
    def occupied(self) -> int:
        """How many calls the library holds: some longer than they are told to be over."""
        return int(self._library.call_count())

    def close(self) -> None:
        """Write what is to be written; the process may end then."""
        self.disk.close()

    # Calls

    def _account_of(self, trunk: str) -> Any:
        used = [leg.account for leg in (*self.legs.values(), *(one for _, one in self._retired))]
        return self.accounts.of(trunk, used)

    def ring(self, name: str, call: Outgoing) -> None:
        """Place *call*."""
        try:
            leg = Leg(self, name, account=self._account_of(call.trunk))
        except NoRoom as error:
            self.emit(port.Refused(name, "capacity", None, str(error)))
            return
        self.legs[name] = leg
        uri = call.uri
        leg.redirects, leg.networks = call.redirects, call.networks or (host_of(uri),)
        order = pj.CallOpParam(True)
        if call.caller_id:
            caller = f"sip:{call.caller_id}@{call.domain}" if call.domain else self._own_uri(call.caller_id)
            order.txOption.localUri = f"<{caller}>"
            if call.asserted:
                order.txOption.headers.append(_header("P-Asserted-Identity", f"<{caller}>"))
        if call.called:
            # ``To`` is what is called; this alone says where it goes.
            order.txOption.targetUri, uri = uri, call.called
        leg.signalled = host_of(call.uri)
        try:
            leg.makeCall(uri, order)
            if self._gate:
                self._gate.pace.placed()
            self._senders.shut_new()
        except pj.Error as error:
            if name in self.legs:
                reason: port.RefusalReason = "capacity" if error.status == 70010 else "unreachable"
                self._forget(leg)
                self.emit(port.Refused(name, reason, None, error.reason))

    def rung(self, call_id: int, message: str, source: str) -> None:
        """Take a call that comes in from *source*: keep it, and tell about it."""
        self._rung += 1
        name = f"in-{self._rung}"
        leg = self.legs[name] = Leg(self, name, call_id)
        leg.signalled = source.rpartition(":")[0]
        self._senders.shut_new()
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
        leg.name = leg.sound.name = name
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
        if leg.confirmed and not leg.answered and (leg.ordered_end or leg.ended_by_bye) and not leg.lost:
            self.emit(port.Answered(leg.name))
            leg.answered = True
        end = self._end_of(leg, status, reason)
        # Recordings are closed by the disk thread, and it does things in order.
        self.disk.do(lambda: self.emit(end))
        self._forget(leg)

    def _end_of(self, leg: Leg, status: int, reason: str) -> port.Event:
        """Say how *leg* ended."""
        if leg.answered:
            if leg.ended_by_bye:
                return port.HungUp(leg.name, "callee", reason, leg.quality)
            if leg.lost or not leg.ordered_end:
                return port.HungUp(leg.name, "lost", leg.lost or why_lost(status, reason), leg.quality)
            return port.HungUp(leg.name, "server", reason, leg.quality)
        if leg.confirmed or (status == 406 and reason.startswith("SDP")):
            # The library says 406 where a 200 had no SDP.
            status, reason = NO_SOUND, leg.lost or f"it was answered with no sound that we can use: {reason}"
        elif leg.redirected and not leg.ordered_end:
            status, reason = leg.redirected
        if leg.inbound and leg.ended_by_bye:
            # The caller hung up before it acknowledged our answer: it gave up as we answered.
            return port.Refused(leg.name, "cancelled", 487, reason)
        if leg.inbound:
            return port.Refused(leg.name, refused(status), status or None, reason)
        if leg.ordered_end and not leg.confirmed:
            return port.Refused(leg.name, "cancelled", status or None, reason)
        if leg.ended_by_bye:
            return port.Refused(leg.name, "rejected", None, "the far end hung up before it answered")
        return port.Refused(leg.name, refusal(status, leg.rang), status or None, reason)

    def _forget(self, leg: Leg) -> None:
        leg.over = True
        leg.sound.close()
        self.legs.pop(leg.name, None)
        self.retire(leg)

    # Texts

    def send_text(self, name: str, uri: str, sender: str, body: str, trunk: str = "") -> None:
        """Send *body* to *uri* by SIP MESSAGE, by *trunk*; what comes of it is told once."""
        # Of what may send one without a call, a buddy alone answers who wants a password.
        buddy, entry = pj.Buddy(), pj.BuddyConfig()
        entry.uri, entry.subscribe = uri, False
        order = pj.SendInstantMessageParam()
        order.contentType, order.content = "text/plain;charset=UTF-8", body
        if sender:
            order.txOption.localUri = f"<{self._own_uri(sender)}>"
        token = pj.StringVector()
        order.userData = token.this
        address = int(token.this)
        self.outbox.note(name, address, token)
        try:
            # A text's account is there until its answer: texts go by few trunks.
            buddy.create(self._account_of(trunk), entry)
            buddy.sendInstantMessage(order)
        except NoRoom as error:
            self.outbox.failed(address, 0, str(error))
        except pj.Error as error:
            # Most of these were told by the callback before.
            self.outbox.failed(address, error.status, error.reason)

    # Sound

    def sound(self, name: str) -> Sound | None:
        """Give the sound of a leg or a room's voice that is not over."""
        leg = self.legs.get(name)
        return self.voices.get(name) if leg is None else None if leg.over else leg.sound

    def play(
        self,
        name: str,
        playback: int,
        path: Path,
        *,
        background: bool = False,
        cue: bool = False,
        offset: float = 0.0,
    ) -> None:
        """Play the WAV at *path* from *offset* seconds on, or cue it."""
        if sound := self.sound(name):
            sound.play(playback, path, background=background, cue=cue, offset=offset)

    def stop_playback(self, name: str, playback: int) -> None:
        """Cut a playback short, or take a cue back."""
        if sound := self.sound(name):
            sound.stop_playback(playback)

    def record(self, name: str, recording: int, path: Path, *, silence: float | None, beep: bool) -> None:
        """Record a leg, after a beep if that is wanted."""
        if sound := self.sound(name):
            sound.record(recording, path, silence=silence, beep=beep)

    def listen(self, name: str, take: Listener) -> None:
        """Give what a leg hears to *take*, some times a second, until the leg ends."""
        if sound := self.sound(name):
            sound.listen(take)

    def stop_recording(self, name: str, recording: int) -> None:
        """End a recording."""
        if sound := self.sound(name):
            sound.stop_recording(recording)

    def send_tones(self, name: str, sending: int, tones: str) -> None:
        """Send digits, by RFC 4733 or in the sound."""
        if leg := self.legs.get(name):
            leg.send_tones(sending, tones)

    # Among others

    def bridge(self, slot: int, voice: int) -> None:
        """Let a call and a voice hear each other."""
        for source, sink in ((slot, voice), (voice, slot)):
            if status := self._library.connect(source, sink):
                self.log(f"the bridge does not connect {source} with {sink}: {status}")

    def drain(self, voice: int, *, on: bool) -> None:
        """Let what a voice says pass and be heard by nobody, or end that."""
        change = self._library.connect if on else self._library.disconnect
        if status := change(voice, _NOWHERE):
            self.log(f"the bridge does not let {voice} pass: {status}")

    def open_voice(self, name: str) -> Sound:
        """Make the voice of a room."""
        voice = Sound(name, self.mixer, self.disk, self.emit, self.on_speech, alone=True)
        self.voices[name] = voice
        return voice

    def close_voice(self, name: str, then: Callable[[], None]) -> None:
        """End the voice of a room, and do *then* when the ends of all that was ordered on it are told."""
        if voice := self.voices.pop(name, None):
            voice.close()
        self.disk.do(then)

    def sit(self, name: str, bus: int, seat: int, sitting: Sitting) -> int | None:
        """Give a leg or a voice a seat; gives the number of the sitting that it had before.

        Raises LookupError where there is no such leg.
        """
        sound = self.sound(name)
        if sound is None:
            raise LookupError("the call is not up")
        return sound.sit(bus, seat, sitting)

    def stand(self, name: str, sitting: int) -> None:
        """Have a leg leave its seat, if it is that of *sitting*."""
        if sound := self.sound(name):
            sound.stand(sitting)

    def change_sitting(self, name: str, sitting: int, *, muted: bool, deaf: bool) -> None:
        """Change whether a leg in its seat is heard and hears."""
        if sound := self.sound(name):
            sound.change(sitting, muted=muted, deaf=deaf)

    # Who may send

    def admit_sender(self, leg: Leg) -> None:
        """Let the address that the far end's SDP says send sound to the call, and nobody else."""
        ours = leg.getMedTransportInfo(leg.media)
        own, own_rtcp = _address(ours.localRtpName), _address(ours.localRtcpName)
        said = _address(leg.getStreamInfo(leg.media).remoteRtpAddress)
        leg.unknown_sender = None
        if own is None or own_rtcp is None or said is None:
            return
        if leg.learned and leg.learned[0] == said:
            self._senders.allow(own[1], own_rtcp[1], *leg.learned[1])
        elif is_behind_nat(said[0], leg.signalled):
            # Its packets come by the same NAT as its signalling did; which port, they will show.
            leg.unknown_sender = own[1], own_rtcp[1]
            self._senders.allow(*leg.unknown_sender, leg.signalled)
        else:
            self._senders.allow(own[1], own_rtcp[1], *said)

    def _learn_sender(self, leg: Leg) -> None:
        """Let only the first that sends go on, where the SDP could not say who that is."""
        if leg.unknown_sender is None or leg.slot < 0 or not leg.confirmed:
            return
        found = _address(leg.getMedTransportInfo(leg.media).srcRtpName)
        said = _address(leg.getStreamInfo(leg.media).remoteRtpAddress)
        if found and found[1] and said:
            self._senders.allow(*leg.unknown_sender, *found)
            leg.unknown_sender, leg.learned = None, (said, found)
        elif time.monotonic() - leg.began > _LEARN_SECONDS:
            # Sound and signalling have ways of their own: then it is whoever sends.
            self._senders.allow_all(*leg.unknown_sender)

    def mute(self, name: str, *, muted: bool) -> None:
        """Keep what a leg says from others, or let it through again."""
        if sound := self.sound(name):
            sound.mute(muted)

    def transfer(self, name: str, transfer: int, uri: str) -> None:
        """Ask a leg's far end to call *uri*."""
        if leg := self.legs.get(name):
            leg.transfer(transfer, uri)


def _header(name: str, value: str) -> Any:
    header = pj.SipHeader()
    header.hName, header.hValue = name, value
    return header


def host_of(uri: str) -> str:
    """Give the host of a SIP URI whose host is an address already."""
    return uri.removeprefix("sip:").rpartition("@")[2].partition(";")[0].partition(":")[0]


def _address(written: str) -> tuple[str, int] | None:
    """Read ``ADDRESS:PORT``; None where it is none."""
    host, _, at_port = written.rpartition(":")
    return (host, int(at_port)) if host and at_port.isdecimal() else None
