"""Against SMSCs that none of us wrote, over real sockets: texts, receipts, refusals, and losses."""

from contextlib import asynccontextmanager
from datetime import datetime

import pytest
import trio

from ringful.messages.port import Fragment, Incoming, Receipt
from ringful.messages.segments import decode_gsm, encode_gsm, header
from ringful.messages.smpp.connection import SmppConnection
from ringful.messages.smpp.transport import SmppTransport
from tests.messages.desk import NotingDesk
from tests.messages.smscs import running
from tests.server import PATIENCE

NOW = 1_800_000_000.0
LONG = "".join(chr(97 + n % 26) for n in range(400))


@pytest.fixture(params=["smpp34", "npm"])
async def smsc(request):
    async with running(request.param) as smsc:
        yield smsc


@pytest.fixture
async def npm():
    async with running("npm") as smsc:
        yield smsc


@asynccontextmanager
async def carrying(smsc, desk, clock=lambda: NOW, **options):
    """Run a transport over one connection named ``one``."""
    connection = SmppConnection(smsc.address, "ringful", password="secret", name="one", **options)
    transport = SmppTransport([connection], clock=clock, random=lambda: 0.0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(transport.run, desk)
        await smsc.until("bound", options.get("binds", 1))
        yield transport
        nursery.cancel_scope.cancel()


def text_of(smsc, submit):
    """Read a part as the SMSC had it; npm's reads it itself."""
    if smsc.kind == "npm":
        return submit["text"]
    data = bytes.fromhex(submit["hex"])
    data = data[1 + data[0] :] if submit["esm_class"] & 0x40 else data
    return data.decode("utf-16-be") if submit["data_coding"] == 8 else decode_gsm(data)


@pytest.mark.parametrize(
    ("text", "coding"),
    [
        ("Hello, it is 5 o'clock @ home", 0),
        ("5 € [ok] {~} \\ ^|", 0),
        ("Grüße, ΔΩ\nñ", 0),
        ("👍🏽 до свидания", 8),
    ],
)
async def test_a_text_arrives_as_it_was_sent(smsc, text, coding):
    desk = NotingDesk()
    async with carrying(smsc, desk):
        desk.put(text)
        assert await desk.told("taken") == [("sms-1", 1, 1, "one", "m1")]
    (submit,) = smsc.seen("submit")
    assert text_of(smsc, submit) == text
    assert (submit["data_coding"], submit["registered"], submit["esm_class"]) == (coding, 1, 0)
    assert submit["source"] == [1, 1, "15125550000"]
    assert submit["destination"] == [1, 1, "15125550199"]
    assert desk.of("up") == [("one", "")]


async def test_a_long_text_arrives_in_parts_that_belong_together(smsc):
    desk = NotingDesk()
    async with carrying(smsc, desk):
        desk.put(LONG)
        told = await desk.told("taken", 3)
    assert sorted(note[1:3] for note in told) == [(1, 3), (2, 3), (3, 3)]
    submits = smsc.seen("submit")
    if smsc.kind == "smpp34":
        # It hands over what came at once in any order.
        submits.sort(key=lambda one: one["hex"][:12])
    assert "".join(text_of(smsc, one) for one in submits) == LONG
    assert all(one["esm_class"] & 0x40 for one in submits)
    if smsc.kind == "npm":
        headers = [bytes.fromhex(one["udh"][0]) for one in submits]
    else:
        headers = [bytes.fromhex(one["hex"])[1:6] for one in submits]
    assert [tuple(one[-2:]) for one in headers] == [(3, 1), (3, 2), (3, 3)]
    assert {one[:3] for one in headers} == {bytes((0, 3, headers[0][2]))}


async def test_parts_that_were_taken_are_not_sent_again(smsc):
    desk = NotingDesk()
    async with carrying(smsc, desk):
        desk.put(LONG, taken=frozenset({1, 3}))
        assert [note[1] for note in await desk.told("taken")] == [2]
    assert [text_of(smsc, one) for one in smsc.seen("submit")] == [LONG[153:306]]


async def test_a_connection_whose_default_is_latin1(npm):
    await npm.do("alphabet", **{"is": "LATIN1"})
    desk = NotingDesk()
    async with carrying(npm, desk, alphabet="latin1"):
        desk.put("Grüße [@]")
        desk.put("5 €")
        await desk.told("taken", 2)
        await npm.deliver("Tschüß @".encode("latin-1"))
        await desk.until(lambda: desk.brought)
    assert [(one["text"], one["data_coding"]) for one in npm.seen("submit")] == [("Grüße [@]", 0), ("5 €", 8)]
    assert desk.brought[0].text == "Tschüß @"


async def test_senders_are_of_the_kind_that_they_look_like(smsc):
    desk = NotingDesk()
    async with carrying(smsc, desk):
        for count, sender in enumerate(("12345", "Ringful", "", "5125550000123"), 1):
            desk.put("a", sender=sender)
            await desk.told("taken", count)
        desk.put("a", sender="Größenwahn")
        desk.put("a", number="Ringful")
        refused = await desk.told("refused", 2)
    sources = [one["source"] for one in smsc.seen("submit")]
    assert sources == [[3, 0, "12345"], [5, 0, "Ringful"], [0, 0, ""], [0, 1, "5125550000123"]]
    assert [note[1] for note in refused] == [
        "`Größenwahn` can be no sender: a name has at most 11 letters, digits and spaces",
        "`Ringful` is no number",
    ]


async def test_a_text_is_valid_as_long_as_it_is_wanted(npm):
    desk = NotingDesk()
    # The SMSC reads a relative time by the clock that we all have.
    now = datetime.now().timestamp()
    async with carrying(npm, desk, clock=lambda: now):
        desk.put("a", expires=now + 3 * 86400 + 3600.5)
        desk.put("b", expires=now + 0.2)
        desk.put("c")
        desk.put("d", expires=now)
        await desk.told("taken", 3)
        assert await desk.told("refused") == [("sms-4", "it expired before the SMSC could take it")]
    first, second, third = (one["validity"] for one in npm.seen("submit"))
    assert abs(datetime.fromisoformat(first).timestamp() - now - 3 * 86400 - 3601) < PATIENCE
    assert abs(datetime.fromisoformat(second).timestamp() - now - 1) < PATIENCE
    assert third == ""


async def test_a_text_is_valid_until_an_absolute_time(npm):
    desk = NotingDesk()
    async with carrying(npm, desk, validity="absolute"):
        desk.put("a", expires=NOW + 90)
        await desk.told("taken")
    found = npm.seen("submit")[0]["validity"]
    assert datetime.fromisoformat(found).timestamp() == NOW + 90


# Receipts and texts that come in


@pytest.mark.parametrize(
    ("ids", "option", "answered", "named", "kept"),
    [
        ("0000ABCD", "same", "0000ABCD", "abcd", "abcd"),
        ("7b3f", "hex-to-decimal", "7B3F", "0000031551", "31551"),
        ("31551", "decimal-to-hex", "31551", "7B3F", "31551"),
        ("a-7_Z", "same", "a-7_Z", "a-7_Z", "a-7_Z"),
    ],
)
async def test_receipts_find_their_message(smsc, ids, option, answered, named, kept):
    desk = NotingDesk()
    await smsc.do("answer", how="ok", ids=[ids])
    dates = "submit date:2601010000 done date:2601010001"
    text = f"id:{named} sub:001 dlvrd:001 {dates} stat:DELIVRD err:000 text:stat:UNDELIV"
    async with carrying(smsc, desk, receipt_ids=option):
        desk.put("a")
        assert (await desk.told("taken"))[0][-1] == kept
        await smsc.deliver(text.encode(), esm_class=4)
        await smsc.until("acknowledged")
    assert desk.brought == [Receipt("one", kept, "delivered")]
    assert smsc.seen("acknowledged") == [{"event": "acknowledged", "status": 0}]


async def test_a_receipt_of_parameters_alone(smsc):
    desk = NotingDesk()
    async with carrying(smsc, desk):
        await smsc.deliver(esm_class=4, receipted_message_id="m1", message_state=1)
        await smsc.deliver(esm_class=4, receipted_message_id="m1", message_state=5)
        await smsc.until("acknowledged", 2)
    assert desk.brought == [Receipt("one", "m1", "failed", "UNDELIV: the network could not deliver it")]


async def test_texts_come_in(smsc):
    desk = NotingDesk()
    first, second = (header(7, n, 2) + encode_gsm(text) for n, text in ((1, "Yes, "), (2, "please €")))
    async with carrying(smsc, desk):
        await smsc.deliver(encode_gsm("STOP @"))
        await smsc.until("acknowledged", 1)
        await smsc.deliver("до 👍".encode("utf-16-be"), data_coding=8)
        await smsc.until("acknowledged", 2)
        await smsc.deliver(first, esm_class=0x40)
        await smsc.until("acknowledged", 3)
        await smsc.deliver(second, esm_class=0x40)
        await smsc.until("acknowledged", 4)
        sar = {"sar_msg_ref_num": 300, "sar_total_segments": 2, "sar_segment_seqnum": 2}
        await smsc.deliver(b"end", **sar)
        await smsc.until("acknowledged", 5)
        await smsc.deliver(payload=b"long" * 100, source_addr="Bank", source_addr_ton=5)
        await smsc.until("acknowledged", 6)
    numbers = ("one", "+15125550199", "+15125550000")
    assert desk.brought == [
        Incoming(*numbers, "STOP @"),
        Incoming(*numbers, "до 👍"),
        Incoming(*numbers, "Yes, ", Fragment("8-7", 1, 2)),
        Incoming(*numbers, "please €", Fragment("8-7", 2, 2)),
        Incoming(*numbers, "end", Fragment("sar-300", 2, 2)),
        Incoming("one", "Bank", "+15125550000", "long" * 100),
    ]
    assert {one["status"] for one in smsc.seen("acknowledged")} == {0}


async def test_what_is_not_kept_is_not_acknowledged(smsc):
    desk = NotingDesk(fails=2)
    async with carrying(smsc, desk):
        for count, esm_class in enumerate((0, 4, 0, 4), 1):
            await smsc.deliver(b"id:m1 stat:DELIVRD", esm_class=esm_class)
            await smsc.until("acknowledged", count)
    assert [one["status"] for one in smsc.seen("acknowledged")] == [0x64, 0x64, 0, 0]
    assert len(desk.brought) == 2


# Refusals


async def test_what_the_smsc_refuses_is_told_with_its_reason(smsc):
    desk = NotingDesk()
    await smsc.do("answer", how="refuse", status=0x0B)
    async with carrying(smsc, desk):
        desk.put("a")
        told = await desk.told("refused")
    reason = "the SMSC refused it: 0x0000000B ESME_RINVDSTADR: it does not know such a number"
    assert told == [("sms-1", reason)]
    assert [note[0] for note in desk.notes if note[0] not in ("up", "down")] == ["refused"]


async def test_a_part_that_is_too_much_goes_back_and_comes_again(smsc):
    status = 0x58 if smsc.kind == "npm" else 0x14
    desk = NotingDesk(returns=True)
    await smsc.do("answer", how="some", statuses=[0, status])
    async with carrying(smsc, desk, window=1):
        desk.put(LONG)
        desk.put("short")
        await desk.told("taken", 4)
    parts = [("sms-1", 1), ("sms-1", 2), ("sms-1", 3), ("sms-2", 1)]
    assert sorted(note[:2] for note in desk.of("taken")) == parts
    again = desk.of("again")
    assert again
    assert all(note[1].startswith(f"the SMSC takes it later: 0x{status:08X}") for note in again)
    assert all(note[2] >= 1.0 for note in again)
    assert not desk.of("refused")
    assert not desk.of("unsure")


async def test_a_wrong_password_is_told_and_not_tried_again_at_once(npm):
    await npm.do("password", **{"is": "other"})
    desk = NotingDesk()
    connection = SmppConnection(npm.address, "ringful", password="secret", name="one")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(SmppTransport([connection]).run, desk)
        await npm.until("denied")
        told = await desk.told("down")
        nursery.cancel_scope.cancel()
    reason = "the SMSC refused the bind: 0x0000000E ESME_RINVPASWD: the password is wrong"
    assert told == [("one", reason)]
    assert "secret" not in str(desk.notes) + repr(connection)


# Losses


async def test_an_smsc_goes_away_and_comes_back(npm):
    desk = NotingDesk(returns=True)
    await npm.do("answer", how="hold", until=1000)
    async with carrying(npm, desk):
        for n in range(30):
            desk.put(f"text {n}")
        await npm.until("submit", 10)
        await npm.do("away")
        unsure = await desk.told("unsure", 10)
        # Exactly those that were open: of the others nothing had been written.
        assert [note[:2] for note in unsure] == [(f"sms-{n}", 1) for n in range(1, 11)]
        await desk.told("down")
        await npm.do("answer", how="ok")
        await npm.do("back")
        await desk.told("taken", 30)
    assert {note[0] for note in desk.of("taken")} == {f"sms-{n}" for n in range(1, 31)}
    assert len(desk.of("unsure")) == 10
    assert not desk.of("refused")
    assert len(npm.seen("submit")) == 40
    assert [note[0] for note in desk.notes if note[0] in ("up", "down")][:3] == ["up", "down", "up"] or (
        desk.of("down")[1][1].startswith("the SMSC cannot be reached")
    )


async def test_where_only_once_is_wanted_an_open_text_fails(npm):
    desk = NotingDesk()
    await npm.do("answer", how="drop")
    async with carrying(npm, desk, unsure="fail"):
        desk.put("a")
        ((name, reason),) = await desk.told("refused")
    assert name == "sms-1"
    assert reason.startswith("nobody can know whether it arrived: the ")


async def test_answers_that_come_twice_or_unasked_change_nothing(npm, capfd):
    desk = NotingDesk()
    await npm.do("answer", how="twice")
    async with carrying(npm, desk):
        for n in range(20):
            desk.put(f"text {n}")
        await desk.told("taken", 20)
        await npm.do("enquire")
        await npm.until("here")
    assert [note[0] for note in desk.of("taken")] == [f"sms-{n}" for n in range(1, 21)]
    told = "".join(capfd.readouterr())
    assert told.count("an answer that nobody waits for") == 1


async def test_answers_may_come_in_any_order(npm):
    desk = NotingDesk()
    await npm.do("answer", how="hold", until=5, ids=["e", "d", "c", "b", "a"])
    async with carrying(npm, desk):
        for n in range(5):
            desk.put(f"text {n}")
        await desk.told("taken", 5)
    assert [(note[0], note[-1]) for note in desk.of("taken")] == [
        ("sms-5", "e"),
        ("sms-4", "d"),
        ("sms-3", "c"),
        ("sms-2", "b"),
        ("sms-1", "a"),
    ]


async def test_a_submit_that_is_never_answered_ends_the_bind(npm):
    desk = NotingDesk(returns=True)
    await npm.do("answer", how="never")
    async with carrying(npm, desk, response_timeout=0.5, enquire_link=0.2):
        desk.put("a")
        assert await desk.told("unsure") == [("sms-1", 1, "the SMSC did not answer within 0.5 s")]
        await npm.do("answer", how="ok")
        await npm.until("bound", 2)
        assert (await desk.told("taken"))[0][0] == "sms-1"


async def test_a_quiet_smsc_is_asked_whether_it_is_there(npm):
    desk = NotingDesk()
    async with carrying(npm, desk, enquire_link=0.1):
        await npm.until("enquired", 3)
        await npm.do("enquire")
        assert await npm.until("here") == [{"event": "here", "status": 0}]
    assert not [note for note in desk.of("down") if note[1] != "the server is ending"]


async def test_an_smsc_may_end_the_bind(npm):
    desk = NotingDesk()
    async with carrying(npm, desk):
        await npm.do("unbind")
        await desk.told("down")
        await npm.until("bound", 2)
        await desk.told("up", 2)
        desk.put("a")
        await desk.told("taken")
    assert desk.of("down")[0] == ("one", "the SMSC ended the bind")


# Windows


@pytest.mark.parametrize("binds", [1, 3])
async def test_the_window_is_never_exceeded(smsc, binds):
    desk = NotingDesk()
    await smsc.do("answer", how="late", after=50)
    async with carrying(smsc, desk, binds=binds, window=4):
        for _ in range(25):
            desk.put(LONG)
        await desk.told("taken", 75)
    submits = smsc.seen("submit")
    # smpp34's counts over all its sessions.
    most = 4 if smsc.kind == "npm" else 4 * binds
    # How often all binds are full in one moment is for the machine to say.
    assert most / 2 < max(one["open"] for one in submits) <= most
    sessions = {one["session"] for one in submits}
    assert len(sessions) == binds
    assert len(smsc.seen("bound")) == binds


async def test_all_parts_of_a_text_go_by_one_bind_in_order(npm):
    desk = NotingDesk()
    await npm.do("answer", how="late", after=5)
    async with carrying(npm, desk, binds=3, window=2):
        for _ in range(10):
            desk.put(LONG)
        await desk.told("taken", 30)
    ways = {}
    for one in npm.seen("submit"):
        ways.setdefault(one["udh"][0][4:6], []).append((one["session"], one["text"]))
    assert len(ways) == 10
    for way in ways.values():
        assert len({session for session, _ in way}) == 1
        assert "".join(text for _, text in way) == LONG


async def test_a_transport_that_ends_waits_for_answers_and_says_goodbye(npm):
    desk = NotingDesk()
    await npm.do("answer", how="late", after=300)
    async with carrying(npm, desk, window=2):
        for n in range(5):
            desk.put(f"text {n}")
        await npm.until("submit", 2)
    assert [note[0] for note in desk.of("taken")] == ["sms-1", "sms-2"]
    assert not desk.of("unsure")
    assert [one["open"] for one in await npm.until("unbound")] == [0]
    assert len(npm.seen("submit")) == 2
