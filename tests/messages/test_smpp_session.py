"""The codec and the session, without any I/O: what is right, what is wrong, and 100,000 of both."""

import random
import struct
from collections import Counter

import pytest
import smpp34
from attrs import evolve

from ringful.messages.smpp import codec, incoming, session
from ringful.messages.smpp.codec import Address, Framer, Malformed, Pdu, Submit
from ringful.messages.smpp.connection import SmppConnection
from ringful.messages.smpp.session import Session
from tests.messages.mutations import deliver_body, mutated, tlv

PART = Submit(Address(1, 1, "15125550000"), Address(1, 1, "15125550199"), b"hello", 0, 0, "", "")
CONNECTION = SmppConnection("127.0.0.1:2775", "ringful")
BOUND = Pdu(codec.BIND_TRANSCEIVER | codec.RESPONSE, 0, 1, b"smsc\0")


def bound(**options):
    made = Session(**options)
    made.bind("ringful", "secret")
    (asked,) = sent(made)
    assert made.receive(evolve(BOUND, sequence=asked.sequence).octets()) == [session.Bound("smsc")]
    return made


def sent(made, now=0.0):
    return list(Framer().feed(made.to_send(now)))


# The codec


def test_a_submit_is_what_another_codec_reads():
    part = evolve(
        PART, payload=b"\x05\x00\x03\x07\x02\x01hi", data_coding=8, esm_class=0x40, service_type="CMT"
    )
    part = evolve(part, validity="000000010000000R", source=Address(5, 0, "Ringful"))
    read = smpp34.decode(Pdu(codec.SUBMIT_SM, 0, 7, codec.submit_body(part)).octets())
    assert isinstance(read, smpp34.SubmitSm)
    assert (read.sequence_number, read.registered_delivery, read.data_coding, read.esm_class) == (
        7,
        1,
        8,
        0x40,
    )
    assert (read.source_addr_ton, read.source_addr_npi, read.source_addr) == (5, 0, "Ringful")
    assert (read.dest_addr_ton, read.dest_addr_npi, read.destination_addr) == (1, 1, "15125550199")
    assert (read.short_message, read.service_type) == (b"\x05\x00\x03\x07\x02\x01hi", "CMT")
    assert (read.validity_period, read.schedule_delivery_time) == ("000000010000000R", "")
    assert (read.protocol_id, read.priority_flag, read.replace_if_present_flag) == (0, 0, 0)


def test_a_deliver_of_another_codec_is_read():
    made = smpp34.DeliverSm(
        "15125550199",
        "12345",
        b"",
        source_addr_ton=1,
        dest_addr_ton=3,
        esm_class=4,
        data_coding=3,
        tlvs=[smpp34.Tlv(smpp34.TLV_MESSAGE_PAYLOAD, b"long"), smpp34.Tlv(0x1500, b"own")],
        sequence_number=9,
    )
    (pdu,) = Framer().feed(made.encode())
    read = codec.read_deliver(pdu.body)
    assert (pdu.sequence, read.source, read.destination) == (
        9,
        Address(1, 0, "15125550199"),
        Address(3, 0, "12345"),
    )
    assert (read.esm_class, read.data_coding, read.payload) == (4, 3, b"long")
    assert read.tlvs == {codec.MESSAGE_PAYLOAD: b"long", 0x1500: b"own"}


@pytest.mark.parametrize(
    "part",
    [
        evolve(PART, destination=Address(1, 1, "1" * 21)),
        evolve(PART, source=Address(5, 0, "Да")),
        evolve(PART, source=Address(5, 0, "a\0b")),
        evolve(PART, payload=bytes(255)),
        evolve(PART, validity="0" * 17),
        evolve(PART, service_type="sixsix"),
    ],
)
def test_nothing_is_cut_off_in_silence(part):
    with pytest.raises(ValueError, match=r"may have at most|cannot carry"):
        codec.submit_body(part)


@pytest.mark.parametrize(("name", "word"), [("s" * 16, "p"), ("s", "p" * 9), ("Größe€", "p")])
def test_credentials_are_not_cut_off_either(name, word):
    with pytest.raises(ValueError, match=r"system ID|password") as refused:
        codec.bind_body(name, word, "")
    assert word * 2 not in str(refused.value)


