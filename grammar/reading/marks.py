"""Marks and signs of other languages, each told with what is written here."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from ringful.grammar import foreign
from ringful.grammar.errors import Problem
from ringful.grammar.reading.slip import Slip, bare, piece, write
from ringful.grammar.reading.words import VALUES, found
from ringful.grammar.vocabulary import VERBS

_TERNARY = re.compile(r"\s*let\s+(\w+)\s*=\s*(.+?)\s*\?\s*(.+?)\s*:\s*(.+)$")
_INLINE_IF = re.compile(r"\s*let\s+(\w+)\s*=\s*(.+?)\s+if\s+(.+?)\s+else\s+(.+)$")
_OR_ELSE = re.compile(r"\s*let\s+(\w+)\s*=\s*(.+?)\s*\?\?\s*(.+)$")


def comment(slip: Slip) -> Problem | None:
    """``// …``, ``/* … */``, ``; …``, and a key ``#`` that begins a comment."""
    whole = slip.before[-1:] + slip.after if slip.before.endswith("/") else slip.after
    back = len(whole) - len(slip.after)
    if whole.startswith("//") and re.match(r"//\s*\d", whole):
        return slip.problem("there is no `//`", "the nearest whole number is `round(…)`", back, 2)
    if whole.startswith(("//", "/*")):
        said = whole[2:].partition("*/")[0].strip(" */")
        return slip.problem("a comment begins with `#`", write(f"# {said}", "# …"), back, 2)
    if slip.begins and slip.before.strip() == ";":
        said = slip.after.strip()
        back = len(slip.before) - slip.before.rindex(";")
        return slip.problem("a comment begins with `#`", write(f"# {said}", "# …"), back, 1)
    return None


def comment_that_is_a_key(slip: Slip, line: str) -> Problem | None:
    """``wait tone #``, where *line* is the whole line and its end came too early."""
    last = slip.reading.last
    if slip.token.type not in ("NEWLINE", "$END") or not slip.wants_value or last is None:
        return None
    at = (last.end_column or 1) - 1
    mark = re.match(r"\s*#", line[at:])
    if not mark:
        return None
    column = at + len(mark[0])
    span = slip.reading.span(last)
    shifted = type(span)(span.end_line, column, span.end_line, column + 1, span.path)
    return Problem("syntax", "`#` begins a comment", shifted, 'for the key, write `"#"`')


def equals(slip: Slip) -> Problem | None:
    """``===``, ``=>``, ``a = b`` in a condition, ``{ a = 1 }``, ``greet(who = 1)``."""
    if slip.token.type != "EQUALS":
        return None
    if found_back := re.search(r"([=!]=)$", slip.before):
        said = found_back[1]
        return slip.problem(f"there is no `{said}=`", f"write `{said}`", 2, 3)
    if "COLON" in slip.wanted:
        key = re.search(r'("[^"]*"|\w+)\s*$', slip.before)
        code = f"{key[1]}:" if key else ""
        return slip.problem("an entry of a map is `key: value`", write(code, "key: value"))
    if slip.verb == "let" and not slip.after.startswith("=>"):
        return _second_equals(slip)
    if slip.verb == "flow" and "SHUT" in slip.wanted:
        return slip.problem(
            "a parameter of a flow has no default", "give the value where it is run, with `do`"
        )
    if slip.inner == "OPEN" and re.search(r"[(,]\s*\w+\s*$", slip.before):
        message = "values are given in their order, without names"
        return slip.problem(message, write(piece(slip.after[1:]), "(…)"))
    if slip.after.startswith("=>"):
        return None
    if "+" not in slip.wanted and slip.follows_value:
        return slip.problem("`=` gives a name its value and does not compare", "write `==`")
    return None


def _second_equals(slip: Slip) -> Problem:
    """``let x == 1``, ``let x = y = 1``."""
    if slip.before.endswith("="):
        code = f"{slip.before.strip()} {slip.after[1:].strip()}"
        return slip.problem("`==` compares, and gives no name a value", write(code, "let NAME = …"), 1, 2)
    return slip.problem("a `let` gives one name its value", "write a `let` for each; `==` compares")


def arrow(slip: Slip) -> Problem | None:
    """``-> found``, ``=> found``."""
    if slip.after.startswith("=>"):
        back, name = 0, slip.after[2:].strip()
    elif slip.token == ">" and slip.before.endswith("-"):
        back, name = 1, slip.rest
    else:
        return None
    hint = "there are no functions without a name: write `flow NAME(…) { … }`"
    if slip.verb != "let" and re.fullmatch(r"[a-z_]\w*", name):
        hint = write(f"as {name}", "as NAME")
    return slip.problem("an arrow means nothing", hint, back, 2)


