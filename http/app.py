"""The REST façade: from a request to one statement of one call, and nothing more.

A handler reads, checks, compiles, and hands over to the switchboard; it knows no media.  What was
handed over is done by the call's own task, so a client that goes away undoes nothing.
"""

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import structlog
import trio
from attrs import frozen
from quart import Response, g, request
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException

from ringful.ground.faults import fault
from ringful.http.authenticate import Asked, Authenticator
from ringful.http.desks.callbacks import CallbackDesk
from ringful.http.desks.numbers import NumberDesk
from ringful.http.desks.scripts import Answer, ScriptDesk, trace
from ringful.http.desks.simulate import Order, Simulated, Simulator
from ringful.http.present import as_lines, call_as_json
from ringful.http.probes import Probes, add_probes
from ringful.http.problems import Problem, of_refusal
from ringful.http.reading import requests
from ringful.http.reading.bodies import MAX_BODY, MAX_UPLOAD, Body, pairs, read_body, read_bytes
from ringful.http.reading.callbacks import CallbackResend, QueryCallbacks
from ringful.http.reading.compile import compile_call, compile_task
from ringful.http.reading.numbers import Bind, GetNumbers, Unbind
from ringful.http.reading.parameters import BadParameter, Parameters
from ringful.http.reading.scripts import Check, GetScript, GetVersions, Run, Simulate, Trace, Upload
from ringful.interpreter.calls.switchboard import Calls, Operation, Refusal
from ringful.interpreter.events import Started
from ringful.store.port import Key, Store, StoreError, Write

log = structlog.get_logger()

App: TypeAlias = QuartTrio
"""What `make_app` makes, and `ringful.http.serve` serves."""

ABOUT = "This is ringful, a programmable-voice server. Its API is described in docs/api.md.\n"


@frozen
class Settings:
    """What the façade needs of the configuration."""

    recordings: Path
    dialect: requests.Dialect
    simulate: Callable[[Order], Awaitable[Simulated]]
    """Runs a simulation where it cannot hold the server."""
    look_for_resends: Callable[[], None] = lambda: None
    """Takes up the callbacks that are to be sent again."""


def make_app(calls: Calls, store: Store, settings: Settings, numbers: NumberDesk, probes: Probes) -> App:
    """Make the application."""
    app = QuartTrio(__name__)
    desk = ScriptDesk(calls, store, numbers.library, Simulator(settings.simulate))
    posts = CallbackDesk(store, settings.look_for_resends)
    facade = Facade(calls, store, settings, Authenticator(store), desk, numbers, posts)

    @app.route("/<method>/apikey/<key>", methods=["GET", "POST"])
    async def ask(method: str, key: str) -> Response:
        return await facade.answer(method, key)

    @app.route("/recordings/<file>")
    async def recording(file: str) -> Response:
        return await facade.recording(file)

    @app.route("/")
    async def about() -> Response:
        return Response(ABOUT, mimetype="text/plain")

    add_probes(app, probes)
    app.register_error_handler(Problem, show)
    app.register_error_handler(BadParameter, _bad_parameter)
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(StoreError, _store_failed)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _fault)
    return app


def wants_json() -> bool:
    """Say whether the client asked for JSON."""
    return "json" in request.headers.get("Accept", "")


async def show(problem: Problem) -> Response:
    """Show *problem* in the form that the client reads."""
    g.refused = problem.code
    if wants_json():
        return Response(problem.as_json(), problem.status, dict(problem.headers), "application/problem+json")
    return Response(problem.as_text(), problem.status, dict(problem.headers), "text/plain")


async def _bad_parameter(bad: BadParameter) -> Response:
    return await show(Problem(400, bad.code, str(bad), extra={"parameter": bad.name}))


async def _refused(refusal: Refusal) -> Response:
    return await show(of_refusal(refusal))


async def _store_failed(error: StoreError) -> Response:
    log.error("the store failed", why=str(error))
    return await show(
        Problem(503, "server.store", "the database does not answer; try again", {"Retry-After": "5"})
    )


async def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status == 404:
        return await show(
            Problem(404, "path.unknown", f"there is nothing at {request.path}; see docs/api.md")
        )
    if status == 405:
        return await show(
            Problem(405, "method.wrong", f"{request.method} is not taken here; use GET or POST")
        )
    return await show(Problem(status, "request.invalid", error.description or "the request cannot be read"))