def test_a_deliver_that_is_cut_short_anywhere_is_malformed():
    body = deliver_body(b"hello", tlvs=tlv(0x0424, b"abc"))
    whole = len(body) - len(tlv(0x0424, b"abc"))
    assert codec.read_deliver(body).payload == b"hello"
    for end in range(len(body)):
        if end == whole:
            continue
        with pytest.raises(Malformed):
            codec.read_deliver(body[:end])


def test_a_stream_may_be_cut_anywhere():
    stream = b"".join(Pdu(codec.DELIVER_SM, 0, n, deliver_body()).octets() for n in range(50))
    for size in (1, 3, 16, 17, 1000):
        framer = Framer()
        read = [
            pdu.sequence for at in range(0, len(stream), size) for pdu in framer.feed(stream[at : at + size])
        ]
        assert read == list(range(50))


@pytest.mark.parametrize("length", [0, 15, 64 * 1024 + 1, 0xFFFFFFFF])
def test_a_length_that_cannot_be_ends_the_stream(length):
    made = bound()
    good = Pdu(codec.DELIVER_SM, 0, 5, deliver_body()).octets()
    first, second = made.receive(good + struct.pack(">IIII", length, 5, 0, 1) + good)
    assert isinstance(first, session.Arrived)
    assert isinstance(second, session.Broken)
    assert made.receive(good) == []


# The session


def test_answers_find_what_was_submitted_in_any_order():
    made = bound()
    for n in range(3):
        made.submit(PART, f"part {n}")
    pdus = sent(made)
    assert [pdu.sequence for pdu in pdus] == [2, 3, 4]
    assert made.submits == 3
    answer = codec.SUBMIT_SM | codec.RESPONSE
    data = b"".join(
        (
            Pdu(answer, 0, 4, b"c\0").octets(),
            Pdu(answer, 0x58, 2).octets(),
            Pdu(codec.GENERIC_NACK, 3, 3).octets(),
        )
    )
    assert made.receive(data) == [
        session.Answered("part 2", 0, "c"),
        session.Answered("part 0", 0x58, ""),
        session.Answered("part 1", 3, ""),
    ]
    assert made.submits == 0
    assert made.abandon() == ([], [])


@pytest.mark.parametrize(
    "pdu",
    [
        Pdu(codec.SUBMIT_SM | codec.RESPONSE, 0, 99, b"a\0"),
        Pdu(codec.SUBMIT_SM | codec.RESPONSE, 0, 0, b"a\0"),
        Pdu(codec.ENQUIRE_LINK | codec.RESPONSE, 0, 2),
        Pdu(codec.UNBIND | codec.RESPONSE, 0, 2),
        BOUND,
        Pdu(codec.GENERIC_NACK, 3, 0),
        Pdu(0x80000103, 0, 2),
    ],
)
def test_answers_that_nobody_waits_for_change_nothing(pdu):
    made = bound()
    made.submit(PART, "part")
    sent(made)
    assert made.receive(pdu.octets()) == [session.Strange("an answer that nobody waits for")]
    assert made.submits == 1
    assert made.to_send(0.0) == b""
    assert made.abandon() == (["part"], [])


def test_an_answer_cannot_come_before_its_question():
    made = bound()
    made.submit(PART, "part")
    early = Pdu(codec.SUBMIT_SM | codec.RESPONSE, 0, 2, b"a\0").octets()
    assert made.receive(early) == [session.Strange("an answer that nobody waits for")]
    assert made.abandon() == ([], ["part"])


def test_what_was_written_is_told_from_what_was_not():
    made = bound()
    made.submit(PART, "first")
    made.to_send(7.0)
    made.submit(PART, "second")
    assert made.oldest == 7.0
    assert made.abandon() == (["first"], ["second"])
    assert (made.submits, made.oldest, made.idle) == (0, None, True)


