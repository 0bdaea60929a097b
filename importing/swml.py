"""SWML, as JSON: sections of methods.

A section that is executed, or gone over to, is made where it is named, since all variables of a
document are known everywhere in it.  Going back (`goto`, `transfer` to where one is) is a loop.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from attrs import define, field

from ringful.grammar import nodes
from ringful.importing import swml_calls, verbs
from ringful.importing.clauses import SWML, lose_others
from ringful.importing.draft import Body, Draft
from ringful.importing.facts import Press, Web
from ringful.importing.losses import ImportFault
from ringful.importing.objects import read_objects
from ringful.importing.rounds import go_round, jump, without_jumps
from ringful.importing.script import Imported, finished
from ringful.importing.swml_values import Variables, condition_of, value_of
from ringful.importing.values import count, keys, seconds, sent, words

_SPEECH = "there is no speech recognition here; ask for keys"
_AGENT = "nothing here speaks with callers by itself; connect a phone by SIP"
_STREAM = "the sound of a call is not sent elsewhere; connect a phone by SIP instead"
_FAX = "there is no fax here"
_UNSAID = {
    "ai": _AGENT,
    "ai_sidecar": _AGENT,
    "amazon_bedrock": _AGENT,
    "tap": _STREAM,
    "stop_tap": _STREAM,
    "live_transcribe": _SPEECH,
    "live_translate": _SPEECH,
    "detect_machine": "nothing tells people from machines here; let the callee press a key",
    "denoise": "sound is not changed",
    "stop_denoise": "sound is not changed",
    "join_room": "there is no video here; `join` a conference",
    "receive_fax": _FAX,
    "send_fax": _FAX,
    "pay": "nothing takes payments here; gather what you need as `secret` and `ask` your application",
    "user_event": "there are no browsers here; `notify` an application",
    "bind_digit": 'write `on tone "…" { … }`',
    "clear_digit_bindings": 'write `on tone "…" { … }` in the block that it is for',
}
MOST = 3_000
"""So many methods a script is made of at most."""
_DEEPEST = 12


@define
class Section:
    """A list of methods that is being made, and how it stands in the others."""

    body: Body
    variables: Variables
    sections: dict[str, list[Any]]
    inside: tuple[str, ...] = ()
    """The sections and labels that we are in, the innermost last."""
    made: list[int] = field(factory=lambda: [0])
    in_branch: bool = False
    """It is one of several ways on within a section."""

    def within(self, body: Body, *inside: str, in_branch: bool = False) -> "Section":
        """Give one for a list within this one."""
        return Section(body, self.variables, self.sections, (*self.inside, *inside), self.made, in_branch)


def import_swml(document: bytes, address: str = "", *, outbound: bool = False) -> Imported:
    """Make a script of *document*, which was had from *address*.  Raises ImportFault."""
    read = read_objects(document)
    match read:
        case {"sections": {"main": list()} as sections}:
            pass
        case _:
            raise ImportFault('SWML is a map whose "sections" hold a "main", which is a list of methods')
    wanted = json.dumps(read)
    left = (
        "prompt_result",
        "connect_result",
        "record_url",
        "record_result",
        "sip_refer_result",
        "return_value",
    )
    answered = re.findall(r"\brequest_response\.([a-z_][a-z0-9_]*)", wanted)
    variables = Variables({name for name in left if name in wanted}, tuple(dict.fromkeys(answered)))
    draft = Draft(variables.pieces, address, outbound=outbound)
    variables.draft = draft
    body = Body(draft, is_outer=True)
    named = {str(name): one for name, one in sections.items() if isinstance(one, list)}
    main = Section(body, variables, named, ("main",))
    each(main, named["main"], "main")
    block = without_jumps(body, go_round(body, "main"))
    for variable in variables.never_written():
        body.lose("the document", f"the variable {variable}", "nothing here gives it a value: it is `none`")
    first = tuple(nodes.Let(name, nodes.Nothing()) for name in variables.unset)
    return finished(draft, nodes.Block((*first, *block.statements), block.closing), "SWML", outbound=outbound)


def each(section: Section, listed: list[Any], place: str) -> None:
    """Make the methods of a list; *place* is where it stands."""
    body = section.body
    for index, one in enumerate(listed):
        here = f"{place}[{index}]"
        name, given = _method(one, here)
        section.made[0] += 1
        if section.made[0] > MOST:
            raise ImportFault(
                f"{here}: the flow is longer than {MOST} methods, sections told as often as used"
            )
        if name == "label":
            if not body.is_over:
                _labelled(section, words(given), listed[index + 1 :], f"{place}[{index + 1}…]")
            return
        if body.is_over:
            continue
        if name in _METHODS:
            lose_others(body, SWML, name, _given(given, "") if given else (), here, f"`{name}`")
            _METHODS[name](section, given, here)
        else:
            body.lose(here, f"`{name}`", _UNSAID.get(name, "this is no method of SWML that is known here"))


def _method(one: Any, place: str) -> tuple[str, Any]:
    match one:
        case str():
            return one, {}
        case dict() if len(one) == 1:
            ((name, given),) = one.items()
            return str(name), given
        case _:
            raise ImportFault(f'{place}: this is no method: write `{{"play": {{ … }}}}`')


def _labelled(section: Section, label: str, rest: list[Any], place: str) -> None:
    """Make what stands behind a label, in a loop if there is a jump to it."""
    inner = section.body.inner()
    with section.variables.branch():
        each(section.within(inner, f"label {label}"), rest, place)
    block = go_round(inner, f"label {label}")
    section.body.add(*block.statements)
    section.body.comments += block.closing
    section.body.is_over = inner.is_over


def _goto(section: Section, given: Any, place: str) -> None:
    given = given if isinstance(given, dict) else {"label": given}
    label, when = words(given.get("label")), given.get("when")
    body = section.body
    if f"label {label}" not in section.inside:
        body.lose(
            place, f"`goto` {label}", "it leads forward, or into another section; put that into an `if`"
        )
        return
    # The first round is no jump.
    back = jump(f"label {label}", count(given.get("max"), 100, 100) + 1)
    if when is None:
        body.end(back)
        return
    condition = condition_of(section.variables, words(when))
    if condition is None:
        body.lose(place, f"the condition {words(when)}", "it is more JavaScript than can be said here")
        return
    body.add(nodes.If(condition, nodes.Block((back,))))


def _cond(section: Section, given: Any, place: str) -> None:
    """Make a `cond`: the first branch whose condition holds."""
    branches = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    found: list[tuple[nodes.Expression, nodes.Block]] = []
    otherwise: nodes.Block | None = None
    for index, branch in enumerate(branches):
        here = f"{place}[{index}]"
        if "when" not in branch:
            otherwise = _branch(section, branch.get("else", branch.get("then")), f"{here}.else")
            break
        condition = condition_of(section.variables, words(branch["when"]))
        if condition is None:
            why = "it is more JavaScript than can be said here; this branch is left out"
            section.body.lose(here, f"the condition {words(branch['when'])}", why)
            continue
        _presses(section, words(branch["when"]), first=not found)
        found.append((condition, _branch(section, branch.get("then"), f"{here}.then", first=not found)))
        if "else" in branch:
            otherwise = _branch(section, branch["else"], f"{here}.else")
    choose(section.body, found, otherwise)


def _switch(section: Section, given: Any, place: str) -> None:
    """Make a `switch`: the branch of a variable's value."""
    given = given if isinstance(given, dict) else {}
    cases = given.get("case")
    named = words(given.get("variable"))
    variable = section.variables.read(named)
    if not isinstance(cases, dict) or variable is None:
        section.body.lose(place, f"`switch` of {named}", "it has no variable that is known here, or no cases")
        return
    found: list[tuple[nodes.Expression, nodes.Block]] = []
    for value, listed in cases.items():
        _presses(section, f"{named} == {words(value)}", first=not found)
        block = _branch(section, listed, f"{place}.case.{words(value)}", first=not found)
        found.append((_is(section, variable, words(value)), block))
    default = given.get("default")
    otherwise = _branch(section, default, f"{place}.default") if default is not None else None
    choose(section.body, found, otherwise)


