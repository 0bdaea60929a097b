"""Show a case as text: what `case_reader` reads back as the same case."""

import json
import os
from collections.abc import Iterator, Mapping
from decimal import Decimal

from ringful.grammar.showing.expressions import show_duration
from ringful.grammar.showing.printer import show, show_statement
from ringful.interpreter import events
from ringful.interpreter.tell import stamp
from ringful.interpreter.values import Value, posted, say
from ringful.simulation.cases.case import START, Case, PhoneBlock, SmsAnswer, StepLine, WebAnswer
from ringful.simulation.cases.prices import show_rate
from ringful.simulation.cases.texting import ReplyLine, Texting, TextLine


def show_case(case: Case, *, inline: bool = True) -> str:
    """Show what *case* gives; its script stands in it with *inline*, unless that uses others."""
    return "".join(f"{line}\n" for line in _lines(case, inline))


def _lines(case: Case, inline: bool) -> Iterator[str]:
    yield f"case {case.title}"
    if case.unchecked:
        yield "unchecked"
    source = case.source
    if source.path and (source.uses or not inline):
        yield f"script {os.path.relpath(source.path, case.path.parent)}"
    else:
        yield from _block("script {", show(source.script))
    for name, value in case.params.items():
        yield f"param {name} = {show_value(value)}"
    for name, seconds in case.lengths.items():
        yield f"sound {_quoted(name)} {_time(seconds)}"
    for name, why in case.missing.items():
        yield f"missing {_quoted(name)} because {_quoted(why)}"
    if bad := case.bad_recording:
        yield f"recording fails {_quoted(bad.reason)}{_after(bad.after)}"
    for answer in case.web:
        yield from _web(answer)
    yield from map(_sms, case.sms)
    for seconds, event in case.requests:
        yield from _request(seconds, event)
    for seconds, run, event in case.elsewhere:
        yield from _request(seconds, event, f" on {run}")
    yield from map(show_rate, case.rates)
    if case.cap is not None:
        yield f"cap {case.cap:f}"
    if case.chance:
        yield f"chance {_quoted(case.chance)}"
    if case.clock != START:
        yield f'clock "{stamp(case.clock)}"'
    for phone in case.phones:
        yield from _phone(phone)
    yield from map(str, case.promises)
    yield from map(str, case.injections)


def _block(head: str, text: str) -> Iterator[str]:
    yield head
    yield from (f"    {line}" if line else "" for line in text.splitlines())
    yield "}"


def _web(answer: WebAnswer) -> Iterator[str]:
    head = f"web {_quoted(answer.url)} ->"
    if answer.after is None:
        yield f"{head} never"
    elif answer.fails is not None:
        yield f"{head} fails {_quoted(answer.fails)}{_after(answer.after)}"
    elif isinstance(answer.value, str) and "\n" in answer.value:
        yield from _block(f"{head} script{_after(answer.after)} {{", answer.value)
    else:
        yield f"{head} {show_value(answer.value)}{_after(answer.after)}"


def _request(seconds: float, event: events.Event, on: str = "") -> Iterator[str]:
    match event:
        case events.Queued(_, statement):
            first, *rest = show_statement(statement).split("\n")
            yield f"queue{on} after {_time(seconds)}: {first}"
            yield from rest
        case events.Signalled(name, fields):
            given = f" with {show_value(fields)}" if fields else ""
            yield f"now signal {_quoted(name)}{on}{given} after {_time(seconds)}"
        case events.Steered(statement):
            yield f"now {show_statement(statement)}{on} after {_time(seconds)}"
        case events.Interrupted(operation, notify, why):
            told = f"{on} notify {_quoted(notify)}" if notify else on
            told += f" because {_quoted(why)}" if why != "api" else ""
            yield f"now {operation}{told} after {_time(seconds)}"


def _phone(phone: PhoneBlock) -> Iterator[str]:
    yield f"phone {_quoted(phone.number)} {{"
    if phone.calls is not None:
        name = f" named {_quoted(phone.name)}" if phone.name else ""
        sent = f" diverted from {_quoted(phone.diverted_from)}" if phone.diverted_from else ""
        yield f"    calls {_quoted(phone.calls)}{name}{sent}{_after(phone.after)}"
    if not phone.transferable:
        yield "    refuses transfers"
    yield from (f"    {line}" for line in _texting(phone.texting))
    yield from (f"    {show_step(step)}" for step in phone.steps)
    yield "}"


def _sms(answer: SmsAnswer) -> str:
    head = f"sms {_quoted(answer.number)} ->"
    if answer.reason is None:
        return f"{head} taken"
    return f"{head} refused {answer.reason}" + (f" {_quoted(answer.detail)}" if answer.detail else "")


def _texting(texting: Texting) -> Iterator[str]:
    if not texting.wanted:
        yield "wants no texts"
    if texting.refuses is not None:
        yield f"refuses texts {_quoted(texting.refuses)}"
    if not texting.receipts:
        yield "gives no receipts"
    yield from map(_text, texting.texts)
    yield from map(_reply, texting.replies)


def _text(line: TextLine) -> str:
    when = _after(line.after) if line.at is None else f" at {_time(line.at)}"
    return f"texts {_quoted(line.number)} {_quoted(line.text)}{when}"


def _reply(line: ReplyLine) -> str:
    each = " to each" if line.each else ""
    when = f" when {_quoted(line.to)} comes" if line.to else ""
    return f"replies {_quoted(line.text)}{each}{when}{_after(line.after)}"


def show_step(step: StepLine) -> str:
    """Show one line of a phone."""
    words = [step.verb]
    if step.verb == "press":
        words.append(f'"{step.arguments[0]}"')
        if step.gap is not None:
            words.append(f"every {_time(step.gap)}")
    elif step.verb == "speak":
        words.append(_time(float(step.arguments[0])))
    if when := step.when:
        turn = f" {when.turn} times" if when.turn > 1 else ""
        words.append(f"when {_quoted(when.sound)} {when.edge}{turn}")
    if step.at is not None:
        words.append(f"at {_time(step.at)}")
    return " ".join(words) + _after(step.after)


def _after(seconds: float) -> str:
    return f" after {_time(seconds)}" if seconds else ""


def _time(seconds: float) -> str:
    return show_duration(round(seconds * 1000)) if seconds else "0s"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def show_value(value: Value) -> str:
    """Show *value* as JSON; numbers stay exact, and a duration is its seconds."""
    match value:
        case Decimal():
            return say(value)
        case tuple():
            return f"[{', '.join(map(show_value, value))}]"
        case Mapping():
            inner = ", ".join(f"{_quoted(key)}: {show_value(item)}" for key, item in value.items())
            return f"{{ {inner} }}" if inner else "{}"
        case None | bool() | int() | str():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return posted(value)
