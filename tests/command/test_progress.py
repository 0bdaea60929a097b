"""How far a long command is: in one line of a terminal, and now and then elsewhere."""

import io

from ringful.command.showing.progress import SECONDS, Progress


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_one_line_that_goes_away() -> None:
    stream = _Terminal()
    progress = Progress(stream)
    progress.tell("1 of 2")
    progress.tell("2 of 2")
    progress.clear()
    assert stream.getvalue() == "\r1 of 2\x1b[K\r2 of 2\x1b[K\r\x1b[K"


def test_elsewhere_a_line_comes_now_and_then() -> None:
    stream, now = io.StringIO(), [0.0]
    progress = Progress(stream, lambda: now[0])
    for second in range(25):
        now[0] = float(second)
        progress.tell(f"after {second}")
    progress.clear()
    assert stream.getvalue() == f"after {SECONDS:g}\nafter {2 * SECONDS:g}\n"
