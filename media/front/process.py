"""Kamailio as a process: checked, started, watched, started again, ended.

It is no child that ends with us: where the node is killed, the front tells callers to come again (503,
Retry-After).  The next node finds it in its folder, has it say BYE for the calls whose workers ended with
the node before, and takes its place.
"""

import os
import pwd
import re
import shutil
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, STDOUT
from typing import Any

import trio
from attrs import define, field

from ringful.media.front.rpc import RpcError, rpc

_READY_SECONDS = 10.0
END_SECONDS = 5.0
_QUIET = -2
"""Only what stops it is said (L_CRIT)."""
LOG_LINES = 20
"""Lines of its log that are told at a time; the rest is counted."""
_LOG_MOST = 1 << 20
_NOISE = re.compile(r"^\s*\d+\(\d+\)\s*")
_DROPPED = re.compile(r"listening on|Aliases:|^\s*$|^\s+(udp|tcp|tls)s?:", re.IGNORECASE)


class FrontError(Exception):
    """Why there is no front."""


def installed() -> str:
    """Give where Kamailio is; empty: it is not there."""
    return shutil.which("kamailio", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin") or ""


def someone_unprivileged() -> str:
    """Give whom the front runs as, where we are root; empty where we are not."""
    if os.getuid():
        return ""
    for name in ("kamailio", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    return ""


def private_folder(folder: Path, user: str) -> None:
    """Make *folder*, for us and the front alone.  Raises FrontError where somebody else has it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    there = folder.lstat()
    owner = pwd.getpwnam(user).pw_uid if user else os.getuid()
    if folder.is_symlink() or there.st_uid not in (os.getuid(), owner):
        raise FrontError(f"{folder} belongs to somebody else: remove it, or set sip.front_folder")
    folder.chmod(0o700)
    if user:
        os.chown(folder, owner, pwd.getpwnam(user).pw_gid)


def write_private(file: Path, written: str, user: str) -> None:
    """Write a *file* that *user* and we alone may read."""
    beside = file.with_suffix(".new")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        out.write(written)
    if user:
        known = pwd.getpwnam(user)
        os.chown(beside, known.pw_uid, known.pw_gid)
    beside.replace(file)


@define(eq=False)
class Kamailio:
    """One run of it after another, in one folder."""

    folder: Path
    user: str
    shared_megabytes: int = 64
    process: trio.Process | None = None
    version: str = ""
    _read: int = field(default=0, init=False)
    """Bytes of its log that were told."""

    def _as(self) -> dict[str, Any]:
        if not self.user:
            return {}
        known = pwd.getpwnam(self.user)
        return {"user": known.pw_uid, "group": known.pw_gid, "extra_groups": []}

    async def check(self) -> None:
        """See that it understands what was written (``kamailio -c``).  Raises FrontError."""
        program = installed()
        if not program:
            raise FrontError("kamailio is not installed: apt-get install kamailio kamailio-tls-modules")
        said = await trio.run_process(
            [program, "-f", str(self.folder / "kamailio.cfg"), "-c"],
            capture_stdout=True,
            stderr=STDOUT,
            stdin=b"",
            check=False,
            **self._as(),
        )
        if said.returncode:
            lines = [
                one for one in said.stdout.decode("utf-8", "replace").splitlines() if not _DROPPED.search(one)
            ]
            wrong = [one for one in lines if "ERROR" in one or "CRITICAL" in one] or lines
            raise FrontError("kamailio refuses its configuration: " + "; ".join(wrong[:3])[:600])
        if not self.version:
            told = await trio.run_process([program, "-v"], capture_stdout=True, stdin=b"", check=False)
            found = re.search(r"kamailio (\d[\w.]*)", told.stdout.decode("utf-8", "replace"))
            self.version = found[1] if found else "of an unknown version"

    async def start(self) -> None:
        """Start it, and return when it answers.  Raises FrontError."""
        program = installed()
        if not program:
            raise FrontError("kamailio is not installed any more")
        (self.folder / "rpc").unlink(missing_ok=True)
        # The allocator for machines at work: the default one, for looking for faults, is a sixth of a call.
        memory = ["-x", "fm", "-X", "fm", "-m", str(self.shared_megabytes), "-M", "8"]
        places = ["-Y", str(self.folder), "-w", str(self.folder), "-P", str(self.folder / "pid")]
        write_private(self.folder / "log", "", self.user)
        self._read = 0
        with open(self.folder / "log", "ab") as said:  # noqa: ASYNC230 (it is in memory)
            self.process = await trio.lowlevel.open_process(
                [program, "-f", str(self.folder / "kamailio.cfg"), "-DD", "-E", *memory, *places],
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=said,
                start_new_session=True,
                **self._as(),
            )
        began = time.monotonic()
        while True:
            try:
                await rpc(self.folder, "corex.debug", _QUIET, seconds=0.5)
                return
            except RpcError:
                gone = self.process.poll() is not None
                if gone or time.monotonic() - began > _READY_SECONDS:
                    await self.end()
                    why = "; ".join(self.news()[-3:]) or "it says nothing"
                    who = f", which runs as {self.user}," if self.user else ""
                    raise FrontError(f"kamailio{who} does not start: {why}"[:600]) from None
                await trio.sleep(0.02)

    async def end(self) -> None:
        """End it: in order where it lets itself be ended, and at once where it does not."""
        if self.process:
            await end_session(self.process.pid, self.process)
            self.process = None

    def news(self) -> list[str]:
        """Give what it has written since this was asked last."""
        try:
            with open(self.folder / "log", "rb") as said:
                said.seek(self._read)
                new = said.read(_LOG_MOST)
        except OSError:
            return []
        whole = new[: new.rfind(b"\n") + 1]
        self._read += len(whole)
        if self._read >= _LOG_MOST:
            # It appends, so it goes on at the beginning.
            with suppress(OSError):
                os.truncate(self.folder / "log", 0)
            self._read = 0
        lines = [_NOISE.sub("", one) for one in whole.decode("utf-8", "replace").splitlines()]
        return [one[:300] for one in lines if not _DROPPED.search(one)]


async def end_session(leader: int, process: trio.Process | None = None) -> None:
    """End all processes of the session of *leader*."""
    for number, seconds in ((signal.SIGTERM, END_SECONDS), (signal.SIGKILL, END_SECONDS)):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, number)
        with trio.move_on_after(seconds):
            if process:
                await process.wait()
            while _lives(leader):  # noqa: ASYNC110 (nothing tells of it)
                await trio.sleep(0.02)
            return


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


async def end_the_one_before(folder: Path, ports: Iterable[int]) -> int:
    """End a front that a node of before has left in *folder*, whose workers had *ports*.

    Gives how many calls of theirs were ended by BYE.
    """
    pid = _left_in(folder)
    if pid is None:
        return 0
    ended = 0
    with suppress(RpcError), trio.move_on_after(5):
        for port in ports:
            ended += await end_calls(folder, port)
        # The BYEs are answered by then, or are not going to be.
        await trio.sleep(0.5 if ended else 0)
    await end_session(os.getpgid(pid))
    return ended


def _left_in(folder: Path) -> int | None:
    """Give the process of a front that has *folder*; None: there is none."""
    try:
        pid = int((folder / "pid").read_text())
        name = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if b"kamailio" in name and os.fsencode(folder) in name else None


async def end_calls(folder: Path, port: int) -> int:
    """End the calls of a worker that is gone: of its *port*, the front knows them.

    Up: BYE to the far end.  A caller who hears ringing: 503.  A callee who still rings: CANCEL.
    Gives how many there were.  Raises RpcError where the front does not answer.
    """
    found = await rpc(folder, "dlg.profile_list", "worker", str(port))
    calls = found if isinstance(found, list) else []
    for call in calls:
        with suppress(RpcError):
            await _end(folder, call, port)
    return len(calls)


async def _end(folder: Path, call: dict[str, Any], port: int) -> None:
    caller = call["caller"]
    if int(call["state"]) in (3, 4):
        await rpc(folder, "dlg.end_dlg", call["h_entry"], call["h_id"])
    elif str(caller["contact"]).startswith(f"sip:w{port}@"):
        await rpc(folder, "tm.cancel", call["call-id"], str(caller["cseq"]))
    else:
        lines = "Retry-After: 5\r\n"
        await rpc(
            folder,
            "tm.reply_callid",
            503,
            "Service Unavailable",
            call["call-id"],
            str(caller["cseq"]),
            "lost",
            lines,
            "",
        )
