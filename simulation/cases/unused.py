"""What a case gives and its run did not use: it looks like a test of something, and is none."""

from collections.abc import Iterator

from ringful.interpreter.trace import sound_name
from ringful.simulation.cases.case import PhoneBlock, StepLine
from ringful.simulation.cases.texting import NOTHING
from ringful.simulation.phones import world
from ringful.simulation.phones.far_end import FarEndPlayer
from ringful.simulation.phones.world import same_number
from ringful.simulation.simulate import Simulation


def unused(simulation: Simulation) -> list[str]:
    """Say of each line that the case itself gives, and that nothing used, what it is and where."""
    found = [*_sounds(simulation), *_web(simulation), *_recording(simulation)]
    for phone in simulation.case.phones:
        if phone.line:
            found += _phone(simulation, phone)
    return [f"line {line}: {said}" for line, said in sorted(found)]


def _named(simulation: Simulation, *names: str, of: str) -> set[str]:
    return {str(one.data[of]) for one in simulation.entries if one.name in names and of in one.data}


def _sounds(simulation: Simulation) -> Iterator[tuple[int, str]]:
    heard = {sound_name(one.data["sound"]) for one in simulation.entries if one.name in ("Play", "Cue")}
    for (word, name), line in simulation.case.lines.items():
        if word in ("sound", "missing") and name not in heard:
            yield line, f'`{word} "{name}"`: nothing played it'


def _web(simulation: Simulation) -> Iterator[tuple[int, str]]:
    asked = _named(simulation, "Ask", of="url")
    for (word, name), line in simulation.case.lines.items():
        if word == "web" and name not in asked:
            yield line, f'`web "{name}"`: nothing asked there'
        if word == "sms" and name != "*" and not _texted(simulation, name):
            yield line, f'`sms "{name}"`: no message went there'


def _recording(simulation: Simulation) -> Iterator[tuple[int, str]]:
    line = simulation.case.lines.get(("recording", ""))
    if line and not any(one.name == "StartRecording" for one in simulation.entries):
        yield line, "`recording fails`: nothing was recorded"


def _texted(simulation: Simulation, number: str) -> bool:
    return any(same_number(one, number) for one in _named(simulation, "SendMessage", of="number"))


def _phone(simulation: Simulation, phone: PhoneBlock) -> Iterator[tuple[int, str]]:
    players = [one for one in simulation.phones.far_ends if _is_of(one, phone, simulation.steps_of(phone))]
    if players:
        if phone.steps:
            yield from _steps(phone.steps, max(players, key=lambda one: one.done))
    elif phone.calls:
        yield phone.line, f'`phone "{phone.number}"` calls {phone.calls}, and nobody answers there'
    elif phone.texting == NOTHING and not _reached(simulation, phone.number):
        yield phone.line, f'`phone "{phone.number}"`: nothing called it'


def _is_of(player: FarEndPlayer, phone: PhoneBlock, steps: tuple[world.Step, ...]) -> bool:
    """Say whether *player* does what *phone* does, which is *steps*."""
    number = None if phone.number == "*" else phone.number
    return player.far_end.steps is steps and (bool(steps) or player.far_end.number == number)


def _reached(simulation: Simulation, number: str) -> bool:
    """Say whether somebody was sent to the phone of *number*, or a message."""
    sent_to = _named(simulation, "Transfer", of="number")
    return _texted(simulation, number) or any(number == "*" or same_number(one, number) for one in sent_to)


def _steps(steps: tuple[StepLine, ...], player: FarEndPlayer) -> Iterator[tuple[int, str]]:
    """Tell of the first step that was not done."""
    if player.done >= len(steps):
        return
    step = steps[player.done]
    if step.when and not any(step.when.sound in sound for sound in player.sounds):
        heard = ", ".join(f'"{sound}"' for sound in sorted(player.sounds)) or "nothing"
        yield step.line, f'`{step.said}`: "{step.when.sound}" was not heard; this phone heard {heard}'
    else:
        yield step.line, f"`{step.said}`: it was not done, since the call was over before"
