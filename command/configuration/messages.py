"""Reading what the configuration says of text messages; see `readers`."""

import re
from typing import Any

from ringful.command.configuration.readers import Unfit


def source(value: Any) -> str:
    """Read what messages are sent from: a number, a short code, or up to eleven letters and digits."""
    fits = isinstance(value, str) and re.fullmatch(r"(\+?[0-9]{3,15}|[A-Za-z0-9 ]{1,11})?", value, re.ASCII)
    if not fits:
        raise Unfit("a number such as +15125550000, a short code, or up to 11 letters and digits")
    return str(value)


def reply(value: Any) -> str:
    """Read what is answered to a wish: one message at most, or nothing."""
    if not isinstance(value, str) or len(value) > 160:
        raise Unfit("a text of at most 160 characters, or an empty one for no answer")
    return value
