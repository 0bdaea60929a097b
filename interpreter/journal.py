"""Events and effects as JSON, and back: the lines of the journal.

Statements are kept as their canonical text, so that a journal can be read by people and outlives
the tree's shape.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, cast, get_args

import attrs
import cattrs

from ringful.grammar import nodes
from ringful.grammar.reading.parser import parse, parse_statements
from ringful.grammar.showing.printer import show, show_statement
from ringful.grammar.walk import taking
from ringful.interpreter import effects, events
from ringful.interpreter.secrets import HIDDEN, MARK
from ringful.interpreter.values import Duration, Value, from_json
from ringful.media import port
from ringful.store.port import Entry

_EVENTS: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        *get_args(port.Event),
        events.Started,
        events.Queued,
        events.Interrupted,
        events.Steered,
        events.TimerFired,
        events.WebAnswered,
        events.WebFailed,
        events.Closed,
        events.Joined,
        events.Left,
        events.NotReached,
        events.MessageTaken,
        events.MessageRefused,
        events.Priced,
        events.Spent,
        *get_args(events.MemberEvent),
        *get_args(events.QueueEvent),
        events.Signalled,
    )
}
_SOUNDS = {kind.__name__: kind for kind in get_args(port.Sound)}

_PLAIN = frozenset({str, int, float, bool, type(None)})
_MOST_TEXTS = 64

_converter = cattrs.Converter(forbid_extra_keys=True)


_SPECIAL = frozenset(
    {
        events.Started,
        events.Queued,
        events.Steered,
        events.WebAnswered,
        effects.QueueOn,
        effects.Notify,
        effects.Ask,
    }
    | {effects.Signal, events.Signalled}
)
"""What is not written down field by field."""


def encode(happening: events.Event | effects.Effect) -> dict[str, Any]:
    """Give the fields of an event or effect as plain JSON values."""
    if type(happening) not in _SPECIAL:
        return _encode_fields(happening)
    match happening:
        # The most frequent ones first: the arms are tried in their order.
        case effects.Notify(url, fields, n, secret):
            return {"url": url, "fields": _masked(fields, secret), "n": n}
        case events.Started():
            return _encode_started(happening)
        case events.Queued(task, statement):
            return {"task": task, "statement": show_statement(statement)}
        case events.Steered(statement):
            return {"statement": show_statement(statement)}
        case effects.QueueOn(conference, statement):
            return {"conference": conference, "statement": show_statement(statement)}
        case effects.Signal(call, name, fields):
            return {"call": call, "name": name, "fields": keep(fields)}
        case events.Signalled(name, fields, by):
            return {"name": name, "fields": keep(fields), "by": by}
        case events.WebAnswered(asking, value):
            return {"asking": asking, "value": keep(value)}
        case effects.Ask(asking, url, fields, want, secret):
            return {"asking": asking, "url": url, "fields": _masked(fields, secret), "want": want}
        case _:
            return _encode_fields(happening)


_fields: dict[type, tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]] = {}
"""The names of the fields of a kind, and what takes their values."""


def _encode_fields(happening: attrs.AttrsInstance) -> dict[str, Any]:
    kind = type(happening)
    if kind not in _fields:
        names = tuple(field.name for field in attrs.fields(kind))
        _fields[kind] = names, taking(names)
    names, get = _fields[kind]
    data = dict(zip(names, get(happening), strict=True))
    for name, value in data.items():
        if type(value) not in _PLAIN:
            data[name] = _plain(value)
    return data


def _encode_started(started: events.Started) -> dict[str, Any]:
    data: dict[str, Any] = {
        "script": _shown(started.script),
        "params": {name: keep(value) for name, value in started.params.items()},
    }
    if started.offer:
        data["offer"] = _said(started.offer)
    if started.plan:
        data["plan"] = attrs.asdict(started.plan)
    if started.pace:
        data["pace"] = started.pace
    if started.uses:
        data["uses"] = {path: _shown(script) for path, script in started.uses.items()}
    if started.notify:
        data["notify"] = started.notify
    if started.origin:
        data["origin"] = attrs.asdict(started.origin)
    if started.label:
        data["label"] = started.label
    if started.message:
        data["message"] = attrs.asdict(started.message)
    return data


def _said(offer: port.Offer) -> dict[str, str]:
    """Give *offer* without what nobody said."""
    numbers = {"caller": offer.caller, "called": offer.called}
    return numbers | {name: value for name, value in attrs.asdict(offer).items() if value}


_texts: OrderedDict[int, tuple[nodes.Script, str]] = OrderedDict()


def _shown(script: nodes.Script) -> str:
    """Show *script*, once for all the runs of the same tree: many calls begin with the same script."""
    known = _texts.get(id(script))
    # The tree is kept beside its text, so that no other one can have its identity meanwhile.
    if known is None:
        known = _texts[id(script)] = (script, show(script))
        if len(_texts) > _MOST_TEXTS:
            _texts.popitem(last=False)
    return known[1]


def keep(value: Value) -> Any:
    """Give *value* as JSON from which `kept` makes the same value again."""
    match value:
        case Decimal():
            return {"$number": str(value)}
        case Duration():
            return {"$ms": value.milliseconds}
        case tuple():
            return [keep(item) for item in value]
        case Mapping():
            inner = {key: keep(item) for key, item in value.items()}
            return {"$map": inner} if any(key.startswith("$") for key in inner) else inner
        case _:
            return value


def kept(data: Any) -> Value:
    """Make the value that `keep` wrote down."""
    match data:
        case {"$number": number}:
            return Decimal(number)
        case {"$ms": milliseconds}:
            return Duration(milliseconds)
        case {"$map": inner}:
            return {key: kept(item) for key, item in inner.items()}
        case dict():
            return {key: kept(item) for key, item in data.items()}
        case list():
            return tuple(kept(item) for item in data)
        case _:
            return from_json(data)


def _masked(fields: Mapping[str, str], secret: frozenset[str]) -> dict[str, str]:
    return {name: HIDDEN if name in secret else value for name, value in fields.items()}


def _plain(value: Any) -> Any:
    if type(value) in _PLAIN:
        return value
    if isinstance(value, port.Sound):
        return {"sound": type(value).__name__, **_without_speed(_encode_fields(value))}
    if isinstance(value, Decimal):
        return str(value)
    return _encode_fields(value) if attrs.has(type(value)) else value


def _without_speed(sound: dict[str, Any]) -> dict[str, Any]:
    """Leave out the speed that nearly every sound has."""
    if sound.get("speed") == 1.0:
        del sound["speed"]
    return sound


def decode_event(entry: Entry) -> events.Event:
    """Make the event that *entry* (of kind ``event``) wrote down.

    Raises ValueError where the entry is of no kind that we know.
    """
    data = {name: value for name, value in entry.data.items() if name != MARK}
    match entry.name:
        case "Started":
            return _decode_started(data)
        case "Queued":
            return events.Queued(data["task"], _statement(data["statement"]))
        case "Steered":
            return events.Steered(cast(nodes.Steering, _statement(data["statement"])))
        case "Signalled":
            found = kept(data["fields"])
            return events.Signalled(data["name"], found if isinstance(found, Mapping) else {}, data["by"])
        case "WebAnswered":
            return events.WebAnswered(data["asking"], kept(data["value"]))
        case name if name in _EVENTS:
            made: events.Event = _converter.structure(data, _EVENTS[name])
            return made
    raise ValueError(f"an event `{entry.name}` is not known")


def _decode_started(data: Mapping[str, Any]) -> events.Started:
    return events.Started(
        parse(data["script"]),
        {name: kept(value) for name, value in data["params"].items()},
        port.Offer(**data["offer"]) if "offer" in data else None,
        {path: parse(script, path) for path, script in data.get("uses", {}).items()},
        data.get("notify"),
        events.Origin(**data["origin"]) if "origin" in data else None,
        events.Plan(**data["plan"]) if "plan" in data else None,
        data.get("pace", 0.0),
        data.get("label", ""),
        events.Arrival(**data["message"]) if "message" in data else None,
    )


def _statement(text: str) -> nodes.Statement:
    return parse_statements(text)[0]


def sound_of(data: Mapping[str, Any]) -> port.Sound:
    """Make the sound that `encode` wrote down."""
    fields = dict(data)
    made: port.Sound = _SOUNDS[fields.pop("sound")](**fields)
    return made
