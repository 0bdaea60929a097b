"""`ringful serve`: the server."""

import time
from pathlib import Path

import structlog
import trio

from ringful.command.configuration.settings import configuration
from ringful.command.errors import CommandError, first_of
from ringful.command.serving.exposure import exposure, is_fronted
from ringful.command.serving.missing import missing
from ringful.command.serving.ports import enough_for_sound, usable_sip
from ringful.command.serving.server import serving
from ringful.ground.files import keep_private
from ringful.ground.log import set_up

log = structlog.get_logger()


def serve(*, config: Path | None = None) -> None:
    """Start the server; it prints its addresses when it is ready.

    Parameters
    ----------
    config
        The configuration file; ringful.toml in this folder, where none is named.
    """
    settings = configuration(config)
    keep_private()
    set_up(settings.log.format, settings.log.level)
    for line in (*exposure(settings), *missing(settings, time.time())):
        log.warning(line)
    if not is_fronted(settings):
        usable_sip(settings.sip.bind)
    enough_for_sound(settings.media.ports, settings.media.max_calls)
    try:
        trio.run(serving, settings)
    except BaseException as error:
        first = first_of(error)
        if isinstance(first, OSError):
            raise CommandError(f"the server cannot start: {first}", 2) from error
        raise
