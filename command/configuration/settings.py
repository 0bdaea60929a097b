"""Find the configuration of a command, and what runs are told of it."""

import os
from pathlib import Path

from ringful.command.configuration.config import Config, load
from ringful.interpreter.settings import Settings


def configuration(path: Path | None) -> Config:
    """Read the configuration file that was named, or the one in this folder.  Raises CommandError."""
    return load(path, os.environ)


def run_settings(config: Config) -> Settings:
    """Give what runs are told of the configuration."""
    public_url = config.http.public_url or f"http://{config.http.bind}"
    return Settings(
        ring_timeout=config.media.ring_timeout,
        max_duration=config.media.max_duration,
        ask_limit=config.fetch.answer_timeout,
        recordings_url=f"{public_url.rstrip('/')}/recordings/",
        link_lifetime=config.recordings.link_lifetime,
        bill=config.rates.rates.bill,
    )
