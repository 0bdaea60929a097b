"""Words of other languages, and what is written here for each.

Who comes from JavaScript, Python, TwiML, a dialplan or jambonz writes the words that are at hand.  They
are known here without capitals and `_`, so that ``statusCallback``, ``StatusCallback`` and
``status_callback`` are one.  What is code stands in backquotes; capitals and ``…`` are the author's own.
"""

from typing import Final

_LET = "write `let NAME = …`"
_FLOW = "write `flow NAME(…) { … }`"
_LOOP = "loops have a bound: `repeat 3 times { … }`"
_USE = 'write `use "other.call"`'
_ELSE_IF = "write `else if … { … }`, on the line of the `}` before it"
_CONNECT = "write `start call NUMBER as NAME`, and then `connect NAME`"
_CHOOSE = 'by a key: `menu { "1" { … } otherwise { … } }`; by a value: `if … { … } else if … { … }`'
_TELL = "nothing is printed: tell it with `notify URL with { … }`; the trace has the rest"
_THROW = "nothing is thrown: tell it with `notify URL with { … }`, and `hangup`"
_TRY = "nothing is caught: what can fail has an `else { … }` of its own, e.g. `connect NAME else { … }`"
_NOTHING = "a block may be empty, and a line that does nothing is left out"
_CLOSE = "a block stands in braces, and ends with `}`"
_POST = "to tell an application: `notify URL`; to wait for its answer: `ask URL as NAME for 5s`"
_DIALPLAN = "a script is no dialplan: its statements stand one after another, e.g. `answer`"
_KEYS = "write `gather NAME digits 4`"

STATEMENTS: Final = {
    "elif": _ELSE_IF,
    "elsif": _ELSE_IF,
    "elseif": _ELSE_IF,
    "else": "`else` stands on the line of the `}` before it: `} else {`",
    "while": _LOOP,
    "loop": _LOOP,
    "until": _LOOP,
    "set": _LET,
    "var": _LET,
    "const": _LET,
    "assign": _LET,
    "def": _FLOW,
    "function": _FLOW,
    "func": _FLOW,
    "fn": _FLOW,
    "sub": _FLOW,
    "dial": _CONNECT,
    "bridge": _CONNECT,
    "originate": "write `call NUMBER`",
    "sleep": "write `wait 2s`",
    "settimeout": "write `wait 2s`",
    "speak": "write `say TEXT`",
    "tts": "write `say TEXT`",
    "goto": "there are no jumps: `repeat 3 times { … }` does a thing again, `do NAME()` runs a flow anywhere",
    "gotoif": "there are no jumps: write `if … { … }`",
    "import": _USE,
    "include": _USE,
    "require": _USE,
    "switch": _CHOOSE,
    "match": _CHOOSE,
    "select": _CHOOSE,
    "case": 'in a menu a branch is its key and a block: `"1" { … }`',
    "default": "in a menu, write `otherwise { … }`",
    "try": _TRY,
    "catch": _TRY,
    "except": _TRY,
    "finally": _TRY,
    "throw": _THROW,
    "raise": _THROW,
    "seek": "write `skip to 1m`, `skip 10s` or `skip back 10s`",
    "rewind": "write `skip back 10s`",
    "fastforward": "write `skip 10s`",
    "faster": "write `speed up`, or `speed 1.5`",
    "slower": "write `speed down`, or `speed 0.75`",
    "rate": "write `speed 1.5`",
    "tempo": "write `speed 1.5`",
    "unpause": "write `resume play`",
    "continue": "put the rest of the loop into an `if … { … }`",
    "next": "put the rest of the loop into an `if … { … }`",
    "console": _TELL,
    "print": _TELL,
    "log": _TELL,
    "echo": _TELL,
    "verbose": _TELL,
    "noop": _NOTHING,
    "pass": _NOTHING,
    "end": _CLOSE,
    "endif": _CLOSE,
    "fi": _CLOSE,
    "done": _CLOSE,
    "redirect": "write `follow URL for 5s`",
    "message": "write `sms NUMBER TEXT`",
    "text": "write `sms NUMBER TEXT`",
    "enqueue": "write `queue TEXT for 15m`",
    "playback": "write `play AUDIO`",
    "background": "write `play AUDIO until TONES`",
    "voicemail": "write `record as NAME beep`",
    "dtmf": "write `tone TONES`",
    "senddtmf": "write `tone TONES`",
    "senddigits": "write `tone TONES`",
    "read": _KEYS,
    "input": _KEYS,
    "getdigits": _KEYS,
    "exten": _DIALPLAN,
    "same": _DIALPLAN,
    "webhook": _POST,
    "post": _POST,
    "get": _POST,
    "fetch": _POST,
    "request": _POST,
    "http": _POST,
    "tag": "what an application is to know goes with `notify URL with { … }`",
    "async": "what runs beside the script stands in a block: `start { … }`",
    "exit": "write `hangup`",
    "quit": "write `hangup`",
    "unless": "write `if … { … }` with the opposite condition",
    "assert": "write `if … { … }` with the opposite condition, and `hangup` in it",
    "yield": "a flow gives its value with `return`",
    "class": _FLOW,
    "struct": _FLOW,
    "proc": _FLOW,
    "press": "a key is waited for with `wait tone TONES`, and sent with `tone TONES`",
    "collect": _KEYS,
    "forward": "write `connect to NUMBER`, or, to be rid of the call, `transfer NUMBER`",
    "music": "write `start play AUDIO forever`",
    "hold": "write `start play AUDIO forever`",
    "mailbox": "write `record as NAME beep`",
    "rem": "a comment begins with `#`",
    "delete": "a name keeps its value; give it none with `let NAME = none`",
}
"""What a line begins with elsewhere."""

