"""E-mail gateways, by a mail server that none of us wrote."""

import re
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.policy import SMTP, default
from pathlib import Path
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from ringful.messages.mail import MailTransport, address_of, written
from ringful.messages.mail_settings import MailSettings
from ringful.messages.pauses import Pauses
from ringful.messages.port import Outgoing
from tests.messages.mail_server import Mailbox, mail_server
from tests.messages.told import Told

OPERATORS = {"1": "{number}@txt.att.test", "2": "{number}@vtext.test"}
TEXTS = [
    "Your code is 1234",
    "Grüße, Ελλάδα, 漢字",
    "👩‍👩‍👧 and 🇬🇧",
    "first\r\nsecond\r\n.\r\n..third",
    ". at the start",
    "From the start\r\nSubject: none\r\n\r\nBcc: nobody@example.com",
    "a" * 139,
    "é" * 139,
    "=20 and =\tand &amp; \x1b[0m",
]


def message(
    text: str = "Hello", n: int = 1, *, number: str = "+15125551234", operator: str = "1"
) -> Outgoing:
    return Outgoing(f"r1-7.{n}.sms", number, "+15125550000", text, operator)


@asynccontextmanager
async def sending(port: int, **settings: Any) -> AsyncIterator[Told]:
    """Run a transport for the server at *port*."""
    made = MailSettings("127.0.0.1", port, "sms@example.com", OPERATORS, **settings)
    desk = Told()
    transport = MailTransport(made, pauses=Pauses((1.0, 2.0, 3.0)), line_pauses=(0.01,))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(transport.run, desk)
        yield desk
        nursery.cancel_scope.cancel()


def text_of(content: bytes) -> str:
    mail = message_from_bytes(content, policy=default)
    body = mail.get_content()
    assert isinstance(body, str)
    return body


async def test_texts_arrive_as_they_are() -> None:
    with mail_server(Mailbox()) as box:
        async with sending(box.port) as desk:
            for n, text in enumerate(TEXTS):
                desk.give(message(text, n))
            heard = await desk.until(len(TEXTS))
    assert heard == [("taken", f"r1-7.{n}.sms", 1, 1, "mail", "") for n in range(len(TEXTS))]
    for text, content in zip(TEXTS, box.content, strict=True):
        # A body of mail ends with a line end; line ends are those of this machine once it was read.
        assert text_of(content).replace("\r\n", "\n") == text.replace("\r\n", "\n") + "\n"
    assert box.sessions == 1
    assert set(box.recipients) == {"5125551234@txt.att.test"}
    assert set(box.senders) == {"sms@example.com"}


async def test_what_a_mail_says_of_itself() -> None:
    with mail_server(Mailbox()) as box:
        async with sending(box.port) as desk:
            desk.give(message("Grüße"))
            desk.give(message("Grüße"))
            await desk.until(2)
    first, second = (message_from_bytes(content, policy=default) for content in box.content)
    assert first["Message-ID"] == second["Message-ID"] == "<r1-7.1.sms@example.com>"
    assert (first["From"], first["To"]) == ("sms@example.com", "5125551234@txt.att.test")
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["Subject"] is None
    assert first["Date"].datetime.tzinfo is not None
    assert first.get_content_type() == "text/plain"
    assert first.get_content_charset() == "utf-8"


async def test_a_recipient_that_is_refused_for_ever() -> None:
    with mail_server(Mailbox(answers={"RCPT": ["550 no such phone"]})) as box:
        async with sending(box.port) as desk:
            desk.give(message(n=1))
            desk.give(message(n=2))
            heard = await desk.until(2)
    assert heard == [
        ("refused", "r1-7.1.sms", "550 no such phone"),
        ("taken", "r1-7.2.sms", 1, 1, "mail", ""),
    ]
    assert box.sessions == 1


