"""Examples of pages: a request, and behind a line of dashes what it is answered."""

import re

from tests.asking import ask
from tests.server import Server


def hold_examples(ringful: Server, text: str) -> int:
    """Hold that each of the page's ``api`` examples is answered as it says; give how many there are."""
    examples = re.findall(r"```api\n(.*?)```", text, re.DOTALL)
    for example in examples:
        first, _, rest = example.partition("\n")
        asked, _, expected = f"\n{rest}".partition("\n---\n")
        verb, method, *given = first.split()
        kind = "application/json" if asked.startswith("\n{") else "text/plain"
        body = asked.removeprefix("\n") + "\n" if verb == "POST" else None
        values = {name: value.replace("+", " ") for name, value in (one.split("=", 1) for one in given)}
        answer = ask(ringful, method, body, kind=kind, **values)
        status = "" if answer.status == 200 else f"{answer.status}\n"
        wanted = ".*".join(re.escape(part) for part in expected.split("…"))
        assert re.fullmatch(wanted, status + answer.text, re.DOTALL), f"{first}\n{answer.text}"
    return len(examples)
