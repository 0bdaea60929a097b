"""Ask a SIP server whether it is there (OPTIONS, RFC 3261, 11), from a socket of our own.

Any answer is a sign of life.  This is for probes: it needs no worker, and disturbs none.
"""

import re
from secrets import token_hex

import trio

_RESEND = (0.5, 1.0, 2.0, 4.0)
"""How many seconds each datagram is waited upon before it is sent again (RFC 3261, 17.1.2)."""
_MOST = 65536


async def ask_options(host: str, at_port: int, transport: str = "udp") -> int:
    """Give the status that the SIP server at *host* answers OPTIONS with.

    It waits for as long as the caller lets it.  Raises OSError where *host* cannot be resolved or refuses.
    """
    kind = trio.socket.SOCK_STREAM if transport == "tcp" else trio.socket.SOCK_DGRAM
    found = await trio.socket.getaddrinfo(host, at_port, trio.socket.AF_INET, kind)
    address = found[0][4]
    with trio.socket.socket(trio.socket.AF_INET, kind) as ours:
        await ours.connect(address)
        name, own_port = ours.getsockname()
        call_id = token_hex(8)
        message = _options(f"{host}:{at_port}", f"{name}:{own_port}", call_id, transport)
        if transport == "tcp":
            await trio.SocketStream(ours).send_all(message)
            return await _status(ours, call_id)
        for patience in _RESEND:
            await ours.send(message)
            with trio.move_on_after(patience):
                return await _status(ours, call_id)
        return await _status(ours, call_id)


async def _status(ours: trio.socket.SocketType, call_id: str) -> int:
    heard = b""
    while True:
        data = await ours.recv(_MOST)
        if not data and ours.type == trio.socket.SOCK_STREAM:
            raise OSError("it closed the connection")
        heard = (heard + data)[-_MOST:] if ours.type == trio.socket.SOCK_STREAM else data
        status = final_status(heard, call_id)
        if status is not None:
            return status


def final_status(message: bytes, call_id: str) -> int | None:
    """Give the final status that *message* is for the request of *call_id*; None if it is none."""
    text = message.decode("utf-8", "replace")
    for part in re.split(r"(?=^SIP/2\.0 )", text, flags=re.MULTILINE):
        first = re.match(r"SIP/2\.0 ([2-6]\d\d)[ \r\n]", part)
        if first and re.search(rf"^(?:Call-ID|i)\s*:\s*{call_id}\s*$", part, re.IGNORECASE | re.MULTILINE):
            return int(first[1])
    return None


def _options(there: str, here: str, call_id: str, transport: str) -> bytes:
    options = ";transport=tcp" if transport == "tcp" else ""
    lines = [
        f"OPTIONS sip:{there}{options} SIP/2.0",
        f"Via: SIP/2.0/{transport.upper()} {here};rport;branch=z9hG4bK{token_hex(8)}",
        "Max-Forwards: 70",
        f"From: <sip:ringful@{here}>;tag={token_hex(4)}",
        f"To: <sip:{there}>",
        f"Call-ID: {call_id}",
        "CSeq: 1 OPTIONS",
        f"Contact: <sip:ringful@{here}{options}>",
        "Accept: application/sdp",
        "User-Agent: ringful",
        "Content-Length: 0",
    ]
    return "\r\n".join([*lines, "", ""]).encode()
