"""What a deliver_sm means: a text, a part of one, a receipt of any form, or nothing."""

from datetime import UTC, datetime

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from ringful.messages.port import Fragment, Incoming, Receipt
from ringful.messages.smpp import codec, incoming, statuses
from ringful.messages.smpp.addresses import address_of, number_of
from ringful.messages.smpp.codec import Address, Deliver
from ringful.messages.smpp.connection import SmppConnection
from ringful.messages.smpp.incoming import Unknown, answer_id, receipt_id
from ringful.messages.smpp.times import validity_period

CONNECTION = SmppConnection("127.0.0.1:2775", "ringful", name="one")
TEXT = Deliver(Address(1, 1, "15125550199"), Address(1, 1, "15125550000"), 0, 0, b"hi", {})
RECEIPT = evolve(TEXT, esm_class=codec.RECEIPT, payload=b"")


def read(deliver, **options):
    return incoming.read(deliver, evolve(CONNECTION, **options))


def receipt(text, **tlvs):
    return evolve(
        RECEIPT, payload=text.encode(), tlvs={getattr(codec, name): value for name, value in tlvs.items()}
    )


@pytest.mark.parametrize(
    ("text", "delivery", "reason"),
    [
        (
            "id:7 sub:001 dlvrd:001 submit date:2601010000 done date:2601010001 stat:DELIVRD err:000 text:hi",
            "delivered",
            "",
        ),
        ("id:7 stat:DELIVRD text: id:8 stat:UNDELIV err:9", "delivered", ""),
        ("ID: 7 Stat: Delivered", "delivered", ""),
        ("id:7 stat:UNDELIV err:012 Text:", "failed", "UNDELIV, error 012: the network could not deliver it"),
        ("id:7 stat:EXPIRED err:000", "failed", "EXPIRED: it could not be delivered in time"),
        ("id:7 stat:DELETED", "failed", "DELETED: it was deleted at the SMSC"),
        ("id:7 stat:REJECTD err:1", "failed", "REJECTD, error 1: the network refused it"),
        ("id:7 stat:UNKNOWN", "failed", "UNKNOWN: the SMSC does not know what became of it"),
        ("id:7 stat:UNDELIVERABLE,", "failed", "UNDELIV: the network could not deliver it"),
    ],
)
def test_receipts(text, delivery, reason):
    assert read(receipt(text)) == Receipt("one", "7", delivery, reason)


@pytest.mark.parametrize(
    "text", ["id:7 stat:ENROUTE", "id:7 stat:ACCEPTD", "id:7 stat:BUFFERED", "id:7", "id:7 stat:"]
)
def test_states_that_are_not_final_mean_nothing(text):
    assert read(receipt(text)) == Unknown()


@pytest.mark.parametrize(
    "text", ["", "stat:DELIVRD", "hello", "xid:7 stat:DELIVRD", "text: id:7 stat:DELIVRD"]
)
def test_a_receipt_of_nothing_is_said_to_be_one(text):
    assert read(receipt(text)) == Unknown("a receipt that names no message")


def test_parameters_say_more_than_the_text():
    made = receipt(
        "id:7 stat:ENROUTE",
        RECEIPTED_MESSAGE_ID=b"99\0",
        MESSAGE_STATE=b"\x05",
        NETWORK_ERROR_CODE=b"\x03\x00\x1f",
    )
    assert read(made) == Receipt("one", "99", "failed", "UNDELIV, error 31: the network could not deliver it")
    assert read(evolve(made, esm_class=0)) == read(made)
    assert read(receipt("id:7 stat:DELIVRD", MESSAGE_STATE=b"\x01")) == Unknown()
    assert read(receipt("id:7 stat:UNDELIV", MESSAGE_STATE=b"\x02")) == Receipt("one", "7", "delivered")
    assert read(receipt("", RECEIPTED_MESSAGE_ID=b"\0", MESSAGE_STATE=b"")) == read(receipt(""))


def test_news_on_the_way_mean_nothing():
    assert read(evolve(receipt("id:7 stat:DELIVRD"), esm_class=codec.INTERMEDIATE)) == Unknown()


@pytest.mark.parametrize(
    ("answered", "named", "form"),
    [
        ("12AB", "0012ab", "same"),
        ("0000000012", "12", "same"),
        ("0", "000", "same"),
        ("2C", "44", "hex-to-decimal"),
        ("0000002c", "0000000044", "hex-to-decimal"),
        ("44", "2C", "decimal-to-hex"),
        ("not-hex", "not-hex", "hex-to-decimal"),
        ("not-hex", "not-hex", "decimal-to-hex"),
        ("0a1B-77", "0a1B-77", "same"),
        (" 5 ", "5", "same"),
        ("", "", "same"),
        ("f" * 60, "f" * 60, "hex-to-decimal"),
        ("1_0", "1_0", "hex-to-decimal"),
    ],
)
def test_ids_are_found_again(answered, named, form):
    assert answer_id(answered, form) == receipt_id(named, form)


@given(st.integers(0, 2**64))
def test_every_id_is_found_again(number):
    assert answer_id(f"{number:x}", "hex-to-decimal") == receipt_id(f"{number:010}", "hex-to-decimal")
    assert answer_id(f"{number}", "decimal-to-hex") == receipt_id(f"{number:X}", "decimal-to-hex")
    assert answer_id(f"{number:08X}", "same") == receipt_id(f"{number:x}", "same")


