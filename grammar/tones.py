"""Tones as a script writes them: ``"1"``, ``"1,2,#"``."""

from collections.abc import Iterable
from typing import Final

from ringful.grammar import nodes

TONES: Final = "0123456789*#ABCD"
"""Every tone that a phone can send."""

ANY_TONE: Final = ",".join(TONES)
"""What `any` says."""

ANY_DIGIT: Final = "x"
"""What stands for any digit where keys are listed."""

MOST_KEYS: Final = 32
"""The most keys in a row that a choice or a handler may ask for."""


def literal(expression: nodes.Expression | None) -> str | None:
    """Give the text that *expression* is, if it is one in which nothing is worked out."""
    match expression:
        case nodes.Text(()):
            return ""
        case nodes.Text((str(only),)):
            return only
        case _:
            return None


def known_tones(expression: nodes.Expression | None) -> str | None:
    """Give the tones that *expression* lists, as ``"12#"``, if they can be known and are right."""
    said = str(expression.value) if isinstance(expression, nodes.Number) else literal(expression)
    if said is None:
        return None
    parts = [part.strip().upper() for part in said.split(",")]
    return "".join(parts) if all(len(part) == 1 and part in TONES for part in parts) else None


def covers(pattern: str, keys: str) -> bool:
    """Say whether *keys* are what *pattern* asks for: ``x`` is any digit."""
    return pattern == keys or (
        ANY_DIGIT in pattern and len(pattern) == len(keys) and all(map(_is, pattern, keys))
    )


def starts(patterns: Iterable[str], keys: str) -> bool:
    """Say whether one of *patterns* begins with *keys*, or says just them."""
    for one in patterns:
        if one.startswith(keys) or (ANY_DIGIT in one and len(one) >= len(keys) and all(map(_is, one, keys))):
            return True
    return False


def first_keys(patterns: Iterable[str]) -> str:
    """Give the tones that one of *patterns* begins with."""
    first = {one[0] for one in patterns if one}
    if ANY_DIGIT in first:
        first.update("0123456789")
    return "".join([tone for tone in TONES if tone in first])


def _is(mark: str, tone: str) -> bool:
    return mark == tone or (mark == ANY_DIGIT and tone.isdecimal())


def known_patterns(expression: nodes.Expression | None) -> tuple[str, ...]:
    """Give the keys that *expression* lists, ``("1", "*2", "4xx")``, if they can be known and are right."""
    said = str(expression.value) if isinstance(expression, nodes.Number) else literal(expression)
    if said is None or wrong_patterns(said):
        return ()
    if _is_tone(said):
        return (said,)
    return patterns_in(said)


def _is_tone(said: str) -> bool:
    """Say whether *said* is one tone, as most that is said of keys is."""
    return len(said) == 1 and said in TONES


def patterns_in(said: str) -> tuple[str, ...]:
    """Give the keys that the text *said* lists."""
    return tuple(part.strip().upper().replace("X", ANY_DIGIT) for part in said.split(","))


def wrong_patterns(said: str) -> tuple[str, str] | None:
    """Say what is wrong with a list of keys, each one or several in a row, and what to do about it."""
    if _is_tone(said):
        return None
    for part in patterns_in(said):
        if not part:
            return "a key is missing here", 'write one, or several as `"1,2,*9"`'
        wrong = next((mark for mark in part if mark not in TONES + ANY_DIGIT), None)
        if wrong:
            return f"`{wrong}` is no key", "keys are 0-9, *, # and A-D; `x` is any digit"
        if len(part) > MOST_KEYS:
            return f"`{part}` is longer than {MOST_KEYS} keys", "collect them with `gather`"
    return None


def wrong_list(said: str) -> tuple[str, str] | None:
    """Say what is wrong with a list of tones, and what to do about it."""
    for part in said.split(","):
        tone = part.strip().upper()
        if len(tone) == 1 and tone in TONES:
            continue
        if not tone:
            return "a tone is missing here", 'write one, or several as `"1,2,#"`'
        if len(tone) <= len(TONES) and all(mark in TONES for mark in tone):
            return f"`{part.strip()}` is no single tone", f'for any of them, write `"{",".join(tone)}"`'
        return f"`{part.strip()}` is no tone", "tones are 0-9, *, # and A-D"
    return None


def wrong_sequence(said: str) -> tuple[str, str] | None:
    """Say what is wrong with tones that are sent one after another."""
    marks = said.upper().replace(",", "").replace(" ", "")
    if not marks:
        return "there is no tone to send", 'e.g. `tone "1234#"`'
    wrong = next((mark for mark in marks if mark not in TONES), None)
    return (f"`{wrong}` is no tone", "tones are 0-9, *, # and A-D") if wrong else None
