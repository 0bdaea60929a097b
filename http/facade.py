"""The REST façade: from a request to one statement of one call, and nothing more.

A handler reads, checks, compiles, and hands over to the switchboard; it knows no media.  What was
handed over is done by the call's own task, so a client that goes away undoes nothing; and nothing is left
half-way, since `http.connection` breaks off only what `methods.TAKE_LONG`.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import trio
from attrs import frozen

from ringful.http.authenticate import Answer, Asked, Asking, Authenticator
from ringful.http.desks.callbacks import CallbackDesk
from ringful.http.desks.conferences import ConferenceDesk
from ringful.http.desks.messages import KeywordDesk, Sender
from ringful.http.desks.numbers import NumberDesk
from ringful.http.desks.queues import tell_queues
from ringful.http.desks.recordings import RecordingDesk
from ringful.http.desks.records import RecordDesk
from ringful.http.desks.scripts import ScriptDesk, placed, trace
from ringful.http.desks.simulate import Order, Simulated
from ringful.http.exchange import CSV, JSON, NO_HEADERS, PLAIN, Request, Response
from ringful.http.present import as_lines, call_as_json
from ringful.http.problems import Problem
from ringful.http.reading import methods, requests
from ringful.http.reading.bodies import Body, pairs, read_body
from ringful.http.reading.callbacks import CallbackResend, QueryCallbacks
from ringful.http.reading.compile import compile_call, compile_task
from ringful.http.reading.conferences import ConferenceTask, QueryConf
from ringful.http.reading.immediate import immediate
from ringful.http.reading.messages import (
    BindKeyword,
    GetKeywords,
    RemoveKeyword,
    SendReceiveSms,
    SendSms,
)
from ringful.http.reading.numbers import Bind, GetNumbers, Unbind
from ringful.http.reading.parameters import Parameters
from ringful.http.reading.queues import LeaveQueue, QueryQueues
from ringful.http.reading.recordings import RemoveRecording
from ringful.http.reading.records import (
    QueryBill,
    QueryCalls,
    QueryLegs,
    QueryMessage,
    QueryMessages,
    RecordRequest,
)
from ringful.http.reading.scripts import Check, GetScript, GetVersions, Run, Simulate, Trace, Upload
from ringful.http.tables import Csv
from ringful.interpreter.calls.switchboard import Calls
from ringful.interpreter.events import Started
from ringful.store.port import Key, Store, Write

NOTHING: Answer = ("", {})
REPLAYED = "Ringful-Replayed"
"""The header of an answer that was given before, or that would have been."""
Read: TypeAlias = (
    requests.QueryCall
    | RecordRequest
    | QueryConf
    | QueryQueues
    | requests.Script
    | Trace
    | QueryCallbacks
    | GetNumbers
    | GetKeywords
    | GetScript
    | GetVersions
    | Check
    | Simulate
)
"""The requests that change nothing."""


@frozen
class Settings:
    """What the façade needs of the configuration."""

    recordings: RecordingDesk
    dialect: requests.Dialect
    simulate: Callable[[Order], Awaitable[Simulated]]
    """Runs a simulation where it cannot hold the server."""
    look_for_resends: Callable[[], None] = lambda: None
    """Takes up the callbacks that are to be sent again."""


@frozen
class Facade:
    """The handlers, and what they need."""

    calls: Calls
    store: Store
    settings: Settings
    authenticator: Authenticator
    desk: ScriptDesk
    numbers: NumberDesk
    posts: CallbackDesk
    conferences: ConferenceDesk
    sender: Sender
    keywords: KeywordDesk
    records: RecordDesk

    async def answer(self, request: Request, method: str, key: str) -> Response:
        """Answer a call of the API.  Raises Problem, BadParameter, Refusal, StoreError."""
        name = methods.find_method(method)
        if name is None:
            known = ", ".join(methods.METHODS)
            raise Problem(404, "method.unknown", f"there is no method {method[:40]!r}; there are: {known}")
        asked, body = _asked(request, text=name in methods.TAKES_TEXT)
        owner, seqs = await self.authenticator.key_of(key, asked)
        with await self.authenticator.asking(owner, seqs, asked) as asking:
            answer = asking.before or NOTHING
            if asking.before is None:
                given = Parameters(asked.parameters, body.members, body.text)
                made = requests.read(name, given, self.settings.dialect)
                answer = await self._do(owner, made, asking)
            return _say(answer, request, {REPLAYED: "true"} if asking.again else NO_HEADERS)

    async def _do(self, key: Key, made: requests.Request, asking: Asking) -> Answer:
        if isinstance(made, ConferenceTask | requests.OnConference):
            return await self.conferences.answer(key, made, asking)
        match made:
            case requests.Call() if made.script:
                return await self.desk.place(key, made, asking)
            case requests.Call():
                started = Started(compile_call(made), label=made.label or "")
                return await placed(self.calls, key, started, asking)
            case requests.Signal(call_id, event, sent):
                fields = {**sent.texts, **sent.values}
                await self.calls.signal(key, call_id, event, fields, seqs=asking.used(NOTHING))
                return NOTHING
            case LeaveQueue(call_id):
                await self.calls.interrupt(key, call_id, "leave queue", seqs=asking.used(NOTHING))
                return NOTHING
            case Upload() | Run():
                return await self.desk.answer(key, made, asking)
            case Bind() | Unbind():
                return await self.numbers.answer(key, made, asking)
            case SendReceiveSms() | SendSms():
                return await self.sender.answer(key, made, asking)
            case BindKeyword() | RemoveKeyword():
                return await self.keywords.answer(key, made, asking)
            case CallbackResend():
                return await self.posts.resend(key, made, asking)
            case RemoveRecording():
                answer: Answer = await self.settings.recordings.removed(key, made)
                await self.store.submit(Write(seqs=asking.used(answer))).wait()
                return answer
        if not isinstance(made, Read):
            await self._task(key, made, asking)
            return NOTHING
        answer = await self._read(key, made, asking)
        if seqs := asking.used():
            with trio.CancelScope(shield=True):
                await self.store.submit(Write(seqs=seqs)).wait()
        return answer

    async def _read(self, key: Key, made: Read, asking: Asking) -> Answer:
        """Give an answer that changes nothing; the seq is used all the same."""
        match made:
            case requests.QueryCall(call_id):
                known = await self.calls.query(key, call_id)
                legs = await self.records.of_call(key, known)
                members = call_as_json(known) | legs | await self.posts.of_call(call_id)
                return as_lines(members), members
            case QueryConf():
                text, about = await self.conferences.look(key, made)
                return text, {**about, **await self.records.of_conference(key, about["confCallId"])}
            case QueryCalls() | QueryLegs() | QueryMessages() | QueryMessage() | QueryBill():
                return await self.records.answer(key, made)
            case requests.Script(call_id):
                script = await self.calls.script(key, call_id)
                return script, {"callId": call_id, "script": script}
            case Trace():
                return await trace(self.calls, key, made)
            case QueryCallbacks():
                return await self.posts.answer(key, made)
            case GetNumbers():
                return await self.numbers.answer(key, made, asking)
            case GetKeywords():
                return await self.keywords.answer(key, made, asking)
            case QueryQueues(queue):
                return tell_queues(self.calls.queues(key), queue)
            case GetScript() | GetVersions() | Check() | Simulate():
                return await self.desk.answer(key, made, asking)

    async def _task(self, key: Key, task: requests.Task, asking: Asking) -> None:
        operation, seqs = immediate(task), asking.used(NOTHING)
        if operation is None:
            await self.calls.queue(key, task.call_id, compile_task(task), seqs=seqs)
            return
        notify = task.callback_url if isinstance(task, requests.StopToneDetector) else None
        await self.calls.interrupt(key, task.call_id, operation, notify=notify, seqs=seqs)


def _asked(request: Request, *, text: bool) -> tuple[Asked, Body]:
    """Read the request; *text* says that its body may be a script's text."""
    body = read_body(request.body, request.kind, text=text)
    query = pairs(request.query)
    return Asked(request.method, request.path, query, body.pairs, request.body), body


def _say(answer: Answer, request: Request, headers: Mapping[str, str]) -> Response:
    text, members = answer
    if isinstance(text, Csv):
        return Response(text, 200, CSV, headers)
    if request.wants_json:
        return Response(json.dumps(members) + "\n", 200, JSON, headers)
    return Response(text, 200, PLAIN, headers)
