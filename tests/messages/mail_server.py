"""A mail server that none of us wrote, in a thread of its own, told what to answer."""

import asyncio
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from attrs import define, field


@define
class Mailbox:
    """What came, and what is to be answered to the commands that come next; each answer is given once."""

    content: list[bytes] = field(factory=list)
    recipients: list[str] = field(factory=list)
    senders: list[str] = field(factory=list)
    sessions: int = 0
    logins: list[tuple[str, str]] = field(factory=list)
    answers: dict[str, list[str]] = field(factory=dict)
    """By command; ``die`` ends the connection."""
    port: int = 0
    die_now: Callable[[], None] = lambda: None
    """End the latest connection."""
    ended: Event = field(factory=Event)
    """Set when a connection has ended."""

    def _answer(self, command: str, server: Any, otherwise: str) -> str:
        waiting = self.answers.get(command, [])
        said = waiting.pop(0) if waiting else otherwise
        if said == "die":
            server.transport.abort()
        return said

    async def handle_MAIL(self, server: Any, _: Any, envelope: Any, address: str, options: list[str]) -> str:
        said = self._answer("MAIL", server, "250 OK")
        envelope.mail_from = address if said.startswith("2") else None
        self.senders.append(address)
        return said

    async def handle_RCPT(self, server: Any, _: Any, envelope: Any, address: str, options: list[str]) -> str:
        said = self._answer("RCPT", server, "250 OK")
        if said.startswith("2"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, server: Any, _: Any, envelope: Any) -> str:
        said = self._answer("DATA", server, "250 taken")
        if said.startswith("2") or said == "die":
            self.content.append(envelope.content)
            self.recipients += envelope.rcpt_tos
        return said


class _Server(SMTP):
    """Notes each session, and takes one user."""

    def __init__(self, box: Mailbox, password: str, **options: Any) -> None:
        def authenticate(*asked: Any) -> AuthResult:
            login = asked[4]
            assert isinstance(login, LoginPassword)
            box.logins.append((login.login.decode(), login.password.decode()))
            return AuthResult(success=login.password.decode() == password, handled=False)

        if password:
            # It takes a session that is safe from its beginning for one that is not.
            options |= {"authenticator": authenticate, "auth_required": options["auth_require_tls"]}
        super().__init__(box, hostname="mail.test", **options)
        self._box = box

    def connection_made(self, transport: Any) -> None:
        self._box.sessions += 1
        loop = asyncio.get_running_loop()
        self._box.die_now = lambda: loop.call_soon_threadsafe(transport.abort) and None
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._box.ended.set()


@contextmanager
def mail_server(
    box: Mailbox,
    *,
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    at_once: bool = False,
    password: str = "",
) -> Iterator[Mailbox]:
    """Serve *box* at its port; with *tls* by STARTTLS, or from the beginning *at_once*."""
    loop, stop, ready = asyncio.new_event_loop(), asyncio.Event(), Event()

    def made() -> _Server:
        later = None if at_once else tls
        return _Server(box, password, loop=loop, tls_context=later, auth_require_tls=not at_once)

    async def serve() -> None:
        server = await loop.create_server(made, "127.0.0.1", port, ssl=tls if at_once else None)
        box.port = server.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    thread = Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(30)
    try:
        yield box
    finally:
        box.die_now()
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
