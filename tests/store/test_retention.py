"""What is removed: old journals, callbacks and recordings; recordings on demand; links that expire."""

import io
import os
import sqlite3
import time
import wave
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import trio
from attrs import evolve

from ringful.interpreter.calls.retention import BATCH, Retention
from ringful.interpreter.links import Links
from ringful.media import wav
from ringful.media.library.announcements import Library
from ringful.media.port import Announcement
from ringful.media.sounds import SoundError
from ringful.store.open import open_store
from ringful.store.port import (
    CallRecord,
    Entry,
    FragmentRow,
    Message,
    MessageState,
    Post,
    PostState,
    RecordingFile,
    RemotePart,
    Write,
)
from tests.server import PATIENCE, Server, phone, receiver, server
from tests.typed import ringful as command

NUMBER = "15125551234"
DAY = 86400.0


@pytest.fixture
async def store(tmp_path):
    async with open_store(f"sqlite:///{tmp_path}/ringful.db") as opened:
        yield opened


def retention(store, folder, **keep) -> Retention:
    return Retention(store, folder, clock=lambda: 100 * DAY, **keep)


def call(call_id: str, ended: float | None, lines: int, post: str | None = "delivered") -> Write:
    record = CallRecord(
        call_id, "K", NUMBER, "live" if ended is None else "ended", 0.0, 1.0, ended, "completed"
    )
    entries = [Entry(call_id, n + 1, 0.0, "event", "Ringing", {}) for n in range(lines)]
    told = Post(f"{call_id}.1", "K", call_id, 1, "http://x.example/", {}, 0.0)
    states = [PostState(told, post, 1, 0.0)] if post else []  # type: ignore[arg-type]
    return Write(entries=entries, posts=[told] if post else [], calls=[record], post_states=states)


async def test_journals_and_callbacks_of_old_calls_go_and_their_records_stay(store, tmp_path, monkeypatch):
    monkeypatch.setattr("ringful.interpreter.calls.retention.PAUSE", 0)
    await store.submit(call("old", 9 * DAY, 3)).wait()
    await store.submit(call("long", 9 * DAY, 2 * BATCH + 7, "parked")).wait()
    await store.submit(call("bare", 9 * DAY, 0, None)).wait()
    await store.submit(call("waiting", 9 * DAY, 3, "pending")).wait()
    await store.submit(call("new", 11 * DAY, 3)).wait()
    await store.submit(call("live", None, 3)).wait()
    sizes = []
    submit = store.submit

    def watched(write):
        sizes.append(sum(one.n for one in write.get("pruned", ()) if one.n <= BATCH))
        return submit(write)

    monkeypatch.setattr(store, "submit", watched)
    await retention(store, tmp_path, keep=90 * DAY).once()
    assert len(sizes) >= 3
    assert max(sizes) <= BATCH
    for gone in ("old", "long", "bare"):
        assert (await store.journal(gone), await store.posts(gone)) == ([], [])
        assert (await store.call(gone)).pruned == 100 * DAY
    for kept in ("waiting", "new", "live"):
        assert len(await store.journal(kept)) == 3
        assert len(await store.posts(kept)) == 1
        assert (await store.call(kept)).pruned is None
    sizes.clear()
    await retention(store, tmp_path, keep=90 * DAY).once()
    assert sizes == []


async def test_nothing_is_removed_unless_it_is_said(store, tmp_path):
    await store.submit(call("old", 1.0, 3)).wait()
    await retention(store, tmp_path).once()
    assert len(await store.journal("old")) == 3


async def test_the_database_levels_off(store, tmp_path):
    """What is removed makes room for what comes; the records of calls stay, and are small."""
    sizes = []
    for day in range(6):
        for n in range(40):
            await store.submit(call(f"{day}-{n}", day * DAY, 50)).wait()
        await Retention(store, tmp_path, keep=DAY / 2, clock=lambda day=day: (day + 1) * DAY).once()
        with closing(sqlite3.connect(tmp_path / "ringful.db")) as connection:
            sizes.append(connection.execute("PRAGMA page_count").fetchone()[0])
    assert sizes[-1] <= sizes[1] * 1.25


