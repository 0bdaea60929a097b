"""What ends a command: one readable line, and an exit code."""

from ringful.ground.complaint import Complaint


class CommandError(Complaint):
    """The command cannot be done."""


def first_of(error: BaseException) -> BaseException:
    """Give the first exception in a group, which is what began it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
