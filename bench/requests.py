"""What one request, and one callback, costs the node on its own way: without sockets, calls and disks."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import trio

from ringful.bench.figures import Effort, Figure, rates
from ringful.ground.metrics import Metrics
from ringful.http.app import App, make_app
from ringful.http.desks.recordings import RecordingDesk
from ringful.http.exchange import written
from ringful.http.facade import Settings
from ringful.http.incoming import Incoming
from ringful.http.outward.answers import Answer
from ringful.http.outward.callbacks import Deliverer
from ringful.http.probes import Probes, Readiness
from ringful.http.reading.requests import Dialect
from ringful.http.signing import signed_url
from ringful.interpreter.links import Links
from ringful.store.port import Commit, Key, Post, Store

_MANY = 500
"""Requests, or callbacks, that are timed together: fewer than a window of seqs holds."""
_KEY = Key("bench", "a-secret-of-the-bench", "bench", 0.0)
_URL = "http://127.0.0.1:8000/told"


class _Kept:
    """A commit that is done already."""

    async def wait(self) -> None:
        pass

    def then(self, told: Any) -> None:
        told("")

    def hurry(self) -> None:
        pass


class _Nothing:
    """A store, a switchboard and a desk that know one key, and do nothing."""

    library = conferences = None

    async def key(self, _key: str) -> Key:
        return _KEY

    async def used_seqs(self, _key: str) -> Sequence[int]:
        return ()

    def submit(self, _change: object) -> Commit:
        return cast(Commit, _Kept())

    def new_id(self) -> str:
        return "r1-0123456789abcdef"

    async def queue(self, *_: object, **__: object) -> None:
        pass

    interrupt = place = queue


class _Ok:
    """Posts nothing, and is answered 200."""

    async def post(self, _url: str, _headers: bytes, _body: bytes, _seconds: float) -> Answer:
        return Answer(200, None)


def requests(effort: Effort) -> Iterator[Figure]:
    """Measure requests, from their bytes to those of their answers, and callbacks but for their posting."""
    call = {"callId": "r1-0123456789abcdef"}
    asked = {
        "Mute": call,
        "Play": {**call, "announcement": "http://127.0.0.1:8000/welcome.wav", "callbackUrl": _URL},
        "Call": {"callee": "15125551234", "callerId": "15125550000", "callbackUrl": _URL},
    }
    for method, parameters in asked.items():
        sent = [_signed(method, parameters, number) for number in range(1, _MANY + 1)]
        figures = rates(lambda sent=sent: trio.run(_answer, sent), effort)  # type: ignore[misc]
        yield Figure(f"requests, {method}", "requests/s", figures, f"read, checked, answered; {_MANY} a time")
    about = f"{_MANY} a time, each to a URL of its own call: signed, and noted as delivered"
    yield Figure("callbacks", "callbacks/s", rates(lambda: trio.run(_deliver), effort), about)


def _signed(method: str, parameters: dict[str, str], seq: int) -> bytes:
    pairs = [*parameters.items(), ("seq", str(seq))]
    url = signed_url(_KEY.secret, "GET", "", f"/{method}/apikey/{_KEY.key}", pairs)
    return f"GET {url} HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n".encode()


def _app() -> App:
    nothing: Any = _Nothing()
    desk = RecordingDesk(nothing, Path(), Links(""), nothing.queue)
    settings = Settings(desk, Dialect(), nothing.queue)
    return make_app(nothing, nothing, settings, nothing, nothing, Probes(Metrics(), Readiness({}), ()))


async def _answer(sent: Sequence[bytes]) -> int:
    app, answered = _app(), 0
    incoming = Incoming(app.room_for, "127.0.0.1")
    for data in sent:
        incoming.feed(data)
        request = incoming.ready.popleft()
        answered += written(await app.answer(request), request, keep=True).startswith(b"HTTP/1.1 200 ")
    assert answered == len(sent)
    return answered


async def _deliver() -> int:
    async def secret_of(_key: str) -> str:
        return "YWJjZGVmZ2g="

    async with trio.open_nursery() as nursery:
        deliverer = Deliverer(cast(Store, _Nothing()), cast(Any, _Ok()), secret_of, nursery)
        for number in range(_MANY):
            fields = {"action": "PlayStarted", "callId": f"r1-{number}", "url": _URL, "state": "live"}
            deliverer.deliver(Post(f"e-{number}", "bench", f"r1-{number}", 1, _URL, fields, time.time()))
        await deliverer.until_idle()
        nursery.cancel_scope.cancel()
    return deliverer.delivered
