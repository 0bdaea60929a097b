"""Messages: what is sent, each as a script of one statement; and what takes those that come in."""

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
from ringful.http.reading.compile import compile_message
from ringful.http.reading.given import fit
from ringful.http.reading.messages import (
    BindKeyword,
    GetKeywords,
    KeywordRequest,
    RemoveKeyword,
    Sending,
    SendSms,
)
from ringful.interpreter.calls.numbers import Numbers
from ringful.interpreter.calls.switchboard import Refusal
from ringful.interpreter.evaluate import Fault, url_of
from ringful.interpreter.events import Started
from ringful.interpreter.messages.board import Draft, Messages
from ringful.interpreter.messages.keywords import Keywords
from ringful.interpreter.messages.replies import takes
from ringful.interpreter.values import Value
from ringful.store.port import Key, Keyword


@frozen
class Sender:
    """Sends what requests ask for."""

    messages: Messages
    new_id: Callable[[], str]

    async def answer(self, key: Key, asked: Sending, asking: Asking) -> Answer:
        """Send a message; an empty body, as the reference has it, or what is known of it.  Raises Refusal."""
        run_id = self.new_id()
        operator = asked.operator if isinstance(asked, SendSms) else ""
        draft = Draft(asked.callee, asked.message, operator)
        segments = await self.messages.judge(key, draft)
        started = Started(compile_message(asked), label=asked.label or "")
        answer: Answer = "", {"messageId": f"{run_id}.sms", "segments": segments}
        await self.messages.send(key, run_id, started, seqs=asking.used(answer))
        return answer


@frozen
class KeywordDesk:
    """What the façade asks about keywords, and what runs for each message that comes in."""

    library: Library
    keywords: Keywords
    numbers: Numbers
    clock: Callable[[], float] = time.time

    async def answer(self, key: Key, asked: KeywordRequest, asking: Asking) -> Answer:
        """Answer a request; the caller sees to its seq where nothing is bound or removed."""
        match asked:
            case BindKeyword():
                made = await self._checked(key, asked)
                answer: Answer = f"{made.number} {made.keyword}\n", _about(made)
                await self.keywords.bind(key, made, asking.used(answer))
                return answer
            case RemoveKeyword(number, keyword):
                await self.keywords.remove(key, number, keyword, asking.used(("", {})))
                return "", {}
            case GetKeywords(wanted):
                found = [one for one in self.keywords.of(key) if wanted in (None, one.number)]
        return "".join(_line(one) for one in found), {"keywords": [_about(one) for one in found]}

    async def _checked(self, key: Key, asked: BindKeyword) -> Keyword:
        self.numbers.hold(key, asked.number)
        self.keywords.hold(key, asked.number, asked.keyword)
        made = Keyword(asked.number, asked.keyword, key.key, self.clock(), callback_url=asked.callback_url)
        if asked.script is None:
            return made
        fitting = partial(self._fitting, asked)
        params = await binding.params_of(self.library, key, asked.script, fitting)
        return evolve(made, script=asked.script.name, version=asked.script.version, params=params)

    def _fitting(self, asked: BindKeyword, checked: Checked) -> Mapping[str, Value]:
        """Give the values for a script that can take those messages.  Raises Problem, BadParameter.

        A param that the header names is given the number, or the keyword.
        """
        script = checked.source.script
        header = script.header
        if not isinstance(header, nodes.InboundSms):
            has = "begins with another header" if header else "has no header"
            message = f"a script that takes messages begins with `inbound sms`, and this one {has}"
            raise binding.unfit(
                checked, "keyword", message, (header or script).span, f'write `inbound sms "{asked.number}"`'
            )
        own = binding.params_among(script, (header.number, asked.number), (header.keyword, asked.keyword))
        given = own | fit(asked.given, script, but=next(iter(own), None), whole=len(own) < 2)
        names: dict[str, Value] = {"call_id": "", "caller": "", "called": asked.number}
        try:
            number, keyword = takes(script, given, names)
            url_of(header.notify, names)
        except Fault as fault:
            span = fault.span if fault.span.line else header.span
            raise binding.unfit(checked, "keyword", fault.message, span) from fault
        if self.keywords.known(number) != asked.number:
            message = f"this script takes the messages to {number}, not to {asked.number}"
            raise binding.unfit(
                checked, "keyword", message, header.number.span, "name a param: it is given the number"
            )
        if header.keyword and keyword != asked.keyword:
            message = f"this script takes messages that begin with {keyword}, not with {asked.keyword}"
            raise binding.unfit(
                checked, "keyword", message, header.keyword.span, "name a param: it is given the keyword"
            )
        return given

    async def started(self, key: Key, keyword: Keyword) -> Started:
        """Give what runs when such a message comes in now.  Raises Refusal, StoreError."""

        def dressed(script: nodes.Script) -> nodes.Script:
            if not isinstance(script.header, nodes.InboundSms):
                raise Refusal(
                    f"{keyword.script} takes no messages any more: it does not begin with `inbound sms`"
                )
            return told(script, keyword.callback_url)

        return await binding.started(self.library, key, keyword, dressed)


def _about(keyword: Keyword) -> dict[str, Any]:
    return binding.about({"number": keyword.number, "keyword": keyword.keyword}, keyword)


def _line(keyword: Keyword) -> str:
    return binding.line(f"{keyword.number}  {keyword.keyword}", keyword)
