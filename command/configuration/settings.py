"""Find the configuration of a command."""

import os
from pathlib import Path

from ringful.command.configuration.config import Config, load


def configuration(path: Path | None) -> Config:
    """Read the configuration file that was named, or the one in this folder.  Raises CommandError."""
    return load(path, os.environ)
