"""The values that a request gives to a script: checked against its params.  Pure."""

from ringful.grammar import nodes
from ringful.grammar.spell import suggest
from ringful.http.reading.parameters import BadParameter
from ringful.http.reading.scripts import Given
from ringful.interpreter import params
from ringful.interpreter.values import Value

OWN = ("callbackUrl", "name", "version", "params", "script", "label", "file")
"""What a misspelt name may have been meant for besides a param."""


def fit(
    given: Given, script: nodes.Script, *, but: str | None = None, whole: bool = True
) -> dict[str, Value]:
    """Give the values for *script*; *but* is a param that will have one without them.

    Not *whole*: there will be values from elsewhere too.
    Raises BadParameter where one is unknown, missing, or of another kind than its default.
    """
    defaults = {param.name: param.default for param in script.params}
    for name in (*given.texts, *given.values):
        if name not in defaults:
            raise BadParameter(name, "unknown", _unknown(name, list(defaults)))
    texts = {name: _read(name, text, defaults[name]) for name, text in given.texts.items()}
    found = texts | dict(given.values)
    for name in params.missing(script, found):
        if whole and name != but:
            raise BadParameter(name, "missing", f"{name} is missing: the script has no default for it")
    return found


def _unknown(name: str, known: list[str]) -> str:
    hint = suggest(name, (*known, *OWN)) or f"it has: {', '.join(known) or 'none'}"
    return f"the script has no param {name}; {hint}"


def _read(name: str, text: str, default: nodes.Expression | None) -> Value:
    try:
        return params.read(text, default)
    except ValueError as error:
        raise BadParameter(
            name, "invalid", f"{name} must be {error}, like its default, not {text!r}"
        ) from None
