"""What a bind does in time: how fast, how soon again, how long it waits; all of it in virtual time."""

from itertools import pairwise

import trio

from ringful.messages.smpp import codec
from ringful.messages.smpp.codec import Pdu
from ringful.messages.smpp.connection import SmppConnection
from ringful.messages.smpp.transport import SmppTransport
from tests.messages.desk import NotingDesk
from tests.messages.scripted import ScriptedSmsc, install

LONG = "x" * 400
DAY = 86400.0


def carry(nursery, desk, *, binds=1, **options):
    connection = SmppConnection("smsc:2775", "ringful", password="secret", name="one", binds=binds, **options)
    # The pauses are as long as they can be.
    transport = SmppTransport([connection], clock=lambda: 1.8e9, random=lambda: 1.0)
    nursery.start_soon(transport.run, desk)


def smsc_of(monkeypatch, nursery, **options):
    smsc = ScriptedSmsc(nursery, **options)
    install(monkeypatch, smsc)
    return smsc


def steps(times):
    return [round(after - before, 3) for before, after in pairwise(times)]


class SlowDesk(NotingDesk):
    """Takes its time with what is brought, and counts how much of it comes at once."""

    open = most = 0

    async def _bring(self, brought):
        self.open += 1
        self.most = max(self.most, self.open)
        await trio.sleep(0.1)
        self.open -= 1
        self.brought.append(brought)


async def test_who_cannot_be_reached_is_tried_ever_more_seldom(nursery, autojump_clock, monkeypatch):
    smsc = smsc_of(monkeypatch, nursery)
    smsc.connects.extend([ConnectionRefusedError(111, "Connection refused")] * 9)
    desk = NotingDesk(patience=DAY)
    carry(nursery, desk)
    await desk.told("up")
    assert steps(smsc.attempts) == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    # And each reason is told once.
    assert desk.notes == [
        ("down", "one", "the SMSC cannot be reached: Connection refused"),
        ("up", "one", ""),
    ]


async def test_a_wrong_password_is_tried_once_a_minute_and_then_more_seldom(
    nursery, autojump_clock, monkeypatch
):
    smsc = smsc_of(monkeypatch, nursery, bind_status=0x0E)
    desk = NotingDesk(patience=DAY)
    carry(nursery, desk)
    with trio.move_on_after(3000):
        await trio.sleep_forever()
    assert steps(smsc.attempts) == [60, 120, 240, 480, 600, 600, 600]
    smsc.bind_status = 0
    await desk.told("up")
    reason = "the SMSC refused the bind: 0x0000000E ESME_RINVPASWD: the password is wrong"
    assert desk.of("down") == [("one", reason)]


async def test_a_bind_that_is_not_answered_is_given_up(nursery, autojump_clock, monkeypatch):
    smsc = smsc_of(monkeypatch, nursery, bind_status=None)
    desk = NotingDesk(patience=DAY)
    carry(nursery, desk, response_timeout=20.0)
    assert await desk.told("down") == [("one", "the SMSC did not answer within 20 s")]
    assert trio.current_time() - smsc.attempts[0] == 20


async def test_a_bind_that_was_good_is_made_again_at_once(nursery, autojump_clock, monkeypatch):
    smsc = smsc_of(monkeypatch, nursery)
    smsc.connects.extend([OSError(111, "no")] * 6)
    desk = NotingDesk(patience=DAY)
    carry(nursery, desk)
    await desk.told("up")
    for n in range(3):
        await trio.sleep(15)
        await smsc.streams[-1].aclose()
        await desk.told("up", n + 2)
    assert steps(smsc.attempts)[-3:] == [16.0] * 3
    assert desk.of("down")[1:] == [("one", "the SMSC closed the connection")] * 3


async def test_a_bind_that_ends_at_once_counts_as_a_failure(nursery, autojump_clock, monkeypatch):
    smsc = smsc_of(monkeypatch, nursery)
    desk = NotingDesk(patience=DAY)
    carry(nursery, desk)
    for n in range(4):
        await desk.told("up", n + 1)
        await smsc.streams[-1].aclose()
    await desk.told("up", 5)
    assert steps(smsc.attempts) == [1, 2, 4, 8]


async def test_a_throughput_holds_for_all_binds_together(nursery, autojump_clock, monkeypatch):
    smsc = smsc_of(monkeypatch, nursery)
    desk = NotingDesk(patience=DAY)
    carry(nursery, desk, binds=3, throughput=4.0)
    for _ in range(10):
        desk.put(LONG)
    await desk.told("taken", 30)
    times = [time for time, _ in smsc.submits]
    assert steps(times) == [0.25] * 29