FORMS: Final = {
    "answer": "answer",
    "ask": "ask URL as NAME for 5s",
    "call": "call NUMBER",
    "clock": "clock TEXT as NAME",
    "conference": "conference NAME",
    "connect": "connect NAME",
    "do": "do NAME()",
    "flow": "flow NAME(…) { … }",
    "follow": "follow URL for 5s",
    "for": "for NAME in LIST { … }",
    "gather": "gather NAME digits 4",
    "hangup": "hangup",
    "if": "if … { … }",
    "inbound": "inbound NUMBER",
    "join": "join TEXT",
    "let": "let NAME = …",
    "menu": 'menu { "1" { … } }',
    "notify": "notify URL",
    "on": "on tone TONES { … }",
    "pick": "pick LIST as NAME",
    "play": "play AUDIO",
    "queue": "queue TEXT for 15m",
    "record": "record as NAME",
    "reject": "reject busy",
    "repeat": "repeat 3 times { … }",
    "say": "say TEXT",
    "serve": "serve TEXT within 1m",
    "signal": "signal TEXT",
    "sms": "sms NUMBER TEXT",
    "start": "start play AUDIO",
    "tone": "tone TONES",
    "transfer": "transfer NUMBER",
    "until": "until TONES { … }",
    "wait": "wait 5s",
}
"""A statement of each verb, in its plainest form."""

BESIDE: Final = {
    "elif": _ELSE_IF,
    "elsif": _ELSE_IF,
    "elseif": _ELSE_IF,
    "catch": _TRY,
    "except": _TRY,
    "finally": _TRY,
    "while": _LOOP,
}
"""What stands behind a block's `}` elsewhere."""

CLAUSES: Final = {
    "loop": ("times",),
    "loops": ("times",),
    "repeat": ("times",),
    "timeout": ("ring", "for"),
    "limit": ("for",),
    "maxlength": ("for",),
    "maxduration": ("for",),
    "duration": ("for",),
    "numdigits": ("digits",),
    "maxdigits": ("digits",),
    "mindigits": ("digits",),
    "length": ("digits", "for"),
    "action": ("notify",),
    "actionhook": ("notify",),
    "callback": ("notify",),
    "statuscallback": ("notify",),
    "eventhook": ("notify",),
    "statushook": ("notify",),
    "url": ("notify",),
    "finishonkey": ("until",),
    "terminators": ("until",),
    "interrupt": ("until",),
    "playbeep": ("beep",),
    "language": ("voice",),
    "synthesizer": ("voice",),
    "callerid": ("from",),
    "attempts": ("tries",),
    "retries": ("tries",),
    "into": ("as",),
    "to": ("as",),
    "data": ("with",),
    "body": ("with",),
    "payload": ("with",),
    "json": ("with",),
    "name": ("as",),
    "muted": ("muted",),
    "at": ("from",),
    "offset": ("from",),
    "startat": ("from",),
    "position": ("from",),
    "rate": ("speed",),
    "tempo": ("speed",),
    "faster": ("speed",),
    "slower": ("speed",),
}
"""What clauses are called elsewhere, each with the clauses of ours that may be meant."""

