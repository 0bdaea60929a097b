"""The words of the language, all of them; a test holds them equal to the grammar's terminals."""

from typing import Final

_VERBS = """
    param use call inbound answer reject play say record tone wait gather menu conference join leave
    in connect transfer mute unmute deafen undeafen kick hangup sms notify ask follow let if repeat
    for break flow do return stay on start stop again back until give clock pick
"""

_INNER = """
    all alone and any as beep between busy counting deaf declined digits early else false forever
    fresh from keys keyword moderator most muted named none not or others otherwise prompt ring
    secret silence speaking speech timeout times to tones tries true via voice waiting with within
"""

VERBS: Final = frozenset(_VERBS.split())
"""The words that begin a line."""

RESERVED: Final = frozenset({"and", "false", "in", "none", "not", "or", "true"})
"""The words that no value, function, flow, leg or conference can be named."""

KEYWORDS: Final = VERBS | frozenset(_INNER.split())
"""Every word that means something somewhere."""
