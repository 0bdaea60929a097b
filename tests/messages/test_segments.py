"""Splitting: no character is lost or torn, no part is too long, and what cannot be sent is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringful.messages.segments import (
    MOST_PARTS,
    PART,
    SINGLE,
    decode,
    decode_gsm,
    encode,
    encode_gsm,
    header,
    split,
)

EXTENDED = "^{}[]~|\\€\f"
BASIC = decode_gsm(bytes(code for code in range(128) if code != 0x1B))
FAMILY = "👩\u200d👩\u200d👧\u200d👦"
EMOJI = (
    "😀",
    FAMILY,
    "👍🏽",
    "🏳️\u200d🌈",
    "🇨🇭",
    "1️⃣",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
)
gsm_texts = st.text(st.sampled_from(BASIC + EXTENDED * 4), min_size=1, max_size=500)
any_texts = st.text(
    st.one_of(
        st.characters(exclude_categories=("Cs", "Cc", "Cn")),
        st.sampled_from("😀👍🏽🇨🇭\u200d\ufe0f\u0301á€["),
    ),
    min_size=1,
    max_size=300,
)


def size(part, encoding):
    if encoding == "ucs2":
        return len(part.encode("utf-16-be")) // 2
    return len(encode_gsm(part))


def test_the_table_is_the_standards():
    assert len(set(BASIC)) == 127
    assert encode_gsm("@£$¥èéùìòÇ\nØø\rÅå") == bytes(range(16))
    assert encode_gsm("Δ_ΦΓΛΩΠΨΣΘΞ") == bytes(range(0x10, 0x1B))
    assert encode_gsm("ÆæßÉ ¤¡ÄÖÑÜ§¿äöñüà") == bytes.fromhex("1c1d1e1f2024405b5c5d5e5f607b7c7d7e7f")
    assert encode_gsm("^{}\\[~]|€\f") == bytes.fromhex("1b141b281b291b2f1b3c1b3d1b3e1b401b651b0a")
    assert encode_gsm("azAZ09") == b"azAZ09"


@pytest.mark.parametrize(
    ("text", "encoding", "lengths"),
    [
        ("a" * 160, "gsm", [160]),
        ("a" * 161, "gsm", [153, 8]),
        ("a" * 306, "gsm", [153, 153]),
        ("a" * 307, "gsm", [153, 153, 1]),
        ("€" * 80, "gsm", [80]),
        ("€" * 81, "gsm", [76, 5]),
        ("a" * 152 + "€" + "b" * 20, "gsm", [152, 21]),
        ("a" * 151 + "€" + "b" * 20, "gsm", [152, 20]),
        ("ś" * 70, "ucs2", [70]),
        ("ś" * 71, "ucs2", [67, 4]),
        ("😀" * 35, "ucs2", [35]),
        ("😀" * 36, "ucs2", [33, 3]),
        ("a" * 1530, "gsm", [153] * 10),
    ],
)
def test_counts(text, encoding, lengths):
    found = split(text)
    assert (found.encoding, [len(part) for part in found.parts]) == (encoding, lengths)


@pytest.mark.parametrize("emoji", EMOJI)
@pytest.mark.parametrize("before", range(50, 68))
def test_no_part_ends_within_an_emoji(emoji, before):
    found = split("x" * before + emoji + "y" * 70)
    assert sum(emoji in part for part in found.parts) == 1


def test_flags_are_pairs_although_they_stand_in_a_row():
    first, second = split("x" * 66 + "🇨🇭🇦🇹🇨🇭").parts
    assert (first, second) == ("x" * 66, "🇨🇭🇦🇹🇨🇭")
    first, second = split("x" * 62 + "🇨🇭🇦🇹🇨🇭").parts
    assert (first, second) == ("x" * 62 + "🇨🇭", "🇦🇹🇨🇭")


def test_an_accent_stays_with_its_letter():
    assert split("x" * 66 + "e\u0301" + "y" * 9).parts[1] == "e\u0301" + "y" * 9


def test_an_emoji_longer_than_a_part_is_cut_where_a_part_ends():
    chain = "\u200d".join("👩" * 40)
    parts = split("x" * 10 + chain).parts
    assert "".join(parts) == "x" * 10 + chain
    assert [size(part, "ucs2") for part in parts] == [67, 62]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("plain ä [x]", "latin1"),
        ("5 €", "ucs2"),
        ("ΔΦ", "ucs2"),
        ("á", "ucs2"),
        ("ç", "ucs2"),
        ("Ç", "latin1"),
    ],
)
def test_latin1_is_for_what_both_alphabets_have(text, encoding):
    assert split(text, "latin1").encoding == encoding


def test_latin1_counts_what_goes_over_the_air():
    assert [len(part) for part in split("[" * 81, "latin1").parts] == [76, 5]
    assert encode("[ä", "latin1") == b"[\xe4"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the text is empty"),
        ("a\0b", "character 2 of the text is the control character U\\+0000"),
        ("a\tb", "control character U\\+0009"),
        ("\x1b", "control character U\\+001B"),
        ("a\x85", "control character U\\+0085"),
        ("ab\ud83d", "character 3 of the text, U\\+D83D, is half of a surrogate pair"),
        ("\ufffe", "U\\+FFFE, is no character"),
        (
            "a" * 1531,
            "1,531 characters, and 10 parts are the most: 1,530 characters of the GSM",
        ),
        ("€" * 800, "the text needs 11 parts"),
        (
            "a" * 670 + "ś",
            r"11 parts, and 10 parts are the most \(`ś` \(U\+015B\) is of another",
        ),
        ("a" * 10_000_000, "shorten it, or send it as several texts"),
    ],
)
def test_what_cannot_be_sent_is_refused(text, says):
    with pytest.raises(ValueError, match=says):
        split(text)


@given(gsm_texts)
def test_gsm_texts_come_back(text):
    found = split(text)
    assert found.encoding == "gsm"
    assert "".join(found.parts) == text
    assert "".join(decode_gsm(encode_gsm(part)) for part in found.parts) == text
    most = (SINGLE if len(found.parts) == 1 else PART)["gsm"]
    assert all(0 < len(encode_gsm(part)) <= most for part in found.parts)
    # No part could have taken the first character of the next one.
    for part, following in zip(found.parts, found.parts[1:], strict=False):
        assert size(part + following[0], "gsm") > PART["gsm"]


@settings(max_examples=300)
@given(st.lists(st.sampled_from((*EMOJI, "x", "до", "e\u0301", "\r\n")), min_size=1, max_size=60))
def test_no_part_ends_within_what_a_reader_takes_for_one(pieces):
    try:
        parts = split("".join(pieces) + "ж").parts
    except ValueError as error:
        assert "parts are the most" in str(error)  # noqa: PT017
        return
    ends, at = {0}, 0
    for piece in pieces:
        # Letters may stand alone.
        ends |= {at + n for n in range(1, len(piece))} if piece == "до" else set()
        at += len(piece)
        ends.add(at)
    at = 0
    for part in parts[:-1]:
        at += len(part)
        assert at in ends


@settings(max_examples=300)
@given(any_texts, st.sampled_from(("gsm", "latin1")))
def test_all_texts_come_back(text, alphabet):
    try:
        found = split(text, alphabet)
    except ValueError as error:
        assert "parts are the most" in str(error) or "no character" in str(error)  # noqa: PT017
        return
    assert "".join(found.parts) == text
    assert len(found.parts) <= MOST_PARTS
    most = (SINGLE if len(found.parts) == 1 else PART)[found.encoding]
    assert all(0 < size(part, found.encoding) <= most for part in found.parts)
    coding = 8 if found.encoding == "ucs2" else 0
    read = [decode(encode(part, found.encoding), coding, alphabet) for part in found.parts]
    assert read == [part.removeprefix("\ufeff") for part in found.parts]


@given(st.binary(max_size=300), st.integers(0, 255), st.sampled_from(("gsm", "latin1")))
def test_reading_never_raises(data, coding, alphabet):
    text = decode(data, coding, alphabet)
    text.encode()  # no half of a pair
    assert "\0" not in text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"a\x1bzb", "azb"),
        (b"a\x1b\x1be", "a e"),
        (b"a\x1b", "a "),
        (b"\x1b\x1b\x1b", "  "),
        (b"a\xe4\x85", "aä\ufffd"),
        (b"\x1b\xe4a", "äa"),
    ],
)
def test_what_the_gsm_table_lacks(data, text):
    assert decode_gsm(data) == text


@pytest.mark.parametrize(
    ("data", "coding", "alphabet", "text"),
    [
        (b"\x00\x1be", 0, "gsm", "@€"),
        (b"\xe4@", 0, "latin1", "ä@"),
        (b"Ok\xe4", 1, "gsm", "Okä"),
        (b"\xe4", 3, "gsm", "ä"),
        ("ä€".encode(), 4, "gsm", "ä€"),
        (b"\xe4", 2, "gsm", "ä"),
        ("Да".encode("iso8859-5"), 6, "gsm", "Да"),
        ("שלום".encode("iso8859-8"), 7, "gsm", "שלום"),
        ("😀".encode("utf-16-be"), 8, "gsm", "😀"),
        (b"\xfe\xff\x00a", 8, "gsm", "a"),
        (b"\xff\xfea\x00", 8, "gsm", "a"),
        (b"\x00a\xd8\x3d", 8, "gsm", "a\ufffd"),
        (b"\x00a\x00", 8, "gsm", "a\ufffd"),
        (b"\x00", 0x10, "gsm", "@"),
        (b"\x00a", 0x18, "gsm", "a"),
        (b"\x00a", 0x19, "gsm", "a"),
        (b"\x00", 0xF0, "gsm", "@"),
        (b"\xe4", 0xF5, "gsm", "ä"),
        (b"\x00a", 0xE0, "gsm", "a"),
        (b"\x00", 0xC8, "gsm", "@"),
    ],
)
def test_what_comes_in_is_read_by_its_coding(data, coding, alphabet, text):
    assert decode(data, coding, alphabet) == text


def test_the_header_that_joins_the_parts():
    assert header(0x1FF, 2, 3) == bytes.fromhex("050003ff0302")


def test_encode_gsm_names_what_it_lacks():
    with pytest.raises(ValueError, match="the GSM alphabet has no `ś`"):
        encode_gsm("aś")