def recorded(folder: Path, file: str, created: float = 0.0, call_id: str = "c") -> RecordingFile:
    (folder / file).write_bytes(wav.header(320) + bytes(320))
    return RecordingFile(file, call_id, "K", created, 20, 364)


async def test_old_recordings_go_and_one_that_cannot_holds_up_no_other(store, tmp_path):
    files = [recorded(tmp_path, f"{n}.wav", n * DAY) for n in range(1, 4)]
    (tmp_path / "1.wav").unlink()
    (tmp_path / "1.wav").mkdir()  # It is in the way, and no file that could be removed.
    (tmp_path / "2.wav").unlink()  # It is gone already.
    new = recorded(tmp_path, "new.wav", 99 * DAY)
    await store.submit(Write(recordings=[*files, new])).wait()
    await retention(store, tmp_path, keep_recordings=DAY * 90).once()
    found = {one.file: one.removed for one in await store.recordings("c")}
    assert found == {"1.wav": None, "2.wav": 100 * DAY, "3.wav": 100 * DAY, "new.wav": None}
    assert sorted(path.name for path in tmp_path.glob("*.wav")) == ["1.wav", "new.wav"]


# Links


def test_a_link_works_for_its_file_until_it_expires():
    links = Links("http://h/recordings/", "secret", 60.0)
    file, _, query = links.to("a.wav", 1000.5).removeprefix(links.base).partition("?")
    assert (file, query.partition("&")[0]) == ("a.wav", "expires=1060")
    assert links.problem("a.wav", query, 1060.0) is None
    assert links.problem("a.wav", query, 1061.0) == "expired"
    assert links.problem("a.wav", query, None) is None
    assert links.problem("b.wav", query, 1000.0) == "forged"
    assert links.problem("a.wav", query.replace("1060", "9999"), 1000.0) == "forged"
    for bad in ("", "expires=1060", "sig=1", "expires=&sig=", "expires=é&sig=é", "expires=1e9&sig=0"):
        assert links.problem("a.wav", bad, 1000.0) in ("unsigned", "forged")
    assert Links("http://h/recordings/", "other", 60.0).problem("a.wav", query, 1000.0) == "forged"
    bare = Links("http://h/recordings/")
    assert bare.to("a.wav", 1000.0) == "http://h/recordings/a.wav"
    assert bare.problem("a.wav", "", 1000.0) is None


async def test_a_recording_is_played_from_the_disk_by_a_link_that_was_told(tmp_path, nursery):
    recorded(tmp_path, "a.wav")
    links = Links("http://h/recordings/", "secret", 60.0)

    async def fetch(*_: Any) -> Any:
        raise AssertionError("nothing is fetched")

    library = Library(
        tmp_path / "cache",
        [],
        fetch,
        nursery,
        recordings=(links.base, tmp_path),
        allowed=lambda file, query: links.problem(file, query, None) is None,
    )
    assert await library.path(Announcement(links.to("a.wav", 0.0))) == tmp_path / "a.wav"
    assert list((tmp_path / "cache").iterdir()) == []
    for url in (f"{links.base}a.wav", f"{links.base}a.wav?expires=9&sig=00"):
        with pytest.raises(SoundError, match="no such recording"):
            await library.path(Announcement(url))


async def test_the_stores_secret_is_made_once(store, tmp_path):
    first = await store.secret("links")
    assert len(first) == 32
    async with open_store(f"sqlite:///{tmp_path}/ringful.db") as other:
        assert await other.secret("links") == first
        assert await other.secret("another") != first


# On a real server


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[tuple[Server, str, list[dict[str, str]]]]":
    """A server with private recordings, a call that was recorded, and what was told of its recording."""
    folder = tmp_path_factory.mktemp("private")
    with (
        receiver({}) as web,
        phone("--answer-after", "0s") as (address, _),
        server(folder, address, RINGFUL_RECORDINGS__PUBLIC="false") as ringful,
    ):
        call_id = ringful.ask("Call", callee=NUMBER, callbackUrl=f"{web.url}/call")
        ringful.ask("Record", callId=call_id, callbackUrl=f"{web.url}/r")
        web.until("RecordStart")
        ringful.ask("Hangup", callId=call_id)
        told = [fields for _, fields in web.until("RecordComplete", "ServerHangup")]
        yield ringful, call_id, told


