"""Show a tree as text, in the one canonical form.

Laws, each held by tests over generated trees and every script on disk::

    parse(show(tree)) == tree
    show(parse(show(tree))) == show(tree)

and no comment is lost.  There are no options.  Four blanks a level; a block of one plain statement
stands on its line when that line is no longer than WIDTH; the author's single blank lines stay.
"""

from collections.abc import Iterator, Sequence

from ringful.grammar import nodes
from ringful.grammar.errors import ScriptError
from ringful.grammar.phrases import Part, parts_of
from ringful.grammar.show_expression import WIDTH, quoted, show_expression, show_map
from ringful.grammar.walk import too_deep

__all__ = ["show", "show_expression", "show_statement"]

_STEP = "    "


def show(script: nodes.Script) -> str:
    """Show a whole script, its last line ended.

    Raises ScriptError for a tree that is too deep to have come from a text.
    """
    _shallow(script)
    head = [*script.params, *script.uses, *([script.header] if script.header else ())]
    lines = [*_lines([*head, *script.body.statements], 0), *_comments(script.body.closing, "")]
    return "".join(f"{line}\n" for line in lines)


def show_statement(statement: nodes.Statement) -> str:
    """Show one statement, with its block and without an end of the last line.

    Raises ScriptError for a tree that is too deep to have come from a text.
    """
    _shallow(statement)
    return "\n".join(_lines([statement], 0))
