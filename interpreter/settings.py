"""What a run is told about the house that it runs in."""

from collections.abc import Callable

from attrs import field, frozen

from ringful.interpreter.links import Links
from ringful.interpreter.money.rates import RateTable


@frozen
class Settings:
    """Limits and defaults of a run.  Durations are seconds."""

    ring_timeout: float = 60.0
    max_duration: float = 4 * 3600.0
    recordings_url: str = "http://127.0.0.1:8080/recordings/"
    """What a recording's file name is appended to, to make ``recordFile``."""
    link_secret: str = field(default="", repr=False)
    """What those links are signed with; empty: they are not."""
    link_lifetime: float = 24 * 3600.0
    rates: RateTable = field(factory=RateTable, repr=False)
    """What legs cost that are answered now: for doors.  Runs are told of each leg (`events.Priced`)."""
    segments: Callable[[str], int] | None = field(default=None, eq=False, repr=False)
    """In how many segments a text goes at most: for what a script can cost.  None: that is estimated."""
    chance: str = ""
    """What chance comes from, instead of the call's ID."""
    first_key: float = 10.0
    between_keys: float = 5.0
    tries: int = 3
    record_limit: float = 3600.0
    record_silence: float = 5.0
    ask_limit: float = 10.0
    closing_limit: float = 10.0
    """How long a leg may take to end after it was told to; then it is counted as lost."""
    farewell_limit: float = 30.0
    """How long ``on hangup`` may run."""
    step_budget: int = 10_000
    """Statements that may run without any wait between them."""
    queue_size: int = 1000
    """Statements that may wait in one queue."""
    conference_size: int = 250
    """How many legs one conference holds."""
    type_ahead: int = 64
    """Tones that a leg's input buffer holds; later ones are dropped."""

    @property
    def links(self) -> Links:
        """How recordings are linked to."""
        return Links(self.recordings_url, self.link_secret, self.link_lifetime)