def question(slip: Slip) -> Problem | None:
    """``a ? b : c``, ``a ?? b``, ``a?.b``, ``b if a else c``."""
    line = slip.before + slip.after
    if slip.token == "if" and (chosen := _INLINE_IF.match(line)):
        name, one, condition, other = chosen.groups()
        return _choice(slip, "an `if` stands before what it chooses", condition, name, one, other)
    if slip.token != "?":
        return None
    if slip.after.startswith("?."):
        part = re.match(r"\?\.(\w+)", slip.after)
        code = f"{slip.last}.{foreign.snake(part[1])}" if part else ""
        hint = f"{write(code, 'name.part')}, and ask before whether it is `none`"
        return slip.problem("there is no `?.`", hint, width=2)
    if slip.after.startswith("??"):
        chosen = _OR_ELSE.match(line)
        code = f"if {chosen[1]} == none {{ let {chosen[1]} = {bare(chosen[3])} }}" if chosen else ""
        where = "behind it, " if code else ""
        return slip.problem("there is no `??`", f"{where}{write(code, 'if … == none { … }')}", width=2)
    if chosen := _TERNARY.match(line):
        name, condition, one, other = chosen.groups()
        return _choice(slip, "there is no `? :`", condition, name, one, other)
    return slip.problem("`?` has no place here", "write `if … { … } else { … }`")


def _choice(slip: Slip, message: str, condition: str, name: str, one: str, other: str) -> Problem:
    code = f"if {condition} {{ let {name} = {one} }} else {{ let {name} = {bare(other)} }}"
    return slip.problem(message, write(code, "if … { let NAME = … } else { let NAME = … }"))


def colon(slip: Slip) -> Problem | None:
    """``say: "x"``, ``if a:``, ``caller[0:3]``, an address without quotes."""
    if slip.token.type != "COLON":
        return None
    address = re.search(r"\b(https?|sips?|tel|mailto)$", slip.before)
    if address and (whole := re.match(r":[^\s\"]+", slip.after)):
        said = address[1] + whole[0]
        hint = write(f'"{said}"', '"…"')
        return slip.problem("an address stands in double quotes", hint, len(address[1]), len(said))
    if slip.inner == "SQUARE_OPEN":
        return slip.problem("there are no slices", "an index is one number: [0] is the first item of a list")
    if slip.last == slip.verb and slip.verb in VERBS:
        code = f"{slip.verb} {bare(slip.rest)}"
        return slip.problem("no `:` stands behind a verb", write(code, f"{slip.verb} …"))
    if "BLOCK_OPEN" in slip.wanted:
        return slip.problem("a block stands in braces", "write `{`, and a line `}` behind the block")
    return None


def operator(slip: Slip) -> Problem | None:
    """``**``, ``&&``, ``||``, ``is``, ``not`` as a sign, and a chain of comparisons."""
    if slip.token == "*" and slip.before.endswith("*"):
        raised = re.search(r"(\w+)\s*\*$", slip.before)
        times = re.match(r"\*\s*(\d)\b", slip.after)
        code = " * ".join([raised[1]] * int(times[1])) if raised and times else ""
        return slip.problem("there are no powers", write(code, "n * n"), 1, 2)
    if slip.follows_value and slip.token in foreign.OPERATORS:
        said, meant = str(slip.token), foreign.OPERATORS[slip.token]
        if meant == "==" and slip.rest.startswith("not "):
            said, meant = f"{said} not", "!="
        return slip.problem(f"there is no operator `{said}`", f"write `{meant}`")
    if slip.token in _COMPARISONS and slip.follows_value:
        return slip.problem("comparisons do not chain", "join two of them with `and`, or put one into ( )")
    return None


def quote(slip: Slip) -> Problem | None:
    """``'x'``, back quotes, ``f"x"``, and texts over several lines."""
    if slip.token in ("'", "`", "\u2018", "\u2019"):
        said = slip.after[1:].partition(slip.after[0])[0].replace("${", "{").replace('"', '\\"')
        name = "a back quote" if slip.token == "`" else f"`{slip.token}`"
        message = f"{name} begins no text: texts are written in double quotes"
        return slip.problem(message, write(f'"{said}"', '"…"'))
    if slip.token.type != "QUOTE":
        return None
    if slip.before.endswith('""'):
        hint = 'a text stands on its line: `"…"`, with `\\n` for a line\'s end in it'
        return slip.problem('there is no `"""`', hint, 2, 3)
    if letter := re.search(r"\b[frbuFR]$", slip.before):
        message = f"no `{letter[0]}` stands before a text"
        return slip.problem(message, write(piece(slip.after), '"…"'), 1, 2)
    return None


def unquoted(slip: Slip) -> Problem | None:
    """A number with a plus, a path, a key or a variable that stands there bare, where a value is wanted."""
    if slip.token == "$":
        name = re.match(r"\$\{?([A-Za-z_][\w.]*)\}?", slip.after)
        named = f": {write(foreign.snake(name[1]), 'order')}" if name else ""
        hint = f"names stand without a sign{named or ': `order`'}, and in a text `{{order}}`"
        return slip.problem("`$` has no place here", hint)
    if not slip.wants_value:
        return None
    if slip.token == "*":
        return slip.problem("a key stands in double quotes", 'write `"*"`')
    number = re.match(r"\+\d[\d()\s-]*\d", slip.after)
    path = re.match(r"[./~][\w./~-]*/[\w./-]*", slip.after)
    if said := number or path:
        what = "a phone number" if number else "the name of a sound"
        return slip.problem(
            f"{what} stands in double quotes", write(f'"{said[0]}"', '"…"'), width=len(said[0])
        )
    return None


