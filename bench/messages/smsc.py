"""An SMSC that takes everything, as fast as one thread can: a process of its own, of plain sockets.

It prints its port.  With ``receipts`` it brings a receipt for each text that it took.  One thread serves a
bind; what came in one read is answered in one write.
"""

import socket
import sys
import threading
from collections.abc import Iterator
from itertools import count

from ringful.messages.smpp import codec
from ringful.messages.smpp.codec import Framer, Malformed, Pdu

_READ = 64 * 1024


def main() -> None:
    """Serve until the process is ended."""
    receipts = "receipts" in sys.argv[1:]
    ids = count(1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            bind, _ = listener.accept()
            bind.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_serve, args=(bind, ids, receipts), daemon=True).start()


def _serve(bind: socket.socket, ids: Iterator[int], receipts: bool) -> None:
    framer = Framer()
    with bind:
        try:
            while data := bind.recv(_READ):
                said = b"".join(one for pdu in framer.feed(data) for one in _answers(pdu, ids, receipts))
                if said:
                    bind.sendall(said)
        except (OSError, Malformed):
            return  # It is the other side's to tell.


def _answers(pdu: Pdu, ids: Iterator[int], receipts: bool) -> Iterator[bytes]:
    answer = pdu.command | codec.RESPONSE
    if pdu.command == codec.SUBMIT_SM:
        name = b"%d" % next(ids)
        yield Pdu(answer, 0, pdu.sequence, name + b"\0").octets()
        if receipts:
            yield Pdu(codec.DELIVER_SM, 0, int(name), _receipt(pdu, name)).octets()
    elif pdu.command == codec.BIND_TRANSCEIVER:
        yield Pdu(answer, 0, pdu.sequence, b"bench\0").octets()
    elif pdu.command in (codec.ENQUIRE_LINK, codec.UNBIND):
        yield Pdu(answer, 0, pdu.sequence).octets()


def _receipt(pdu: Pdu, name: bytes) -> bytes:
    # A submit_sm and a deliver_sm have the same fields.
    sent = codec.read_deliver(pdu.body)
    text = b"id:%b sub:001 dlvrd:001 stat:DELIVRD err:000 text:" % name
    ends = b"".join(
        bytes((one.ton, one.npi)) + one.text.encode() + b"\0" for one in (sent.destination, sent.source)
    )
    return b"\0" + ends + bytes((codec.RECEIPT, 0, 0, 0, 0, 0, 0, 0, 0, len(text))) + text


if __name__ == "__main__":
    main()
