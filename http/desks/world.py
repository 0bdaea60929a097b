"""A described world, the JSON form: made into the lines of a golden case.  Pure.

::

    {"phones": {"+15125551234": ["answer after 4s", "press \\"1\\" after 2s"]},
     "sounds": {"http://h/welcome.wav": "3.2s"}, "missing": {"http://h/gone.wav": "404"},
     "web": [{"url": "https://h/ask", "answer": {"open": true}, "after": "300ms"}],
     "sms": [{"number": "+15125551234", "refused": "capacity", "detail": "1000 wait already"}],
     "queue": [{"statement": "play \\"http://h/bye.wav\\"", "after": "5s"}],
     "now": [{"operation": "hangup", "after": "9s"}], "recording": {"fails": "the disk is full"}}
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ringful.http.reading.parameters import BadParameter
from ringful.interpreter.values import from_json, to_json


def case_of(world: Mapping[str, Any]) -> str:
    """Give the case that *world* describes.  Raises BadParameter."""
    return "".join(f"{line}\n" for line in _lines(world))


def _lines(world: Mapping[str, Any]) -> Iterator[str]:
    for number, steps in _pairs(world, "phones"):
        yield f"phone {_quoted(number)} {{"
        if not isinstance(steps, list):
            raise _wrong("phones", 'an object such as {"+15125551234": ["answer after 4s"]}')
        yield from (f"    {_word('phones', step)}" for step in steps)
        yield "}"
    for url, length in _pairs(world, "sounds"):
        yield f"sound {_quoted(url)} {_word('sounds', length)}"
    for url, reason in _pairs(world, "missing"):
        yield f"missing {_quoted(url)}" + (f" because {_quoted(reason)}" if reason else "")
    if "recording" in world:
        recording = world["recording"]
        if not isinstance(recording, dict) or "fails" not in recording:
            raise _wrong("recording", '{"fails": "the disk is full", "after": "3s"}')
        yield f"recording fails {_quoted(recording['fails'])}{_after('recording', recording)}"
    for answer in _items(world, "web", "url"):
        yield from _web(answer)
    for said in _items(world, "sms", "number"):
        yield f"sms {_quoted(said['number'])} -> {_said(said)}"
    for queued in _items(world, "queue", "statement"):
        after = _word("queue", queued.get("after", "0s"))
        yield f"queue after {after}: {_word('queue', queued['statement'])}"
    for done in _items(world, "now", "operation"):
        notify = f" notify {_quoted(done['notify'])}" if done.get("notify") else ""
        after = _word("now", done.get("after", "0s"))
        yield f"now {_word('now', done['operation'])}{notify} after {after}"


def _web(answer: Mapping[str, Any]) -> Iterator[str]:
    head, after = f"web {_quoted(answer['url'])} ->", _after("web", answer)
    match answer:
        case {"script": str() as script}:
            yield f"{head} script{after} {{"
            yield from (f"    {line}" for line in script.splitlines())
            yield "}"
        case {"fails": reason}:
            yield f"{head} fails {_quoted(reason)}{after}"
        case {"never": True}:
            yield f"{head} never"
        case {"answer": value}:
            yield f"{head} {json.dumps(to_json(from_json(value)))}{after}"
        case _:
            raise _wrong("web", 'objects such as {"url": "https://h/ask", "answer": {"open": true}}')


def _said(said: Mapping[str, Any]) -> str:
    match said:
        case {"refused": reason}:
            detail = f" {_quoted(said['detail'])}" if said.get("detail") else ""
            return f"refused {_word('sms', reason)}{detail}"
        case {"taken": True}:
            return "taken"
        case _:
            raise _wrong("sms", 'objects such as {"number": "+15125551234", "refused": "capacity"}')


def _pairs(world: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    found = world.get(name, {})
    if not isinstance(found, dict):
        raise _wrong(name, "an object")
    yield from found.items()


def _items(world: Mapping[str, Any], name: str, needed: str) -> Iterator[Mapping[str, Any]]:
    found = world.get(name, [])
    for one in found if isinstance(found, list) else [found]:
        if not isinstance(one, dict) or needed not in one:
            raise _wrong(name, f'a list of objects with "{needed}"')
        yield one


def _after(name: str, found: Mapping[str, Any]) -> str:
    return f" after {_word(name, found['after'])}" if found.get("after") else ""


def _quoted(text: Any) -> str:
    return json.dumps(str(text), ensure_ascii=False)


def _word(name: str, found: Any) -> str:
    if isinstance(found, str) and found.strip() and "\n" not in found.strip():
        return found.strip()
    raise _wrong(name, f"text in one line where {found!r} stands")


def _wrong(name: str, wanted: str) -> BadParameter:
    return BadParameter(name, "invalid", f"{name} must have {wanted}; see docs/api.md")
