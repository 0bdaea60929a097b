"""What is wrong with a script, and how it is shown.

::

    Problem                a value: code, message, span, hint, severity
    ScriptError            an exception: one or more problems of a text
    render(problem, text)  the line, a caret under the place, and the hint

Codes (``unbound``, ``syntax``) are stable: clients match on them.  Messages are lower case, say
what was found and what would do, and put script words in backquotes.
"""

from typing import Literal

from attrs import frozen

from ringful.grammar.span import NOWHERE, Span

MAX_PROBLEMS = 200
"""A text with more problems than this is told of so many."""

Severity = Literal["error", "warning"]


@frozen
class Problem:
    """One thing that is wrong with a script, and where."""

    code: str
    message: str
    span: Span = NOWHERE
    hint: str = ""
    severity: Severity = "error"

    @property
    def is_error(self) -> bool:
        """Say whether the script must not run."""
        return self.severity == "error"


class ScriptError(Exception):
    """A script that cannot be run, with every *problem* that was found."""

    def __init__(self, *problems: Problem, source: str = "") -> None:
        super().__init__(*problems)
        self.problems: tuple[Problem, ...] = problems
        self.source = source

    def __str__(self) -> str:
        return "\n".join(render(problem, self.source) for problem in self.problems)


def render(problem: Problem, source: str) -> str:
    """Show *problem* under the line of *source* that it is about."""
    span = problem.span
    label = "warning: " if problem.severity == "warning" else ""
    place = f"{span}: " if span.line else (f"{span.path}: " if span.path else "")
    shown = [f"{place}{label}{problem.message} [{problem.code}]"]
    lines = source.split("\n")
    gutter = ""
    if 1 <= span.line <= len(lines):
        # A tab is one column of the span but many on a screen, so it is shown as one blank.
        line = lines[span.line - 1].rstrip("\r").replace("\t", " ")
        gutter = " " * len(str(span.line))
        end = span.end_column if span.end_line == span.line else len(line) + 1
        line, column, width = _excerpt(line, span.column, max(1, end - span.column))
        shown.append(f" {span.line} | {line}")
        shown.append(f" {gutter} | {' ' * (column - 1)}{'^' * width}")
    if problem.hint:
        shown.append(f" {gutter} = {problem.hint}")
    return "\n".join(shown)


_LONG = 200
"""A line longer than this is not shown whole."""


def _excerpt(line: str, column: int, width: int) -> tuple[str, int, int]:
    """Cut a long *line* to the part around *column*; give it with where that column is, and the width."""
    if len(line) <= _LONG:
        return line, column, width
    start = max(0, column - 1 - _LONG // 3)
    cut = line[start : start + _LONG]
    before, after = "…" if start else "", "…" if start + _LONG < len(line) else ""
    column = column - start + len(before)
    return f"{before}{cut}{after}", column, max(1, min(width, len(cut) + len(before) + 1 - column))
