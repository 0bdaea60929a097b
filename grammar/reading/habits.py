"""What hands that know another language write by habit, each told with what is written here.

These come before all other rules: each is for one habit that the others would take for another one.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Final

from ringful.grammar import foreign
from ringful.grammar.errors import Problem
from ringful.grammar.reading.slip import Slip, bare, piece, write
from ringful.grammar.vocabulary import KEYWORDS, VERBS

_TEXT = r'"(?:[^"\\]|\\.)*"'


def texts(slip: Slip) -> Problem | None:
    """``say "a" "b"``, ``"a" . "b"``, ``"a" & b``, ``sms to "1" "x"``."""
    if slip.token.type == "QUOTE" and (begun := re.search(rf"({_TEXT}|\w+)\s*\.\s*$", slip.before)):
        code = f"{begun[1]} + {piece(slip.after)}"
        return slip.problem("texts are not joined by a dot", write(code, "… + …"))
    if slip.token.type == "QUOTE" and (to := re.search(rf"^\s*sms\s+to\s+({_TEXT})\s+$", slip.before)):
        code = f"sms {to[1]} {piece(slip.after)}"
        return slip.problem("no `to` stands before a number", write(code, "sms NUMBER TEXT"))
    if slip.token.type == "QUOTE" and slip.inner in ("", "BLOCK_OPEN") and slip.last == '"':
        before = re.search(rf"({_TEXT})\s+$", slip.before)
        if before is None:
            return None
        code = f"{before[1][:-1].rstrip()} {piece(slip.after)[1:]}"
        return slip.problem("two texts stand side by side", f"for one text, {write(code, '…')}")
    if slip.token == "&" and not slip.after.startswith("&&") and slip.last == '"':
        left = re.search(rf"({_TEXT})\s*$", slip.before)
        code = f"{left[1]} + {bare(slip.after[1:])}" if left else ""
        return slip.problem("texts are joined with `+`", write(code, "… + …"))
    return None


def joined_statements(slip: Slip) -> Problem | None:
    """``say "a" && hangup``, ``say "a" | hangup``."""
    following = re.match(r"(&&?|\|\|?|,|then\b|and then\b)\s*(([a-z]\w*)\b.*)", slip.after)
    if not following or following[3] not in VERBS or slip.verb in ("if", "let", "until", "", "for"):
        return None
    hint = f"on a line of its own, {write(bare(following[2]), 'hangup')}"
    return slip.problem("a statement ends with its line", hint, width=len(following[1]))


def methods(slip: Slip) -> Problem | None:
    """``call.play("x")``, ``answer()``, ``say("x");`` where the name is a verb too."""
    if slip.before.strip() != slip.verb or slip.verb not in VERBS:
        return None
    method = re.match(r"\.(\w+)\s*\((.*)", slip.after)
    if slip.token == "." and method and method[1].lower() in VERBS:
        values = method[2].rpartition(")")[0] or method[2]
        code = f"{method[1].lower()} {values}"
        return slip.problem("statements stand by themselves, and without parentheses", write(code, "play …"))
    if slip.token == "(" and re.match(r"\(\s*\)", slip.after):
        return slip.problem("a verb has no parentheses", f"write `{slip.verb}`")
    return None


def clause_equals(slip: Slip) -> Problem | None:
    """``gather pin digits=4``."""
    if slip.token != "=" or slip.last not in KEYWORDS or slip.verb in ("let", "param", "if", "flow"):
        return None
    if slip.last == slip.verb or ("NAME" in slip.wanted and not slip.wants_value):
        return None
    code = f"{slip.last} {piece(slip.after)}"
    return slip.problem("no `=` stands behind a clause", write(code, f"{slip.last} …"))


_AS = frozenset(
    {"ask", "record", "pick", "clock", "connect", "transfer", "join", "queue", "serve", "menu", "do"}
)
_GIVEN = re.compile(r"\s*let\s+(\w+)\s*=\s*(?:await\s+)?([a-z]\w*)\b\s*(.*)$")


def awaited(slip: Slip) -> Problem | None:
    """``let answer = await ask("…")``, ``let pin = gather digits 4``, ``let f = lambda x: x``."""
    given = _GIVEN.match(slip.before + slip.after) if slip.verb == "let" else None
    if given is None or slip.last == "let":
        return None
    name, verb, rest = foreign.snake(given[1]), given[2], bare(given[3]).removeprefix("(").removesuffix(")")
    if verb in ("lambda", "function", "func", "fn", "def"):
        hint = "there are no functions without a name: write `flow NAME(…) { … }`"
        return slip.problem(f"`{verb}` is no value", hint)
    message = f"`{verb}` is a statement, and no value"
    if verb == "gather":
        count = re.search(r"\d+", rest)
        return slip.problem(message, write(f"gather {name} digits {count[0] if count else 4}", ""))
    if verb not in _AS or given[3].lstrip()[:1] in ("+", "-", "=", ".", "<", ">", "["):
        return None
    limit = " for 5s" if verb == "ask" and " for " not in f" {rest}" else ""
    return slip.problem(message, write(f"{verb} {rest}".rstrip() + f" as {name}{limit}", f"{verb} … as NAME"))


def given(slip: Slip) -> Problem | None:
    """``let mut x = 1``, ``let x: number = 1``, ``let a = 1, b = 2``, ``let { a } = m``."""
    if slip.verb != "let":
        return None
    if slip.last in ("mut", "const", "var", "local", "int", "string", "bool", "final") and slip.word:
        code = f"let {slip.word} {slip.rest}"
        return slip.problem(f"there is no `{slip.last}`", write(bare(code), "let NAME = …"))
    typed = re.match(r":\s*[\w\[\]]+\s*(=.*)", slip.after)
    if slip.token.type == "COLON" and "EQUALS" in slip.wanted and typed:
        return slip.problem("a name has no type", write(f"let {slip.last} {bare(typed[1])}", "let NAME = …"))
    second = re.match(r",\s*([a-z]\w*)\s*=\s*(.+)", slip.after)
    if slip.token.type == "COMMA" and second:
        hint = f"on a line of its own, {write(f'let {second[1]} = {bare(second[2])}', 'let NAME = …')}"
        return slip.problem("a `let` gives one name its value", hint)
    parts = re.match(r"[{\[]\s*([a-z]\w*).*[}\]]\s*=\s*([a-z]\w*)\s*;?$", slip.after)
    if slip.last == "let" and parts:
        code = f"let {parts[1]} = {parts[2]}.{parts[1]}"
        return slip.problem("a `let` gives one name its value", write(code, "let NAME = …"))
    return None


def loops(slip: Slip) -> Problem | None:
    """``for i in 1..3``, ``for each n in …``, ``repeat forever {``, ``do {``."""
    if (
        slip.verb == "for"
        and slip.token == ".."
        and (lower := re.search(r"(\w+)\s+in\s+(\d+)$", slip.before))
    ):
        upper = re.match(r"\.\.(\d+)", slip.after)
        first, last = int(lower[2]), int(upper[1]) if upper else 0
        listed = ", ".join(map(str, range(first, last + 1))) if 0 <= last - first < 10 else "1, 2, 3"
        code = f"for {lower[1]} in [{listed}] {{"
        times = max(1, last - first + 1)
        hint = (
            f"write `repeat {times} times {{`, or {write(code, 'for NAME in LIST {').removeprefix('write ')}"
        )
        return slip.problem("a loop goes through a list", hint)
    if slip.verb == "for" and slip.last == "each" and slip.token.type == "NAME":
        code = f"for {slip.after.partition('{')[0].strip()} {{"
        return slip.problem("there is no `each`", write(code, "for NAME in LIST {"))
    if slip.token == "{" and slip.verb == "repeat" and slip.last in ("forever", "true", "repeat"):
        message = "a loop has a bound" if slip.last != "repeat" else "`repeat` needs a count before its block"
        return slip.problem(message, "write `repeat 1000 times {`" if slip.last != "repeat" else _REPEAT)
    if slip.token == "{" and slip.verb == slip.last == "do":
        return slip.problem("`do` runs a flow, and loops have a bound", _REPEAT)
    return None


_REPEAT = "write `repeat 3 times { … }`"


def words_of_a_text(slip: Slip) -> Problem | None:
    """``say Hello there``, ``say Hello.``."""
    begun = re.fullmatch(r"\s*say\s+((?:[A-Za-z][\w']*[ ,]+)*)", slip.before)
    if begun is None or not (slip.word or begun[1]) or '"' in slip.after or slip.token.type == "NEWLINE":
        return None
    said = (begun[1] + slip.after).strip()
    first = re.match(r"[A-Za-z]\w*", said)
    if first is None or not re.fullmatch(r"[A-Z]?[a-z']+", first[0]) or first[0] == "Digits":
        return None
    if not begun[1] and not re.search(r"[A-Za-z][ ,]+[A-Za-z]|[.!?]$", said):
        return None
    if begun[1] and slip.word in KEYWORDS | foreign.CLAUSES.keys():
        return None
    back = len(begun[1])
    return slip.problem(
        "a text stands in double quotes", write(f'say "{said}"', 'say "…"'), back, back + len(slip.after)
    )


def characters(slip: Slip) -> Problem | None:
    """Letters that no name has, and full-width digits and signs."""
    if quoted := re.match("\uff02([^\uff02]*)", slip.after):
        return slip.problem("use plain double quotes", write(f'"{quoted[1]}"', '"…"'))
    run = re.match(r"[\uff01-\uff5e]+\w*", slip.after)
    if run:
        plain = unicodedata.normalize("NFKC", run[0])
        return slip.problem(f"`{run[0]}` is written in wide characters", write(plain, "…"), width=len(run[0]))
    if slip.token.isascii() or not (slip.token.isalpha() or ("NAME" in slip.wanted and not slip.wants_value)):
        return None
    begun = re.search(r"\w*$", slip.before)
    if slip.wants_value and not (begun and begun[0]):
        return None
    rest = re.match(r"\w*", slip.after[1:])
    said = (begun[0] if begun else "") + slip.after[:1] + (rest[0] if rest else "")
    folded = unicodedata.normalize("NFKD", said.replace("ß", "ss"))
    plain = "".join(c for c in folded if c.isascii() and (c.isalnum() or c == "_")).lower()
    hint = "a name has the letters a to z, digits and `_`"
    if plain and not plain[0].isdigit():
        hint = f"{hint}: {write(plain, 'order')}"
    return slip.problem(f"`{said}` is no name", hint, len(begun[0]) if begun else 0, len(said))


def numbers(slip: Slip) -> Problem | None:
    """``1,000``, ``1_000``, ``1e3``, ``0x10``, ``.5s``, ``1m 30s``, ``(555) 123-4567``."""
    before = re.search(r"(?<![\w.])(\d+)$", slip.before)
    thousands = re.match(r"((?:,\d{3})+)(?!\d)(ms|s|m|h)?", slip.after)
    if before and slip.token.type == "COMMA" and thousands:
        said = before[1] + thousands[0]
        return slip.problem(
            f"`{said}` is no number", write(said.replace(",", ""), "1000"), len(before[1]), len(said)
        )
    if before and (row := re.match(r"((?:_\d+)+)(ms|s|m|h)?\b", slip.after)):
        said = before[1] + row[0]
        return slip.problem(f"`{said}` is no number", write(said.replace("_", ""), "1000"), len(before[1]))
    if before and (power := re.match(r"[eE]\+?(\d)\b", slip.after)):
        said = before[1] + power[0]
        value = int(before[1]) * 10 ** int(power[1])
        return slip.problem(f"`{said}` is no number", write(str(value), "1000"), len(before[1]))
    if before and before[1] == "0" and (base := re.match(r"([xXbBoO])([0-9a-fA-F]{1,12})\b", slip.after)):
        try:
            value = int(f"0{base[1]}{base[2]}", 0)
        except ValueError:
            return None
        return slip.problem(f"`0{base[0]}` is no number", write(str(value), "16"), 1)
    begins = slip.token == "." and slip.wants_value and not slip.before.endswith(".")
    if begins and (part := re.match(r"\.(\d+)(ms|s|m|h)?\b", slip.after)):
        return slip.problem("a number begins with a digit", write(f"0{part[0]}", "0.5"), width=len(part[0]))
    if (first := re.search(r"(\d+)([hms])\s+$", slip.before)) and (
        second := re.match(r"(\d+)([ms])\b", slip.after)
    ):
        seconds = {"h": 3600, "m": 60, "s": 1}
        total = int(first[1]) * seconds[first[2]] + int(second[1]) * seconds[second[2]]
        message = f"`{first[0]}{second[0]}` is no duration"
        return slip.problem(message, f"write `{total}s`", len(first[0]), len(first[0]) + len(second[0]))
    return _phone(slip)


def _phone(slip: Slip) -> Problem | None:
    line = slip.before + slip.after
    number = re.match(r"\s*(call|connect to|transfer|sms)\s+(\+?\d*\s*\(\d{2,4}\)[\s\d-]+\d)", line)
    if number is None or len(slip.before) > number.end(2):
        return None
    back = len(slip.before) - number.start(2)
    digits = "".join(c for c in number[2] if c.isdigit() or c == "+")
    hint = write(f'"{digits}"', '"…"')
    return slip.problem("a phone number stands in double quotes", hint, back, len(number[2]))


_LIMITS = {**dict.fromkeys(("record", "join", "stay", "queue", "connect", "serve"), "for"), "call": "ring"}


def bare_values(slip: Slip) -> Problem | None:
    """``record 30s``, ``play "a.wav" 3``, ``call "1" 20s``."""
    amount = re.match(r"\d+(?:\.\d+)?(ms|s|m|h)?\b", slip.after)
    if amount is None or slip.wants_value or slip.token.type not in ("NUMBER", "DURATION"):
        return None
    clause = _LIMITS.get(slip.verb, "") if amount[1] else {"play": "times", "gather": ""}.get(slip.verb, "")
    if not clause or clause.upper() not in slip.wanted:
        return None
    hint = write(f"{clause} {amount[0]}", "…")
    return slip.problem(f"`{clause}` is missing before this", hint, width=len(amount[0]))


_WAITED = re.compile(r"\s*wait\s+(for|until|key|keys|digit|digits|dtmf|press|tones)\s+$")


def waits(slip: Slip) -> Problem | None:
    """``wait for 5s``, ``wait until "1"``, ``wait key "1"``, ``stop music``."""
    if slip.verb == slip.last == "stop" and "TONES" in slip.wanted:
        hint = "write `stop play`, `stop record` or `stop tones`"
        return slip.problem("`stop` says what is to stop", hint)
    waited = _WAITED.match(slip.before)
    if waited is None:
        return None
    if re.match(r"\d", slip.after):
        return slip.problem("no `for` stands behind `wait`", write(f"wait {bare(slip.after)}", "wait 5s"))
    if slip.token.type == "QUOTE":
        code = f"wait tone {bare(slip.after)}"
        return slip.problem(f"`wait` knows no `{waited[1]}`", write(code, "wait tone TONES"))
    return None


def signs(slip: Slip) -> Problem | None:
    """``<>``, ``=~``, ``@caller``, ``$"x"``, ``--``, ``{{x}}``, ``[...list]``."""
    if slip.token == ">" and slip.before.endswith("<"):
        return slip.problem("there is no `<>`", "write `!=`", 1, 2)
    if slip.after.startswith("=~") or (slip.token == "~" and slip.before.endswith("=")):
        subject = re.search(r"([a-z_][\w.]*)\s*=?\s*$", slip.before)
        code = f'"…" in {subject[1]}' if subject else ""
        return slip.problem("there are no patterns", f"for a part of a text, {write(code, '… in …')}")
    if slip.token in ("$", "@") and re.match(r"[$@][\"']", slip.after):
        said = piece(slip.after[1:].replace("'", '"'))
        return slip.problem(f"no `{slip.token}` stands before a text", write(said, '"…"'), width=2)
    named = re.match(r"@([a-z_]\w*)", slip.after)
    if slip.token == "@" and slip.wants_value and named:
        return slip.problem("`@` has no place here", f"names stand without a sign: write `{named[1]}`")
    if slip.begins and slip.after.startswith("--"):
        code = f"# {slip.after.lstrip('- ')}"
        return slip.problem("a comment begins with `#`", write(code, "# …"), width=2)
    twice = re.search(r"\{\{\s*([a-z_][\w.]*)\s*$", slip.before)
    if slip.token == "}" and twice:
        hint = write(f"{{{twice[1]}}}", "{order}")
        return slip.problem("a value in a text stands in one pair of braces", hint)
    if (
        slip.after.startswith("..")
        and slip.before.rstrip()[-1:] in ("[", ",")
        and slip.inner == "SQUARE_OPEN"
    ):
        return slip.problem("a list cannot be opened in another", "lists are joined with `+`", width=3)
    return None


_NEVER = frozenset(
    {"busy", "noanswer", "failed", "fail", "failure", "error", "timeout", "unreachable", "rejected"}
)


def events(slip: Slip) -> Problem | None:
    """``on key "1"``, ``on dtmf "1"``, ``on busy``."""
    if slip.verb != "on" or slip.last != "on" or not slip.word:
        return None
    message = f"there is no event `{slip.word}`"
    if foreign.plain(slip.word) in ("key", "keys", "dtmf", "digit", "digits", "press", "keypress"):
        keys = piece(slip.rest)
        keys = keys if keys.startswith('"') else f'"{keys}"' if keys else "TONES"
        return slip.of_word(message, write(f"on tone {keys} {{ … }}", "on tone TONES { … }"))
    if foreign.plain(slip.word) in _NEVER:
        hint = "what did not come about has an `else`: `connect NAME else { … }`"
        return slip.of_word(message, hint)
    return None


def flows(slip: Slip) -> Problem | None:
    """``flow f(a: int) {``, ``flow f(a) -> text {``."""
    if slip.verb != "flow":
        return None
    line = slip.before + slip.after
    plain = re.sub(r"\s*->\s*\w+", "", re.sub(r"\s*:\s*\w+(?=\s*[,)=])", "", line)).partition("{")[0].strip()
    code = write(f"{plain} {{", "flow NAME(…) {")
    if slip.token.type == "COLON" and re.match(r":\s*\w+\s*[,)=]", slip.after):
        return slip.problem("a parameter has no type", code)
    if slip.after.startswith("->"):
        return slip.problem("a flow says nothing of its value's type", code, width=2)
    return None


def comment_behind_a_semicolon(slip: Slip) -> Problem | None:
    """``hangup ; the end``."""
    if not slip.begins or not slip.before.rstrip().endswith(";") or slip.word in VERBS:
        return None
    if not re.match(r"[A-Za-z']+(?:\s+[A-Za-z']+)+[.!]?\s*$", slip.after):
        return None
    back = len(slip.before) - slip.before.rindex(";")
    return slip.problem("a comment begins with `#`", write(f"# {slip.after}", "# …"), back, 1)


def decorator(slip: Slip) -> Problem | None:
    """``@app.route("/voice")``."""
    if not slip.begins or slip.token != "@":
        return None
    return slip.problem(
        "a script has no decorators", "a script that begins with `inbound` is run by its number"
    )


RULES: Final[tuple[Callable[[Slip], Problem | None], ...]] = (
    texts,
    joined_statements,
    methods,
    clause_equals,
    awaited,
    given,
    loops,
    characters,
    numbers,
    bare_values,
    waits,
    signs,
    events,
    flows,
    words_of_a_text,
    comment_behind_a_semicolon,
    decorator,
)
"""In their order; the first that knows the habit says what is wrong."""
