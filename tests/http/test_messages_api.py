"""The methods that send messages, and say what takes those that come in."""

import json
from decimal import Decimal
from typing import ClassVar

import pytest
import trio
from attrs import evolve

from ringful.grammar.reading.parser import parse
from ringful.interpreter.events import Started
from ringful.interpreter.messages.office import MessageSettings
from ringful.interpreter.messages.prices import Prices
from ringful.interpreter.money.rates import Rate, RateTable
from ringful.messages.port import Incoming, NotNow
from ringful.store.port import MessageFilter, StoreError
from tests.carrier import TestCarrier
from tests.house import HOOK, KEY, OTHER, house
from tests.inside import asked

OWN, ANN = "+15125550000", "+15125550001"
MAIL = MessageSettings(OWN, usual="smpp", operators=frozenset({"1"}), replies={"stop": "bye"})
CLUB = """
param welcome = "Welcome"
inbound sms "+15125550000" keyword "JOIN"
sms caller "{welcome}. You wrote: {message}"
notify "http://app.example/joined" with { who: caller, word: keyword }
"""

TELLING = f'''
inbound sms "{OWN}" keyword "JOIN"
sms caller "You are in." notify "{HOOK}"
'''


@pytest.fixture
async def rig(tmp_path):
    carriers = [TestCarrier(), TestCarrier(carrier="mail", name="mail")]
    async with house(tmp_path, transports=carriers, mail=MAIL) as rig:
        with trio.fail_after(5):
            for carrier in carriers:
                await carrier.up.wait()
        yield rig


async def comes(rig, text, sender=ANN):
    await rig.carriers[0].desk.received(Incoming("test", sender, OWN, text))


async def test_the_seeds_example_sends_a_message_and_tells_the_reply(rig):
    said = await rig.ask("SendReceiveSms", callee="15125550001", message="hello world", callbackUrl=HOOK)
    assert (said.status, said.text) == (200, "")
    await rig.hears("MessageStatus", status="sent")
    (sent,) = rig.carriers[0].sent
    assert (sent.number, sent.sender, sent.text) == (ANN, OWN, "hello world")
    await comes(rig, "hi there")
    await rig.until(lambda: any("reply" in post.fields for post in rig.posts))
    (post,) = [post for post in rig.posts if "reply" in post.fields]
    assert (post.url, post.key) == (HOOK, KEY.key)
    assert (post.fields["from"], post.fields["reply"]) == ("15125550001", "hi there")


async def test_as_json_the_message_and_its_segments_are_told(rig):
    told = await rig.json("SendReceiveSms", callee="15125550001", message="x" * 50, callbackUrl=HOOK)
    assert told["segments"] == 3
    assert (await rig.hears("MessageStatus", status="queued"))["messageId"] == told["messageId"]
    kept = await rig.store.message(told["messageId"])
    assert kept
    assert (kept.text, kept.label) == ("x" * 50, None)


async def test_each_request_is_a_run_with_a_journal_and_no_call(rig):
    told = await rig.json("SendReceiveSms", callee="15125550001", message="hello", label="order 7")
    run_id = told["messageId"].removesuffix(".sms")
    entries = await rig.store.journal(run_id)
    assert [one.name for one in entries if "Timer" not in one.name] == [
        "Started",
        "SendMessage",
        "MessageTaken",
        "Ended",
    ]
    assert (await rig.json("QueryCalls"))["calls"] == []
    assert (await rig.store.message(told["messageId"])).label == "order 7"
    assert not rig.switchboard.live


async def test_a_one_off_goes_by_the_operators_gateway(rig):
    said = await rig.ask("SendSms", callee="15125550001", message="hello", operator="1")
    assert (said.status, said.text) == (200, "")
    await rig.until(lambda: rig.carriers[1].sent)
    assert [(one.operator, one.text) for one in rig.carriers[1].sent] == [("1", "hello")]
    assert not rig.carriers[0].sent


