"""A call in the library: its states, and the sound that goes through it.

Everything here happens in the engine's thread.  Nothing may refer to a `Leg` in a circle in the end: the
collector would drop it in whatever thread it runs in, and the library aborts.
"""

import time
from collections.abc import Callable, Sequence
from traceback import format_exception
from typing import Any, Protocol

import pjsua2 as pj

from ringful.media import port
from ringful.media.engine.admission import Admission, Unknown
from ringful.media.engine.answers import Answers
from ringful.media.engine.keypad.keying import Keying
from ringful.media.engine.keypad.keys import KEYS, Packet, as_everybody_numbers
from ringful.media.engine.mixer import Mixer
from ringful.media.engine.outcomes import is_of_refer, may_follow, rings, transfer_end, transfer_failure
from ringful.media.engine.parties.outgoing import Patience
from ringful.media.engine.recording import Disk
from ringful.media.engine.sounding import Sound

_DIGIT_SECONDS = 0.235
"""From one digit's beginning to the next one's: 100 ms of tone, and a pause."""
_AUDIO_SECONDS = 5.0
"""How long a call that is answered may be without sound, as where no codec was agreed on."""

_END_OF_KEY = 2
"""PJMEDIA_STREAM_DTMF_IS_END."""


class Owner(Protocol):
    """The engine, as its calls know it."""

    account: Any
    legs: dict[str, Any]
    mixer: Mixer
    disk: Disk
    emit: Callable[[port.Event], None]
    on_speech: Callable[[str, bool], None]
    log: Callable[[str], None]
    answers: Answers
    admission: Admission

    @property
    def reads_events(self) -> bool:
        """Whether every packet of a telephone-event is seen."""

    def ended(self, leg: Any, status: int, reason: str) -> None:
        """Hear that a call has ended."""

    def sent(self, name: str, uri: str) -> str | None:
        """Say under what name we call *uri*, to which the far end of leg *name* sends us; None: we do not."""

    def hang_up(self, name: str) -> None:
        """End a call."""

    def soon(self, job: Callable[[], None]) -> None:
        """Have *job* done when the library has returned."""

    def bridge(self, slot: int, voice: int) -> None:
        """Let a call and a voice hear each other."""

    def drain(self, voice: int, *, on: bool) -> None:
        """Let what a voice says pass and be heard by nobody, or end that."""


