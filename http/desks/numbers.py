"""Numbers: what takes the calls that come in at each, checked when it is bound, and read for each call."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from attrs import evolve, frozen

from ringful.grammar import nodes
from ringful.http.authenticate import Answer, Asking
from ringful.http.desks import binding
from ringful.http.desks.library import Checked, Library
from ringful.http.desks.scripts import told
from ringful.http.reading.given import fit
from ringful.http.reading.numbers import Bind, GetNumbers, NumberRequest, Unbind
from ringful.interpreter.calls.numbers import Numbers
from ringful.interpreter.evaluate import Fault, text_of, url_of
from ringful.interpreter.events import Started
from ringful.interpreter.params import bind
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
        return "".join(binding.line(one.number, one) for one in found), {
            "numbers": [_about(one) for one in found]
        }

    async def _checked(self, key: Key, asked: Bind) -> Number:
        self.numbers.hold(key, asked.number)
        number = Number(asked.number, key.key, self.clock(), callback_url=asked.callback_url)
        if asked.script is None:
            return number
        fitting = partial(self._fitting, asked)
        params = await binding.params_of(self.library, key, asked.script, fitting)
        return evolve(number, script=asked.script.name, version=asked.script.version, params=params)

    def _fitting(self, asked: Bind, checked: Checked) -> Mapping[str, Value]:
        """Give the values for a script that can take the calls of the number.

        A param that the header names is given the number.  Raises Problem, BadParameter.
        """
        script = checked.source.script
        if not isinstance(script.header, nodes.Inbound):
            has = "begins with another header" if script.header else "has no header"
            message = f"a script that takes calls begins with `inbound`, and this one {has}"
            where = script.header or script
            raise binding.unfit(checked, "number", message, where.span, f'write `inbound "{asked.number}"`')
        own = binding.params_among(script, (script.header.number, asked.number))
        given = fit(asked.given, script, but=next(iter(own), None))
        given |= {name: value for name, value in own.items() if name not in given}
        names: dict[str, Value] = {"call_id": "", "caller": "", "called": asked.number}
        try:
            bind(script, given, names)
            answers = text_of(script.header.number, names)
            url_of(script.header.notify, names)
        except Fault as fault:
            span = fault.span if fault.span.line else script.header.span
            raise binding.unfit(checked, "number", fault.message, span) from fault
        if self.numbers.known(answers) != asked.number:
            message = f"this script takes the calls of {answers}, not of {asked.number}"
            hint = f'write `inbound "{asked.number}"`, or name a param: it is given the number'
            raise binding.unfit(checked, "number", message, script.header.number.span, hint)
        return given

    async def started(self, key: Key, number: Number) -> Started:
        """Give what runs when somebody calls *number* now.  Raises Refusal, StoreError."""
        if number.script is None:
            header = nodes.Inbound(nodes.text(number.number), nodes.text(number.callback_url or ""))
            return Started(nodes.Script(header=header, body=nodes.Block((nodes.Stay(),))))
        return await binding.started(
            self.library, key, number, lambda script: told(script, number.callback_url)
        )


def _about(number: Number) -> dict[str, Any]:
    return binding.about({"number": number.number}, number)
