"""The scripts of a key, found and checked with what they use; and bodies, whatever they hold."""

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringful.command.serving.house import shipped_scripts
from ringful.grammar.errors import ScriptError
from ringful.grammar.reading.parser import parse
from ringful.grammar.showing.printer import show
from ringful.http.desks.library import MAX_USED, Library, digest_of
from ringful.http.desks.world import case_of
from ringful.http.problems import Problem
from ringful.http.reading import methods
from ringful.http.reading.bodies import read_body
from ringful.http.reading.given import fit
from ringful.http.reading.methods import find_method
from ringful.http.reading.parameters import BadParameter, Parameters
from ringful.http.reading.requests import Dialect, read
from ringful.http.reading.scripts import Given, Run, Simulate
from ringful.interpreter.sources import Source
from ringful.simulation.cases.reader import parse_case
from ringful.store.open import open_store
from ringful.store.port import Key, Upload, Write

KEY = Key("K", "S", "a name", 1.0)


@pytest.fixture
async def store(tmp_path):
    async with open_store(f"sqlite:///{tmp_path}/ringful.db") as opened:
        yield opened


async def put(store, **scripts: str) -> None:
    uploads = [Upload("K", name, text, digest_of(text), 1.0) for name, text in scripts.items()]
    await store.submit(Write(scripts=uploads)).wait()


async def test_what_a_key_has_not_stored_may_ship_with_ringful(store) -> None:
    library = Library(store, {"lib": 'flow hello() { say "shipped" }\n'})
    using = 'use "lib.call"\ncall "15125551234"\ndo hello()\n'
    checked = await library.read(KEY, using, "script")
    assert (checked.problems, checked.source.uses["lib.call"].text) == ((), library._shipped["lib"])
    assert (await library.find(KEY, "lib")).about.version == 0
    await put(store, lib='flow hello() { say "own" }\n')
    checked = await library.read(KEY, using, "script")
    assert '"own"' in checked.source.uses["lib.call"].text
    loaded = await library.load(KEY, "lib")
    assert loaded.origin is not None
    assert loaded.origin.version == 1


async def test_every_script_that_ships_can_be_loaded(store) -> None:
    shipped = shipped_scripts()
    library = Library(store, shipped)
    for name in shipped:
        assert not (await library.load(KEY, name)).diagnosis.refusal
    assert "voicemail" in shipped


async def test_a_script_cannot_use_too_many(store) -> None:
    many = {f"s{n}": f'use "s{n + 1}"\nflow f{n}() {{ wait 1s }}\n' for n in range(2 * MAX_USED)}
    await put(store, **many)
    checked = await Library(store, {}).read(KEY, 'use "s0"\nwait 1s\n', "script")
    assert "can use 31 others at most" in checked.diagnosis.refusal
    assert len(checked.source.uses) == MAX_USED


async def test_a_used_script_that_cannot_be_read_is_told_with_its_own_line(store) -> None:
    await put(store, broken='flow a() { wait 1s }\npley "x"\n')
    checked = await Library(store, {}).read(KEY, 'use "broken"\nwait 1s\n', "script")
    (member,) = checked.diagnosis.members
    assert (member["file"], member["line"], member["text"]) == ("broken", 2, 'pley "x"')


async def test_what_was_read_is_remembered_and_what_has_changed_is_read_again(store) -> None:
    library = Library(store, {})
    text = "wait 1s\n"
    first = await library.read(KEY, text, "script")
    assert await library.read(KEY, text, "script") is first
    await put(store, lib="flow a() { wait 1s }\n")
    using = 'use "lib"\nwait 1s\n'
    before = await library.read(KEY, using, "script")
    await put(store, lib="flow b() { wait 1s }\n")
    assert (await library.read(KEY, using, "script")).source.uses != before.source.uses


async def test_long_scripts_do_not_fill_the_memory(store) -> None:
    library = Library(store, {})
    for n in range(8):
        await library.read(KEY, f"wait {n + 1}s\n" + f"# {'x' * 1000}\n" * 350, "script")
    assert sum(len(one.source.text) for one in library._shelf.kept.values()) <= 1024 * 1024


def test_scripts_read_at_the_same_time_do_not_mix() -> None:
    texts = [*shipped_scripts().values()]
    texts += [text.replace("{", '{ pley "x"\n', 1) for text in texts]

    def work(text: str) -> str:
        try:
            return show(parse(text, "a"))
        except ScriptError as error:
            return str(error)

    expected = [work(text) for text in texts]
    often = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(work, texts * 5)) == expected * 5
    finally:
        sys.setswitchinterval(often)


# Whatever a client sends

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
WORLD = ["phones", "web", "queue", "now", "sounds", "missing", "recording", "case"]
KNOWN = [*WORLD, "name", "script", "version", "params", "callbackUrl", "label", "callId", "callee", "wait"]
members = st.dictionaries(st.sampled_from(KNOWN) | st.text(max_size=8), json_values, max_size=5)
bodies = st.binary(max_size=60) | members.map(lambda made: json.dumps(made).encode())
SCRIPT = parse("param a\nparam n = 3\nparam d = 8s\nparam l = [1]\nparam t = true\nwait d\n")


def told(make: Callable[[], object]) -> object:
    """Make something of what a client sent; all that may go wrong is told to the client."""
    with suppress(BadParameter, Problem):
        return make()
    return None


@given(st.sampled_from(methods.METHODS), bodies)
def test_any_body_is_a_request_or_is_refused(method: str, data: bytes) -> None:
    name = find_method(method)
    assert name
    for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded", ""):

        def make(kind: str = kind) -> object:
            body = read_body(data, kind, text=name in methods.TAKES_TEXT)
            return read(name, Parameters(body.pairs, body.members, body.text), Dialect())

        made = told(make)
        if isinstance(made, Run | Simulate):
            told(lambda made=made: fit(made.given, SCRIPT))
        if isinstance(made, Simulate):
            told(lambda made=made: case_of(made.world))


@given(st.dictionaries(st.sampled_from("andlt"), st.text(max_size=12)))
def test_any_text_is_a_value_or_is_refused(texts: dict[str, str]) -> None:
    with suppress(BadParameter):
        values = fit(Given(texts), SCRIPT)
        assert set(texts) <= set(values)


@given(st.dictionaries(st.sampled_from(["phones", "web", "queue", "now", "sounds", "missing"]), json_values))
def test_any_world_is_a_case_or_is_refused(world: dict[str, object]) -> None:
    source = Source("script", "wait 1s\n", parse("wait 1s\n"))
    with suppress(BadParameter, ScriptError):
        parse_case(case_of(world), Path("case"), source, alone=True)
