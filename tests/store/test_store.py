"""What is written to the store is read back as it was, in the order that the port says."""

from base64 import b64decode, b64encode
from decimal import Decimal
from itertools import count

import pytest
import trio
import trio.testing
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from ringful.store.change import PRUNE_EVERY
from ringful.store.keys import LONGEST, REMEMBERED, KeyMemory, new_key_id, new_secret
from ringful.store.open import open_store
from ringful.store.port import (
    CallRecord,
    Entry,
    Key,
    Post,
    PostState,
    RecordingFile,
    ScriptVersion,
    StoredScript,
    StoreError,
    Upload,
    UsedSeq,
    Write,
)
from ringful.store.window import WINDOW

numbers = count(1)
texts = st.text(st.characters(exclude_categories=["Cs"]))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=8,
)
entries = st.builds(
    Entry,
    call_id=st.just(""),
    n=st.just(0),
    at=st.floats(0, 1e10),
    kind=st.sampled_from(["event", "effect", "outcome"]),
    name=texts,
    data=st.dictionaries(texts, json_values, max_size=4),
)
decimals = st.decimals(allow_nan=False, allow_infinity=False)


@pytest.fixture
async def store(tmp_path):
    async with open_store(f"sqlite:///{tmp_path}/ringful.db") as opened:
        yield opened


def post(call_id, n, **changes):
    made = Post(f"{call_id}.{n}", "K", call_id, n, "http://client.example/", {"action": "PlayStart"}, 1.5)
    return evolve(made, **changes)


def call(call_id, **changes):
    return evolve(CallRecord(call_id, "K", "+15125550001", "live", 1.0), **changes)


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('store')}/ringful.db"


@settings(max_examples=40, deadline=None)
@given(lines=st.lists(entries, max_size=5))
def test_a_journal_comes_back_as_it_was(url, lines):
    call_id = f"call-{next(numbers)}"
    lines = [line._replace(call_id=call_id, n=n) for n, line in enumerate(lines, 1)]

    async def write_and_read():
        async with open_store(url) as store:
            for line in lines[:-1]:
                store.submit(Write(entries=[line]))
            await store.submit(Write(entries=lines[-1:])).wait()
            return await store.journal(call_id)

    assert trio.run(write_and_read) == lines


@settings(max_examples=40, deadline=None)
@given(bills=st.lists(decimals, max_size=5))
def test_money_is_exact(url, bills):
    call_id = f"call-{next(numbers)}"

    async def write_and_read():
        async with open_store(url) as store:
            records = [call(f"{call_id}.{n}", bill=bill) for n, bill in enumerate(bills)]
            await store.submit(Write(calls=records)).wait()
            return [await store.call(record.call_id) for record in records]

    assert [str(found.bill) for found in trio.run(write_and_read)] == [str(bill) for bill in bills]


async def test_what_a_key_spent_is_summed_exactly(store):
    bills = ["0.10", "0.1", "0.10", "0.000001", "1234567890.5"]
    records = [call(f"c{n}", bill=Decimal(bill)) for n, bill in enumerate(bills)]
    other = call("other", key="another", bill=Decimal(7))
    await store.submit(Write(calls=[*records, call("unbilled"), other])).wait()
    assert await store.spent("K") == Decimal("1234567890.800001")
    assert await store.spent("nobody") == 0


async def test_calls_are_listed_newest_first_and_can_be_narrowed(store):
    old = call("old", created=1.0)
    ended = call("ended", created=2.0, state="ended", ended=9.0, outcome="busy")
    foreign = call("foreign", created=3.0, key="another")
    await store.submit(Write(calls=[ended, foreign, old])).wait()
    assert await store.calls() == [foreign, ended, old]
    assert await store.calls(limit=1) == [foreign]
    assert await store.calls(key="K") == [ended, old]
    assert await store.calls(state="live") == [foreign, old]
    assert await store.calls(key="K", state="ended") == [ended]
    assert await store.call("nothing") is None


async def test_a_call_is_replaced_by_what_is_written_later(store):
    up = call("c", answered=2.0)
    over = call("c", answered=2.0, ended=5.0, state="ended", outcome="completed", bill=Decimal("0.02"))
    await store.submit(Write(calls=[call("c"), up])).wait()
    assert await store.call("c") == up
    store.submit(Write(calls=[up]))
    await store.submit(Write(calls=[over])).wait()
    assert await store.calls() == [over]


async def test_recordings_are_found_by_call_and_by_file(store):
    first = RecordingFile("c.wav", "c", "K", 1.0, 2500, 40044)
    second = RecordingFile("c-2.wav", "c", "K", 2.0, 10, 3_000_000_000)
    await store.submit(Write(recordings=[second, first])).wait()
    assert await store.recordings("c") == [first, second]
    assert await store.recording("c-2.wav") == second
    assert await store.recording("c-3.wav") is None


