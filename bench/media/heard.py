"""What the far end tells of its calls when all are over: it passes from process to process as JSON."""

from attrs import define, frozen


@define
class Heard:
    """What one phone heard of a call; times are the machine's clock in nanoseconds, 0 where it never came."""

    name: str
    """Whom the server called: the leg's name."""
    packets: int = 0
    missing: int = 0
    """Packets that came never, by the numbers they bear."""
    late: int = 0
    """Packets that came more than 40 ms after the one before."""
    strangers: int = 0
    """Packets from elsewhere than the call's SDP says: of another call."""
    sent: int = 0
    first_frames: int = 0
    second_frames: int = 0
    """Packets of the first and of the second prompt."""
    hole: int = 0
    """The longest silence in samples between the first prompt's beginning and the second one's end."""
    gap_ns: int = 0
    """How much later than 20 ms after the first prompt's last packet the second one's first came."""
    key_ns: int = 0
    """When the key's first packet was sent."""
    next_ns: int = 0
    """When the first packet with sound came after that."""
    silent: int = 0
    """Packets without any sound between such with sound."""
    hertz: tuple[int, ...] = ()
    """In a conference: the tones heard in its last second."""
    over: bool = False
    """The server hung up; a call of which that is not true was still up in the end."""


@frozen
class Lateness:
    """How late the far end itself was, in milliseconds: what it measures is worth no more than this."""

    p99: float
    most: float
