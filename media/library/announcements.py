"""The library of sounds: fetched, checked, converted, and kept.

A fetched file is kept with what its server said of it, and asked for again only when that says so
(RFC 9111): ``max-age`` for as long as it says, ``no-store`` not at all, ``no-cache`` by asking whether
it has changed; where nothing was said, it is asked for `UNSAID_SECONDS` later at the earliest (4.2.2).
For a while longer it is asked for while it is played already (RFC 5861: ``stale-while-revalidate``, and
where nothing was said `UNSAID_STALE_SECONDS`): a server that is far away is no pause in a call.
Two calls that want the same sound at once share one fetch, and a caller who gives up does not take it
from the other.  A file that cannot be fetched anew is not played from the cache unless it is still
fresh: what the customer took down is not played.
"""

import hashlib
import os
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import Protocol, assert_never

import trio
from attrs import define, evolve, field

from ringful.ground.faults import Tasks, fault
from ringful.media.library.converter import Converter
from ringful.media.library.local import file_of
from ringful.media.library.ringback import ringback
from ringful.media.library.speech import speak
from ringful.media.port import Announcement, Ringback, Sound, Speech
from ringful.media.sounds import SoundError

_RECORDING = re.compile(r"[A-Za-z0-9._-]{1,200}\.wav")

_BRIEF, _BRIEF_SECONDS = "brief", 600.0
"""What the copies of recordings at another speed are called, and how long each is kept: none is to
outlive its recording for long."""

MAX_BYTES = 64 * 1024 * 1024
UNSAID_SECONDS = 3.0
"""How long a file is fresh whose server says nothing of it: many calls that play it ask once."""
UNSAID_STALE_SECONDS = 15.0
"""How long after that it is played while it is asked for: what was prepared when it was queued is played
a few seconds later."""
_TOUCH_SECONDS = 60.0
"""A file that is in use is touched no more often, so that the cache keeps it."""


class Answer(Protocol):
    """What a web server answered."""

    @property
    def status(self) -> int:
        """The status code."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, their names in lower case."""
        ...

    @property
    def body(self) -> bytes:
        """The whole body."""
        ...


Fetch = Callable[[str, Mapping[str, str], int], Awaitable[Answer]]
"""GET a URL with headers, of so many bytes at most; raises OSError with a readable reason."""


@define
class Kept:
    """A sound in the cache, and until when it need not be asked for, or not before it is played."""

    path: Path
    fresh_until: float
    stale_until: float
    touched: float
    etag: str = ""
    modified: str = ""


@define(eq=False)
class _Making:
    """A sound that is being made, for everybody who waits for it."""

    done: trio.Event = field(factory=trio.Event)
    path: Path | None = None
    error: str = ""


