"""Messages: what is sent, each as a script of one statement; and what takes those that come in."""

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
from ringful.http.diagnostics import diagnose
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
from ringful.interpreter.evaluate import Fault, text_of, url_of
from ringful.interpreter.events import Started
from ringful.interpreter.journal import keep, kept
from ringful.interpreter.messages.board import Draft, Messages
from ringful.interpreter.messages.keywords import ANY, Keywords
from ringful.interpreter.messages.words import plain
from ringful.interpreter.params import bind
from ringful.interpreter.tell import stamp
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
        checked = await self.library.load(key, asked.script.name, asked.script.version)
        checked.diagnosis.hold()
        given = self._fitting(checked, asked)
        source = checked.source
        await self.library.hold_cost(key, Started(source.script, given, uses=source.used_scripts))
        params = {name: keep(value) for name, value in given.items()}
        return evolve(made, script=asked.script.name, version=asked.script.version, params=params)

    def _fitting(self, checked: Checked, asked: BindKeyword) -> Mapping[str, Value]:
        """Give the values for a script that can take those messages.  Raises Problem, BadParameter.

        A param that the header names is given the number, or the keyword.
        """
        script = checked.source.script
        header = script.header
        if not isinstance(header, nodes.InboundSms):
            has = "begins with another header" if header else "has no header"
            message = f"a script that takes messages begins with `inbound sms`, and this one {has}"
            raise _wrong(checked, message, (header or script).span, f'write `inbound sms "{asked.number}"`')
        own: dict[str, Value] = {
            expression.id: value
            for expression, value in ((header.number, asked.number), (header.keyword, asked.keyword))
            if isinstance(expression, nodes.Name) and expression.id in {one.name for one in script.params}
        }
        given = own | fit(asked.given, script, but=next(iter(own), None), whole=len(own) < 2)
        names: dict[str, Value] = {"call_id": "", "caller": "", "called": asked.number}
        try:
            bind(script, given, names)
            number = text_of(header.number, names)
            keyword = text_of(header.keyword, names) if header.keyword else ANY
            url_of(header.notify, names)
        except Fault as fault:
            span = fault.span if fault.span.line else header.span
            raise _wrong(checked, fault.message, span) from fault
        if self.keywords.known(number) != asked.number:
            message = f"this script takes the messages to {number}, not to {asked.number}"
            raise _wrong(checked, message, header.number.span, "name a param: it is given the number")
        if header.keyword and _word(keyword) != asked.keyword:
            message = f"this script takes messages that begin with {keyword}, not with {asked.keyword}"
            raise _wrong(checked, message, header.keyword.span, "name a param: it is given the keyword")
        return given

    async def started(self, key: Key, keyword: Keyword) -> Started:
        """Give what runs when such a message comes in now.  Raises Refusal, StoreError."""
        assert keyword.script
        try:
            checked = await self.library.load(key, keyword.script, keyword.version)
            checked.diagnosis.hold()
        except problems.Problem as problem:
            raise Refusal(f"{keyword.script}: {problem.detail}") from problem
        script = checked.source.script
        header = script.header
        if not isinstance(header, nodes.InboundSms):
            raise Refusal(
                f"{keyword.script} takes no messages any more: it does not begin with `inbound sms`"
            )
        if keyword.callback_url and header.notify is None:
            header = evolve(header, notify=nodes.text(keyword.callback_url))
        started = Started(
            evolve(script, header=header),
            {name: kept(value) for name, value in keyword.params.items()},
            uses=checked.source.used_scripts,
            notify=keyword.callback_url,
            origin=checked.origin,
        )
        try:
            await self.library.hold_cost(key, started)
        except problems.Problem as problem:
            raise Refusal(f"{keyword.script}: {problem.detail}") from problem
        return started


def _word(keyword: str) -> str:
    return keyword if keyword == ANY else plain(keyword)


def _wrong(checked: Checked, message: str, span: Span, hint: str = "") -> problems.Problem:
    problem = Problem("keyword", message, span, hint)
    diagnosis = diagnose((problem,), {checked.source.name: checked.source.text})
    extra = {"problems": diagnosis.members}
    return problems.Problem(422, "keyword.script", diagnosis.refusal, extra=extra, text=diagnosis.text)


def _about(keyword: Keyword) -> dict[str, Any]:
    return {
        "number": keyword.number,
        "keyword": keyword.keyword,
        "script": keyword.script,
        "version": keyword.version,
        "params": list(keyword.params),
        "callbackUrl": keyword.callback_url,
        "created": stamp(keyword.created),
    }


def _line(keyword: Keyword) -> str:
    script = keyword.script and keyword.script + (f" {keyword.version}" if keyword.version else "")
    return "  ".join(filter(None, (keyword.number, keyword.keyword, script, keyword.callback_url))) + "\n"