async def test_a_text_that_is_refused_for_ever() -> None:
    with mail_server(Mailbox(answers={"DATA": ["554 we take it for spam"]})) as box:
        async with sending(box.port) as desk:
            desk.give(message())
            heard = await desk.until(1)
    assert heard == [("refused", "r1-7.1.sms", "554 we take it for spam")]


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
async def test_what_is_refused_for_now_waits_longer_each_time(command: str) -> None:
    with mail_server(Mailbox(answers={command: ["451 later"] * 4})) as box:
        async with sending(box.port) as desk:
            for _ in range(5):
                desk.give(message())
            heard = await desk.until(5)
    assert heard == [("again", "r1-7.1.sms", "451 later", pause) for pause in (1.0, 2.0, 3.0, 3.0)] + [
        ("taken", "r1-7.1.sms", 1, 1, "mail", "")
    ]
    assert len(box.content) == box.sessions == 1


async def test_what_was_taken_waits_short_again() -> None:
    with mail_server(Mailbox(answers={"RCPT": ["451 later", "250 OK", "451 later"]})) as box:
        async with sending(box.port) as desk:
            for _ in range(3):
                desk.give(message())
            heard = await desk.until(3)
    assert [what[-1] for what in heard if what[0] == "again"] == [1.0, 1.0]


async def test_a_server_that_wants_something_of_us_first_makes_nobody_fail() -> None:
    with mail_server(Mailbox(answers={"MAIL": ["553 sender not allowed"], "RCPT": ["530 log in"]})) as box:
        async with sending(box.port) as desk:
            desk.give(message(n=1))
            desk.give(message(n=2))
            desk.give(message(n=3))
            heard = await desk.until(3)
            assert [what[0] for what in heard] == ["again", "again", "taken"]
            downs = [why for _, up, why in desk.standings if not up]
    assert downs == ["553 sender not allowed", "530 log in"]


async def test_a_server_that_leaves_before_the_text() -> None:
    with mail_server(Mailbox(answers={"RCPT": ["die"]})) as box:
        async with sending(box.port) as desk:
            desk.give(message())
            ((kind, name, why, pause),) = await desk.until(1)
            assert (kind, name, pause) == ("again", "r1-7.1.sms", 1.0)
            assert why.startswith("the session with the mail server was lost: ")
            desk.give(message())
            assert (await desk.until(2))[1][0] == "taken"
    assert box.sessions == 2


async def test_a_server_that_dies_with_the_text_in_its_hands() -> None:
    with mail_server(Mailbox(answers={"DATA": ["die"]})) as box:
        async with sending(box.port) as desk:
            desk.give(message())
            ((kind, name, part, why),) = await desk.until(1)
            assert (kind, name, part) == ("unsure", "r1-7.1.sms", 1)
            assert "lost" in why
            desk.give(message())
            assert (await desk.until(2))[1][0] == "taken"
    # It had arrived: the copy can be known by its ID.
    assert len({message_from_bytes(one)["Message-ID"] for one in box.content}) == 1
    assert len(box.content) == 2


async def test_a_session_that_died_while_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringful.messages.smtp_session._FRESH_SECONDS", 0.0)
    with mail_server(Mailbox()) as box:
        async with sending(box.port) as desk:
            desk.give(message(n=1))
            await desk.until(1)
            box.die_now()
            assert await trio.to_thread.run_sync(box.ended.wait, 30)
            desk.give(message(n=2))
            assert [what[0] for what in await desk.until(2)] == ["taken", "taken"]
    assert box.sessions == 2


async def test_a_server_that_is_away_and_comes_back() -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    async with sending(port) as desk:
        desk.give(message())
        why = await desk.until_up(False)
        assert "refused" in why
        assert desk.heard == []
        with mail_server(Mailbox(), port=port) as box:
            await desk.until_up(True)
            assert (await desk.until(1))[0][0] == "taken"
            assert len(box.content) == 1


