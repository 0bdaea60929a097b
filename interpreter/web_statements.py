"""What the statements that talk to the web mean: ``notify``, ``ask``, ``follow``."""

from typing import TYPE_CHECKING, Literal

from ringful.grammar import nodes
from ringful.grammar.errors import ScriptError
from ringful.grammar.parser import parse
from ringful.interpreter import effects, events
from ringful.interpreter.evaluate import Fault, evaluate, seconds_of, text_of, url_of
from ringful.interpreter.strand import Failed, Signal
from ringful.interpreter.values import say

if TYPE_CHECKING:
    from ringful.interpreter.execute import Executor


def notify(run_on: "Executor", statement: nodes.Notify) -> None:
    """Post a callback of the author's own, and go on."""
    url = url_of(statement.url, run_on.names)
    leg = run_on.leg
    run_on.run.tell(url, None, leg.name if leg else run_on.run.call_id, **_fields(run_on, statement.fields))


def _fields(run_on: "Executor", fields: nodes.Map | None) -> dict[str, str]:
    entries = fields.entries if fields else ()
    return {entry.key: say(evaluate(entry.value, run_on.names)) for entry in entries}


async def ask(run_on: "Executor", statement: nodes.Ask) -> None:
    """Post a question and bind its JSON answer; none where there is no answer in time."""
    run_on.names[statement.name] = None
    answer = await _answer(run_on, statement, "json")
    if isinstance(answer, events.WebAnswered):
        run_on.run.take_way(statement, "answer")
        run_on.names[statement.name] = answer.value
    else:
        await _without_answer(run_on, statement, answer)


async def follow(run_on: "Executor", statement: nodes.Follow) -> None:
    """Post a question and run the script that comes as the answer."""
    answer = await _answer(run_on, statement, "script")
    if not isinstance(answer, events.WebAnswered):
        await _without_answer(run_on, statement, answer)
        return
    try:
        script = parse(str(answer.value), "answer")
    except ScriptError as wrong:
        await _without_answer(run_on, statement, f"the answer is no script that can run here: {wrong}")
        return
    if run_on.depth >= 32:
        raise Fault("followed scripts nest deeper than 32", statement.span)
    run_on.run.take_way(statement, "answer")
    run_on.depth += 1
    try:
        await run_on.block(script.body)
    finally:
        run_on.depth -= 1


async def _answer(
    run_on: "Executor", statement: nodes.Ask | nodes.Follow, want: Literal["json", "script"]
) -> Signal | None:
    run = run_on.run
    limit = seconds_of(statement.limit, run_on.names) if statement.limit else run.settings.ask_limit
    asking = run.next_asking()
    fields = _fields(run_on, statement.fields) | {"callId": run_on.leg.name if run_on.leg else run.call_id}
    run.perform(effects.Ask(asking, text_of(statement.url, run_on.names), fields, want))
    run_on.look_ahead()
    return await run_on.within(
        limit, lambda s: isinstance(s, events.WebAnswered | events.WebFailed) and s.asking == asking
    )


async def _without_answer(
    run_on: "Executor", statement: nodes.Ask | nodes.Follow, why: Signal | str | None
) -> None:
    run_on.run.take_way(statement, "else")
    if statement.otherwise:
        await run_on.block(statement.otherwise)
        return
    match why:
        case str():
            raise Failed(why)
        case events.WebFailed(_, reason):
            raise Failed(reason)
        case _:
            raise Failed("no answer in time")
