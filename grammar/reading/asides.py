"""Words within a line that cannot stand there: clauses, units, names."""

import re
from collections.abc import Callable
from typing import Final

from ringful.grammar import foreign
from ringful.grammar.errors import Problem
from ringful.grammar.reading.slip import Slip, piece, write
from ringful.grammar.reading.words import ENDS, OPERATORS, PHRASES, VALUES
from ringful.grammar.spell import nearest
from ringful.grammar.vocabulary import KEYWORDS

_NO_CLAUSES = frozenset({"AND", "OR", "NOT", "IN", "COMMENT", "TRUE", "FALSE", "NONE"})


def unit(slip: Slip) -> Problem | None:
    """``5 s``, ``5 seconds``, ``5sec``, ``1m30s``."""
    before = re.search(r"(\d+(?:\.\d+)?)((?:ms|s|m|h)?)(\s*)$", slip.before)
    if not before or not slip.word:
        return None
    number, own, gap = before.groups()
    meant = foreign.UNITS.get(slip.word.lower())
    back = len(before[0])
    if own and not gap:
        return None
    if meant and not own:
        message = f"`{number}{gap}{slip.word}` is no duration"
        return slip.problem(message, f"write `{number}{meant}`", back, back + len(slip.word))
    if gap:
        return None
    if slip.before[: -len(number)].rstrip().endswith(("let", "as", "param", "for", "gather", "flow")):
        return slip.problem(f"`{number}{slip.word}` is no name", "a name begins with a small letter", back)
    hint = "durations are written `500ms`, `8s`, `2m`, `1h`"
    message = f"`{number}{slip.word}` is no number and no duration"
    return slip.problem(message, hint, back, back + len(slip.word))


_SECONDS = {"h": 3600, "m": 60, "s": 1}


def parts(slip: Slip) -> Problem | None:
    """``1m30s``."""
    before = re.search(r"(\d+)$", slip.before)
    following = re.match(r"([hms])(\d+)([hms])\b", slip.after)
    if not before or not following:
        return None
    unit_of_first, second, unit_of_second = following.groups()
    seconds = int(before[0]) * _SECONDS[unit_of_first] + int(second) * _SECONDS[unit_of_second]
    said = before[0] + following[0]
    return slip.problem(f"`{said}` is no duration", f"write `{seconds}s`", len(before[0]), len(said))


def name(slip: Slip) -> Problem | None:
    """What stands where a name is wanted, or what no name can be."""
    wants_name = "NAME" in slip.wanted and not slip.wants_value
    if slip.token.type == "MINUS" and slip.verb == "let" and "EQUALS" in slip.wanted:
        whole = re.match(r"(?:-\w+)+", slip.after)
        said = foreign.snake((slip.last + (whole[0] if whole else "-")).replace("-", "_"))
        return slip.problem("a name has no `-`", write(said, "order_id"))
    if slip.token.type == "QUOTE" and wants_name:
        said = piece(slip.after)
        if slip.verb == "connect":
            hint = "write `start call NUMBER as NAME`, and then `connect NAME`"
            return slip.problem("`connect` takes the name of a leg", hint)
        if slip.verb == "conference":
            return slip.problem(
                "`conference` gives its ID to a name",
                write(f"conference room named {said}", "conference room"),
            )
        small = said.strip('"')
        hint = write(small, "order") if re.fullmatch("[a-z_][a-z0-9_]*", small) else "write e.g. `order`"
        return slip.problem("a name stands without quotes", hint)
    if slip.token.type == "QUOTE" and slip.last == "to" and slip.before.split()[-2:] == [slip.verb, "to"]:
        return slip.problem("no `to` stands before a number", write(f"{slip.verb} {piece(slip.after)}", "…"))
    if slip.token.type == "NUMBER" and wants_name and (whole := re.match(r"\d\w*", slip.after)):
        message = f"`{whole[0]}` is no name"
        return slip.problem(message, "a name begins with a small letter", width=len(whole[0]))
    return None


def count(slip: Slip) -> Problem | None:
    """``gather digits 4``, ``gather 4 digits``, ``gather pin 4``."""
    wants_name = "NAME" in slip.wanted and not slip.wants_value
    if slip.token.type == "NUMBER" and slip.verb == "gather" and (wants_name or slip.last == "digits"):
        amount = piece(slip.after)
        message = "`gather` needs a name for the keys"
        return slip.problem(message, write(f"gather NAME digits {amount}", "gather NAME digits 4"))
    if slip.token.type == "NUMBER" and slip.verb == "gather" and "DIGITS" in slip.wanted:
        return slip.problem(
            "`digits` is missing before the count", write(f"digits {piece(slip.after)}", "digits 4")
        )
    return None


