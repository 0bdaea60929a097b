"""What the web may answer: every outcome is told, nothing escapes, and memory and connections are bounded."""

import tracemalloc
from collections.abc import Awaitable, Callable
from functools import partial
from ipaddress import ip_network
from pathlib import Path

import httpx2
import pytest
import structlog
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringful.command.demonstration.sounds import melody
from ringful.http.outward.addresses import literal
from ringful.http.outward.callbacks import Deliverer
from ringful.http.outward.guard import guarded_client
from ringful.http.outward.outbound import Outbound, OutboundError
from ringful.http.outward.posting import Poster, open_poster
from ringful.http.reading.parameters import BadParameter, Parameters
from ringful.http.reading.requests import Dialect, read
from ringful.media.library.announcements import Library
from ringful.media.port import Announcement
from ringful.media.sounds import SoundError
from ringful.store.open import open_store
from ringful.store.port import Post, PostState, Store, Write
from tests.asking import ask
from tests.hostile import ANSWERS, hostile_web
from tests.server import PATIENCE, TRUSTED, phone, receiver, server

LOOPBACK = (ip_network("127.0.0.0/8"),)
LIMIT = 1_000_000
"""Bytes of an announcement, here."""
MEMORY = 6_000_000
"""Bytes that four requests at once may take, whatever they are answered."""
SHORT, TOTAL = httpx2.Timeout(0.3, connect=PATIENCE), 0.5
"""For what is slow on purpose; all else has the time that it takes."""

Told = tuple[str, str, str, str]
"""What came of an announcement, an `ask`, a `follow`, and a callback."""

SOUNDLESS = "it is "
"""What it is instead of a sound is said."""


def fails(why: str) -> Told:
    return f"it cannot be fetched: {why}", why, why, f"parked: {why}"


def body_fails(why: str) -> Told:
    """A callback is delivered all the same."""
    return f"it cannot be fetched: {why}", why, why, "delivered"


def garbles(why: str) -> Told:
    return fails(f"its answer is no proper HTTP: {why}")


def answers(status: int) -> Told:
    why = f"it answered {status}"
    return f"it cannot be fetched: the server answered {status}", why, why, f"parked: {why}"


def redirects(why: str, status: int = 302) -> Told:
    """An announcement's redirects are followed, and those of nothing else."""
    told = f"it answered {status}"
    return f"it cannot be fetched: {why}", told, told, f"parked: {told}"


def misleads(place: str, why: str) -> Told:
    return redirects(f"it redirects to '{place}', which is no web address: {why}")


LATE = fails("no answer in time")
BROKEN = fails("the connection broke off")
SILENT = fails("the connection ended before there was an answer")
HALF = fails("the connection ended before the answer did")
TOO_LARGE = "it is larger than 65536 bytes"
LARGE = ("it cannot be fetched: it is larger than 1000000 bytes", TOO_LARGE, TOO_LARGE, "delivered")
NO_JSON = "its answer is no JSON"
INSIDE = "which must not be reached: it is not public, and fetch.allow does not name it"

