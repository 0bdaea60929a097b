"""The scripts of a key: found, read, and checked together with all that they use.

A script is stored under a name and used as ``NAME.call``; what a key has not stored may be a script
that ships.  Reading and checking are done in threads, one at a time for each key, so that a client
with a long script delays nobody but itself.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

import trio
from attrs import evolve, field, frozen

from ringful.grammar import nodes
from ringful.grammar.checking.checker import check
from ringful.grammar.errors import Problem, ScriptError
from ringful.grammar.reading.parser import parse
from ringful.grammar.spell import suggest
from ringful.http import problems
from ringful.http.diagnostics import Diagnosis, diagnose
from ringful.interpreter.events import Origin, Started
from ringful.interpreter.money.dear import why_too_dear
from ringful.interpreter.settings import Settings
from ringful.interpreter.sources import Source
from ringful.store.port import Key, ScriptVersion, Store, StoredScript

ENDING = ".call"
MAX_USED = 32
"""Scripts that one script may use, directly or by another one."""
THREADS = 4
REMEMBERED = 1024 * 1024
"""Characters of the scripts whose trees are remembered, in all."""

_T = TypeVar("_T")
_NOTHING = nodes.Script(nodes.Block())


@frozen
class Checked:
    """A script as it was read, and everything that is wrong with it and with what it uses."""

    source: Source
    problems: tuple[Problem, ...]
    diagnosis: Diagnosis
    origin: Origin | None = None


def _judged(source: Source, found: Iterable[Problem]) -> Checked:
    texts = {used.name: used.text for used in source.uses.values()} | {source.name: source.text}
    problems = tuple(found)
    return Checked(source, problems, diagnose(problems, texts))


def digest_of(text: str) -> str:
    """Give the SHA-256 of *text* in lower-case hex."""
    return hashlib.sha256(text.encode()).hexdigest()


class Library:
    """The scripts of every key, in *store*; *shipped* are those that come with ringful, by name.

    *settings* are what their runs are held to, and what those cost.
    """

    def __init__(self, store: Store, shipped: Mapping[str, str], settings: Settings | None = None) -> None:
        self._store = store
        self._shipped = shipped
        self._settings = settings or Settings()
        self._threads = trio.CapacityLimiter(THREADS)
        self._turns: dict[str, trio.Lock] = {}
        self._shelf = _Shelf()

    async def find(self, key: Key, name: str, version: int | None = None) -> StoredScript:
        """Give a stored script, the newest version where none is named.  Raises problems.Problem (404)."""
        found = await self._store.script(key.key, name, version=version)
        if found is None and name in self._shipped and version in (None, 0):
            text = self._shipped[name]
            about = ScriptVersion("", name, 0, digest_of(text), 0.0, len(text.encode()))
            found = StoredScript(about, text)
        if found is not None:
            return found
        known = [one.name for one in await self._store.script_versions(key.key)]
        if version is not None and name in known:
            raise problems.Problem(
                404, "script.unknown", f"the script {name} has no version {version}; see Script?name={name}"
            )
        hint = suggest(name, known) or "store it with Script, or see what there is: Script without a name"
        raise problems.Problem(404, "script.unknown", f"this key has no script {name}; {hint}")

    async def load(self, key: Key, name: str, version: int | None = None) -> Checked:
        """Read a stored script.  Raises problems.Problem where there is none such."""
        stored = await self.find(key, name, version)
        checked = await self.read(key, stored.text, name + ENDING)
        return evolve(checked, origin=Origin(name, stored.about.version))

    async def shipped(self, name: str) -> Checked:
        """Read a script that comes with ringful, whatever a key has stored under its name."""
        main = await self._parsed(self._shipped[name], name + ENDING)
        return evolve(await self._checked(main.source, {}), origin=Origin(name, 0))

    async def read(self, key: Key, text: str, name: str) -> Checked:
        """Read and check *text*; *name* is what its problems are said to be in."""
        async with self._turns.setdefault(key.key, trio.Lock()):
            main = await self._parsed(text, name)
            if main.problems:
                return main
            uses = await self._gather(key, main.source.script)
            return await self._checked(main.source, uses)

    async def check(self, key: Key, checked: Checked, script: nodes.Script) -> Checked:
        """Check *script*, which was made of *checked*, in its place."""
        async with self._turns.setdefault(key.key, trio.Lock()):
            source = evolve(checked.source, script=script)
            made = await self._work(lambda: _judged(source, check(script, source.used_scripts)))
        return evolve(made, origin=checked.origin)

    async def hold_cost(self, key: Key, started: Started) -> None:
        """Refuse what can cost more than *key* lets one script cost.  Raises problems.Problem (403)."""
        most, settings = key.most_cost, self._settings
        if most is not None and (why := await self._work(lambda: why_too_dear(started, most, settings))):
            raise problems.Problem(403, "script.toodear", why)

    async def _work(self, function: Callable[[], _T]) -> _T:
        return await trio.to_thread.run_sync(function, limiter=self._threads)

    async def _parsed(self, text: str, name: str) -> Checked:
        place = ("parsed", name, digest_of(text))
        if known := self._shelf.get(place):
            return known

        def work() -> Checked:
            try:
                return _judged(Source(name, text, parse(text, name)), ())
            except ScriptError as error:
                return _judged(Source(name, text, _NOTHING), error.problems)

        made = await self._work(work)
        self._shelf.put(place, made)
        return made

    async def _gather(self, key: Key, script: nodes.Script) -> dict[str, Checked]:
        """Read what *script* uses, directly or by another script; what there is not is left out."""
        found: dict[str, Checked] = {}
        waiting = [use.path for use in script.uses]
        while waiting and len(found) < MAX_USED:
            path = waiting.pop(0)
            text = None if path in found else await self._text(key, path.removesuffix(ENDING))
            if text is not None:
                found[path] = await self._parsed(text, path)
                waiting += [use.path for use in found[path].source.script.uses]
        return found

    async def _text(self, key: Key, name: str) -> str | None:
        stored = await self._store.script(key.key, name)
        return stored.text if stored else self._shipped.get(name)

    async def _checked(self, source: Source, uses: Mapping[str, Checked]) -> Checked:
        whole = evolve(source, uses={path: used.source for path, used in uses.items()})
        texts = [f"{path}:{digest_of(used.source.text)}" for path, used in uses.items()]
        place = ("checked", source.name, digest_of(source.text), *texts)
        if known := self._shelf.get(place):
            return known

        def work() -> Checked:
            unread = [problem for used in uses.values() for problem in used.problems]
            # What is not read has no flows, and so the rest would be told of too.
            return _judged(whole, unread or _problems(whole))

        made = await self._work(work)
        self._shelf.put(place, made)
        return made


def _problems(source: Source) -> Iterator[Problem]:
    """Give all problems of *source*, and the errors of what it uses."""
    trees = source.used_scripts
    yield from _circles(source)
    if len(trees) >= MAX_USED:
        message = f"a script can use {MAX_USED - 1} others at most, directly or by another one"
        yield Problem("too-long", message, source.script.uses[0].span)
    yield from check(source.script, trees)
    for used in source.uses.values():
        yield from (problem for problem in check(used.script, trees) if problem.is_error)


def _circles(source: Source) -> Iterator[Problem]:
    """Find the lines by which a script uses itself, directly or by others."""
    for use in source.script.uses:
        seen: set[str] = set()
        waiting = [use.path]
        while waiting:
            path = waiting.pop()
            if _same(path, source.name):
                by = f", by way of `{use.path}`" if not _same(use.path, source.name) else ""
                yield Problem("recursion", f"this script uses itself{by}", use.span, "leave out this `use`")
                break
            if path in source.uses and path not in seen:
                seen.add(path)
                waiting += [inner.path for inner in source.uses[path].script.uses]


def _same(one: str, other: str) -> bool:
    return one.removesuffix(ENDING) == other.removesuffix(ENDING)


@frozen
class _Shelf:
    """What was read, as long as there is room; what was not asked for the longest goes first."""

    kept: "OrderedDict[tuple[str, ...], Checked]" = field(factory=OrderedDict)

    def get(self, place: tuple[str, ...]) -> Checked | None:
        if place in self.kept:
            self.kept.move_to_end(place)
        return self.kept.get(place)

    def put(self, place: tuple[str, ...], checked: Checked) -> None:
        self.kept[place] = checked
        while sum(len(one.source.text) for one in self.kept.values()) > REMEMBERED:
            self.kept.popitem(last=False)