async def test_a_message_is_not_taken_before_it_may_go(nursery, autojump_clock, monkeypatch):
    smsc_of(monkeypatch, nursery)
    desk = NotingDesk(patience=DAY)
    carry(nursery, desk, throughput=0.1)
    for _ in range(5):
        desk.put("a")
    await desk.told("taken", 2)
    await trio.sleep(5)
    assert len(desk._queue) == 3


async def test_an_smsc_that_wants_less_is_left_alone_ever_longer(nursery, autojump_clock, monkeypatch):
    smsc = smsc_of(monkeypatch, nursery)
    smsc.answers.extend([0x58] * 7)
    desk = NotingDesk(returns=True, patience=DAY)
    carry(nursery, desk)
    desk.put("a")
    await desk.told("taken")
    times = [time for time, _ in smsc.submits]
    assert steps(times) == [1, 2, 4, 8, 16, 30, 30]
    assert [note[2] for note in desk.of("again")] == [2, 4, 8, 16, 30, 30, 30]
    smsc.answers.append(0x58)
    desk.put("b")
    await desk.told("taken", 2)
    assert steps([time for time, _ in smsc.submits])[-1] == 1


async def test_a_message_goes_back_only_when_none_of_its_parts_is_open(nursery, autojump_clock, monkeypatch):
    smsc = smsc_of(monkeypatch, nursery, delay=5.0)
    smsc.answers.extend([0x58, 0, 0])
    desk = NotingDesk(patience=DAY)
    carry(nursery, desk)
    desk.put(LONG)
    await desk.told("again")
    assert [note[0] for note in desk.notes] == ["up", "taken", "taken", "again"]


async def test_after_a_refusal_no_further_part_goes(nursery, autojump_clock, monkeypatch):
    smsc = smsc_of(monkeypatch, nursery, delay=1.0)
    smsc.answers.extend([0, 0x0B])
    desk = NotingDesk(patience=DAY)
    carry(nursery, desk, window=1)
    desk.put(LONG)
    desk.put("next")
    await desk.told("taken", 2)
    assert [note[:3] for note in desk.notes[1:]] == [
        ("taken", "sms-1", 1),
        ("refused", "sms-1", desk.of("refused")[0][1]),
        ("taken", "sms-2", 1),
    ]
    assert len(smsc.submits) == 3


async def test_an_error_there_that_will_pass_comes_again_later(nursery, autojump_clock, monkeypatch):
    smsc = smsc_of(monkeypatch, nursery)
    smsc.answers.extend([0x08])
    desk = NotingDesk(patience=DAY)
    carry(nursery, desk)
    desk.put("a")
    desk.put("b")
    await desk.told("taken")
    await desk.told("again")
    assert [(note[0], note[2]) for note in desk.of("again")] == [("sms-1", 30.0)]


async def test_an_smsc_that_forgot_the_bind_is_bound_to_again(nursery, autojump_clock, monkeypatch):
    smsc = smsc_of(monkeypatch, nursery)
    smsc.answers.extend([0x04])
    desk = NotingDesk(returns=True, patience=DAY)
    carry(nursery, desk)
    desk.put("a")
    await desk.told("taken")
    assert len(smsc.attempts) == 2
    assert desk.of("unsure") == []


async def test_of_a_long_message_each_open_part_is_unsure_and_the_rest_is_not(
    nursery, autojump_clock, monkeypatch
):
    smsc = smsc_of(monkeypatch, nursery)
    smsc.answers.extend([0, None, None])
    desk = NotingDesk(patience=DAY)
    carry(nursery, desk, window=2)
    desk.put(LONG + LONG)
    told = await desk.told("unsure", 2)
    assert [note[1] for note in told] == [2, 3]
    assert [note[1] for note in desk.of("taken")] == [1]
    assert desk.of("again") == []


async def test_what_waits_for_room_goes_back_when_the_server_ends(nursery, autojump_clock, monkeypatch):
    smsc = smsc_of(monkeypatch, nursery)
    smsc.answers.extend([0, None])
    desk = NotingDesk(patience=DAY)
    async with trio.open_nursery() as inner:
        carry(inner, desk, window=1)
        desk.put(LONG)
        await desk.told("taken")
        await trio.sleep(1)
        inner.cancel_scope.cancel()
    # The second part was never answered, within the grace; the third was never written.
    assert [note[:3] for note in desk.notes[1:]] == [
        ("taken", "sms-1", 1),
        ("unsure", "sms-1", 2),
        ("down", "one", "the server is ending"),
    ]
    assert smsc.commands[-1] == codec.UNBIND


