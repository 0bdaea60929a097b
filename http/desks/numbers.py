"""Numbers: what takes the calls that come in at each, checked when it is bound, and read for each call."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from attrs import evolve, frozen

from ringful.grammar import nodes
from ringful.grammar.errors import Problem
from ringful.grammar.span import Span
from ringful.http import problems
from ringful.http.authenticate import Answer, Asking
from ringful.http.desks.library import Checked, Library
from ringful.http.desks.scripts import told
from ringful.http.diagnostics import diagnose
from ringful.http.reading.given import fit
from ringful.http.reading.numbers import Bind, GetNumbers, NumberRequest, Unbind
from ringful.interpreter.calls.numbers import Numbers
from ringful.interpreter.calls.switchboard import Refusal
from ringful.interpreter.evaluate import Fault, text_of, url_of
from ringful.interpreter.events import Started
from ringful.interpreter.journal import keep, kept
from ringful.interpreter.params import bind
from ringful.interpreter.tell import stamp
from ringful.interpreter.values import Value
from ringful.store.port import Key, Number


@frozen
class NumberDesk:
    """What the façade asks about numbers, and what the switchboard asks for each call that comes in."""

    library: Library
    numbers: Numbers
    clock: Callable[[], float] = time.time

    async def answer(self, key: Key, asked: NumberRequest, asking: Asking) -> Answer:
        """Answer a request; the caller sees to its seq where nothing is bound or unbound."""
        match asked:
            case Bind():
                number = await self._checked(key, asked)
                answer: Answer = f"{number.number}\n", _about(number)
                await self.numbers.bind(key, number, asking.used(answer))
                return answer
            case Unbind(number):
                await self.numbers.free(key, number, asking.used(("", {})))
                return "", {}
            case GetNumbers(wanted):
                found = self.numbers.of(key) if wanted is None else [self.numbers.own(key, wanted)]
        return "".join(_line(one) for one in found), {"numbers": [_about(one) for one in found]}

    async def _checked(self, key: Key, asked: Bind) -> Number:
        self.numbers.hold(key, asked.number)
        number = Number(asked.number, key.key, self.clock(), callback_url=asked.callback_url)
        if asked.script is None:
            return number
        checked = await self.library.load(key, asked.script.name, asked.script.version)
        checked.diagnosis.hold()
        given = self._fitting(checked, asked)
        source = checked.source
        await self.library.hold_cost(key, Started(source.script, given, uses=source.used_scripts))
        params = {name: keep(value) for name, value in given.items()}
        return evolve(number, script=asked.script.name, version=asked.script.version, params=params)

    def _fitting(self, checked: Checked, asked: Bind) -> Mapping[str, Value]:
        """Give the values for a script that can take the calls of the number.

        A param that the header names is given the number.  Raises Problem, BadParameter.
        """
        script = checked.source.script
        if not isinstance(script.header, nodes.Inbound):
            has = "begins with another header" if script.header else "has no header"
            message = f"a script that takes calls begins with `inbound`, and this one {has}"
            where = script.header or script
            raise _wrong(checked, message, where.span, f'write `inbound "{asked.number}"`')
        own = _named(script)
        given = fit(asked.given, script, but=own)
        if own:
            given.setdefault(own, asked.number)
        names: dict[str, Value] = {"call_id": "", "caller": "", "called": asked.number}
        try:
            bind(script, given, names)
            answers = text_of(script.header.number, names)
            url_of(script.header.notify, names)
        except Fault as fault:
            span = fault.span if fault.span.line else script.header.span
            raise _wrong(checked, fault.message, span) from fault
        if self.numbers.known(answers) != asked.number:
            message = f"this script takes the calls of {answers}, not of {asked.number}"
            hint = f'write `inbound "{asked.number}"`, or name a param: it is given the number'
            raise _wrong(checked, message, script.header.number.span, hint)
        return given

    async def started(self, key: Key, number: Number) -> Started:
        """Give what runs when somebody calls *number* now.  Raises Refusal, StoreError."""
        if number.script is None:
            header = nodes.Inbound(nodes.text(number.number), nodes.text(number.callback_url or ""))
            return Started(nodes.Script(header=header, body=nodes.Block((nodes.Stay(),))))
        try:
            checked = await self.library.load(key, number.script, number.version)
            checked.diagnosis.hold()
            started = Started(
                told(checked.source.script, number.callback_url),
                {name: kept(value) for name, value in number.params.items()},
                uses=checked.source.used_scripts,
                notify=number.callback_url,
                origin=checked.origin,
            )
            # It may be another version than the one that was bound, and the limit another one.
            await self.library.hold_cost(key, started)
        except problems.Problem as problem:
            raise Refusal(f"{number.script}: {problem.detail}") from problem
        return started


def _named(script: nodes.Script) -> str | None:
    """Give the param that says whose calls the script takes, as in ``inbound box``."""
    number = script.header.number if isinstance(script.header, nodes.Inbound) else None
    named = number.id if isinstance(number, nodes.Name) else None
    return named if named in {param.name for param in script.params} else None


def _wrong(checked: Checked, message: str, span: Span, hint: str = "") -> problems.Problem:
    problem = Problem("number", message, span, hint)
    diagnosis = diagnose((problem,), {checked.source.name: checked.source.text})
    extra = {"problems": diagnosis.members}
    return problems.Problem(422, "number.script", diagnosis.refusal, extra=extra, text=diagnosis.text)


def _about(number: Number) -> dict[str, Any]:
    return {
        "number": number.number,
        "script": number.script,
        "version": number.version,
        "params": list(number.params),
        "callbackUrl": number.callback_url,
        "created": stamp(number.created),
    }


def _line(number: Number) -> str:
    script = number.script and number.script + (f" {number.version}" if number.version else "")
    return "  ".join(filter(None, (number.number, script, number.callback_url))) + "\n"
