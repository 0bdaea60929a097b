"""The ways on from a statement: what a script's cases should have seen each of."""

from ringful.grammar import nodes
from ringful.grammar.showing.expressions import show_expression


def branches_of(statement: nodes.Statement) -> tuple[str, ...]:
    """Name the ways on from *statement*, in the order of the text; most have one alone, and so none here.

    A way needs no block of its own: `if` without `else` has two.
    """
    match statement:
        case nodes.If():
            return "then", "else"
        case nodes.WaitTone() if statement.limit or statement.otherwise:
            return "tone", "else"
        case nodes.Until() | nodes.UntilEvent():
            return "left", "done"
        case nodes.Gather():
            return "digits", "nothing"
        case nodes.Menu(_, choices):
            return (*dict.fromkeys(choice_name(choice) for choice in choices), "timeout", "otherwise")
        case nodes.Ask() | nodes.Follow():
            return "answer", "else"
        case nodes.Connect() | nodes.ConnectTo():
            return "connected", "else"
        case nodes.WaitEvent() if statement.limit or statement.otherwise:
            return "event", "else"
        case nodes.Serve():
            return "served", "else"
        case nodes.WaitCall() if statement.limit or statement.otherwise:
            return "over", "else"
        case nodes.For(_, items) if not isinstance(items, nodes.List):
            return "items", "nothing"
        case _:
            return ()


def choice_name(choice: nodes.Choice) -> str:
    """Name the way of *choice*: its tones as they are written."""
    return show_expression(choice.tones)
