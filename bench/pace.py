"""How a load of calls is put on a server: what every workload with calls goes by."""

from attrs import frozen


@frozen
class Pace:
    """How a load is begun, and how long it is looked at, in seconds."""

    seconds: float = 30.0
    ramp: float = 6.0
    """While its calls begin."""
    settle: float = 3.0
    """After that, before it is looked at."""