async def test_a_message_none_of_which_was_written_goes_back(nursery, autojump_clock, monkeypatch):
    smsc = smsc_of(monkeypatch, nursery)
    desk = NotingDesk(patience=DAY)
    async with trio.open_nursery() as inner:
        carry(inner, desk, binds=2, throughput=0.01)
        await desk.told("up")
        await trio.sleep(200)
        desk.put("a")
        desk.put("b")
        await desk.told("taken")
        await trio.sleep(1)
        inner.cancel_scope.cancel()
    assert desk.of("again") == [("sms-2", "the server is ending", 0.0)]
    assert len(smsc.submits) == 1


async def test_silence_is_asked_about_and_ends_the_bind_where_nobody_answers(
    nursery, autojump_clock, monkeypatch
):
    smsc = smsc_of(monkeypatch, nursery)
    desk = NotingDesk(patience=DAY)
    carry(nursery, desk, enquire_link=60.0, response_timeout=10.0)
    await desk.told("up")
    await trio.sleep(200)
    assert 2 <= smsc.commands.count(codec.ENQUIRE_LINK) <= 3
    smsc.delay = 1000
    asked = trio.current_time()
    assert await desk.told("down") == [("one", "the SMSC did not answer within 10 s")]
    assert trio.current_time() - asked <= 72


async def test_what_is_open_when_the_smsc_ends_the_bind_may_still_be_answered(
    nursery, autojump_clock, monkeypatch
):
    smsc = smsc_of(monkeypatch, nursery)
    smsc.answers.extend([0, None])
    desk = NotingDesk(patience=DAY)
    carry(nursery, desk)
    await desk.told("up")
    smsc.delay = 2.0
    desk.put("first")
    desk.put("second")
    await trio.sleep(0.1)
    await smsc.send(smsc.streams[0], Pdu(codec.UNBIND, 0, 77).octets())
    await trio.sleep(0.1)
    desk.put("third")
    await desk.told("unsure")
    assert [note[0] for note in desk.of("taken")] == ["sms-1"]
    assert desk.of("unsure") == [("sms-2", 1, "the SMSC ended the bind")]
    assert codec.UNBIND | codec.RESPONSE in smsc.commands
    assert codec.UNBIND not in smsc.commands
    # What came meanwhile goes by the next bind.
    await desk.told("taken", 2)
    assert len(smsc.attempts) == 2


async def test_one_bind_of_several_may_be_refused(nursery, autojump_clock, monkeypatch, capfd):
    smsc = smsc_of(monkeypatch, nursery)
    smsc.connects.extend([None, *[OSError(111, "no more of you")] * 3])
    desk = NotingDesk(patience=DAY)
    carry(nursery, desk, binds=2)
    await trio.sleep(3)
    desk.put("a")
    await desk.told("taken")
    # The other may have been tried first, when none was up.
    assert [note[0] for note in desk.notes][-2:] == ["up", "taken"]
    assert "".join(capfd.readouterr()).count("one bind of several is down") == 1


async def test_texts_keep_their_order_and_a_flood_is_told_to_come_again(nursery, autojump_clock, monkeypatch):
    smsc = smsc_of(monkeypatch, nursery)
    desk = SlowDesk(patience=DAY)
    carry(nursery, desk)
    await desk.told("up")
    ends = b"\0\x01\x0115125550199\0\x01\x0115125550000\0"

    def deliver(n, text, esm_class=0):
        body = ends + bytes((esm_class, 0, 0, 0, 0, 0, 0, 1, 0, len(text))) + text
        return Pdu(codec.DELIVER_SM, 0, n, body).octets()

    await smsc.streams[0].send_all(b"".join(deliver(n, b"text %d" % n) for n in range(1000)))
    await trio.sleep(60)
    assert desk.most == 1
    assert [one.text for one in desk.brought] == [f"text {n}" for n in range(len(desk.brought))]
    assert 100 <= len(desk.brought) <= 102
    # Each was answered: kept, or to come again.
    assert smsc.commands.count(codec.DELIVER_SM | codec.RESPONSE) == 1000
    await smsc.streams[0].send_all(b"".join(deliver(n, b"id:7 stat:DELIVRD", 4) for n in range(50)))
    await trio.sleep(60)
    assert desk.most == 10
