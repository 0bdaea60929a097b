"""How fast a script's text is read, checked and shown."""

from collections.abc import Iterator

from ringful.bench.figures import Effort, Figure, rates
from ringful.bench.texts import long_script
from ringful.grammar.checking.checker import check
from ringful.grammar.reading.parser import parse
from ringful.grammar.showing.printer import show

LINES = 1000


def language(effort: Effort) -> Iterator[Figure]:
    """Measure lines a second, over a script of about 1,000 lines."""
    text = long_script(LINES)
    lines = text.count("\n")
    script = parse(text)
    about = f"a script of {lines} lines ({len(text.encode())} bytes): menus, prompts, callbacks"

    def parsed() -> int:
        parse(text)
        return lines

    def checked() -> int:
        check(script)
        return lines

    def both() -> int:
        check(parse(text))
        return lines

    def printed() -> int:
        show(script)
        return lines

    yield Figure("parsed", "lines/s", rates(parsed, effort), about)
    yield Figure("checked", "lines/s", rates(checked, effort), f"{about}; every check")
    yield Figure("parsed and checked", "lines/s", rates(both, effort), about)
    yield Figure("shown", "lines/s", rates(printed, effort), f"{about}; what `ringful format` prints")
