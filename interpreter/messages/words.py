"""What the first word of a text says: a keyword, or that somebody wants no more messages, or help.

Pure.  The words are those that carriers require (CTIA's and Twilio's lists); a text is one of them only
where it is nothing else, since "stop by at eight" is no wish to hear nothing any more.
"""

import unicodedata
from typing import Literal, TypeAlias

Wish: TypeAlias = Literal["stop", "start", "help"]

_STOP = frozenset(
    "STOP STOPALL UNSUBSCRIBE END QUIT CANCEL REVOKE OPTOUT ARRET REMOVE TD".split()  # noqa: SIM905
)
_WISHES: dict[str, Wish] = {
    **dict.fromkeys(_STOP, "stop"),
    **dict.fromkeys(("START", "UNSTOP", "OPTIN"), "start"),
    **dict.fromkeys(("HELP", "INFO", "AIDE"), "help"),
}

ANY = "*"
"""The keyword of whatever no other one takes."""
LONGEST_KEYWORD = 30
"""Characters of a keyword; a longer first word is none."""


def plain(word: str) -> str:
    """Give *word* as keywords are compared: without marks and punctuation, in upper case.

    ``"Café!"`` is ``CAFE``.  A word of which nothing is left by that (an emoji) is itself.
    """
    decomposed = unicodedata.normalize("NFKD", word)
    kept = "".join(c for c in decomposed if unicodedata.category(c)[0] in "LN")
    return kept.upper() or unicodedata.normalize("NFKC", word)


def as_compared(keyword: str) -> str:
    """Give a keyword as it is compared, or `ANY` as it is."""
    return keyword if keyword == ANY else plain(keyword)


def keyword_of(text: str) -> str:
    """Give the first word of *text*, as keywords are compared; empty where there is none."""
    words = text.split(maxsplit=1)
    if not words:
        return ""
    found = plain(words[0])
    return found if len(found) <= LONGEST_KEYWORD else ""


def wish_of(text: str) -> Wish | None:
    """Say what *text* wishes, where it wishes that and nothing else: ``Stop.``, ``opt-out``, ``STOP ALL``."""
    if len(text) > 2 * LONGEST_KEYWORD:
        return None
    return _WISHES.get(plain(text))


def is_near(text: str) -> bool:
    """Say whether *text* is no wish, and yet begins like one to stop: a person should look at it."""
    return keyword_of(text) in _STOP and wish_of(text) is None