def fetch(url: str, method: str = "GET", **headers: str) -> tuple[int, bytes, Any]:
    try:
        with urlopen(Request(url, headers=headers, method=method), timeout=PATIENCE) as answer:
            return answer.status, answer.read(), answer.headers
    except HTTPError as error:
        with error:
            return error.code, error.read(), error.headers


def test_a_private_recording_is_given_by_its_link_alone(made):
    ringful, call_id, told = made
    (complete,) = [one for one in told if one["action"] == "RecordComplete"]
    status, body, headers = fetch(complete["recordFile"])
    assert (status, headers["Content-Type"]) == (200, "audio/wav")
    with wave.open(io.BytesIO(body)) as sound:
        assert sound.getnframes() / 8000 == float(complete["duration"])
    assert fetch(complete["recordFile"], "HEAD")[2]["Content-Length"] == str(len(body))
    part = fetch(complete["recordFile"], Range="bytes=40-43")
    assert (part[0], part[1]) == (206, body[40:44])
    bare, _, query = complete["recordFile"].partition("?")
    assert fetch(bare)[:2] == (
        403,
        b"link.unsigned: this link lacks its expires and sig; QueryCall gives one that works\n",
    )
    assert fetch(f"{bare}?{query[:-1]}{'0' if query[-1] != '0' else '1'}")[0] == 403
    secret = read(ringful, "SELECT secret FROM secrets WHERE name = 'links'")
    old = Links(f"{ringful.base}/recordings/", secret, 60.0).to(f"{call_id}.wav", time.time() - 61)
    status, body, _ = fetch(old)
    assert (status, body.split(b":")[0]) == (403, b"link.expired")
    (shown,) = ringful.query(call_id)["recordings"]
    assert fetch(shown["recordFile"])[0] == 200
    assert shown["removed"] is None


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-", 0, None),
        ("bytes=0-0", 0, 0),
        ("bytes=40-99999999999999999999", 40, None),
        ("bytes= 1-2", 1, 2),
        ("bytes=-5", -5, None),
        ("bytes=-99999999999999999999", 0, None),
    ],
)
def test_a_part_of_a_recording_is_given(made, asked, first, last):
    url = made[2][[one["action"] for one in made[2]].index("RecordComplete")]["recordFile"]
    body = fetch(url)[1]
    part = fetch(url, Range=asked)
    wanted = body[first:] if last is None else body[first : last + 1]
    assert (part[0], part[1]) == (206, wanted)
    start = len(body) - len(wanted) if last is None else first
    assert part[2]["Content-Range"] == f"bytes {start}-{start + len(wanted) - 1}/{len(body)}"


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=99999999-99999999999999999999"])
def test_what_a_recording_has_not_is_told(made, asked):
    url = made[2][[one["action"] for one in made[2]].index("RecordComplete")]["recordFile"]
    size = len(fetch(url)[1])
    status, said, headers = fetch(url, Range=asked)
    told = f"bytes */{size}"
    assert (status, said.split(b":")[0], headers["Content-Range"]) == (416, b"range.outside", told)


NO_RANGES = """
    bytes|bytes=|bytes=-|bytes=-0|bytes=5-3|bytes=a-b|bytes=0-1,5-6|bytes=1-2,|bytes=1--2|bytes=+1-2|bytes=\u00b2-3
    |lines=0-1|0-1|bytes:0-1|bytes=1_0-2_0|bytes=0x0-0x1|bytes=0-1;q=1|bytes=0-1\t2
"""


@pytest.mark.parametrize("asked", ["", "x" * 5000, *map(str.strip, NO_RANGES.split("|"))])
def test_what_is_no_range_is_the_whole_recording(made, asked):
    url = made[2][[one["action"] for one in made[2]].index("RecordComplete")]["recordFile"]
    status, body, _ = fetch(url, Range=asked)
    assert (status, body) == (200, fetch(url)[1])


def read(ringful: Server, query: str) -> Any:
    with closing(sqlite3.connect(ringful.folder / "ringful.db")) as connection:
        return connection.execute(query).fetchone()[0]


