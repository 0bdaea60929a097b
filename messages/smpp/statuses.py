"""What an SMSC answers with (SMPP 3.4, 5.1.3): by name, and what is to be done about it."""

OK = 0x00
INVALID_COMMAND = 0x03
WRONG_STATE = 0x04
TEMPORARY = 0x64
"""An ESME's "not now": the SMSC sends it again."""
UNREADABLE = 0xC0

SLOW_DOWN = frozenset({0x14, 0x58})
"""It takes more than it can: the same part may come later, and everything else slower."""
LATER = frozenset({0x08, TEMPORARY})
"""Something is wrong there that will pass."""
BAD_CREDENTIALS = frozenset({0x0E, 0x0F})
"""The system ID or the password is wrong: trying often makes it no better, and may have us locked out."""

_NAMES = {
    0x00: "ESME_ROK",
    0x01: "ESME_RINVMSGLEN",
    0x02: "ESME_RINVCMDLEN",
    0x03: "ESME_RINVCMDID",
    0x04: "ESME_RINVBNDSTS",
    0x05: "ESME_RALYBND",
    0x06: "ESME_RINVPRTFLG",
    0x07: "ESME_RINVREGDLVFLG",
    0x08: "ESME_RSYSERR",
    0x0A: "ESME_RINVSRCADR",
    0x0B: "ESME_RINVDSTADR",
    0x0C: "ESME_RINVMSGID",
    0x0D: "ESME_RBINDFAIL",
    0x0E: "ESME_RINVPASWD",
    0x0F: "ESME_RINVSYSID",
    0x11: "ESME_RCANCELFAIL",
    0x13: "ESME_RREPLACEFAIL",
    0x14: "ESME_RMSGQFUL",
    0x15: "ESME_RINVSERTYP",
    0x33: "ESME_RINVNUMDESTS",
    0x34: "ESME_RINVDLNAME",
    0x40: "ESME_RINVDESTFLAG",
    0x42: "ESME_RINVSUBREP",
    0x43: "ESME_RINVESMCLASS",
    0x44: "ESME_RCNTSUBDL",
    0x45: "ESME_RSUBMITFAIL",
    0x48: "ESME_RINVSRCTON",
    0x49: "ESME_RINVSRCNPI",
    0x50: "ESME_RINVDSTTON",
    0x51: "ESME_RINVDSTNPI",
    0x53: "ESME_RINVSYSTYP",
    0x54: "ESME_RINVREPFLAG",
    0x55: "ESME_RINVNUMMSGS",
    0x58: "ESME_RTHROTTLED",
    0x61: "ESME_RINVSCHED",
    0x62: "ESME_RINVEXPIRY",
    0x63: "ESME_RINVDFTMSGID",
    0x64: "ESME_RX_T_APPN",
    0x65: "ESME_RX_P_APPN",
    0x66: "ESME_RX_R_APPN",
    0x67: "ESME_RQUERYFAIL",
    0xC0: "ESME_RINVOPTPARSTREAM",
    0xC1: "ESME_ROPTPARNOTALLWD",
    0xC2: "ESME_RINVPARLEN",
    0xC3: "ESME_RMISSINGOPTPARAM",
    0xC4: "ESME_RINVOPTPARAMVAL",
    0xFE: "ESME_RDELIVERYFAILURE",
    0xFF: "ESME_RUNKNOWNERR",
}

_WORDS = {
    0x01: "the text is too long for it",
    0x04: "it does not know us on this connection",
    0x05: "it has as many binds of us already as it allows",
    0x08: "something is wrong there",
    0x0A: "it does not let us send from this sender",
    0x0B: "it does not know such a number",
    0x0D: "it does not let us bind",
    0x0E: "the password is wrong",
    0x0F: "it knows no such system ID",
    0x14: "its queue is full",
    0x45: "it could not take the text",
    0x48: "it does not take senders of this kind; see source_ton",
    0x49: "it does not take senders of this kind; see source_npi",
    0x50: "it does not take numbers of this kind; see destination_ton",
    0x51: "it does not take numbers of this kind; see destination_npi",
    0x53: "the system type is wrong",
    0x58: "it takes no more so fast",
    0x62: "it does not take such a validity period; see validity",
}


def described(status: int) -> str:
    """Give a status for a person to read: its number, its name and what it means, as far as known."""
    name = _NAMES.get(status, "one of the SMSC's own" if 0x400 <= status <= 0x4FF else "no name known")
    words = _WORDS.get(status)
    return f"0x{status:08X} {name}{f': {words}' if words else ''}"
