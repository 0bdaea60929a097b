"""What ends a command: one readable line, and an exit code."""


class CommandError(Exception):
    """The command cannot be done.

    *code* is the exit code: 1 (the thing asked about is wrong) or 2 (usage, configuration).
    """

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def first_of(error: BaseException) -> BaseException:
    """Give the first exception in a group, which is what began it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
