"""The messages of a server: what carries them, as the configuration says, and the room that handles them."""

from collections.abc import Callable, Sequence
from typing import cast

from ringful.command.configuration.config import Config
from ringful.command.errors import CommandError
from ringful.http.desks.messages import KeywordDesk
from ringful.interpreter.calls.e164 import known
from ringful.interpreter.calls.node import Switchboard
from ringful.interpreter.messages.incoming import Inbox
from ringful.interpreter.messages.office import MessageSettings, Office
from ringful.interpreter.messages.room import MessageRoom
from ringful.media.port import Texts
from ringful.messages.mail import MailTransport
from ringful.messages.port import Carrier, Transport
from ringful.messages.sip import SipTransport
from ringful.messages.smpp.transport import SmppTransport
from ringful.store.port import Key, Post, Store


def transports(config: Config, texts: Texts) -> list[Transport]:
    """Make what carries messages here.  Raises CommandError (code 2) where something lacks for that."""
    made: list[Transport] = []
    sms = config.sms
    if sms.transport == "smpp":
        if not sms.smpp:
            raise CommandError("sms.transport is smpp, and there is no connection: add a table [sms.smpp]", 2)
        made.append(SmppTransport(sms.smpp))
    if sms.transport == "sip":
        made.append(SipTransport(texts))
    if sms.mail:
        made.append(MailTransport(sms.mail))
    return made


def make_office(
    config: Config,
    store: Store,
    deliver: Callable[[Post], None],
    transports: Sequence[Transport],
    may_send: Callable[[Key, str], bool],
    clock: Callable[[], float],
) -> Office:
    """Make the office that *transports* carry for."""
    sms = config.sms
    usual = None if sms.transport == "none" else cast(Carrier, sms.transport)
    settings = MessageSettings(
        known(sms.source, config.sip.country),
        config.sip.country,
        sms.validity,
        sms.window,
        {"stop": sms.stop_reply, "start": sms.start_reply, "help": sms.help_reply},
        usual,
        frozenset(sms.mail.operators) if sms.mail else frozenset(),
    )
    by_carrier = {one.carrier: one for one in transports}
    return Office(store, deliver, by_carrier, settings, may_send, clock)


def make_room(office: Office, desk: KeywordDesk, switchboard: Switchboard) -> MessageRoom:
    """Join *office* with what takes the messages that come in."""

    def owner_of(number: str) -> str | None:
        bound = desk.numbers.at(number)
        return bound.key if bound else None

    begin, new_id, know = switchboard.take_message, switchboard.new_id, switchboard.know_named
    inbox = Inbox(office, desk.keywords, desk.started, begin, new_id, owner_of, know)
    return MessageRoom(office, inbox)
