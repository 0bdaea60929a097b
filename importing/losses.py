"""What an import could not say, and what the author must do: told in the script, and at the end."""

from collections.abc import Iterable
from typing import Literal

from attrs import frozen

Weight = Literal["lost", "to do"]


class ImportFault(Exception):
    """A document that cannot be read as what it was said to be: one line, with the place."""


@frozen
class Loss:
    """One thing that the script does not say (``lost``), or that its author has to see to (``to do``)."""

    place: str
    """Where it stands in the document: ``line 4``, ``[2].target[0]``."""
    what: str
    why: str
    """Why it is so, and what would do."""
    weight: Weight = "lost"

    @property
    def comment(self) -> str:
        """The words in the script."""
        said = "LOST" if self.weight == "lost" else "TO DO"
        return f"{said} ({self.place}) {self.what}: {self.why}"


def told(losses: Iterable[Loss]) -> list[str]:
    """Give a line for each kind of loss, with every place of it, in the order of the first ones."""
    places: dict[tuple[str, str, str], list[str]] = {}
    for loss in losses:
        places.setdefault((loss.weight, loss.what, loss.why), []).append(loss.place)
    return [
        f"{weight} {what}: {why} ({', '.join(dict.fromkeys(where))})"
        for (weight, what, why), where in places.items()
    ]
