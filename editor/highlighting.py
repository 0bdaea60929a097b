"""A Pygments lexer for call scripts: for `pygmentize -l ringful`, Sphinx, and all that ask Pygments.

What a piece is, the parser says (grammar/tokens.py); so a word of the language that an author has taken
for a name is shown as a name.
"""

from collections.abc import Iterator
from typing import ClassVar

from pygments import token
from pygments.lexer import Lexer

from ringful.grammar.functions import BOUND, FUNCTIONS
from ringful.grammar.reading.tokens import Kind, Piece, pieces

_TYPES: dict[Kind, token._TokenType] = {
    "verb": token.Keyword,
    "word": token.Keyword.Pseudo,
    "operator": token.Operator,
    "constant": token.Keyword.Constant,
    "name": token.Name.Variable,
    "flow": token.Name.Function,
    "function": token.Name,
    "field": token.Name.Attribute,
    "key": token.Name.Tag,
    "number": token.Number,
    "duration": token.Literal.Date,
    "text": token.String.Double,
    "escape": token.String.Escape,
    "hole": token.String.Interpol,
    "bracket": token.Punctuation,
    "mark": token.Punctuation,
    "comment": token.Comment.Single,
    "blank": token.Whitespace,
    "stray": token.Error,
}


class RingfulLexer(Lexer):
    """Call scripts, whole or in part."""

    name = "ringful call script"
    aliases: ClassVar = ["ringful", "call"]
    filenames: ClassVar = ["*.call"]
    mimetypes: ClassVar = ["text/x-ringful"]

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, token._TokenType, str]]:
        """Give the pieces of *text* as Pygments wants them."""
        for piece in pieces(text):
            yield piece.start, _type(piece), piece.text


def _type(piece: Piece) -> token._TokenType:
    match piece.kind:
        case "name" if piece.text in BOUND:
            return token.Name.Variable.Magic
        case "function" if piece.text in FUNCTIONS:
            return token.Name.Builtin
        case "operator" if piece.text.isalpha():
            return token.Operator.Word
        case kind:
            return _TYPES[kind]
