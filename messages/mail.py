"""E-mail gateways: a text goes as mail to an address of the operator's, who sends it on to the phone.

There is no receipt.  What the mail server has taken is sent, and nothing more will be known of it; what comes
later comes to the sender's mailbox.  One session is kept, and messages go through it in order.
"""

import re
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate

import trio

from ringful.messages.checks import check_text, digits_of
from ringful.messages.mail_settings import MailSettings
from ringful.messages.pauses import LINE_PAUSES, Pauses, doubt
from ringful.messages.port import Carrier, Desk, Outgoing
from ringful.messages.smtp_session import Answer, Session, Unreachable

NAME = "mail"
"""What the one connection is called."""
TOO_LONG = 140
"""Characters that are one too many: the seed's SendSms has under 140."""
_MESSAGE_SECONDS = 90.0
"""How long one message may take in all, whatever the server says meanwhile."""
_GRACE_SECONDS = 3.0
"""How long a message that is under way may go on when we are to end: its answer is worth knowing."""
# No CR or LF, which would begin another line; a text may have them, a header may not.
_POLICY = SMTP.clone(cte_type="7bit", max_line_length=78)


class MailTransport:
    """Send texts by a mail server."""

    def __init__(
        self,
        settings: MailSettings,
        *,
        pauses: Pauses | None = None,
        line_pauses: tuple[float, ...] = LINE_PAUSES,
        make_session: Callable[[MailSettings], Session] = Session,
    ) -> None:
        self._settings, self._make_session = settings, make_session
        self._pauses, self._line_pauses = pauses or Pauses(), line_pauses
        self._thread = trio.CapacityLimiter(2)
        """One that works, and maybe one that was left while it still connects."""

    @property
    def carrier(self) -> Carrier:
        """See `port.Transport.carrier`."""
        return "mail"

    def parts(self, text: str) -> int:
        """See `port.Transport.parts`: one."""
        check_text(text)
        if len(text) >= TOO_LONG:
            raise ValueError(
                f"a text to an e-mail gateway has under {TOO_LONG} characters; this one has {len(text)}"
            )
        return 1

    async def run(self, desk: Desk) -> None:
        """See `port.Transport.run`."""
        line = Pauses(self._line_pauses)
        session = self._make_session(self._settings)
        try:
            async with trio.open_nursery() as self._doubts:
                while True:
                    await self._connect(desk, session, line)
                    while await self._one(desk, session, line, await desk.next()):
                        pass
                    # Nothing is asked for while the server takes nothing.
                    await trio.sleep(line.next(NAME))
        finally:
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(session.leave, limiter=self._thread)

    async def _connect(self, desk: Desk, session: Session, line: Pauses) -> None:
        while True:
            try:
                await self._open(session)
            except Unreachable as error:
                desk.standing(NAME, up=False, why=str(error))
                await trio.sleep(line.next(NAME))
            else:
                desk.standing(NAME, up=True)
                return

    async def _open(self, session: Session) -> None:
        # Nothing is under way yet, so it may be left alone in its thread: it will close what it opens.
        await trio.to_thread.run_sync(session.open, abandon_on_cancel=True, limiter=self._thread)

    async def _one(self, desk: Desk, session: Session, line: Pauses, sent: Outgoing) -> bool:
        """Send one message; say whether there is a server for another."""
        try:
            address = address_of(sent, self._settings.operators)
            self.parts(sent.text)
        except ValueError as error:
            desk.refused(sent, str(error))
            return True
        try:
            await self._open(session)
        except Unreachable as error:
            desk.again(sent, str(error), self._pauses.next(sent.message_id))
            desk.standing(NAME, up=False, why=str(error))
            return False
        content = written(sent, address, self._settings.sender)
        done = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cut_in_time, session, done)
            # It is not abandoned: its answer is worth knowing, also where all is cancelled meanwhile.
            answer = await trio.to_thread.run_sync(session.send, address, content, limiter=self._thread)
            done.set()
            self._tell(desk, sent, answer)
        if answer.lost or answer.ours:
            desk.standing(NAME, up=False, why=answer.why)
            return False
        line.forget(NAME)
        return True

    def _tell(self, desk: Desk, sent: Outgoing, answer: Answer) -> None:
        match answer.kind:
            case "taken":
                desk.taken(sent, 1, 1, NAME, "")
            case "refused":
                desk.refused(sent, answer.why)
            case "again":
                desk.again(sent, answer.why, self._pauses.next(sent.message_id))
                return
            case "unsure":
                pause = self._pauses.next(sent.message_id)
                self._doubts.start_soon(doubt, desk, sent, answer.why, pause)
                return
        self._pauses.forget(sent.message_id)


async def _cut_in_time(session: Session, done: trio.Event) -> None:
    """Let *session* end as lost where it is not done in time, or we are to end and it is not done soon."""
    try:
        with trio.move_on_after(_MESSAGE_SECONDS):
            await done.wait()
    finally:
        with trio.move_on_after(_GRACE_SECONDS, shield=True):
            await done.wait()
        if not done.is_set():
            session.cut()


def address_of(sent: Outgoing, operators: Mapping[str, str]) -> str:
    """Give the address at which a message's operator takes it.  Raises ValueError: why there is none.

    Gateways want a number as it is dialled at home: in North America ten digits, without the 1.
    """
    template = operators.get(sent.operator)
    if template is None:
        known = ", ".join(sorted(operators))
        raise ValueError(f"there is no operator {sent.operator!r} in sms.mail.operators; there are: {known}")
    digits = digits_of(sent.number)
    at_home = digits[1:] if len(digits) == 11 and digits.startswith("1") else digits
    return template.replace("{number}", at_home)


def written(sent: Outgoing, address: str, sender: str) -> bytes:
    """Write a message as mail.

    It has no subject, which gateways would put before the text.  Its ID is that of the message, so that a
    second copy of it can be known as one.
    """
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = sender
    mail["To"] = address
    mail["Date"] = formatdate(usegmt=True)
    mail["Message-ID"] = f"<{_atoms(sent.message_id)}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    # A line of mail ends in CR and LF, and neither comes alone.
    mail.set_content(re.sub(r"\r\n?", "\n", sent.text), charset="utf-8")
    return mail.as_bytes()


def _atoms(message_id: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", lambda found: f"={ord(found[0]):X}", message_id)
