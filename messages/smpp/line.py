"""A connection kept up: its binds, each made again whenever it is lost, and what the desk is told of that."""

import ssl
from collections.abc import Callable

import trio
from attrs import define, field

from ringful.ground.faults import fault
from ringful.ground.logger import get_logger
from ringful.messages.port import Desk
from ringful.messages.segments import Alphabet
from ringful.messages.smpp import statuses
from ringful.messages.smpp.bind import Bind, BindFailed
from ringful.messages.smpp.connection import SmppConnection
from ringful.messages.smpp.pace import Pace

FIRST, LONGEST = 1.0, 60.0
"""Seconds until a bind is made again: at first, and after many failures."""
DENIED, LONGEST_DENIED = 60.0, 600.0
"""The same where the SMSC does not know us: asking often has many lock an account."""
_LASTED = 10.0
"""A bind that was up for so many seconds was no failure."""

log = get_logger()


@define(eq=False)
class Line:
    """One connection of the configuration."""

    connection: SmppConnection
    alphabet: Alphabet
    desk: Desk
    clock: Callable[[], float]
    random: Callable[[], float]
    """Gives a number from 0 to 1."""
    _pace: Pace = field(init=False)
    _up: int = 0
    _told: str | None = None
    """Why it was said to be down last."""

    def __attrs_post_init__(self) -> None:
        self._pace = Pace(self.connection.throughput)

    async def keep(self) -> None:
        """Keep one bind up until cancelled."""
        failures = denials = 0
        while True:
            began = trio.current_time()
            status = statuses.OK
            useful = False
            try:
                bind = await self._bind()
                why, useful = await self._carry(bind)
            except BindFailed as failed:
                why, status = str(failed), failed.status
                self._down(why)
            except Exception as error:
                self._down(why := fault("an SMPP connection", error, connection=self.connection.name))
            lasted = status == statuses.OK and trio.current_time() - began >= _LASTED
            failures = 0 if useful or lasted else failures + 1
            denials = denials + 1 if status in statuses.BAD_CREDENTIALS else 0
            await trio.sleep(pause(failures, denials) * (0.5 + self.random() / 2))

    async def _carry(self, bind: Bind) -> tuple[str, bool]:
        self._up += 1
        why = "the server is ending"
        try:
            if self._up == 1:
                self._told = None
                self.desk.standing(self.connection.name, up=True)
            why = await bind.run()
        finally:
            self._up -= 1
            await _closed(bind.stream)
            self._down(why)
        return why, bind.useful

    def _down(self, why: str) -> None:
        """Tell that a bind is not there: each reason once until it is."""
        if why == self._told:
            return
        self._told = why
        if self._up:
            log.warning("one bind of several is down", connection=self.connection.name, why=why)
        else:
            self.desk.standing(self.connection.name, up=False, why=why)

    async def _bind(self) -> Bind:
        """Connect and bind.  Raises BindFailed."""
        limit = self.connection.response_timeout
        try:
            with trio.fail_after(limit):
                stream = await connect(self.connection)
                try:
                    bind = Bind(self.connection, self.alphabet, self.desk, self._pace, self.clock, stream)
                    await bind.open()
                except BaseException:
                    await _closed(stream)
                    raise
                return bind
        except trio.TooSlowError:
            raise BindFailed(f"the SMSC did not answer within {limit:g} s") from None
        except (OSError, trio.BrokenResourceError) as error:
            raise BindFailed(f"the SMSC cannot be reached: {_why(error)}") from None


async def _closed(stream: trio.abc.Stream) -> None:
    """Close at once, whether cancelled or not."""
    with trio.CancelScope(shield=True):
        await trio.aclose_forcefully(stream)


async def connect(connection: SmppConnection) -> trio.abc.Stream:
    """Connect to an SMSC.  Raises OSError and trio.BrokenResourceError."""
    host, _, port = connection.address.rpartition(":")
    stream = await trio.open_tcp_stream(host, int(port))
    if not connection.tls:
        return stream
    try:
        context = ssl.create_default_context(cafile=connection.ca)
        secure = trio.SSLStream(stream, context, server_hostname=host, https_compatible=True)
        await secure.do_handshake()
    except BaseException:
        await _closed(stream)
        raise
    return secure


def pause(failures: int, denials: int) -> float:
    """Give the seconds until the next attempt, after so many failures and so many denials in a row."""
    if denials:
        return float(min(DENIED * 2 ** min(denials - 1, 10), LONGEST_DENIED))
    return float(min(FIRST * 2 ** min(max(failures - 1, 0), 10), LONGEST))


def _why(error: BaseException) -> str:
    cause = error.__cause__ or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {cause.verify_message}"
    if isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[-1]
    return getattr(cause, "strerror", None) or str(cause)