async def test_a_server_that_never_answers_is_left_soon_when_we_end() -> None:
    """Whoever ends the server does not wait for a mail server; and what was under way has been told."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        made = MailSettings("127.0.0.1", silent.getsockname()[1], "sms@example.com", OPERATORS)
        with trio.fail_after(20), trio.move_on_after(0.2):
            await MailTransport(made).run(Told())


class Mute:
    """A server that says what it must until it has the text, and then nothing."""

    def __init__(self) -> None:
        self.has_text = trio.Event()

    async def __call__(self, stream: trio.SocketStream) -> None:
        await stream.send_all(b"220 mute.test\r\n")
        said = b""
        async for data in stream:
            said += data
            if b"\r\n.\r\n" in said:
                self.has_text.set()
                await trio.sleep_forever()
            elif b"DATA\r\n" in data.upper():
                await stream.send_all(b"354 go on\r\n")
            else:
                await stream.send_all(b"250 OK\r\n")


async def test_an_answer_that_does_not_come_before_we_end(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringful.messages.mail._GRACE_SECONDS", 0.1)
    mute = Mute()
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, mute, [listener])
    async with sending(listener.socket.getsockname()[1]) as desk:
        desk.give(message())
        with trio.fail_after(30):
            await mute.has_text.wait()
    ((kind, name, part, _),) = desk.heard
    assert (kind, name, part) == ("unsure", "r1-7.1.sms", 1)


async def test_a_server_that_is_silent_for_too_long(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringful.messages.mail._GRACE_SECONDS", 0.1)
    monkeypatch.setattr("ringful.messages.mail._MESSAGE_SECONDS", 0.1)
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, Mute(), [listener])
    async with sending(listener.socket.getsockname()[1]) as desk:
        desk.give(message())
        assert (await desk.until(1))[0][0] == "unsure"
        desk.give(message(n=2))
        assert (await desk.until(2))[1][0] == "unsure"


# Security


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate that vouches for itself; give it, and what a server shows it with."""
    folder = tmp_path_factory.mktemp("tls")
    key, made = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=mail.test"]
    files = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(made)]
    subprocess.run([*command, *files], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made, key)
    return made, context


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_tls_and_a_password(certificate: tuple[Path, ssl.SSLContext], security: str) -> None:
    made, context = certificate
    with mail_server(Mailbox(), tls=context, at_once=security == "tls", password="secret") as box:
        login = {"username": "me", "password": "secret"}
        async with sending(box.port, security=security, ca=made, **login) as desk:
            desk.give(message())
            assert (await desk.until(1))[0][0] == "taken"
    assert box.logins == [("me", "secret")]
    assert len(box.content) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_that_nobody_vouches_for(
    certificate: tuple[Path, ssl.SSLContext], security: str
) -> None:
    with mail_server(Mailbox(), tls=certificate[1], at_once=security == "tls") as box:
        async with sending(box.port, security=security) as desk:
            desk.give(message())
            why = await desk.until_up(False)
    assert why == "the mail server's certificate is not to be trusted: self-signed certificate"
    assert box.content == []
    assert desk.heard == []


async def test_a_certificate_of_another_host(certificate: tuple[Path, ssl.SSLContext]) -> None:
    with mail_server(Mailbox(), tls=certificate[1]) as box:
        made = MailSettings(
            "localhost", box.port, "a@b.test", OPERATORS, security="starttls", ca=certificate[0]
        )
        desk = Told()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(MailTransport(made).run, desk)
            assert "Hostname mismatch" in await desk.until_up(False)
            nursery.cancel_scope.cancel()


async def test_a_server_without_tls_is_not_told_a_password_in_the_clear() -> None:
    with mail_server(Mailbox()) as box:
        async with sending(box.port, security="starttls", username="me", password="secret") as desk:
            why = await desk.until_up(False)
    assert why == "no session with the mail server: STARTTLS extension not supported by server."
    assert box.logins == []