def test_a_long_recording_is_not_read_into_memory(made):
    ringful, call_id, _ = made
    file = ringful.folder / "recordings" / f"{call_id}.wav"
    (shown,) = ringful.query(call_id)["recordings"]
    before, size = file.read_bytes(), 300 * 2**20
    with file.open("r+b") as grown:
        grown.truncate(size)
    try:
        with urlopen(shown["recordFile"], timeout=PATIENCE) as answer:
            got = 0
            while piece := answer.read(2**20):
                got += len(piece)
        assert got == size
        status = Path(f"/proc/{ringful.process.pid}/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        assert peak < 250 * 1024
    finally:
        file.write_bytes(before)


def test_a_recording_is_removed_by_its_key_and_by_nobody_else(made):
    ringful, call_id, told = made
    file = f"{call_id}.wav"
    mine = (ringful.key, ringful.secret)
    ringful.key, ringful.secret = ringful.command("keys", "add", "other").split()
    try:
        for given in ({"recordFile": file}, {"callId": call_id}):
            status, text = ringful.refused(ringful.url("RecordingRemove", **given))
            assert (status, text.split(":")[0]) == (404, "recording.unknown")
    finally:
        ringful.key, ringful.secret = mine
    for given, code in (
        ({}, "recordFile.missing"),
        ({"recordFile": "../ringful.db"}, "recordFile.invalid"),
        ({"recordFile": "http://[::1/x.wav"}, "recordFile.invalid"),
    ):
        status, text = ringful.refused(ringful.url("RecordingRemove", **given))
        assert (status, text.split(":")[0]) == (400, code)
    assert ringful.refused(ringful.url("RecordingRemove", callId="r1-x", file=file))[0] == 404
    (complete,) = [one for one in told if one["action"] == "RecordComplete"]
    assert ringful.ask("RecordingRemove", recordFile=complete["recordFile"]) == file
    assert not (ringful.folder / "recordings" / file).exists()
    status, text, _ = fetch(complete["recordFile"])
    assert (status, text.split(b":")[0]) == (410, b"recording.removed")
    (shown,) = ringful.query(call_id)["recordings"]
    assert shown["removed"]
    # Again changes nothing, and is no mistake.
    assert ringful.ask("RecordingRemove", callId=call_id) == file
    assert ringful.query(call_id)["recordings"][0]["removed"] == shown["removed"]


def test_what_is_left_of_a_call_that_was_pruned(made):
    ringful, call_id, _ = made
    before = ringful.query(call_id)
    ringful.environment["RINGFUL_STORE__KEEP"] = "1s"
    assert ringful.stop() == 0
    with closing(sqlite3.connect(ringful.folder / "ringful.db")) as connection, connection:
        connection.execute("UPDATE calls SET ended = ended - 100, answered = answered - 100")
    ringful.start()
    deadline = time.monotonic() + PATIENCE
    while not (after := ringful.query(call_id))["pruned"] and time.monotonic() < deadline:
        time.sleep(0.05)
    for name in ("callId", "callee", "state", "outcome", "duration", "billAmount", "direction"):
        assert after[name] == before[name]
    assert after["recordings"][0]["removed"] == before["recordings"][0]["removed"]
    for method in ("Trace", "Script"):
        status, text = ringful.refused(ringful.url(method, callId=call_id))
        assert (status, text.split(":")[0]) == (410, "call.pruned")
    assert ringful.refused(ringful.url("Play", callId=call_id, announcement="x"))[0] == 409
    assert call_id in ringful.command("calls", "list")
    assert read(ringful, "SELECT count(*) FROM posts") == 0


# The command


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recordings").mkdir()
    now = time.time()
    made = [
        recorded(tmp_path / "recordings", "old.wav", now - 91 * DAY, "a"),
        recorded(tmp_path / "recordings", "new.wav", now - DAY, "b"),
        recorded(tmp_path / "recordings", "new-2.wav", now - DAY, "b"),
    ]

    async def fill() -> None:
        async with open_store("sqlite:///ringful.db") as store:
            await store.submit(Write(recordings=made)).wait()

    trio.run(fill)
    return tmp_path


def listed(capsys, *options: str) -> list[str]:
    output, errors, code = command(capsys, "recordings", "list", *options)
    assert (errors, code) == ("", 0)
    return [line.split()[0] for line in output.splitlines()]


def test_recordings_are_listed_and_removed(folder, capsys):
    assert listed(capsys) == ["new-2.wav", "new.wav", "old.wav"]
    assert command(capsys, "recordings", "remove", "--older-than", "90d") == ("1 removed\n", "", 0)
    assert listed(capsys) == ["new-2.wav", "new.wav"]
    assert command(capsys, "recordings", "remove", "new.wav") == ("1 removed\n", "", 0)
    assert command(capsys, "recordings", "remove", "new.wav") == ("0 removed\n", "", 0)
    assert command(capsys, "recordings", "remove", "--call", "b") == ("1 removed\n", "", 0)
    assert listed(capsys) == []
    assert "removed" in command(capsys, "recordings", "list", "--call", "b")[0]
    assert os.listdir(folder / "recordings") == []


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        ((), "name the files, or --call ID, or --older-than 90d", 2),
        (("x.wav",), "there is no recording x.wav; see: ringful recordings list", 1),
        (("--older-than", "ever"), "--older-than: expected a duration such as 90d or 12h, not ever", 2),
        (("--older-than", "off"), "--older-than: expected a duration", 2),
    ],
)
def test_what_is_wrong_with_a_removal_is_said(folder, capsys, arguments, said, code):
    output, errors, ended = command(capsys, "recordings", "remove", *arguments)
    assert (output, ended) == ("", code)
    assert said in errors
    assert len(os.listdir(folder / "recordings")) == 3


