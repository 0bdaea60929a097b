"""Tell systemd how the server stands (sd_notify), where it was started by it with ``Type=notify``."""

import os
import socket


def notify(state: str) -> None:
    """Say *state*, such as ``READY=1``; nothing where nobody asked to be told."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as telling:
        try:
            # A name that begins with @ is of the abstract namespace.
            telling.connect("\0" + address[1:] if address[0] == "@" else address)
            telling.sendall(state.encode())
        except OSError:
            return  # Whoever asked has gone: the server runs all the same.
