"""Ways: what can be reached, and what runs in the background where it is started and stopped."""

from typing import Literal, NamedTuple, TypeAlias

from ringful.grammar import nodes
from ringful.grammar.blocks import ANSWERING, BESIDE, Role, answers, blocks_of, within
from ringful.grammar.checking.index import Index
from ringful.grammar.checking.places import Subject, word_of
from ringful.grammar.errors import MAX_PROBLEMS, Problem, Severity
from ringful.grammar.paths import Paths
from ringful.grammar.span import Span

_Device: TypeAlias = Literal["recorder", "playback", "detector", "line"]
_Running: TypeAlias = Literal["off", "on", "some", "unknown"]
"""Whether a device runs: on no way, on every way, on some ways, or nobody can know."""


class _Devices(NamedTuple):
    """What runs in the background of the leg."""

    recorder: _Running = "off"
    playback: _Running = "off"
    detector: _Running = "off"
    line: _Running = "unknown"
    """Of a call that came in: whether it has been answered."""


_UNKNOWN = _Devices("unknown", "unknown", "unknown", "unknown")


def check_ways(
    body: nodes.Block, never_back: frozenset[str], subject: Subject, index: Index, *, fresh: bool = True
) -> list[Problem]:
    """Check the ways through *body*, which runs on *subject*.

    With *fresh* nothing runs in the background where it begins, and a call that came in still rings.
    """
    ways = _Ways(never_back, index)
    line: _Running = "off" if subject == "inbound" else "unknown"
    ways.block(body, _Devices(line=line) if fresh else _UNKNOWN)
    return ways.problems


_JUDGED = frozenset(
    {nodes.StartRecord, nodes.Reject, nodes.StopRecord, nodes.StopPlay, nodes.StopTones, nodes.Gather}
)
_CHANGING = frozenset(
    {
        nodes.Do,
        nodes.Follow,
        nodes.Stay,
        nodes.StartRecord,
        nodes.StopRecord,
        nodes.Play,
        nodes.StopPlay,
        nodes.StartTones,
        nodes.StopTones,
    }
)


class _Ways(Paths[_Devices]):
    def __init__(self, never_back: frozenset[str], index: Index) -> None:
        super().__init__(never_back)
        self.problems: list[Problem] = []
        self._wild = _changed_beside(index)

    def meet(self, one: _Devices, other: _Devices) -> _Devices:
        if one == other:
            return one
        return _Devices(*(_met(a, b) for a, b in zip(one, other, strict=True)))

    def enter(self, statement: nodes.Statement, role: Role, state: _Devices) -> _Devices:
        if role == "loop":
            changed = _changed(blocks_of(statement)[0][1])
            pairs = zip(_Devices._fields, state, strict=True)
            return _Devices(*("unknown" if device in changed else now for device, now in pairs))
        return _Devices() if role == "leg" else _UNKNOWN if role in BESIDE else state

    def step(self, statement: nodes.Statement, state: _Devices) -> _Devices:
        if statement.__class__ in _JUDGED:
            self._judge(statement, state)
        if state.line in ("off", "some"):
            if answers(statement):
                state = self._now(state, "line", "on")
            elif isinstance(statement, nodes.Connect | nodes.ConnectTo):
                # It is answered where the two are connected, and rings on where they are not.
                state = self._now(state, "line", "unknown")
        if statement.__class__ not in _CHANGING:
            return state
        match statement:
            case nodes.Do() | nodes.Follow() | nodes.Stay():
                return _UNKNOWN
            case nodes.StartRecord():
                return self._now(state, "recorder", "on")
            case nodes.StopRecord():
                return self._now(state, "recorder", "off")
            case nodes.Play(background=True):
                return self._now(state, "playback", "on")
            case nodes.StopPlay():
                return self._now(state, "playback", "off")
            case nodes.StartTones():
                return self._now(state, "detector", "on")
            case nodes.StopTones():
                return self._now(state, "detector", "off")
            case _:
                return state

    def _now(self, state: _Devices, device: _Device, running: _Running) -> _Devices:
        return state._replace(**{device: "unknown" if device in self._wild else running})

    def _judge(self, statement: nodes.Statement, state: _Devices) -> None:
        match statement, state:
            case nodes.StartRecord(), _Devices(recorder="on"):
                self._tell(
                    "recording-twice", "this leg is being recorded already", statement.span, _STOP_FIRST
                )
            case nodes.Reject(), _Devices(line="on"):
                message = "this call has been answered: only one that still rings can be rejected"
                hint = "write `hangup`, or `reject` before what answers: `answer`, or anything that is heard"
                self._tell("too-late", message, statement.span, hint)
            case nodes.StopRecord(), _Devices(recorder="off"):
                self._tell("not-running", "nothing is being recorded here", statement.span, _START_FIRST)
            case nodes.StopPlay(), _Devices(playback="off"):
                hint = "only `start play` plays in the background; a plain `play` is over when it has ended"
                self._tell(
                    "not-running", "nothing is being played in the background here", statement.span, hint
                )
            case nodes.StopTones(), _Devices(detector="off"):
                self._tell("not-running", "no tones are being posted here", statement.span, "", "warning")
            case nodes.Gather(secret=True, name=name, notify=nodes.Node() as notify), _:
                message = f"`{name}` is secret, and `notify` would post it"
                self._tell("secret", message, notify.span, "leave it out, and send what it is in an `ask`")
            case nodes.Gather(secret=True, name=name), _Devices(detector="on" | "some"):
                message = f"`{name}` is secret, and `start tones` posts every key to a callback"
                self._tell("secret", message, statement.span, "write `stop tones` before it")

    def unreachable(self, statement: nodes.Statement, after: nodes.Statement) -> None:
        message = f"nothing leads here: {_why(after)}"
        self._tell("unreachable", message, statement.span, "", "warning")

    def _tell(
        self, code: str, message: str, span: Span, hint: str = "", severity: Severity = "error"
    ) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(code, message, span, hint, severity))


