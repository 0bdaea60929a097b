"""What can be measured, by name."""

from collections.abc import Callable, Iterator, Mapping

from ringful.bench.cases import cases
from ringful.bench.figures import Effort, Figure
from ringful.bench.front import front
from ringful.bench.idle import idle
from ringful.bench.language import language
from ringful.bench.messages.accepting import accepting
from ringful.bench.messages.sending import sending
from ringful.bench.requests import requests
from ringful.bench.statements import statements
from ringful.bench.store import store


def messages(effort: Effort) -> Iterator[Figure]:
    """Measure messages on their way in and out."""
    yield from accepting(effort)
    yield from sending(effort)


WORKLOADS: Mapping[str, Callable[[Effort], Iterator[Figure]]] = {
    "language": language,
    "cases": cases,
    "statements": statements,
    "requests": requests,
    "idle": idle,
    "store": store,
    "messages": messages,
    "front": front,
}
"""Each gives its figures as they are taken."""