async def test_pending_posts_come_in_order_of_call_and_n(store):
    given_in_order = [post("b", 1), post("a", 10), post("a", 9), post("b", 2)]
    for one in given_in_order:
        store.submit(Write(posts=[one]))
    delivered = PostState(post("a", 9), "delivered", 1, 0.0)
    parked = PostState(post("b", 1), "parked", 30, 0.0, "connection refused")
    retried = PostState(post("b", 2), "pending", 2, 77.25, "503")
    await store.submit(Write(post_states=[retried, delivered, parked])).wait()
    fresh = PostState(post("a", 10), "pending", 0, 1.5)
    assert await store.pending_posts() == [fresh, retried]
    assert await store.parked_posts() == [parked]
    assert await store.posts("a") == [delivered, fresh]
    assert await store.posts("b") == [parked, retried]


async def test_keys_keep_all_that_they_grant(store):
    key = Key("K", "S", "a name", 1.0, None, False, 2.5, 7, ("+1512", "+44"), Decimal("10.50"))
    assert await store.key("K") is None
    await store.put_key(key)
    assert await store.key("K") == key
    await store.put_key(Key("plain", "S2", "another", 0.5))
    revoked = evolve(key, revoked=3.0)
    await store.put_key(revoked)
    assert await store.key("K") == revoked
    assert await store.keys() == [Key("plain", "S2", "another", 0.5), revoked]


async def test_used_seqs_are_those_of_the_newest_window(store):
    seqs = [1, 2, 976, 977, 1500, 2000]
    await store.submit(Write(seqs=[("K", seq) for seq in seqs] + [("L", 5)])).wait()
    assert await store.used_seqs("K") == {977, 1500, 2000}
    assert await store.used_seqs("L") == {5}
    assert await store.used_seqs("nobody") == frozenset()


async def test_used_seqs_are_those_of_the_newest_window_in_whatever_order_they_came(store):
    await store.submit(Write(seqs=[("K", 2000)])).wait()
    await store.submit(Write(seqs=[("K", 900), ("K", 1999)])).wait()
    assert await store.used_seqs("K") == {1999, 2000}


async def test_what_was_answered_is_kept_for_the_newest_requests_however_far_apart_their_seqs_are(store):
    kept = {"text": "r1-a\n", "members": {"callId": "r1-a"}}
    first = UsedSeq("K", 1_000_000, "d", kept)
    await store.submit(Write(seqs=[first, UsedSeq("L", 1, "e")])).wait()
    later = [("K", 1_000_000 * n) for n in range(2, WINDOW + 1)]
    await store.submit(Write(seqs=later)).wait()
    assert await store.used_seq("K", 1_000_000) == first
    assert await store.used_seq("K", 2_000_000) == UsedSeq("K", 2_000_000)
    # Old ones go now and then, and never so that fewer than those are kept.
    more = [("K", 1_000_000 * WINDOW + n) for n in range(1, PRUNE_EVERY + 1)]
    await store.submit(Write(seqs=more)).wait()
    assert await store.used_seq("K", 1_000_000) is None
    assert await store.used_seq("K", 1_000_000 * (PRUNE_EVERY + 1)) is not None
    assert await store.used_seq("L", 1) == UsedSeq("L", 1, "e")
    assert await store.used_seq("L", 2) is None


def upload(name, text, created=1.0, key="K"):
    return Upload(key, name, text, f"digest of {text}", created)


def version(name, number, text, created=1.0, key="K"):
    return ScriptVersion(key, name, number, f"digest of {text}", created, len(text.encode()))


async def test_a_script_gets_a_version_for_every_new_text(store):
    for created, text in enumerate(["ä", "ä", "b", "ä"], 1):
        await store.submit(Write(scripts=[upload("s", text, created)])).wait()
    assert await store.script_versions("K", name="s") == [
        version("s", 3, "ä", 4),
        version("s", 2, "b", 3),
        version("s", 1, "ä", 1),
    ]
    assert await store.script("K", "s") == StoredScript(version("s", 3, "ä", 4), "ä")
    assert await store.script("K", "s", version=1) == StoredScript(version("s", 1, "ä", 1), "ä")
    assert await store.script("K", "s", digest="digest of b") == StoredScript(version("s", 2, "b", 3), "b")
    assert await store.script("K", "s", version=4) is None


async def test_versions_given_together_follow_each_other(store):
    store.submit(Write(scripts=[upload("s", "a"), upload("t", "a")]))
    store.submit(Write(scripts=[upload("s", "b"), upload("s", "b")]))
    await store.submit(Write(scripts=[upload("s", "c")])).wait()
    assert [(one.name, one.version) for one in await store.script_versions("K")] == [("s", 3), ("t", 1)]
    assert [one.version for one in await store.script_versions("K", name="s")] == [3, 2, 1]


async def test_scripts_belong_to_a_key(store):
    await store.submit(Write(scripts=[upload("s", "mine"), upload("s", "theirs", key="L")])).wait()
    assert (await store.script("K", "s")).text == "mine"
    assert await store.script_versions("L") == [version("s", 1, "theirs", key="L")]
    assert await store.script("M", "s") is None
    assert await store.script_versions("M") == []