def test_requests_are_answered():
    made = bound()
    events = made.receive(
        b"".join(
            (
                Pdu(codec.ENQUIRE_LINK, 0, 11).octets(),
                Pdu(codec.DELIVER_SM, 0, 12, deliver_body()).octets(),
                Pdu(codec.DELIVER_SM, 0, 13, b"\0\x01").octets(),
                Pdu(0x00000103, 0, 14, b"data").octets(),
                Pdu(codec.ALERT_NOTIFICATION, 0, 15, b"x").octets(),
                Pdu(codec.UNBIND, 0, 16).octets(),
            )
        )
    )
    assert [type(one) for one in events] == [
        session.Arrived,
        session.Strange,
        session.Strange,
        session.Leaving,
    ]
    made.acknowledge(events[0], 0x64)
    assert [(pdu.command, pdu.status, pdu.sequence) for pdu in sent(made)] == [
        (0x80000015, 0, 11),
        (0x80000005, 0xC0, 13),
        (0x80000000, 3, 14),
        (0x80000006, 0, 16),
        (0x80000005, 0x64, 12),
    ]


def test_nothing_is_taken_before_the_bind():
    made = Session()
    made.bind("ringful", "secret")
    made.to_send(0.0)
    assert made.receive(Pdu(codec.DELIVER_SM, 0, 5, deliver_body()).octets()) == []
    assert [(pdu.command, pdu.status) for pdu in sent(made)] == [(0x80000005, 4)]
    refused = Pdu(codec.BIND_TRANSCEIVER | codec.RESPONSE, 0x0E, 1).octets()
    assert made.receive(refused) == [session.Refused(0x0E)]
    assert not made.bound


def test_a_nack_is_a_refusal_whatever_its_status():
    made = Session()
    made.bind("ringful", "secret")
    made.to_send(0.0)
    assert made.receive(Pdu(codec.GENERIC_NACK, 0, 1).octets()) == [session.Refused(3)]
    assert not made.bound
    made = bound()
    made.submit(PART, "part")
    made.to_send(0.0)
    assert made.receive(Pdu(codec.GENERIC_NACK, 0, 2).octets()) == [session.Answered("part", 3, "")]


def test_who_asks_and_never_reads_is_cut_off():
    made = bound()
    asking = Pdu(codec.ENQUIRE_LINK, 0, 1).octets() * 10_000
    events = [event for _ in range(8) for event in made.receive(asking)]
    assert events == [session.Broken("it asks, and does not read the answers")]


def test_sequence_numbers_begin_again_and_leave_out_what_is_open():
    made = bound(sequence=0x7FFFFFFD)
    for n in range(4):
        made.submit(PART, n)
    assert [pdu.sequence for pdu in sent(made)] == [0x7FFFFFFF, 1, 2, 3]


def test_an_answer_without_an_id_is_an_answer():
    made = bound()
    made.submit(PART, "part")
    made.to_send(0.0)
    assert made.receive(Pdu(codec.SUBMIT_SM | codec.RESPONSE, 0, 2).octets()) == [
        session.Answered("part", 0, "")
    ]


# A hundred thousand of anything


def test_a_hundred_thousand_pdus_of_anything():
    chance = random.Random(3)
    made, asked, open_ = bound(), [], set()
    seen, submitted, answered = Counter(), 0, set()
    for n in range(100_000):
        if n % 3 == 0 and len(open_) < 50:
            made.submit(PART, n)
            submitted += 1
            open_.add(n)
            if chance.random() < 0.9:
                asked += [pdu.sequence for pdu in sent(made)]
        for event in made.receive(mutated(chance, asked[-6:])):
            seen[type(event).__name__] += 1
            if isinstance(event, session.Arrived):
                incoming.read(event.deliver, CONNECTION)
                made.acknowledge(event)
            elif isinstance(event, session.Answered):
                assert event.what not in answered
                open_.remove(event.what)
                answered.add(event.what)
        assert made.submits == len(open_)
        ended = seen.pop("Broken", 0) + seen.pop("Leaving", 0)
        # A false length may swallow hundreds: then begin anew.
        if ended or n % 100 == 99:
            written, unwritten = made.abandon()
            assert sorted(written + unwritten) == sorted(open_)
            made, asked, open_ = bound(), [], set()
            seen["ended"] += ended
    # All that can happen has happened, and often.
    assert {name for name, count in seen.items() if count > 100} >= {
        "Arrived",
        "Answered",
        "Strange",
        "ended",
    }
    assert submitted > 10_000
    assert len(answered) > 2000