def _is(section: Section, variable: nodes.Expression, said: str) -> nodes.Expression:
    is_text = isinstance(variable, nodes.Name) and variable.id in section.variables.texts
    plain = variable if is_text else nodes.Apply("text", (variable,))
    return nodes.Binary("==", plain, nodes.text(said))


def choose(
    body: Body, found: list[tuple[nodes.Expression, nodes.Block]], otherwise: nodes.Block | None
) -> None:
    """Add the `if` that takes the first of these ways."""
    chain = otherwise
    for condition, block in reversed(found):
        one = nodes.If(condition, block, chain)
        chain = nodes.Block((one,))
    if chain is not None:
        body.add(*chain.statements)
        body.comments += chain.closing


def _presses(section: Section, condition: str, *, first: bool) -> None:
    """Let the caller of the case press what leads to the *first* branch."""
    facts = section.body.draft.facts
    wanted = re.search(r"prompt_value\s*={2,3}\s*[\"']?([0-9*#]{1,16})\b", condition)
    match facts[-1:]:
        case [Press(when=when)] if first and wanted:
            facts[-1] = Press(wanted[1], when)


def _branch(section: Section, listed: Any, place: str, *, first: bool = False) -> nodes.Block:
    """Make one of several ways on; the caller of the case takes the *first* one."""
    inner, facts = section.body.inner(), section.body.draft.facts
    before = len(facts)
    if len(section.inside) + place.count(".") > _DEEPEST * 2:
        raise ImportFault(f"{place}: methods stand too deep in one another")
    with section.variables.branch():
        each(section.within(inner, in_branch=True), listed if isinstance(listed, list) else [], place)
    if not first:
        facts[before:] = [fact for fact in facts[before:] if isinstance(fact, Web)]
    return inner.block()


