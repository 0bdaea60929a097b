"""What a SIP response means: whether it rings, why a call was not taken, why a transfer came to nothing."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network

from ringful.media import port

NO_SOUND = 488
"""What a call ends with whose far end answered it with no sound that we can send and hear."""


def rings(status: int) -> bool:
    """Say whether a provisional response means that the callee has the call (RFC 3261, 21.1).

    It rings there (180), tells how it goes on by sound (183), or waits in the callee's queue (182).  A
    call that is forwarded (181) is nobody's yet: where it goes to, it rings with a response of its own.
    199 says that some place where it rang rings no more (RFC 6228).
    """
    return status in (180, 182, 183)


def may_follow(target: str, networks: Sequence[str]) -> bool:
    """Say whether *target*, of a 3xx, lies in *networks*.

    A name does not: to resolve it would hold up all calls of this process, and anybody may own it.  Nor
    does what would be sent elsewhere than its host says (``maddr``), or brings headers of its own.
    """
    scheme, _, rest = target.strip("<>").partition(":")
    host, _, options = rest.rpartition("@")[2].partition(";")
    host = host.partition(":")[0]
    if "?" in rest or "maddr" in options.lower():
        return False
    try:
        address = IPv4Address(host)
    except ValueError:
        return False
    return scheme.lower() == "sip" and any(address in IPv4Network(one) for one in networks)


def why_lost(status: int, reason: str) -> str:
    """Say why the library ended a call that was up, and that nobody hung up."""
    if reason.startswith("No session refresh"):
        return "the far end did not refresh the session in time (RFC 4028)"
    match status:
        case 408:
            return "the far end did not answer our re-INVITE"
        case 481:
            return "the far end does not know the call any more (481)"
        case _:
            return f"the call could not go on: {reason} ({status})" if reason else "the call could not go on"


def transfer_failure(status: int) -> port.TransferFailure:
    """Say what the final status of a transfer means: the far end's own, or that of the number it tried."""
    if status in (405, 420, 501):
        return "rejected"  # It cannot be transferred at all.
    match refusal(status, rang=True):
        case "busy" | "noanswer" | "rejected" as reason:
            return reason
        case _:
            return "unreachable"


def is_of_refer(notify: str) -> bool:
    """Say whether a NOTIFY tells of a REFER (RFC 3515)."""
    head = notify.partition("\r\n\r\n")[0]
    return bool(re.search(r"^(?:Event|o)\s*:\s*refer\b", head, re.IGNORECASE | re.MULTILINE))


def transfer_end(notify: str) -> int | None:
    """Read what a NOTIFY says of a transfer: the final status of the number that was tried; None: not yet.

    The status is final, whatever is said of the subscription (RFC 3515, 2.4.5): some far ends leave it
    ``active``.  One that ends without a final status, or with none at all, is 0.
    """
    if not is_of_refer(notify):
        return None
    head, _, body = notify.partition("\r\n\r\n")
    said = re.match(r"\s*SIP/2\.0\s+(\d{3})\b", body)
    if said and int(said[1]) >= 200:
        return int(said[1])
    is_over = re.search(r"^Subscription-State\s*:\s*terminated\b", head, re.IGNORECASE | re.MULTILINE)
    return 0 if is_over else None


def refusal(status: int, rang: bool) -> port.RefusalReason:
    """Say what a final response to an INVITE means (RFC 3261, 21).

    408 is the library's too, when nothing ever came back: it means that nobody answered only where
    something rang.
    """
    if status in (486, 600):
        return "busy"
    if status in (401, 403, 407, 488, 603, 606, 607, 608):
        return "rejected"
    if status == 480 or (status in (408, 487) and rang):
        return "noanswer"
    return "unreachable"


def refused(status: int) -> port.RefusalReason:
    """Say why a call that came in was not taken: *status* is ours, or 487 where the caller gave up."""
    match status:
        case 486 | 603:
            return refusal(status, rang=True)
        case 480 | 487:
            return "cancelled"
        case _:
            return "unreachable"
