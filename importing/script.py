"""The whole script of an imported flow, and its text."""

from attrs import evolve, frozen

from ringful.grammar import nodes
from ringful.grammar.showing.printer import show
from ringful.importing.draft import NUMBER, Draft
from ringful.importing.facts import Fact
from ringful.importing.losses import Loss


@frozen
class Imported:
    """A flow of another system as a script."""

    script: nodes.Script
    losses: tuple[Loss, ...]
    facts: tuple[Fact, ...]
    """What happens on a call that goes through it."""
    outbound: bool

    @property
    def text(self) -> str:
        """The script's text.  Raises ScriptError where it would be too deep."""
        return show(self.script)


def finished(draft: Draft, block: nodes.Block, kind: str, *, outbound: bool = False) -> Imported:
    """Put the head of a script before *block*, which came from a document of this *kind*."""
    number = nodes.Name(NUMBER)
    header = nodes.Call(number) if outbound else nodes.Inbound(number)
    comments = (f"From {kind}, by `ringful import`.",)
    params = [nodes.Param(NUMBER, comments=comments)]
    params += [nodes.Param(name, default) for name, default in draft.params.items()]
    statements = (*block.statements, *(evolve(flow, spaced=True) for flow in draft.flows))
    if statements:
        statements = (evolve(statements[0], spaced=True), *statements[1:])
    script = nodes.Script(nodes.Block(statements, block.closing), header, tuple(params))
    return Imported(script, tuple(draft.losses), tuple(draft.facts), outbound)
