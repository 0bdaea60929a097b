"""What the statements that talk to the web mean: ``notify``, ``ask``, ``follow``."""

from typing import Literal

from ringful.grammar import nodes
from ringful.grammar.checking.checker import check_statements
from ringful.grammar.checking.places import Subject
from ringful.grammar.errors import Problem, ScriptError
from ringful.grammar.flows import MAX_NESTED
from ringful.interpreter import effects, events
from ringful.interpreter.evaluate import Fault, evaluate, seconds_of, text_of, url_of
from ringful.interpreter.running import Scope
from ringful.interpreter.sources import answered
from ringful.interpreter.strand import Failed, Signal
from ringful.interpreter.values import posted


def notify(run_on: Scope, statement: nodes.Notify) -> None:
    """Post a callback of the author's own, and go on."""
    url, run, leg = url_of(statement.url, run_on.names), run_on.run, run_on.leg
    fields, secret = _fields(run_on, statement.fields), run.secrets.fields(statement)
    run.tell(url, None, leg.name if leg else run.call_id, secret, **fields)


def _fields(run_on: Scope, fields: nodes.Map | None) -> dict[str, str]:
    entries = fields.entries if fields else ()
    return {entry.key: posted(evaluate(entry.value, run_on.names)) for entry in entries}


async def ask(run_on: Scope, statement: nodes.Ask) -> None:
    """Post a question and bind its JSON answer; none where there is no answer in time."""
    run_on.names[statement.name] = None
    answer = await _answer(run_on, statement, "json")
    if isinstance(answer, events.WebAnswered):
        run_on.run.take_way(statement, "answer")
        run_on.names[statement.name] = answer.value
    else:
        await _without_answer(run_on, statement, answer)


async def follow(run_on: Scope, statement: nodes.Follow) -> None:
    """Post a question, check the script that comes as the answer, and run it; all of it or nothing."""
    answer = await _answer(run_on, statement, "script")
    if not isinstance(answer, events.WebAnswered):
        await _without_answer(run_on, statement, answer)
        return
    if run_on.depth >= MAX_NESTED:
        raise Fault(f"followed scripts nest deeper than {MAX_NESTED}", statement.span)
    secret = run_on.run.secrets.names(statement)
    try:
        statements = _checked(run_on, str(answer.value), secret)
    except ScriptError as wrong:
        _refuse(run_on, wrong.problems[0])
        await _without_answer(run_on, statement, "the answer is no script that can run here")
        return
    run_on.run.take_way(statement, "answer")
    run_on.run.secrets.follow(statements, run_on.flows, secret)
    outer = run_on.flows
    run_on.flows = outer | {one.name: one for one in statements if isinstance(one, nodes.Flow)}
    run_on.depth += 1
    try:
        await run_on.block(nodes.Block(statements))
    finally:
        run_on.depth -= 1
        run_on.flows = outer


def _checked(run_on: Scope, text: str, secret: frozenset[str]) -> tuple[nodes.Statement, ...]:
    """Parse and check *text*, which is to run here.  Raises ScriptError."""
    statements = answered(text)
    problems = check_statements(
        statements, run_on.names.keys(), _subject(run_on), flows=run_on.flows, secrets=secret
    )
    if wrong := [problem for problem in problems if problem.is_error]:
        raise ScriptError(*wrong, source=text)
    return statements


def _subject(run_on: Scope) -> Subject:
    leg = run_on.leg
    if leg is None:
        return "farewell" if run_on.run.subject else "nothing"
    if run_on.run.conference:
        return "conference"
    return "inbound" if leg.inbound else "leg"


def _refuse(run_on: Scope, problem: Problem) -> None:
    """Tell what is wrong with an answer that was to be followed."""
    leg, run = run_on.leg, run_on.run
    said = run.secrets.conceal(f"{problem.message} ({problem.hint})" if problem.hint else problem.message)
    run.note("NotFollowed", leg, {"reason": f"{problem.span}: {said}"})
    place = {"line": str(problem.span.line), "column": str(problem.span.column)}
    if leg is not None:
        run.tell(leg.notify, "FollowFailed", leg.name, reason=said, **place)


async def _answer(
    run_on: Scope, statement: nodes.Ask | nodes.Follow, want: Literal["json", "script"]
) -> Signal | None:
    run = run_on.run
    limit = seconds_of(statement.limit, run_on.names) if statement.limit else run.settings.ask_limit
    asking = run.next_asking()
    fields = _fields(run_on, statement.fields) | {"callId": run_on.leg.name if run_on.leg else run.call_id}
    secret = run.secrets.fields(statement)
    run.perform(effects.Ask(asking, text_of(statement.url, run_on.names), fields, want, secret))
    run_on.look_ahead()
    return await run_on.within(
        limit, lambda s: isinstance(s, events.WebAnswered | events.WebFailed) and s.asking == asking
    )


async def _without_answer(
    run_on: Scope, statement: nodes.Ask | nodes.Follow, why: Signal | str | None
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
