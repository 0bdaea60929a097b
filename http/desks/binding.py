"""What the desks of numbers and of keywords share: a script that is bound, and what is told of it."""

from collections.abc import Callable, Mapping
from typing import Any

from ringful.grammar import nodes
from ringful.grammar.errors import Problem
from ringful.grammar.span import Span
from ringful.http import problems
from ringful.http.desks.library import Checked, Library
from ringful.http.diagnostics import diagnose
from ringful.http.reading.scripts import Named
from ringful.interpreter.calls.switchboard import Refusal
from ringful.interpreter.events import Started
from ringful.interpreter.journal import keep, kept
from ringful.interpreter.tell import stamp
from ringful.interpreter.values import Value
from ringful.store.port import Key, Keyword, Number


async def params_of(
    library: Library, key: Key, script: Named, fitting: Callable[[Checked], Mapping[str, Value]]
) -> Mapping[str, Any]:
    """Check that *script* can be bound; give the values that *fitting* finds for it, as they are kept.

    Raises Problem, BadParameter, StoreError.
    """
    checked = await library.load(key, script.name, script.version)
    checked.diagnosis.hold()
    given = fitting(checked)
    source = checked.source
    await library.hold_cost(key, Started(source.script, given, uses=source.used_scripts))
    return {name: keep(value) for name, value in given.items()}


async def started(
    library: Library, key: Key, bound: Number | Keyword, dressed: Callable[[nodes.Script], nodes.Script]
) -> Started:
    """Give how the script that is *bound* begins now, as *dressed*.  Raises Refusal, StoreError."""
    assert bound.script
    try:
        checked = await library.load(key, bound.script, bound.version)
        checked.diagnosis.hold()
        begins = Started(
            dressed(checked.source.script),
            {name: kept(value) for name, value in bound.params.items()},
            uses=checked.source.used_scripts,
            notify=bound.callback_url,
            origin=checked.origin,
        )
        # It may be another version than the one that was bound, and the limit another one.
        await library.hold_cost(key, begins)
    except problems.Problem as problem:
        raise Refusal(f"{bound.script}: {problem.detail}") from problem
    return begins


def params_among(script: nodes.Script, *named: tuple[nodes.Expression | None, Value]) -> dict[str, Value]:
    """Give the params that the header names, as in ``inbound box``, each with what it stands for there."""
    params = {param.name for param in script.params}
    return {one.id: value for one, value in named if isinstance(one, nodes.Name) and one.id in params}


def unfit(checked: Checked, kind: str, message: str, span: Span, hint: str = "") -> problems.Problem:
    """Say why a script cannot be bound to a number, or to a keyword: *kind* is which."""
    diagnosis = diagnose((Problem(kind, message, span, hint),), {checked.source.name: checked.source.text})
    extra = {"problems": diagnosis.members}
    return problems.Problem(422, f"{kind}.script", diagnosis.refusal, extra=extra, text=diagnosis.text)


def about(place: Mapping[str, str], bound: Number | Keyword) -> dict[str, Any]:
    """Tell what is bound at *place*; of the script's values their names alone, since one may be secret."""
    return {
        **place,
        "script": bound.script,
        "version": bound.version,
        "params": list(bound.params),
        "callbackUrl": bound.callback_url,
        "created": stamp(bound.created),
    }


def line(place: str, bound: Number | Keyword) -> str:
    """Tell it in one line."""
    script = bound.script and bound.script + (f" {bound.version}" if bound.version else "")
    return "  ".join(filter(None, (place, script, bound.callback_url))) + "\n"