def capitals(slip: Slip) -> Problem | None:
    """A word with capitals: a name of another language's, a value, a clause."""
    word = slip.word
    if word.islower() or not word.isascii() or not word:
        return None
    if slip.token.type != "STRAY" and not _is_clause(slip):
        return None
    if slip.before.endswith(".") or re.search(r"\.[a-z]\w*$", slip.before):
        return _part(slip, word)
    if _is_clause(slip) and not slip.touches:
        return None
    meant = foreign.VALUES.get(foreign.plain(word))
    if meant:
        return slip.of_word(f"`{word}` is no word: words are written small", f"write `{meant}`")
    if word == "Digits":
        hint = "the keys are what `gather NAME` gives"
        return slip.of_word("`Digits` is no name: names are written small", hint)
    small = foreign.snake(word)
    if "_" not in small:
        return slip.of_word(f"`{word}` is no word: words are written small", f"write `{small}`")
    message = f"`{word}` is no name: names are written small, with `_` between their words"
    return slip.of_word(message, f"write `{small}`")


def _part(slip: Slip, word: str) -> Problem:
    function = foreign.FUNCTIONS.get(foreign.plain(word), "")
    subject = re.search(r"([a-z_][\w.]*)\.\w*$", slip.before)
    if function and subject:
        message = "a value has no functions of its own"
        return slip.of_word(message, write(f"{function}({subject[1]})", f"{function}(…)"))
    return slip.of_word(f"`{word}` is no part: parts are written small", f'write `["{word}"]`')


def _is_clause(slip: Slip) -> bool:
    at_clause = bool(slip.wanted & {"NEWLINE", "BLOCK_OPEN"})
    return bool(at_clause and slip.verb and slip.reading.verb is not slip.token and slip.word)


def behind_a_block(slip: Slip) -> Problem | None:
    """``} elif a {``, ``} catch (e) {``."""
    hint = foreign.BESIDE.get(foreign.plain(slip.word))
    if not hint or not slip.before.strip().endswith("}"):
        return None
    if hint == foreign.BESIDE["elif"] and (condition := re.match(r"(.+?)\s*(?:[:{].*)?$", slip.rest)):
        hint = write(f"else if {condition[1]} {{", "else if … {")
    return slip.problem(f"there is no `{slip.word}`", hint)


def event(slip: Slip) -> Problem | None:
    """``on end``, ``on "0"``."""
    if slip.verb != "on" or slip.last != "on":
        return None
    if slip.token.type in ("QUOTE", "NUMBER"):
        keys = piece(slip.after)
        return slip.problem(
            "`tone` is missing before the keys", write(f"on tone {keys} {{ … }}", "on tone …")
        )
    if foreign.plain(slip.word) in ("end", "ended", "disconnect", "exit", "completed", "bye"):
        return slip.problem(f"there is no event `{slip.word}`", "write `on hangup { … }`")
    if slip.word in ("answer", "answered", "connect", "start"):
        hint = "what is to be done then stands behind the `answer`, or behind the script's `call`"
        return slip.problem(f"there is no event `{slip.word}`", hint)
    return None


def clause(slip: Slip) -> Problem | None:
    """A word where the statement could take a clause, or end."""
    if not _is_clause(slip):
        return None
    words = [name.lower() for name in slip.wanted if name.isalpha() and name not in VALUES | ENDS | OPERATORS]
    words = [one for one in words if one.upper() not in _NO_CLAUSES | PHRASES.keys()]
    own = _of_statement(slip)
    if own:
        return own
    near = nearest(slip.word, words)
    message = f"`{slip.verb}` does not take `{slip.word}` here"
    if near:
        return slip.of_word(message, f"did you mean `{near}`?")
    meant = next((one for one in foreign.CLAUSES.get(foreign.plain(slip.word), ()) if one in words), None)
    if meant:
        return slip.of_word(message, write(f"{meant} {_value(slip, meant)}".rstrip(), meant))
    takes = ", ".join(f"`{one}`" for one in sorted(words))
    hint = f"here it can take {takes}" if takes else f"the line could end here, before `{slip.word}`"
    return slip.of_word(message, hint)


def _value(slip: Slip, meant: str) -> str:
    value = piece(slip.rest)
    if meant == "as" and value.startswith('"'):
        return "recording" if slip.verb == "record" else "NAME"
    if meant in foreign.SPANS:
        value = value.strip('"')
        value = f"{value}s" if value.isdigit() else value
    return "" if meant in ("beep", "muted") else value


