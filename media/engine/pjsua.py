"""The SIP and RTP engine.

Everything here happens in the thread that made the `Engine` and calls its `step`, sound included; files
alone are written in the disk thread, which tells events through `emit`: that must be safe to call from
any thread.  The library asserts, and an assertion ends the process: no pjsua2 object may be used, or
dropped, in another thread; `getInfo` is not asked of a call that never got an ID; nothing is answered
with a final response inside a callback.
"""

import re
import time
from collections.abc import Callable
from mmap import mmap
from pathlib import Path
from typing import Any

import pjsua2 as pj

from ringful.media import port
from ringful.media.engine.accounts import Accounts, NoRoom, Terms
from ringful.media.engine.admission import Admission
from ringful.media.engine.answers import Answers
from ringful.media.engine.endpoint import Endpoint, EngineConfig
from ringful.media.engine.filter.gate import Gate, NoGate
from ringful.media.engine.keypad.events import Events
from ringful.media.engine.keypad.infos import Infos
from ringful.media.engine.leg import Leg
from ringful.media.engine.library import Library
from ringful.media.engine.loop import Loop
from ringful.media.engine.mixer import Mixer
from ringful.media.engine.native import NativeMixer, NoNative
from ringful.media.engine.outcomes import NO_SOUND, refusal, refused, why_lost
from ringful.media.engine.packets import Packets
from ringful.media.engine.parties.outgoing import Outgoing, Patience
from ringful.media.engine.recording import Disk, Quiet
from ringful.media.engine.senders import Senders
from ringful.media.engine.sounding import Listener, Sitting, Sound
from ringful.media.engine.texts import Inbox, Outbox, Tell

