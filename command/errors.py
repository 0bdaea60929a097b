"""What ends a command: one readable line, and an exit code."""


class CommandError(Exception):
    """The command cannot be done; *code* is 1 (the thing asked about is wrong) or 2 (usage, configuration)."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code
