"""What runs are told of the configuration."""

from ringful.command.configuration.config import Config
from ringful.interpreter.settings import Settings


def run_settings(config: Config) -> Settings:
    """Give what runs are told of the configuration."""
    public_url = config.http.public_url or f"http://{config.http.bind}"
    return Settings(
        ring_timeout=config.media.ring_timeout,
        max_duration=config.media.max_duration,
        ask_limit=config.fetch.answer_timeout,
        recordings_url=f"{public_url.rstrip('/')}/recordings/",
        link_lifetime=config.recordings.link_lifetime,
        rates=config.rates.rates,
    )