async def test_without_a_carrier_the_method_says_which_key_is_missing(tmp_path):
    async with house(tmp_path) as rig:
        for method, given, key in (
            ("SendReceiveSms", {}, "sms.transport"),
            ("SendSms", {"operator": "1"}, "sms.mail"),
        ):
            said = await rig.ask(method, callee="15125550001", message="hello", **given)
            assert (said.status, said.code) == (503, "message.unavailable")
            assert key in said.text


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"callee": ""}, 400, "callee.missing"),
        ({"message": ""}, 400, "message.missing"),
        ({"message": "   \n "}, 400, "message.missing"),
        ({"callee": "abc"}, 400, "callee.invalid"),
        ({"callee": "12"}, 400, "callee.invalid"),
        ({"callee": "sip:a@b"}, 400, "callee.invalid"),
        ({"callee": "1" * 40}, 400, "callee.invalid"),
        ({"callee": "+1512555\u0660\u0660\u0660\u0661"}, 400, "callee.invalid"),
        ({"callee": "447911123456"}, 403, "message.notallowed"),
        ({"message": "x" * 10_001}, 400, "message.invalid"),
        ({"message": "a\0b"}, 400, "message.invalid"),
        ({"callbackUrl": "ftp://x/y"}, 400, "callbackUrl.invalid"),
        ({"callbackUrl": "nonsense"}, 400, "callbackUrl.invalid"),
        ({"operator": "1"}, 400, "operator.unknown"),
        ({"mesage": "x"}, 400, "mesage.unknown"),
        ({"label": "x" * 300}, 400, "label.invalid"),
    ],
)
async def test_what_cannot_be_sent_is_refused_and_nothing_is_kept(rig, given, status, code):
    said = await rig.ask("SendReceiveSms", **{"callee": "15125550001", "message": "hello", **given})
    assert (said.status, said.code) == (status, code), said
    assert not await rig.store.find_messages(MessageFilter())


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"message": "x" * 139}, 200, ""),
        ({"message": "x" * 140}, 400, "message.invalid"),
        ({"operator": ""}, 400, "operator.missing"),
        ({"operator": "5"}, 400, "operator.invalid"),
        ({"operator": "one"}, 400, "operator.invalid"),
        ({"operator": "2"}, 503, "message.unavailable"),
        ({"callbackUrl": HOOK}, 400, "callbackUrl.unknown"),
    ],
)
async def test_what_a_one_off_may_be(rig, given, status, code):
    given = {"callee": "15125550001", "message": "hello", "operator": "1", **given}
    said = await rig.ask("SendSms", **given)
    assert (said.status, said.code) == (status, code), said


async def test_a_message_may_have_lines_and_any_characters(rig):
    for text in ("two\nlines", "tab\tbed", "😀 é € {x}", '"quoted" \\ {name}', "#comment", "'; DROP TABLE"):
        await rig.get("SendReceiveSms", callee="15125550001", message=text)
        await rig.until(lambda text=text: text in [one.text for one in rig.carriers[0].sent])


async def test_who_wants_no_more_is_refused_at_once(rig):
    await comes(rig, "STOP")
    said = await rig.ask("SendReceiveSms", callee="15125550001", message="hello")
    assert (said.status, said.code) == (403, "message.optedout")
    assert "START" in said.text


async def test_the_same_request_again_sends_nothing_more(tmp_path):
    carrier = TestCarrier()
    async with house(tmp_path, transports=[carrier], mail=MAIL) as rig:
        given = {"callee": "15125550001", "message": "hello", "seq": "7"}
        first = await rig.json("SendReceiveSms", **given)
        again = await rig.json("SendReceiveSms", **given)
        assert first == again
        assert len(await rig.store.find_messages(MessageFilter())) == 1


# Keywords


async def upload(rig, name, text):
    answer = await asked(
        rig.app, f"/Script/apikey/{KEY.key}", {"name": name}, text, content_type="text/plain"
    )
    assert answer.status == 200, answer


async def test_a_script_answers_a_keyword(rig):
    await upload(rig, "club", CLUB)
    await rig.get("Keyword", number="15125550000", keyword="join", script="club", welcome="Hello")
    await comes(rig, "Join us!")
    await rig.until(lambda: rig.carriers[0].sent)
    (sent,) = rig.carriers[0].sent
    assert (sent.number, sent.sender, sent.text) == (ANN, OWN, "Hello. You wrote: Join us!")
    await rig.until(lambda: any(post.url.endswith("/joined") for post in rig.posts))
    (post,) = [post for post in rig.posts if post.url.endswith("/joined")]
    assert (post.fields["who"], post.fields["word"]) == (ANN, "JOIN")
    await rig.quiet()
    (incoming,) = [one for one in await rig.store.find_messages(MessageFilter()) if one.inbound]
    assert incoming.call_id == incoming.message_id.removesuffix(".sms")
    assert (await rig.store.call(incoming.call_id)).outcome == "completed"