def _execute(section: Section, given: Any, place: str) -> None:
    _into(section, given, place, ends=False)


def _transfer(section: Section, given: Any, place: str) -> None:
    _into(section, given, place, ends=True)


def _into(section: Section, given: Any, place: str, *, ends: bool) -> None:
    """Make the section that is named, or ask the application for one; with *ends* there is no way back."""
    body, given = section.body, _given(given, "dest")
    there, params = words(given.get("dest")), given.get("params")
    if isinstance(params, dict) and there in section.sections:
        for name, value in params.items():
            _let(section, str(name), value)
    if ends and there in section.inside:
        body.end(jump(there, verbs.ENDLESS))
    elif there in section.inside or len(section.inside) > _DEEPEST:
        body.lose(place, f"`execute` {there}", "a flow cannot lead back into itself; write a `repeat`")
    elif there in section.sections:
        inner = body.inner()
        each(section.within(inner, there), section.sections[there], there)
        block = go_round(inner, there)
        body.add(*block.statements)
        body.comments += block.closing
        body.is_over = inner.is_over and ends
    elif not verbs.follow(body, place, there, _told(section, params), "SWML"):
        return
    if ends and not body.is_over:
        body.end(nodes.Hangup())
    elif not ends:
        _returned(section, given, place)


def _given(given: Any, word: str) -> dict[str, Any]:
    """Give the parameters of a method: a map, maps in a list, or one of them alone."""
    match given:
        case dict():
            return given
        case [dict(), *_]:
            return {key: value for one in given if isinstance(one, dict) for key, value in one.items()}
        case _:
            return {word: given}


def _told(section: Section, params: Any) -> nodes.Map:
    """Give what an application is told: the call, the params and what variables are known."""
    variables = section.variables
    sends: dict[str, nodes.Expression] = {"call_id": nodes.Name("call_id")}
    sends |= {"from": nodes.Name("caller"), "to": nodes.Name("called")}
    sends |= {key: nodes.Name(name) for key, name in variables.names.items() if name in variables.bound}
    for one in params if isinstance(params, list) else [params]:
        for key, value in one.items() if isinstance(one, dict) else ():
            sends[str(key)] = value_of(variables, value)
    return nodes.Map(tuple(nodes.Entry(key, value) for key, value in sends.items() if key != "callId"))


def _returned(section: Section, given: dict[str, Any], place: str) -> None:
    """Do what is said for when a section or an application has returned."""
    if isinstance(after := given.get("on_return"), list):
        each(section.within(section.body), after, f"{place}.on_return")
    _result(section, given.get("result"), "return_value", f"{place}.result")


def _result(section: Section, result: Any, variable: str, place: str) -> None:
    """Go on as *variable* says: a list is a `cond`, and a map a `switch`."""
    match result:
        case list():
            _cond(section, result, place)
        case dict():
            _switch(section, {"variable": variable, **result}, place)