def test_ids_of_letters_keep_their_case():
    assert answer_id("aBz", "same") != answer_id("Abz", "same")


# Texts


def header(*elements):
    body = b"".join(bytes((kind, len(value))) + value for kind, value in elements)
    return bytes((len(body),)) + body


@pytest.mark.parametrize(
    ("payload", "fragment", "text"),
    [
        (header((0, b"\x07\x02\x01")) + b"hi", Fragment("8-7", 1, 2), "hi"),
        (header((8, b"\x01\x07\x03\x03")) + b"hi", Fragment("16-263", 3, 3), "hi"),
        (header((5, b"\x0b\x84\x0b\x84"), (0, b"\x07\x02\x02")) + b"hi", Fragment("8-7", 2, 2), "hi"),
        (header((0, b"\x07\x02\x00")) + b"hi", None, "hi"),
        (header((0, b"\x07\x02\x03")) + b"hi", None, "hi"),
        (header((0, b"\x07\x01\x01")) + b"hi", None, "hi"),
        (header((0, b"\x07\x02")) + b"hi", None, "hi"),
        (b"\x03\x00\x03\x07hi", None, "hi"),
        (b"\x05\x00\x03\x07\x02\x01", Fragment("8-7", 1, 2), ""),
        (b"\x09hi", None, "Çhi"),
        (b"", None, ""),
    ],
)
def test_parts_by_header(payload, fragment, text):
    found = read(evolve(TEXT, esm_class=codec.HAS_HEADER, payload=payload))
    assert found == Incoming("one", "+15125550199", "+15125550000", text, fragment)


@pytest.mark.parametrize(
    ("reference", "number", "of", "fragment"),
    [
        (b"\x01\x07", b"\x02", b"\x03", Fragment("sar-263", 2, 3)),
        (b"\x01\x07", b"\x04", b"\x03", None),
        (b"\x01\x07", b"", b"\x03", None),
        (b"", b"\x01", b"\x02", Fragment("sar-0", 1, 2)),
    ],
)
def test_parts_by_parameters(reference, number, of, fragment):
    tlvs = {codec.SAR_REFERENCE: reference, codec.SAR_NUMBER: number, codec.SAR_TOTAL: of}
    assert read(evolve(TEXT, tlvs=tlvs)).fragment == fragment


@given(st.binary(max_size=60), st.integers(0, 255), st.integers(0, 255), st.binary(max_size=5))
def test_reading_never_raises(payload, esm_class, coding, value):
    tlvs = dict.fromkeys((codec.SAR_REFERENCE, codec.SAR_NUMBER, codec.SAR_TOTAL, codec.MESSAGE_STATE), value)
    for more in ({}, tlvs, {codec.RECEIPTED_MESSAGE_ID: payload, **tlvs}):
        read(Deliver(TEXT.source, TEXT.destination, esm_class, coding, payload, more))


@pytest.mark.parametrize(
    ("number", "address"),
    [
        ("+15125550199", Address(1, 1, "15125550199")),
        ("12345", Address(3, 0, "12345")),
        ("15125550199", Address(0, 1, "15125550199")),
        ("Ringful 24", Address(5, 0, "Ringful 24")),
        ("", Address()),
    ],
)
def test_numbers_out(number, address):
    assert address_of(number) == address


@pytest.mark.parametrize("name", ["twelve chars", "Größe", "a\nb", "١٢٣"])
def test_what_can_be_no_sender(name):
    with pytest.raises(ValueError, match="can be no sender"):
        address_of(name)


@pytest.mark.parametrize(
    ("address", "number"),
    [
        (Address(1, 1, "15125550199"), "+15125550199"),
        (Address(1, 1, "+15125550199"), "+15125550199"),
        (Address(2, 1, "5125550199"), "5125550199"),
        (Address(5, 0, "My\x01Bank"), "My\ufffdBank"),
        (Address(1, 1, ""), ""),
        (Address(1, 1, "\xb2\xb3"), "\xb2\xb3"),
    ],
)
def test_numbers_in(address, number):
    assert number_of(address) == number


# Times


@pytest.mark.parametrize(
    ("left", "period"),
    [
        (-5, "000000000001000R"),
        (0.2, "000000000001000R"),
        (59.5, "000000000100000R"),
        (3599.01, "000000010000000R"),
        (86399, "000000235959000R"),
        (86400 * 3 + 61, "000003000101000R"),
        (86400 * 30, "000030000000000R"),
        (86400 * 400, "000030000000000R"),
    ],
)
def test_a_relative_validity_period(left, period):
    assert validity_period(1_800_000_000 + left, 1_800_000_000.0) == period
    assert len(period) == 16


@given(st.floats(0.001, 86400 * 30), st.floats(1.5e9, 3e9))
def test_an_absolute_validity_period_is_the_time(left, now):
    period = validity_period(now + left, now, "absolute")
    assert period.endswith("000+")
    found = datetime.strptime(period[:12], "%y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()
    assert abs(found - now - left) <= 2


def test_no_validity_period():
    assert validity_period(0, 1e9) == validity_period(2e9, 1e9, "none") == ""


def test_statuses_have_names():
    assert statuses.described(0x58) == "0x00000058 ESME_RTHROTTLED: it takes no more so fast"
    assert statuses.described(0x66) == "0x00000066 ESME_RX_R_APPN"
    assert statuses.described(0x401) == "0x00000401 one of the SMSC's own"
    assert statuses.described(0x12345) == "0x00012345 no name known"
