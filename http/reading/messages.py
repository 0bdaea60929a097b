"""The requests that send text messages, and those that say what takes the ones that come in."""

from collections.abc import Callable
from typing import TypeAlias

from attrs import field, frozen

from ringful.http.reading import parameters as p
from ringful.http.reading.numbers import no_number, taker
from ringful.http.reading.parameters import BadParameter, Parameters
from ringful.http.reading.scripts import Given, Named, values
from ringful.interpreter.messages.words import ANY, LONGEST_KEYWORD, plain, wish_of

LONGEST_ONE_OFF = 139
"""Characters of a `SendSms`: the reference says less than 140."""
OPERATORS = ("1", "2", "3", "4")
"""The reference's: AT&T, Verizon, Sprint, T-Mobile."""


@frozen
class SendReceiveSms:
    """Send a message, and tell *callback_url* how it fares and what is replied."""

    callee: str
    message: str
    callback_url: str | None = None
    label: str | None = None


@frozen
class SendSms:
    """Send a message through the e-mail gateway of an operator."""

    callee: str
    message: str
    operator: str
    label: str | None = None


@frozen
class BindKeyword:
    """Let *script*, or *callback_url*, take the messages to *number* that begin with *keyword* (ours)."""

    number: str
    keyword: str
    script: Named | None = None
    given: Given = field(factory=Given)
    callback_url: str | None = None


@frozen
class GetKeywords:
    """List the key's keywords; only those of *number*, where one is named (ours)."""

    number: str | None = None


@frozen
class RemoveKeyword:
    """Let nobody take those messages any more (ours)."""

    number: str
    keyword: str


Sending: TypeAlias = SendReceiveSms | SendSms
KeywordRequest: TypeAlias = BindKeyword | GetKeywords | RemoveKeyword


def send_receive(given: Parameters, country: str, callback: Callable[[Parameters], str | None]) -> Sending:
    """Read `SendReceiveSms`."""
    return SendReceiveSms(
        given.required("callee", p.number(country, sip=False), "15125551234"),
        given.required("message", p.text, "hello+world"),
        callback(given),
        given.optional("label", p.label),
    )


def send_one(given: Parameters, country: str) -> Sending:
    """Read `SendSms`."""
    return SendSms(
        given.required("callee", p.number(country, sip=False), "15125551234"),
        given.required("message", _one_off, "hello+world"),
        given.required("operator", _operator, "1"),
        given.optional("label", p.label),
    )


def _one_off(name: str, value: str) -> str:
    if len(value) > LONGEST_ONE_OFF:
        limit = f"less than {LONGEST_ONE_OFF + 1} characters"
        raise BadParameter(name, "invalid", f"{name} must have {limit} here, not {len(value)}")
    return value


def _operator(name: str, value: str) -> str:
    if value not in OPERATORS:
        known = "1 (AT&T), 2 (Verizon), 3 (Sprint) or 4 (T-Mobile)"
        raise BadParameter(name, "invalid", f"{name} must be {known}, not {value!r}")
    return value


def keyword(
    given: Parameters, country: str, callback: Callable[[Parameters], str | None]
) -> BindKeyword | GetKeywords:
    """Read `Keyword`."""
    number = given.optional("number", p.own_number(country))
    word = given.optional("keyword", read_keyword)
    script, url = taker(given, callback)
    if script is None and url is None:
        if word is not None:
            wanted = "give script=NAME or callbackUrl=URL: what takes messages with this keyword"
            raise BadParameter("script", "missing", f"script is missing: {wanted}")
        return GetKeywords(number)
    if number is None:
        raise no_number()
    if word is None:
        raise BadParameter("keyword", "missing", "keyword is missing; give e.g. keyword=JOIN, or keyword=*")
    return BindKeyword(number, word, script, values(given) if script else Given(), url)


def remove(given: Parameters, country: str) -> RemoveKeyword:
    """Read `KeywordRemove`."""
    return RemoveKeyword(
        given.required("number", p.own_number(country), "18005550000"),
        given.required("keyword", read_keyword, "JOIN"),
    )


def read_keyword(name: str, value: str) -> str:
    """Read a keyword: one word, or ``*`` for all that no other one takes."""
    if value == ANY:
        return value
    word = plain(value)
    if len(value.split()) != 1 or len(word) > LONGEST_KEYWORD:
        wanted = f"one word of at most {LONGEST_KEYWORD} characters, or *"
        raise BadParameter(name, "invalid", f"{name} must be {wanted}, not {value[:60]!r}")
    if wish := wish_of(word):
        why = f"{word} always means {_WISHES[wish]}: take another word"
        raise BadParameter(name, "invalid", f"{name} cannot be {value!r}: {why}")
    return word


_WISHES = {"stop": "to get no more messages", "start": "to get messages again", "help": "to be helped"}
