"""What a final SIP response means: why a call was not taken, or why a transfer came to nothing."""

from ringful.media import port


def transfer_failure(status: int) -> port.TransferFailure:
    """Say what the final status of a transfer means: the far end's own, or that of the number it tried."""
    if status in (405, 420, 501):
        return "rejected"  # It cannot be transferred at all.
    match refusal(status, rang=True):
        case "busy" | "noanswer" | "rejected" as reason:
            return reason
        case _:
            return "unreachable"


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