def bracket(slip: Slip) -> Problem | None:
    """Parentheses as other languages have them, and commas that are missing in a list or a map."""
    if (
        slip.token.type == "COMMA"
        and slip.inner == "OPEN"
        and (opened := re.search(r"\(([^()]*)$", slip.before))
    ):
        verb = re.search(r"(\w+)\s*$", slip.before[: opened.start()])
        if verb and verb[1] in VERBS and verb[1] == slip.verb:
            code = f"{verb[1]} {opened[1]}"
            return slip.problem(
                "the values of a statement stand without parentheses", write(code, f"{verb[1]} …")
            )
        items = opened[1] + slip.after.partition(")")[0]
        return slip.problem("a list stands in [ ]", write(f"[{items}]", "[…]"))
    if slip.token == ")" and slip.verb in VERBS and slip.before.strip() == f"{slip.verb}(":
        return slip.problem("a verb has no parentheses", f"write `{slip.verb}`")
    if slip.inner == "MAP_OPEN" and slip.verb == "repeat" and "COLON" in slip.wanted:
        return slip.problem("`repeat` needs a count before its block", "write `repeat 3 times { … }`")
    if slip.token == "(" and slip.verb == "for" and slip.last == "for":
        return _loop(slip)
    if slip.token == "(" and (method := re.search(r"([a-z_][\w.]*)\.([A-Za-z_]\w*)$", slip.before)):
        return _method(slip, method[1], method[2])
    missing = "COMMA" in slip.wanted and slip.token.type in VALUES
    if missing and slip.inner in ("SQUARE_OPEN", "MAP_OPEN", "OPEN"):
        return slip.problem("a `,` is missing before this", write(f", {piece(slip.after)}", ","))
    return None


_PARTS = frozenset(
    {"startswith", "endswith", "includes", "contains", "indexof", "match", "test", "find", "search"}
)


def _method(slip: Slip, subject: str, name: str) -> Problem:
    if foreign.plain(name) in _PARTS:
        code = f"{piece(slip.after[1:]) or '…'} in {subject}"
        return slip.problem("a value has no functions of its own", write(code, "… in …"), len(name))
    function = foreign.FUNCTIONS.get(foreign.plain(name), "")
    hint = (
        write(f"{function}({subject})", "") if function else "functions stand before their value: `upper(x)`"
    )
    return slip.problem("a value has no functions of its own", hint, len(name))


def _loop(slip: Slip) -> Problem:
    message = "a loop stands without parentheses"
    if items := re.match(r"\(\s*(?:const|let|var)?\s*([A-Za-z_]\w*)\s+(?:of|in)\s+([^)]+)\)", slip.after):
        code = f"for {foreign.snake(items[1])} in {items[2].strip()} {{"
        return slip.problem(message, write(code, "for NAME in LIST {"))
    count = re.search(r"<=?\s*(\d+)", slip.after)
    hint = write(f"repeat {count[1] if count else 3} times {{ … }}", "repeat 3 times { … }")
    return slip.problem(message, f"{hint}, or `for NAME in LIST {{ … }}`")


def block(slip: Slip) -> Problem | None:
    """A brace that is missing, stands on the next line, or is called otherwise."""
    if slip.token == "{" and "WITH" in slip.wanted:
        return slip.problem("`with` is missing before the fields", "write `with { … }`")
    if slip.token == "{" and "TIMES" in slip.wanted and slip.verb == "repeat":
        return slip.problem("`times` is missing", write(f"repeat {slip.last} times {{", "repeat 3 times {"))
    if "BLOCK_OPEN" not in slip.wanted or not slip.verb:
        return None
    if slip.token == "then":
        return slip.problem("no `then` stands before a block", "write `{`, and a line `}` behind the block")
    if slip.token in VERBS and "WITH" not in slip.wanted and slip.verb in _WITH_BLOCKS and slip.token != "in":
        message = f"what `{slip.verb}` is to do stands in braces"
        return slip.problem(message, write(f"{{ {bare(slip.after)} }}", "{ … }"))
    if slip.token.type == "NEWLINE" and slip.verb in _WITH_BLOCKS:
        message = f"found {found(slip.token)}, expected `{{`"
        return slip.problem(message, "a block begins with `{` on the line of its verb")
    return None


RULES: Final[tuple[Callable[[Slip], Problem | None], ...]] = (
    comment,
    question,
    equals,
    arrow,
    colon,
    operator,
    quote,
    unquoted,
    bracket,
    block,
)
"""In their order; the first that knows the mark says what is wrong."""

_WITH_BLOCKS = frozenset({"if", "repeat", "for", "flow", "start", "on", "in", "menu"})
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in"})


def told(slip: Slip) -> Problem | None:
    """Say what is wrong with a mark, if it is one of these."""
    return next(_told(slip), None)


def _told(slip: Slip) -> Iterator[Problem]:
    for rule in RULES:
        if problem := rule(slip):
            yield problem