async def test_a_url_is_told_of_a_keyword(rig):
    await rig.get("Keyword", number="15125550000", keyword="*", callbackUrl=HOOK)
    await comes(rig, "anything")
    told = await rig.hears("MessageReceived")
    assert (told["from"], told["to"], told["message"]) == ("15125550001", "15125550000", "anything")


async def test_keywords_are_listed_and_removed_and_are_a_keys_own(rig):
    await rig.get("Keyword", number="15125550000", keyword="Café", callbackUrl=HOOK)
    assert (await rig.get("Keyword")).split() == [OWN, "CAFE", HOOK]
    said = await rig.ask("Keyword", OTHER, number="15125550000", keyword="cafe", callbackUrl=HOOK)
    assert (said.status, said.code) == (409, "keyword.taken")
    assert (await rig.ask("Keyword", OTHER)).text == ""
    said = await rig.ask("KeywordRemove", OTHER, number="15125550000", keyword="cafe")
    assert (said.status, said.code) == (404, "keyword.unknown")
    await rig.get("KeywordRemove", number="15125550000", keyword="CAFÉ")
    assert await rig.get("Keyword") == ""
    await comes(rig, "cafe")
    assert not rig.told("MessageReceived")


async def test_a_number_that_another_key_takes_calls_at_is_not_had(rig):
    await rig.ask("Number", OTHER, number="15125550009", callbackUrl=HOOK)
    said = await rig.ask("Keyword", number="15125550009", keyword="JOIN", callbackUrl=HOOK)
    assert (said.status, said.code) == (409, "number.taken")


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"number": ""}, 400, "number.missing"),
        ({"number": "x"}, 400, "number.invalid"),
        ({"keyword": ""}, 400, "keyword.missing"),
        ({"keyword": "two words"}, 400, "keyword.invalid"),
        ({"keyword": "x" * 31}, 400, "keyword.invalid"),
        ({"keyword": "Stop"}, 400, "keyword.invalid"),
        ({"keyword": "help"}, 400, "keyword.invalid"),
        ({"keyword": "日本語"}, 200, ""),
        ({"keyword": "ПРИВЕТ"}, 200, ""),
        ({"keyword": "🎉"}, 200, ""),
        ({"keyword": "**"}, 200, ""),
        ({"keyword": "\u202e\u200b"}, 200, ""),
        ({"callbackUrl": ""}, 400, "script.missing"),
        ({"callbackUrl": "x"}, 400, "callbackUrl.invalid"),
        ({"script": "none"}, 404, "script.unknown"),
        ({"version": "1"}, 400, "version.invalid"),
        ({"nonsense": "1"}, 400, "nonsense.unknown"),
    ],
)
async def test_what_a_keyword_may_be(rig, given, status, code):
    given = {"number": "15125550000", "keyword": "JOIN", "callbackUrl": HOOK, **given}
    said = await rig.ask("Keyword", **given)
    assert (said.status, said.code) == (status, code), said


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ('inbound sms "+15125550009"\nsms caller "x"\n', "+15125550009"),
        ('inbound sms "+15125550000" keyword "LEAVE"\nsms caller "x"\n', "LEAVE"),
        ('inbound "+15125550000"\nanswer\n', "inbound sms"),
        ('sms "+15125550001" "x"\n', "inbound sms"),
    ],
)
async def test_a_script_that_takes_other_messages_is_refused(rig, script, why):
    await upload(rig, "other", script)
    said = await rig.ask("Keyword", number="15125550000", keyword="JOIN", script="other")
    assert (said.status, said.code) == (422, "keyword.script")
    assert why in said.text


async def test_a_param_in_the_header_is_given_the_number_and_the_keyword(rig):
    await upload(rig, "any", 'param box\nparam word\ninbound sms box keyword word\nsms caller "got {word}"\n')
    await rig.get("Keyword", number="15125550000", keyword="join", script="any")
    await comes(rig, "join")
    await rig.until(lambda: rig.carriers[0].sent)
    assert rig.carriers[0].sent[0].text == "got JOIN"