SPANS: Final = frozenset({"for", "ring", "silence", "within"})
"""The clauses whose value is a duration."""

VALUES: Final = {
    "null": "none",
    "nil": "none",
    "undefined": "none",
    "nothing": "none",
    "none": "none",
    "true": "true",
    "false": "false",
    "yes": "true",
    "no": "false",
    "from": "caller",
    "ani": "caller",
    "callerid": "caller",
    "callernumber": "caller",
    "calleridnum": "caller",
    "to": "called",
    "dnis": "called",
    "did": "called",
    "exten": "called",
    "callsid": "call_id",
    "callid": "call_id",
    "uniqueid": "call_id",
    "body": "message",
}
"""What values are called elsewhere."""

BRANCHES: Final = {
    "default": "in a menu, write `otherwise { … }`",
    "else": "in a menu, write `otherwise { … }`",
    "other": "in a menu, write `otherwise { … }`",
    "nomatch": "in a menu, write `otherwise { … }`",
    "noinput": "in a menu, write `timeout { … }`",
    "invalid": "in a menu, write `otherwise { … }`",
}
"""What the branches of a menu are called elsewhere, which can be read as names."""

FUNCTIONS: Final = {
    "len": "length",
    "size": "length",
    "count": "length",
    "str": "text",
    "string": "text",
    "tostring": "text",
    "int": "number",
    "float": "number",
    "parseint": "number",
    "parsefloat": "number",
    "toupper": "upper",
    "touppercase": "upper",
    "uppercase": "upper",
    "tolower": "lower",
    "tolowercase": "lower",
    "lowercase": "lower",
    "floor": "round",
    "ceil": "round",
    "length": "length",
    "upper": "upper",
    "lower": "lower",
}
"""What functions are called elsewhere, as functions, as methods or as parts."""

CALLS: Final = {
    "datetime": "it is a statement: `clock TEXT as NAME`, where the text is a zone",
    "range": "write `repeat 3 times { … }`, or `for NAME in [1, 2, 3] { … }`",
    "fetch": _POST,
    "axios": _POST,
    "request": _POST,
    "print": _TELL,
    "ask": "it is a statement: `ask URL as NAME for 5s`",
    "random": "it is a statement: `pick 1..6 as NAME`",
    "rand": "it is a statement: `pick 1..6 as NAME`",
    "randint": "it is a statement: `pick 1..6 as NAME`",
    "now": "it is a statement: `clock TEXT as NAME`, where the text is a zone",
    "date": "it is a statement: `clock TEXT as NAME`, where the text is a zone",
    "time": "it is a statement: `clock TEXT as NAME`, where the text is a zone",
    "gather": "it is a statement: `gather NAME digits 4`",
    "call": "it is a statement: `start call NUMBER as NAME`",
    "record": "it is a statement: `record as NAME`",
}
"""What is done by functions elsewhere, and by statements here."""

OPERATORS: Final = {"is": "==", "eq": "==", "equals": "==", "isnt": "!=", "ne": "!=", "mod": "%", "xor": "!="}
"""Words between two values elsewhere."""

UNITS: Final = {
    "ms": "ms",
    "msec": "ms",
    "millis": "ms",
    "millisecond": "ms",
    "milliseconds": "ms",
    "s": "s",
    "sec": "s",
    "secs": "s",
    "second": "s",
    "seconds": "s",
    "m": "m",
    "min": "m",
    "mins": "m",
    "minute": "m",
    "minutes": "m",
    "h": "h",
    "hr": "h",
    "hrs": "h",
    "hour": "h",
    "hours": "h",
}
"""Units of time as they are written elsewhere."""


def plain(word: str) -> str:
    """Give *word* as the tables know it."""
    return word.lower().replace("_", "")


def snake(word: str) -> str:
    """Give *word* as a name is written here: ``callerName`` is ``caller_name``."""
    made = ""
    for before, mark, after in zip(f"_{word}", word, f"{word[1:]}_", strict=False):
        begins = (
            mark.isupper() and before != "_" and (before.islower() or before.isdigit() or after.islower())
        )
        made += f"_{mark.lower()}" if begins else mark.lower()
    return made