_NOWHERE = 0
"""The bridge's own port, of which nothing is heard by anybody."""
_REFUSE_SECONDS = 0.25
"""How long a call that comes in keeps its place before it is refused.

Its two sockets can be used again half a second later, and the library has some 60: calls that come
and go faster end the process.  With four places this bounds them (300 at once were survived at a
quarter of a second, and not at a tenth).
"""
_SOURCE = re.compile(r"^X-Ringful-Source:\s*([0-9.]+:[0-9]+)", re.MULTILINE)
"""Where the front had a message from."""


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
        on_packet: Callable[[str], None] = lambda packet: None,
        log: Callable[[str], None] = print,
    ) -> None:
        self.config, self.emit, self.log = config, emit, log
        self.on_call, self.on_transfer, self.on_speech = on_call, on_transfer, on_speech
        self.legs: dict[str, Leg] = {}
        self.voices: dict[str, Sound] = {}
        """Rooms' voices: sound without a call."""
        self.disk = Disk(log)
        self.infos = Infos(self._pressed)
        self.loop = Loop(self)
        self.inbox, self.outbox = Inbox(on_text, self.loop.soon, log, self.infos.take), Outbox(on_text)
        self.answers = Answers(log)
        self.packets = Packets(on_packet)
        self._rung = 0
        self._library = Library(pj._pjsua2.__file__)
        self.admission = Admission(Senders(self._is_rtp), symmetric=config.symmetric_rtp)
        self._endpoint = Endpoint(config, self._library)
        self.port = self._endpoint.port
        self._take_over()
        self.accounts = Accounts(self._make_account, config.terms)
        self.account = self.accounts.plain
        self.why_unchecked = ""
        """Why SIP packets reach the library as they are; empty where they are checked."""
        self._gate = self.admission.gate = self._open_gate(on_shaken)
        self.why_python = ""
        """Why sound passes through Python; empty where it does not."""
        self.mixer = self._mixer(buses)
        self._events = self._tap()
        self.capacity = int(self._library.max_calls())

    def _take_over(self) -> None:
        """Put what is ours in front of what the library does by itself."""
        self.inbox.open(self._library)
        self.answers.open(self._library)
        self.infos.open(self._library)

    def _make_account(self, terms: Terms | None) -> Any:
        account = _Account(self)
        self._endpoint.add(account, terms)
        return account

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
            return Gate(
                pj._pjsua2.__file__,
                self.log,
                on_shaken,
                transfers=self.on_transfer is not None,
                fronted=bool(self.config.front),
                take=self.packets.take,
            )
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

    # What happens when

    def step(self, milliseconds: int = 1000) -> None:
        """Handle what has happened, and what is due, for *milliseconds* at most."""
        self.loop.step(milliseconds)

    def soon(self, job: Callable[[], None]) -> None:
        """Have *job* done at the next step; from any thread."""
        self.loop.soon(job)

    def hear_events(self) -> None:
        """Take the packets of telephone-events that have come since the last time."""
        for stream, packet in self._events.take() if self._events else ():
            if leg := next((one for one in self.legs.values() if one.stream == stream), None):
                leg.keys.packet(packet)

    def _pressed(self, call_id: str, sequence: int, key: str | None) -> bool:
        """Take the key of an INFO, if it says one; gives whether there is such a call."""
        leg = next((one for one in self.legs.values() if one.call_id == call_id), None)
        if leg and key:
            leg.keys.info(sequence, key)
        return leg is not None

    def give_up_silent(self, leg: Leg) -> None:
        """End *leg* where nothing has been heard of its far end for too long: it may have died."""
        limit = self.config.silence_limit
        if limit is not None and leg.answered and not leg.ordered_end and leg.quiet > limit:
            leg.lost = f"nothing was heard from the far end for {limit:g} s"
            self.hang_up(leg.name)

    @property
    def occupied(self) -> int:
        """How many calls the library holds: some longer than they are told to be over."""
        return int(self._library.call_count())

    def close(self) -> None:
        """Write what is to be written; the process may end then."""
        self.disk.close()

    # Calls

    def _account_of(self, trunk: str) -> Any:
        used = [leg.account for leg in (*self.legs.values(), *self.loop.retired)]
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
        leg.redirects, leg.networks = call.redirects, call.networks or (host_of(call.by or uri),)
        order = pj.CallOpParam(True)
        own = self._endpoint.own_uri("").partition("@")[2]
        if sender := call.sender(own):
            order.txOption.localUri = sender
        for header in call.headers(own):
            order.txOption.headers.append(_header(*header))
        if call.called:
            # ``To`` is what is called; this alone says where it goes.
            order.txOption.targetUri, uri = uri, call.called
        if call.by:
            order.txOption.headers.append(_header("X-Ringful-To", f"<{call.by}>"))
        leg.signalled = host_of(call.by or call.uri)
        leg.patience = Patience(call.answer_within, call.ring_within)
        leg.patience.begin(time.monotonic())
        try:
            leg.makeCall(uri, order)
            if self._gate:
                self._gate.pace.placed()
            self.admission.senders.shut_new()
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
        if self.config.front and (told := _SOURCE.search(message)):
            source = told[1]
        leg.source, leg.signalled = source, source.rpartition(":")[0]
        self.admission.senders.shut_new()
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

    def progress(self, name: str) -> None:
        """Let sound pass to a call that came in and rings: the answer to its offer goes out with a 183."""
        leg = self.legs.get(name)
        if leg and leg.inbound and not leg.accepted and not leg.ordered_end:
            leg.early = True
            self.respond(name, 183)

    def refuse(self, name: str, status: int, *, given_up: bool = False) -> None:
        """Refuse a call that came in and rings, once it has kept its place for long enough."""
        leg = self.legs.get(name)
        if leg is None or not leg.inbound or leg.accepted or leg.ordered_end:
            return
        leg.ordered_end, leg.rejected = True, not given_up
        self.loop.later(leg.began + _REFUSE_SECONDS, lambda: self.respond(name, status))

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
            self.refuse(name, 480, given_up=True)
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
            why = port.rejection(status) if leg.rejected and status != 487 else refused(status)
            return port.Refused(leg.name, why, status or None, reason)
        if leg.unheard:
            return port.Refused(leg.name, refusal(408, rang=False), 408, leg.unheard)
        if leg.ordered_end and not leg.confirmed:
            return port.Refused(leg.name, "cancelled", status or None, reason)
        if leg.ended_by_bye:
            return port.Refused(leg.name, "rejected", None, "the far end hung up before it answered")
        return port.Refused(leg.name, refusal(status, leg.rang), status or None, reason)

    def _forget(self, leg: Leg) -> None:
        leg.over = True
        leg.sound.close()
        self.legs.pop(leg.name, None)
        self.loop.retire(leg)

    # Texts

    def send_text(self, name: str, uri: str, sender: str, body: str, trunk: str = "") -> None:
        """Send *body* to *uri* by SIP MESSAGE, by *trunk*; what comes of it is told once."""
        # Of what may send one without a call, a buddy alone answers who wants a password.
        buddy, entry = pj.Buddy(), pj.BuddyConfig()
        entry.uri, entry.subscribe = uri, False
        order = pj.SendInstantMessageParam()
        order.contentType, order.content = "text/plain;charset=UTF-8", body
        if sender:
            order.txOption.localUri = f"<{self._endpoint.own_uri(sender)}>"
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

    def record(self, name: str, recording: int, path: Path, quiet: Quiet, *, beep: bool) -> None:
        """Record a leg, after a beep if that is wanted."""
        if sound := self.sound(name):
            sound.record(recording, path, quiet, beep=beep)

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

    def change_sitting(self, name: str, sitting: int, *, muted: bool, deaf: bool, to: int) -> None:
        """Change whether a leg in its seat is heard, and by which sitting alone (0: all), and hears."""
        if sound := self.sound(name):
            sound.change(sitting, muted=muted, deaf=deaf, to=to)

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
