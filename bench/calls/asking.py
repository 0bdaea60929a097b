"""The customer's requests: signed, over connections that stay open."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import trio
from attrs import define, field

from ringful.bench.calls.numbers import Numbers
from ringful.bench.calls.wire import Message, Wire, WireError
from ringful.http.signing import signed_url

_OVERTAKEN = 409


class RefusedError(Exception):
    """The server did not do what was asked; *status* is 0 where it did not answer."""

    def __init__(self, method: str, status: int, said: str) -> None:
        super().__init__(f"{method}: {status or 'no answer'} {said}".strip())
        self.status = status


@define(eq=False)
class Asker:
    """Asks a server at *port*; as many connections as there are requests at once."""

    port: int
    base: str
    """What is signed and sent as Host."""
    key: str
    secret: str
    numbers: Numbers
    _idle: list[Wire] = field(factory=list)

    async def ask(self, method: str, **parameters: str) -> str:
        """Ask for *method*; give what is answered.  Raises RefusedError.

        A seq that others have overtaken by too much (409) is no fault of the server's: the next one is used.
        """
        try:
            return await self._ask(method, **parameters)
        except RefusedError as error:
            if error.status != _OVERTAKEN:
                raise
            return await self._ask(method, **parameters)

    async def _ask(self, method: str, **parameters: str) -> str:
        request = self.request(method, **parameters)
        try:
            answer = await self._exchange(request)
        except (OSError, trio.BrokenResourceError, WireError) as error:
            raise RefusedError(method, 0, str(error)) from error
        status = int(answer.first.split(" ")[1])
        said = answer.body.decode("utf-8", "replace").strip()
        if status != 200:
            raise RefusedError(method, status, said)
        return said

    def request(self, method: str, **parameters: str) -> bytes:
        """Give the signed request for *method* as it is sent."""
        pairs = [*parameters.items(), ("seq", str(self.numbers.next()))]
        url = signed_url(self.secret, "GET", "", f"/{method}/apikey/{self.key}", pairs)
        return f"GET {url} HTTP/1.1\r\nHost: {self.base}\r\n\r\n".encode()

    async def get(self, path: str) -> Message:
        """Fetch what is at *path*.  Raises OSError, WireError, trio.BrokenResourceError."""
        return await self._exchange(f"GET {path} HTTP/1.1\r\nHost: {self.base}\r\n\r\n".encode())

    async def _exchange(self, request: bytes) -> Message:
        while self._idle:
            # A connection that has rested may have been closed meanwhile: then nothing came of the request.
            with suppress(OSError, trio.BrokenResourceError):
                if answer := await self._over(self._idle.pop(), request):
                    return answer
        answer = await self._over(Wire(await trio.open_tcp_stream("127.0.0.1", self.port)), request)
        if answer is None:
            raise WireError("the connection was closed")
        return answer

    async def _over(self, wire: Wire, request: bytes) -> Message | None:
        """Ask over a connection; None where it was closed before anything was answered."""
        try:
            await wire.stream.send_all(request)
            answer = await wire.next()
        except BaseException:
            await trio.aclose_forcefully(wire.stream)
            raise
        if answer is None or answer.closes:
            await trio.aclose_forcefully(wire.stream)
        else:
            self._idle.append(wire)
        return answer

    async def close(self) -> None:
        """Close what is open."""
        while self._idle:
            await trio.aclose_forcefully(self._idle.pop().stream)


@asynccontextmanager
async def open_asker(port: int, base: str, key: str, secret: str, numbers: Numbers) -> AsyncIterator[Asker]:
    """Give who asks the server at *port*."""
    asker = Asker(port, base, key, secret, numbers)
    try:
        yield asker
    finally:
        with trio.CancelScope(shield=True):
            await asker.close()