class Library:
    """Implements `sounds.Sounds`.

    *recordings* are the URL that our own recordings are told under, and their folder; *allowed* says
    whether the name of one and the query of its URL may be played.
    """

    def __init__(
        self,
        cache: Path,
        folders: Sequence[Path],
        fetch: Fetch,
        nursery: Tasks,
        *,
        recordings: tuple[str, Path] | None = None,
        allowed: Callable[[str, str], bool] = lambda _name, _query: True,
        max_cache: int = 2 * 1024**3,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._cache, self._fetch, self._nursery, self._clock = cache, fetch, nursery, clock
        self._folders = [folder.resolve() for folder in folders]
        self._recordings, self._allowed = recordings, allowed
        self._converter = Converter()
        self._max_cache = max_cache
        self._kept: dict[str, Kept] = {}
        self._making: dict[Sound, _Making] = {}
        self._brief: dict[Path, float] = {}
        """Files of recordings, and when each is removed."""
        cache.mkdir(parents=True, exist_ok=True)
        for left in cache.glob(f"{_BRIEF}-*.wav"):
            left.unlink(missing_ok=True)
        nursery.start_soon(self._converter.serve)

    def ready(self, sound: Sound) -> Path | None:
        """Give the file of a sound that was fetched; None where it must be asked for before it is played."""
        kept = self._kept.get(sound.url) if isinstance(sound, Announcement) and sound.speed == 1.0 else None
        if kept is None or not self._is_playable(kept):
            return None
        if self._clock() >= kept.fresh_until and sound not in self._making:
            self._begin(sound)
        return kept.path

    async def path(self, sound: Sound) -> Path:
        """Give the file of *sound*, ready to play.  Raises SoundError."""
        if ready := self.ready(sound):
            return ready
        making = self._making.get(sound) or self._begin(sound)
        await making.done.wait()
        if making.path is None:
            raise SoundError(making.error)
        return making.path

    def _begin(self, sound: Sound) -> _Making:
        making = self._making[sound] = _Making()
        self._nursery.start_soon(self._make, sound, making)
        return making

    async def _make(self, sound: Sound, making: _Making) -> None:
        try:
            making.path = await self._find(sound)
        except SoundError as error:
            making.error = str(error)
        except OSError as error:
            making.error = f"it cannot be kept: {error.strerror or error}"
        except Exception as error:
            making.error = fault("making a sound", error, sound=type(sound).__name__)
        finally:
            making.error = making.error or "the server is shutting down"
            del self._making[sound]
            making.done.set()

    async def _find(self, sound: Sound) -> Path:
        match sound:
            case Announcement(speed=speed) | Speech(speed=speed) if speed != 1.0:
                return await self._at_speed(evolve(sound, speed=1.0), speed)
            case Speech(text, voice):
                return await self._spoken(text, voice)
            case Announcement(url) if file := self._recording(url):
                # It is in the shape that is played, and leaves no copy that would outlive it.
                return file
            case Announcement(url) if url.lower().startswith(("http://", "https://")):
                return await self._fetched(url)
            case Announcement(url):
                return await self._local(file_of(url, self._folders))
            case Ringback():
                return await trio.to_thread.run_sync(self._ringback)
            case _:
                assert_never(sound)

    def _recording(self, url: str) -> Path | None:
        """Give the file of *url* where it is a recording of our own: that needs no network."""
        if self._recordings is None or not url.startswith(self._recordings[0]):
            return None
        prefix, folder = self._recordings
        name, _, query = url.removeprefix(prefix).partition("?")
        if not _RECORDING.fullmatch(name) or not self._allowed(name, query):
            raise SoundError("there is no such recording")
        return file_of(name, [folder.resolve()])

    async def _at_speed(self, sound: Announcement | Speech, speed: float) -> Path:
        """Give the file of *sound*, *speed* times as fast."""
        own = await self.path(sound)
        kept = own.parent == self._cache
        target = self._cache / f"{'pace' if kept else _BRIEF}-{_digest(str(own), f'{speed:g}')}.wav"
        if not target.exists():
            await self._converter.stretch(own, target, speed)
            await trio.to_thread.run_sync(self._trim)
        if not kept:
            self._keep_briefly(target)
        target.touch()
        return target

    def _keep_briefly(self, target: Path) -> None:
        """Have *target*, which is of a recording, removed when it has not been asked for in a while."""
        if target not in self._brief:
            self._nursery.start_soon(self._forget, target)
        self._brief[target] = trio.current_time() + _BRIEF_SECONDS

    async def _forget(self, target: Path) -> None:
        await trio.sleep_until(until := self._brief[target])
        if self._brief[target] > until:
            self._nursery.start_soon(self._forget, target)
            return
        self._remove(target)

    def _remove(self, target: Path) -> None:
        # At once, so that nobody finds it there meanwhile.
        del self._brief[target]
        target.unlink(missing_ok=True)

    def _ringback(self) -> Path:
        target = self._cache / "ringback.wav"
        if not target.exists():
            with NamedTemporaryFile(dir=self._cache, delete=False) as out:
                out.write(ringback())
            os.replace(out.name, target)
        target.touch()
        return target

    async def _spoken(self, text: str, voice: str | None) -> Path:
        target = self._cache / f"say-{_digest(voice or '', text)}.wav"
        if not target.exists():
            with TemporaryDirectory(dir=self._cache) as folder:
                spoken = Path(folder) / "spoken.wav"
                await speak(text, voice, spoken)
                await self._converter.convert(spoken, target)
        target.touch()
        return target

    async def _local(self, file: Path) -> Path:
        stat = await trio.Path(file).stat()
        if stat.st_size > MAX_BYTES:
            raise SoundError(f"it is larger than {MAX_BYTES} bytes")
        target = self._cache / f"file-{_digest(str(file), str(stat.st_mtime_ns), str(stat.st_size))}.wav"
        if not target.exists():
            await self._converter.convert(file, target)
        target.touch()
        return target

    async def _fetched(self, url: str) -> Path:
        kept = self._kept.get(url)
        if kept and not kept.path.exists():
            kept = None
        try:
            return await self._asked(url, kept)
        except SoundError:
            if kept:
                kept.stale_until = 0.0  # It may have been taken down: it is played no more unless it comes.
            raise

    async def _asked(self, url: str, kept: Kept | None) -> Path:
        """Ask for what *url* is now, where *kept* is what it was."""
        asking = {}
        if kept and kept.etag:
            asking["If-None-Match"] = kept.etag
        elif kept and kept.modified:
            asking["If-Modified-Since"] = kept.modified
        try:
            answer = await self._fetch(url, asking, MAX_BYTES)
        except OSError as error:
            raise SoundError(f"it cannot be fetched: {error}") from error
        if answer.status == 304 and kept:
            path = kept.path
        elif answer.status == 200:
            path = await self._converted(answer.body)
        else:
            raise SoundError(f"it cannot be fetched: the server answered {answer.status}")
        self._remember(url, path, answer.headers, kept)
        return path

    def _is_playable(self, kept: Kept) -> bool:
        """Say whether a fetched file need not be asked for before it is played, and is still there."""
        now = self._clock()
        if now >= kept.stale_until or not kept.path.exists():
            return False
        if now - kept.touched > _TOUCH_SECONDS:
            kept.touched = now
            with suppress(OSError):  # It spares the file from being trimmed, and no more.
                kept.path.touch()
        return True

    async def _converted(self, body: bytes) -> Path:
        target = self._cache / f"web-{hashlib.sha256(body).hexdigest()[:32]}.wav"
        if not target.exists():
            with TemporaryDirectory(dir=self._cache) as folder:
                source = Path(folder) / "fetched"
                await trio.Path(source).write_bytes(body)
                await self._converter.convert(source, target)
            await trio.to_thread.run_sync(self._trim)
        target.touch()
        return target

    def _remember(self, url: str, path: Path, headers: Mapping[str, str], kept: Kept | None) -> None:
        control = headers.get("cache-control", "").lower()
        if "no-store" in control:
            self._kept.pop(url, None)
            return
        age = re.search(r"max-age=(\d{1,9})", control)
        stale = re.search(r"stale-while-revalidate=(\d{1,9})", control)
        fresh, longer = float(age[1]) if age else UNSAID_SECONDS, float(stale[1]) if stale else 0.0
        if not age and not stale:
            longer = UNSAID_STALE_SECONDS
        if "no-cache" in control or "must-revalidate" in control:
            longer = 0.0
        if "no-cache" in control:
            fresh = 0.0
        etag = headers.get("etag") or (kept.etag if kept else "")
        modified = headers.get("last-modified") or (kept.modified if kept else "")
        now = self._clock()
        self._kept[url] = Kept(path, now + fresh, now + fresh + longer, now, etag, modified)
        if len(self._kept) > 10_000:
            del self._kept[next(iter(self._kept))]

    def _trim(self) -> None:
        """Keep the cache within its size: what was used longest ago goes first."""
        files = sorted(self._cache.glob("*.wav"), key=lambda file: file.stat().st_mtime, reverse=True)
        size = 0
        for place, file in enumerate(files):
            size += file.stat().st_size
            if size > self._max_cache and place:
                file.unlink(missing_ok=True)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
