"""The problems of a script as an answer: JSON with places, or text with carets.  Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen

from ringful.grammar.errors import Problem, render
from ringful.http import problems

LONGEST = 1000
"""Characters of a line that are shown."""


@frozen
class Diagnosis:
    """What is wrong with a script, in both forms."""

    members: Sequence[Mapping[str, Any]] = field(factory=tuple)
    text: str = ""
    refusal: str = ""
    """Why it must not run, in one line; empty: it may."""

    def hold(self) -> None:
        """Refuse a script that must not run.  Raises problems.Problem."""
        if self.refusal:
            extra = {"problems": self.members}
            raise problems.Problem(422, "script.invalid", self.refusal, extra=extra, text=self.text)


def diagnose(found: Sequence[Problem], texts: Mapping[str, str]) -> Diagnosis:
    """Show *found*, which is about *texts*, by the names that their spans have.

    Texts may be long and problems many: not for trio's own thread.
    """
    lines = {name: text.split("\n") for name, text in texts.items()} if found else {}
    members = [_member(problem, lines.get(problem.span.path, [])) for problem in found]
    shown = "".join(render(problem, texts.get(problem.span.path, "")) + "\n" for problem in found)
    return Diagnosis(members, shown, _refusal([problem for problem in found if problem.is_error]))


def _refusal(errors: Sequence[Problem]) -> str:
    if not errors:
        return ""
    first = f"{errors[0].span}: {errors[0].message}" if errors[0].span.line else errors[0].message
    if len(errors) == 1:
        return f"the script has an error: {first}"
    return f"the script has {len(errors)} errors, the first: {first}"


def _member(problem: Problem, lines: Sequence[str]) -> dict[str, Any]:
    span = problem.span
    shown: dict[str, Any] = {
        "code": problem.code,
        "severity": problem.severity,
        "message": problem.message,
        "file": span.path,
        "line": span.line,
        "column": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
        "text": lines[span.line - 1].rstrip("\r")[:LONGEST] if 0 < span.line <= len(lines) else "",
    }
    return shown | ({"hint": problem.hint} if problem.hint else {})