EXPECTED: dict[str, Told] = {
    "gzip that is none": body_fails("its Content-Encoding is false: "),
    "gzip cut short": body_fails("its compressed body breaks off"),
    "gzip with a false sum": body_fails("its Content-Encoding is false: "),
    "gzip with more behind": body_fails("there is more behind its compressed body"),
    "a gzip bomb": LARGE,
    "a bomb in a bomb": body_fails("its Content-Encoding 'gzip, gzip' was not asked for"),
    "a deflate bomb": LARGE,
    "deflate that is none": body_fails("its Content-Encoding is false: "),
    "brotli": body_fails("its Content-Encoding 'br' was not asked for"),
    "an unknown encoding": body_fails("its Content-Encoding 'rot13' was not asked for"),
    "an encoding that is odd": body_fails(r"its Content-Encoding '\xff\xfe' was not asked for"),
    "a length too long": HALF,
    "a length too short": (SOUNDLESS, NO_JSON, "'{'", "delivered"),
    "a length that is huge": garbles("bad Content-Length"),
    "a length that is negative": garbles("bad Content-Length"),
    "a length that is no number": garbles("bad Content-Length"),
    "two lengths": garbles("conflicting Content-Length headers"),
    "a length and chunks": (SOUNDLESS, NO_JSON, "''", "delivered"),
    "no length and no end": LARGE,
    "a length, then nothing": LATE,
    "a chunk without a size": garbles("illegal chunk header"),
    "a chunk of negative size": garbles("illegal chunk header"),
    "a chunk shorter than it says": garbles("illegal chunk header"),
    "a chunk of huge size": LATE,
    "a chunk's size without end": garbles("Receive buffer too long"),
    "no last chunk": HALF,
    "an unknown transfer encoding": garbles("Only Transfer-Encoding: chunked is supported"),
    "101": garbles("Received server _SWITCH_UPGRADE event"),
    "204 with a body": ("it cannot be fetched: the server answered 204", NO_JSON, "''", "delivered"),
    "205": ("it cannot be fetched: the server answered 205", NO_JSON, "''", "delivered"),
    "206": ("it cannot be fetched: the server answered 206", "{}", "'{}'", "delivered"),
    "304 that nobody asked for": answers(304),
    "300 with choices": answers(300),
    "407": answers(407),
    "999": answers(999),
    "000": garbles("InformationalResponse status_code should be in range"),
    "a status of four digits": garbles("illegal status line"),
    "a status that is no number": garbles("illegal status line"),
    "many 100s": answers(503),
    "100s without end": LATE,
    "a flood of headers": garbles("Receive buffer too long"),
    "a header without end": garbles("Receive buffer too long"),
    "headers without end": garbles("Receive buffer too long"),
    "a NUL in a header": garbles("illegal header line"),
    "a header without a colon": garbles("illegal header line"),
    "a header without a name": garbles("illegal header line"),
    "a folded header": (SOUNDLESS, "{}", "'{}'", "delivered"),
    "lone line feeds": answers(404),
    "HTTP/9.9": (SOUNDLESS, "{}", "'{}'", "delivered"),
    "HTTP/0.9": SILENT,
    "HTTP/2": garbles("illegal request line"),
    "another protocol": LATE,
    "a TLS alert": garbles("illegal request line"),
    "noise": garbles("illegal request line"),
    "NULs": garbles("illegal request line"),
    "a redirect in a circle": redirects("it redirects more than 5 times"),
    "a redirect to half an address": misleads("http://[::1", "Invalid IPv6 URL"),
    "a redirect to a file": misleads("file:///etc/passwd", "it is no http or https URL"),
    "a redirect to gopher": redirects("it redirects to 'gopher://127.0.0.1:"),
    "a redirect to a script": misleads("javascript:alert(1)", "it is no http or https URL"),
    "a redirect to data": misleads("data:audio/wav;base64,AAAA", "it is no http or https URL"),
    "a redirect to no host": redirects("it redirects more than 5 times"),
    "a redirect to no host either": redirects("it redirects more than 5 times"),
    "a redirect to nowhere": answers(302),
    "a redirect without a place": answers(302),
    "a redirect to a long label": misleads(
        f"http://{'a' * 70}.example/", "its host has a part longer than 63 characters"
    ),
    "a redirect to an empty label": misleads("http://a..b/", "its host has an empty part"),
    "a redirect to port 0": misleads("http://127.0.0.1:0/", "there is no port 0"),
    "a redirect to port 99999": misleads("http://127.0.0.1:99999/", "there is no port 99999"),
    "a redirect to port x": misleads("http://127.0.0.1:x/", "it cannot be read: Invalid port: 'x'"),
    "a redirect to bytes": redirects("the host xn--vdab.example cannot be resolved"),
    "a redirect to a blank": misleads("http://a b/", "it holds a blank or a control character"),
    "a redirect inside": redirects(f"10.0.0.1, {INSIDE}"),
    "a redirect inside in disguise": redirects(f"64:ff9b::a00:1, {INSIDE}"),
    "a redirect to a number": redirects(f"167772161 is at 10.0.0.1, {INSIDE}"),
    "a redirect to the cloud's own": redirects(f"169.254.169.254, {INSIDE}"),
    "a redirect to a closed port": redirects("127.0.0.1:1 refuses the connection"),
    "a redirect that is endless": redirects("it redirects to 'http://127.0.0.1:"),
    "a redirect that never ends its body": LATE,
    "nothing at all": LATE,
    "nothing, and the end": SILENT,
    "an answer before the request": answers(503),
    "a head, a byte now and then": LATE,
    "a reset after the request": BROKEN,
    "a reset in the head": BROKEN,
    "a reset in the body": BROKEN,
    "a reset in a chunk": BROKEN,
    "half a status line": SILENT,
    "two answers": answers(500),
    "JSON that is too deep": (SOUNDLESS, "its answer is nested too deeply", "'[[[", "delivered"),
    "JSON that is deep": (SOUNDLESS, "its answer is nested too deeply", "'[[[", "delivered"),
    "JSON with half a character": (SOUNDLESS, NO_JSON, "'{", "delivered"),
    "JSON with infinities": (SOUNDLESS, NO_JSON, "'{", "delivered"),
    "JSON with NaN": (SOUNDLESS, NO_JSON, "'NaN'", "delivered"),
    "JSON with a number of 5000 digits": (SOUNDLESS, NO_JSON, "'111", "delivered"),
    "JSON that is bytes": (SOUNDLESS, NO_JSON, "its answer is no UTF-8 text", "delivered"),
    "an empty body": (SOUNDLESS, NO_JSON, "''", "delivered"),
}