async def test_a_store_that_is_opened_again_has_everything(tmp_path):
    url = f"sqlite:///{tmp_path}/ringful.db"
    async with open_store(url) as store:
        # Nobody waits for these: leaving the store does.
        for n in range(1, 200):
            store.submit(Write(entries=[Entry("c", n, 0.0, "event", "Ringing", {})], seqs=[("K", n)]))
    async with open_store(url) as store:
        assert [entry.n for entry in await store.journal("c")] == list(range(1, 200))
        assert await store.used_seqs("K") == set(range(1, 200))


async def test_a_closed_store_refuses_writes(tmp_path):
    async with open_store(f"sqlite:///{tmp_path}/ringful.db") as store:
        pass
    with pytest.raises(StoreError, match="closed"):
        await store.submit(Write()).wait()


def test_a_key_is_remembered_for_a_moment_only():
    now = 100.0
    memory = KeyMemory(lambda: now)
    key = Key("K", "S", "name", 1.0)
    memory.put(key, now)
    now += REMEMBERED * 0.9
    assert memory.get("K") == key
    now += REMEMBERED * 0.2
    assert memory.get("K") is None
    # One looks it up again, and meanwhile the others need not; but not for ever.
    assert memory.get("K") == key
    now += LONGEST - REMEMBERED
    assert [memory.get("K"), memory.get("K")] == [None, None]
    memory.put(key, now)
    assert memory.get("K") == key
    now += REMEMBERED
    assert [memory.get("K"), memory.get("K")] == [None, key]
    memory.forget("K")
    assert memory.get("K") is None


async def test_who_asks_for_a_key_while_it_is_read_waits_for_that(tmp_path, monkeypatch):
    key, reads, go_on = Key("K", "S", "name", 1.0), [], trio.Event()
    async with open_store(f"sqlite:///{tmp_path}/ringful.db") as store:
        await store.put_key(key)
        read = store._read

        async def reading(*args, **values):
            reads.append(values)
            await go_on.wait()
            if len(reads) == 2:
                raise StoreError("the disk is gone")
            return await read(*args, **values)

        monkeypatch.setattr(store, "_read", reading)
        found = []

        async def ask(name):
            try:
                found.append(await store.key(name))
            except StoreError as error:
                found.append(str(error))

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(ask, "K")
                await trio.testing.wait_all_tasks_blocked()
            assert len(reads) == 1
            go_on.set()
        assert found == [key] * 3
        # Who waits is told of an error too, and the next one reads anew.
        go_on = trio.Event()
        store._memory.forget("K")
        async with trio.open_nursery() as nursery:
            for _ in range(2):
                nursery.start_soon(ask, "K")
            await trio.testing.wait_all_tasks_blocked()
            go_on.set()
        assert found[3:] == ["the disk is gone"] * 2
        assert await store.key("K") == key
        # Of a key that was changed while it was read, nobody who asks later is told what it was.
        store._memory.forget("K")
        go_on = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, "K")
            await trio.testing.wait_all_tasks_blocked()
            await store.put_key(evolve(key, name="new"))
            nursery.start_soon(ask, "K")
            await trio.testing.wait_all_tasks_blocked()
            assert len(reads) == 5
            go_on.set()
        assert found[-1].name == "new"


async def test_who_reads_a_key_may_give_up_and_another_one_reads_it(tmp_path, monkeypatch):
    key, begun = Key("K", "S", "name", 1.0), trio.Event()
    async with open_store(f"sqlite:///{tmp_path}/ringful.db") as store:
        await store.put_key(key)
        read = store._read

        async def reading(*args, **values):
            if not begun.is_set():
                begun.set()
                await trio.sleep_forever()
            return await read(*args, **values)

        monkeypatch.setattr(store, "_read", reading)
        found = []

        async def ask():
            found.append(await store.key("K"))

        async with trio.open_nursery() as nursery:
            gives_up = trio.CancelScope()

            async def give_up():
                with gives_up:
                    await store.key("K")

            nursery.start_soon(give_up)
            await begun.wait()
            nursery.start_soon(ask)
            await trio.testing.wait_all_tasks_blocked()
            gives_up.cancel()
        assert found == [key]


def test_an_answer_that_comes_late_does_not_undo_a_newer_one():
    memory = KeyMemory(lambda: 100.0)
    old, new = Key("K", "S", "old", 1.0), Key("K", "S", "new", 1.0)
    memory.put(new, 99.9)
    memory.put(old, 99.8)
    assert memory.get("K") == new
    memory.forget("K")  # It was changed, while somebody still reads what it was.
    memory.put(old, 99.9)
    assert memory.get("K") is None
    memory.put(new, 100.0)
    assert memory.get("K") == new


def test_a_key_that_is_not_there_is_looked_up_each_time():
    memory = KeyMemory(lambda: 100.0)
    assert [memory.get("K"), memory.get("K")] == [None, None]


def test_new_keys_need_no_escape_and_new_secrets_are_base64_of_24_bytes():
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == len({new_key_id() for _ in range(100)}) == 100
    for secret in secrets:
        assert secret.isascii()
        assert secret.isalnum()
        assert len(b64decode(secret, validate=True)) == 24
        assert b64encode(b64decode(secret)).decode() == secret
    assert len(new_key_id()) >= 16
    assert new_key_id().isalnum()
