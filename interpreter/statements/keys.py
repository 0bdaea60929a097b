"""What the statements that take tones mean: ``wait tone``, ``start tones``, ``gather``, ``menu``.

Each takes what was typed ahead before it waits.
"""

from collections.abc import Iterable

from ringful.grammar import nodes
from ringful.grammar.branches import choice_name
from ringful.grammar.tones import TONES, covers, first_keys, starts
from ringful.interpreter.evaluate import count_of, patterns_of, seconds_of, tones_of, url_of
from ringful.interpreter.leg import Leg, presser
from ringful.interpreter.running import Scope
from ringful.interpreter.statements.asking import Asking, asking
from ringful.interpreter.strand import fired
from ringful.media import port

_DIGITS = "0123456789"


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
        lambda s: fired(s, timer),
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
    leg, names = run_on.need_leg(), run_on.names
    least = count_of(statement.least, names, 1)
    most = count_of(statement.most, names, least) if statement.most else least
    finish = tones_of(statement.until, names) if statement.until else ("#" if most > least else "")
    wanted = TONES if statement.keys else _DIGITS
    notify, digits = url_of(statement.notify, names), ""
    names[statement.name] = None
    leg.secrets += statement.secret
    try:
        with asking(run_on, statement) as asked:
            for turn in asked.turns():
                if turn > 1:
                    run_on.run.take_way(statement, "again")
                digits = await _collect(asked, statement.prompt, most, finish, wanted)
                if least <= len(digits) <= most:
                    names[statement.name] = digits
                    if statement.secret:
                        run_on.run.secrets.add(digits)
                    run_on.run.take_way(statement, "digits")
                    run_on.run.tell(notify, "GatherComplete", leg.name, digits=digits)
                    return
    finally:
        leg.secrets -= statement.secret
    run_on.run.take_way(statement, "nothing")
    reason = "short" if digits else "timeout"
    run_on.run.tell(notify, "GatherFailed", leg.name, digits=digits, reason=reason)


async def _collect(asked: Asking, prompt: nodes.Block, most: int, finish: str, wanted: str) -> str:
    """Collect *most* of the *wanted* keys, or fewer if one of *finish* comes; others are not for it."""
    digits = ""
    tone = await asked.prompted(prompt, wanted + finish)
    while tone is not None and tone not in finish:
        if tone in wanted:
            digits += tone
        if len(digits) == most:
            asked.await_finish(finish)
            break
        tone = await asked.next(wanted + finish, asked.between)
    return digits


class WentBack(Exception):
    """``again`` and ``back``: caught by the menu that is to begin anew, *levels* menus further out."""

    def __init__(self, levels: int) -> None:
        super().__init__()
        self.levels = levels


def go_back(_: Scope, statement: nodes.Again | nodes.Back) -> None:
    """Let a menu begin anew."""
    raise WentBack(1 if isinstance(statement, nodes.Back) else 0)


async def menu(run_on: Scope, statement: nodes.Menu) -> None:
    """Play the prompt, take a choice, run its branch; after the last try, fall through."""
    while True:
        try:
            await _menu(run_on, statement)
            return
        except WentBack as back:
            if back.levels:
                raise WentBack(back.levels - 1) from None


async def _menu(run_on: Scope, statement: nodes.Menu) -> None:
    names, run = run_on.names, run_on.run
    if statement.name:
        names[statement.name] = None
    with asking(run_on, statement) as asked:
        for _ in asked.turns():
            patterns = [(choice, patterns_of(choice.tones, names)) for choice in statement.choices]
            keys = await _choice(asked, statement.prompt, [one for _, several in patterns for one in several])
            if statement.name:
                names[statement.name] = keys
            if keys is None:
                run.take_way(statement, "timeout")
                if statement.timeout:
                    await run_on.block(statement.timeout)
                continue
            chosen = _chosen(patterns, keys)
            if chosen is not None:
                break
            run.take_way(statement, "otherwise")
            if statement.otherwise:
                await run_on.block(statement.otherwise)
        else:
            return
    run.take_way(statement, choice_name(chosen))
    await run_on.block(chosen.block)


async def _choice(asked: Asking, prompt: nodes.Block, patterns: list[str]) -> str | None:
    """Take keys for as long as they begin something longer; None where none came in time."""
    keys = await asked.prompted(prompt, first_keys(patterns))
    while keys and starts([one for one in patterns if len(one) > len(keys)], keys):
        more = await asked.next(TONES, asked.between)
        if more is None or (more == "#" and not starts(patterns, keys + more)):
            return keys
        keys += more
    if keys and len(keys) > 1:
        asked.await_finish("#")
    return keys


def _chosen(patterns: Iterable[tuple[nodes.Choice, tuple[str, ...]]], keys: str) -> nodes.Choice | None:
    """Give the choice that *keys* make: that which says them, or else the first that covers them."""
    exact = (choice for choice, several in patterns if keys in several)
    covering = (
        choice
        for choice, several in patterns
        if not isinstance(choice.tones, nodes.AnyTone) and any(covers(one, keys) for one in several)
    )
    anything = (choice for choice, _ in patterns if isinstance(choice.tones, nodes.AnyTone))
    return next(exact, None) or next(covering, None) or next(anything, None)
