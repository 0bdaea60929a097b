"""Which calls a list is to hold, as the API and the command say it."""

from attrs import evolve

from ringful.store.port import CallFilter


def call_filter(
    state: str | None,
    numbers: tuple[str, ...] = (),
    label: str | None = None,
    since: float | None = None,
    until: float | None = None,
) -> CallFilter:
    """Say which calls are wanted; *state* is ``live``, ``ended``, or an outcome."""
    wanted = CallFilter(numbers=numbers, label=label, since=since, until=until)
    match state:
        case None:
            return wanted
        case "live" | "ended":
            return evolve(wanted, state=state)
        case outcome:
            return evolve(wanted, outcome=outcome)
