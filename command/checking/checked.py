"""What is wrong with a script in a file, and with what it uses."""

from pathlib import Path

from ringful.grammar import nodes
from ringful.grammar.checking import checker
from ringful.grammar.errors import Problem, ScriptError
from ringful.grammar.reading.parser import parse
from ringful.ground.complaint import Complaint
from ringful.ground.files import read_text


def checked(file: Path, text: str) -> tuple[nodes.Script | None, tuple[Problem, ...]]:
    """Give the tree of *text*, which stands in *file*, where it has one, and all its problems."""
    try:
        script = parse(text, str(file))
    except ScriptError as error:
        return None, error.problems
    uses, unusable = used_by(file, script)
    found = checker.check(script, uses)
    # What stands in the way is said of each use, instead of that there is no such script.
    told = {problem.span for problem in unusable}
    rest = (one for one in found if one.code != "unknown-script" or one.span not in told)
    return script, tuple(sorted((*unusable, *rest), key=lambda one: (one.span, one.code)))


def used_by(file: Path, script: nodes.Script) -> tuple[dict[str, nodes.Script], list[Problem]]:
    """Read the scripts that *script* uses, itself or by another one, and say why some cannot be.

    Paths count from the folder of the script that says them.  What is wrong in a script is its own.
    """
    found: dict[str, nodes.Script] = {}
    unusable: list[Problem] = []
    waiting = [(use.path, file.parent / use.path, use) for use in script.uses]
    while waiting:
        name, other, use = waiting.pop(0)
        if name in found or not other.exists():
            # Where there is none, the checker says so.
            continue
        try:
            found[name] = parse(read_text(other), str(other))
        except ScriptError as error:
            message = f"`{name}` cannot be used: {error.problems[0].span}: {error.problems[0].message}"
            unusable.append(Problem("unknown-script", message, use.span, f"see: ringful check {other}"))
        except Complaint as error:
            unusable.append(Problem("unknown-script", f"`{name}` cannot be used: {error}", use.span))
        else:
            waiting += [(one.path, other.parent / one.path, use) for one in found[name].uses]
    return found, unusable
