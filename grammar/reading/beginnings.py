"""Lines that begin with what no line of a script begins with."""

import re

from ringful.grammar import foreign
from ringful.grammar.errors import Problem
from ringful.grammar.reading.slip import Slip, bare, write
from ringful.grammar.reading.words import found
from ringful.grammar.spell import nearest
from ringful.grammar.vocabulary import KEYWORDS, VERBS

_VERB = "a line begins with a verb, e.g. `play`"


def beginning(slip: Slip) -> Problem | None:
    """Say what is wrong with a line whose first token begins no statement."""
    if not slip.begins:
        return None
    if not slip.word:
        return _mark(slip)
    return _assignment(slip) or _called(slip) or _foreign(slip) or _unknown(slip)


def _mark(slip: Slip) -> Problem:
    said = slip.after.strip()
    if said.startswith("<"):
        return slip.problem("a script is no XML", _element(said))
    if listed := re.match(r"[-*]\s+([a-z]\w*\b.*)", said):
        return slip.problem("statements stand without a mark before them", write(listed[1], "play …"))
    if context := re.fullmatch(r"\[(\w[^]]*)\]", said):
        message = "a script has no sections"
        return slip.problem(message, f"to give it a title, write `# {context[1]}`", width=len(said))
    if not slip.token.isprintable():
        return slip.problem(f"the character U+{ord(slip.token[0]):04X} has no place here")
    return slip.problem(f"found {found(slip.token)}, expected a statement", _VERB)


_ELEMENTS = {
    "say": 'say "{}"',
    "play": 'play "{}"',
    "dial": 'start call "{}" as callee',
    "redirect": 'follow "{}" for 5s',
    "pause": "wait 1s",
    "hangup": "hangup",
    "reject": "reject",
    "record": "record",
    "gather": "gather digits digits 1",
}


def _element(said: str) -> str:
    matched = re.match(r"<(\w+)[^>]*>([^<]*)", said)
    form = _ELEMENTS.get(matched[1].lower(), "") if matched else ""
    code = form.format(matched[2].strip().replace('"', "") or "…") if matched else ""
    return write(code, 'say "…"')


def _assignment(slip: Slip) -> Problem | None:
    """``x = 3``, ``x += 1``, ``x++``."""
    name = foreign.snake(slip.word)
    given = re.match(r":?=(?![=>])\s*(.*)", slip.rest)
    changed = re.match(r"(?:([-+*/%])=\s*(.+)|(\+\+|--))", slip.rest)
    if changed:
        operator, by = (changed[1], changed[2]) if changed[1] else (changed[3][0], "1")
        code = f"let {name} = {name} {operator} {bare(by)}"
    elif given:
        code = f"let {name} = {bare(given[1])}"
    else:
        return None
    message = f"there is no statement `{slip.word}`"
    return slip.of_word(message, f"to give a name a value, {write(code, f'let {name} = …')}")


def _called(slip: Slip) -> Problem | None:
    """``greet()``, ``response.say("Hello.")``."""
    method = re.match(r"\.(\w+)\((.*)", slip.rest)
    if method and method[1].lower() in VERBS:
        values = method[2].rpartition(")")[0] or method[2]
        code = f"{method[1].lower()} {values}"
        return slip.of_word("statements stand by themselves, and without parentheses", write(code, "play …"))
    if not slip.rest.startswith("(") or foreign.plain(slip.word) in foreign.STATEMENTS:
        return None
    if nearest(slip.word, VERBS):
        return None
    values = slip.rest[1:].rpartition(")")[0]
    code = f"do {foreign.snake(slip.word)}({values})"
    return slip.of_word("a flow is run by `do`", write(code, "do NAME(…)"))


def _foreign(slip: Slip) -> Problem | None:
    key = foreign.plain(slip.word)
    hint = foreign.STATEMENTS.get(key)
    if hint is None:
        if key == "await" and (awaited := re.match(r"(\w+)\s*\(?\s*(.*?)\)?$", slip.rest)):
            hint = f"a verb waits by itself: {write(f'{awaited[1]} {awaited[2]}', 'play …')}"
            return slip.of_word(f"there is no statement `{slip.word}`", hint)
        return None
    number = re.search(r"\d+", slip.rest)
    if key in ("sleep", "pause", "settimeout") and number:
        in_thousands = key == "settimeout" and not number[0].endswith("000")
        amount = number[0].removesuffix("000") if key == "settimeout" else number[0]
        hint = write(f"wait {amount}{'ms' if in_thousands else 's'}", "wait 2s")
    if key in ("import", "include", "require") and (
        path := re.search(r"""["'](?:\./)?([^"']+)["']""", slip.rest)
    ):
        hint = write(f'use "{path[1]}"', 'use "other.call"')
    return slip.of_word(f"there is no statement `{slip.word}` here", hint)


def _unknown(slip: Slip) -> Problem:
    word = slip.word
    if word in KEYWORDS - VERBS:
        hint = f"a statement ends with its line: `{word}` stands on that of its statement"
        return slip.of_word(f"there is no statement `{word}`", hint)
    if re.match(r"[.\[].*[^=!<>]=[^=]", slip.rest):
        hint = "a value stays as it is; a name is given another one with `let NAME = …`"
        return slip.of_word("a part of a value cannot be set", hint)
    if not word.islower():
        small = foreign.snake(word)
        hint = write(small if small in VERBS else foreign.plain(word), word.lower())
        return slip.of_word(f"`{word}` is no word: words are written small", hint)
    near = nearest(word, VERBS)
    hint = f"did you mean `{near}`?" if near else f"{_VERB}; a flow is run with `do {word}()`"
    return slip.of_word(f"there is no statement `{word}`", hint)


def _part_of_menu(slip: Slip, verb: str, rest: str) -> Problem:
    """``say "x"`` between the branches, ``prompt: say "x"``, ``prompt "x"``."""
    part = verb.rstrip(":")
    if part in VERBS:
        code = f"prompt {{ {part} {rest} }}" if rest else ""
        return slip.problem("what a menu says first stands in its `prompt`", write(code, "prompt { … }"))
    said = f"say {rest}" if rest.startswith('"') else rest
    code = f"{part} {{ {said} }}" if said else ""
    return slip.problem(f"`{part}` has a block in braces", write(code, f"{part} {{ … }}"))


def branch(slip: Slip) -> Problem | None:
    """Say what is wrong with a line in a menu that is to be a branch."""
    if not slip.in_menu:
        return None
    inner = re.split(r"[{};]", slip.before)[-1]
    alone = len(inner) == len(slip.before)
    line = (inner + slip.after).strip()
    matched = re.match(r'(?:case\s+)?("[^"]*"|[0-9*#])\s*(?::|->|=>|=|-|)\s*(.*)$', line)
    if matched:
        keys = matched[1] if matched[1].startswith('"') else f'"{matched[1]}"'
        code = f"{keys} {{ {(bare(matched[2]) if alone else '') or '…'} }}"
        return slip.problem("a branch of a menu is its keys and a block", write(code, f"{keys} {{ … }}"))
    verb, _, rest = line.partition(" ")
    if verb in VERBS or verb.rstrip(":") in ("prompt", "timeout", "otherwise"):
        return _part_of_menu(slip, verb, bare(rest) if alone else "")
    if hint := foreign.BRANCHES.get(foreign.plain(verb.rstrip(":"))):
        return slip.problem(f"found {found(slip.token)}, expected a block", hint)
    return None
