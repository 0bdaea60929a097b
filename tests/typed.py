"""Run a command of ringful in the test's own process."""

from collections.abc import Callable
from typing import Any

from ringful.command import main


def ringful(capsys: Any, *arguments: object) -> tuple[str, str, Any]:
    """Run a command; give what it printed, what it complained of, and its exit code."""
    run: Callable[..., None] = main.run
    code: Any = 0
    try:
        run(arguments)
    except SystemExit as end:
        code = end.code or 0
    out, complaints = capsys.readouterr()
    return out, complaints, code
