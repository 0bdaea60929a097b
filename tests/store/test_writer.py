"""The writer commits together what waits together, and one bad write sinks no other."""

import sqlite3
from contextlib import closing, contextmanager
from decimal import Decimal

import pytest
import trio
import trio.testing
from attrs import evolve
from sqlalchemy import Engine, event

from ringful.store import engine as engines
from ringful.store import writer as writers
from ringful.store.open import open_store
from ringful.store.port import CallRecord, Entry, Post, PostState, RecordingFile, StoreError, Write


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ringful.db"


@pytest.fixture
async def store(path):
    async with open_store(f"sqlite:///{path}") as opened:
        yield opened


@contextmanager
def locked(path):
    """Hold SQLite's write lock, so that the writer must wait."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@contextmanager
def listening(name, listener):
    event.listen(Engine, name, listener)
    try:
        yield
    finally:
        event.remove(Engine, name, listener)


def counted(store):
    """Give a list that how many writes each commit holds goes into."""
    commits = []
    store.writer.on_commit = lambda writes, _seconds: commits.append(writes)
    return commits


def line(n, call_id="c", **data):
    return Write(entries=[Entry(call_id, n, 0.0, "event", "Ringing", data)])


async def failure(commit):
    """Give what *commit* raised, or an empty text."""
    try:
        await commit.wait()
    except StoreError as error:
        return str(error)
    return ""


async def test_what_waits_together_is_committed_together(store, path):
    commits = counted(store)
    with locked(path):
        given = [store.submit(line(n)) for n in range(1, 501)]
    for commit in given:
        await commit.wait()
    # The first was on its way when the others came, alone or with some of them; all else is one more.
    assert 1 <= len(commits) <= 2
    assert sum(commits) == 500
    assert len(await store.journal("c")) == 500


async def test_many_tasks_wait_for_one_commit(store, path):
    durable = []

    async def write(n):
        await store.submit(line(n)).wait()
        durable.append(n)

    commits = counted(store)
    async with trio.open_nursery() as nursery:
        with locked(path):
            for n in range(1, 101):
                nursery.start_soon(write, n)
            await trio.testing.wait_all_tasks_blocked()
            assert durable == []
    assert sorted(durable) == list(range(1, 101))
    assert 1 <= len(commits) <= 2


async def test_a_commit_can_be_awaited_twice_late_or_never(store):
    store.submit(line(1))
    early = store.submit(line(2))
    await store.submit(line(3)).wait()
    await early.wait()
    await early.wait()
    assert [entry.n for entry in await store.journal("c")] == [1, 2, 3]


async def test_a_kind_that_nothing_writes_is_refused_and_its_company_is_kept(store):
    entry = Entry("c", 1, 0.0, "event", "X", {})
    kept, wrong = store.submit(Write(entries=[entry])), store.submit({"entrys": [entry]})
    await kept.wait()
    for commit in (wrong, store.submit({"entrys": [entry]})):
        with pytest.raises(StoreError, match="a fault of the server"):
            await commit.wait()
    assert await store.journal("c") == [entry]


async def test_writes_take_effect_in_the_order_they_were_given(store, path):
    states = [CallRecord("c", "K", f"+{n}", "live", float(n)) for n in range(300)]
    last = None
    for state in states:
        last = store.submit(Write(calls=[state]))
    assert last
    await last.wait()
    assert await store.call("c") == states[-1]
    # Whatever is durable, all that was given before it is.
    given = [store.submit(line(n)) for n in range(1, 301)]
    await given[149].wait()
    assert len(await store.journal("c")) >= 150
    await given[-1].wait()


async def test_a_bad_write_fails_alone_and_whole(store, path):
    await store.submit(line(1)).wait()
    bad = Write(
        entries=[Entry("c", 1, 0.0, "event", "Again", {})],
        calls=[CallRecord("never", "K", "+1", "live", 1.0)],
        seqs=[("K", 99)],
    )
    with locked(path):
        first, second, third = store.submit(line(2)), store.submit(bad), store.submit(line(3))
    await first.wait()
    assert "UNIQUE constraint failed" in await failure(second)
    await third.wait()
    assert [(entry.n, entry.name) for entry in await store.journal("c")] == [
        (1, "Ringing"),
        (2, "Ringing"),
        (3, "Ringing"),
    ]
    assert await store.call("never") is None
    assert await store.used_seqs("K") == frozenset()


@pytest.mark.parametrize("unfit", [object(), 1 << 5000, "\ud800"], ids=["object", "number", "surrogate"])
async def test_what_no_column_takes_fails_alone(store, path, unfit):
    bad = Write(entries=[Entry("c", 2, 0.0, "event", unfit, {})])
    with locked(path):
        commits = [store.submit(line(1)), store.submit(bad), store.submit(line(3))]
    assert [bool(await failure(commit)) for commit in commits] == [False, True, False]
    assert [entry.n for entry in await store.journal("c")] == [1, 3]


async def test_a_seq_is_used_once_even_by_two_processes(store):
    await store.submit(Write(seqs=[("K", 7)])).wait()
    assert await failure(store.submit(Write(seqs=[("K", 7)])))
    assert not await failure(store.submit(Write(seqs=[("L", 7)])))


async def test_a_full_disk_is_said_and_the_store_goes_on(path):
    def small(connection, _record):
        connection.execute("PRAGMA max_page_count = 100")

    with listening("connect", small):
        async with open_store(f"sqlite:///{path}") as store:
            said = await failure(store.submit(line(1, text="x" * 1_000_000)))
            assert said == f"{path}: the disk is full"
            await store.submit(line(1)).wait()
            assert len(await store.journal("c")) == 1


async def test_a_full_disk_fails_a_whole_batch_and_nothing_of_it_is_kept(path):
    def small(connection, _record):
        connection.execute("PRAGMA max_page_count = 100")

    with listening("connect", small):
        async with open_store(f"sqlite:///{path}") as store:
            with locked(path):
                commits = [store.submit(line(n, text="x" * 200_000)) for n in range(1, 4)]
            said = [await failure(commit) for commit in commits]
            assert set(said) <= {f"{path}: the disk is full", ""}
            kept = [entry.n for entry in await store.journal("c")]
            assert kept == [n for n, why in enumerate(said, 1) if not why]
            assert len(kept) < 3


async def test_a_read_only_database_is_said(path):
    async with open_store(f"sqlite:///{path}"):
        pass
    async with open_store(f"sqlite:///file:{path}?mode=ro&uri=true") as store:
        assert (await failure(store.submit(line(1)))).endswith("the database can only be read")
        assert await store.journal("c") == []


async def test_a_locked_database_is_said(path, monkeypatch):
    monkeypatch.setattr(engines, "BUSY_MS", 20)
    async with open_store(f"sqlite:///{path}") as store:
        with locked(path):
            assert "locked" in await failure(store.submit(line(1)))
        await store.submit(line(1)).wait()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ringful.db", "is no database URL such as sqlite:///ringful.db"),
        ("mysql://localhost/ringful", "a mysql database is not supported"),
        ("sqlite://", "the database must be a file"),
        ("sqlite:///:memory:", "the database must be a file"),
        ("sqlite:///{folder}/none/ringful.db", "its folder is missing, or may not be written"),
        ("sqlite:///{folder}", "its folder is missing, or may not be written"),
        ("sqlite:///{folder}/text.db", "it is not a SQLite database"),
    ],
)
async def test_a_url_that_opens_nothing_is_said(tmp_path, url, said):
    (tmp_path / "text.db").write_text("These are notes, and by no means a database. " * 50)
    with pytest.raises(StoreError) as refused:
        async with open_store(url.format(folder=tmp_path)):
            pass
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


async def test_reads_go_on_while_the_writer_waits(store, path):
    await store.submit(line(1)).wait()
    with locked(path):
        waiting = store.submit(line(2))
        lengths = []

        async def read():
            lengths.append(len(await store.journal("c")))

        async with trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(read)
    assert lengths == [1] * 50
    await waiting.wait()


async def test_waiting_can_be_cancelled_and_the_write_is_made(store, path):
    with locked(path):
        commit = store.submit(line(1))
        with trio.move_on_after(0):
            await commit.wait()
    await commit.wait()
    assert len(await store.journal("c")) == 1


async def test_leaving_the_store_cancelled_still_commits_what_waits(path):
    with trio.CancelScope() as scope:
        async with open_store(f"sqlite:///{path}") as store:
            for n in range(1, 101):
                store.submit(line(n))
            scope.cancel()
            await trio.sleep_forever()
    async with open_store(f"sqlite:///{path}") as store:
        assert len(await store.journal("c")) == 100


def told(n=1):
    post = Post(f"e{n}", "K", "c", n, "http://client.example/a", {"action": "PlayStart"}, 1.0)
    return post, PostState(post, "delivered", 1, 0.0)


async def test_what_nobody_waits_for_is_committed_with_what_comes_next(store, monkeypatch):
    monkeypatch.setattr(writers, "PATIENCE", 3600.0)
    commits = counted(store)
    _, delivered = told()
    store.submit(line(1))
    store.submit(Write(post_states=[delivered]))
    await store.submit(line(2)).wait()
    assert commits == [3]
    assert [entry.n for entry in await store.journal("c")] == [1, 2]


async def test_what_nobody_waits_for_and_nothing_follows_comes_to_the_disk_by_itself(store, monkeypatch):
    monkeypatch.setattr(writers, "PATIENCE", 0.001)
    await store.submit(line(1)).settled()
    assert len(await store.journal("c")) == 1


async def test_a_writer_that_has_gone_to_sleep_is_woken_by_what_can_wait(store, monkeypatch):
    tired, sleep, token = trio.Event(), store.writer._sleep, trio.lowlevel.current_trio_token()
    monkeypatch.setattr(writers, "PATIENCE", 0.001)
    monkeypatch.setattr(store.writer, "_sleep", lambda: (token.run_sync_soon(tired.set), sleep()))
    await store.submit(line(1)).wait()
    await tired.wait()
    await store.submit(line(2)).settled()
    assert len(await store.journal("c")) == 2


async def test_a_writer_that_looks_by_itself_is_woken_by_what_is_hurried_alone(store, monkeypatch):
    monkeypatch.setattr(writers, "PATIENCE", 3600.0)
    rung, ring = [], store.writer._ring
    monkeypatch.setattr(store.writer, "_ring", lambda: (rung.append(len(rung)), ring()))
    await store.submit(line(1)).wait()
    rung.clear()
    store.submit(line(2))
    assert rung == []
    await store.submit(line(3)).wait()
    assert rung == [0]
    assert len(await store.journal("c")) == 3


@pytest.mark.parametrize(
    "write",
    [
        Write(posts=[told()[0]]),
        Write(seqs=[("K", 1)]),
        Write(calls=[CallRecord("c", "K", "+1", "live", 1.0)]),
        Write(recordings=[RecordingFile("c.wav", "c", "K", 1.0, 10, 20)]),
        Write(beats=[("n", 1.0)]),
        Write(forgotten=[1.0]),
    ],
    ids=lambda write: next(iter(write)),
)
async def test_what_somebody_is_told_of_and_what_is_billed_waits_for_nobody(store, monkeypatch, write):
    monkeypatch.setattr(writers, "PATIENCE", 3600.0)
    before = store.submit(line(1))
    await store.submit(write).settled()
    await before.settled()
    assert len(await store.journal("c")) == 1


async def test_who_comes_to_wait_late_hurries_it(store, monkeypatch):
    monkeypatch.setattr(writers, "PATIENCE", 3600.0)
    async with trio.open_nursery() as nursery:
        commit = store.submit(line(1))
        nursery.start_soon(commit.settled)
        await trio.testing.wait_all_tasks_blocked()
        commit.hurry()
    # What hurries was about what is on the disk, and hurries nothing that comes later.
    commit.hurry()
    commits = counted(store)
    store.submit(line(2))
    await store.submit(line(3)).wait()
    assert commits == [2]


async def test_leaving_the_store_waits_for_no_company(path, monkeypatch):
    monkeypatch.setattr(writers, "PATIENCE", 3600.0)
    async with open_store(f"sqlite:///{path}") as store:
        store.submit(line(1))
    async with open_store(f"sqlite:///{path}") as store:
        assert len(await store.journal("c")) == 1


async def test_what_says_nothing_is_no_commit(store, path):
    commits = counted(store)
    with locked(path):
        await store.submit(Write()).wait()
    assert commits == []


async def test_a_call_that_changes_changes_and_one_that_does_not_stays(store):
    first = CallRecord("c", "K", "+1", "live", 1.0, label="a")
    for record in (first, first, evolve(first, trunk="t"), evolve(first, answered=2.5, label=None)):
        await store.submit(Write(calls=[record])).wait()
        assert await store.call("c") == record
    ended = evolve(first, state="ended", ended=4.0, outcome="completed", bill=Decimal("0.010"))
    await store.submit(Write(calls=[evolve(ended, bill=Decimal(1)), ended])).wait()
    assert await store.call("c") == ended