async def test_messages_wait_for_no_line(tmp_path):
    carrier = TestCarrier()
    poor = evolve(KEY, concurrent=1, calls_per_second=0.01)
    async with house(tmp_path, transports=[carrier], mail=MAIL) as rig:
        await rig.store.put_key(poor)
        for n in range(20):
            await rig.get("SendReceiveSms", callee="15125550001", message=f"{n}")
        await rig.until(lambda: len(carrier.sent) == 20)
        assert [one.text for one in carrier.sent] == [str(n) for n in range(20)]


async def test_json_bodies_do_as_well(rig):
    answer = await asked(
        rig.app,
        f"/SendReceiveSms/apikey/{KEY.key}",
        body=json.dumps({"callee": "15125550001", "message": "a\nb"}),
        content_type="application/json",
        accept="application/json",
    )
    assert answer.status == 200
    assert json.loads(answer.body)["segments"] == 1


class Unkept:
    """A write that the store did not take."""

    async def wait(self):
        raise StoreError("the disk is full")

    def then(self, told):
        told("the disk is full")


@pytest.mark.parametrize("way", ["of a request", "of a call"])
async def test_a_message_that_the_store_did_not_take_costs_nothing(rig, monkeypatch, way):
    till, submit = rig.switchboard.till, rig.store.submit
    till.rates = RateTable((Rate(per_minute=Decimal(0), per_segment=Decimal("0.02")),))
    till.open(KEY.key, Decimal(0), None)
    asked = []

    def fails(write):
        if any(one.state == "queued" for one in write.get("messages", ())):
            asked.append(write)
            return Unkept()
        return submit(write)

    monkeypatch.setattr(rig.store, "submit", fails)
    if way == "of a request":
        said = await rig.ask("SendReceiveSms", callee="15125550001", message="hello", callbackUrl=HOOK)
        assert said.status == 503
    else:
        script = parse('wait 10ms\nsms "15125550001" "hello"\n')
        await rig.switchboard.place(KEY, rig.switchboard.new_id(), Started(script))
        await rig.quiet()
    await rig.until(lambda: asked and till.ledger.committed(KEY.key, till.clock()) == 0)
    assert rig.carriers[0].sent == []
    assert await rig.store.spent(KEY.key) == 0


# The store fails


def when_submitting(monkeypatch, rig, does):
    """Let *does* have its way with each write's commit, once it is submitted."""
    real = rig.store.submit
    monkeypatch.setattr(rig.store, "submit", lambda write: does(real, write))


def refusing(real, _write):
    class Refused:
        async def wait(self):
            await trio.lowlevel.checkpoint()
            raise StoreError("the disk is full")

        def then(self, told):
            told("the disk is full")

    return Refused()


class Priced(Prices):
    """Every message costs a cent."""

    back: ClassVar[list] = []

    def outgoing(self, _number, _segments):
        return Decimal("0.01")

    def pay(self, _key, _amount):
        return ""

    def refund(self, _key, amount):
        self.back.append(amount)


async def test_what_cannot_be_kept_is_refused_not_told_and_not_sent(rig, monkeypatch):
    rig.office.prices = Priced()
    with monkeypatch.context() as patch:
        when_submitting(patch, rig, refusing)
        said = await rig.ask("SendReceiveSms", callee=ANN, message="hello", callbackUrl=HOOK)
    assert said.status == 503
    await rig.settle()
    assert not rig.posts
    assert rig.office.prices.back == [Decimal("0.01")]
    await rig.get("SendReceiveSms", callee=ANN, message="again", callbackUrl=HOOK)
    await rig.hears("MessageStatus", status="sent")
    assert [one.text for one in rig.carriers[0].sent] == ["again"]


async def test_a_script_is_not_run_for_a_message_that_cannot_be_kept(rig, monkeypatch):
    await upload(rig, "club", TELLING)
    await rig.get("Keyword", number=OWN, keyword="JOIN", script="club")
    with monkeypatch.context() as patch:
        when_submitting(patch, rig, refusing)
        with pytest.raises(NotNow, match="could not be stored"):
            await comes(rig, "join")
        await rig.hears("MessageStatus", status="failed")
        await rig.quiet()
    # What the run had asked for has its outcome, and it is told.
    told = [post["status"] for post in rig.told("MessageStatus")]
    assert told == ["queued", "failed"]
    assert not rig.carriers[0].sent
    await comes(rig, "join")
    await rig.hears("MessageStatus", status="sent")
    assert len(rig.carriers[0].sent) == 1