class Leg(pj.Call):  # type: ignore[misc]
    """A call in the library, and the sound that goes through it."""

    def __init__(
        self, engine: Owner, name: str, call_id: int = pj.PJSUA_INVALID_ID, *, account: Any = None
    ) -> None:
        self.account = account or engine.account
        super().__init__(self.account, call_id)
        self.engine, self.name = engine, name
        self.ordered_end = False
        self.rejected = False
        """It came in, and was told that it is not taken."""
        self.ended_by_bye = False
        self.inbound = call_id != pj.PJSUA_INVALID_ID
        self.began = time.monotonic()
        self.accepted = False
        """It came in, and was told to be answered."""
        self.rang = self.confirmed = self.answered = self.over = False
        self.early = False
        """It came in, and sound is to pass before its answer."""
        self.agreed = False
        """The two sides have agreed on sound, be it that nobody sends any yet."""
        self._place = call_id
        self.slot = -1
        """Where its sound is in the library's bridge; -1 while it has none."""
        self.sound = Sound(name, engine.mixer, engine.disk, engine.emit, engine.on_speech)
        self._draining = False
        self.keys = Keying(self.sound, engine.emit, engine.log)
        self.stream = 0
        """Where the library keeps the stream of its sound."""
        self._call_id = ""
        self.digits: list[tuple[float, int, str | None]] = []
        self.source = ""
        """Where its INVITE came from, ``ADDRESS:PORT``; empty: it is ours."""
        self.signalled = ""
        """The address that its signalling came from, or goes to."""
        self.media = 0
        """Which of the SDP's media is its sound."""
        self.unknown_sender: Unknown | None = None
        """What is known, while it is not known who will send."""
        self.learned: tuple[tuple[str, int], tuple[str, int]] | None = None
        """What the SDP said, and who turned out to send instead."""
        self.transferring: int | None = None
        self.sent_off = False
        """The far end has taken our REFER, or has told of what comes of it."""
        self.quality: port.Quality | None = None
        self.held = False
        """One of the two sides is not to send: there is nothing to be heard, or no more than music."""
        self.quiet = 0.0
        """For how many seconds there has been no sign of the far end."""
        self.signs = (0, 0)
        self.lost = ""
        """Why we gave the far end up."""
        self.patience = Patience()
        self.unheard = ""
        """Why we waited no longer for an answer to our INVITE."""
        self.redirects = 0
        """How many more 3xx are followed, to addresses in *networks*."""
        self.networks: Sequence[str] = ()
        self.redirected: tuple[int, str] | None = None
        """The 3xx that was not followed: its status and its reason phrase."""

    @property
    def place(self) -> int:
        """Its number among the library's calls, which is another call's after it; -1: it never had one."""
        if self._place == pj.PJSUA_INVALID_ID:
            self._place = int(self.getId())
        return self._place

    @property
    def call_id(self) -> str:
        """Its Call-ID; empty where it never had one."""
        if not self._call_id and self.place >= 0 and not self.over:
            info = self.getInfo()
            self._call_id = str(info.callIdString)
        return self._call_id

    # What the library says

    def onCallState(self, prm: Any) -> None:
        info = self.getInfo()
        status, state = info.lastStatusCode, info.state
        if state == pj.PJSIP_INV_STATE_EARLY and rings(status) and not (self.rang or self.inbound):
            self.rang = True
            self.engine.emit(port.Ringing(self.name))
        elif state == pj.PJSIP_INV_STATE_CONFIRMED:
            self.confirmed, self.began = True, time.monotonic()
            self._say_answered()
        elif state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.slot = -1
            self.engine.ended(self, status, info.lastReason)

    def onCallRedirected(self, prm: Any) -> int:
        """Say what becomes of one target of a 3xx: the library has the others asked for as well."""
        tsx = prm.e.body.tsxState.tsx
        if self.redirects > 0 and may_follow(prm.targetUri, self.networks):
            self.redirects -= 1
            self.redirected = None
            return int(pj.PJSIP_REDIRECT_ACCEPT)
        self.redirected = int(tsx.statusCode), tsx.statusText
        return int(pj.PJSIP_REDIRECT_REJECT)

    def onCallTsxState(self, prm: Any) -> None:
        changed = prm.e.body.tsxState
        tsx = changed.tsx
        if tsx.role == pj.PJSIP_ROLE_UAC and tsx.method == "INVITE":
            if tsx.state == pj.PJSIP_TSX_STATE_CALLING:
                self.patience.asked(time.monotonic())
            else:
                self.patience.heard(int(tsx.statusCode))
        if tsx.role == pj.PJSIP_ROLE_UAS and tsx.state == pj.PJSIP_TSX_STATE_TRYING:
            message = changed.src.rdata.wholeMsg
            self.engine.answers.hear(message, expected=tsx.method == "NOTIFY" and self._hear_notify(message))
            if tsx.method == "BYE":
                self.ended_by_bye = True

    def onCallMediaState(self, prm: Any) -> None:
        try:
            self._take_media()
        except Exception as error:
            # A call that is up and has no sound would wait for it for ever.
            self.engine.log(f"{self.name}: its media cannot be used: {''.join(format_exception(error))}")
            self.lost = "a fault of the server, of which its log has more"
            self.engine.soon(lambda: self.engine.hang_up(self.name))
        if self.early and self.slot >= 0 and not self.confirmed:
            self.early = False
            self.engine.emit(port.EarlyMedia(self.name))
        self._say_answered()

    def _take_media(self) -> None:
        info = self.getInfo()
        self.slot, self.held = -1, True
        for media in info.media:
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status in (
                pj.PJSUA_CALL_MEDIA_ACTIVE,
                pj.PJSUA_CALL_MEDIA_REMOTE_HOLD,
            ):
                # Media that is switched off has a number, and is not in the list.
                self.media = int(media.index)
                self.agreed = True
                self.held = (
                    media.status != pj.PJSUA_CALL_MEDIA_ACTIVE
                    or media.dir != pj.PJMEDIA_DIR_ENCODING_DECODING
                )
                if media.dir != pj.PJMEDIA_DIR_NONE:
                    # Where nobody sends, there is no stream at all.
                    self.slot = int(media.audioConfSlot)
                    self.engine.admission.admit(self)
                    self.keys.agreed(events=int(self.getStreamInfo(self.media).audTxEventPt) >= 0)
        # Nobody fetches what is played to a call without a stream: it would stand still.
        self._drain(self.agreed and self.slot < 0)
        if self.slot >= 0:
            # Every media update takes the connections away.
            self.engine.bridge(self.slot, self.sound.voice.slot)

    def _drain(self, on: bool) -> None:
        if on != self._draining:
            self._draining = on
            self.engine.drain(self.sound.voice.slot, on=on)

    def onCallSdpCreated(self, prm: Any) -> None:
        theirs, ours = prm.remSdp, prm.sdp
        if not theirs.wholeSdp:
            ours.wholeSdp = as_everybody_numbers(ours.wholeSdp)

    def onStreamCreated(self, prm: Any) -> None:
        self.stream = int(prm.stream)

    def onDtmfEvent(self, prm: Any) -> None:
        if self.engine.reads_events or prm.method != pj.PJSUA_DTMF_METHOD_RFC2833 or prm.digit not in KEYS:
            return
        # The library says milliseconds.
        is_end = bool(prm.flags & _END_OF_KEY)
        event, started, duration = KEYS.index(prm.digit), 8 * int(prm.timestamp), 8 * int(prm.duration)
        self.keys.packet(Packet(0, started, event, duration, is_end))

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
        if not prm.finalNotify:
            self.sent_off = True
            return
        prm.cont = False
        # What it is told is what a NOTIFY says: who has taken a REFER may refuse to be subscribed to again.
        if not self.sent_off:
            self._end_transfer(int(prm.statusCode))

    def _hear_notify(self, message: str) -> bool:
        """Take what a NOTIFY says of our REFER; say whether it is expected."""
        if self.transferring is None:
            return False
        status = transfer_end(message)
        self.sent_off = True
        if status is not None:
            self._end_transfer(status)
        return is_of_refer(message)

    def _end_transfer(self, status: int) -> None:
        transfer, self.transferring = self.transferring, None
        if transfer is None:
            return
        if 200 <= status < 300:
            self.engine.emit(port.Transferred(self.name, transfer))
        else:
            reason = transfer_failure(status)
            detail = "" if status else "the far end did not say what came of it"
            self.engine.emit(port.TransferFailed(self.name, transfer, reason, status or None, detail))

    def _say_answered(self) -> None:
        if self.confirmed and self.agreed and not self.answered:
            self.answered = True
            self.engine.emit(port.Answered(self.name))

    def transfer(self, transfer: int, uri: str) -> None:
        """Ask the far end to call *uri* instead of us."""
        if self.transferring is not None:
            detail = "another transfer of this call is on its way"
            self.engine.emit(port.TransferFailed(self.name, transfer, "rejected", None, detail))
            return
        self.transferring, self.sent_off = transfer, False
        try:
            self.xfer(uri, pj.CallOpParam())
        except pj.Error as error:
            self.transferring = None
            self.engine.emit(port.TransferFailed(self.name, transfer, "unreachable", None, error.reason))

    def is_due(self, now: float, *, chores: bool) -> bool:
        """Whether there is something for `tick` to do: some of it can wait for the *chores*."""
        waits = self.sound.is_recorded or (self.confirmed and not self.answered) or self.patience.waits
        return (
            self.sound.is_heard_here or bool(self.digits and self.digits[0][0] <= now) or (chores and waits)
        )

    def tick(self, now: float) -> None:
        """Do what is due."""
        self.sound.notice()
        if self.confirmed and not self.answered and now - self.began > _AUDIO_SECONDS:
            self.lost = "no sound could be agreed on"
            self.engine.hang_up(self.name)
        if not self.ordered_end and (why := self.patience.why_over(now)):
            self.unheard, self.patience = why, Patience()
            self.engine.hang_up(self.name)
        self.sound.write()
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
        if self.keys.in_sound and not self.digits:
            self.sound.send_keys(sending, tones)
            return
        at = max([time.monotonic(), *(due for due, _, _ in self.digits)])
        for digit in tones:
            self.digits.append((at, sending, digit))
            at += _DIGIT_SECONDS
        self.digits.append((at, sending, None))

    def measure(self, seconds: float) -> None:
        """Read the stream's figures, which are gone once the call is; *seconds* after the last time."""
        self.quiet = self.quiet + seconds if self.answered and not self.held else 0.0
        if self.slot < 0:
            return
        try:
            stat = self.getStreamStat(self.media)
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
        if self.transferring is not None:
            self.engine.emit(port.TransferFailed(self.name, self.transferring, "hangup"))
            self.transferring = None
        self._drain(False)
        self.sound.close()
        for sending in dict.fromkeys(sending for _, sending, _ in self.digits):
            self.engine.emit(port.TonesSent(self.name, sending, sent=False))
        self.digits.clear()
