"""What a server lacks when it starts, each in a line that says what would do.  It starts all the same."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import structlog
import trio

from ringful.command.configuration.address import is_private, split_address
from ringful.command.configuration.config import Config
from ringful.interpreter.calls.trunk_failures import meaning
from ringful.media.options import ask_options
from ringful.media.trunks import Trunk

log = structlog.get_logger()

FIRST_YEAR = 2026
TRUNK_PATIENCE = 2.0
"""Seconds within which a trunk ought to answer OPTIONS."""

_ALIVE = frozenset({*range(200, 300), 404, 405, 480, 481, 484, 486, 501, 604})
"""What a trunk answers that is there, whether or not it takes OPTIONS."""


def missing(config: Config, now: float) -> Iterator[str]:
    """Give a line for each thing that *config* wants and this machine has not, at *now* (Unix seconds)."""
    if shutil.which("espeak-ng") is None:
        yield "espeak-ng is not installed: every `say` will fail; apt-get install espeak-ng"
    for folder in config.media.folders:
        if not folder.is_dir():
            yield f"media.folders: {folder} is not there: make it, or no announcement is found in it"
    for key, folder in (("store.recordings", config.store.recordings), ("media.cache", config.media.cache)):
        if why := _why_unwritable(folder):
            yield f"{key}: {folder} {why}: see to its owner and mode, or correct it"
    host, _ = split_address(config.http.bind)
    if not config.http.public_url and not is_private(host) and host != "localhost":
        yield f"http.public_url is not set: recordings will be told as http://{config.http.bind}/…; set it"
    if not config.rates.rates.rates:
        yield "rates.table is empty: every call is billed 0, and no spending cap holds"
    if datetime.fromtimestamp(now, UTC).year < FIRST_YEAR:
        today = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d}"
        yield f"the clock says {today}: set it, or bills, records and certificates are wrong"


def _why_unwritable(folder: Path) -> str:
    there = folder.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        return "is not a folder"
    return "" if os.access(there, os.W_OK | os.X_OK) else "cannot be written"


async def look_at_trunks(config: Config) -> None:
    """Ask each trunk once whether it is there; log what it means where it does not say so."""
    async with trio.open_nursery() as nursery:
        for trunk in config.sip.ways:
            nursery.start_soon(_look_at, trunk)


async def _look_at(trunk: Trunk) -> None:
    if why := await why_no_trunk(trunk):
        host = f"{trunk.host}:{trunk.at_port}"
        log.warning("the trunk does not answer as it ought to", trunk=trunk.name, host=host, why=why)


async def why_no_trunk(trunk: Trunk) -> str:
    """Say in words what is wrong with *trunk*; nothing where it is there."""
    status = 0
    with trio.move_on_after(TRUNK_PATIENCE):
        try:
            status = await ask_options(trunk.host, trunk.at_port, trunk.transport)
        except trio.socket.gaierror:
            return "its name cannot be resolved: correct sip.trunk, or see to this machine's name server"
        except OSError as error:
            said = error.strerror or str(error)
            return f"{said}: nothing listens there; correct sip.trunk, or start what it names"
    if not status:
        return (
            f"no answer to OPTIONS within {TRUNK_PATIENCE:g} s: calls fail unless it answers only those; "
            "see that sip.trunk is right, that it is up, and that no firewall is between"
        )
    if status in _ALIVE or (status in (401, 407) and trunk.ours.username):
        return ""
    return meaning(status, trunk.ours.username)
