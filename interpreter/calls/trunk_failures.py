"""Why a trunk did not take a call, in words that say what would help.  Pure."""

import re

from attrs import frozen

_CREDENTIALS = "set sip.username and sip.password"
_MEANINGS: dict[int, str] = {
    402: "the trunk wants to be paid: see to the account there",
    403: "the trunk forbids the call: ask it whether this address, sip.username and the caller ID "
    "(sip.from_number) may call there, and whether there is credit",
    405: "the trunk takes no calls at this address: correct sip.trunk",
    408: "nothing came back in time: see that sip.trunk is right, that it is up, "
    "and that no firewall is between",
    415: "the trunk takes none of what we offer: have it allow G.711 (PCMU, PCMA)",
    488: "the trunk takes none of our codecs: have it allow G.711 (PCMU, PCMA)",
    502: "the trunk was not reached, or reached nobody behind it: see that sip.trunk is right and up",
    503: "the trunk cannot take calls now, or was not reached: it is down, or has no line free",
    504: "the trunk had no answer from whoever is behind it: ask who runs it",
    606: "the trunk takes none of what we offer: have it allow G.711 (PCMU, PCMA)",
}
_ITS_OWN = "the trunk has a fault of its own: ask who runs it"

CALLEES_OWN = frozenset({404, 410, 480, 484, 486, 487, 600, 603, 604, 607, 608})
"""What is said of the number, or by whoever has it: no failure of the trunk."""


@frozen
class Trunk:
    """Where calls go out, and whether we have anything to prove who we are."""

    host: str
    """With its port, if it has one."""
    username: str = ""
    name: str = ""
    """Empty: it is none of ours, or nobody knows."""
    table: bool = False
    """Whether its keys are those of a table, ``[sip.trunks.NAME]``, and not the short form's."""


def in_keys(trunk: Trunk, said: str) -> str:
    """Name the keys of *trunk* itself in what is *said* of ``sip.trunk``, ``sip.username`` and so on."""
    if not trunk.table:
        return said
    return re.sub(
        r"\bsip\.(trunk|username|password|from_number)\b",
        lambda found: f"sip.trunks.{trunk.name}.{found[1].replace('trunk', 'address')}",
        said,
    )


def trunk_of(uri: str, username: str) -> Trunk:
    """Make the trunk of a ``sip:`` URI."""
    return Trunk(_host(uri), username)


def host_of(trunk: Trunk, number: str) -> str:
    """Give the host that *number* is rung at."""
    return _host(number) if number.lower().startswith(("sip:", "sips:")) else trunk.host


def _host(uri: str) -> str:
    return uri.partition(":")[2].rpartition("@")[2].partition(";")[0].partition("?")[0]


def failure(
    trunk: Trunk, number: str, reason: str, status: int | None, detail: str, *, rang: bool
) -> str | None:
    """Say what it means that *number* was not reached, and what would help; None: that is no fault."""
    if reason == "capacity":
        return detail or "all legs of this server are in use: see media.max_calls"
    if reason in ("cancelled", "notallowed"):
        return None
    if status is None and detail.endswith("cannot be resolved"):
        return in_keys(trunk, f"{detail}: correct sip.trunk, or see to this machine's name server")
    if status is None:
        return detail or "the call could not be sent"
    if status in CALLEES_OWN or (status == 408 and rang):
        return None
    return in_keys(trunk, meaning(status, trunk.username))


def meaning(status: int, username: str) -> str:
    """Say what a trunk means by the final *status*, and what would help."""
    if status in (401, 407):
        if not username:
            return f"the trunk asks for credentials ({status}): {_CREDENTIALS}"
        return f"the trunk does not take our credentials ({status}): correct sip.username and sip.password"
    if status in _MEANINGS:
        return _MEANINGS[status]
    if 300 <= status < 400:
        return f"the trunk sends us elsewhere ({status}), which is not followed: correct sip.trunk"
    return _ITS_OWN if status >= 500 else f"the trunk does not take our request ({status}): ask who runs it"


def kind_of(reason: str, status: int | None, *, rang: bool) -> str:
    """Give the class of a trunk's failure, of a few; nothing where it is none."""
    if reason in ("capacity", "cancelled", "notallowed"):
        return ""
    if status is None:
        return "unreachable"
    if status in CALLEES_OWN or (status == 408 and rang):
        return ""
    if status >= 500 and status != 606:
        return "unavailable"
    return _KINDS.get(status, "other")


_KINDS = {
    401: "credentials",
    402: "forbidden",
    403: "forbidden",
    407: "credentials",
    408: "timeout",
    415: "codec",
    488: "codec",
    606: "codec",
}
