"""What is submitted for a message, and in how many parts it goes."""

import pytest
from attrs import evolve

from ringful.messages.port import Outgoing
from ringful.messages.smpp.connection import SmppConnection
from ringful.messages.smpp.parts import submits_of
from ringful.messages.smpp.transport import SmppTransport

GSM = SmppConnection("a:1", "ringful")
LATIN = evolve(GSM, address="b:1", name="b:1", alphabet="latin1")
SENT = Outgoing("sms-1", "+15125550199", "+15125550000", "")


@pytest.mark.parametrize(
    ("connections", "text", "parts"),
    [([GSM], "5 €" * 40, 1), ([GSM], "Δ" * 160, 1), ([LATIN], "Δ" * 160, 3), ([GSM, LATIN], "Δ" * 160, 3)],
)
def test_a_text_has_as_many_parts_whichever_connection_takes_it(connections, text, parts):
    transport = SmppTransport(connections)
    assert transport.carrier == "smpp"
    assert transport.parts(text) == parts
    for connection in connections:
        assert len(submits_of(evolve(SENT, text=text), connection, transport.alphabet, 0.0)) == parts


def test_what_cannot_be_sent_is_refused_before_it_is_queued():
    with pytest.raises(ValueError, match="the text is empty"):
        SmppTransport([GSM]).parts("")


def test_a_connection_writes_its_own_alphabet():
    sent = evolve(SENT, text="ä[")
    payloads = [submits_of(sent, one, "latin1", 0.0)[1].payload for one in (GSM, LATIN)]
    assert payloads == [b"\x7b\x1b\x3c", b"\xe4["]
    (greek,) = submits_of(evolve(SENT, text="Δ"), LATIN, "latin1", 0.0).values()
    assert (greek.payload, greek.data_coding) == (b"\x03\x94", 8)


def test_the_parts_of_a_message_always_share_a_reference():
    sent = evolve(SENT, text="x" * 400)
    references = {
        submit.payload[3]
        for connection in (GSM, LATIN)
        for submit in submits_of(sent, connection, "gsm", 0.0).values()
    }
    assert len(references) == 1
    others = {
        submits_of(evolve(sent, message_id=f"sms-{n}"), GSM, "gsm", 0.0)[1].payload[3] for n in range(100)
    }
    assert len(others) > 50


def test_kinds_of_addresses_may_be_given():
    connection = evolve(GSM, source_ton=0, source_npi=8, destination_ton=2, destination_npi=0)
    (made,) = submits_of(evolve(SENT, text="a"), connection, "gsm", 0.0).values()
    assert (made.source.ton, made.source.npi, made.destination.ton, made.destination.npi) == (0, 8, 2, 0)
    assert made.destination.text == "15125550199"
