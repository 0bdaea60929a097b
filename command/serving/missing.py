"""What a server lacks when it starts, each in a line that says what would do.  It starts all the same."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ringful.command.configuration.address import is_private, split_address
from ringful.command.configuration.config import Config
from ringful.grammar.reading.moves.compiled import COMPILED

FIRST_YEAR = 2026


def missing(config: Config, now: float) -> Iterator[str]:
    """Give a line for each thing that *config* wants and this machine has not, at *now* (Unix seconds)."""
    if shutil.which("espeak-ng") is None:
        yield "espeak-ng is not installed: every `say` will fail; apt-get install espeak-ng"
    if not COMPILED.exists():
        yield "there was no C compiler: scripts are read slowly; apt-get install gcc, install ringful anew"
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