_STOP_FIRST = "write `stop record` before it"
_START_FIRST = "write `start record` before it; a plain `record` ends by itself"


def _why(after: nodes.Statement) -> str:
    match after:
        case nodes.Stay():
            return "the `stay` before it lasts until the call ends"
        case nodes.Hangup() | nodes.Reject():
            return f"the `{word_of(after)}` before it ends the call"
        case nodes.Break() | nodes.Return() | nodes.Again() | nodes.Back():
            return f"the `{word_of(after)}` before it leads away"
        case nodes.Do(flow):
            return f"every way through `{flow}` ends the call"
        case _:
            return f"every way through the `{word_of(after)}` before it leads away or ends the call"


def _met(one: _Running, other: _Running) -> _Running:
    if one == other:
        return one
    return "unknown" if "unknown" in (one, other) else "some"


def _changed(block: nodes.Block) -> frozenset[_Device]:
    """Give the devices that something in *block* may start or stop."""
    changed: set[_Device] = set()
    for statement in within(block):
        if isinstance(statement, ANSWERING) and (
            answers(statement) or isinstance(statement, nodes.Connect | nodes.ConnectTo)
        ):
            changed.add("line")
        match statement:
            case nodes.Do() | nodes.Follow() | nodes.Stay():
                return frozenset({"recorder", "playback", "detector", "line"})
            case nodes.StartRecord() | nodes.StopRecord():
                changed.add("recorder")
            case nodes.Play(background=True) | nodes.StopPlay():
                changed.add("playback")
            case nodes.StartTones() | nodes.StopTones():
                changed.add("detector")
    return frozenset(changed)


def _changed_beside(index: Index) -> frozenset[_Device]:
    """Give the devices that something beside the script may start or stop at any time."""
    if not index.has(nodes.Start, nodes.OnTone, nodes.OnEvent, nodes.OnMember):
        return frozenset()
    beside: tuple[nodes.Start | nodes.OnTone | nodes.OnEvent | nodes.OnMember, ...] = (
        *index.of(nodes.Start),
        *index.of(nodes.OnTone),
        *index.of(nodes.OnEvent),
        *index.of(nodes.OnMember),
    )
    return frozenset(device for one in beside for device in _changed(one.block))
