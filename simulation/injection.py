"""Put something into a simulation that its case does not say: faults, hang-ups, keys."""

import json
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Literal, Protocol

from attrs import frozen

from ringful.grammar import nodes
from ringful.grammar.blocks import within
from ringful.interpreter import events
from ringful.interpreter.run import Run
from ringful.interpreter.values import Value, from_json
from ringful.simulation.cases.case import Injection
from ringful.simulation.phones.leg import SimulatedLeg
from ringful.simulation.phones.phones import SimulatedPhones
from ringful.simulation.phones.room import SimulatedRoom
from ringful.simulation.texts import Texts

KEYS = "0123456789*#"


@frozen(eq=False)
class Asked:
    """A question that the web has not answered."""

    run: Run
    asking: int
    want: Literal["json", "script"] = "json"
    """What the answer is to be."""
    expected: Value = None
    """What it was to be in this case."""

    @property
    def others(self) -> tuple[str, ...]:
        """Give other answers, as JSON: none, one without all that is in it, and one of another kind.

        A script can guard itself against each: `if answer != none and "state" in answer`.
        """
        if self.want == "script":
            return ('""', '"no script"')
        match self.expected:
            case Mapping():
                return ("null", "{}", "[]", '"no"')
            case tuple() | list():
                return ("null", "[]")
            case str():
                return ("null", '""')
            case _:
                return ("null",)


class World(Protocol):
    """A simulation, as far as something can be put into it."""

    @property
    def phones(self) -> SimulatedPhones:
        """Its phones."""
        ...

    @property
    def texts(self) -> Texts:
        """Its messages."""
        ...

    @property
    def runs(self) -> Mapping[str, Run]:
        """Its calls, runs and conferences, by ID."""
        ...

    @property
    def asked(self) -> MutableMapping[tuple[str, int], Asked]:
        """What the web has not answered."""
        ...


def possible(simulation: World, step: int) -> Iterator[Injection]:
    """Give what could be injected now, which is *step*, and would change anything."""
    phones = simulation.phones
    for name in phones.live:
        leg = phones.far_side(name)
        yield Injection("hang up", step, name)
        yield Injection("lose", step, name)
        if leg.state == "ringing" and not leg.inbound:
            yield Injection("busy", step, name)
            yield Injection("silent", step, name)
            yield Injection("unreachable", step, name)
        if leg.state == "up":
            yield from (Injection("press", step, name, tone) for tone in KEYS)
    for place in _places(simulation):
        if place.player.is_playing:
            yield Injection("playback fails", step, place.name)
        if place.recorder.is_recording:
            yield Injection("recording fails", step, place.name)
    for call_id, run in simulation.runs.items():
        if not run.ended:
            yield Injection("now hangup", step, call_id)
        if run.subject and run.subject.membership:
            yield Injection("now leave", step, call_id)
    if simulation.asked:
        yield Injection("web fails", step)
        yield Injection("web never answers", step)
        others = {other: None for asked in simulation.asked.values() for other in asked.others}
        yield from (Injection("web answers", step, value=other) for other in others)
    if phones.live:
        yield Injection("fetch fails", step)
    yield from _possible_of_messages(simulation, step)


def _possible_of_messages(simulation: World, step: int) -> Iterator[Injection]:
    if any(_sends(run.script) for run in simulation.runs.values() if not run.ended):
        yield Injection("message refused", step)
    waiting = simulation.texts.open_ones
    for message in dict.fromkeys((*waiting[:1], *waiting[-1:])):
        yield Injection("message fails", step, message)
    if waiting:
        yield Injection("receipt lost", step)


def inject(simulation: World, injection: Injection) -> None:
    """Let *injection* happen now; on a leg that is over, or was never there, it does nothing."""
    phones = simulation.phones
    match injection.what:
        case "web fails" | "web never answers" | "web answers":
            _let_the_web(simulation, injection)
            return
        case "fetch fails":
            phones.fail_fetches("it cannot be fetched: the server answered 500")
            return
        case "message refused":
            simulation.texts.refuse()
            return
        case "message fails":
            for message in [injection.leg] if injection.leg else simulation.texts.open_ones:
                simulation.texts.fail(message)
            return
        case "receipt lost":
            simulation.texts.lose_receipts()
            return
        case "now hangup" | "now leave":
            operation: events.Operation = "hangup" if injection.what == "now hangup" else "leave"
            for call_id, run in simulation.runs.items():
                if injection.leg in ("", call_id):
                    run.post(events.Interrupted(operation))
            return
    here = injection.leg or next(iter(phones.live), "")
    for leg in map(phones.far_side, phones.live):
        if leg.name == here:
            _act(leg, injection)
    for place in _places(simulation):
        if place.name == here:
            _break(place, injection)


def _let_the_web(simulation: World, injection: Injection) -> None:
    """Fail, answer otherwise, or never: what it says later is heard by nobody."""
    for asked in list(simulation.asked.values()):
        if injection.what == "web fails":
            asked.run.post(events.WebFailed(asked.asking, "it answered 500"))
        elif injection.what == "web answers":
            asked.run.post(events.WebAnswered(asked.asking, from_json(json.loads(injection.value))))
    simulation.asked.clear()


def _sends(script: nodes.Script) -> bool:
    return any(isinstance(statement, nodes.Sms) for statement in within(script.body))


def _places(simulation: World) -> list[SimulatedLeg | SimulatedRoom]:
    phones = simulation.phones
    return [*map(phones.far_side, phones.live), *phones.rooms]


def _act(leg: SimulatedLeg, injection: Injection) -> None:
    match injection.what:
        case "hang up":
            leg.put_down()
        case "lose":
            leg.lose()
        case "busy" | "unreachable":
            if leg.state == "ringing" and not leg.inbound:
                leg.refuse(injection.what)
        case "silent":
            if leg.state == "ringing":
                leg.far_end.end()
        case "press":
            leg.press(injection.tone)


def _break(place: SimulatedLeg | SimulatedRoom, injection: Injection) -> None:
    match injection.what:
        case "playback fails":
            place.player.fail("the media worker could not play on")
        case "recording fails":
            place.recorder.fail("the disk is full")