async def _fault(error: Exception) -> Response:
    return await show(Problem(500, "server.fault", fault("answering a request", error, path=request.path)))


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

    async def answer(self, method: str, key: str) -> Response:
        """Answer a call of the API."""
        name = requests.find_method(method)
        if name is None:
            known = ", ".join(requests.METHODS)
            raise Problem(404, "method.unknown", f"there is no method {method[:40]!r}; there are: {known}")
        asked, body = await _asked(text=name in requests.TAKES_TEXT)
        owner = await self.authenticator.key_of(key, asked)
        async with self.authenticator.seq_of(owner, asked) as seq:
            given = Parameters(asked.parameters, body.members, body.text)
            made = requests.read(name, given, self.settings.dialect)
            return await self._do(owner, made, seq)

    async def _do(self, key: Key, made: requests.Request, seq: int | None) -> Response:
        match made:
            case requests.Call():
                if made.script:
                    call_id = await self.desk.place(key, made, seq)
                else:
                    call_id = await self.calls.place(key, Started(compile_call(made)), seq=seq)
                return _say(call_id + "\n", {"callId": call_id})
            case requests.QueryCall(call_id):
                known = await self.calls.query(key, call_id)
                posts = await self.posts.of_call(call_id)
                await self._use(key, seq)
                members = call_as_json(known) | posts
                return _say(as_lines(members), members)
            case requests.Script(call_id):
                script = await self.calls.script(key, call_id)
                await self._use(key, seq)
                return _say(script, {"callId": call_id, "script": script})
            case Trace():
                return await self._read(trace(self.calls, key, made), key, seq)
            case Upload() | Run():
                return _say(*await self.desk.answer(key, made, seq))
            case Bind() | Unbind():
                return _say(*await self.numbers.answer(key, made, seq))
            case QueryCallbacks() | CallbackResend():
                return _say(*await self.posts.answer(key, made, seq))
            case GetNumbers():
                return await self._read(self.numbers.answer(key, made, seq), key, seq)
            case GetScript() | GetVersions() | Check() | Simulate():
                return await self._read(self.desk.answer(key, made, seq), key, seq)
            case _:
                await self._task(key, made, seq)
                return _say("", {})

    async def _read(self, answer: Awaitable[Answer], key: Key, seq: int | None) -> Response:
        """Give an answer that changes nothing; the seq is used all the same."""
        found = await answer
        await self._use(key, seq)
        return _say(*found)

    async def _task(self, key: Key, task: requests.Task, seq: int | None) -> None:
        operation = immediate(task)
        if operation is None:
            await self.calls.queue(key, task.call_id, compile_task(task), seq=seq)
            return
        notify = task.callback_url if isinstance(task, requests.StopToneDetector) else None
        await self.calls.interrupt(key, task.call_id, operation, notify=notify, seq=seq)

    async def _use(self, key: Key, seq: int | None) -> None:
        if seq is not None:
            await self.store.submit(Write(seqs=[(key.key, seq)])).wait()

    async def recording(self, file: str) -> Response:
        """Give a finished recording; its unguessable name is the permission."""
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,200}\.wav", file) or await self.store.recording(file) is None:
            raise Problem(404, "recording.unknown", "there is no such recording")
        path = self.settings.recordings / file
        try:
            data = await trio.Path(path).read_bytes()
        except OSError as error:
            log.error("a recording cannot be read", file=file, why=str(error))
            raise Problem(404, "recording.gone", "the recording's file is gone") from error
        return Response(data, mimetype="audio/wav")


def immediate(task: requests.Task) -> Operation | None:
    """Give the operation that *task* does at once, or None where it queues."""
    match task:
        case requests.Hangup(immediate=True):
            return "hangup"
        case requests.RecordStop(immediate=True):
            return "stop record"
        case requests.StopToneDetector(immediate=True):
            return "stop tones"
        case _:
            return None


async def _asked(*, text: bool) -> tuple[Asked, Body]:
    """Read the request; *text* says that its body may be a script's text."""
    data = await read_bytes(MAX_UPLOAD if text else MAX_BODY)
    body = read_body(data, request.mimetype, text=text)
    query = pairs(request.query_string)
    path = (
        request.scope["raw_path"].decode("latin-1").partition("?")[0]
        if request.scope.get("raw_path")
        else request.path
    )
    return Asked(request.method, path, query, body.pairs, data), body


def _say(text: str, members: dict[str, Any]) -> Response:
    if wants_json():
        return Response(json.dumps(members) + "\n", mimetype="application/json")
    return Response(text, mimetype="text/plain")