async def test_a_wrong_password(certificate: tuple[Path, ssl.SSLContext]) -> None:
    made, context = certificate
    login = {"username": "me", "password": "guessed"}
    with mail_server(Mailbox(), tls=context, password="secret") as box:
        async with sending(box.port, security="starttls", ca=made, **login) as desk:
            desk.give(message())
            why = await desk.until_up(False)
    assert why.startswith("the mail server refuses our username or password: 535 ")
    assert "guessed" not in why
    assert desk.heard == []


# What never leaves


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (message(operator="4"), "there is no operator '4' in sms.mail.operators; there are: 1, 2"),
        (message(operator=""), "there is no operator '' in sms.mail.operators; there are: 1, 2"),
        (message(number="+1512\r\nRCPT TO:<x@y>"), r"'+1512\r\nRCPT TO:<x@y>' is no number"),
        (message(number="+1512555123٤"), "'+1512555123٤' is no number"),
        (message(number="me@example.com"), "'me@example.com' is no number"),
        (message("a" * 140), "a text to an e-mail gateway has under 140 characters; this one has 140"),
        (message(""), "there is no text"),
        (message("a\0b"), "the text holds a NUL, which no phone can show"),
        (message("ab\ud83d"), "character 3 of the text is half of a surrogate pair"),
    ],
)
async def test_what_cannot_go_is_refused_before_it_goes(sent: Outgoing, why: str) -> None:
    with mail_server(Mailbox()) as box:
        async with sending(box.port) as desk:
            desk.give(sent)
            desk.give(message(n=2))
            heard = await desk.until(2)
    assert heard[0] == ("refused", "r1-7.1.sms", why)
    assert heard[1][0] == "taken"
    assert len(box.content) == 1


@pytest.mark.parametrize(
    ("number", "address"),
    [
        ("+15125551234", "5125551234@vtext.test"),
        ("15125551234", "5125551234@vtext.test"),
        ("+445125551234", "445125551234@vtext.test"),
        ("+12", None),
        ("+441234567", "441234567@vtext.test"),
        ("+8613800138000", "8613800138000@vtext.test"),
    ],
)
def test_numbers_are_as_gateways_want_them(number: str, address: str | None) -> None:
    sent = message(number=number, operator="2")
    if address:
        assert address_of(sent, OPERATORS) == address
    else:
        with pytest.raises(ValueError, match="is no number"):
            address_of(sent, OPERATORS)


def test_a_text_is_one_part() -> None:
    made = MailTransport(MailSettings("127.0.0.1", 25, "a@b.test", OPERATORS))
    assert made.carrier == "mail"
    assert made.parts("a" * 139) == made.parts("👩" * 139) == 1


HEADERS = ["From", "To", "Date", "Message-ID", "Auto-Submitted", "Content-Type"]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=139))
def test_no_text_and_no_id_makes_a_header(text: str) -> None:
    sent = Outgoing(text, "+15125551234", "", text, "1")
    mail = written(sent, "5125551234@txt.att.test", "sms@example.com")
    mail.decode("ascii")
    head = mail.partition(b"\r\n\r\n")[0].decode()
    names = re.findall(r"(?m)^([^\s:]+):", head)
    assert [name for name in names if not name.startswith(("Content-Transfer", "MIME"))] == HEADERS
    assert all(len(line) <= 998 for line in mail.split(b"\r\n"))
    read = message_from_bytes(mail, policy=SMTP).get_content()
    ends = re.compile(r"\r\n?|\n")
    assert ends.sub("\n", read) == ends.sub("\n", text) + ("" if re.search(r"[\r\n]\Z", text) else "\n")


def test_pauses_of_many_messages_are_remembered_within_bounds() -> None:
    pauses = Pauses((1.0, 2.0))
    for n in range(20_000):
        assert pauses.next(str(n)) == 1.0
    assert pauses.next("0") == 1.0
    assert pauses.next("19999") == 2.0
