"""A session with a mail server: several messages, one after another.

All of it blocks, so it is called in a thread, by one at a time; `cut` alone may be called from any.
"""

import re
import smtplib
import socket
import ssl
import time
from contextlib import suppress
from typing import Literal

from attrs import frozen

from ringful.messages.mail_settings import MailSettings

TIMEOUT = 30.0
"""Seconds for which an answer of the server is waited for."""
_FRESH_SECONDS, _KEPT_SECONDS = 1.0, 60.0
"""A session that was idle for longer is asked whether it still is there, or is made anew."""
_ABOUT_US = frozenset({503, 530, 535, 538})
"""Refusals that no other recipient would change: the server wants something of us first."""


class Unreachable(Exception):
    """There is no session with the server; the text says why."""


@frozen
class Answer:
    """What the server said to a message."""

    kind: Literal["taken", "refused", "again", "unsure"]
    why: str = ""
    lost: bool = False
    """Whether the session is no more."""
    ours: bool = False
    """Whether the server will say so to every message: it is our own set-up that it does not like."""


class Session:
    """A session that is opened when it is needed, and again after it was lost."""

    def __init__(self, settings: MailSettings, timeout: float = TIMEOUT) -> None:
        self._settings, self._timeout = settings, timeout
        self._smtp: smtplib.SMTP | None = None
        self._used = 0.0
        self._left = self._dotted = False

    def open(self) -> None:
        """Have a session: the one that there is, or a new one.  Raises Unreachable."""
        if self._smtp and not self._is_alive(self._smtp):
            self.close()
        if self._smtp is None:
            try:
                self._smtp = self._made()
            except smtplib.SMTPAuthenticationError as error:
                said = _words(error.smtp_code, error.smtp_error)
                raise Unreachable(f"the mail server refuses our username or password: {said}") from None
            except smtplib.SMTPResponseException as error:
                said = _words(error.smtp_code, error.smtp_error)
                raise Unreachable(f"the mail server refuses the session: {said}") from None
            except ssl.SSLCertVerificationError as error:
                why = f"the mail server's certificate is not to be trusted: {error.verify_message}"
                raise Unreachable(why) from None
            except (OSError, smtplib.SMTPException, ValueError) as error:
                raise Unreachable(
                    f"no session with the mail server: {error or type(error).__name__}"
                ) from None
        if self._left:
            # Whoever wanted it has gone meanwhile.
            self.close()
        self._used = time.monotonic()

    def _is_alive(self, smtp: smtplib.SMTP) -> bool:
        idle = time.monotonic() - self._used
        if idle < _FRESH_SECONDS:
            return True
        if idle > _KEPT_SECONDS:
            return False
        with suppress(OSError, smtplib.SMTPException):
            return smtp.noop()[0] == 250
        return False

    def _made(self) -> smtplib.SMTP:
        settings = self._settings
        # Our name is asked of nobody: that may take longer than all the rest.
        at, name = (settings.host, settings.port), settings.sender.rpartition("@")[2]
        tls = None if settings.security == "none" else ssl.create_default_context(cafile=settings.ca)
        if settings.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(*at, name, timeout=self._timeout, context=tls)
        else:
            smtp = smtplib.SMTP(*at, name, timeout=self._timeout)
        try:
            if settings.security == "starttls":
                smtp.starttls(context=tls)
            smtp.ehlo_or_helo_if_needed()
            if settings.username:
                smtp.login(settings.username, settings.password)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def send(self, address: str, content: bytes) -> Answer:
        """Send *content*, with its headers, to *address*."""
        smtp = self._smtp
        if smtp is None:
            return Answer("again", "there is no session with the mail server", lost=True)
        self._dotted = False
        try:
            answer = self._sent(smtp, address, content)
            if answer.kind != "taken" and not answer.lost:
                smtp.rset()
        except (OSError, smtplib.SMTPException, ValueError) as error:
            why = f"the session with the mail server was lost: {_said(error)}"
            self.close()
            return Answer("unsure" if self._dotted else "again", why, lost=True)
        if answer.lost:
            self.close()
        self._used = time.monotonic()
        return answer

    def _sent(self, smtp: smtplib.SMTP, address: str, content: bytes) -> Answer:
        code, words = smtp.mail(self._settings.sender)
        if code != 250:
            # Whatever it has against our address, the recipient did nothing.
            return Answer("again", _words(code, words), lost=code == 421, ours=code >= 500)
        code, words = smtp.rcpt(address)
        if code not in (250, 251):
            return _judged(code, words)
        code, words = smtp.docmd("data")
        if code != 354:
            return _judged(code, words)
        # From here on it may have arrived whole, whatever becomes of us.
        self._dotted = True
        smtp.send(re.sub(rb"(?m)^\.", b"..", content) + b".\r\n")
        code, words = smtp.getreply()
        self._dotted = False
        return Answer("taken") if code == 250 else _judged(code, words)

    def cut(self) -> None:
        """Let whoever waits for the server wait no longer: the session ends as if it were lost."""
        smtp = self._smtp
        if smtp and smtp.sock:
            with suppress(OSError):
                # Not that of TLS, which would say goodbye, and disturb who reads.
                socket.socket.shutdown(smtp.sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """End the session, whether or not the server is there to hear it."""
        smtp, self._smtp = self._smtp, None
        if smtp:
            with suppress(OSError, ValueError):
                smtp.close()

    def leave(self) -> None:
        """End the session as is polite, and have none any more."""
        self._left = True
        smtp = self._smtp
        if smtp and smtp.sock:
            smtp.sock.settimeout(min(self._timeout, 1.0))
            with suppress(OSError, smtplib.SMTPException, ValueError):
                smtp.quit()
        self.close()


def _judged(code: int, words: bytes) -> Answer:
    said = _words(code, words)
    if code in _ABOUT_US:
        return Answer("again", said, ours=True)
    return Answer("refused", said) if code >= 500 else Answer("again", said, lost=code == 421)


def _words(code: int, words: bytes | str) -> str:
    said = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return " ".join(f"{code} {said}".split())[:200]


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