# Messages


def message(message_id: str, changed: float, state: MessageState, post: str = "delivered") -> Write:
    made = Message(
        message_id, "K", False, NUMBER, "+15125550000", "a secret text", 0.0, state, changed, call_id="r1-run"
    )
    lines = [Entry(of, 1, 0.0, "event", "MessageSent", {}) for of in (message_id, f"{message_id}-run")]
    told = Post(f"{message_id}.1", "K", message_id, 1, "http://x.example/", {"reply": "text"}, 0.0)
    states = [PostState(told, post, 1, 0.0)]  # type: ignore[arg-type]
    return Write(
        entries=lines, posts=[told], post_states=states, messages=[evolve(made, call_id=f"{message_id}-run")]
    )


async def test_texts_of_old_messages_go_and_their_rows_stay(store, tmp_path, monkeypatch):
    monkeypatch.setattr("ringful.interpreter.calls.retention.PAUSE", 0)
    for n in range(2 * BATCH // 5 + 7):
        await store.submit(message(f"old-{n}", 9 * DAY, "delivered")).wait()
    await store.submit(message("sent", 9 * DAY, "sent")).wait()
    await store.submit(message("new", 11 * DAY, "delivered")).wait()
    await store.submit(message("queued", 9 * DAY, "queued")).wait()
    await store.submit(message("waiting", 9 * DAY, "failed", "pending")).wait()
    await retention(store, tmp_path, keep=90 * DAY).once()
    for gone in ("old-0", f"old-{2 * BATCH // 5 + 6}", "sent"):
        row = await store.message(gone)
        assert (row.text, row.pruned, row.number) == ("", 100 * DAY, NUMBER)
        assert not await store.journal(gone)
        assert not await store.journal(f"{gone}-run")
        assert not await store.posts(gone)
    for kept in ("new", "queued", "waiting"):
        row = await store.message(kept)
        assert (row.text, row.pruned) == ("a secret text", None)
        assert await store.journal(kept)
        assert await store.journal(f"{kept}-run")
        assert await store.posts(kept)


async def test_names_of_parts_are_forgotten_after_a_week_whatever_is_kept(store, tmp_path, monkeypatch):
    monkeypatch.setattr("ringful.interpreter.calls.retention.PAUSE", 0)
    for day in (80, 92.9, 93.1):
        part = RemotePart("smsc", f"id-{day}", "m", 1, day * DAY)
        fragment = FragmentRow("smsc", NUMBER, "+1", f"ref-{day}", 1, 2, "x", day * DAY)
        await store.submit(Write(remote_parts=[part], fragments=[fragment])).wait()
    await retention(store, tmp_path).once()
    assert await store.oldest_part() == 93.1 * DAY
    assert await store.remote_part("smsc", "id-93.1")
    assert await store.remote_part("smsc", "id-92.9") is None