def _return(section: Section, given: Any, place: str) -> None:
    if given not in ({}, None):
        value = value_of(section.variables, given)
        section.body.add(nodes.Let(section.variables.write("return_value"), value))
    if section.in_branch:
        why = "what stands after the branch is run all the same: put that into the `else`"
        section.body.lose(place, "`return` in a branch", why, "to do")
    section.body.is_over = True


def _let(section: Section, variable: str, value: Any) -> None:
    """Give *variable* a value, if it has not got that already."""
    expression = value_of(section.variables, value)
    name = section.variables.write(variable)
    if expression != nodes.Name(name):
        section.body.add(nodes.Let(name, expression))


def _set(section: Section, given: Any, place: str) -> None:
    for name, value in given.items() if isinstance(given, dict) else ():
        _let(section, str(name), value)


def _unset(section: Section, given: Any, _: str) -> None:
    for name in given if isinstance(given, list) else [given]:
        section.body.add(nodes.Let(section.variables.write(words(name)), nodes.Nothing()))


def _play(section: Section, given: Any, place: str) -> None:
    swml_calls.play(section.body, given, place)


def _prompt(section: Section, given: Any, place: str) -> None:
    given = given if isinstance(given, dict) else {"play": given}
    body, variables = section.body, section.variables
    prompt = body.inner()
    body.draft.heard = None
    swml_calls.play(prompt, {**given, "urls": given.get("play"), "url": None}, f"{place}.play")
    if any(name.startswith("speech_") for name in given):
        body.lose(place, "speech in `prompt`", _SPEECH)
    between = (
        None if words(given.get("digit_timeout")) in ("", "5", "5.0") else seconds(given["digit_timeout"])
    )
    if given.get("status_url"):
        body.lose(place, "status_url of `prompt`", "write `notify` on the `gather`: it tells of it", "to do")
    most = count(given.get("max_digits"), 1, verbs.MOST_DIGITS)
    finish = keys(given.get("terminators"))[:3]
    wanted = verbs.Wanted(most, finish, seconds(given.get("initial_timeout"), 5), between=between)
    name = verbs.gather(body, wanted, prompt, variables.write("prompt_value", is_text=True))
    if "prompt_result" in variables.wanted:
        result = variables.write("prompt_result", is_text=True)
        body.add(nodes.Let(result, nodes.text("match_digits")))
        nothing = nodes.Binary("==", nodes.Name(name), nodes.Nothing())
        body.add(nodes.If(nothing, nodes.Block((nodes.Let(result, nodes.text("no_input")),))))


def _connect(section: Section, given: Any, place: str) -> None:
    given, variables = _given(given, "to"), section.variables
    result, name = given.get("result"), None
    if result is not None or "connect_result" in variables.wanted:
        name = variables.named("connect_result")
    swml_calls.connect(section.body, given, place, name, lambda *told: _confirmed(section, *told))
    if name:
        variables.write("connect_result", is_text=True)
    if name and ("return_value" in variables.wanted or result is not None):
        section.body.add(nodes.Let(variables.write("return_value", is_text=True), nodes.Name(name)))
    if after := words(given.get("transfer_after_bridge")):
        _into(section, after, place, ends=True)
        return
    _result(section, result, "return_value", f"{place}.result")


def _confirmed(section: Section, confirm: Any, place: str) -> nodes.Block | None:
    """Make what is done on the other leg before it is connected: methods, or what the application says."""
    inner, facts = section.body.inner(), section.body.draft.facts
    before = len(facts)
    if isinstance(confirm, list):
        with section.variables.branch():
            each(section.within(inner), confirm, place)
    elif confirm:
        verbs.follow(inner, place, words(confirm), _told(section, None), "SWML")
    # It is the callee who would press and speak there.
    facts[before:] = [fact for fact in facts[before:] if isinstance(fact, Web)]
    block = inner.block()
    return block if block.statements else None


def _join(section: Section, given: Any, place: str) -> None:
    given = _given(given, "name")
    swml_calls.join_conference(section.body, given, place)
    if given.get("result") is not None:
        name = section.variables.write("join_conference_result", is_text=True)
        section.body.add(nodes.Let(name, nodes.text("completed")))
        _result(section, given["result"], "join_conference_result", f"{place}.result")