EITHER = {
    "the end before the request": (BROKEN, SILENT),
    "a reset at once": (BROKEN, SILENT),
    "a byte now and then": (LATE, LARGE),
    "chunks without end": (LATE, LARGE),
    "a redirect to TLS where none is": (redirects("no answer in time"), LATE),
}
"""What hangs on which of two comes first; a callback that is not read to its end is delivered."""


AFTER_ITS_HEAD = (
    "a length too long",
    "a length, then nothing",
    "a chunk without a size",
    "a chunk of negative size",
    "a chunk shorter than it says",
    "a chunk of huge size",
    "a chunk's size without end",
    "no last chunk",
    "a reset in the body",
    "a reset in a chunk",
)
"""What goes wrong behind a 200: a callback is delivered by then, whatever its answer's body."""
EXPECTED |= {name: (*EXPECTED[name][:3], "delivered") for name in AFTER_ITS_HEAD}
slow = EXPECTED["a redirect that never ends its body"]
EXPECTED["a redirect that never ends its body"] = (*slow[:3], "parked: it answered 301")
SLOW = ("a length, then nothing", "a chunk of huge size", "a redirect that never ends its body")


class Late:
    """A clock by which a day has gone at every look: what fails is parked at once."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        self.at += 90_000.0
        return self.at


async def fetched(client: httpx2.AsyncClient, url: str, folder: Path, total: float) -> str:
    async with trio.open_nursery() as nursery:
        library = Library(folder, [], Outbound(client, fetch_seconds=total).fetch, nursery)
        said = "played"
        try:
            await library.path(Announcement(url))
        except SoundError as error:
            said = str(error)
        nursery.cancel_scope.cancel()  # What converts serves for as long as it is let.
    return said


async def asked(client: httpx2.AsyncClient, url: str, want: str, total: float) -> str:
    try:
        return repr(await Outbound(client, ask_seconds=total).ask(url, {"a": "b"}, want))
    except OutboundError as error:
        return str(error)


async def posted(poster: Poster, url: str, store: Store, call_id: str) -> str:
    async def secret_of(_: str) -> None:
        return None

    async with trio.open_nursery() as nursery:
        deliverer = Deliverer(store, poster, secret_of, nursery, clock=Late())
        post = Post(f"e-{call_id}", "k", call_id, 1, url, {"action": "A"}, 0.0)
        await store.submit(Write(posts=[post])).wait()
        deliverer.deliver(post)
        await deliverer.until_idle()
        nursery.cancel_scope.cancel()
    (state,) = await store.posts(call_id)
    return state.state if state.state == "delivered" else f"{state.state}: {state.last_error}"


async def told_of(
    client: httpx2.AsyncClient,
    poster: Poster,
    url: str,
    store: Store,
    folder: Path,
    name: str,
    total: float = PATIENCE,
) -> Told:
    told: dict[int, str] = {}

    async def note(use: int, outcome: Awaitable[str]) -> None:
        told[use] = await outcome

    async with trio.open_nursery() as nursery:
        nursery.start_soon(note, 0, fetched(client, url, folder, total))
        nursery.start_soon(note, 1, asked(client, url, "json", total))
        nursery.start_soon(note, 2, asked(client, url, "script", total))
        nursery.start_soon(note, 3, posted(poster, url, store, name))
    return told[0], told[1], told[2], told[3]


async def no_names(host: str, port: int) -> list[str]:
    """Resolve addresses alone: no test asks the network for names."""
    if address := literal(host):
        return [address]
    raise OSError("no names here")


def as_expected(name: str, told: Told) -> bool:
    if name in EITHER:
        ways = EITHER[name]
        return all(any(one.startswith(way[use]) for way in ways) for use, one in enumerate(told))
    return all(one.startswith(way) for one, way in zip(told, EXPECTED[name], strict=True))


@pytest.mark.parametrize("kind", ANSWERS)
async def test_every_answer_has_its_outcome(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringful.media.library.announcements.MAX_BYTES", LIMIT)
    wrong: dict[str, object] = {}
    async with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        for name, answer in ANSWERS[kind].items():
            slow = name in EITHER or name in SLOW or EXPECTED[name] == LATE
            total, timeout = (TOTAL, SHORT) if slow else (PATIENCE, httpx2.Timeout(PATIENCE))
            step = timeout.read or PATIENCE
            monkeypatch.setattr("ringful.http.outward.callbacks.TOTAL_SECONDS", total)
            tracemalloc.start()
            with structlog.testing.capture_logs() as logged, trio.fail_after(PATIENCE):
                async with (
                    hostile_web(answer) as web,
                    guarded_client(LOOPBACK, no_names, timeout=timeout, trusted=TRUSTED) as client,
                    open_poster(LOOPBACK, no_names, trusted=TRUSTED, step_seconds=step) as poster,
                ):
                    told = await told_of(client, poster, web.url, store, tmp_path / "cache", name, total)
                    pool = client._transport._pool  # type: ignore[attr-defined]
                    left = [one for one in pool.connections if not (one.is_idle() or one.is_closed())]
                    left += [poster] * (poster.open - poster.idle)
                    await client.aclose()
                    await poster.close()
                    await web.until_left()
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            faults = [line for line in logged if "fault" in line]
            if not as_expected(name, told) or left or faults or peak > MEMORY:
                wrong[name] = (told, left, faults, peak)
    assert not wrong


def test_there_are_enough_answers() -> None:
    names = [name for kind in ANSWERS.values() for name in kind]
    assert len(names) == len(set(names)) > 80
    assert set(names) == {*EXPECTED, *EITHER}


HOSTS = st.text(max_size=80) | st.from_regex(
    r"(\[[0-9a-f:.]*\]?|[a-z0-9.-]{0,70})(:[0-9]{0,6})?", fullmatch=True
)
PATHS = st.text(max_size=20)
URLS = st.text(max_size=100) | st.builds("http{}://{}{}".format, st.sampled_from(["", "s"]), HOSTS, PATHS)
METHODS = {
    "call": ("callbackUrl", "callee", "15125551234"),
    "play": ("announcement", "callId", "a"),
    "number": ("callbackUrl", "number", "123"),
}


def refused(method: str, url: str) -> str:
    """Read a request that holds *url*; give the code of what is wrong with it."""
    name, *other = METHODS[method]
    try:
        read(method, Parameters([(other[0], other[1]), (name, url)]), Dialect(refusal=lambda _: "inside"))
    except BadParameter as bad:
        return bad.code
    return ""


@given(url=URLS)
@settings(max_examples=300)
def test_every_text_is_an_address_or_is_refused(url: str) -> None:
    assert refused("call", url) in ("callbackUrl.invalid", "callbackUrl.address", "")
    assert refused("number", url) in ("callbackUrl.invalid", "callbackUrl.address", "")
    assert refused("play", url) in (
        "announcement.invalid",
        "announcement.missing",
        "announcement.address",
        "",
    )


class Noted:
    """As much of a store as a delivery needs."""

    def __init__(self) -> None:
        self.states: list[PostState] = []

    def submit(self, write: Write) -> "Noted":
        self.states += write.get("post_states", ())
        return self

    async def wait(self) -> None:
        """Nothing to wait for."""

    settled = wait

    def hurry(self) -> None:
        """Nothing to hurry."""

    def then(self, tell: Callable[[str], None]) -> None:
        tell("")

    async def posts(self, _: str) -> list[PostState]:
        return self.states[-1:]


async def nowhere(host: str, port: int) -> list[str]:
    """Resolve nothing: what is tried here is tried without the network."""
    host.encode("idna")
    return ["10.0.0.1"]


@given(url=URLS)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_text_that_a_script_makes_has_its_outcome(url: str, tmp_path: Path) -> None:
    """As `play`, `ask` and `notify` reckon it when they run: nothing has looked at it before."""

    async def tried() -> None:
        async with (
            guarded_client((), nowhere, trusted=TRUSTED) as client,
            open_poster((), nowhere, trusted=TRUSTED) as poster,
        ):
            told = await told_of(client, poster, url, Noted(), tmp_path / "cache", "c1")  # type: ignore[arg-type]
        assert all(one and not one.startswith(("played", "delivered", "a fault")) for one in told)

    with structlog.testing.capture_logs() as logged:
        trio.run(tried)
    assert not [line for line in logged if "fault" in line]


WORST = (
    "a redirect to half an address",
    "a redirect to a long label",
    "a gzip bomb",
    "gzip that is none",
    "a header without end",
    "a chunk of negative size",
    "noise",
    "a reset in the body",
    "JSON that is too deep",
    "101",
)


REAL = """call "15125550001"
play "{hostile}" notify "{web}/{count}"
ask "{hostile}" as answer for 5s else {{ }}
notify "{hostile}" with {{ action: "Hostile" }}
notify "{web}/after" with {{ action: "After{count}" }}
"""


async def test_a_real_server_lives_through_the_worst_of_it_with_a_call_up(tmp_path: Path) -> None:
    """Each is an announcement, a question, and the receiver of the callbacks of one call after another."""
    every = {name: answer for kind in ANSWERS.values() for name, answer in kind.items()}
    (tmp_path / "announcements").mkdir()
    (tmp_path / "announcements" / "short.wav").write_bytes(melody([440], 0.05))
    with (
        receiver({}) as web,
        phone("--answer-after", "0s") as (address, _),
        server(tmp_path, address) as ringful,
    ):
        bystander = await trio.to_thread.run_sync(partial(ringful.ask, "Call", callee="15125550000"))
        for count, name in enumerate(WORST):
            async with hostile_web(every[name]) as hostile:
                script = REAL.format(hostile=hostile.url, web=web.url, count=count)
                await trio.to_thread.run_sync(partial(ask, ringful, "Run", script))
                await trio.to_thread.run_sync(web.until, f"After{count}")
        told = [fields for path, fields in web.told if not path.startswith("/after")]
        assert [fields["action"] for fields in told] == ["PlayFailed"] * len(WORST)
        assert not any("a fault of the server" in fields["reason"] for fields in told)
        play = partial(
            ringful.ask, "Play", callId=bystander, announcement="short", callbackUrl=f"{web.url}/last"
        )
        await trio.to_thread.run_sync(play)
        await trio.to_thread.run_sync(web.until, "PlayComplete")
