"""The REST façade: from a request to one statement of one call, and nothing more.

A handler reads, checks, compiles, and hands over to the switchboard; it knows no media.  What was
handed over is done by the call's own task, so a client that goes away undoes nothing.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias
from uuid import uuid4

import structlog
from attrs import frozen
from quart import Response, request
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException

from ringful.http import requests
from ringful.http.authenticate import Asked, Authenticator
from ringful.http.bodies import MAX_BODY, MAX_UPLOAD, Body, pairs, read_body, read_bytes
from ringful.http.compile import compile_call, compile_task
from ringful.http.number_requests import Bind, GetNumbers, Unbind
from ringful.http.numbers import NumberDesk
from ringful.http.parameters import BadParameter, Parameters
from ringful.http.present import call_as_json, call_as_text
from ringful.http.problems import Problem, of_refusal
from ringful.http.recordings import RecordingDesk, RemoveRecording
from ringful.http.script_requests import Check, GetScript, GetVersions, Run, Simulate, Trace, Upload
from ringful.http.scripts import Answer, ScriptDesk, trace
from ringful.http.simulate import Order, Simulated, Simulator
from ringful.interpreter.events import Started
from ringful.interpreter.switchboard import Calls, Operation, Refusal
from ringful.store.port import Key, Store, StoreError, Write

log = structlog.get_logger()

App: TypeAlias = QuartTrio
"""What `make_app` makes, and `ringful.http.serve` serves."""

ABOUT = "This is ringful, a programmable-voice server. Its API is described in docs/api.md.\n"


@frozen
class Settings:
    """What the façade needs of the configuration."""

    recordings: RecordingDesk
    dialect: requests.Dialect
    simulate: Callable[[Order], Awaitable[Simulated]]
    """Runs a simulation where it cannot hold the server."""
    draining: Callable[[], bool] = lambda: False


def make_app(calls: Calls, store: Store, settings: Settings, numbers: NumberDesk) -> App:
    """Make the application."""
    app = QuartTrio(__name__)
    desk = ScriptDesk(calls, store, numbers.library, Simulator(settings.simulate))
    facade = Facade(calls, store, settings, Authenticator(store), desk, numbers)

    @app.route("/<method>/apikey/<key>", methods=["GET", "POST"])
    async def ask(method: str, key: str) -> Response:
        return await facade.answer(method, key)

    @app.route("/recordings/<file>")
    async def recording(file: str) -> Response:
        return await settings.recordings.give(file, request.query_string.decode("latin-1"))

    @app.route("/health")
    async def health() -> Response:
        draining = settings.draining()
        return Response("draining\n" if draining else "ok\n", 503 if draining else 200, mimetype="text/plain")

    @app.route("/")
    async def about() -> Response:
        return Response(ABOUT, mimetype="text/plain")

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
    fault = uuid4().hex[:12]
    log.error(
        "a request failed for a fault of ringful itself", fault=fault, path=request.path, exc_info=error
    )
    return await show(Problem(500, "server.fault", f"a fault of the server; its log has more under {fault}"))


@frozen
class Facade:
    """The handlers, and what they need."""

    calls: Calls
    store: Store
    settings: Settings
    authenticator: Authenticator
    desk: ScriptDesk
    numbers: NumberDesk

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
                await self._use(key, seq)
                return _say(call_as_text(known), call_as_json(known))
            case requests.Script(call_id):
                script = await self.calls.script(key, call_id)
                await self._use(key, seq)
                return _say(script, {"callId": call_id, "script": script})
            case RemoveRecording():
                return await self._read(self.settings.recordings.removed(key, made), key, seq)
            case Trace():
                return await self._read(trace(self.calls, key, made), key, seq)
            case Upload() | Run():
                return _say(*await self.desk.answer(key, made, seq))
            case Bind() | Unbind():
                return _say(*await self.numbers.answer(key, made, seq))
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
