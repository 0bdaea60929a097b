"""What runs are told of the configuration."""

from collections.abc import Callable

from ringful.command.configuration.config import Config
from ringful.interpreter.settings import Settings
from ringful.messages.segments import MOST_PARTS, Alphabet, split


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
        segments=_segments({"gsm", *(one.alphabet for one in config.sms.smpp)}),
    )


def _segments(alphabets: set[Alphabet]) -> Callable[[str], int]:
    """Give what says in how many segments a text goes by the worst of the *alphabets*."""

    def segments(text: str) -> int:
        try:
            return max(len(split(text, alphabet).parts) for alphabet in alphabets)
        except ValueError:
            # It cannot be sent as it is: whatever becomes of it, these are the most.
            return MOST_PARTS

    return segments
