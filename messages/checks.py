"""What no transport can send: odd texts, and what is no number."""

import re


def check_text(text: str) -> None:
    """Raise ValueError, which says why, where *text* is nothing, no Unicode, or holds a NUL."""
    if not text:
        raise ValueError("there is no text")
    if "\0" in text:
        raise ValueError("the text holds a NUL, which no phone can show")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"character {error.start + 1} of the text is half of a surrogate pair") from None


def digits_of(number: str) -> str:
    """Give the digits of ``+15125551234``.  Raises ValueError where it is anything else."""
    found = re.fullmatch(r"\+?(\d{3,15})", number, re.ASCII)
    if not found:
        raise ValueError(f"{number!r} is no number")
    return found[1]
