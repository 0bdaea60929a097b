"""What the statements that take tones mean: ``wait tone``, ``start tones``, ``gather``, ``menu``.

Each takes what was typed ahead before it waits.  A prompt runs as a strand of its own, so that a
key can cut it short; a key during the prompt starts the timer between keys, so that no key can
leave a call waiting for ever.
"""

from ringful.grammar import nodes
from ringful.grammar.branches import choice_name
from ringful.interpreter.evaluate import count_of, seconds_of, tones_of, url_of
from ringful.interpreter.leg import Leg, presser
from ringful.interpreter.running import Scope
from ringful.interpreter.strand import StrandEnded
from ringful.media import port

_ANY = "0123456789*#ABCD"


async def wait_tone(run_on: Scope, statement: nodes.WaitTone) -> None:
    """Go on when one of the tones is pressed; others are misfires."""
    leg, run, names = run_on.need_leg(), run_on.run, run_on.names
    wanted = tones_of(statement.tones, names)
    notify = url_of(statement.notify, names)
    if statement.fresh:
        leg.forget_tones()
    limit = seconds_of(statement.limit, names) if statement.limit else None
    run_on.look_ahead()
    timer = run.set_timer(limit) if limit is not None else None
    try:
        while True:
            tone = await _next_tone(run_on, leg, timer, wanted)
            if tone is None:
                break
            if tone in wanted:
                run.tell(notify, "WaitForToneDetected", leg.name, tone=tone, **presser(leg))
                break
            run.tell(notify, "WaitForToneMisfire", leg.name, tone=tone, **presser(leg))
    finally:
        if timer:
            run.cancel_timer(timer)
    if statement.name:
        names[statement.name] = tone
    run.take_way(statement, "else" if tone is None else "tone")
    if tone is None:
        run.tell(notify, "WaitForToneTimeout", leg.name)
        if statement.otherwise:
            await run_on.block(statement.otherwise)


async def _next_tone(run_on: Scope, leg: Leg, timer: int | None, accepted: str) -> str | None:
    """Take the next tone, typed ahead or pressed; None when *timer* has fired."""
    if leg.buffer:
        return leg.take_tone()
    if timer is not None and not run_on.run.is_set(timer):
        return None
    signal = await run_on.wait(
        lambda s: timer is not None and getattr(s, "timer", None) == timer,
        tones=accepted,
        misfires=True,
        on_queued=run_on.look_ahead,
    )
    return signal.tone if isinstance(signal, port.TonePressed) else None


def detect(run_on: Scope, statement: nodes.StartTones | nodes.StopTones) -> None:
    """Start or stop posting every tone."""
    leg = run_on.need_leg()
    notify = url_of(statement.notify, run_on.names)
    if isinstance(statement, nodes.StartTones):
        leg.detector = notify
        run_on.run.tell(notify, "ToneDetectorStart", leg.name)
    else:
        leg.detector = None
        run_on.run.tell(notify, "ToneDetectorStop", leg.name)


async def gather(run_on: Scope, statement: nodes.Gather) -> None:
    """Collect digits; the name is bound to them, or to none if nothing valid came."""
    leg, names, settings = run_on.need_leg(), run_on.names, run_on.run.settings
    least = count_of(statement.least, names, 1)
    most = count_of(statement.most, names, least) if statement.most else least
    finish = tones_of(statement.until, names) if statement.until else ("#" if most > least else "")
    first = seconds_of(statement.limit, names) if statement.limit else settings.first_key
    between = min(first, settings.between_keys)
    tries = count_of(statement.tries, names, 1) if statement.tries else settings.tries
    if statement.fresh:
        leg.forget_tones()
    names[statement.name] = None
    leg.secrets += statement.secret
    try:
        for turn in range(tries):
            if turn:
                run_on.run.take_way(statement, "again")
            digits = await _collect(run_on, leg, statement.prompt, most, finish, first, between)
            if least <= len(digits) <= most:
                names[statement.name] = digits
                if statement.secret:
                    run_on.run.secrets.add(digits)
                run_on.run.take_way(statement, "digits")
                return
    finally:
        leg.secrets -= statement.secret
    run_on.run.take_way(statement, "nothing")


async def _collect(
    run_on: Scope, leg: Leg, prompt: nodes.Block, most: int, finish: str, first: float, between: float
) -> str:
    digits = ""
    tone = await _prompted_tone(run_on, leg, prompt, first)
    while tone is not None and tone not in finish:
        digits += tone
        if len(digits) == most:
            _await_finish(run_on, leg, finish, between)
            break
        tone = await _tone_within(run_on, leg, between)
    return digits


def _await_finish(run_on: Scope, leg: Leg, finish: str, between: float) -> None:
    """Let a key that was to end digits which are complete without it be theirs, and nobody else's."""
    if not leg.buffer:
        leg.late_finish = (finish, run_on.run.now + between)
    elif leg.buffer[0] in finish:
        leg.take_tone()


async def _tone_within(run_on: Scope, leg: Leg, seconds: float) -> str | None:
    if leg.buffer:
        return leg.take_tone()
    signal = await run_on.within(seconds, lambda _: False, tones=_ANY)
    return signal.tone if isinstance(signal, port.TonePressed) else None


async def _prompted_tone(run_on: Scope, leg: Leg, prompt: nodes.Block, first: float) -> str | None:
    """Run *prompt* until it ends or a key is pressed; give the first key, or None after *first* seconds."""
    if leg.buffer:
        return leg.take_tone()
    if prompt.statements:
        inner = run_on.on(leg, run_on.names)
        strand = run_on.run.spawn(leg, inner.body(prompt))
        try:
            ended = StrandEnded(strand.number)
            signal = await run_on.wait(lambda s: s == ended, tones=_ANY)
        finally:
            strand.cancel()
        if isinstance(signal, port.TonePressed):
            return signal.tone
    return await _tone_within(run_on, leg, first)


async def menu(run_on: Scope, statement: nodes.Menu) -> None:
    """Play the prompt, take one tone, run its branch; after the last try, fall through."""
    leg, names, settings = run_on.need_leg(), run_on.names, run_on.run.settings
    tries = count_of(statement.tries, names, 1) if statement.tries else settings.tries
    limit = seconds_of(statement.limit, names) if statement.limit else settings.first_key
    if statement.fresh:
        leg.forget_tones()
    for _ in range(tries):
        tone = await _prompted_tone(run_on, leg, statement.prompt, limit)
        if tone is None:
            run_on.run.take_way(statement, "timeout")
            if statement.timeout:
                await run_on.block(statement.timeout)
            continue
        for choice in statement.choices:
            if tone in tones_of(choice.tones, names):
                run_on.run.take_way(statement, choice_name(choice))
                await run_on.block(choice.block)
                return
        run_on.run.take_way(statement, "otherwise")
        if statement.otherwise:
            await run_on.block(statement.otherwise)