def _of_statement(slip: Slip) -> Problem | None:
    """Say what is wrong with a word that only one statement is given elsewhere."""
    key, message = foreign.plain(slip.word), f"`{slip.verb}` does not take `{slip.word}` here"
    match slip.verb:
        case "gather" if key == "to" and (least := re.search(r"digits\s+(\d+)\s*$", slip.before)):
            return slip.of_word(message, write(f"digits {least[1]}..{piece(slip.rest)}", "digits 4..8"))
        case "play" | "record" if key in ("async", "background", "nowait", "parallel"):
            return slip.of_word(message, write(f"start {slip.before.strip()}", f"start {slip.verb} …"))
        case "sms" if key in ("body", "text", "message") and (number := re.search('"[^"]*"', slip.before)):
            return slip.of_word(message, write(f"sms {number[0]} {piece(slip.rest)}", "sms NUMBER TEXT"))
        case "play" if key == "for" and slip.rest[:1].isdigit():
            code = f"start {slip.before.strip()}"
            hint = f"{write(code, 'start play …')}, and then `wait {piece(slip.rest)}` and `stop play`"
            return slip.of_word(message, hint)
        case "join" if key in ("moderator", "host", "leader", "admin"):
            return slip.of_word(message, "write `as moderator`")
        case "reject" if key == "reason":
            return slip.of_word(message, write("reject " + piece(slip.rest).strip('"'), "reject busy"))
        case "let" | "if" if slip.last.isidentifier() and slip.last not in KEYWORDS:
            hint = (
                f"there is no `{slip.last}` before a value; a function has parentheses: `text({slip.word})`"
            )
            return slip.of_word(f"found `{slip.word}` behind `{slip.last}`, and nothing joins the two", hint)
    return None


def number_of_digits(slip: Slip) -> Problem | None:
    """``digits 4...8``."""
    if slip.token == "." and slip.before.endswith("..") and (least := re.search(r"(\d+)\.\.$", slip.before)):
        return slip.problem("a range has two dots", write(f"{least[1]}..{piece(slip.rest)}", "4..8"), 2, 3)
    return None


def prompt(slip: Slip) -> Problem | None:
    """``menu "Press 1." {``."""
    if slip.verb != "menu" or slip.token.type != "QUOTE" or "TRIES" not in slip.wanted:
        return None
    code = f"prompt {{ say {piece(slip.after)} }}"
    return slip.problem("what a menu says stands in its `prompt`", write(code, "prompt { … }"))


def steering(slip: Slip) -> Problem | None:
    """``pause``, ``pause 2s``, ``resume``, ``skip forward 10s``."""
    amount = re.search(r"\b(\d+(?:\.\d+)?)(ms|s|m|h)?\b", slip.after)
    time = f"{amount[1]}{amount[2] or 's'}" if amount else ""
    if slip.verb in ("pause", "resume") and slip.last == slip.verb:
        hint = f"write `{slip.verb} play`"
        if slip.verb == "pause":
            hint = f"to wait, write `wait {time}`" if time else f"{hint}; to wait, write e.g. `wait 2s`"
        return slip.problem(f"`{slip.verb}` is for what is heard, and `play` is missing", hint)
    if slip.verb == "skip" and time and slip.last in (*_BACK, *_ON):
        hint = f"write `skip {'back ' if slip.last in _BACK else ''}{time}`"
        return slip.problem(f"`skip` takes no `{slip.last}`", hint, len(slip.last) + 1, len(slip.last))
    return None


_BACK, _ON = ("backward", "backwards", "rewind"), ("forward", "forwards", "ahead", "on")


def hung_up(slip: Slip) -> Problem | None:
    """``hangup 3``: whoever is meant of a conference could have stood there, but no conference does."""
    found = re.search(r"\bhangup[ \t]+(.+?)\s*$", slip.before)
    if not found or slip.token.type not in ENDS | {"CLOSE"} or "IN" not in slip.wanted:
        return None
    back, said = len(slip.before) - found.start(1), found[1]
    if said in ("true", "false", "none"):
        return slip.problem(f"`{said}` is a word of the language and cannot be a name", "", back, len(said))
    hint = 'write `hangup`, `hangup agent`, or, in a conference, `hangup agent in "sales"`'
    return slip.problem("`hangup` takes the name of a leg", hint, back, len(said))


RULES: Final[tuple[Callable[[Slip], Problem | None], ...]] = (
    behind_a_block,
    hung_up,
    steering,
    number_of_digits,
    parts,
    unit,
    count,
    name,
    event,
    prompt,
    capitals,
    clause,
)
