"""The words of the language, all of them; a test holds them equal to the grammar's terminals."""

from typing import Final

_VERBS = """
    param use call inbound answer reject play say record tone wait gather menu conference join leave end
    in connect queue serve give transfer mute unmute deafen undeafen kick coach hangup signal sms notify ask
    follow let if repeat for break flow do return stay on start stop again back until clock pick
    pause resume skip speed
"""

_INNER = """
    all alone and any as beep between busy coaching counting deaf declined digits diverted down early else
    event false forever fresh from keys keyword moderator most muted named none not or others otherwise prompt
    ring secret silence speaking speech timeout times to tones tries true unavailable unknown until up
    via voice waiting with withheld within
"""

REJECTIONS: Final = {"busy": 486, "declined": 603, "unavailable": 480, "unknown": 404}
"""The words for why a call is not taken, and the SIP status that says so (RFC 3261, 21)."""

STATUSES: Final = frozenset(
    {*REJECTIONS.values(), 403, 406, 410, 484, 488, 500, 503, 504, 600, 604, 606, 607, 608}
)
"""The statuses that can say so: others have a meaning of their own, as 401 that asks for a password."""

VERBS: Final = frozenset(_VERBS.split())
"""The words that begin a line."""

RESERVED: Final = frozenset({"and", "false", "in", "none", "not", "or", "true"})
"""The words that no value, function, flow, leg or conference can be named."""

KEYWORDS: Final = VERBS | frozenset(_INNER.split())
"""Every word that means something somewhere."""
