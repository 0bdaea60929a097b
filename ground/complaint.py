"""What a person asked for and cannot have: one readable line, and the exit code of a command."""


class Complaint(Exception):
    """What was asked for cannot be done, and the message says why and what would do.

    *code* is the exit code of a command that it ends: 1 (the thing asked about is wrong) or 2 (usage,
    configuration).
    """

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code