def _enter_queue(section: Section, given: Any, place: str) -> None:
    given = _given(given, "queue_name")
    wait, after = section.body.inner(), words(given.get("transfer_after_bridge"))
    turn = section.body.draft.name("turn") if after else None
    if url := words(given.get("wait_url")):
        verbs.follow(wait, place, url, _told(section, None), "SWML")
    swml_calls.enter_queue(section.body, given, place, wait.block(), turn)
    if after and turn:
        inner = section.body.inner()
        verbs.follow(inner, place, after, _told(section, None), "SWML")
        inner.end(nodes.Hangup())
        served = nodes.Binary("!=", nodes.Field(nodes.Name(turn), "seconds"), nodes.Number(0))
        section.body.add(nodes.If(served, inner.block()))


def _sip_refer(section: Section, given: Any, place: str) -> None:
    swml_calls.sip_refer(section.body, _given(given, "to_uri"), place)
    for name in ("sip_refer_result", "return_value"):
        if name in section.variables.wanted:  # who was transferred hears no more of the script
            section.body.add(nodes.Let(section.variables.write(name, is_text=True), nodes.text("failed")))


def _request(section: Section, given: Any, place: str) -> None:
    given = given if isinstance(given, dict) else {"url": given}
    body = section.body
    url = body.draft.address(words(given.get("url")))
    if url is None:
        body.lose(place, "`request`", "it has no address of the web")
        return
    if given.get("headers"):
        body.lose(place, "the headers of `request`", "requests are signed instead (docs/api.md)")
    if words(given.get("method")).upper() == "GET":
        body.lose(place, "GET of `request`", "`ask` posts; let the application take that", "to do")
    told = given.get("body")
    sends = None
    if isinstance(told, dict):
        entries = (nodes.Entry(str(key), value_of(section.variables, one)) for key, one in told.items())
        sends = nodes.Map(tuple(entries))
    elif told:
        body.lose(place, "the body of `request`", "`ask … with { … }` posts fields")
    name = section.variables.write("request_response")
    parts = section.variables.answered
    empty = nodes.Map(tuple(nodes.Entry(part, nodes.Nothing()) for part in parts))
    otherwise = nodes.Block((nodes.Let(name, empty),)) if parts else None
    if parts:
        body.lose(place, f"the answer of `request`: {', '.join(parts)}", "let it hold each of these", "to do")
    body.add(nodes.Ask(url, name, sends, seconds(given.get("timeout"), 5), otherwise))
    body.draft.asked(url, json.dumps(dict.fromkeys(parts, "1")))


def _on_body(make: Callable[[Body, Any, str], None]) -> "Callable[[Section, Any, str], None]":
    return lambda section, given, place: make(section.body, given, place)


def _record(section: Section, given: Any, place: str) -> None:
    variables = section.variables
    recording = nodes.Name(swml_calls.record(section.body, given, place))
    there = nodes.Binary("!=", recording, nodes.Nothing())
    kept: list[nodes.Statement] = []
    for name, value in (
        ("record_url", nodes.Field(recording, "url")),
        ("record_result", nodes.text("success")),
    ):
        if name in variables.wanted:
            otherwise = nodes.Nothing() if name == "record_url" else nodes.text("failed")
            section.body.add(nodes.Let(variables.write(name, is_text=True), otherwise))
            kept.append(nodes.Let(variables.write(name), value))
    if kept:
        section.body.add(nodes.If(there, nodes.Block(tuple(kept))))


def _send_digits(body: Body, given: Any, _: str) -> None:
    said = given.get("digits") if isinstance(given, dict) else given
    body.add(*sent(said, {"W": 500, ",": 1000}))


_METHODS: dict[str, Callable[[Section, Any, str], None]] = {
    "answer": _on_body(lambda body, _, __: body.add(nodes.Answer()) if body.is_first else None),
    "hangup": _on_body(swml_calls.hangup),
    "play": _play,
    "prompt": _prompt,
    "record": _record,
    "record_call": _on_body(swml_calls.record_call),
    "stop_record_call": _on_body(swml_calls.stop_record_call),
    "send_digits": _on_body(_send_digits),
    "sleep": _on_body(swml_calls.sleep),
    "connect": _connect,
    "join_conference": _join,
    "send_sms": _on_body(swml_calls.send_sms),
    "enter_queue": _enter_queue,
    "sip_refer": _sip_refer,
    "request": _request,
    "goto": _goto,
    "cond": _cond,
    "if": _cond,
    "switch": _switch,
    "execute": _execute,
    "transfer": _transfer,
    "return": _return,
    "set": _set,
    "unset": _unset,
}
