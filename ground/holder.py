"""Which process has a port, as far as this one may see."""

import os
from pathlib import Path

_PROC = Path("/proc")


def holder_of(at_port: int, *, udp: bool) -> str:
    """Name the process that listens at *at_port*, as `nginx (pid 123)`; nothing where that is not seen."""
    try:
        wanted = {f"socket:[{inode}]" for inode in _inodes(at_port, "udp" if udp else "tcp")}
        return _owner(wanted) if wanted else ""
    except OSError:
        return ""


def _inodes(at_port: int, kind: str) -> set[str]:
    found = set()
    for table in (kind, f"{kind}6"):
        path = _PROC / "net" / table
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            parts = line.split()
            listens = kind == "udp" or parts[3] == "0A"
            if listens and int(parts[1].rpartition(":")[2], 16) == at_port:
                found.add(parts[9])
    return found


def _owner(sockets: set[str]) -> str:
    for process in _PROC.iterdir():
        if not process.name.isdigit():
            continue
        try:
            held = {os.readlink(fd) for fd in (process / "fd").iterdir()}
            name = (process / "comm").read_text().strip()
        except OSError:
            continue  # It is another user's, or has ended.
        if held & sockets:
            return f"{name} (pid {process.name})"
    return ""
